from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from botkit.results import Reason, StepResult, Verdict
from botkit.telemetry.following import CANCELLED, ExchangeRecord, FrameRecord
from botkit.telemetry.spans import FinishedJourney, Kind, Span, Status, spans_of

MakeJourney = Callable[..., FinishedJourney]

BEGAN = 1_767_225_600_500_000_000
SECOND = 1_000_000_000
STEP = StepResult(
    number=1,
    path="steps[0]",
    verb="expect",
    text="expect CANARY",
    verdict=Verdict.PASSED,
    reason=Reason.OK,
    started=1.0,
    duration=2.0,
)
EXCHANGE = ExchangeRecord(
    span_id="a" * 16,
    method="POST",
    url="http://chat.example:8080/cometd",
    began=100.5,
    ended=100.75,
    status=200,
)


def exchange_of(journey: MakeJourney, **changed: object) -> Span:
    record = replace(EXCHANGE, **changed)  # type: ignore[arg-type]
    return spans_of(journey(records=(record,)))[-1]


def test_a_journey_says_what_it_was_and_how_it_ended(journey: MakeJourney) -> None:
    span = spans_of(journey(dropped=3))[0]
    assert (span.name, span.kind) == ("journey support", Kind.INTERNAL)
    assert (span.span_id, span.parent_id) == ("00f067aa0ba902b7", None)
    assert (span.began, span.ended) == (BEGAN, BEGAN + 4 * SECOND)
    assert (span.status, span.why) == (Status.ERROR, "timeout")
    assert span.attributes == {
        "botkit.bot": "support",
        "botkit.journey": "support[gold]",
        "botkit.journey.id": "run1-1",
        "botkit.run.id": "run1",
        "botkit.connector": "gms-cometd",
        "botkit.on_simulator": False,
        "botkit.left": True,
        "botkit.asserted": 1,
        "botkit.verdict": "failed",
        "botkit.reason": "timeout",
        "error.type": "timeout",
        "botkit.row": "gold",
        "botkit.tags": ("nightly",),
        "code.file.path": "bots/support.yaml",
        "botkit.session.id": "chat-1",
        "botkit.exchanges.dropped": 3,
    }


def test_what_a_journey_lacks_is_not_told(journey: MakeJourney) -> None:
    plain = journey(name="support", tags=(), file=None, session_id=None)
    attributes = spans_of(plain)[0].attributes
    absent = {"botkit.row", "botkit.tags", "code.file.path", "botkit.session.id"}
    assert not absent & set(attributes)
    assert "botkit.exchanges.dropped" not in attributes


@pytest.mark.parametrize(
    ("verdict", "status"),
    [
        (Verdict.PASSED, Status.OK),
        (Verdict.DEGRADED, Status.OK),
        (Verdict.FAILED, Status.ERROR),
        (Verdict.ERROR, Status.ERROR),
        (Verdict.CANCELLED, Status.UNSET),
        (Verdict.SKIPPED, Status.UNSET),
    ],
)
def test_the_verdict_is_the_status(journey: MakeJourney, verdict: Verdict, status: Status) -> None:
    span = spans_of(journey(verdict=verdict))[0]
    assert span.status is status
    assert span.why == ("timeout" if status is Status.ERROR else "")
    assert ("error.type" in span.attributes) == (status is Status.ERROR)


def test_a_step_says_where_it_stands_and_nothing_of_the_chat(journey: MakeJourney) -> None:
    step = spans_of(journey())[1]
    assert (step.name, step.parent_id) == ("expect", "00f067aa0ba902b7")
    assert (step.began, step.ended) == (BEGAN + SECOND, BEGAN + 3 * SECOND)
    assert (step.status, step.why) == (Status.ERROR, "timeout")
    assert step.attributes == {
        "botkit.step.number": 1,
        "botkit.step.path": "steps[0]",
        "botkit.step.verb": "expect",
        "botkit.verdict": "failed",
        "botkit.reason": "timeout",
        "error.type": "timeout",
        "code.file.path": "bots/support.yaml",
        "code.line.number": 7,
    }


