"""Service level objectives: how much of the error budget is left, and how fast it burns; pure.

An objective says which part of the checks must work (pass, or be degraded) within a window. What
may fail is the budget. The burn rate is the part that failed within a shorter time, over the part
that may: 1 spends the budget exactly by the end of the window.

Three pairs of windows tell, each with a long one so that blips page nobody, and a short one so that
it ends when the trouble does. A monitor plays so few checks that a single failure may be a large
part of an hour, so one alone never tells.

Source: Google, The Site Reliability Workbook, chapter 5, "Multiwindow, Multi-Burn-Rate Alerts";
its figures are for 30 days, and are taken as parts of the budget for other windows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from botkit.results import Verdict

HOUR, DAY = 3600.0, 86400.0
BUCKET = 300.0
"""Seconds of the counts that are kept of the last hours."""
GOOD = frozenset({Verdict.PASSED, Verdict.DEGRADED})
BAD = frozenset({Verdict.FAILED})
"""What is botkit's own fault, or the set-up's, spends no budget of the service."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What is promised.

    Attributes:
        target: the part of the checks that must work, between 0 and 1, neither included.
        window: seconds.
    """

    target: float
    window: float = 30 * DAY


@dataclass(frozen=True, slots=True, kw_only=True)
class Burning:
    """A speed at which the budget must not burn.

    Attributes:
        spent: the part of the whole budget that is spent within ``long`` at this speed.
        long, short: seconds; both must burn at it.
        urgent: somebody must look at once.
    """

    spent: float
    long: float
    short: float
    urgent: bool

    def rate(self, objective: Objective) -> float:
        """Give the burn rate that is too fast."""
        return self.spent * objective.window / self.long


LEAST_FAILURES = 2
"""Within the long window."""
ALARMS = (
    Burning(spent=0.02, long=HOUR, short=HOUR / 12, urgent=True),
    Burning(spent=0.05, long=6 * HOUR, short=HOUR / 2, urgent=True),
    Burning(spent=0.10, long=3 * DAY, short=6 * HOUR, urgent=False),
)


LONGEST_LOOK = max(alarm.long for alarm in ALARMS)
FINE_LOOK = 6 * HOUR
"""Seconds; what alarms look at that is older is looked at by the hour."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """The budget is spent too fast.

    Attributes:
        alarm: the most urgent that goes off.
        rate: how often as fast as it may be, within the alarm's long window.
        left: the part of the budget that is left, below 0 if overspent.
        window: seconds that the budget is for.
    """

    alarm: Burning
    rate: float
    left: float
    window: float


class Counted(NamedTuple):
    """So many checks that began at a time, epoch seconds, or soon after."""

    at: float
    good: int
    bad: int


@dataclass(slots=True)
class Tally:
    """So many checks worked, and so many did not."""

    good: int = 0
    bad: int = 0

    @property
    def bad_part(self) -> float:
        """The part that did not work; 0 of none."""
        return self.bad / (self.good + self.bad) if self.bad else 0.0


NOTHING = Tally()


@dataclass(slots=True, kw_only=True)
class Budget:
    """Counts the checks of one monitor within the window of its objective."""

    objective: Objective
    _buckets: dict[int, Tally] = field(default_factory=dict)
    _whole: Tally = field(default_factory=Tally)
    _oldest: int = 0

    def count(self, verdict: Verdict, at: float, times: int = 1) -> None:
        """Count checks that began at a time, epoch seconds."""
        good = times if verdict in GOOD else 0
        bad = times if verdict in BAD else 0
        self.add(Counted(at, good, bad))

    def add(self, counted: Counted) -> None:
        """Count checks of which it is known whether they worked."""
        bucket = int(counted.at // BUCKET)
        for tally in (self._buckets.setdefault(bucket, Tally()), self._whole):
            tally.good += counted.good
            tally.bad += counted.bad

    def recent(self, now: float) -> list[Counted]:
        """Give the counts that alarms look at, oldest first, the first from a whole hour on."""
        gathered: dict[float, Tally] = {}
        oldest = (now - LONGEST_LOOK) // HOUR * HOUR
        for bucket in range(int(oldest // BUCKET), int(now // BUCKET) + 1):
            tally = self._buckets.get(bucket)
            if tally is not None:
                at = bucket * BUCKET
                start = at if at >= now - FINE_LOOK else at // HOUR * HOUR
                whole = gathered.setdefault(start, Tally())
                whole.good += tally.good
                whole.bad += tally.bad
        return [Counted(at, tally.good, tally.bad) for at, tally in gathered.items()]

    def left(self, now: float) -> float:
        """Give the part of the budget that is left: 1 if nothing failed, below 0 if overspent."""
        self._forget(now)
        return 1 - self._whole.bad_part / (1 - self.objective.target)

    def burn_rate(self, within: float, now: float) -> float:
        """Tell how fast the budget burned within the last so many seconds."""
        return self._tally(within, now).bad_part / (1 - self.objective.target)

    def alarms(self, now: float) -> list[Burning]:
        """Give those of :data:`ALARMS` that go off now."""
        return [
            alarm
            for alarm in ALARMS
            if alarm.long <= self.objective.window
            and self._tally(alarm.long, now).bad >= LEAST_FAILURES
            and self.burn_rate(alarm.long, now) >= alarm.rate(self.objective)
            and self.burn_rate(alarm.short, now) >= alarm.rate(self.objective)
        ]

    def spending(self, now: float) -> Spending | None:
        """Tell of the budget when it is spent too fast; None if it is not."""
        alarms = self.alarms(now)
        if not alarms:
            return None
        return Spending(
            alarm=alarms[0],
            rate=self.burn_rate(alarms[0].long, now),
            left=self.left(now),
            window=self.objective.window,
        )

    def _tally(self, within: float, now: float) -> Tally:
        """Count what began within the last so many seconds, or in the bucket that they cut."""
        first = int((now - within) // BUCKET)
        last = int(now // BUCKET)
        return _sum(self._buckets.get(bucket, NOTHING) for bucket in range(first, last + 1))

    def _forget(self, now: float) -> None:
        first = int((now - self.objective.window) // BUCKET)
        if first == self._oldest:
            return
        self._oldest = first
        for bucket in [bucket for bucket in self._buckets if bucket < first]:
            gone = self._buckets.pop(bucket)
            self._whole.good -= gone.good
            self._whole.bad -= gone.bad


def _sum(tallies: Iterable[Tally]) -> Tally:
    whole = Tally()
    for tally in tallies:
        whole.good += tally.good
        whole.bad += tally.bad
    return whole
