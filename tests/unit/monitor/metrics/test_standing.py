"""How alerts and the history stand when Prometheus asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

from botkit.monitor.alerts.judge import Kind
from botkit.monitor.alerts.outbox import Standing as SinkStanding
from botkit.monitor.contract import MonitorView
from botkit.monitor.history.keeper import Standing as HistoryStanding
from botkit.monitor.metrics import Metrics, Sources
from botkit.results import Alert


@dataclass
class FakeAlarms:
    going_on: list[Alert] = field(default_factory=list)
    sinks: list[SinkStanding] = field(default_factory=list)

    def alerts(self) -> Sequence[Alert]:
        return self.going_on

    def standings(self) -> Sequence[SinkStanding]:
        return self.sinks


def alert(kind: str, monitor: str = "chat") -> Alert:
    return Alert(
        key="k",
        firing=True,
        title="a title",
        text="a text",
        since_utc=0.0,
        kind=kind,
        monitor=monitor,
        location="here",
    )


def told(sources: Sources) -> dict[str, float]:
    """Give samples by their names and the values of their labels."""
    _, body = Metrics(sources).render("text/plain")
    return {
        " ".join(
            [sample.name, *(value for _, value in sorted(sample.labels.items()))]
        ): sample.value
        for family in text_string_to_metric_families(body.decode())
        for sample in family.samples
    }


def test_each_kind_of_trouble_is_told_of_each_monitor() -> None:
    alarms = FakeAlarms()
    sources = Sources(
        views=lambda: [MonitorView(name="chat"), MonitorView(name="other")],
        location=lambda: "here",
        alarms=alarms,
    )
    for monitor in ("chat", "other"):
        for kind in Kind:
            assert told(sources)[f"botkit_alert_firing {kind.value} here {monitor}"] == 0
    alarms.going_on = [alert("down"), alert("heartbeat")]
    found = told(sources)
    assert found["botkit_alert_firing down here chat"] == 1
    assert found["botkit_alert_firing down here other"] == 0
    assert found["botkit_alert_firing heartbeat here chat"] == 1, "a word of others"


def test_it_is_told_what_sinks_have_taken_and_what_not() -> None:
    sink = SinkStanding(sink="ops", delivered=5, failed=2, dropped=1, waiting=3, trouble="secret")
    found = told(Sources(views=list, alarms=FakeAlarms(sinks=[sink])))
    assert found["botkit_alerts_undelivered ops"] == 3
    assert found["botkit_alerts_delivered_total ops"] == 5
    assert found["botkit_alerts_lost_total ops"] == 3
    assert not any("secret" in name for name in found)


def test_it_is_told_how_the_history_stands() -> None:
    standing = HistoryStanding(waiting=4, down="it is not there", set_aside=2, lost=1)
    found = told(Sources(views=list, history=lambda: standing))
    assert found["botkit_history_up"] == 0
    assert found["botkit_history_spooled"] == 4
    assert found["botkit_history_set_aside"] == 2
    assert found["botkit_history_lost_total"] == 1
    up = HistoryStanding(waiting=0, down=None, set_aside=0, lost=0)
    assert told(Sources(views=list, history=lambda: up))["botkit_history_up"] == 1
