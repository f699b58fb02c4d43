"""``botkit monitor --otel``: the journeys of all day, and a receiver that comes and goes."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

MONITORS = """\
botkit-monitors: 1
monitors:
  chat: {bot: smoke.yaml, connector: simulator, every: 1s}
"""
BOT = "botkit: 1\nbot: smoke\nsteps: [wait_for: agent]\n"


@pytest.fixture(autouse=True)
def files(folder: Path) -> None:
    (folder / "m.yaml").write_text(MONITORS)
    (folder / "smoke.yaml").write_text(BOT)


@contextmanager
def monitoring(url: str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-u", "-m", "botkit", "monitor", "m.yaml", "--otel", url]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(words: str, output: IO[str] | None) -> None:
    assert output is not None
    said = []
    for line in output:
        if words in line:
            return
        said.append(line)
    pytest.fail(f"it never said {words!r}, but {said}")


def test_each_check_is_a_trace(receiver: Any) -> None:
    with monitoring(receiver.url) as process:
        for _ in range(2):
            wait_for("PASSED chat: smoke", process.stdout)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "span" not in out
    roots = [span for span in receiver.spans if span.name == "journey smoke"]
    assert len(roots) >= 2
    assert len({root.trace_id for root in roots}) == len(roots)
    assert {root.attributes["botkit.verdict"] for root in roots} == {"passed"}


def test_that_spans_are_lost_is_told_when_it_begins_and_at_the_end(receiver: Any) -> None:
    receiver.status = 400
    with monitoring(receiver.url) as process:
        wait_for("botkit: spans are lost: ", process.stdout)
        wait_for("PASSED chat: smoke", process.stdout)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert out.count("spans lost: ") == 1
    assert "spans are lost" not in out
