"""What ``botkit run --step`` takes, and what it refuses before anything is started."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from botkit.cli import main

PYTHON = """
import botkit

@botkit.bot
class Greeter:
    async def run(self, session): ...
"""
ROWS = """\
botkit: 1
bot: rows
data: {name: "${row.word}", rows: [{word: blue}, {word: red}]}
steps:
  - wait_for: agent
  - say: ${row.word}
  - expect: ${row.word}
"""


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-n", "2"], "one journey after another"),
        (["--json", "-"], "give --json and --events files"),
        (["greeter.py"], "--step goes by the steps of bots in YAML, and 'Greeter' is none"),
    ],
)
def test_what_does_not_go_with_steps(
    arguments: list[str],
    words: str,
    project: Path,
    write_bot: Any,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_bot()
    (project / "greeter.py").write_text(PYTHON)
    assert main(["run", "--step", *arguments]) == 4
    out, err = capsys.readouterr()
    assert words in err
    assert "steps[0]" not in out


def test_rows_are_stepped_through_one_after_another(
    write_bot: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_bot("rows", ROWS)
    monkeypatch.setattr("sys.stdin", io.StringIO("b 7\nc\nv\nc\nc\nv\n"))
    assert main(["run", "--step", "-n", "1"]) == 0
    shown = [
        line.strip()
        for line in capsys.readouterr().out.splitlines()
        if line.startswith(("[", "--", "     row", "PASSED"))
    ]
    stops = [line.partition("  steps")[0].rpartition(":")[2] for line in shown]
    assert [stop.partition("  ")[0] for stop in stops] == [
        "[rows[blue]]",
        "5",
        "7",
        "row.word = blue",
        "PASSED",
        "[rows[red]]",
        "5",
        "7",
        "row.word = red",
        "PASSED",
    ]
