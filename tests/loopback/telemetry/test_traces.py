"""``botkit run --otel`` over each wire, with a server that remembers and a receiver that reads."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTracePartialSuccess,
    ExportTraceServiceResponse,
)

from botkit.cli import main
from botkit.telemetry import sending

CANARY = "Ki-11 4711/x"
BOT = """\
botkit: 1
bot: traced
data: {rows: [{segment: gold}], name: "${row.segment}"}
connect: {userdata: {Pin: "${secret.PIN}"}}
steps:
  - wait_for: agent
  - say: My pin is ${secret.PIN}
  - expect: My pin
  - say: and nothing ELSEWHERE
  - expect: ELSEWHERE
"""
FAILING = """\
botkit: 1
bot: disappointed
steps:
  - wait_for: agent
  - expect: {contains: an answer to NOTHING}
    within: 200ms
"""
WIRES = [
    ("gms-cometd", ""),
    ("gms-cometd", "transport=websocket"),
    ("gms-rest", ""),
    ("genesys-cloud", ""),
]
OVER_SOCKETS = [wire for wire in WIRES if wire[0] == "genesys-cloud" or wire[1]]


@pytest.fixture(autouse=True)
def bots(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIN", CANARY)
    (folder / "traced.yaml").write_text(BOT)
    (folder / "failing.yaml").write_text(FAILING)


def run(bot: str, receiver: Any, *arguments: str) -> int:
    return main(["run", bot, "--otel", receiver.url, *arguments])


def reaching(witness: Any, wire: str, option: str) -> list[str]:
    server = ["--connector", wire, "--server", witness.urls[wire]]
    return [*server, *(("--option", option) if option else ())]


def told(request: Any) -> tuple[str, str]:
    """Give the trace and the span that a request names."""
    header = request.headers["traceparent"]
    found = re.fullmatch("00-([0-9a-f]{32})-([0-9a-f]{16})-01", header)
    assert found, header
    return found[1], found[2]


@pytest.mark.parametrize(("wire", "option"), WIRES)
def test_each_request_names_a_span_that_is_received(
    wire: str, option: str, receiver: Any, witness: Any
) -> None:
    assert run("traced.yaml", receiver, *reaching(witness, wire, option)) == 0
    assert set(receiver.paths) == {"/v1/traces"}
    spans = receiver.spans
    (trace_id,) = {span.trace_id for span in spans}
    requests = {s.span_id: s for s in spans if "http.request.method" in s.attributes}
    assert {span.kind for span in requests.values()} == {"CLIENT"}
    # What was given up at the end may never have been sent.
    answered = {
        key for key, s in requests.items() if "botkit.exchange.cancelled" not in s.attributes
    }
    seen = [told(request) for request in witness.seen]
    assert {trace for trace, _ in seen} == {trace_id}
    assert len({span for _, span in seen}) == len(seen)
    assert answered <= {span for _, span in seen} <= set(requests)
    for request in witness.seen:
        span = requests[told(request)[1]]
        assert span.attributes["http.request.method"] == request.method
        assert span.attributes["url.full"].endswith(request.path)


@pytest.mark.parametrize(("wire", "option"), WIRES)
def test_a_journey_is_a_span_with_its_steps_below(
    wire: str, option: str, receiver: Any, witness: Any
) -> None:
    assert run("traced.yaml", receiver, *reaching(witness, wire, option)) == 0
    (root,) = (span for span in receiver.spans if not span.parent_id)
    assert (root.name, root.kind, root.status, root.why) == ("journey traced", "INTERNAL", 1, "")
    assert root.attributes["botkit.bot"] == "traced"
    assert root.attributes["botkit.journey"] == "traced[gold]"
    assert root.attributes["botkit.row"] == "gold"
    assert root.attributes["botkit.connector"] == wire
    assert root.attributes["botkit.verdict"] == "passed"
    assert root.attributes["botkit.reason"] == "ok"
    steps = [span for span in receiver.spans if "botkit.step.path" in span.attributes]
    assert [step.name for step in steps] == ["wait_for", "say", "expect", "say", "expect"]
    assert {step.parent_id for step in steps} == {root.span_id}
    assert [step.attributes["code.line.number"] for step in steps] == [6, 7, 8, 9, 10]
    ids = [span.span_id for span in receiver.spans]
    assert len(set(ids)) == len(ids)
    assert {span.parent_id for span in receiver.spans} - {""} <= set(ids)
    assert all(root.began <= s.began <= s.ended <= root.ended for s in receiver.spans)


@pytest.mark.parametrize(("wire", "option"), OVER_SOCKETS)
def test_messages_of_a_websocket_are_below_the_upgrade_that_the_server_knows(
    wire: str, option: str, receiver: Any, witness: Any
) -> None:
    assert run("traced.yaml", receiver, *reaching(witness, wire, option)) == 0
    frames = [span for span in receiver.spans if span.name.endswith(" frame")]
    assert {span.kind for span in frames} == {"PRODUCER", "CONSUMER"}
    (upgrade,) = {span.parent_id for span in frames}
    (request,) = (request for request in witness.seen if "sec-websocket-key" in request.headers)
    assert told(request)[1] == upgrade
    (span,) = (span for span in receiver.spans if span.span_id == upgrade)
    assert span.attributes["http.response.status_code"] == 101


@pytest.mark.parametrize(("wire", "option"), WIRES)
def test_neither_secrets_nor_the_chat_are_in_spans(
    wire: str, option: str, receiver: Any, witness: Any
) -> None:
    reach = reaching(witness, wire, option)
    headers = ("--header", f"Authorization: Bearer {CANARY}", "--header", "X-Team: of-bad-news")
    assert run("traced.yaml", receiver, *reach, *headers) == 0
    assert len(receiver.spans) > 10
    for body in receiver.bodies:
        for hidden in (CANARY, "4711", "My pin", "ELSEWHERE", "of-bad-news", "Cookie"):
            assert hidden.encode() not in body
    assert witness.seen[0].headers["authorization"] == f"Bearer {CANARY}"


def test_a_secret_in_the_url_of_a_server_is_masked(receiver: Any, witness: Any) -> None:
    url = witness.urls["gms-cometd"].replace("http://", "http://me:CANARY@")
    assert run("traced.yaml", receiver, "--server", url + "?token=CANARY") == 0
    assert all(b"CANARY" not in body for body in receiver.bodies)


def test_what_failed_is_an_error_with_its_reason(receiver: Any, folder: Path) -> None:
    assert run("failing.yaml", receiver, "-q") == 1
    (root,) = (span for span in receiver.spans if not span.parent_id)
    assert (root.status, root.why) == (2, "expectation")
    assert root.attributes["botkit.verdict"] == "failed"
    assert root.attributes["error.type"] == "expectation"
    (step,) = (span for span in receiver.spans if span.name == "expect")
    assert (step.status, step.why) == (2, "expectation")
    assert all(b"NOTHING" not in body for body in receiver.bodies)


def test_each_journey_of_a_run_has_a_trace_of_its_own(receiver: Any, folder: Path) -> None:
    rows = "data: {rows: [{n: a}, {n: b}, {n: c}], name: '${row.n}'}\n"
    (folder / "rows.yaml").write_text(f"botkit: 1\n{rows}steps: [wait_for: agent]\n")
    assert run("rows.yaml", receiver, "-q") == 0
    roots = [span for span in receiver.spans if not span.parent_id]
    assert sorted(root.attributes["botkit.row"] for root in roots) == ["a", "b", "c"]
    assert len({root.trace_id for root in roots}) == 3


def test_the_evidence_names_the_trace(receiver: Any, folder: Path) -> None:
    assert run("traced.yaml", receiver, "--json", "out.json") == 0
    (journey,) = json.loads((folder / "out.json").read_text())["journeys"]
    (trace_id,) = {span.trace_id for span in receiver.spans}
    assert journey["notes"] == [f"trace {trace_id}"]


def test_a_trace_of_the_user_goes_on(receiver: Any, witness: Any) -> None:
    trace, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    reach = reaching(witness, "gms-cometd", "")
    header = f"traceparent: 00-{trace}-{span}-01"
    assert run("traced.yaml", receiver, *reach, "--header", header) == 0
    assert {s.trace_id for s in receiver.spans} == {trace}
    (root,) = (s for s in receiver.spans if s.name == "journey traced")
    assert root.parent_id == span
    assert {told(request)[0] for request in witness.seen} == {trace}


def test_the_variables_of_opentelemetry_count(
    receiver: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-key=4711")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "probe-7")
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=staging")
    assert main(["run", "traced.yaml", "--otel", f"{receiver.url}/v1/traces"]) == 0
    assert receiver.paths == ["/v1/traces"]
    assert receiver.headers[0]["x-key"] == "4711"
    assert receiver.headers[0]["content-encoding"] == "gzip"
    (resource,) = receiver.resources
    assert resource["service.name"] == "probe-7"
    assert resource["deployment.environment.name"] == "staging"


def test_names_are_those_of_one_version(receiver: Any) -> None:
    assert run("traced.yaml", receiver) == 0
    assert receiver.schemas == {"https://opentelemetry.io/schemas/1.36.0"}
    assert [resource["service.name"] for resource in receiver.resources] == ["botkit"]


# --- receivers that are none ---------------------------------------------------------------------


def lost_in(stderr: str) -> int:
    """Give the number of spans that the one warning tells of."""
    (line,) = (line for line in stderr.splitlines() if "span" in line)
    found = re.fullmatch(r"botkit: (\d+) spans lost: (.+)", line)
    assert found, line
    return int(found[1])


def spans_in(folder: Path) -> int:
    """Give the least number of spans that the journey of a JSON file has."""
    (journey,) = json.loads((folder / "out.json").read_text())["journeys"]
    assert journey["verdict"] == "passed"
    return 1 + len(journey["steps"])


@pytest.mark.parametrize("trouble", ["down", "slow", "unwilling", "busy"])
def test_a_receiver_in_trouble_changes_nothing_but_a_warning(
    trouble: str,
    receiver: Any,
    folder: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sending, "LAST_LIMIT", 0.3)
    receiver.status = {"unwilling": 400, "busy": 503}.get(trouble, 200)
    if trouble == "slow":
        receiver.hold.clear()
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
        url = f"http://127.0.0.1:{port}" if trouble == "down" else receiver.url
        began = time.monotonic()
        code = main(["run", "traced.yaml", "--otel", url, "--json", "out.json"])
    assert time.monotonic() - began < 5
    assert code == 0
    assert lost_in(capfd.readouterr().err) > spans_in(folder)


def test_what_a_receiver_refuses_of_what_it_takes_is_counted(
    receiver: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    refused = ExportTracePartialSuccess(rejected_spans=3, error_message="too many today")
    receiver.answer = ExportTraceServiceResponse(partial_success=refused).SerializeToString()
    assert run("traced.yaml", receiver) == 0
    assert capfd.readouterr().err == "botkit: 3 spans lost: too many today\n"


def test_an_answer_that_nobody_understands_is_no_loss(
    receiver: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    receiver.answer = b"<html>fine</html>"
    assert run("traced.yaml", receiver) == 0
    assert capfd.readouterr().err == ""


def test_nothing_is_loaded_where_nobody_asked(folder: Path) -> None:
    script = (
        "import sys\n"
        "from botkit.cli import main\n"
        "code = main(['run', 'traced.yaml', '-q'])\n"
        "loaded = [name for name in sys.modules if name.split('.')[0] == 'opentelemetry']\n"
        "sys.exit(code or len(loaded))\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True, timeout=30)
