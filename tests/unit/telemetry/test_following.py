from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from botkit.errors import ConnectorError
from botkit.telemetry import TraceContext
from botkit.telemetry.following import (
    CANCELLED,
    MAX_RECORDS,
    ExchangeRecord,
    Following,
    FrameRecord,
    kind_of,
)

URL = "http://chat.example/cometd"


@pytest.fixture
def following() -> Following:
    return Following(TraceContext.new())


def as_shown(text: str) -> str:
    return text.replace("4711", "***")


async def test_a_request_is_kept_under_the_span_that_the_server_was_told(
    following: Following, autojump_clock: MockClock
) -> None:
    began = trio.current_time()
    exchange = following.request("POST", f"{URL}/4711?key=secret")
    await trio.sleep(2)
    exchange.answered(200)
    (record,) = following.shown(as_shown)
    assert isinstance(record, ExchangeRecord)
    (told,) = exchange.headers.values()
    assert told == f"00-{following.context.trace_id}-{record.span_id}-01"
    assert record.span_id != following.context.span_id
    assert (record.method, record.url, record.status) == ("POST", f"{URL}/***", 200)
    assert (record.began, record.ended) == (began, began + 2)


async def test_what_broke_is_kept_without_its_words(following: Following) -> None:
    following.request("POST", URL).broke(ConnectorError("CANARY", kind="refused"))
    (record,) = following.shown(as_shown)
    assert isinstance(record, ExchangeRecord)
    assert (record.status, record.error) == (None, "refused")
    assert "CANARY" not in repr(record)


async def test_kinds_of_errors_are_few() -> None:
    assert kind_of(ConnectorError("x", kind="tls")) == "tls"
    assert kind_of(ValueError("x")) == "ValueError"
    with trio.CancelScope() as scope:
        scope.cancel()
        with pytest.raises(trio.Cancelled) as cancelled:
            await trio.sleep_forever()
        assert kind_of(cancelled.value) == CANCELLED


async def test_frames_name_their_upgrade(following: Following) -> None:
    upgrade = following.request("GET", URL)
    upgrade.answered(101)
    upgrade.frame(sent=True, size=5)
    first, frame = following.shown(as_shown)
    assert isinstance(frame, FrameRecord)
    assert frame.upgrade == first.span_id
    assert (frame.sent, frame.size) == (True, 5)


async def test_the_latest_are_kept(following: Following) -> None:
    upgrade = following.request("GET", URL)
    for size in range(MAX_RECORDS + 2):
        upgrade.frame(sent=True, size=size)
    records = following.shown(as_shown)
    assert len(records) == MAX_RECORDS
    assert following.dropped == 2
    assert isinstance(records[0], FrameRecord)
    assert records[0].size == 2


async def test_a_url_is_masked_once(following: Following) -> None:
    masked: list[str] = []

    def mask(text: str) -> str:
        masked.append(text)
        return text

    for _ in range(3):
        following.request("POST", URL).answered(200)
    assert len(following.shown(mask)) == 3
    assert masked == [URL]
