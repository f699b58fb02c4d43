from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from botkit.cli import main

FAILS = "botkit: 1\nbot: fails\nsteps:\n  - wait_for: agent\n  - expect: zzz\n    within: 100ms\n"
SLOW = "botkit: 1\nbot: slow\nsteps:\n  - wait_for: agent\n  - finish: degraded\n"
REPORTER = """\
from botkit import hookimpl
from botkit.interfaces import Reporter

class Breaks(Reporter):
    def __init__(self, where): pass
    def journey_finished(self, result): raise ValueError("no more")
    def run_finished(self, run): raise AssertionError("it was left out")

@hookimpl
def register_reporters(register):
    register("breaks", Breaks)
"""


@pytest.fixture
def evidence(write_bot: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """Two runs with their reports: one that failed and one that was degraded."""
    write_bot("fails", FAILS)
    write_bot("slow", SLOW)
    live = ["--html", "live.html", "--junit", "live.xml", "--record-frames"]
    assert main(["run", "bots/fails.yaml", "--json", "fails.json", *live]) == 1
    assert main(["run", "bots/slow.yaml", "--json", "slow.json"]) == 0
    capsys.readouterr()


@pytest.mark.usefixtures("evidence")
def test_the_reports_are_those_of_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", "fails.json", "--html", "made.html", "--junit", "made.xml"]) == 1
    assert Path("made.html").read_bytes() == Path("live.html").read_bytes()
    assert Path("made.xml").read_bytes() == Path("live.xml").read_bytes()
    out = capsys.readouterr().out
    assert out.startswith("FAILED     fails")
    assert "bots/fails.yaml:5: expect: zzz" in out
    assert "1 failed in " in out


@pytest.mark.usefixtures("evidence")
@pytest.mark.parametrize(
    ("arguments", "code", "begins"),
    [
        (["slow.json"], 0, "DEGRADED   slow"),
        (["slow.json", "--fail-on", "degraded"], 10, "DEGRADED   slow"),
        (["slow.json", "fails.json"], 1, "DEGRADED   slow"),
        (["slow.json", "--format", "nagios"], 1, "CHATBOT WARNING - 1 degraded in"),
        (["slow.json", "fails.json", "--format", "nagios"], 2, "CHATBOT CRITICAL - 1 degraded, 1"),
        (["none.json", "--format", "nagios"], 3, "CHATBOT UNKNOWN - Invalid value for 'RESULTS"),
        (["fails.json", "--format", "github"], 1, "::stop-commands::"),
    ],
)
def test_formats_and_exit_codes(
    arguments: list[str], code: int, begins: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["report", *arguments]) == code
    assert capsys.readouterr().out.startswith(begins)


@pytest.mark.usefixtures("evidence")
def test_annotations_and_pages_beside(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", "summary.md")
    arguments = ["--format", "github", "--junit", "j.xml", "--junit-attachments", "pages"]
    assert main(["report", "slow.json", "fails.json", *arguments]) == 1
    *_, error, warning = capsys.readouterr().out.splitlines()
    assert error.startswith("::error file=bots/fails.yaml,line=5,")
    assert warning.startswith("::warning file=bots/slow.yaml")
    assert Path("summary.md").read_text().count("<details>") == 2
    assert len(list(Path("pages").iterdir())) == 2


@pytest.mark.usefixtures("evidence")
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "name the files"),
        (["none.json"], "'none.json' does not exist"),
        (["bots"], "'bots' is a directory"),
        (["bots/fails.yaml"], "bots/fails.yaml:1:1: this is no JSON"),
        (["slow.json", "fails.json", "slow.json"], "is in two of these files"),
        (["slow.json", "--html", "./slow.json"], "slow.json would be overwritten"),
        (["slow.json", "--junit-attachments", "x"], "goes with --junit"),
        (["damaged.json"], "damaged.json: this evidence is damaged: journeys[0].verdict:"),
    ],
)
def test_wrong_usage_and_wrong_files(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = json.loads(Path("slow.json").read_text())
    run["journeys"][0]["verdict"] = "fine"
    Path("damaged.json").write_text(json.dumps(run))
    before = Path("slow.json").read_bytes()
    assert main(["report", *arguments]) == 4
    captured = capsys.readouterr()
    assert told in captured.err
    assert "Traceback" not in captured.err
    assert captured.out == ""
    assert Path("slow.json").read_bytes() == before


@pytest.mark.usefixtures("evidence")
def test_a_reporter_that_fails_is_a_fault(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "mine").mkdir()
    (project / "mine" / "breaks.py").write_text(REPORTER)
    assert main(["report", "slow.json", "--plugins", "mine", "--report", "breaks=x"]) == 3
    assert "botkit: the reporter Breaks failed: no more" in capsys.readouterr().err
