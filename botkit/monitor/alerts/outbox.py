"""Takes alerts to one sink: in order, again where it fails, and never in the way of another."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

import trio

from botkit.errors import FOREIGN, ConfigError
from botkit.interfaces import AlertSink
from botkit.log_masking import masked
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
        attempts: how often it is tried.
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


class Outbox:
    """What one sink has to deliver.

    Attributes:
        standing: how it goes.
    """

    def __init__(self, route: Route) -> None:
        self._route = route
        self._group: DeliverGroup | None = getattr(route.sink, "deliver_group", None)
        self._waiting: deque[Alert] = deque()
        self._news = trio.Event()
        self.standing = Standing(sink=route.name)

    def put(self, alert: Alert) -> None:
        """Take an alert that goes this way; waits for nothing."""
        if not self._route.is_for(alert):
            return
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
            await self._deliver_all(self._route.attempts)

    async def flush(self) -> None:
        """Deliver what waits, with one attempt each."""
        await self._deliver_all(1)

    async def _deliver_all(self, attempts: int) -> None:
        while self._waiting:
            batch = self._next_batch()
            taken = await self._try(batch, attempts)
            # Only now: who is cancelled in the middle has not delivered it. There may be less room.
            for alert in batch:
                if self._waiting and self._waiting[0] is alert:
                    self._waiting.popleft()
            if taken:
                self.standing.delivered += len(batch)
            else:
                self.standing.failed += len(batch)
            self._count()

    def _next_batch(self) -> list[Alert]:
        """Give the first that wait and are of one kind, troubles or their ends."""
        if self._group is None:
            return [self._waiting[0]]
        _, first = next(groupby(self._waiting, key=lambda alert: alert.firing))
        return list(first)

    async def _try(self, batch: Sequence[Alert], attempts: int) -> bool:
        for attempt in range(attempts):
            if attempt:
                await trio.sleep(self._pause(attempt))
            again = await self._attempt(batch)
            if not self.standing.trouble:
                return True
            if not again:
                break
        titles = "; ".join(alert.title for alert in batch)
        log.error(
            "%s did not take an alert: %s; the alert: %s",
            self._route.name,
            self.standing.trouble,
            titles,
        )
        return False

    async def _attempt(self, batch: Sequence[Alert]) -> bool:
        """Try once; says in the standing what came of it, and here whether more may help."""
        route, again, trouble = self._route, True, ""
        with trio.move_on_after(route.within) as scope:
            try:
                await self._hand_over(batch)
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

    def _pause(self, attempt: int) -> float:
        return min(self._route.longest_pause, self._route.pause * 2.0 ** (attempt - 1))

    def _count(self) -> None:
        self.standing.waiting = len(self._waiting)
