"""Programs that are run for alerts."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
import trio

from botkit import default_plugins
from botkit.errors import ConfigError, ConnectorError
from botkit.results import Alert

LIMIT = 20.0


def python(code: str, *arguments: object) -> list[str]:
    return [sys.executable, "-c", code, *map(str, arguments)]


async def test_a_program_is_given_the_alert(tmp_path: Path, down: Alert) -> None:
    written = tmp_path / "alert.json"
    code = """
import json, os, sys
own = {k: v for k, v in os.environ.items() if k.startswith("BOTKIT_ALERT_")}
json.dump([json.load(sys.stdin), own], open(sys.argv[1], "w"))
"""
    with trio.fail_after(LIMIT):
        await default_plugins.command_sink(run=python(code, written)).deliver(down)
    read, environment = json.loads(written.read_text(encoding="utf-8"))
    assert (read["key"], read["status"], read["severity"]) == ("smoke@paris", "firing", "critical")
    assert read["text"] == environment["BOTKIT_ALERT_TEXT"] == down.text
    assert environment["BOTKIT_ALERT_TITLE"] == down.title
    assert environment["BOTKIT_ALERT_ENDED"] == ""
    assert environment["BOTKIT_ALERT_SINCE"] == "2027-01-15T08:02:00.000Z"


async def test_a_program_that_fails_says_why(down: Alert) -> None:
    code = "import sys; sys.stdin.read(); sys.exit('no paper')"
    sink = default_plugins.command_sink(run=python(code))
    with trio.fail_after(LIMIT), pytest.raises(ConnectorError, match="ended with 1: no paper"):
        await sink.deliver(down)


async def test_a_program_that_there_is_not(down: Alert, tmp_path: Path) -> None:
    sink = default_plugins.command_sink(run=[str(tmp_path / "pager")])
    with pytest.raises(ConfigError, match="pager: No such file"):
        await sink.deliver(down)


async def test_a_program_that_does_not_read_is_no_trouble(down: Alert) -> None:
    long = Alert(key="k", firing=True, title="t", text="x" * 29_000, since_utc=0.0)
    with trio.fail_after(LIMIT):
        await default_plugins.command_sink(run=python("pass")).deliver(long)


async def test_a_program_that_hangs_is_killed_with_its_children(
    down: Alert, tmp_path: Path
) -> None:
    fifo = tmp_path / "alive"
    os.mkfifo(fifo)
    # The child alone keeps the pipe open: whoever reads sees the end of it when the child is gone.
    code = """
import subprocess, sys
child = "import sys, time; f = open(sys.argv[1], 'w'); f.write('up'); f.flush(); time.sleep(600)"
subprocess.Popen([sys.executable, "-c", child, sys.argv[1]]).wait()
"""
    sink = default_plugins.command_sink(run=python(code, fifo), within="2s")
    found: list[str] = []
    with trio.fail_after(LIMIT):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(read, fifo, found)
            with pytest.raises(ConnectorError, match="took longer than 2 s, and was killed"):
                await sink.deliver(down)
    assert found == ["up"]


async def read(fifo: Path, found: list[str]) -> None:
    found.append(await trio.Path(fifo).read_text())


def test_no_program() -> None:
    with pytest.raises(ConfigError, match="no program is named"):
        default_plugins.command_sink(run=[])
