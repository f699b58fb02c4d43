"""One monitor at work: waits for its time, plays a journey, sees whether a trouble was a blip.

Theory of operation: a journey that is due is played unless something keeps it (closed, under
maintenance, the kill switch, a monitor that this one needs is down), or no chat may begin until the
next one is due: then it is dropped, and counted. A journey that did not work is played again if the
file says so; only the last of them decides.

The settings may change between two journeys; what is known of the service stays.
"""

from __future__ import annotations

import logging
import math
import random
from dataclasses import dataclass
from typing import Protocol

import trio

from botkit.monitor.attempt import Play, attempt
from botkit.monitor.caps import Caps
from botkit.monitor.contract import Check, Health, MonitorView
from botkit.monitor.decided import Monitor
from botkit.monitor.slo import Budget, Spending
from botkit.results import JourneyResult, Verdict

log = logging.getLogger(__name__)

LONGEST_NAP = 60.0
"""Seconds after which the clock on the wall is looked at again: it may have been set."""
TROUBLE = frozenset({Verdict.FAILED, Verdict.ERROR})
"""What is worth a second look."""


class Surveillance(Protocol):
    """What a watch needs to know of the others, and whom it tells."""

    def now(self) -> float:
        """Tell the time, epoch seconds."""

    def why_quiet(self, monitor: Monitor, *, asked: bool) -> str:
        """Say why a monitor plays nothing now; empty if nothing keeps it.

        Args:
            asked: a person wants it.
        """

    async def note(self, monitor: Monitor, result: JourneyResult, *, retest: bool) -> Check:
        """Keep what a journey came to, and tell of it."""

    def decide(self, check: Check, spending: Spending | None) -> Health:
        """Say what is known of the service after a check that is not played again.

        Args:
            check: that one.
            spending: how fast the error budget is spent; None if slowly enough, or if there is
                none.
        """


@dataclass(slots=True, kw_only=True)
class Known:
    """What a watch knows of its monitor, and keeps over restarts.

    Attributes:
        last_due: when a journey was due the last time, epoch seconds; None if never.
        health: of the service.
        since_utc: since when.
        turn: counts the checks, to play the rows of a bot in turn.
        dropped: checks that were due and could not begin in time.
    """

    last_due: float | None = None
    health: Health = Health.UNKNOWN
    since_utc: float | None = None
    turn: int = 0
    dropped: int = 0


