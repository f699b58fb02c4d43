"""When a monitor plays its next journey; pure, but for the randomness that is passed in.

``every`` follows the schedule and not the last finish: a journey that takes longer than its period
loses the ones that were due meanwhile, and shifts none. ``cron`` follows the clocks of its zone as
cron does: a time that the clocks jump over in spring is played at once after the jump, one that
comes twice in autumn is played once.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Protocol

from cronsim import CronSim, CronSimError

from botkit.monitor.hours import LOOK_AHEAD, Hours

DAY = 86400.0


class Rhythm(Protocol):
    """The times at which something is due."""

    def after(self, last: float | None, now: float) -> float | None:
        """Give the next time after now, epoch seconds.

        Args:
            last: when it was due the last time; None if never.
            now: epoch seconds.

        Returns:
            None if there is none any more.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Every:
    """Again and again after a period, seconds; the first time at once."""

    period: float

    def after(self, last: float | None, now: float) -> float:
        """Give the next time after now."""
        if last is None:
            return now
        # What was due in the meantime is lost; the rhythm stays.
        missed = max(0, int((now - last) // self.period))
        return last + (missed + 1) * self.period


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """The five fields of crontab, in a time zone."""

    expression: str
    zone: tzinfo = UTC

    def after(self, last: float | None, now: float) -> float | None:
        """Give the next time after now."""
        begin = datetime.fromtimestamp(now, self.zone)
        following = next(CronSim(self.expression, begin), None)
        return None if following is None else following.timestamp()


def check_cron(expression: str) -> None:
    """See that an expression is one.

    Raises:
        ValueError: it is none; the message says what to write.
    """
    try:
        following = next(CronSim(expression, datetime(2024, 1, 1, tzinfo=UTC)), None)
    except CronSimError as error:
        raise ValueError(
            f"{expression!r} is no cron expression ({error}); it has five fields, as in"
            " '*/5 8-17 * * mon-fri'"
        ) from error
    if following is None:
        raise ValueError(f"{expression!r} names a day that never comes")


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A rhythm within opening hours.

    Attributes:
        rhythm: when journeys are due.
        jitter: seconds by which each is late at random, at most, so that not all come at once.
        hours: when the service is open; None if always.
    """

    rhythm: Rhythm
    jitter: float = 0.0
    hours: Hours | None = None

    def next_due(self, last: float | None, now: float) -> float | None:
        """Give the next time at which a journey is due and the service is open."""
        due = self.rhythm.after(last, now)
        # A rhythm that has not met the hours by then never does.
        while due is not None and self.hours is not None and due < now + LOOK_AHEAD * DAY:
            opening = self.hours.next_open(due)
            if opening is None or opening == due:
                return opening
            # The first time of the rhythm that is not before the opening.
            due = self._not_before(due, opening)
        return due if self.hours is None else None

    def lateness(self, rng: random.Random) -> float:
        """Choose by how many seconds the next one is late."""
        return rng.uniform(0.0, self.jitter)

    def _not_before(self, due: float, opening: float) -> float | None:
        if isinstance(self.rhythm, Every):
            missing = -(-(opening - due) // self.rhythm.period)
            return due + missing * self.rhythm.period
        return self.rhythm.after(due, opening - 1)
