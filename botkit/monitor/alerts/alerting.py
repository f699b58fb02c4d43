"""Pages people: checks come in, alerts go out to all sinks, each at its own pace.

What people have been told is part of what is known of a monitor. So it outlives a restart, and
nobody is paged twice for one trouble.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import trio

from botkit.monitor.alerts.judge import GRAVITY, Change, Judge, Kind, Trouble
from botkit.monitor.alerts.outbox import Outbox, Route, Standing
from botkit.monitor.alerts.rules import Rules
from botkit.monitor.alerts.wording import alert_of, key_of
from botkit.monitor.contract import Check, Health
from botkit.monitor.slo import Spending
from botkit.results import Alert

log = logging.getLogger(__name__)

LAST_WORDS = 5.0
"""Seconds for what is to be delivered yet when a monitor stops."""


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


class Alerting:
    """Judges checks and pages people; a ``Decider`` of monitors, or a ``Follower`` of their checks.

    It is one or the other, for what it is told twice counts twice. Whoever calls :meth:`decide`
    tells of those checks alone that are not played again.

    Args:
        routes: where alerts go.
        rules: when people are paged, by the name of a monitor.
        remind: seconds after which people are told again what goes on; None if never.
        remembered: what :meth:`state` gave before a restart.
    """

    def __init__(
        self,
        routes: Iterable[Route] = (),
        *,
        rules: Callable[[str], Rules] = lambda _: Rules(),
        remind: float | None = None,
        remembered: Any = None,
    ) -> None:
        self.rules, self.remind = rules, remind
        self._outboxes = [Outbox(route) for route in routes]
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
            trouble = Trouble(kind=_kind_of(told.alert), since_utc=told.alert.since_utc)
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

    def forget(self, monitor: str) -> None:
        """Know a monitor no more; what was wrong with it is told to be watched no longer."""
        for key in [key for key in self._judges if key[0] == monitor]:
            del self._judges[key]
        for told in [told for told in self._told.values() if told.alert.monitor == monitor]:
            title = f"{monitor} is not watched any more"
            text = "It was taken out of the file of monitors while it was in trouble."
            self.tell(replace(told.alert, firing=False, title=title, text=text, journey=None))

    def monitors(self) -> frozenset[str]:
        """Name the monitors of which something is known."""
        return frozenset(monitor for monitor, _ in self._judges)

    def alerts(self) -> Sequence[Alert]:
        """Give the troubles that people were told of and that go on."""
        return [told.alert for told in self._told.values()]

    def standings(self) -> Sequence[Standing]:
        """Tell how it goes with each sink."""
        return [outbox.standing for outbox in self._outboxes]

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Deliver until cancelled; what waits then is tried once more, for a short time."""
        try:
            async with trio.open_nursery() as nursery:
                for outbox in self._outboxes:
                    nursery.start_soon(outbox.run)
                task_status.started()
                await trio.sleep_forever()
        finally:
            await self._last_words()

    async def _last_words(self) -> None:
        with trio.move_on_after(LAST_WORDS, shield=True):
            async with trio.open_nursery() as nursery:
                for outbox in self._outboxes:
                    nursery.start_soon(outbox.flush)
        for standing in self.standings():
            if standing.waiting:
                log.error("%s: %d alerts are not delivered", standing.sink, standing.waiting)

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
        before = _kind_of(told.alert)
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
            "told": [_told_to_json(told) for told in self._told.values()],
        }

    def _remember(self, content: Any) -> None:
        content = content if isinstance(content, Mapping) else {}
        try:
            for item in content.get("judges", ()):
                key = str(item["monitor"]), str(item["location"])
                self._judges[key] = Judge.restored(item["known"])
            for item in content.get("told", ()):
                told = _told_from_json(item)
                self._told[told.alert.key] = told
        except (KeyError, TypeError, ValueError) as error:
            log.warning("what was told before is not known any more: %r", error)
            self._judges.clear()
            self._told.clear()


def _kind_of(alert: Alert) -> Kind:
    """Give the kind of an alert of the budget, though it may have been told by another botkit."""
    return Kind.DRAINING if alert.kind == Kind.DRAINING.value else Kind.BURNING


TOLD_TEXTS = ("key", "title", "text", "kind", "monitor", "location", "link")


def _told_to_json(told: Told) -> dict[str, Any]:
    texts = {name: getattr(told.alert, name) for name in TOLD_TEXTS}
    return {**texts, "since_utc": told.alert.since_utc, "at": told.at, "times": told.times}


def _told_from_json(content: Mapping[str, Any]) -> Told:
    times = int(content["times"])
    alert = Alert(
        key=str(content["key"]),
        firing=True,
        title=str(content["title"]),
        text=str(content["text"]),
        since_utc=float(content["since_utc"]),
        kind=str(content["kind"]),
        monitor=str(content["monitor"]),
        location=str(content["location"]),
        link=str(content["link"]),
        reminder=times,
    )
    return Told(alert=alert, at=float(content["at"]), times=times)
