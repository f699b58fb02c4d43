"""The metrics of monitors, in a registry of their own.

Labels are names of the file of monitors and words of closed lists. A step is named by its place in
its bot and its verb, ``steps[2]:expect``: never by its text, nor by what a row holds. What belongs
to a monitor that is gone from the file goes with it.

What is counted by verdict and by reason stands at 0 from the first scrape on: a series that begins
with its first failure hides that failure from ``increase``, and a chat that never worked would have
no success to divide by. Steps are known only once they were played.

Source: Prometheus, "Metric and label naming" and "Instrumentation" ("Avoid missing metrics").
"""

from __future__ import annotations

from collections.abc import Collection

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, exposition
from prometheus_client.metrics import MetricWrapperBase

from botkit.monitor.contract import Check
from botkit.monitor.metrics.seen import seen_in, step_name
from botkit.monitor.metrics.standing import WHOSE, Sources, Standings
from botkit.monitor.slo import GOOD
from botkit.results import JourneyResult, Reason, Verdict
from botkit.version import __version__

TELLS_NOTHING = frozenset({Verdict.SKIPPED, Verdict.CANCELLED})
VERDICTS = tuple(verdict for verdict in Verdict if verdict not in TELLS_NOTHING)
NO_FAILURE = frozenset(
    {Reason.OK, Reason.SLOW, Reason.NOT_STARTED, Reason.SIGNAL, Reason.CANCELLED}
)
FAILURES = tuple(reason for reason in Reason if reason not in NO_FAILURE)
"""Why a check may fail, or not be possible."""

Whose = tuple[str, str]
BUCKETS = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0)
"""Seconds; people wait that long for an agent."""


class Metrics:
    """Follows checks, and shows what they came to as Prometheus and OpenMetrics have it.

    Args:
        sources: who is asked at the time of a scrape.
    """

    def __init__(self, sources: Sources) -> None:
        registry = self._registry = CollectorRegistry()
        self._sources = sources
        self._known: set[Whose] = set()
        self._read_utc = 0.0
        self._steps_before: dict[Whose, set[str]] = {}
        self._steps_since: dict[Whose, set[str]] = {}

        def gauge(name: str, about: str, *more: str) -> Gauge:
            return Gauge(f"botkit_{name}", about, (*WHOSE, *more), registry=registry)

        def histogram(name: str, about: str, *more: str) -> Histogram:
            labels = (*WHOSE, *more)
            return Histogram(f"botkit_{name}", about, labels, buckets=BUCKETS, registry=registry)

        def counter(name: str, about: str, *more: str) -> Counter:
            return Counter(f"botkit_{name}", about, (*WHOSE, *more), registry=registry)

        self._success = gauge("check_success", "Whether the last check worked: 1 or 0.")
        self._degraded = gauge("check_degraded", "Whether the last check was too slow: 1 or 0.")
        self._last = gauge("last_check_timestamp_seconds", "When the last check began.")
        self._last_duration = gauge("last_check_duration_seconds", "How long it took.")
        self._what = gauge("check_info", "What the last check played, and how.", "bot", "connector")
        self._durations = histogram("check_duration_seconds", "How long checks took that worked.")
        self._steps = histogram("step_duration_seconds", "How long steps took.", "step")
        self._agent = histogram("agent_wait_seconds", "How long a customer waits for an agent.")
        self._reply = histogram(
            "first_reply_seconds", "From a customer's first line to an agent's next one."
        )
        self._checks = counter("checks", "Checks by their verdict, repeated ones too.", "verdict")
        self._failures = counter("failures", "Checks that did not work, by reason.", "reason")
        self._losses = counter("connection_losses", "Connections that were lost in a chat.")
        self._regained = counter("reconnects", "Connections that were won back in a chat.")
        self._families: tuple[MetricWrapperBase, ...] = (
            self._success,
            self._degraded,
            self._last,
            self._last_duration,
            self._what,
            self._durations,
            self._steps,
            self._agent,
            self._reply,
            self._checks,
            self._failures,
            self._losses,
            self._regained,
        )
        Info("botkit_build", "What is at work.", registry=registry).info({"version": __version__})
        registry.register(Standings(sources))

    def checked(self, check: Check) -> None:
        """Take a check."""
        result = check.result
        if result.verdict in TELLS_NOTHING:
            return
        whose = check.monitor, check.location
        worked = result.verdict in GOOD
        self._meet(whose)
        self._success.labels(*whose).set(worked)
        self._degraded.labels(*whose).set(result.verdict is Verdict.DEGRADED)
        self._last.labels(*whose).set(result.started_utc)
        self._last_duration.labels(*whose).set(result.duration)
        self._what.remove_by_labels(dict(zip(WHOSE, whose, strict=True)))
        self._what.labels(*whose, result.bot, result.connector).set(1)
        self._checks.labels(*whose, result.verdict.value).inc()
        if worked:
            self._durations.labels(*whose).observe(result.duration)
        else:
            self._failures.labels(*whose, result.reason.value).inc()
        self._look_at_steps(whose, result)
        self._look_at_chat(whose, result)

    def read_again(self, now: float) -> None:
        """Expect other steps: the file and its bots were read again.

        What a monitor still plays goes on to be counted; the other steps go with its next check
        that works, for only then it is known which those are.

        Args:
            now: epoch seconds; what began before is played as the bots were.
        """
        self._read_utc = now
        for whose, steps in self._steps_since.items():
            self._steps_before.setdefault(whose, set()).update(steps)
        self._steps_since.clear()

    def render(self, accept: str) -> tuple[str, bytes]:
        """Write all of it.

        Args:
            accept: what the scraper takes, as its header ``Accept`` says.

        Returns:
            The content type, and the text.
        """
        location = self._sources.location()
        there = {(view.name, location) for view in self._sources.views()}
        self._forget_others(there)
        for whose in there:
            self._meet(whose)
        encode, content_type = exposition.choose_encoder(accept)
        return content_type, encode(self._registry)

    def _look_at_steps(self, whose: Whose, result: JourneyResult) -> None:
        is_new = result.started_utc >= self._read_utc
        known = self._steps_since if is_new else self._steps_before
        names = known.setdefault(whose, set())
        for step in result.steps:
            name = step_name(step)
            names.add(name)
            self._steps.labels(*whose, name).observe(step.duration)
        if is_new and result.verdict in GOOD:
            for name in self._steps_before.pop(whose, set()) - names:
                self._steps.remove(*whose, name)

    def _look_at_chat(self, whose: Whose, result: JourneyResult) -> None:
        seen = seen_in(result)
        self._losses.labels(*whose).inc(seen.losses)
        self._regained.labels(*whose).inc(seen.regained)
        if seen.agent_wait is not None:
            self._agent.labels(*whose).observe(seen.agent_wait)
        if seen.first_reply is not None:
            self._reply.labels(*whose).observe(seen.first_reply)

    # --- what there is ---

    def _meet(self, whose: Whose) -> None:
        """Begin all counts of a monitor at 0."""
        if whose in self._known:
            return
        self._known.add(whose)
        for verdict in VERDICTS:
            self._checks.labels(*whose, verdict.value)
        for reason in FAILURES:
            self._failures.labels(*whose, reason.value)
        self._losses.labels(*whose)
        self._regained.labels(*whose)

    def _forget_others(self, there: Collection[Whose]) -> None:
        """Remove what belongs to monitors that are gone."""
        for whose in self._known.difference(there):
            self._known.remove(whose)
            self._steps_before.pop(whose, None)
            self._steps_since.pop(whose, None)
            for family in self._families:
                family.remove_by_labels(dict(zip(WHOSE, whose, strict=True)))
