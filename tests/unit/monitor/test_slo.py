from __future__ import annotations

import pytest

from botkit.monitor.slo import ALARMS, DAY, HOUR, Budget, Objective
from botkit.results import Verdict

NOW = 1_800_000_000.0


def budget(target: float = 0.99) -> Budget:
    return Budget(objective=Objective(target=target))


def test_all_of_the_budget_is_left_where_nothing_failed() -> None:
    kept = budget()
    assert kept.left(NOW) == 1
    kept.count(Verdict.PASSED, NOW - 60, times=100)
    kept.count(Verdict.DEGRADED, NOW - 60)
    assert kept.left(NOW) == 1


def test_what_failed_spends_the_budget_and_may_overspend_it() -> None:
    kept = budget()
    kept.count(Verdict.PASSED, NOW - 60, times=995)
    kept.count(Verdict.FAILED, NOW - 60, times=5)
    assert kept.left(NOW) == pytest.approx(0.5)
    kept.count(Verdict.FAILED, NOW - 60, times=15)
    assert kept.left(NOW) < 0


def test_what_is_not_the_service_spends_nothing() -> None:
    kept = budget()
    for verdict in (Verdict.ERROR, Verdict.SKIPPED, Verdict.CANCELLED):
        kept.count(verdict, NOW - 60, times=50)
    assert kept.left(NOW) == 1


def test_what_is_older_than_the_window_is_forgotten() -> None:
    kept = budget()
    kept.count(Verdict.FAILED, NOW - 31 * DAY, times=50)
    kept.count(Verdict.PASSED, NOW - DAY)
    assert kept.left(NOW) == 1


def play(kept: Budget, since: float, until: float, every: float, bad_one_in: int) -> None:
    """Count a check every so many seconds, of which one in so many fails."""
    for number in range(int((until - since) // every)):
        failed = number % bad_one_in == bad_one_in - 1
        kept.count(Verdict.FAILED if failed else Verdict.PASSED, since + number * every)


def test_an_outage_burns_fast_in_both_windows_and_stops_with_it() -> None:
    kept = budget(0.999)
    play(kept, NOW - 30 * DAY, NOW, 300, 10**9)
    assert kept.alarms(NOW) == []
    play(kept, NOW, NOW + HOUR / 2, 60, 1)
    fast, slow, _ = ALARMS
    assert {fast, slow} <= set(kept.alarms(NOW + HOUR / 2))
    # The long windows still hold the outage; the short ones say that it is over.
    play(kept, NOW + HOUR / 2, NOW + HOUR, 60, 10**9)
    assert fast not in kept.alarms(NOW + HOUR)


def test_a_blip_burns_nothing_worth_a_page() -> None:
    kept = budget(0.99)
    play(kept, NOW - 30 * DAY, NOW, 300, 10**9)
    kept.count(Verdict.FAILED, NOW)
    assert kept.alarms(NOW + 60) == []


def test_one_failure_alone_tells_nothing_however_strict_the_promise() -> None:
    kept = budget(0.9999)
    play(kept, NOW - HOUR, NOW, 300, 10**9)
    kept.count(Verdict.FAILED, NOW)
    assert kept.alarms(NOW) == []
    assert kept.spending(NOW) is None
    kept.count(Verdict.FAILED, NOW + 60)
    spending = kept.spending(NOW + 60)
    assert spending is not None
    assert spending.alarm is ALARMS[0]
    assert spending.rate == pytest.approx(2 / 14 / 0.0001)
    assert spending.left < 0


def test_what_alarms_look_at_outlives_a_restart() -> None:
    kept, again = budget(0.995), budget(0.995)
    play(kept, NOW - 10 * DAY, NOW, 300, 12)
    for counted in kept.recent(NOW):
        again.add(counted)
    assert len(kept.recent(NOW)) < 160
    assert again.alarms(NOW) == kept.alarms(NOW) != []
    for window in (HOUR / 12, HOUR / 2, HOUR, 6 * HOUR):
        assert again.burn_rate(window, NOW) == kept.burn_rate(window, NOW)
    assert again.burn_rate(3 * DAY, NOW) == pytest.approx(kept.burn_rate(3 * DAY, NOW), rel=0.02)


def test_the_rates_are_those_of_the_workbook_for_30_days() -> None:
    rates = [alarm.rate(Objective(target=0.999)) for alarm in ALARMS]
    assert rates == pytest.approx([14.4, 6.0, 1.0])
