"""Pages people: checks come in, alerts go out to all sinks, each at its own pace.

What people have been told is part of what is known of a monitor. So it outlives a restart, and
nobody is paged twice for one trouble.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import trio

from botkit.monitor.alerts.judge import GRAVITY, Change, Judge, Kind, Trouble
from botkit.monitor.alerts.outbox import Outbox, Route, Standing
from botkit.monitor.alerts.rules import Rules
from botkit.monitor.alerts.told import Told, told_from_json, told_to_json
from botkit.monitor.alerts.undelivered import Undelivered
from botkit.monitor.alerts.wording import alert_of, key_of
from botkit.monitor.contract import Check, Health
from botkit.monitor.slo import Spending
from botkit.results import Alert

log = logging.getLogger(__name__)

LAST_WORDS = 5.0
"""Seconds for what is to be delivered yet when a monitor stops."""
OF_JUDGES = {kind.value: kind for kind in Kind if kind not in {Kind.BURNING, Kind.DRAINING}}
"""The kinds that judges find."""


GATHERING = 1.0
"""Seconds until what waits is written down: most of it is delivered by then."""
T = TypeVar("T")


class Alerting:
    """Judges checks and pages people; a ``Decider`` of monitors, or a ``Follower`` of their checks.

    It is one or the other, for what it is told twice counts twice. Whoever calls :meth:`decide`
    tells of those checks alone that are not played again.

    Args:
        routes: where alerts go.
        rules: when people are paged, by the name of a monitor.
        remind: seconds after which people are told again what goes on; None if never.
        remembered: what :meth:`state` gave before a restart.
        undelivered: where alerts are kept that wait for their sinks; None to keep none.
    """

    def __init__(
        self,
        routes: Iterable[Route] = (),
        *,
        rules: Callable[[str], Rules] = lambda _: Rules(),
        remind: float | None = None,
        remembered: Any = None,
        undelivered: Undelivered | None = None,
    ) -> None:
        self.rules, self.remind = rules, remind
        self._undelivered = undelivered
        self._waiting = trio.Event()
        self._outboxes = [Outbox(route, lambda: self._waiting.set()) for route in routes]
        self._judges: dict[tuple[str, str], Judge] = {}
        self._told: dict[str, Told] = {}
        self._remember(remembered)

    def decide(self, check: Check) -> Health:
        """Take a check that is not played again; tells how the chat is."""
        return self._see(replace(check, retest=False))

    def checked(self, check: Check) -> None:
        """Take any check; a retest takes the place of what it repeats."""
        self._see(check)

    def spends(self, check: Check, spending: Spending | None) -> None:
        """Take how fast the error budget is spent after a check that :meth:`decide` has taken.

        Args:
            check: that one.
            spending: None if it is not spent too fast, or if nothing is promised.
        """
        told = self._told.get(key_of(check, Kind.BURNING))
        if spending is not None:
            kind = Kind.BURNING if spending.alarm.urgent else Kind.DRAINING
            self._overspent(check, spending, kind, told)
        elif told is not None:
            trouble = Trouble(kind=Kind(told.alert.kind), since_utc=told.alert.since_utc)
            self.tell(alert_of(Change(trouble=trouble, firing=False), check))

    def tell(self, alert: Alert) -> None:
        """Let people know of something, unless they were told the same and nothing since."""
        told = self._told.get(alert.key)
        if alert.firing:
            if told is not None and (told.alert.kind, alert.reminder) == (alert.kind, told.times):
                return
            at = alert.since_utc if alert.journey is None else alert.journey.started_utc
            self._told[alert.key] = Told(alert=alert, at=at, times=alert.reminder)
        elif self._told.pop(alert.key, None) is None:
            return
        log.info("alert: %s", alert.title)
        for outbox in self._outboxes:
            outbox.put(alert)

    def forget(self, monitor: str, *, now: float) -> None:
        """Know a monitor no more; what was wrong with it is told to be watched no longer.

        Args:
            monitor: its name.
            now: epoch seconds.
        """
        for key in [key for key in self._judges if key[0] == monitor]:
            del self._judges[key]
        for told in [told for told in self._told.values() if told.alert.monitor == monitor]:
            title = f"{monitor} is not watched any more"
            text = "It was taken out of the file of monitors while it was in trouble."
            ended = replace(told.alert, firing=False, ended_utc=now, journey=None, reminder=0)
            self.tell(replace(ended, title=title, text=text))

    def monitors(self) -> frozenset[str]:
        """Name the monitors of which something is known."""
        told = {told.alert.monitor for told in self._told.values()}
        return frozenset(monitor for monitor, _ in self._judges) | told - {""}

    def alerts(self) -> Sequence[Alert]:
        """Give the troubles that people were told of and that go on."""
        return [told.alert for told in self._told.values()]

    def standings(self) -> Sequence[Standing]:
        """Tell how it goes with each sink."""
        return [outbox.standing for outbox in self._outboxes]

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Deliver until cancelled; what waits then is tried once more, for a short time."""
        await self._take_late()
        try:
            async with trio.open_nursery() as nursery:
                for outbox in self._outboxes:
                    nursery.start_soon(outbox.run)
                nursery.start_soon(self._keep_waiting)
                task_status.started()
        finally:
            with trio.CancelScope(shield=True):
                await self._last_words()
                await self._write_down()

    async def _last_words(self) -> None:
        with trio.move_on_after(LAST_WORDS):
            async with trio.open_nursery() as nursery:
                for outbox in self._outboxes:
                    nursery.start_soon(outbox.flush)
        kept = "" if self._undelivered is None else ", and are kept until the next start"
        for standing in self.standings():
            if standing.waiting:
                log.error(
                    "%s: %d alerts are not delivered%s", standing.sink, standing.waiting, kept
                )

    # --- what waits ---

    async def _take_late(self) -> None:
        """Deliver what waited when the process before ended."""
        if self._undelivered is None:
            return
        found = await trio.to_thread.run_sync(self._undelivered.load)
        for outbox in self._outboxes:
            for overdue in found.pop(outbox.standing.sink, ()):
                outbox.put_late(overdue)
        for sink, items in found.items():
            titles = "; ".join(one.alert.title for one in items)
            log.error("there is no way %s any more for what waited: %s", sink, titles)

    async def _keep_waiting(self) -> None:
        """Write down what waits whenever that has changed."""
        while True:
            await self._waiting.wait()
            await trio.sleep(GATHERING)
            self._waiting = trio.Event()
            await self._write_down()

    async def _write_down(self) -> None:
        if self._undelivered is None:
            return
        waiting = {outbox.standing.sink: outbox.waiting() for outbox in self._outboxes}
        try:
            await trio.to_thread.run_sync(self._undelivered.save, waiting)
        except OSError as error:
            log.error("alerts that wait cannot be written down: %s", error)

    # --- what is known ---

    def _see(self, check: Check) -> Health:
        judge = self._judge(check)
        for change in judge.see(check):
            self.tell(alert_of(change, check))
        for trouble in (judge.known.trouble, judge.known.broken):
            if trouble is not None:
                self._remind(trouble, check)
        return judge.health

    def _judge(self, check: Check) -> Judge:
        key = check.monitor, check.location
        judge = self._judges.get(key)
        if judge is None:
            judge = self._judges[key] = Judge()
        judge.rules = self.rules(check.monitor)
        return judge

    def _overspent(self, check: Check, spending: Spending, kind: Kind, told: Told | None) -> None:
        """Tell that the budget is spent too fast, when that is new, worse or to be told again."""
        if told is None:
            trouble = Trouble(kind=kind, since_utc=check.result.started_utc)
            self.tell(alert_of(Change(trouble=trouble, firing=True), check, spending=spending))
            return
        before = Kind(told.alert.kind)
        if GRAVITY[kind] > GRAVITY[before]:
            trouble = Trouble(kind=kind, since_utc=told.alert.since_utc)
            change = Change(trouble=trouble, firing=True, worse=True)
            self.tell(alert_of(change, check, spending=spending))
            return
        self._remind(Trouble(kind=before, since_utc=told.alert.since_utc), check, spending)

    def _remind(self, trouble: Trouble, check: Check, spending: Spending | None = None) -> None:
        told = self._told.get(key_of(check, trouble.kind))
        if self.remind is None or told is None:
            return
        if check.result.started_utc - told.at >= self.remind:
            change = Change(trouble=trouble, firing=True)
            reminder = told.times + 1
            self.tell(alert_of(change, check, reminder=reminder, spending=spending))

    # --- what outlives a restart ---

    def state(self) -> Any:
        """Give what is known and what people were told, as JSON has it."""
        return {
            "judges": [
                {"monitor": monitor, "location": location, "known": judge.state()}
                for (monitor, location), judge in self._judges.items()
            ],
            "told": [told_to_json(told) for told in self._told.values()],
        }

    def _remember(self, content: Any) -> None:
        content = content if isinstance(content, Mapping) else {}
        for key, judge in _readable(content.get("judges"), _judge_from_json):
            self._judges[key] = judge
        for told in _readable(content.get("told"), told_from_json):
            self._told[told.alert.key] = told
        self._agree()

    def _agree(self) -> None:
        """Have the judges know what people were told: only one of the two may have been read."""
        troubles: dict[tuple[str, str], dict[bool, Trouble]] = {}
        for told in self._told.values():
            kind = OF_JUDGES.get(told.alert.kind)
            if kind is not None:
                of = troubles.setdefault((told.alert.monitor, told.alert.location), {})
                of[kind is Kind.BROKEN] = Trouble(kind=kind, since_utc=told.alert.since_utc)
        for key in troubles:
            self._judges.setdefault(key, Judge())
        for key, judge in self._judges.items():
            found = troubles.get(key, {})
            judge.agree(found.get(False), found.get(True))


def _readable(items: Any, read: Callable[[Any], T]) -> Iterator[T]:
    """Read a list, leaving out what is wrong."""
    for item in items if isinstance(items, list) else ():
        try:
            yield read(item)
        except (KeyError, TypeError, ValueError) as error:
            log.warning("something that was told before is not known any more: %r", error)


def _judge_from_json(content: Mapping[str, Any]) -> tuple[tuple[str, str], Judge]:
    key = str(content["monitor"]), str(content["location"])
    return key, Judge.restored(content["known"])
