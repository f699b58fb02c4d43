"""Real processes: what a shell, a scheduler and a person with Ctrl-C get to see."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

WAITS = "botkit: 1\nbot: {}\nsteps:\n  - wait_for: agent\n  - expect: xyzzy\n    within: 60s\n"
SAYS_WHEN = """
from botkit import hookimpl

@hookimpl
def on_message(journey):
    print("connected", flush=True)
"""
ENDS = """
import sys
import botkit

@botkit.bot
class Ends:
    async def run(self, session):
        await session.wait_for(botkit.AgentConnected)
        sys.exit(0)
"""


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "botkit", "run", *arguments]


def write(folder: Path, files: dict[str, str]) -> dict[str, str]:
    """Make a project in a folder; gives the environment for processes in it."""
    for name, text in {"botkit.toml": "", **files}.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return {k: v for k, v in os.environ.items() if not k.startswith(("BOTKIT_", "CHAT_"))}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_all_chats(
    number: signal.Signals, tmp_path: Path, serve: Callable[..., Any]
) -> None:
    bots = {f"bots/{name}.yaml": WAITS.format(name) for name in ("one", "two")}
    env = write(tmp_path, {**bots, "plugins/says_when.py": SAYS_WHEN})
    with serve("healthy") as served:
        arguments = [
            "--server",
            served.url,
            "--plugins",
            "plugins",
            "--json",
            "out.json",
            "-n",
            "1",
        ]
        process = subprocess.Popen(
            command(*arguments), cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True
        )
        with process:
            assert process.stdout is not None
            assert process.stdout.readline() == "connected\n"
            assert served.open_chats() == 1
            process.send_signal(number)
            process.communicate(timeout=20)
        assert served.open_chats() == 0
    assert process.returncode == 2
    journeys = json.loads((tmp_path / "out.json").read_bytes())["journeys"]
    assert [(journey["verdict"], journey["reason"]) for journey in journeys] == [
        ("cancelled", "signal"),
        ("skipped", "not_started"),
    ]


@pytest.mark.parametrize(
    ("files", "arguments", "code", "says"),
    [
        ({}, [], 5, "no journey was run"),
        (
            {"bots/b.yaml": "botkit: 1\nbot: b\nsteps: [{say: hello}]\n"},
            [],
            3,
            "nothing was asserted",
        ),
        ({"bots/b.py": ENDS}, [], 3, "SystemExit"),
        ({"bots/b.yaml": "steps: ["}, ["bots/b.yaml"], 4, "bots/b.yaml:1"),
        ({}, ["--servr", "x"], 4, "--servr"),
        ({"bots/b.yaml": WAITS.format("b")}, ["--server", "SERVER"], 12, "refuses connections"),
    ],
    ids=["no bots", "nothing asserted", "sys.exit(0)", "no YAML", "usage", "nobody listens"],
)
def test_the_shell_sees_the_exit_code(
    files: dict[str, str],
    arguments: list[str],
    code: int,
    says: str,
    tmp_path: Path,
    serve: Callable[..., Any],
) -> None:
    env = write(tmp_path, files)
    with serve("nobody") as served:
        given = [argument.replace("SERVER", served.url) for argument in arguments]
        done = subprocess.run(
            command(*given),
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == code
    assert says in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
