"""What people were told, and what they are still to be told, as JSON has it.

An alert loses its journey on the way: its texts say all that people need, and its link shows the
rest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from botkit.monitor.alerts.judge import Kind
from botkit.results import Alert

TEXTS = ("key", "title", "text", "kind", "monitor", "location", "link")


@dataclass(slots=True, kw_only=True)
class Told:
    """What people were told last of a trouble that goes on.

    Attributes:
        alert: as it was; of one that was told before a restart only what its end needs.
        at: the time of the check that it came with, epoch seconds.
        times: how often it was told again.
    """

    alert: Alert
    at: float
    times: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Overdue:
    """An alert that is not delivered yet, and for how many seconds."""

    alert: Alert
    age: float


def alert_to_json(alert: Alert) -> dict[str, Any]:
    """Write down an alert, without its journey."""
    return {
        **{name: getattr(alert, name) for name in TEXTS},
        "firing": alert.firing,
        "since_utc": alert.since_utc,
        "ended_utc": alert.ended_utc,
        "reminder": alert.reminder,
    }


def alert_from_json(content: Mapping[str, Any]) -> Alert:
    """Read what :func:`alert_to_json` has written.

    Raises:
        KeyError, TypeError, ValueError: it has not written that.
    """
    ended = content["ended_utc"]
    return _alert(
        content,
        firing=bool(content["firing"]),
        ended_utc=None if ended is None else float(ended),
        reminder=int(content["reminder"]),
    )


def told_to_json(told: Told) -> dict[str, Any]:
    """Write down what was told."""
    texts = {name: getattr(told.alert, name) for name in TEXTS}
    return {**texts, "since_utc": told.alert.since_utc, "at": told.at, "times": told.times}


def told_from_json(content: Mapping[str, Any]) -> Told:
    """Read what :func:`told_to_json` has written.

    Raises:
        KeyError, TypeError, ValueError: it has not written that.
    """
    times = int(content["times"])
    # One of a kind that nobody finds any more would never be over.
    Kind(content["kind"])
    alert = replace(_alert(content, firing=True), reminder=times)
    return Told(alert=alert, at=float(content["at"]), times=times)


def _alert(content: Mapping[str, Any], **more: Any) -> Alert:
    texts: dict[str, Any] = {name: str(content[name]) for name in TEXTS}
    return Alert(**texts, since_utc=float(content["since_utc"]), **more)
