"""All monitors of a file at work, and what people may do with them.

Each finished journey goes into the history before anybody is told of it. What is remembered over
restarts is written a moment after each check that decides, and at the end. A file that is read
again changes the settings of the monitors that stay, ends those that are gone and begins those that
are new; nothing that is known is lost, and no journey is cut off but those of monitors that are
gone.
"""

from __future__ import annotations

import logging
import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol, TypeVar

import trio

from botkit.errors import HistoryError
from botkit.monitor.attempt import Play
from botkit.monitor.caps import HOUR, Caps
from botkit.monitor.contract import Check, Follower, Health, Maintenance, MonitorView
from botkit.monitor.decided import Monitor, MonitorsFile
from botkit.monitor.history import Finished, History, Retention, bars, finished, latest
from botkit.monitor.history.tables import HOUR as HOUR_OF_COUNTS
from botkit.monitor.maintenance import Maintenances
from botkit.monitor.memory import (
    Memory,
    known_from_json,
    known_to_json,
    maintenance_to_json,
    maintenances_from_json,
    recent_from_json,
)
from botkit.monitor.slo import HOUR as HOUR_OF_BUDGETS
from botkit.monitor.slo import Budget, Counted, Objective, Spending
from botkit.monitor.watch import Watch
from botkit.report.json_document import journey_document
from botkit.results import JourneyResult, Verdict

log = logging.getLogger(__name__)

BETWEEN_FORGETTING = 6 * 3600.0
GATHERING = 1.0
"""Seconds."""


class Decider(Protocol):
    """Says what is known of a service after each check that decides, and pages people."""

    def decide(self, check: Check) -> Health: ...
    def spends(self, check: Check, spending: Spending | None) -> None:
        """Take how fast the error budget is spent after a check that decides.

        Args:
            check: that one.
            spending: None if it is not spent too fast, or if nothing is promised.
        """

    def monitors(self) -> frozenset[str]:
        """Name the monitors of which something is known."""

    def forget(self, monitor: str, *, now: float) -> None:
        """Know a monitor no more, which is gone from the file."""

    def state(self) -> Any:
        """Give what it remembers over restarts, as JSON has it."""


T = TypeVar("T")


