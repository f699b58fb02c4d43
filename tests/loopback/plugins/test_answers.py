"""The bot and the command of ``plugins/answers.py``, as somebody types them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from botkit.cli import main
from botkit.simulator import Simulator
from botkit.simulator.http import Handler

FOLDER = str(Path(__file__).parents[3] / "plugins")


def test_the_bot_is_played_by_its_name(tmp_path: Path) -> None:
    results = tmp_path / "results.json"
    assert main(["run", "answers", "--plugins", FOLDER, "--json", str(results)]) == 0
    (journey,) = json.loads(results.read_text())["journeys"]
    assert (journey["bot"], journey["verdict"], journey["asserted"]) == ("answers", "passed", 1)


async def type_command(*words: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "botkit", "answers", *words]
    environ = {**os.environ, "BOTKIT_PLUGINS": FOLDER}
    with trio.fail_after(30):
        return await trio.run_process(
            command, env=environ, capture_stdout=True, capture_stderr=True, check=False
        )


async def test_the_command_measures(serve: Callable[[Handler], Any], nursery: trio.Nursery) -> None:
    simulator = Simulator()
    await nursery.start(simulator.run)
    url = await serve(simulator.handle)
    done = await type_command(f"{url}/genesys/cometd", "--service", "demo")
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.decode().splitlines()
    assert first.startswith("open after 0.")
    assert second.startswith("answered after ")
    assert simulator.status()["open"] == 0
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("url", "code", "says"),
    [
        ("http://127.0.0.1:9/cometd", 1, "no answer: http://127.0.0.1:9 refuses connections"),
        ("nonsense", 4, "needs the http or https URL"),
    ],
)
async def test_what_does_not_answer(url: str, code: int, says: str) -> None:
    done = await type_command(url)
    assert done.returncode == code
    assert says in done.stderr.decode()
    assert b"Traceback" not in done.stderr
