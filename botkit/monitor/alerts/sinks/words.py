"""What all sinks say alike."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime

from botkit.results import Alert

SEVERITIES = {
    "down": "critical",
    "broken": "error",
    "flapping": "error",
    "burning": "error",
    "degraded": "warning",
    "draining": "warning",
}
"""In the words of PagerDuty, which others take too; what plugins call otherwise is an error."""


def severity(alert: Alert) -> str:
    """Say how bad it is."""
    return SEVERITIES.get(alert.kind, "error")


def status(alert: Alert) -> str:
    """Say whether it goes on."""
    return "firing" if alert.firing else "resolved"


def stamp(utc: float) -> str:
    """Write a time as RFC 3339 has it."""
    written = datetime.fromtimestamp(utc, UTC).isoformat(timespec="milliseconds")
    return written.replace("+00:00", "Z")


def name_of(alerts: Sequence[Alert]) -> str:
    """Name what is told, the same however often it is sent: so whoever got it can know it again."""
    parts = (
        f"{alert.key}\n{alert.since_utc}\n{alert.ended_utc}\n{alert.kind}\n{alert.reminder}"
        for alert in alerts
    )
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def headline(alerts: Sequence[Alert]) -> str:
    """Say in one line what several alerts tell, all of which begin or all of which end."""
    if len(alerts) == 1:
        return alerts[0].title
    names = ", ".join(dict.fromkeys(alert.monitor or alert.title for alert in alerts))
    what = "in trouble" if alerts[0].firing else "right again"
    return f"{len(alerts)} {what}: {names}"
