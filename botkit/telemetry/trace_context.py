"""The trace a journey belongs to, as servers are told of it: W3C Trace Context, level 1.

The requests and WebSocket upgrades of a chat carry the headers of its network settings; so the
context goes there, and reaches the servers of connectors, too, that know of no tracer. Those that
do name each request's own span instead. Files that go to URLs of a storage carry only the headers
that their signatures name, and so no context.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, replace
from typing import Final

from botkit.interfaces import Opening

__all__ = ["TRACEPARENT", "TraceContext", "context_of", "traced"]

TRACEPARENT: Final = "traceparent"
VERSION: Final = "00"
SAMPLED: Final = 1
_HEX: Final = re.compile(r"[0-9a-f]+")
# Of later versions the beginning means the same, and more may follow.
_HEADER: Final = re.compile(
    r"(?!ff)(?P<version>[0-9a-f]{2})-(?P<trace>[0-9a-f]{32})-(?P<span>[0-9a-f]{16})"
    r"-(?P<flags>[0-9a-f]{2})(?P<more>-.*)?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceContext:
    """A span of a trace.

    Attributes:
        trace_id: 32 lower-case hex digits, not all of them zero.
        span_id: 16 lower-case hex digits, not all of them zero.
        sampled: the span is recorded, so those below it should be, too.

    Raises:
        ValueError: an id is none.
    """

    trace_id: str
    span_id: str
    sampled: bool = True

    def __post_init__(self) -> None:
        for name, digits in (("trace_id", 32), ("span_id", 16)):
            value: str = getattr(self, name)
            if len(value) != digits or not _HEX.fullmatch(value) or not value.strip("0"):
                raise ValueError(f"{name} is {digits} hex digits, not all zero, not {value!r}")

    @classmethod
    def new(cls) -> TraceContext:
        """Begin a trace of its own."""
        return cls(trace_id=secrets.token_hex(16), span_id=secrets.token_hex(8))

    @classmethod
    def parse(cls, value: str) -> TraceContext | None:
        """Read the value of the header; None if it is none, which W3C has start a new trace."""
        found = _HEADER.fullmatch(value.strip())
        if found is None or (found["version"] == VERSION and found["more"]):
            return None
        sampled = bool(int(found["flags"], 16) & SAMPLED)
        try:
            return cls(trace_id=found["trace"], span_id=found["span"], sampled=sampled)
        except ValueError:
            return None

    def child(self) -> TraceContext:
        """Begin a span below this one."""
        return replace(self, span_id=secrets.token_hex(8))

    @property
    def traceparent(self) -> str:
        """The value of the header."""
        return f"{VERSION}-{self.trace_id}-{self.span_id}-{self.sampled:02x}"


def context_of(opening: Opening) -> TraceContext | None:
    """Find the span that a journey is to be below: the ``traceparent`` that the user has set."""
    named = (v for k, v in opening.network.headers.items() if k.lower() == TRACEPARENT)
    return TraceContext.parse(next(named, ""))


def traced(opening: Opening, context: TraceContext) -> Opening:
    """Give an opening whose requests and upgrades of its chat name the context and no other."""
    headers = {k: v for k, v in opening.network.headers.items() if k.lower() != TRACEPARENT}
    network = replace(opening.network, headers={**headers, TRACEPARENT: context.traceparent})
    return replace(opening, network=network)
