"""Real processes that are told to stop, as a person or a scheduler does it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from botkit.cli import main

WAITS = "botkit: 1\nbot: {name}\nsteps:\n  - wait_for: agent\n  - expect: xyzzy\n    within: 60s\n"
SAYS_WHEN = """
from botkit import hookimpl

@hookimpl
def on_agent_connected(journey):
    print("connected", flush=True)
"""
NEVER_LETS_GO = """
from botkit import hookimpl
import trio

@hookimpl
async def on_session_ended():
    with trio.CancelScope(shield=True):
        print("holding", flush=True)
        await trio.sleep(25)
"""


@contextmanager
def started(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-m", "botkit", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_the_chats_and_reports(
    number: signal.Signals, project: Path, write_bot: Any
) -> None:
    write_bot("one", WAITS)
    write_bot("two", WAITS)
    (project / "plugins").mkdir()
    (project / "plugins" / "says_when.py").write_text(SAYS_WHEN)
    arguments = ("--plugins", "plugins", "--junit", "out.xml", "--json", "out.json", "-n", "1")
    with started("run", *arguments) as process:
        assert line_of(process) == "connected\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert process.returncode == 2
    assert f"{number.name}: leaving all chats" in err
    assert "Traceback" not in err
    assert "stopped by a signal" in out
    run = json.loads(Path("out.json").read_bytes())
    assert run["interrupted"] is True
    assert [j["verdict"] for j in run["journeys"]] == ["cancelled", "skipped"]
    assert run["journeys"][0]["left"] is True
    root = ET.parse("out.xml").getroot()
    assert (root.attrib["tests"], root.attrib["errors"]) == ("2", "1")


def test_a_second_signal_stops_at_once_and_still_reports(project: Path, write_bot: Any) -> None:
    write_bot("one", WAITS)
    (project / "plugins").mkdir()
    (project / "plugins" / "says_when.py").write_text(SAYS_WHEN)
    (project / "plugins" / "holds.py").write_text(NEVER_LETS_GO)
    with started("run", "--plugins", "plugins", "--json", "out.json") as process:
        assert line_of(process) == "connected\n"
        process.send_signal(signal.SIGINT)
        assert line_of(process) == "holding\n"
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=15)
    assert process.returncode == 2
    assert "SIGINT again: 1 chats may still be open: one" in err
    assert json.loads(Path("out.json").read_bytes())["interrupted"] is True


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_simulator_tells_where_it_is_and_stops_cleanly(
    number: signal.Signals, project: Path
) -> None:
    with started("simulate", "--port", "0") as process:
        urls = dict(line_of(process).split() for _ in range(3))
        assert list(urls) == ["gms-cometd", "gms-rest", "genesys-cloud"]
        assert urls["gms-cometd"].startswith("http://127.0.0.1:")
        assert urls["gms-cometd"].endswith("/genesys/cometd")
        assert urls["gms-rest"].endswith("/genesys/2/chat")
        assert urls["genesys-cloud"].startswith("ws://127.0.0.1:")
        assert urls["genesys-cloud"].endswith("/v1?deploymentId=demo")
        assert process.stderr is not None
        kind, status = process.stderr.readline().split()
        assert kind == "status"
        assert "a test double" in process.stderr.readline()
        with urllib.request.urlopen(status, timeout=5) as reply:
            assert json.loads(reply.read())
        process.send_signal(number)
        assert process.communicate(timeout=10) == ("", "")
    assert process.returncode == 0


def test_a_bot_talks_to_a_simulator_of_another_process(project: Path, write_bot: Any) -> None:
    write_bot()
    with started("simulate", "--port", "0", "--personality", "faye") as process:
        url = line_of(process).split()[1]
        assert main(["run", "--server", url, "--json", "out.json"]) == 0
    (journey,) = json.loads(Path("out.json").read_bytes())["journeys"]
    assert journey["server"] == url
    assert journey["on_simulator"] is False