class Watch:
    """Watches one service.

    Args:
        monitor: how; may be changed by :meth:`change`.
        around: the others.
        play: plays a journey.
        caps: says when a chat may begin.
        rng: chooses jitter.
        known: what is known from before.
        budget: of its objective; None if it has none.
    """

    def __init__(
        self,
        monitor: Monitor,
        *,
        around: Surveillance,
        play: Play,
        caps: Caps,
        rng: random.Random,
        known: Known | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.monitor, self.budget = monitor, budget
        self.known = known or Known()
        self._around, self._play, self._caps, self._rng = around, play, caps, rng
        self._news = trio.Event()
        self._asked = False
        self._running = False
        self._due: float | None = None
        self._begin: float | None = None
        # By the loop's clock, which nobody sets and which stands still while a machine sleeps.
        self._begin_at = self._playing_since = math.inf

    def view(self) -> MonitorView:
        """Show how it stands."""
        now, objective = self._around.now(), self.monitor.objective
        return MonitorView(
            name=self.monitor.name,
            title=self.monitor.title,
            health=self.known.health,
            since_utc=self.known.since_utc,
            running=self._running,
            next_utc=self._begin,
            quiet=self._around.why_quiet(self.monitor, asked=False),
            dropped=self.known.dropped,
            slo_left=None if self.budget is None else self.budget.left(now),
            slo_target=None if objective is None else objective.target,
            slo_window=None if objective is None else objective.window,
        )

    def late(self) -> float:
        """Tell for how many seconds a journey should have begun, or one is being played."""
        now, waiting = trio.current_time(), 0.0
        if self._begin is not None:
            waiting = min(self._around.now() - self._begin, now - self._begin_at)
        return max(0.0, waiting, now - self._playing_since)

    def ask(self) -> None:
        """Play a journey now, or once more after the one that is being played."""
        self._asked = True
        self._news.set()

    def change(self, monitor: Monitor, budget: Budget | None) -> None:
        """Go on by other settings."""
        self.monitor, self.budget = monitor, budget
        self._plan_next()
        self._news.set()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Watch until cancelled."""
        self._plan_next()
        task_status.started()
        while True:
            asked = await self._wait_for_turn()
            if not asked:
                self.known.last_due = self._due
                self._plan_next()
            await self._check(asked=asked)
            if self._begin is not None and self._begin < self._around.now():
                # What was due while this one was played is lost.
                self._plan_next()

    # --- when ---

    def _plan_next(self) -> None:
        schedule = self.monitor.schedule
        self._due = schedule.next_due(self.known.last_due, self._around.now())
        self._begin = None if self._due is None else self._due + schedule.lateness(self._rng)
        if self._begin is not None:
            self._begin_at = trio.current_time() + self._begin - self._around.now()

    async def _wait_for_turn(self) -> bool:
        """Wait until a journey is due; True if that is because somebody asked."""
        while not self._asked:
            nap = LONGEST_NAP
            if self._begin is not None:
                nap = min(nap, self._begin - self._around.now())
            if nap <= 0:
                return False
            self._news = trio.Event()
            with trio.move_on_after(nap):
                await self._news.wait()
        self._asked = False
        return True

    # --- a check ---

    async def _check(self, *, asked: bool) -> None:
        """Play, and play again what did not work; tell what it comes to."""
        turn, self.known.turn = self.known.turn, self.known.turn + 1
        check = await self._once(turn, asked=asked, retest=False)
        retest = self.monitor.retest
        for _ in range(retest.times if retest else 0):
            if check is None or retest is None or check.result.verdict not in TROUBLE:
                break
            await trio.sleep(retest.after)
            check = await self._once(turn, asked=asked, retest=True) or check
        if check is not None:
            self._decide(check)

    async def _once(self, turn: int, *, asked: bool, retest: bool) -> Check | None:
        """Play one journey when a chat may begin; None if none was played."""
        if self._around.why_quiet(self.monitor, asked=asked):
            return None
        result = None
        # Who asked waits for as long as it takes, and so does a second look.
        deadline = float("inf") if asked or retest else self._patience()
        with trio.CancelScope(deadline=deadline) as patience:
            async with self._caps.chat():
                patience.deadline = float("inf")
                # It may have taken a while.
                if self._around.why_quiet(self.monitor, asked=asked):
                    return None
                result = await self._journey(turn)
        if result is None:
            self.known.dropped += 1
            log.warning("%s: no chat could begin before the next is due", self.monitor.name)
            return None
        return await self._around.note(self.monitor, result, retest=retest)

    def _patience(self) -> float:
        """Say until when a chat must have begun, by the loop's clock."""
        if self._begin is None:
            return float("inf")
        return trio.current_time() + max(0.0, self._begin - self._around.now())

    async def _journey(self, turn: int) -> JourneyResult:
        self._running = True
        self._playing_since = trio.current_time()
        try:
            return await attempt(
                self.monitor,
                lambda plans: plans[turn % len(plans)],
                self.monitor.override,
                play=self._play,
                started_utc=self._around.now(),
            )
        finally:
            self._running = False
            self._playing_since = math.inf

    def _decide(self, check: Check) -> None:
        spending = None
        if self.budget is not None:
            self.budget.count(check.result.verdict, check.result.started_utc)
            spending = self.budget.spending(self._around.now())
        health = self._around.decide(check, spending)
        if health is not self.known.health:
            self.known.health, self.known.since_utc = health, check.result.started_utc
