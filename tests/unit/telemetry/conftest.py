"""A journey that was followed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from botkit.results import JourneyResult, Reason, StepResult, Verdict
from botkit.telemetry import TraceContext
from botkit.telemetry.spans import FinishedJourney

MakeJourney = Callable[..., FinishedJourney]

CONTEXT = TraceContext(trace_id="4bf92f3577b34da6a3ce929d0e0e4736", span_id="00f067aa0ba902b7")
STEP = StepResult(
    number=1,
    path="steps[0]",
    verb="expect",
    text="expect a message containing hello",
    file="bots/support.yaml",
    line=7,
    verdict=Verdict.FAILED,
    reason=Reason.TIMEOUT,
    started=1.0,
    duration=2.0,
    expected="a message containing hello",
    received=("Grace: good day",),
    message="no such message",
)
RESULT = JourneyResult(
    run_id="run1",
    journey_id="run1-1",
    bot="support",
    name="support[gold]",
    title="Support answers",
    file="bots/support.yaml",
    tags=("nightly",),
    verdict=Verdict.FAILED,
    reason=Reason.TIMEOUT,
    message="no such message",
    started_utc=1_767_225_600.5,
    began=100.0,
    duration=4.0,
    steps=(STEP,),
    connector="gms-cometd",
    server="http://chat.example/cometd",
    session_id="chat-1",
    asserted=1,
)


@pytest.fixture
def journey() -> MakeJourney:
    """Makes a journey; of its result, too, what is named is changed."""

    def make(**members: object) -> FinishedJourney:
        own = {key: members.pop(key) for key in ("records", "dropped", "parent") if key in members}
        result = replace(RESULT, **members)  # type: ignore[arg-type]
        return FinishedJourney(result=result, context=CONTEXT, **own)  # type: ignore[arg-type]

    return make
