"""Takes alerts to one sink: in order, again where it fails, and never in the way of another.

Theory of operation: what a sink does not take is tried again after longer and longer pauses. A sink
that takes nothing at all is out of order, and what waits for it waits for hours. One that takes the
next alert, and not this one however often it is asked, does not want this one: it is given up, and
keeps no other waiting.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import count, groupby

import trio

from botkit.errors import FOREIGN, ConfigError
from botkit.interfaces import AlertSink
from botkit.log_masking import masked
from botkit.monitor.alerts.told import Overdue
from botkit.monitor.alerts.wording import late
from botkit.results import Alert

log = logging.getLogger(__name__)

DeliverGroup = Callable[[Sequence[Alert]], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """The way to one sink.

    Attributes:
        name: what people call it.
        sink: takes alerts further.
        monitors: those that it is for; empty for all.
        kinds: the kinds of alerts that it is for; empty for all.
        gather: seconds in which others may join the first of a group; only where the sink can show
            several at once.
        within: seconds that an attempt may take.
        attempts: how often an alert is tried before one that waits behind it is.
        patience: seconds after which it is given up even if the sink takes no other.
        pause: seconds before the second attempt; twice as long before each further one.
        longest_pause: seconds.
        room: alerts that may wait; the oldest goes, and is counted, when there are more.
    """

    name: str
    sink: AlertSink
    monitors: frozenset[str] = frozenset()
    kinds: frozenset[str] = frozenset()
    gather: float = 5.0
    within: float = 30.0
    attempts: int = 6
    patience: float = 86400.0
    pause: float = 2.0
    longest_pause: float = 60.0
    room: int = 1_000

    def is_for(self, alert: Alert) -> bool:
        """Tell whether an alert goes this way."""
        if self.monitors and alert.monitor not in self.monitors:
            return False
        return not self.kinds or alert.kind in self.kinds


@dataclass(slots=True, kw_only=True)
class Standing:
    """How it goes with one sink.

    Attributes:
        sink: the name of the route.
        delivered: alerts that it has taken.
        failed: alerts that it did not take, however often it was asked.
        dropped: alerts for which there was no room.
        waiting: alerts that are not delivered yet.
        trouble: why the last attempt failed; empty if it did not.
    """

    sink: str
    delivered: int = 0
    failed: int = 0
    dropped: int = 0
    waiting: int = 0
    trouble: str = ""


MOST_DOUBLED = 30
"""Times that a pause is doubled: more is no number any more."""
LATE = 120.0
"""Seconds after which an alert says that it is late."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Waiting:
    """An alert on its way.

    Attributes:
        alert: as it was told.
        since: when that was, by the loop's clock.
        restarted: it waited when the process before ended.
    """

    alert: Alert
    since: float
    restarted: bool = False

    @property
    def age(self) -> float:
        return trio.current_time() - self.since

    def shown(self) -> Alert:
        """Give it as it is delivered now."""
        return late(self.alert, self.age) if self.restarted or self.age >= LATE else self.alert


