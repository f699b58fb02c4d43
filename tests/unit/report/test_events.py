from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from botkit.chat import PartyKind, Row
from botkit.report.events import EventsReporter
from botkit.results import Reason, Verdict

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "schemas" / "botkit-events.schema.json").read_text()
)
ROW = Row(at=101.25, who="Grace", kind="message", text="your code is 4711", party=PartyKind.AGENT)


@dataclass(frozen=True, kw_only=True)
class Info:
    """A journey as reporters are told of it."""

    run_id: str = "run1"
    journey_id: str = "run1-1"
    bot: str = "support"
    name: str = "support"
    row: Mapping[str, str]
    on_simulator: bool = False
    began: float = 100.0
    deadline: float = 400.0

    def note(self, text: str) -> None: ...
    def measure(self, name: str, seconds: float) -> None: ...
    def mask(self, text: str) -> str:
        return text


def lines(file: Path) -> list[dict[str, Any]]:
    """Read all lines; each must be one of the schema."""
    read = [json.loads(line) for line in file.read_text().splitlines()]
    for line in read:
        jsonschema.validate(line, SCHEMA)
    return read


def test_each_line_is_there_as_soon_as_it_happened(
    tmp_path: Path, make_journey: Any, make_run: Any
) -> None:
    file, info, failed = tmp_path / "events", Info(row={}), make_journey()
    reporter = EventsReporter(file)
    happens = [
        lambda: reporter.journey_started(info),
        lambda: reporter.event(info, ROW),
        lambda: reporter.step_finished(info, failed.step),
        lambda: reporter.journey_finished(failed),
        lambda: reporter.run_finished(make_run(failed)),
    ]
    for number, call in enumerate(happens, 1):
        call()
        assert len(lines(file)) == number
    started, event, step, journey, run = lines(file)
    assert [line["type"] for line in lines(file)] == list(SCHEMA["$defs"])[1:]
    assert {line["run_id"] for line in lines(file)} == {"run1"}
    assert (started["journey_id"], started["bot"]) == ("run1-1", "support")
    assert (event["at"], event["who"], event["text"]) == (1.25, "Grace", "your code is 4711")
    assert (step["number"], step["verdict"], step["line"]) == (3, "failed", 17)
    assert journey["verdict"] == "failed"
    assert step.items() >= journey["step"].items()
    assert {"steps", "transcript", "frames"}.isdisjoint(journey)
    assert (run["exit_code"], run["counts"]) == (1, {"failed": 1})


def test_a_journey_that_was_never_started_is_told(
    tmp_path: Path, make_journey: Any, make_run: Any
) -> None:
    skipped = make_journey(Verdict.SKIPPED, journey_id="", reason=Reason.NOT_STARTED)
    file = tmp_path / "events"
    EventsReporter(file, fail_on_degraded=True).run_finished(make_run(skipped, interrupted=True))
    told, run = lines(file)
    assert (told["journey_id"], told["reason"]) == ("", "not_started")
    assert run["exit_code"] == 2


def test_a_file_is_begun_anew_and_a_dash_is_standard_output(
    tmp_path: Path, make_run: Any, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    file = tmp_path / "events"
    file.write_text("old")
    for path in (file, Path("-")):
        EventsReporter(path).run_finished(make_run())
    assert [line["type"] for line in lines(file)] == ["run_finished"]
    assert capsysbinary.readouterr().out == file.read_bytes()


def test_nothing_in_a_text_ends_a_line_or_commands_a_terminal(
    tmp_path: Path, make_run: Any
) -> None:
    file, text = tmp_path / "events", "a\n\u2028b\x1b[2J\u202e\r"
    reporter = EventsReporter(file)
    reporter.event(Info(row={}), replace(ROW, text=text))
    reporter.run_finished(make_run())
    written, _ = file.read_bytes().splitlines()
    assert b"\x1b" not in written
    assert json.loads(written)["text"] == text
