"""Monitors at work on virtual time: when they play, what keeps them, what they remember."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from botkit.errors import ConfigError
from botkit.monitor.alerts.alerting import Alerting
from botkit.monitor.caps import Limits
from botkit.monitor.contract import Health, Maintenance
from botkit.monitor.decided import Monitor, Retest
from botkit.monitor.history import latest
from botkit.monitor.hours import Hours, parse_span
from botkit.monitor.maintenance import Window
from botkit.monitor.slo import Objective
from botkit.results import Reason, Verdict

Make = Callable[..., Monitor]


def failing(*times: tuple[float, float]) -> Callable[[str, float], Verdict]:
    """Fail from one time to another."""
    return lambda _, at: (
        Verdict.FAILED if any(begin <= at < end for begin, end in times) else Verdict.PASSED
    )


async def test_a_monitor_plays_in_its_rhythm(
    probe: Any, make_monitor: Make, autojump_clock: MockClock
) -> None:
    async with probe.at_work(make_monitor("chat", 60)):
        await trio.sleep(300)
    assert probe.centre.begun() == [0, 60, 120, 180, 240]
    assert [check.location for check in probe.checks.all] == ["here"] * 5


async def test_each_check_is_in_the_history_before_it_is_told(
    probe: Any, make_monitor: Make, autojump_clock: MockClock
) -> None:
    kept: list[int] = []

    class Counting:
        def checked(self, check: object) -> None:
            history = probe.monitoring._parts.keeper.history
            kept.append(len(history.ask(latest, "chat", limit=100)))

    probe.checks = Counting()
    async with probe.at_work(make_monitor("chat", 60)):
        await trio.sleep(200)
    assert kept == [1, 2, 3, 4]


async def test_a_journey_that_takes_too_long_shifts_no_other(
    probe: Any, make_monitor: Make, autojump_clock: MockClock
) -> None:
    probe.centre.lasts = 130
    async with probe.at_work(make_monitor("chat", 60)):
        await trio.sleep(600)
    assert probe.centre.begun() == [0, 180, 360]


async def test_rows_are_played_in_turn(
    probe: Any, make_monitor: Make, autojump_clock: MockClock
) -> None:
    async with probe.at_work(make_monitor("chat", 60, rows=3)):
        await trio.sleep(250)
    names = [chat.name for chat in probe.centre.chats]
    assert names == ["chat[1]", "chat[2]", "chat[3]", "chat[1]", "chat[2]"]


async def test_what_did_not_work_is_played_again_and_the_last_one_decides(
    probe: Any, make_monitor: Make, autojump_clock: MockClock
) -> None:
    probe.centre.verdict = failing((60, 66), (120, 180))
    retest = Retest(after=10, times=2)
    async with probe.at_work(make_monitor("chat", 60, retest=retest)) as monitoring:
        await trio.sleep(100)
        assert [check.retest for check in probe.checks.all] == [False, False, True]
        assert monitoring.monitors()[0].health is Health.UP, "it was a blip"
        await trio.sleep(76)
        assert monitoring.monitors()[0].health is Health.DOWN
    assert probe.centre.begun() == [0, 60, 75, 120, 135, 150]
    verdicts = [check.result.verdict for check in probe.checks.all[3:]]
    assert verdicts == [Verdict.FAILED] * 3


async def test_no_more_chats_at_once_than_the_centre_can_bear(
    probe: Any, make_monitor: Make, autojump_clock: MockClock
) -> None:
    monitors = [make_monitor(f"m{number}", 60) for number in range(10)]
    async with probe.at_work(*monitors, limits=Limits(chats=2)):
        await trio.sleep(300)
    assert probe.centre.most == 2
    assert len(probe.centre.chats) == 10 * 5, "all had their turn"


async def test_no_more_chats_within_an_hour_than_the_centre_can_bear(
    probe: Any, make_monitor: Make, autojump_clock: MockClock
) -> None:
    """Ten times as much is asked for; what could not begin in time is dropped and counted."""
    monitors = [make_monitor(f"m{number}", 60) for number in range(10)]
    async with probe.at_work(*monitors, limits=Limits(chats_per_hour=60)):
        await trio.sleep(4 * 3600)
        dropped = sum(watch.known.dropped for watch in probe.monitoring._watches.values())
    begun = probe.centre.begun()
    assert all(late - early >= 3600 for early, late in zip(begun, begun[60:], strict=False))
    assert len(begun) >= 4 * 60 - 1
    assert dropped + len(begun) >= 10 * 4 * 60 - 10
    shares = [len(probe.centre.begun(f"m{number}")) for number in range(10)]
    assert min(shares) > 0, "first come, first served"


async def test_the_hour_counts_over_a_restart(
    probe: Any, make_monitor: Make, autojump_clock: MockClock
) -> None:
    limits = Limits(chats_per_hour=5)
    async with probe.at_work(make_monitor("chat", 60), limits=limits):
        await trio.sleep(310)
    async with probe.at_work(make_monitor("chat", 60), limits=limits):
        await trio.sleep(3000)
    assert len(probe.centre.chats) == 5
    async with probe.at_work(make_monitor("chat", 60), limits=limits):
        await trio.sleep(600)
    assert len(probe.centre.chats) == 10


async def test_a_restart_keeps_the_rhythm_and_what_is_known(
    probe: Any, make_monitor: Make, autojump_clock: MockClock
) -> None:
    probe.centre.verdict = failing((120, 10_000))
    async with probe.at_work(make_monitor("chat", 60)):
        await trio.sleep(190)
    async with probe.at_work(make_monitor("chat", 60)) as monitoring:
        (view,) = monitoring.monitors()
        assert (view.health, view.since_utc) == (Health.DOWN, probe.centre.starts_utc + 120)
        await trio.sleep(40)
    # Not at once, as a new one would be: it was played a moment ago.
    assert probe.centre.begun() == [0, 60, 120, 180]


async def test_nothing_is_played_outside_of_business_hours(
    probe: Any, make_monitor: Make, autojump_clock: MockClock
) -> None:
    hours = Hours(spans=(parse_span("mon-fri 08:00-18:00"),))
    async with probe.at_work(make_monitor("chat", 900, hours=hours, jitter=300)) as monitoring:
        await trio.sleep(3600)
        assert monitoring.monitors()[0].quiet == "outside of business hours"
        assert monitoring.monitors()[0].next_utc is not None
        await trio.sleep(7 * 86400)
    begun = probe.centre.begun()
    assert len(begun) > 5 * 35
    assert all(hours.is_open(probe.centre.starts_utc + at) for at in begun)


@pytest.mark.parametrize("by_hand", [False, True])
async def test_nothing_is_played_during_a_maintenance(
    by_hand: bool, probe: Any, make_monitor: Make, autojump_clock: MockClock
) -> None:
    begin, end = probe.centre.starts_utc + 100, probe.centre.starts_utc + 400
    window = Window(begin=begin, end=end, monitors=frozenset({"one"}), because="release")
    windows = () if by_hand else (window,)
    async with probe.at_work(
        make_monitor("one", 60), make_monitor("two", 60), windows=windows
    ) as monitoring:
        await trio.sleep(100)
        if by_hand:
            monitoring.begin_maintenance(
                Maintenance(monitor="one", until_utc=end, because="release")
            )
        await trio.sleep(1)
        assert [view.quiet for view in monitoring.monitors()] == ["maintenance: release", ""]
        await trio.sleep(400)
    assert probe.centre.begun("one") == [0, 60, 420, 480]
    assert len(probe.centre.begun("two")) == 9


async def test_a_maintenance_that_was_begun_by_hand_outlives_a_restart(
    probe: Any, make_monitor: Make, autojump_clock: MockClock
) -> None:
    async with probe.at_work(make_monitor("one", 60)) as monitoring:
        monitoring.begin_maintenance(Maintenance(monitor=None, until_utc=probe.now() + 3600))
        with pytest.raises(KeyError):
            monitoring.begin_maintenance(Maintenance(monitor="none", until_utc=1))
    async with probe.at_work(make_monitor("one", 60)) as monitoring:
        assert [m.monitor for m in monitoring.maintenances()] == [None]
        monitoring.end_maintenance(None)
        assert monitoring.maintenances() == []


async def test_the_kill_switch_stops_all_even_who_asks(
    probe: Any, make_monitor: Make, autojump_clock: MockClock
) -> None:
    switch = probe.folder / "STOP"
    async with probe.at_work(make_monitor("chat", 60), kill_switch=switch) as monitoring:
        await trio.sleep(70)
        switch.touch()
        monitoring.run_now("chat")
        await trio.sleep(200)
        assert "the kill switch is there" in monitoring.monitors()[0].quiet
        switch.unlink()
        await trio.sleep(60)
    assert probe.centre.begun() == [0, 60, 300]


async def test_who_asks_is_served_at_once_and_the_rhythm_stays(
    probe: Any, make_monitor: Make, autojump_clock: MockClock
) -> None:
    hours = Hours(spans=(parse_span("08:00-18:00"),))
    async with probe.at_work(make_monitor("chat", 7200, hours=hours)) as monitoring:
        await trio.sleep(100)
        monitoring.run_now("chat")
        with pytest.raises(KeyError):
            monitoring.run_now("none")
        await trio.sleep(9 * 3600)
    assert probe.centre.begun() == [100, 8 * 3600]


async def test_a_monitor_rests_while_one_that_it_needs_is_down(
    probe: Any, make_monitor: Make, autojump_clock: MockClock
) -> None:
    probe.centre.verdict = lambda bot, at: (
        Verdict.FAILED if bot == "login" and 100 <= at < 300 else Verdict.PASSED
    )
    monitors = make_monitor("login", 60), make_monitor("chat", 60, needs=("login",), jitter=1)
    async with probe.at_work(*monitors) as monitoring:
        await trio.sleep(200)
        assert monitoring.monitors()[1].quiet == "it needs login, which is down"
        await trio.sleep(250)
    at = [int(begun // 60) for begun in probe.centre.begun("chat")]
    assert at == [0, 1, 2, 6, 7], "the one that began with the outage, and none until it was over"


async def test_a_journey_that_cannot_be_played_is_an_error_and_ends_nothing(
    probe: Any, make_monitor: Make, autojump_clock: MockClock
) -> None:
    play, broken = probe.centre.play, iter([ConfigError("no such file"), SystemExit(0), None])

    async def sometimes(plan: Any, override: Any) -> Any:
        error = next(broken)
        if error is not None:
            raise error
        return await play(plan, override)

    probe.centre.play = sometimes
    async with probe.at_work(make_monitor("chat", 60)):
        await trio.sleep(170)
    found = [(check.result.verdict, check.result.reason) for check in probe.checks.all]
    assert found == [
        (Verdict.ERROR, Reason.SETUP),
        (Verdict.ERROR, Reason.INTERNAL),
        (Verdict.PASSED, Reason.OK),
    ]
    assert "no such file" in probe.checks.all[0].result.message


async def test_a_file_that_is_read_again_changes_what_it_says_and_forgets_nothing(
    probe: Any, make_monitor: Make, autojump_clock: MockClock
) -> None:
    probe.centre.verdict = lambda bot, at: Verdict.FAILED if bot == "stays" else Verdict.PASSED
    async with probe.at_work(make_monitor("stays", 60), make_monitor("goes", 60)) as monitoring:
        await trio.sleep(62)  # Both are in a chat.
        await monitoring.change(
            probe.file(make_monitor("stays", 100, title="new"), make_monitor("comes", 60))
        )
        assert [view.name for view in monitoring.monitors()] == ["stays", "comes"]
        stays, comes = monitoring.monitors()
        assert (stays.health, stays.since_utc, stays.title) == (
            Health.DOWN,
            probe.centre.starts_utc,
            "new",
        )
        assert comes.health is Health.UNKNOWN
        await trio.sleep(210)
    assert probe.centre.begun("stays") == [0, 60, 160, 260], "what is played is not cut off"
    assert probe.centre.begun("goes") == [0]
    assert probe.centre.cancelled >= 1, "the chat of the one that is gone is left"
    assert probe.centre.begun("comes")[0] == 62


async def test_a_monitor_that_was_taken_out_begins_anew_when_it_is_back(
    probe: Any, make_monitor: Make, autojump_clock: MockClock
) -> None:
    probe.centre.verdict = failing((0, 100))
    chat, other = make_monitor("chat", 60), make_monitor("other", 60)
    async with probe.at_work(chat, other):
        await trio.sleep(90)
    async with probe.at_work(chat, other) as monitoring:
        assert monitoring.monitors()[0].health is Health.DOWN
        await trio.sleep(60)
        await monitoring.change(probe.file(other))
        await monitoring.change(probe.file(chat, other))
        assert monitoring.monitors()[0].health is Health.UNKNOWN
        await trio.sleep(10)
        assert monitoring.monitors()[0].health is Health.UP


async def test_the_trouble_of_a_monitor_that_was_taken_out_between_two_processes_is_over(
    probe: Any, make_monitor: Make, autojump_clock: MockClock
) -> None:
    probe.centre.verdict = failing((0, 1000))
    async with probe.at_work(make_monitor("chat", 60), make_monitor("other", 60)):
        await trio.sleep(90)
    remembered = json.loads((probe.folder / "m.state").read_text())["decider"]
    probe.decider = Alerting(remembered=remembered)
    assert {alert.monitor for alert in probe.decider.alerts()} == {"chat", "other"}
    async with probe.at_work(make_monitor("other", 60)):
        assert {alert.monitor for alert in probe.decider.alerts()} == {"other"}
        assert probe.decider.monitors() == {"other"}


async def test_the_budget_is_that_of_the_history(
    probe: Any, make_monitor: Make, autojump_clock: MockClock
) -> None:
    probe.centre.verdict = failing((600, 1200))
    monitor = make_monitor("chat", 60, objective=Objective(target=0.5, window=86400.0))
    async with probe.at_work(monitor) as monitoring:
        await trio.sleep(2390)
        left = monitoring.monitors()[0].slo_left
        assert left == pytest.approx(1 - (10 / 40) / 0.5)
    async with probe.at_work(replace(monitor, title="again")) as monitoring:
        assert monitoring.monitors()[0].slo_left == pytest.approx(left)


async def test_stopping_leaves_the_chats_and_starts_no_other(
    probe: Any, make_monitor: Make, autojump_clock: MockClock
) -> None:
    monitors = [make_monitor(f"m{number}", 60) for number in range(5)]
    async with probe.at_work(*monitors):
        await trio.sleep(62)
    assert (probe.centre.open, probe.centre.cancelled) == (0, 5)
    assert len(probe.centre.chats) == 5
