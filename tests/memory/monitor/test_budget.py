"""Error budgets that are spent too fast, on virtual time: who is paged, and how often."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from botkit.monitor.alerts.alerting import Alerting
from botkit.monitor.alerts.outbox import Route
from botkit.monitor.alerts.rules import Rules, Share
from botkit.monitor.contract import Maintenance
from botkit.monitor.decided import Monitor, Retest
from botkit.monitor.memory import Memory
from botkit.monitor.slo import Objective
from botkit.results import Alert, Verdict

Make = Callable[..., Monitor]
HOUR, DAY = 3600.0, 86400.0
NEVER_DOWN = Rules(fail=Share(9, 9), flapping=None, degraded=None)
"""So that nothing but the budget pages."""


@dataclass
class Pager:
    """Where people are paged."""

    alerts: list[Alert] = field(default_factory=list)

    async def deliver(self, alert: Alert) -> None:
        await trio.lowlevel.checkpoint()
        self.alerts.append(alert)

    def told(self) -> list[tuple[bool, str]]:
        return [(alert.firing, alert.kind) for alert in self.alerts]


@pytest.fixture
def pager() -> Pager:
    return Pager()


@asynccontextmanager
async def paging(
    probe: Any, pager: Pager, *monitors: Monitor, rules: Rules = NEVER_DOWN, **more: Any
) -> AsyncIterator[Any]:
    """Have monitors at work with what is remembered of the process before."""
    remembered = Memory(probe.folder / "m.state").load().get("decider")
    probe.decider = Alerting(
        [Route(name="pager", sink=pager)], rules=lambda _: rules, remembered=remembered, **more
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(probe.decider.run)
        async with probe.at_work(*monitors) as monitoring:
            yield monitoring
            await trio.sleep(1)
        nursery.cancel_scope.cancel()


def one_in(bad: int, spans: Iterable[tuple[float, float]]) -> Callable[[str, float], Verdict]:
    """Fail one time in so many within some spans of time."""
    played = iter(range(10**9))

    def verdict(_: str, at: float) -> Verdict:
        if any(begin <= at < end for begin, end in spans) and next(played) % bad == bad - 1:
            return Verdict.FAILED
        return Verdict.PASSED

    return verdict


def promised(make: Make, **more: Any) -> Monitor:
    return make("chat", 300, objective=Objective(target=0.99), **more)


async def test_a_budget_that_burns_pages_once_and_once_more_when_it_is_over(
    probe: Any, make_monitor: Make, pager: Pager, autojump_clock: MockClock
) -> None:
    probe.centre.verdict = one_in(2, [(10 * HOUR, 12 * HOUR)])
    async with paging(probe, pager, promised(make_monitor)):
        await trio.sleep(2 * DAY)
    assert pager.told() == [(True, "burning"), (False, "burning")]
    begun, over = pager.alerts
    assert begun.key == over.key == "chat@here/budget"
    assert 10 * HOUR <= begun.since_utc - probe.centre.starts_utc < 10.5 * HOUR
    assert begun.title.startswith("chat (here) spends its error budget too fast: ")
    assert "times as fast as it may over 30 days" in begun.title
    assert "Within the last 1 h it was" in begun.text
    assert over.title == "chat (here) spends its error budget no faster than it may"
    assert over.ended_utc is not None


async def test_what_drains_is_told_as_such_and_told_again_when_it_burns(
    probe: Any, make_monitor: Make, pager: Pager, autojump_clock: MockClock
) -> None:
    probe.centre.verdict = one_in(40, [(0, DAY)])
    monitor = promised(make_monitor)
    async with paging(probe, pager, monitor):
        await trio.sleep(DAY)
        assert pager.told() == [(True, "draining")]
        probe.centre.verdict = one_in(2, [(DAY, 1.2 * DAY)])
        await trio.sleep(DAY)
    assert pager.told() == [(True, "draining"), (True, "burning"), (False, "burning")]
    assert "It has grown worse." in pager.alerts[1].text
    assert len({alert.since_utc for alert in pager.alerts}) == 1


async def test_an_outage_is_told_apart_from_its_budget(
    probe: Any, make_monitor: Make, pager: Pager, autojump_clock: MockClock
) -> None:
    probe.centre.verdict = one_in(1, [(10 * HOUR, 12 * HOUR)])
    async with paging(probe, pager, promised(make_monitor), rules=Rules()):
        await trio.sleep(DAY)
        assert {alert.key for alert in pager.alerts} == {"chat@here", "chat@here/budget"}
        assert pager.told()[:2] == [(True, "down"), (True, "burning")]
        await trio.sleep(3 * DAY)
    assert sorted(pager.told()) == [
        (False, "burning"),
        (False, "down"),
        (True, "burning"),
        (True, "down"),
    ]


async def test_a_restart_pages_nobody_again_and_forgets_no_end(
    probe: Any, make_monitor: Make, pager: Pager, autojump_clock: MockClock
) -> None:
    probe.centre.verdict = one_in(2, [(10 * HOUR, 12 * HOUR)])
    monitor = promised(make_monitor)
    async with paging(probe, pager, monitor):
        await trio.sleep(11 * HOUR)
    assert pager.told() == [(True, "burning")]
    for _ in range(5):
        async with paging(probe, pager, monitor):
            await trio.sleep(700)
    assert pager.told() == [(True, "burning")]
    async with paging(probe, pager, monitor):
        await trio.sleep(2 * DAY)
    assert pager.told() == [(True, "burning"), (False, "burning")]


async def test_what_was_played_again_burns_nothing_even_after_a_restart(
    probe: Any, make_monitor: Make, pager: Pager, autojump_clock: MockClock
) -> None:
    probe.centre.verdict = lambda _, at: Verdict.FAILED if at % 300 == 0 else Verdict.PASSED
    monitor = promised(make_monitor, retest=Retest(after=10, times=1))
    async with paging(probe, pager, monitor) as monitoring:
        await trio.sleep(5 * HOUR)
        assert monitoring.monitors()[0].slo_left == 1
    async with paging(probe, pager, monitor) as monitoring:
        await trio.sleep(5 * HOUR)
        assert monitoring.monitors()[0].slo_left == 1
        await monitoring.change(probe.file(replace(monitor, title="new")))
        assert monitoring.monitors()[0].slo_left == 1
    assert pager.alerts == []


async def test_a_maintenance_burns_nothing(
    probe: Any, make_monitor: Make, pager: Pager, autojump_clock: MockClock
) -> None:
    probe.centre.verdict = one_in(2, [(10 * HOUR, 12 * HOUR)])
    async with paging(probe, pager, promised(make_monitor)) as monitoring:
        await trio.sleep(10 * HOUR - 10)
        until = probe.now() + 3 * HOUR
        monitoring.begin_maintenance(Maintenance(monitor="chat", until_utc=until))
        await trio.sleep(5 * HOUR)
    assert pager.alerts == []


async def test_it_is_told_again_as_other_troubles_are(
    probe: Any, make_monitor: Make, pager: Pager, autojump_clock: MockClock
) -> None:
    probe.centre.verdict = one_in(2, [(0, 10 * HOUR)])
    async with paging(probe, pager, promised(make_monitor), remind=2 * HOUR):
        await trio.sleep(7 * HOUR)
    assert [alert.reminder for alert in pager.alerts] == [0, 1, 2, 3]
    assert {alert.kind for alert in pager.alerts} == {"burning"}
    assert "still" in pager.alerts[1].title


async def test_a_monitor_without_a_promise_any_more_spends_nothing(
    probe: Any, make_monitor: Make, pager: Pager, autojump_clock: MockClock
) -> None:
    probe.centre.verdict = one_in(2, [(0, DAY)])
    monitor = promised(make_monitor)
    async with paging(probe, pager, monitor) as monitoring:
        await trio.sleep(5 * HOUR)
        await monitoring.change(probe.file(replace(monitor, objective=None)))
        await trio.sleep(600)
    assert pager.told() == [(True, "burning"), (False, "burning")]