def test_no_text_of_a_step_or_of_a_journey_is_in_spans(journey: MakeJourney) -> None:
    step = replace(
        STEP,
        text="CANARY",
        expected="CANARY",
        received=("CANARY",),
        took="CANARY",
        passed_over=("CANARY",),
        message="CANARY",
    )
    said = journey(steps=(step,), title="CANARY", message="CANARY", notes=("CANARY",), step=step)
    assert "CANARY" not in repr(spans_of(said))


def test_a_request_is_told_as_the_conventions_have_it(journey: MakeJourney) -> None:
    span = exchange_of(journey)
    assert (span.name, span.kind, span.span_id) == ("POST", Kind.CLIENT, "a" * 16)
    assert (span.began, span.ended) == (BEGAN + SECOND // 2, BEGAN + SECOND * 3 // 4)
    assert span.status is Status.UNSET
    assert span.attributes == {
        "http.request.method": "POST",
        "url.full": "http://chat.example:8080/cometd",
        "server.address": "chat.example",
        "server.port": 8080,
        "http.response.status_code": 200,
    }


@pytest.mark.parametrize(
    ("changed", "why"),
    [({"status": 503}, "503"), ({"status": None, "error": "refused"}, "refused")],
)
def test_a_request_that_went_wrong_says_why(
    journey: MakeJourney, changed: dict[str, object], why: str
) -> None:
    span = exchange_of(journey, **changed)
    assert span.status is Status.ERROR
    assert span.attributes["error.type"] == why


def test_a_request_that_was_given_up_is_no_error(journey: MakeJourney) -> None:
    span = exchange_of(journey, status=None, error=CANCELLED)
    assert span.status is Status.UNSET
    assert span.attributes["botkit.exchange.cancelled"] is True
    assert "error.type" not in span.attributes


@pytest.mark.parametrize(
    ("url", "port"),
    [
        ("https://chat.example/x", 443),
        ("ws://chat.example/x", 80),
        ("http://chat.example:***/x", None),
    ],
)
def test_a_server_is_named_so_far_as_it_is_shown(
    journey: MakeJourney, url: str, port: int | None
) -> None:
    attributes = exchange_of(journey, url=url).attributes
    assert (attributes["server.address"], attributes.get("server.port")) == ("chat.example", port)


def test_the_password_of_a_url_is_not_told(journey: MakeJourney) -> None:
    span = exchange_of(journey, url="ws://me:CANARY@chat.example/x")
    assert "CANARY" not in repr(span)
    assert span.attributes["server.address"] == "chat.example"


def test_a_request_belongs_to_the_shortest_step_around_it(journey: MakeJourney) -> None:
    outer = replace(STEP, started=0.0, duration=4.0, verb="choose")
    inner = replace(STEP, started=1.0, duration=1.0, verb="say")
    inside = replace(EXCHANGE, span_id="1" * 16, began=101.0, ended=101.5)
    across = replace(EXCHANGE, span_id="2" * 16, began=101.5, ended=102.5)
    before = replace(EXCHANGE, span_id="3" * 16, began=99.0, ended=101.5)
    steps, records = (outer, inner), (inside, across, before)
    root, choose, say, *requests = spans_of(journey(steps=steps, records=records))
    parents = [request.parent_id for request in requests]
    assert parents == [say.span_id, choose.span_id, root.span_id]


def test_frames_are_below_their_upgrade_while_it_is_kept(journey: MakeJourney) -> None:
    sent = FrameRecord(span_id="b" * 16, upgrade="a" * 16, at=101.0, sent=True, size=12)
    came = replace(sent, span_id="c" * 16, upgrade="d" * 16, sent=False)
    *_, first, second = spans_of(journey(records=(EXCHANGE, sent, came)))
    assert (first.name, first.kind, first.parent_id) == ("send frame", Kind.PRODUCER, "a" * 16)
    assert (second.name, second.kind) == ("receive frame", Kind.CONSUMER)
    assert second.parent_id == "00f067aa0ba902b7"
    assert first.began == first.ended == BEGAN + SECOND
    assert first.attributes == {
        "network.protocol.name": "websocket",
        "botkit.frame.characters": 12,
    }


def test_as_many_spans_are_made_as_are_counted(journey: MakeJourney) -> None:
    one = journey(records=(EXCHANGE,))
    assert one.size == len(spans_of(one)) == 3
