"""What the parts of a monitor tell each other; pure, and all that they know of one another."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from botkit.results import JourneyResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A monitor has played a journey.

    Attributes:
        monitor: its name.
        location: where the probe stands; empty if there is one probe alone.
        result: of the journey, secrets masked.
        retest: it was played at once to see whether a trouble was a blip.
        link: where its evidence can be looked at; empty if nowhere.
    """

    monitor: str
    location: str
    result: JourneyResult
    retest: bool = False
    link: str = ""


class Follower(Protocol):
    """Is told of each check when it is in the history; must not wait."""

    def checked(self, check: Check) -> None: ...


class Health(enum.Enum):
    """What is known of a monitored chat."""

    UNKNOWN = "unknown"
    """No check has said anything yet."""
    UP = "up"
    DEGRADED = "degraded"
    DOWN = "down"


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorView:
    """A monitor as people see it.

    Attributes:
        name: what it is called everywhere.
        title: what it proves; may be empty.
        health: what is known now, blips left out.
        since_utc: epoch seconds since when; None while unknown.
        running: a journey is being played.
        next_utc: when the next one is due, epoch seconds; None if none is.
        quiet: why no journey is played now (business hours, maintenance, kill switch, a monitor
            that it depends on); empty if nothing keeps it.
        dropped: checks that were due and could not begin in time, for want of a chat.
        slo_left: the part of the error budget that is left, 1 to 0, below 0 if overspent; None
            without an SLO.
        slo_target: the part of the checks that is to work; None without an SLO.
        slo_window: within so many seconds; None without an SLO.
    """

    name: str
    title: str = ""
    health: Health = Health.UNKNOWN
    since_utc: float | None = None
    running: bool = False
    next_utc: float | None = None
    quiet: str = ""
    dropped: int = 0
    slo_left: float | None = None
    slo_target: float | None = None
    slo_window: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Maintenance:
    """A time in which a monitor plays nothing and pages nobody.

    Attributes:
        monitor: its name; None for all.
        until_utc: epoch seconds.
        because: what is written beside it.
    """

    monitor: str | None
    until_utc: float
    because: str = ""


class Controls(Protocol):
    """What people may do with a running monitor; nothing of it waits."""

    def monitors(self) -> Sequence[MonitorView]:
        """Show all monitors, in the order of the file."""

    def maintenances(self) -> Sequence[Maintenance]:
        """Show those that go on now."""

    def run_now(self, monitor: str) -> None:
        """Play a journey as soon as the caps allow.

        Raises:
            KeyError: there is no such monitor.
        """

    def begin_maintenance(self, maintenance: Maintenance) -> None:
        """Begin one, or change the end of the one that goes on.

        Raises:
            KeyError: there is no such monitor.
        """

    def end_maintenance(self, monitor: str | None) -> None:
        """End the one that goes on for a monitor, or for all.

        Raises:
            KeyError: none does.
        """
