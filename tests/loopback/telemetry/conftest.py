"""A receiver of OpenTelemetry, and a contact centre that remembers what it was asked."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
import trio
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage

from botkit.simulator import Simulator, SimulatorSettings
from botkit.simulator.http import Reply, Request

LIMIT = 30


@dataclass(frozen=True, kw_only=True)
class Received:
    """A span as it came."""

    trace_id: str
    span_id: str
    parent_id: str
    name: str
    kind: str
    status: int
    why: str
    began: int
    ended: int
    attributes: dict[str, Any]

    @classmethod
    def read(cls, span: SpanMessage) -> Received:
        return cls(
            trace_id=span.trace_id.hex(),
            span_id=span.span_id.hex(),
            parent_id=span.parent_span_id.hex(),
            name=span.name,
            kind=SpanMessage.SpanKind.Name(span.kind).removeprefix("SPAN_KIND_"),
            status=span.status.code,
            why=span.status.message,
            began=span.start_time_unix_nano,
            ended=span.end_time_unix_nano,
            attributes={pair.key: value_of(pair.value) for pair in span.attributes},
        )


def value_of(value: Any) -> Any:
    kind = value.WhichOneof("value")
    found = getattr(value, kind)
    return [value_of(item) for item in found.values] if kind == "array_value" else found


@dataclass(kw_only=True)
class Receiver:
    """Takes what is sent over OTLP/HTTP.

    Attributes:
        status: what it answers with.
        answer: the body of its answers.
        hold: it answers when this is set.
    """

    url: str = ""
    status: int = 200
    answer: bytes = ExportTraceServiceResponse().SerializeToString()
    hold: threading.Event = field(default_factory=threading.Event)
    paths: list[str] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    @property
    def requests(self) -> list[ExportTraceServiceRequest]:
        return [ExportTraceServiceRequest.FromString(body) for body in self.bodies]

    @property
    def resources(self) -> list[dict[str, Any]]:
        found = [resource for request in self.requests for resource in request.resource_spans]
        return [{p.key: value_of(p.value) for p in r.resource.attributes} for r in found]

    @property
    def schemas(self) -> set[str]:
        resources = [r for request in self.requests for r in request.resource_spans]
        return {scope.schema_url for r in resources for scope in r.scope_spans}

    @property
    def spans(self) -> list[Received]:
        return [
            Received.read(span)
            for request in self.requests
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]


class Handler(BaseHTTPRequestHandler):
    def __init__(self, receiver: Receiver, *args: Any) -> None:
        self.receiver = receiver
        super().__init__(*args)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        self.receiver.paths.append(self.path)
        self.receiver.headers.append({k.lower(): v for k, v in self.headers.items()})
        self.receiver.bodies.append(body)
        self.receiver.hold.wait(LIMIT)
        answer = self.receiver.answer
        self.send_response(self.receiver.status)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: Any) -> None: ...


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever was too slow is not waited for, and finds nobody."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver that answers at once."""
    receiver = Receiver()
    receiver.hold.set()
    with Server(("127.0.0.1", 0), partial(Handler, receiver)) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield receiver
        finally:
            receiver.hold.set()
            server.shutdown()
            thread.join(LIMIT)


class Witness(Simulator):
    """A contact centre that remembers what it was asked."""

    def __init__(self, settings: SimulatorSettings) -> None:
        super().__init__(settings)
        self.seen: list[Request] = []
        self.urls: dict[str, str] = {}

    async def handle(self, request: Request) -> Reply:
        self.seen.append(request)
        return await super().handle(request)


@contextmanager
def witness_of(settings: SimulatorSettings) -> Iterator[Witness]:
    ready: SimpleQueue[tuple[Witness, Callable[[], None]]] = SimpleQueue()

    async def serve() -> None:
        witness = Witness(settings)
        async with trio.open_nursery() as nursery:
            address = await nursery.start(witness.serve)
            witness.urls = {
                "gms-cometd": address.url,
                "gms-rest": address.rest_url,
                "genesys-cloud": address.guest_url,
            }
            token = trio.lowlevel.current_trio_token()
            stop = nursery.cancel_scope.cancel
            ready.put((witness, lambda: trio.from_thread.run_sync(stop, trio_token=token)))

    thread = threading.Thread(target=trio.run, args=(serve,))
    thread.start()
    witness, stop = ready.get(timeout=LIMIT)
    try:
        yield witness
    finally:
        stop()
        thread.join(LIMIT)


@pytest.fixture
def witness() -> Iterator[Witness]:
    """A contact centre on a loopback port, in a thread of its own."""
    with witness_of(SimulatorSettings(seed=1)) as witness:
        yield witness


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of one's own, with nothing of the surroundings."""
    (tmp_path / "botkit.toml").write_text("")
    monkeypatch.chdir(tmp_path)
    for name in ("OTEL_SERVICE_NAME", "OTEL_RESOURCE_ATTRIBUTES", "TRACEPARENT"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path
