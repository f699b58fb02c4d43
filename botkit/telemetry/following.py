"""What happened on the wire of one journey, written down for its spans.

Little is done while the chat goes on: a record is kept of each request and of each message of a
WebSocket, with the span that the server was told of. Spans are made of them when the journey is
over. Of a journey that was long the latest are kept, for a failure stands at the end.
"""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import trio

from botkit.errors import ConnectorError
from botkit.records import quickly_made
from botkit.telemetry.trace_context import TRACEPARENT, TraceContext

__all__ = ["CANCELLED", "MAX_RECORDS", "ExchangeRecord", "Following", "FrameRecord"]

MAX_RECORDS = 2_000
CANCELLED = "cancelled"
"""In place of an error's type: the exchange was given up."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRecord:
    """A request with its reply.

    Attributes:
        span_id: what the server was told.
        url: without its query.
        began, ended: the loop's clock.
        status: of the reply; None if there was none.
        error: what kind of thing came instead; empty for a reply.
    """

    span_id: str
    method: str
    url: str
    began: float
    ended: float
    status: int | None = None
    error: str = ""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class FrameRecord:
    """A message of a WebSocket.

    Attributes:
        upgrade: the span of the request that opened the WebSocket.
        at: the loop's clock.
        size: characters.
    """

    span_id: str
    upgrade: str
    at: float
    sent: bool
    size: int


class Following:
    """Keeps the records of one journey; is its ``interfaces.Tracer``.

    Args:
        context: the journey's own span.
        parent: the span that it is below, elsewhere; None begins a trace.

    Attributes:
        dropped: how many records are not kept.
    """

    __slots__ = ("_records", "context", "dropped", "parent")

    def __init__(self, context: TraceContext, parent: TraceContext | None = None) -> None:
        self.context = context
        self.parent = parent
        self.dropped = 0
        self._records: deque[ExchangeRecord | FrameRecord] = deque()

    def request(self, method: str, url: str) -> FollowedExchange:
        """Follow a request, from now on."""
        return FollowedExchange(self, method, url.partition("?")[0])

    def keep(self, record: ExchangeRecord | FrameRecord) -> None:
        """Keep a record, in place of the oldest if there are too many."""
        if len(self._records) == MAX_RECORDS:
            self._records.popleft()
            self.dropped += 1
        self._records.append(record)

    def shown(self, mask: Callable[[str], str]) -> tuple[ExchangeRecord | FrameRecord, ...]:
        """Give what is kept as it may be shown."""
        # A chat has few URLs, and asks them over and over.
        masked: dict[str, str] = {}
        shown: list[ExchangeRecord | FrameRecord] = []
        for record in self._records:
            if isinstance(record, ExchangeRecord):
                url = masked.get(record.url)
                if url is None:
                    url = masked[record.url] = mask(record.url)
                record = replace(record, url=url)
            shown.append(record)
        return tuple(shown)


class FollowedExchange:
    """A request under way; is its ``interfaces.Exchange``."""

    __slots__ = ("_began", "_context", "_following", "_method", "_url")

    def __init__(self, following: Following, method: str, url: str) -> None:
        self._following = following
        self._context = following.context.child()
        self._method = method
        self._url = url
        self._began = trio.current_time()

    @property
    def headers(self) -> Mapping[str, str]:
        return {TRACEPARENT: self._context.traceparent}

    def answered(self, status: int) -> None:
        """Write down what came."""
        self._end(status, "")

    def broke(self, error: BaseException) -> None:
        """Write down that nothing came, and what kind of thing instead; not its words."""
        self._end(None, kind_of(error))

    def frame(self, *, sent: bool, size: int) -> None:
        """Write down that a message went over the WebSocket that this opened."""
        self._following.keep(
            FrameRecord(
                span_id=secrets.token_hex(8),
                upgrade=self._context.span_id,
                at=trio.current_time(),
                sent=sent,
                size=size,
            )
        )

    def _end(self, status: int | None, error: str) -> None:
        self._following.keep(
            ExchangeRecord(
                span_id=self._context.span_id,
                method=self._method,
                url=self._url,
                began=self._began,
                ended=trio.current_time(),
                status=status,
                error=error,
            )
        )


def kind_of(error: BaseException) -> str:
    """Name the kind of an error, as a low number of values does it."""
    if isinstance(error, trio.Cancelled):
        return CANCELLED
    return error.kind if isinstance(error, ConnectorError) else type(error).__name__