class Keeper(Protocol):
    """Keeps the history; a :class:`~botkit.monitor.history.HistoryKeeper`."""

    async def store(self, journey: Finished, /) -> None: ...
    async def ask(self, question: Callable[[History], T], /) -> T: ...
    async def forget(self, retention: Retention, /, *, now: float) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What monitors work with.

    Attributes:
        play: plays a journey.
        keeper: of the history.
        memory: what is remembered over restarts.
        decider: says what is known.
        followers: are told of each check, when it is in the history.
        now: tells the time, epoch seconds.
        rng: chooses jitter.
    """

    play: Play
    keeper: Keeper
    memory: Memory
    decider: Decider
    followers: Sequence[Follower] = ()
    now: Callable[[], float]
    rng: random.Random


class Monitoring:
    """Watches what a file says; the :class:`~botkit.monitor.contract.Controls` of it.

    Made within a running loop.

    Args:
        file: what it says.
        parts: what to work with.
        remembered: what the memory has of the process before.
    """

    def __init__(
        self, file: MonitorsFile, parts: Parts, remembered: Mapping[str, Any] | None = None
    ) -> None:
        self._file, self._parts = file, parts
        remembered = remembered or {}
        known = remembered.get("monitors")
        self._known: dict[str, Any] = dict(known) if isinstance(known, Mapping) else {}
        by_hand = maintenances_from_json(remembered.get("maintenances"))
        self._maintenances = Maintenances(file.windows, by_hand)
        self._caps = Caps(file.limits)
        self._watches: dict[str, Watch] = {}
        self._scopes: dict[str, trio.CancelScope] = {}
        self._nursery: trio.Nursery | None = None
        self._news = trio.Event()

    @property
    def file(self) -> MonitorsFile:
        """What is watched, as it was read last."""
        return self._file

    @property
    def caps(self) -> Caps:
        """Let chats begin."""
        return self._caps

    # --- Controls ---

    def monitors(self) -> Sequence[MonitorView]:
        """Show all monitors, in the order of the file."""
        watches = self._watches
        return [watches[m.name].view() for m in self._file.monitors if m.name in watches]

    def maintenances(self) -> Sequence[Maintenance]:
        """Show those that go on now."""
        return self._maintenances.going_on(self.now())

    def run_now(self, monitor: str) -> None:
        """Play a journey as soon as the caps allow.

        Raises:
            KeyError: there is no such monitor.
        """
        self._watches[monitor].ask()

    def begin_maintenance(self, maintenance: Maintenance) -> None:
        """Begin one, or change the end of the one that goes on.

        Raises:
            KeyError: there is no such monitor.
        """
        if maintenance.monitor is not None and maintenance.monitor not in self._watches:
            raise KeyError(maintenance.monitor)
        self._maintenances.begin(maintenance)
        self._news.set()

    def end_maintenance(self, monitor: str | None) -> None:
        """End the one that was begun by hand for a monitor, or for all.

        Raises:
            KeyError: none was.
        """
        self._maintenances.end(monitor)
        self._news.set()

    def stuck(self, after: float) -> str:
        """Say which monitor is late by more than so many seconds; empty if none is."""
        for name, watch in self._watches.items():
            if watch.late() > after:
                return f"{name} is stuck: what is due does not begin, or does not end"
        return ""

    # --- at work ---

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Watch until cancelled; chats that are going on then are left."""
        self._caps = Caps(self._file.limits, await self._recent_chats())
        for name in self._parts.decider.monitors() - {m.name for m in self._file.monitors}:
            # It was taken out while no process was there to see it.
            self._parts.decider.forget(name, now=self.now())
        async with trio.open_nursery() as self._nursery:
            for monitor in self._file.monitors:
                await self._begin(monitor)
            self._nursery.start_soon(self._forget_now_and_then)
            self._nursery.start_soon(self._remember)
            task_status.started()

    async def change(self, file: MonitorsFile) -> None:
        """Go on by what another reading of the file says; where it serves and keeps stays."""
        gone = self._watches.keys() - {monitor.name for monitor in file.monitors}
        for name in gone:
            self._scopes.pop(name).cancel()
            del self._watches[name]
            self._parts.decider.forget(name, now=self.now())
        self._file = file
        self._maintenances.planned = file.windows
        self._caps.limits = file.limits
        for monitor in file.monitors:
            watch = self._watches.get(monitor.name)
            if watch is None:
                await self._begin(monitor)
            else:
                watch.change(monitor, await self._budget(monitor, partial(self._recent, watch)))
        self._news.set()

    async def _begin(self, monitor: Monitor) -> None:
        nursery = self._nursery
        if nursery is None:
            return  # `run` begins it.
        # Once: who comes back after it was gone from the file begins anew.
        remembered = self._known.pop(monitor.name, None)
        known = remembered if isinstance(remembered, Mapping) else {}
        recent = recent_from_json(known.get("recent"))
        watch = self._watches[monitor.name] = Watch(
            monitor,
            around=self,
            play=self._parts.play,
            caps=self._caps,
            rng=self._parts.rng,
            known=known_from_json(remembered),
            budget=await self._budget(monitor, lambda: recent),
        )
        scope = self._scopes[monitor.name] = trio.CancelScope()
        await nursery.start(self._watch, watch, scope)

    async def _watch(
        self, watch: Watch, scope: trio.CancelScope, *, task_status: trio.TaskStatus[None]
    ) -> None:
        with scope:
            await watch.run(task_status=task_status)

    # --- Surveillance ---

    def now(self) -> float:
        """Tell the time, epoch seconds."""
        return self._parts.now()

    def why_quiet(self, monitor: Monitor, *, asked: bool) -> str:
        """Say why a monitor plays nothing now; a person who asks is kept by less."""
        now = self.now()
        switch = self._file.kill_switch
        if switch is not None and switch.exists():
            return f"the kill switch is there: {switch}"
        maintenance = self._maintenances.of(monitor.name, now)
        if maintenance is not None:
            return f"maintenance: {maintenance.because}" if maintenance.because else "maintenance"
        if asked:
            return ""
        hours = monitor.schedule.hours
        if hours is not None and not hours.is_open(now):
            return "outside of business hours"
        for name in monitor.needs:
            needed = self._watches.get(name)
            if needed is not None and needed.known.health is Health.DOWN:
                return f"it needs {name}, which is down"
        return ""

    async def note(self, monitor: Monitor, result: JourneyResult, *, retest: bool) -> Check:
        """Keep what a journey came to, and tell of it."""
        file = self._file
        check = Check(
            monitor=monitor.name,
            location=file.location,
            result=result,
            retest=retest,
            link=f"{file.page.url}/journeys/{result.journey_id}"
            if file.page is not None and file.page.url
            else "",
        )
        try:
            evidence = journey_document(result)
            kept = finished(result, monitor=monitor.name, location=file.location, evidence=evidence)
            await self._parts.keeper.store(kept)
        except HistoryError as error:
            # The keeper counts it; that a journey is lost is no reason to be silent about it.
            log.error("%s: its journey is in no history: %s", monitor.name, error)
        for follower in self._parts.followers:
            follower.checked(check)
        return check

    def decide(self, check: Check, spending: Spending | None) -> Health:
        """Say what is known of the service after a check that is not played again."""
        health = self._parts.decider.decide(check)
        self._parts.decider.spends(check, spending)
        self._news.set()
        return health

    # --- what is kept ---

    async def _remember(self) -> None:
        """Write down what is known whenever it has changed, and at the end."""
        try:
            while True:
                await self._news.wait()
                # So soon after each other many may change that it is written once.
                await trio.sleep(GATHERING)
                self._news = trio.Event()
                await self._write_down()
        finally:
            with trio.CancelScope(shield=True):
                await self._write_down()

    async def _write_down(self) -> None:
        content = {
            "monitors": {name: self._known_of(watch) for name, watch in self._watches.items()},
            "maintenances": [
                maintenance_to_json(m) for m in self._maintenances.by_hand(self.now())
            ],
            "decider": self._parts.decider.state(),
        }
        try:
            await trio.to_thread.run_sync(self._parts.memory.save, content)
        except OSError as error:
            log.error("%s cannot be written: %s", self._parts.memory.path, error)

    def _known_of(self, watch: Watch) -> dict[str, Any]:
        return known_to_json(watch.known) | {"recent": self._recent(watch)}

    def _recent(self, watch: Watch) -> Sequence[Counted]:
        return watch.budget.recent(self.now()) if watch.budget else ()

    async def _budget(
        self, monitor: Monitor, look: Callable[[], Sequence[Counted]]
    ) -> Budget | None:
        """Count what is known within the window of an objective.

        Args:
            monitor: whose objective it is.
            look: gives its last checks, which are known better than the history knows them: that
                has one count for each hour, and in it what was played again. Checks may be counted
                while the history is asked, so it is called after that.
        """
        objective = monitor.objective
        if objective is None:
            return None
        budget, counts = Budget(objective=objective), await self._counts(monitor.name, objective)
        recent = look()
        for counted in recent:
            budget.add(counted)
        first = recent[0].at - recent[0].at % HOUR_OF_BUDGETS if recent else math.inf
        last = recent[-1].at if recent else -math.inf
        for start, verdict, times in counts:
            if not first <= start <= last:
                budget.count(verdict, start, times)
        return budget

    async def _counts(self, name: str, objective: Objective) -> list[tuple[float, Verdict, int]]:
        now = self.now()
        location = self._file.location
        try:
            found = await self._parts.keeper.ask(
                lambda history: history.ask(
                    bars,
                    since=now - objective.window,
                    until=now,
                    bucket=HOUR_OF_COUNTS,
                    monitor=name,
                    location=location,
                )
            )
        except HistoryError as error:
            log.warning("%s: its budget begins anew: %s", name, error)
            return []
        return [(bar.start, verdict, n) for bar in found for verdict, n in bar.counts.items()]

    async def _recent_chats(self) -> list[float]:
        """Tell how many seconds ago the chats of the last hour began, as far as caps need it."""
        most = self._file.limits.chats_per_hour
        if most is None:
            return []
        now, ages = self.now(), list[float]()
        location = self._file.location
        try:
            for monitor in self._file.monitors:
                found = await self._parts.keeper.ask(
                    lambda history, name=monitor.name: history.ask(  # type: ignore[misc]
                        latest, name, limit=most, location=location
                    )
                )
                ages += [now - entry.started_utc for entry in found]
        except HistoryError as error:
            log.warning("the chats of the last hour are not known: %s", error)
        return [age for age in ages if 0 <= age < HOUR]

    async def _forget_now_and_then(self) -> None:
        while True:
            try:
                await self._parts.keeper.forget(self._file.retention, now=self.now())
            except HistoryError as error:
                log.warning("what is old in the history stays for now: %s", error)
            await trio.sleep(BETWEEN_FORGETTING)
