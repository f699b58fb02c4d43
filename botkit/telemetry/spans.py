"""From what a journey recorded to its spans. Pure.

A span says where in its bot a step stands, how it ended and how long it took; of what was said in
the chat nothing is in it. What is here was masked before.
"""

from __future__ import annotations

import enum
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from botkit.masking import without_password
from botkit.results import JourneyResult, StepResult, Verdict
from botkit.telemetry import conventions as names
from botkit.telemetry.following import CANCELLED, ExchangeRecord, FrameRecord
from botkit.telemetry.trace_context import TraceContext

__all__ = ["FinishedJourney", "Kind", "Span", "Status", "spans_of"]

Value = str | int | bool | tuple[str, ...]
NANOSECONDS: Final = 1_000_000_000
PORTS: Final = {"http": 80, "https": 443, "ws": 80, "wss": 443}
FIRST_ERROR: Final = 400


class Kind(enum.Enum):
    """On which side of what a span is, as OpenTelemetry names it."""

    INTERNAL = "internal"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"


class Status(enum.Enum):
    """How it went, as OpenTelemetry names it."""

    UNSET = "unset"
    OK = "ok"
    ERROR = "error"


STATUSES: Final[Mapping[Verdict, Status]] = {
    Verdict.PASSED: Status.OK,
    Verdict.DEGRADED: Status.OK,
    Verdict.FAILED: Status.ERROR,
    Verdict.ERROR: Status.ERROR,
}
"""What was skipped or stopped went neither well nor badly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A span of a trace.

    Attributes:
        parent_id: the span that it is below; None for that of the journey.
        began, ended: nanoseconds since 1970.
        why: of an error, in one word.
    """

    name: str
    span_id: str
    parent_id: str | None
    kind: Kind = Kind.INTERNAL
    began: int
    ended: int
    attributes: Mapping[str, Value] = field(default_factory=dict)
    status: Status = Status.UNSET
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FinishedJourney:
    """What spans are made of, masked.

    Attributes:
        context: the journey's own span.
        parent: the span that it is below, elsewhere.
        records: what happened on the wire, in the order in which it ended.
        dropped: how many records there were besides.
    """

    result: JourneyResult
    context: TraceContext
    parent: TraceContext | None = None
    records: Sequence[ExchangeRecord | FrameRecord] = ()
    dropped: int = 0

    @property
    def size(self) -> int:
        """How many spans it is."""
        return 1 + len(self.result.steps) + len(self.records)

    def moment(self, at: float) -> int:
        """Tell what time it was by the loop's clock."""
        result = self.result
        return int(result.started_utc * NANOSECONDS) + int((at - result.began) * NANOSECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """When a step was at work, by the loop's clock."""

    span_id: str
    began: float
    ended: float


def spans_of(journey: FinishedJourney) -> tuple[Span, ...]:
    """Make the spans of a journey: its own first, then its steps, then what went over the wire."""
    steps = [(step, stretch_of(step, journey)) for step in journey.result.steps]
    return (
        journey_span(journey),
        *(step_span(step, stretch, journey) for step, stretch in steps),
        *wire_spans(journey, [stretch for _, stretch in steps]),
    )


def journey_span(journey: FinishedJourney) -> Span:
    """Make the span that all others are below."""
    result = journey.result
    began = journey.moment(result.began)
    attributes: dict[str, Value] = {
        names.BOT: result.bot,
        names.JOURNEY: result.name,
        names.JOURNEY_ID: result.journey_id,
        names.RUN_ID: result.run_id,
        names.CONNECTOR: result.connector,
        names.ON_SIMULATOR: result.on_simulator,
        names.LEFT: result.left,
        names.ASSERTED: result.asserted,
        **outcome(result),
    }
    if row := row_of(result):
        attributes[names.ROW] = row
    if result.tags:
        attributes[names.TAGS] = result.tags
    if result.file is not None:
        attributes[names.CODE_FILE_PATH] = result.file
    if result.session_id is not None:
        attributes[names.SESSION_ID] = result.session_id
    if journey.dropped:
        attributes[names.DROPPED] = journey.dropped
    return Span(
        name=f"journey {result.bot}",
        span_id=journey.context.span_id,
        parent_id=None,
        began=began,
        ended=began + int(result.duration * NANOSECONDS),
        attributes=attributes,
        status=status_of(result),
        why=why_of(result),
    )


def step_span(step: StepResult, stretch: Stretch, journey: FinishedJourney) -> Span:
    """Make the span of a step."""
    attributes: dict[str, Value] = {
        names.STEP_NUMBER: step.number,
        names.STEP_PATH: step.path,
        names.STEP_VERB: step.verb,
        **outcome(step),
    }
    if step.file is not None:
        attributes[names.CODE_FILE_PATH] = step.file
    if step.line is not None:
        attributes[names.CODE_LINE_NUMBER] = step.line
    return Span(
        name=step.verb,
        span_id=stretch.span_id,
        parent_id=journey.context.span_id,
        began=journey.moment(stretch.began),
        ended=journey.moment(stretch.ended),
        attributes=attributes,
        status=status_of(step),
        why=why_of(step),
    )


def wire_spans(journey: FinishedJourney, steps: Sequence[Stretch]) -> Iterator[Span]:
    """Make the spans of what went over the wire."""
    kept = {record.span_id for record in journey.records}
    for record in journey.records:
        if isinstance(record, ExchangeRecord):
            yield exchange_span(record, holder_of(record, steps, journey), journey)
        else:
            # The upgrade may be too long ago to be kept.
            parent = record.upgrade if record.upgrade in kept else journey.context.span_id
            yield frame_span(record, parent, journey)


def exchange_span(record: ExchangeRecord, parent: str, journey: FinishedJourney) -> Span:
    """Make the span of a request. Source: semantic conventions, HTTP client span."""
    attributes: dict[str, Value] = {
        names.HTTP_REQUEST_METHOD: record.method,
        names.URL_FULL: without_password(record.url),
        **server_of(record.url),
    }
    why = record.error
    if record.status is not None:
        attributes[names.HTTP_RESPONSE_STATUS_CODE] = record.status
        why = str(record.status) if record.status >= FIRST_ERROR else ""
    if why == CANCELLED:
        attributes[names.CANCELLED] = True
        why = ""
    if why:
        attributes[names.ERROR_TYPE] = why
    return Span(
        # The path is not in it: a name is one of few.
        name=record.method,
        span_id=record.span_id,
        parent_id=parent,
        kind=Kind.CLIENT,
        began=journey.moment(record.began),
        ended=journey.moment(record.ended),
        attributes=attributes,
        status=Status.ERROR if why else Status.UNSET,
    )


def frame_span(record: FrameRecord, parent: str, journey: FinishedJourney) -> Span:
    """Make the span of a message of a WebSocket: a moment, below the upgrade."""
    at = journey.moment(record.at)
    return Span(
        name="send frame" if record.sent else "receive frame",
        span_id=record.span_id,
        parent_id=parent,
        kind=Kind.PRODUCER if record.sent else Kind.CONSUMER,
        began=at,
        ended=at,
        attributes={names.NETWORK_PROTOCOL_NAME: "websocket", names.FRAME_SIZE: record.size},
    )


def stretch_of(step: StepResult, journey: FinishedJourney) -> Stretch:
    began = journey.result.began + step.started
    return Stretch(span_id=secrets.token_hex(8), began=began, ended=began + step.duration)


def holder_of(record: ExchangeRecord, steps: Sequence[Stretch], journey: FinishedJourney) -> str:
    """Find the shortest step in which a request began and ended, or else the journey.

    A poll is held across steps, and belongs to none of them.
    """
    around = (s for s in steps if s.began <= record.began and record.ended <= s.ended)
    shortest = min(around, key=lambda step: step.ended - step.began, default=None)
    return journey.context.span_id if shortest is None else shortest.span_id


def server_of(url: str) -> dict[str, Value]:
    """Name the server of a URL, so far as it is shown."""
    parts = urlsplit(url)
    server: dict[str, Value] = {names.SERVER_ADDRESS: parts.hostname or ""}
    try:
        port = parts.port or PORTS.get(parts.scheme)
    except ValueError:  # It is masked.
        port = None
    return server if port is None else {**server, names.SERVER_PORT: port}


def status_of(of: JourneyResult | StepResult) -> Status:
    return STATUSES.get(of.verdict, Status.UNSET)


def why_of(of: JourneyResult | StepResult) -> str:
    return of.reason.value if status_of(of) is Status.ERROR else ""


def outcome(of: JourneyResult | StepResult) -> dict[str, Value]:
    """Say how it ended."""
    attributes: dict[str, Value] = {names.VERDICT: of.verdict.value, names.REASON: of.reason.value}
    if why := why_of(of):
        attributes[names.ERROR_TYPE] = why
    return attributes


def row_of(result: JourneyResult) -> str:
    """Find the name of a journey's row in its own: ``gold`` in ``support[gold]``."""
    row = result.name.removeprefix(result.bot)
    return row[1:-1] if row != result.name and row[:1] == "[" and row[-1:] == "]" else ""
