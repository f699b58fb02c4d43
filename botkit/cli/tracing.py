"""The option ``--otel``: where spans go, and what is said when they do not get there."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from botkit.cli.problems import count
from botkit.errors import ConfigError
from botkit.log_masking import masked
from botkit.report.text import one_line

if TYPE_CHECKING:
    from botkit.telemetry.sending import SpanSender
    from botkit.telemetry.tracing import Tracing

__all__ = ["spans_to", "tell_of_loss", "tell_of_lost_spans", "tracing_to"]

LONGEST_REASON = 400


def spans_to(url: str | None, told: Callable[[str], None] = lambda why: None) -> SpanSender | None:
    """Make what sends spans to a receiver; nothing of it is loaded where there is none.

    Args:
        url: as the option has it.
        told: is told why, when spans are lost for the first time.

    Raises:
        ConfigError: what spans are made with is not installed, or does not like its variables.
    """
    if url is None:
        return None
    try:
        from botkit.telemetry.otlp import OtlpExporter
        from botkit.telemetry.sending import SpanSender
    except ModuleNotFoundError as error:
        missing = (error.name or "opentelemetry").partition(".")[0]
        message = f"--otel needs {missing}: pip install 'botkit[otel]'"
        raise ConfigError(message, key="otel") from error
    try:
        exporter = OtlpExporter(url)
    except (OSError, ValueError) as error:
        # A variable of OpenTelemetry makes no sense, or names a file that is not there.
        raise ConfigError(f"spans cannot be sent: {error}", key="otel") from error
    return SpanSender(exporter, told)


def tracing_to(spans: SpanSender) -> Tracing:
    """Make what follows the journeys of a run."""
    from botkit.telemetry.tracing import Tracing

    return Tracing(spans.put)


def shown_reason(why: str) -> str:
    """Give the reason of a loss, which others have worded, in one line."""
    return one_line(masked(why), LONGEST_REASON)


def tell_of_loss(why: str) -> None:
    """Say that spans begin to be lost, where the end is far away."""
    click.echo(f"botkit: spans are lost: {shown_reason(why)}", err=True)


def tell_of_lost_spans(spans: SpanSender | None) -> None:
    """Say how many spans did not get to their receiver, if there are any."""
    if spans is not None and spans.lost:
        lost = count(spans.lost, "span")
        click.echo(f"botkit: {lost} lost: {shown_reason(spans.why)}", err=True)
