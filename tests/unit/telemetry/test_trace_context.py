from __future__ import annotations

import pytest

from botkit.connectors.http.target import parse_target, request_headers
from botkit.connectors.websocket.upgrade import Upgrade
from botkit.interfaces import NetworkSettings, Opening
from botkit.telemetry import TraceContext, traced
from botkit.telemetry.trace_context import context_of

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN_ID = "00f067aa0ba902b7"
CONTEXT = TraceContext(trace_id=TRACE_ID, span_id=SPAN_ID)


@pytest.mark.parametrize(("sampled", "flags"), [(True, "01"), (False, "00")])
def test_is_written_as_the_recommendation_says(sampled: bool, flags: str) -> None:
    context = TraceContext(trace_id=TRACE_ID, span_id=SPAN_ID, sampled=sampled)
    assert context.traceparent == f"00-{TRACE_ID}-{SPAN_ID}-{flags}"


@pytest.mark.parametrize("trace_id", ["", "0" * 32, TRACE_ID.upper(), TRACE_ID[1:], "g" * 32])
def test_refuses_what_is_no_trace_id(trace_id: str) -> None:
    with pytest.raises(ValueError, match="trace_id is 32 hex digits"):
        TraceContext(trace_id=trace_id, span_id=SPAN_ID)


def test_refuses_what_is_no_span_id() -> None:
    with pytest.raises(ValueError, match="span_id is 16 hex digits"):
        TraceContext(trace_id=TRACE_ID, span_id="0" * 16)


def test_two_traces_are_not_the_same() -> None:
    first, second = TraceContext.new(), TraceContext.new()
    assert first.trace_id != second.trace_id
    assert first.span_id != second.span_id


def test_goes_with_every_request() -> None:
    network = traced(Opening(network=NetworkSettings(headers={"X-Team": "a"})), CONTEXT).network
    headers = request_headers(parse_target("http://chat.example/cometd"), network, "text/plain")
    assert ("traceparent", CONTEXT.traceparent) in headers
    assert ("X-Team", "a") in headers


def test_goes_with_the_upgrade_to_a_websocket() -> None:
    network = traced(Opening(), CONTEXT).network
    upgrade = Upgrade("ws://chat.example/cometd", network, headers={}, cookies=None)
    assert f"traceparent: {CONTEXT.traceparent}\r\n".encode() in upgrade.head


def test_replaces_what_the_user_has_set() -> None:
    opening = Opening(network=NetworkSettings(headers={"TraceParent": "theirs"}))
    assert traced(opening, CONTEXT).network.headers == {"traceparent": CONTEXT.traceparent}


def test_finds_the_trace_of_the_user() -> None:
    opening = Opening(network=NetworkSettings(headers={"TraceParent": CONTEXT.traceparent}))
    assert context_of(opening) == CONTEXT
    assert context_of(Opening()) is None


@pytest.mark.parametrize(
    ("header", "sampled"),
    [
        (f"00-{TRACE_ID}-{SPAN_ID}-01", True),
        (f" 00-{TRACE_ID}-{SPAN_ID}-00 ", False),
        (f"00-{TRACE_ID}-{SPAN_ID}-03", True),
        (f"01-{TRACE_ID}-{SPAN_ID}-01-more", True),
    ],
)
def test_reads_what_it_writes_and_what_comes_later(header: str, sampled: bool) -> None:
    read = TraceContext.parse(header)
    assert read == TraceContext(trace_id=TRACE_ID, span_id=SPAN_ID, sampled=sampled)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "theirs",
        f"ff-{TRACE_ID}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{SPAN_ID}-01-more",
        f"00-{TRACE_ID.upper()}-{SPAN_ID}-01",
        f"00-{'0' * 32}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
    ],
)
def test_reads_nothing_from_what_is_no_context(header: str) -> None:
    assert TraceContext.parse(header) is None


def test_a_child_is_another_span_of_the_trace() -> None:
    child = CONTEXT.child()
    assert child.trace_id == TRACE_ID
    assert child.span_id != SPAN_ID
