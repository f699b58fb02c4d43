"""What a probe is answered with: whatever a chat and its data hold, none of it is in a label."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from botkit.chat import PartyKind, Row
from botkit.monitor.contract import Check, MonitorView
from botkit.monitor.metrics import Metrics, Sources
from botkit.monitor.probe.answer import write_log, write_samples
from botkit.monitor.probe.prober import Probed
from botkit.results import JourneyResult, Reason, StepResult, Verdict

HIDDEN = "HIDDEN"
"""Stands in all that a chat, its data and its service say, and in nothing else."""
texts = st.text(max_size=20).map(lambda text: f"{HIDDEN}{text}{HIDDEN}")
times = st.floats(min_value=0, max_value=1e6)
rows = st.builds(
    Row,
    at=times,
    who=texts,
    kind=st.sampled_from(["message", "agent_connected", "interrupted", "continued", "notice"]),
    party=st.sampled_from([None, *PartyKind]),
    text=texts,
)
steps = st.builds(
    StepResult,
    number=st.integers(1, 9),
    path=st.sampled_from(["steps[0]", "steps[1].repeat.do[0]", "run:7", "never[0]"]),
    verb=st.sampled_from(["say", "expect", "wait_for"]),
    text=texts,
    verdict=st.sampled_from(Verdict),
    reason=st.sampled_from(Reason),
    started=times,
    duration=times,
    expected=texts,
    received=st.tuples(texts),
    took=texts,
    passed_over=st.tuples(texts),
    message=texts,
)
results = st.builds(
    JourneyResult,
    run_id=texts,
    journey_id=texts,
    bot=st.just("smoke"),
    name=texts.map(lambda text: f"smoke[{text}]"),
    title=texts,
    tags=st.tuples(texts),
    verdict=st.sampled_from(Verdict),
    reason=st.sampled_from(Reason),
    message=texts,
    started_utc=times,
    began=times,
    duration=times,
    steps=st.lists(steps, max_size=4).map(tuple),
    transcript=st.lists(rows, max_size=6).map(tuple),
    connector=st.just("gms-cometd"),
    server=texts.map(lambda text: f"https://user:{text}@chat.example.com/"),
    session_id=texts,
    notes=st.tuples(texts),
    measurements=st.dictionaries(texts, times, max_size=2),
    warnings=st.tuples(texts),
)


@settings(max_examples=60)
@given(result=results)
def test_no_sample_holds_what_a_chat_or_a_row_says(result: JourneyResult) -> None:
    metrics = Metrics(Sources(views=lambda: [MonitorView(name="chat")], location=lambda: "here"))
    metrics.checked(Check(monitor="chat", location="here", result=result))
    for accept in ("text/plain", "application/openmetrics-text; version=1.0.0"):
        probed = Probed(result=result, duration=1.0)
        for _, body in (write_samples(probed, accept), metrics.render(accept)):
            text = body.decode()
            assert HIDDEN not in text
            assert len(list(parsed(text, accept))) > 3


def parsed(text: str, accept: str) -> list[object]:
    parse = (
        openmetrics.text_string_to_metric_families
        if "openmetrics" in accept
        else text_string_to_metric_families
    )
    return list(parse(text))


@settings(max_examples=30)
@given(result=results)
def test_success_is_what_the_verdict_says(result: JourneyResult) -> None:
    _, body = write_samples(Probed(result=result, duration=2.5))
    worked = result.verdict in {Verdict.PASSED, Verdict.DEGRADED}
    assert f"\nprobe_success {float(worked)}\n" in body.decode()
    assert "\nprobe_duration_seconds 2.5\n" in body.decode()


STEP = StepResult(
    number=1,
    path="steps[0].repeat.do[0]",
    verb="expect",
    text="expect: hello",
    verdict=Verdict.PASSED,
    reason=Reason.OK,
    started=0.0,
    duration=0.25,
)
RESULT = JourneyResult(
    run_id="r",
    journey_id="r-1",
    bot="smoke",
    name="smoke",
    verdict=Verdict.PASSED,
    reason=Reason.OK,
    started_utc=0.0,
    began=0.0,
    duration=1.0,
    steps=(STEP, replace(STEP, number=2)),
)


def test_a_step_that_is_played_again_is_told_in_all() -> None:
    _, body = write_samples(Probed(result=RESULT, duration=1.0))
    name = 'botkit_probe_step_duration_seconds{step="steps[0].repeat.do[0]:expect"}'
    assert f"{name} 0.5\n" in body.decode()


def test_a_chat_that_is_still_being_left_is_no_success() -> None:
    probed = Probed(result=None, duration=9.5)
    _, body = write_samples(probed)
    assert "\nprobe_success 0.0\n" in body.decode()
    assert 'botkit_probe_info{reason="whole_chat",verdict="failed"} 1.0' in body.decode()
    assert "after 9.50 s the chat is still being left" in write_log(probed)


def test_the_log_has_the_steps_before_the_samples() -> None:
    log = write_log(Probed(result=RESULT, duration=1.0))
    assert 0 < log.index("expect: hello") < log.index("probe_success 1.0")
