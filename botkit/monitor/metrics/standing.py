"""How monitors, alerts and the history stand at the time of a scrape."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from botkit.monitor.alerts.judge import Kind
from botkit.monitor.alerts.outbox import Standing as SinkStanding
from botkit.monitor.contract import Health, MonitorView
from botkit.monitor.history.keeper import Standing as HistoryStanding
from botkit.results import Alert

WHOSE = ("monitor", "location")


class Alarms(Protocol):
    """Pages people; an :class:`~botkit.monitor.alerts.alerting.Alerting`."""

    def alerts(self) -> Sequence[Alert]:
        """Give the troubles that people were told of and that go on."""

    def standings(self) -> Sequence[SinkStanding]:
        """Tell how it goes with each sink."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Who is asked at the time of a scrape.

    Attributes:
        views: shows all monitors.
        location: where this probe stands, as the file was read last.
        alarms: None if nobody is paged.
        history: tells how the history stands; None if there is none.
    """

    views: Callable[[], Sequence[MonitorView]]
    location: Callable[[], str] = str
    alarms: Alarms | None = None
    history: Callable[[], HistoryStanding] | None = None


class Standings(Collector):
    """Asks at the time of a scrape, and remembers nothing."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    def describe(self) -> Iterator[Metric]:
        """Name nothing: the registry would ask for it before there are monitors."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Show how all stands."""
        sources = self._sources
        views, location = sources.views(), sources.location()
        yield from _monitors(views, location)
        if sources.alarms is not None:
            yield _firing(views, location, sources.alarms.alerts())
            yield from _sinks(sources.alarms.standings())
        if sources.history is not None:
            yield from _history(sources.history())


def _monitors(views: Iterable[MonitorView], location: str) -> Iterator[Metric]:
    health = _gauge("health", "What is known of a chat: 1 for how it is.", "health")
    active = _gauge("active_chats", "Chats that go on.")
    quiet = _gauge("quiet", "Whether nothing is played now.")
    next_one = _gauge("next_check_timestamp_seconds", "When the next check is due.")
    about = "Checks that were due and could not begin in time."
    dropped = CounterMetricFamily("botkit_checks_dropped", about, labels=WHOSE)
    left = _gauge("slo_budget_left_ratio", "The part of the error budget that is left.")
    target = _gauge("slo_target_ratio", "The part of the checks that is to work.")
    window = _gauge("slo_window_seconds", "The time that the error budget is for.")
    for view in views:
        whose = [view.name, location]
        for kind in Health:
            health.add_metric([*whose, kind.value], float(view.health is kind))
        active.add_metric(whose, float(view.running))
        quiet.add_metric(whose, float(bool(view.quiet)))
        dropped.add_metric(whose, view.dropped)
        for family, value in (
            (next_one, view.next_utc),
            (left, view.slo_left),
            (target, view.slo_target),
            (window, view.slo_window),
        ):
            if value is not None:
                family.add_metric(whose, value)
    yield from (health, active, quiet, dropped, next_one, left, target, window)


def _firing(views: Iterable[MonitorView], location: str, alerts: Iterable[Alert]) -> Metric:
    """Tell of each monitor and kind of trouble whether people were told of it and it goes on."""
    found = {(view.name, location, kind.value): 0.0 for view in views for kind in Kind}
    for alert in alerts:
        found[alert.monitor, alert.location, alert.kind] = 1.0
    family = _gauge("alert_firing", "Whether people were told of a trouble that goes on.", "kind")
    for labels, value in found.items():
        family.add_metric(labels, value)
    return family


def _sinks(standings: Iterable[SinkStanding]) -> Iterator[Metric]:
    waiting = GaugeMetricFamily(
        "botkit_alerts_undelivered", "Alerts that wait for their sink.", labels=("sink",)
    )
    delivered = CounterMetricFamily(
        "botkit_alerts_delivered", "Alerts that a sink has taken.", labels=("sink",)
    )
    lost = CounterMetricFamily(
        "botkit_alerts_lost", "Alerts that a sink will never have.", labels=("sink",)
    )
    for standing in standings:
        waiting.add_metric([standing.sink], standing.waiting)
        delivered.add_metric([standing.sink], standing.delivered)
        lost.add_metric([standing.sink], standing.failed + standing.dropped)
    yield from (waiting, delivered, lost)


def _history(standing: HistoryStanding) -> Iterator[Metric]:
    for name, about, value in (
        ("history_up", "Whether the history takes journeys.", standing.down is None),
        ("history_spooled", "Journeys that wait on disk for the history.", standing.waiting),
        ("history_set_aside", "Journeys that the history does not take.", standing.set_aside),
    ):
        yield GaugeMetricFamily(f"botkit_{name}", about, value=float(value))
    about = "Journeys that neither the history nor the disk took."
    yield CounterMetricFamily("botkit_history_lost", about, value=standing.lost)


def _gauge(name: str, about: str, *more: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"botkit_{name}", about, labels=(*WHOSE, *more))
