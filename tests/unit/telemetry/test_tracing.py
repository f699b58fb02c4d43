from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
import trio

from botkit.chat import Row
from botkit.interfaces import JourneyInfo, NetworkSettings, Opening
from botkit.telemetry import TraceContext
from botkit.telemetry.following import ExchangeRecord
from botkit.telemetry.spans import FinishedJourney
from botkit.telemetry.tracing import Tracing

THEIRS = TraceContext(trace_id="4bf92f3577b34da6a3ce929d0e0e4736", span_id="00f067aa0ba902b7")


class Info(JourneyInfo):
    """A journey that hides what it was told to hide, by now."""

    def __init__(self) -> None:
        self.hidden: list[str] = []
        self.notes: list[str] = []

    @property
    def journey_id(self) -> str:
        return "run1-1"

    def note(self, text: str) -> None:
        self.notes.append(text)

    def mask(self, text: str) -> str:
        for secret in self.hidden:
            text = text.replace(secret, "***")
        return text


def opening_with(headers: Mapping[str, str]) -> Opening:
    return Opening(network=NetworkSettings(headers=headers))


async def followed(opening: Opening, journey: FinishedJourney) -> list[FinishedJourney]:
    """Play a journey with one request, whose URL holds what turns out to be a secret."""
    await trio.lowlevel.checkpoint()
    taken: list[FinishedJourney] = []
    tracing, info = Tracing(taken.append), Info()
    opening = tracing.begin("run1-1", opening)
    tracing.journey_started(info)
    assert opening.tracer is not None
    opening.tracer.request("POST", "http://chat.example/4711").answered(200)
    info.hidden.append("4711")
    tracing.journey_finished(replace(journey.result, transcript=(ROW,)))
    return taken


ROW = Row(at=100.5, who="Grace", kind="message", text="hello")
MakeJourney = Callable[..., FinishedJourney]


async def test_a_journey_has_a_trace_of_its_own(journey: MakeJourney) -> None:
    (first,) = await followed(Opening(), journey())
    (second,) = await followed(Opening(), journey())
    assert first.parent is None
    assert first.context.trace_id != second.context.trace_id


async def test_what_is_handed_on_is_masked_and_without_the_chat(journey: MakeJourney) -> None:
    (taken,) = await followed(Opening(), journey())
    (record,) = taken.records
    assert isinstance(record, ExchangeRecord)
    assert record.url == "http://chat.example/***"
    assert taken.result.transcript == ()


async def test_a_trace_of_the_user_goes_on(journey: MakeJourney) -> None:
    (taken,) = await followed(opening_with({"TraceParent": THEIRS.traceparent}), journey())
    assert taken.parent == THEIRS
    assert taken.context.trace_id == THEIRS.trace_id
    assert taken.context.span_id != THEIRS.span_id


async def test_a_trace_that_is_not_recorded_is_left_so(journey: MakeJourney) -> None:
    theirs = replace(THEIRS, sampled=False)
    assert await followed(opening_with({"traceparent": theirs.traceparent}), journey()) == []


@pytest.mark.parametrize(("sampled", "notes"), [(True, [f"trace {THEIRS.trace_id}"]), (False, [])])
def test_the_evidence_names_the_trace_that_is_sent(sampled: bool, notes: list[str]) -> None:
    tracing, info = Tracing(lambda _: None), Info()
    theirs = replace(THEIRS, sampled=sampled)
    tracing.begin("run1-1", opening_with({"traceparent": theirs.traceparent}))
    tracing.journey_started(info)
    assert info.notes == notes


@pytest.mark.parametrize("headers", [{}, {"traceparent": THEIRS.traceparent}])
def test_connectors_that_follow_nothing_name_the_journey(headers: Mapping[str, str]) -> None:
    opening = Tracing(lambda _: None).begin("run1-1", opening_with(headers))
    told = TraceContext.parse(opening.network.headers["traceparent"])
    assert told is not None
    assert told.span_id != THEIRS.span_id
