"""The reporter of ``plugins/markdown_report.py``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from botkit.plugins import Plugins
from botkit.results import JourneyResult, Reason, RunResult, Verdict

HOSTILE = "| <script>alert(1)</script> **bold** [x](http://evil)\nsecond\u202eline " + "x" * 1000


def journey(name: str, verdict: Verdict, reason: Reason, message: str = "") -> JourneyResult:
    return JourneyResult(
        run_id="r",
        journey_id=f"r-{name}",
        bot=name,
        name=name,
        verdict=verdict,
        reason=reason,
        message=message,
        started_utc=0.0,
        began=0.0,
        duration=1.25,
        on_simulator=verdict is Verdict.PASSED,
    )


def test_a_run_is_a_table_behind_what_is_there(
    load: Callable[[str], Plugins], tmp_path: Path
) -> None:
    file = tmp_path / "summary.md"
    file.write_text("# Nightly\n\n")
    journeys = (
        journey("smoke", Verdict.PASSED, Reason.OK),
        journey("survey[de]", Verdict.FAILED, Reason.TIMEOUT, HOSTILE),
    )
    reporter = load("markdown_report").reporters["markdown"](str(file))
    reporter.run_finished(
        RunResult(run_id="r", started_utc=0, duration=2, journeys=journeys, faults=("a *fault*",))
    )
    head, *lines = file.read_text().splitlines()
    assert head == "# Nightly"
    assert lines[1:5] == [
        "| verdict | journey | seconds | reason | message |",
        "|---|---|---|---|---|",
        "| passed | smoke on the simulator | 1.25 | ok |  |",
        lines[4],
    ]
    assert lines[4].startswith(
        "| **failed** | survey\\[de\\] | 1.25 | timeout |"
        " \\| \\<script\\>alert\\(1\\)\\</script\\> \\*\\*bold\\*\\* \\[x\\]\\(http://evil\\)"
        " second line xxx"
    )
    assert len(lines[4]) < 500
    assert lines[5] == "- a \\*fault\\*"
