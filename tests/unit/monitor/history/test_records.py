"""What a journey is in the history, and the limits of it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.errors import HistoryError
from botkit.monitor.history import Finished, History, evidence, finished, journey, records
from botkit.monitor.history.records import from_row, to_row, unpack
from botkit.report.json_document import document, encode
from botkit.results import JourneyResult, Reason, RunResult, Verdict

MakeFinished = Callable[..., Finished]


def result(**members: Any) -> JourneyResult:
    return JourneyResult(
        **{
            "run_id": "run1",
            "journey_id": "run1-1",
            "bot": "smoke",
            "name": "smoke",
            "verdict": Verdict.PASSED,
            "reason": Reason.OK,
            "started_utc": 1.0,
            "began": 0.0,
            "duration": 1.0,
            **members,
        }
    )


def test_the_evidence_is_a_document_of_the_reports(tmp_path: Path) -> None:
    one = result(message="Ödön <b>\x1b[31m", notes=("a note",))
    run = RunResult(run_id="run1", started_utc=1.0, duration=1.0, journeys=(one,))
    written = encode(document(run))
    history = History(str(tmp_path / "history.db"))
    history.write([finished(one, monitor="smoke", evidence=written)])
    read = history.ask(evidence, "run1-1")
    history.close()
    assert read == written
    assert json.loads(written)["journeys"][0]["notes"] == ["a note"]


text = st.text(st.characters(codec=None), max_size=20)


@given(
    st.builds(
        result,
        message=text,
        name=text,
        server=text,
        verdict=st.sampled_from(Verdict),
        reason=st.sampled_from(Reason),
        duration=st.floats(),
        on_simulator=st.booleans(),
        measurements=st.dictionaries(text, st.floats(), max_size=3),
    )
)
def test_any_journey_goes_through_plain_values(one: JourneyResult) -> None:
    entry = finished(one, monitor="m", evidence=b"{}").entry
    row = json.loads(json.dumps(to_row(entry), allow_nan=False))
    assert from_row(row) == entry
    assert "\0" not in entry.message
    entry.message.encode()


def test_a_reason_of_another_version_is_read(make: MakeFinished) -> None:
    row = to_row(make("1").entry) | {"reason": "of_tomorrow"}
    assert from_row(row).reason == "of_tomorrow"


@pytest.mark.parametrize("what", ["monitor", "location"])
def test_names_that_are_keys_are_not_cut(what: str) -> None:
    names = {"monitor": "m", "location": "", what: "x" * 201}
    with pytest.raises(HistoryError, match=f"the {what} 'x+'... has more than 200 characters"):
        finished(result(), evidence=b"{}", **names)


def test_texts_for_people_are_cut(history: History) -> None:
    history.write([finished(result(message="x" * 10_000), monitor="m", evidence=b"{}")])
    found = history.ask(journey, "run1-1")
    assert found is not None
    assert len(found.message) == 4_000


def test_evidence_is_bounded_on_its_way_in_and_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MAX_EVIDENCE", 1_000)
    with pytest.raises(HistoryError, match="1,001 bytes"):
        finished(result(), monitor="m", evidence=b" " * 1_001)
    largest = finished(result(), monitor="m", evidence=b" " * 1_000)
    assert unpack(largest.packed) == b" " * 1_000
    monkeypatch.setattr(records, "MAX_EVIDENCE", 999)
    with pytest.raises(HistoryError, match="more than"):
        unpack(largest.packed)


@given(st.integers(0, 100), st.binary(min_size=1, max_size=3))
def test_damaged_evidence_is_an_error_or_right(at: int, junk: bytes) -> None:
    data = random.Random(1).randbytes(200).hex().encode()
    packed = finished(result(), monitor="m", evidence=data).packed
    damaged = packed[:at] + junk
    with pytest.raises(HistoryError, match="damaged"):
        unpack(damaged)
