"""Spans as OpenTelemetry's own libraries write and send them: OTLP over HTTP.

The only module that knows them, loaded by whoever asks for spans. The official exporter is used,
though it blocks, for what it understands: the variables ``OTEL_EXPORTER_OTLP_*`` with headers,
certificates, compression and time-outs, and when to ask again.

Source: OpenTelemetry specification, "OpenTelemetry Protocol Exporter"; OTLP 1.5.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import unquote

import requests
from google.protobuf.message import DecodeError
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    Tracer,
    set_span_in_context,
)
from opentelemetry.trace.status import Status as SdkStatus

from botkit.masking import Masker
from botkit.telemetry import conventions
from botkit.telemetry.sending import ExportFailed
from botkit.telemetry.spans import FinishedJourney, Kind, Span, Status, spans_of
from botkit.version import __version__

__all__ = ["OtlpExporter"]

TRACES = "/v1/traces"
HEADERS = ("OTEL_EXPORTER_OTLP_HEADERS", "OTEL_EXPORTER_OTLP_TRACES_HEADERS")
KINDS = {
    Kind.INTERNAL: SpanKind.INTERNAL,
    Kind.CLIENT: SpanKind.CLIENT,
    Kind.PRODUCER: SpanKind.PRODUCER,
    Kind.CONSUMER: SpanKind.CONSUMER,
}
STATUSES = {Status.OK: StatusCode.OK, Status.ERROR: StatusCode.ERROR}


class OtlpExporter:
    """Sends the spans of journeys to a receiver; is a ``sending.Exporter``.

    Args:
        url: of the receiver; ``/v1/traces`` is added to it unless it is there.

    Raises:
        ValueError: a variable of OpenTelemetry makes no sense.
    """

    def __init__(self, url: str) -> None:
        base = url.rstrip("/")
        self._words = FirstWords(masker_of(os.environ))
        # It stays when all is over: what was given up may have last words.
        logging.getLogger("opentelemetry").addHandler(self._words)
        self._answers = Answers()
        session = requests.Session()
        session.hooks["response"].append(self._answers.hear)
        self._exporter: SpanExporter = OTLPSpanExporter(
            endpoint=base if base.endswith(TRACES) else base + TRACES, session=session
        )
        self._ids = GivenIds()
        self._ended = Ended()
        provider = TracerProvider(
            sampler=ALWAYS_ON,
            resource=resource(),
            shutdown_on_exit=False,
            id_generator=self._ids,
        )
        provider.add_span_processor(self._ended)
        self._tracer: Tracer = provider.get_tracer(
            "botkit", __version__, schema_url=conventions.SCHEMA_URL
        )
        if self.heard:
            # OpenTelemetry would go on without it, and tell its log alone.
            raise ValueError(self.heard)

    @property
    def heard(self) -> str:
        """Why the present batch is not taken at once."""
        return self._words.first

    def send(self, journeys: Sequence[FinishedJourney]) -> None:
        """Send the spans of these journeys.

        Raises:
            ExportFailed: they were not taken.
        """
        self._words.first = ""
        self._answers.refused = ExportTracePartialSuccess()
        # Of a batch that could not be made some spans may be here still.
        self._ended.take()
        for journey in journeys:
            self._make(journey)
        if self._exporter.export(self._ended.take()) is not SpanExportResult.SUCCESS:
            raise ExportFailed(self.heard or "the receiver did not take them")
        refused = self._answers.refused
        if refused.rejected_spans:
            why = refused.error_message or "the receiver did not take all of them"
            raise ExportFailed(why, lost=refused.rejected_spans)

    def close(self) -> None:
        """Send no more, and give up what is being tried again."""
        self._exporter.shutdown()

    def _make(self, journey: FinishedJourney) -> None:
        context = journey.context
        for span in spans_of(journey):
            self._ids.trace_id = int(context.trace_id, 16)
            self._ids.span_id = int(span.span_id, 16)
            if span.parent_id is not None:
                self._end(span, above(context.trace_id, span.parent_id, is_remote=False))
            elif journey.parent is not None:
                self._end(span, above(context.trace_id, journey.parent.span_id, is_remote=True))
            else:
                self._end(span, Context())

    def _end(self, span: Span, context: Context) -> None:
        made = self._tracer.start_span(
            span.name,
            context=context,
            kind=KINDS[span.kind],
            attributes=span.attributes,
            start_time=span.began,
        )
        if span.status in STATUSES:
            made.set_status(SdkStatus(STATUSES[span.status], span.why or None))
        made.end(span.ended)


class GivenIds(IdGenerator):
    """Gives spans the ids that servers were told."""

    def __init__(self) -> None:
        self.trace_id = 0
        self.span_id = 0

    def generate_trace_id(self) -> int:
        """Give the journey's."""
        return self.trace_id

    def generate_span_id(self) -> int:
        """Give the span's own."""
        return self.span_id


class Ended(SpanProcessor):
    """Keeps spans until they are taken."""

    def __init__(self) -> None:
        self._spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        """Keep a span."""
        self._spans.append(span)

    def take(self) -> list[ReadableSpan]:
        """Give what there is, and keep it no longer."""
        spans, self._spans = self._spans, []
        return spans


class Answers:
    """Hears which spans a receiver refused of those that it took, for the exporter does not.

    Source: OTLP 1.5, "Partial Success".
    """

    def __init__(self) -> None:
        self.refused = ExportTracePartialSuccess()

    def hear(self, response: requests.Response, **_: object) -> None:
        """Read an answer; one that is none of OTLP's is the exporter's to judge."""
        try:
            answer = ExportTraceServiceResponse.FromString(response.content)
        except DecodeError:
            return
        self.refused = answer.partial_success


class FirstWords(logging.Handler):
    """Hears why spans were not taken, which the exporter tells its log alone.

    That it listens also keeps these words from standard error, where there is no other handler.

    Args:
        mask: hides what must not be shown.
    """

    def __init__(self, mask: Callable[[str], str]) -> None:
        super().__init__(logging.WARNING)
        self.first = ""
        self._mask = mask

    def emit(self, record: logging.LogRecord) -> None:
        """Keep what is said first of a batch: later it is only that it was tried again."""
        self.first = self.first or self._mask(record.getMessage())


def masker_of(environ: Mapping[str, str]) -> Masker:
    """Hide what opens the door to a receiver."""
    masker = Masker()
    for name in HEADERS:
        for header in environ.get(name, "").split(","):
            masker.hide(header.strip())
            masker.hide(header.partition("=")[2].strip())
            masker.hide(unquote(header.partition("=")[2]).strip())
    return masker


def resource() -> Resource:
    """Say who sends spans: botkit, unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES say so."""
    own = {conventions.SERVICE_NAME: "botkit", conventions.SERVICE_VERSION: __version__}
    return Resource(own, conventions.SCHEMA_URL).merge(OTELResourceDetector().detect())


def above(trace_id: str, span_id: str, *, is_remote: bool) -> Context:
    """Name the span that another is below."""
    span = SpanContext(
        trace_id=int(trace_id, 16),
        span_id=int(span_id, 16),
        is_remote=is_remote,
        trace_flags=TraceFlags(TraceFlags.SAMPLED),
    )
    return set_span_in_context(NonRecordingSpan(span), Context())
