"""What Prometheus is told, read back by its own parsers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from botkit.chat import PartyKind, Row
from botkit.monitor.contract import Check, Health, MonitorView
from botkit.monitor.metrics import Metrics, Sources
from botkit.results import JourneyResult, Reason, StepResult, Verdict

CHAT = (
    Row(at=100.0, who="", kind="session_started", party=None, text="0001"),
    Row(at=102.0, who="Grace", kind="agent_connected", party=PartyKind.AGENT, text=""),
    Row(at=102.5, who="Grace", kind="message", party=PartyKind.AGENT, text="Welcome"),
    Row(at=103.0, who="Ada", kind="message", party=PartyKind.CUSTOMER, text="my pin is 4711"),
    Row(at=104.0, who="", kind="interrupted", party=None, text="gone"),
    Row(at=105.0, who="", kind="continued", party=None, text=""),
    Row(at=106.5, who="Grace", kind="message", party=PartyKind.AGENT, text="Thank you"),
)
STEP = StepResult(
    number=1,
    path="steps[0]",
    verb="expect",
    text="expect: my secret text",
    verdict=Verdict.PASSED,
    reason=Reason.OK,
    started=0.0,
    duration=0.4,
)
RESULT = JourneyResult(
    run_id="run",
    journey_id="run-1",
    bot="smoke",
    name="smoke[Ada Lovelace]",
    verdict=Verdict.PASSED,
    reason=Reason.OK,
    started_utc=1_800_000_000.0,
    began=100.0,
    duration=7.5,
    steps=(STEP,),
    transcript=CHAT,
    session_id="0001",
    connector="gms-cometd",
)
VIEWS = [
    MonitorView(
        name="chat",
        health=Health.DOWN,
        running=True,
        next_utc=1.8e9,
        dropped=3,
        slo_left=0.25,
        slo_target=0.99,
        slo_window=604800.0,
    )
]


def samples(
    metrics: Metrics, accept: str = "text/plain"
) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    _, body = metrics.render(accept)
    parse = (
        openmetrics.text_string_to_metric_families
        if "openmetrics" in accept
        else text_string_to_metric_families
    )
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in parse(body.decode())
        for sample in family.samples
    }


def value(found: object, name: str, **labels: str) -> float | None:
    assert isinstance(found, dict)
    wanted = {"monitor": "chat", "location": "here", **labels}
    given: float | None = found.get((name, frozenset(wanted.items())))
    return given


def exporter(views: Sequence[MonitorView] = VIEWS) -> Metrics:
    return Metrics(Sources(views=lambda: views, location=lambda: "here"))


def check(result: JourneyResult = RESULT, monitor: str = "chat") -> Check:
    return Check(monitor=monitor, location="here", result=result)


@pytest.mark.parametrize("accept", ["text/plain", "application/openmetrics-text; version=1.0.0"])
def test_a_check_is_told(accept: str) -> None:
    metrics = exporter()
    metrics.checked(check())
    metrics.checked(
        check(replace(RESULT, verdict=Verdict.FAILED, reason=Reason.TIMEOUT, started_utc=1.8e9 + 9))
    )
    found = samples(metrics, accept)
    assert value(found, "botkit_check_success") == 0
    assert value(found, "botkit_check_degraded") == 0
    assert value(found, "botkit_last_check_timestamp_seconds") == 1.8e9 + 9
    assert value(found, "botkit_last_check_duration_seconds") == 7.5
    assert value(found, "botkit_checks_total", verdict="passed") == 1
    assert value(found, "botkit_failures_total", reason="timeout") == 1
    assert value(found, "botkit_check_duration_seconds_count") == 1, "those that worked alone"
    assert value(found, "botkit_step_duration_seconds_sum", step="steps[0]:expect") == 0.8
    assert value(found, "botkit_agent_wait_seconds_sum") == 4.0
    assert value(found, "botkit_first_reply_seconds_sum") == 7.0
    assert value(found, "botkit_reconnects_total") == 2
    assert value(found, "botkit_connection_losses_total") == 2
    assert value(found, "botkit_health", health="down") == 1
    assert value(found, "botkit_health", health="up") == 0
    assert value(found, "botkit_active_chats") == 1
    assert value(found, "botkit_slo_budget_left_ratio") == 0.25
    assert value(found, "botkit_next_check_timestamp_seconds") == 1.8e9
    assert value(found, "botkit_checks_dropped_total") == 3
    assert value(found, "botkit_slo_target_ratio") == 0.99
    assert value(found, "botkit_slo_window_seconds") == 604800
    assert value(found, "botkit_check_info", bot="smoke", connector="gms-cometd") == 1
    assert any(name == "botkit_build_info" for name, _ in found)


@pytest.mark.parametrize("verdict", [Verdict.SKIPPED, Verdict.CANCELLED])
def test_what_tells_nothing_changes_nothing(verdict: Verdict) -> None:
    metrics = exporter()
    before = samples(metrics)
    metrics.checked(check(replace(RESULT, verdict=verdict)))
    assert samples(metrics) == before


def test_no_text_no_chat_and_no_row_is_a_label() -> None:
    metrics = exporter()
    for number in range(1000):
        metrics.checked(
            check(
                replace(
                    RESULT,
                    name=f"smoke[{number}]",
                    journey_id=f"r-{number}",
                    session_id=f"id{number}",
                    message=f"words {number}",
                )
            )
        )
    _, body = metrics.render("text/plain")
    one = exporter()
    one.checked(check())
    assert len(samples(metrics)) == len(samples(one))
    # Numbers, the times of series among them, may have any digits.
    names = b"\n".join(line.rpartition(b" ")[0] for line in body.splitlines())
    for hidden in (b"Ada", b"4711", b"0001", b"secret", b"words", b"id7"):
        assert hidden not in names


def test_names_may_be_anything() -> None:
    name = 'a"b\\c\nd{e}=ü'
    metrics = exporter([MonitorView(name=name)])
    metrics.checked(check(monitor=name))
    labels = frozenset({("monitor", name), ("location", "here")})
    for accept in ("text/plain", "application/openmetrics-text"):
        assert samples(metrics, accept)["botkit_check_success", labels] == 1


def test_a_monitor_that_is_gone_is_told_of_no_more() -> None:
    views = [MonitorView(name="chat"), MonitorView(name="other")]
    metrics = exporter(views)
    metrics.checked(check())
    metrics.checked(check(monitor="other"))
    assert value(samples(metrics), "botkit_check_success", monitor="other") == 1
    views.pop()
    _, body = metrics.render("text/plain")
    assert b"other" not in body
    assert value(samples(metrics), "botkit_check_success") == 1


def test_counts_of_a_monitor_stand_at_0_before_it_was_ever_checked() -> None:
    found = samples(exporter())
    for verdict in ("passed", "degraded", "failed", "error"):
        assert value(found, "botkit_checks_total", verdict=verdict) == 0
    for reason in ("timeout", "unreachable", "finished", "setup", "internal"):
        assert value(found, "botkit_failures_total", reason=reason) == 0
    for reason in ("ok", "slow", "cancelled", "not_started", "signal"):
        assert value(found, "botkit_failures_total", reason=reason) is None
    assert value(found, "botkit_reconnects_total") == 0
    assert value(found, "botkit_connection_losses_total") == 0
    assert value(found, "botkit_check_success") is None, "nobody knows"


def test_a_probe_that_is_moved_tells_of_its_new_place_alone() -> None:
    places = ["there", "here"]
    metrics = Metrics(Sources(views=lambda: VIEWS, location=lambda: places[-1]))
    metrics.checked(check())
    places.pop()
    assert b'location="here"' not in metrics.render("text/plain")[1]
    found = samples(metrics)
    assert value(found, "botkit_checks_total", verdict="passed", location="there") == 0


def test_a_monitor_that_comes_back_begins_anew() -> None:
    views = [MonitorView(name="chat")]
    metrics = exporter(views)
    metrics.checked(check())
    views.clear()
    samples(metrics)
    views.append(MonitorView(name="chat"))
    assert value(samples(metrics), "botkit_checks_total", verdict="passed") == 0


def played(*paths: str, verdict: Verdict = Verdict.PASSED, at: float = 1.8e9) -> Check:
    steps = tuple(replace(STEP, path=path) for path in paths)
    return check(replace(RESULT, steps=steps, verdict=verdict, started_utc=at))


def steps(metrics: Metrics) -> dict[str, float]:
    """Give how often each step is counted."""
    return {
        dict(labels)["step"].partition(":")[0]: number
        for (name, labels), number in samples(metrics).items()
        if name == "botkit_step_duration_seconds_count"
    }


def test_steps_that_a_bot_has_no_more_are_told_of_no_more() -> None:
    metrics = exporter()
    metrics.checked(played("a", "b", "c"))
    metrics.read_again(1.8e9 + 10)
    assert steps(metrics) == {"a": 1, "b": 1, "c": 1}, "nobody knows yet"
    metrics.checked(played("a", "b", "c", at=1.8e9 + 9))
    assert steps(metrics) == {"a": 2, "b": 2, "c": 2}, "it began before"
    metrics.checked(played("a", verdict=Verdict.FAILED, at=1.8e9 + 11))
    assert steps(metrics) == {"a": 3, "b": 2, "c": 2}, "it came no further"
    metrics.checked(played("a", "d", at=1.8e9 + 12))
    assert steps(metrics) == {"a": 4, "d": 1}


def test_steps_that_are_not_played_each_time_stay_while_nothing_is_read_again() -> None:
    metrics = exporter()
    metrics.read_again(1.8e9 - 1)
    metrics.checked(played("a", "b"))
    metrics.checked(played("a", "c"))
    assert steps(metrics) == {"a": 2, "b": 1, "c": 1}


def test_a_scraper_chooses_the_form() -> None:
    metrics = exporter()
    assert metrics.render("")[0].startswith("text/plain")
    kind, body = metrics.render("application/openmetrics-text; version=1.0.0; charset=utf-8")
    assert kind.startswith("application/openmetrics-text")
    assert body.endswith(b"# EOF\n")


def test_what_was_played_is_told_of_the_last_check_alone() -> None:
    metrics = exporter()
    metrics.checked(check())
    metrics.checked(check(replace(RESULT, connector="gms-rest")))
    found = samples(metrics)
    assert value(found, "botkit_check_info", bot="smoke", connector="gms-rest") == 1
    assert value(found, "botkit_check_info", bot="smoke", connector="gms-cometd") is None
