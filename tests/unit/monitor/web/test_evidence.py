"""Evidence of any version is read, or told to be none."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.chat import PartyKind, Row
from botkit.errors import HistoryError
from botkit.monitor.web.evidence import MOST_ROWS, Bubble, read_evidence
from botkit.report.json_document import journey_document
from botkit.results import JourneyResult, Reason, StepResult, Verdict

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
STEPS = st.lists(st.dictionaries(st.sampled_from(["text", "came", "line", "duration"]), VALUES))
JOURNEYS = st.fixed_dictionaries(
    {},
    optional={"steps": VALUES | STEPS, "transcript": VALUES | STEPS, "title": VALUES},
)


def test_what_a_report_writes_is_read() -> None:
    step = StepResult(
        number=1,
        path="steps[0]",
        verb="expect",
        text="expect: hello",
        file="smoke.bot.yaml",
        line=7,
        verdict=Verdict.FAILED,
        reason=Reason.TIMEOUT,
        started=1.0,
        duration=30.0,
        expected="a message that contains 'hello'",
        received=("Grace: good day",),
    )
    row = Row(
        at=102.5, who="Grace", party=PartyKind.AGENT, kind="message", text="good day", index=1
    )
    journey = JourneyResult(
        run_id="run1",
        journey_id="run1-1",
        bot="smoke",
        name="smoke",
        title="Somebody says hello",
        verdict=Verdict.FAILED,
        reason=Reason.TIMEOUT,
        step=step,
        started_utc=0.0,
        began=100.0,
        duration=31.0,
        steps=(step,),
        transcript=(row,),
        session_id="chat-1",
    )
    found = read_evidence(journey_document(journey))
    assert (found.title, found.session_id, found.left_out) == ("Somebody says hello", "chat-1", 0)
    [seen] = found.steps
    assert (seen.place, seen.verdict, seen.duration) == ("smoke.bot.yaml:7", "failed", 30.0)
    assert seen.received == ("Grace: good day",)
    assert found.bubbles == (
        Bubble(side="other", who="Grace", when=2.5, text="good day", history=False),
    )


def test_of_many_rows_the_last_ones_are_shown() -> None:
    rows = [{"kind": "message", "party": "customer", "text": str(n)} for n in range(MOST_ROWS + 2)]
    found = read_evidence(json.dumps({"transcript": rows}).encode())
    assert (found.left_out, len(found.bubbles)) == (2, MOST_ROWS)
    assert (found.bubbles[0].text, found.bubbles[0].side) == ("2", "customer")


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_journey_is_told(data: bytes) -> None:
    with pytest.raises(HistoryError, match="the evidence"):
        read_evidence(data)


@given(journey=JOURNEYS)
@settings(max_examples=100)
def test_any_object_is_read_without_complaint(journey: object) -> None:
    found = read_evidence(json.dumps(journey).encode())
    assert found.left_out == 0
