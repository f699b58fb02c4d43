"""What a probe is answered with: samples for Prometheus, or a text for people.

The names ``probe_success`` and ``probe_duration_seconds`` are those of blackbox_exporter, so that
alerts and dashboards that were made for it go on to work. Labels are words of closed lists and
names of the file, as those of ``/metrics``.

Source: Prometheus, blackbox_exporter, README ("Checking the results") and ``debug=true``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, exposition
from prometheus_client.metrics_core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from botkit.monitor.metrics.seen import seen_in, step_name
from botkit.monitor.probe.prober import Probed
from botkit.monitor.slo import GOOD
from botkit.report.evidence import evidence, seconds, step_line
from botkit.results import JourneyResult, Reason, Verdict

MAX_ROWS = 1_000
"""Rows of a transcript that people are shown."""
NOT_OVER = {"verdict": Verdict.FAILED.value, "reason": Reason.WHOLE_CHAT.value}


def write_samples(probed: Probed, accept: str = "") -> tuple[str, bytes]:
    """Write what came of a probe for Prometheus.

    Args:
        probed: what came.
        accept: what the scraper takes, as its header ``Accept`` says.

    Returns:
        The content type, and the text.
    """
    registry = CollectorRegistry()
    registry.register(_Samples(probed))
    encode, content_type = exposition.choose_encoder(accept)
    return content_type, encode(registry)


def write_log(probed: Probed) -> str:
    """Write what came of a probe for people: its evidence, then its samples."""
    _, samples = write_samples(probed)
    lines = ["Log of the probe:", *_log(probed), "", "What Prometheus is told:", samples.decode()]
    return "\n".join(lines)


def _log(probed: Probed) -> Iterator[str]:
    result = probed.result
    if result is None:
        yield f"after {seconds(probed.duration)} the chat is still being left"
        return
    yield from (line.text for line in evidence(result, max_rows=MAX_ROWS))
    yield "  steps:"
    yield from (f"    {step.verdict.value}  {step_line(step)}" for step in result.steps)


class _Samples(Collector):
    """One probe, as Prometheus' library wants it."""

    def __init__(self, probed: Probed) -> None:
        self._probed = probed

    def describe(self) -> Iterator[Metric]:
        """Name nothing: what there is depends on the probe."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Give the samples."""
        result = self._probed.result
        yield _gauge("probe_success", "Whether the chat worked.", _worked(result))
        about = "How long the probe took, from the request on."
        yield _gauge("probe_duration_seconds", about, self._probed.duration)
        if result is None:
            yield InfoMetricFamily("botkit_probe", "What came of the chat, and why.", NOT_OVER)
            return
        yield InfoMetricFamily("botkit_probe", "What came of the chat, and why.", _why(result))
        yield _gauge("botkit_probe_degraded", "Too slow.", result.verdict is Verdict.DEGRADED)
        about = "Whether the service confirmed that the chat was left."
        yield _gauge("botkit_probe_left", about, result.left)
        yield from _chat(result)
        yield _steps(result)


def _worked(result: JourneyResult | None) -> bool:
    return result is not None and result.verdict in GOOD


def _why(result: JourneyResult) -> dict[str, str]:
    return {
        "verdict": result.verdict.value,
        "reason": result.reason.value,
        "bot": result.bot,
        "connector": result.connector,
        "simulator": str(result.on_simulator).lower(),
    }


def _chat(result: JourneyResult) -> Iterator[Metric]:
    seen = seen_in(result)
    about = "How long the customer waited for an agent."
    if seen.agent_wait is not None:
        yield _gauge("botkit_probe_agent_wait_seconds", about, seen.agent_wait)
    about = "From the customer's first line to an agent's next one."
    if seen.first_reply is not None:
        yield _gauge("botkit_probe_first_reply_seconds", about, seen.first_reply)
    about = "Connections that were lost in the chat."
    yield _gauge("botkit_probe_connection_losses", about, seen.losses)


def _steps(result: JourneyResult) -> Metric:
    """Tell how long each step took; one that was played again and again, in all."""
    about = "How long steps took."
    family = GaugeMetricFamily("botkit_probe_step_duration_seconds", about, labels=("step",))
    durations = defaultdict[str, float](float)
    for step in result.steps:
        durations[step_name(step)] += step.duration
    for name, duration in durations.items():
        family.add_metric((name,), duration)
    return family


def _gauge(name: str, about: str, value: float) -> Metric:
    return GaugeMetricFamily(name, about, value=float(value))