class Outbox:
    """What one sink has to deliver.

    Args:
        route: the way there.
        changed: is called when something waits, and when it does not any more.

    Attributes:
        standing: how it goes.
    """

    def __init__(self, route: Route, changed: Callable[[], None] = lambda: None) -> None:
        self._route, self._changed = route, changed
        self._group: DeliverGroup | None = getattr(route.sink, "deliver_group", None)
        self._waiting: deque[Waiting] = deque()
        self._news = trio.Event()
        self.standing = Standing(sink=route.name)

    def waiting(self) -> list[Overdue]:
        """Give what is not delivered yet, oldest first."""
        return [Overdue(alert=one.alert, age=one.age) for one in self._waiting]

    def put_late(self, overdue: Overdue) -> None:
        """Take an alert that was told before a restart."""
        since = trio.current_time() - overdue.age
        self._put(Waiting(alert=overdue.alert, since=since, restarted=True))

    def put(self, alert: Alert) -> None:
        """Take an alert that goes this way; waits for nothing."""
        if self._route.is_for(alert):
            self._put(Waiting(alert=alert, since=trio.current_time()))

    def _put(self, alert: Waiting) -> None:
        if len(self._waiting) >= self._route.room:
            self._waiting.popleft()
            self.standing.dropped += 1
            log.error("alerts for %s: there is no room for all, one is lost", self._route.name)
        self._waiting.append(alert)
        self._count()
        self._news.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        while True:
            await self._news.wait()
            if self._group is not None:
                await trio.sleep(self._route.gather)
            self._news = trio.Event()
            while self._waiting:
                await self._deliver(self._next_batch(self._waiting))

    async def flush(self) -> None:
        """Deliver what waits, with one attempt each, until one fails; what is left waits on."""
        while self._waiting:
            batch = self._next_batch(self._waiting)
            again = await self._attempt(batch)
            if self.standing.trouble and again:
                return
            self._done(batch, taken=not self.standing.trouble, why=self.standing.trouble)

    async def _deliver(self, batch: Sequence[Waiting]) -> None:
        """Try until it is taken, or is to be given up."""
        for tried in count(1):
            again = await self._attempt(batch)
            trouble = self.standing.trouble
            if not trouble or not again:
                break
            if tried >= self._route.attempts:
                if batch[0].age >= self._route.patience or await self._takes_another(batch):
                    break
                if tried == self._route.attempts:
                    log.error("%s takes nothing, and is asked on: %s", self._route.name, trouble)
            await trio.sleep(self._pause(tried))
        self._done(batch, taken=not trouble, why=trouble)

    async def _takes_another(self, batch: Sequence[Waiting]) -> bool:
        """Try what waits behind; tells whether it was taken."""
        behind = [one for one in self._waiting if one not in batch]
        if not behind:
            return False
        following = self._next_batch(behind)
        again = await self._attempt(following)
        trouble = self.standing.trouble
        if not trouble or not again:
            self._done(following, taken=not trouble, why=trouble)
        return not trouble

    def _done(self, batch: Sequence[Waiting], *, taken: bool, why: str = "") -> None:
        # Only now: who is cancelled in the middle has not delivered it. There may be less room.
        self._waiting = deque(one for one in self._waiting if one not in batch)
        if taken:
            self.standing.delivered += len(batch)
        else:
            self.standing.failed += len(batch)
            titles = "; ".join(one.alert.title for one in batch)
            name = self._route.name
            log.error("%s did not take an alert: %s; the alert: %s", name, why, titles)
        self._count()

    def _next_batch(self, waiting: Sequence[Waiting]) -> list[Waiting]:
        """Give the first that wait and are of one kind, troubles or their ends."""
        if self._group is None:
            return [waiting[0]]
        _, first = next(groupby(waiting, key=lambda one: one.alert.firing))
        return list(first)

    async def _attempt(self, batch: Sequence[Waiting]) -> bool:
        """Try once; says in the standing what came of it, and here whether more may help."""
        route, again, trouble = self._route, True, ""
        with trio.move_on_after(route.within) as scope:
            try:
                await self._hand_over([one.shown() for one in batch])
            except ConfigError as error:
                trouble, again = str(error), False
            except FOREIGN as error:  # The boundary to plugins' code.
                trouble = str(error) or type(error).__name__
        if scope.cancelled_caught:
            trouble = f"nothing came of it within {route.within:g} s"
        # The words of a plugin, which may tell the address that it posts to.
        self.standing.trouble = masked(trouble)
        return again

    async def _hand_over(self, batch: Sequence[Alert]) -> None:
        if self._group is not None and len(batch) > 1:
            await self._group(batch)
            return
        for alert in batch:
            await self._route.sink.deliver(alert)

    def _pause(self, tried: int) -> float:
        doubled = min(tried - 1, MOST_DOUBLED)
        return min(self._route.longest_pause, self._route.pause * 2.0**doubled)

    def _count(self) -> None:
        self.standing.waiting = len(self._waiting)
        self._changed()
