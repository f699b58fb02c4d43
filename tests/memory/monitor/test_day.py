"""A whole day of ten monitors, on virtual time: who is paged, and who is left in peace.

It is the day on which the clocks go back in Berlin, of 25 hours.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import trio
from trio.testing import MockClock

from botkit.monitor.alerts.alerting import Alerting
from botkit.monitor.alerts.outbox import Route
from botkit.monitor.caps import Limits
from botkit.monitor.decided import Monitor
from botkit.monitor.history import bars
from botkit.monitor.hours import Hours, parse_span
from botkit.monitor.maintenance import Window
from botkit.monitor.schedule import Cron
from botkit.results import Alert, Verdict

BERLIN = ZoneInfo("Europe/Berlin")
MIDNIGHT = datetime(2026, 10, 25, tzinfo=BERLIN).timestamp()
DAY, HOUR, PERIOD = 25 * 3600, 3600, 300
OUTAGE = (10 * HOUR, 11 * HOUR)
FLAPPING = (4 * HOUR, 6 * HOUR)
OFFICE = Hours(spans=(parse_span("08:00-18:00"),), zone=BERLIN)


@dataclass
class Pager:
    """Where people are paged."""

    alerts: list[Alert] = field(default_factory=list)

    async def deliver(self, alert: Alert) -> None:
        await trio.lowlevel.checkpoint()
        self.alerts.append(alert)

    def told(self, monitor: str) -> list[tuple[bool, str]]:
        return [(alert.firing, alert.kind) for alert in self.alerts if alert.monitor == monitor]


def verdicts() -> Callable[[str, float], Verdict]:
    """Say how each journey of the day goes."""
    rng = random.Random(26)
    runs = Counter[str]()

    def verdict(bot: str, at: float) -> Verdict:
        runs[bot] += 1
        if bot.startswith("blips"):
            # One in twelve, never two within three checks of each other.
            return Verdict.FAILED if runs[bot] % 12 == 0 else Verdict.PASSED
        if bot == "outage" and OUTAGE[0] <= at < OUTAGE[1]:
            return Verdict.FAILED
        if bot == "flapping" and FLAPPING[0] <= at < FLAPPING[1]:
            return Verdict.FAILED if runs[bot] % 3 == 0 else Verdict.PASSED
        if bot == "slow":
            return rng.choice([Verdict.PASSED] * 9 + [Verdict.DEGRADED])
        return Verdict.PASSED

    return verdict


def monitors(make: Callable[..., Monitor]) -> list[Monitor]:
    return [
        *(make(f"blips {number}", PERIOD, jitter=30) for number in range(3)),
        make("outage", PERIOD),
        make("flapping", PERIOD),
        make("slow", PERIOD, jitter=60),
        make("office", PERIOD, hours=OFFICE, jitter=120),
        make("maintained", PERIOD),
        make("hourly", Cron(expression="0 * * * *", zone=BERLIN)),
        make("nightly", Cron(expression="30 2 * * *", zone=BERLIN)),
    ]


async def test_a_day_of_ten_monitors(
    probe: Any, make_monitor: Callable[..., Monitor], autojump_clock: MockClock
) -> None:
    pager = Pager()
    probe.centre.starts_utc = MIDNIGHT
    probe.centre.verdict = verdicts()
    probe.decider = Alerting([Route(name="pager", sink=pager)])
    window = Window(
        begin=MIDNIGHT + 12 * HOUR,
        end=MIDNIGHT + 14 * HOUR,
        monitors=frozenset({"maintained"}),
    )
    limits = Limits(chats=4, chats_per_hour=200)
    async with trio.open_nursery() as nursery:
        await nursery.start(probe.decider.run)
        async with probe.at_work(*monitors(make_monitor), windows=(window,), limits=limits):
            await trio.sleep(DAY - 1)
            history = probe.monitoring._parts.keeper.history
            found = history.ask(
                bars, since=MIDNIGHT, until=MIDNIGHT + DAY - 1, bucket=HOUR, location="here"
            )
        nursery.cancel_scope.cancel()
    begun = probe.centre.begun

    quiet = {alert.monitor for alert in pager.alerts} - {"outage", "flapping"}
    assert not quiet, "blips page nobody"
    assert pager.told("outage") == [(True, "down"), (False, "down")]
    down = next(alert for alert in pager.alerts if alert.monitor == "outage")
    assert OUTAGE[0] <= down.since_utc - MIDNIGHT < OUTAGE[0] + PERIOD

    kinds = {kind for _, kind in pager.told("flapping")}
    assert kinds == {"flapping"}
    firing = [alert.firing for alert in pager.alerts if alert.monitor == "flapping"]
    assert firing == [True, False]
    first = next(alert for alert in pager.alerts if alert.monitor == "flapping")
    assert first.journey is not None
    runs = begun("flapping")
    failed = [at for bot, at in probe.centre.failed if bot == "flapping"]
    first_failure = runs.index(failed[0])
    noticed = runs.index(first.journey.started_utc - MIDNIGHT)
    assert noticed - first_failure < 5, "within five runs, the first that failed among them"

    assert all(OFFICE.is_open(MIDNIGHT + at) for at in begun("office"))
    assert len(begun("office")) >= 10 * 12 - 2
    maintained = begun("maintained")
    assert not [at for at in maintained if 12 * HOUR <= at < 14 * HOUR]
    assert len(maintained) >= (25 - 2) * 12 - 2

    # The hour from two to three comes twice; what is due once in it is played once.
    assert len(begun("hourly")) == 25 - 1, "midnight was over when the probe began"
    assert {later - earlier for earlier, later in pairwise(begun("hourly"))} == {HOUR}
    assert len(begun("nightly")) == 1

    assert probe.centre.most <= limits.chats
    every = begun()
    per_hour = limits.chats_per_hour
    assert all(b - a >= HOUR for a, b in zip(every, every[per_hour:], strict=False))
    assert sum(sum(bar.counts.values()) for bar in found) == len(every), "all are in the history"


async def test_ten_times_as_much_as_the_caps_allow(
    probe: Any, make_monitor: Callable[..., Monitor], autojump_clock: MockClock
) -> None:
    """Caps hold, every monitor has its turn, and what was dropped is counted."""
    limits = Limits(chats=2, chats_per_hour=60)
    crowd = [make_monitor(f"m{number}", 60, jitter=20) for number in range(10)]
    async with probe.at_work(*crowd, limits=limits):
        await trio.sleep(6 * HOUR)
        dropped = sum(watch.known.dropped for watch in probe.monitoring._watches.values())
    every = probe.centre.begun()
    assert probe.centre.most <= 2
    assert all(b - a >= HOUR for a, b in zip(every, every[60:], strict=False))
    assert 5 * 60 <= len(every) <= 6 * 60
    assert dropped + len(every) >= 0.98 * 10 * 6 * 60, "the rest waits, or was late by chance"
    assert min(len(probe.centre.begun(f"m{number}")) for number in range(10)) >= 10
