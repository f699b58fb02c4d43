from __future__ import annotations

import random
from datetime import UTC, datetime, tzinfo
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.monitor.hours import Hours, parse_span
from botkit.monitor.schedule import Cron, Every, Schedule, check_cron

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone: tzinfo = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()


def local(when: float | None) -> str:
    assert when is not None
    return datetime.fromtimestamp(when, BERLIN).strftime("%a %H:%M")


def test_the_first_time_is_at_once_and_the_others_after_each_period() -> None:
    every = Every(period=300)
    assert every.after(None, 1000.0) == 1000.0
    assert every.after(1000.0, 1000.0) == 1300.0


@given(st.floats(1, 86400), st.floats(0, 1e6), st.floats(0, 1e6))
def test_what_was_due_meanwhile_is_lost_and_the_rhythm_stays(
    period: float, last: float, ago: float
) -> None:
    due = Every(period=period).after(last, last + ago)
    assert due > last + ago - 1e-3
    assert due - (last + ago) <= period + 1e-3
    assert (due - last) / period == pytest.approx(round((due - last) / period), abs=1e-6)


def test_cron_goes_by_the_clocks_of_its_zone() -> None:
    cron = Cron(expression="30 2 * * *", zone=BERLIN)
    # Nothing is shown between 02:00 and 03:00 on 2026-03-29, and all of it twice on 2026-10-25.
    spring = cron.after(None, at("2026-03-28T12:00"))
    assert local(spring) == "Sun 03:00"
    autumn = cron.after(None, at("2026-10-24T12:00"))
    assert local(autumn) == "Sun 02:30"
    assert local(cron.after(autumn, autumn or 0)) == "Mon 02:30", "it is played once"


def test_a_day_of_changing_clocks_has_one_journey_an_hour() -> None:
    cron = Cron(expression="0 * * * *", zone=BERLIN)
    for day, hours in (("2026-03-29", 23), ("2026-10-25", 25), ("2026-07-01", 24)):
        now, end = at(f"{day}T00:00") - 1, at(f"{day}T23:59")
        times = []
        while (due := cron.after(None, now)) is not None and due <= end:
            times.append(due)
            now = due
        assert len(times) == hours
        assert {b - a for a, b in pairwise(times)} == {3600.0}


def office(rhythm: Every | Cron) -> Schedule:
    return Schedule(
        rhythm=rhythm, hours=Hours(spans=(parse_span("mon-fri 08:00-18:00"),), zone=BERLIN)
    )


def test_nothing_is_due_while_the_service_is_closed() -> None:
    friday = at("2026-11-27T17:55")
    assert local(office(Every(period=600)).next_due(friday, friday)) == "Mon 08:05"
    every_seven = Cron(expression="*/7 * * * *", zone=BERLIN)
    assert local(office(every_seven).next_due(None, at("2026-11-27T17:57"))) == "Mon 08:00"


def test_a_schedule_that_never_meets_the_hours_is_never_due() -> None:
    midnight = office(Cron(expression="0 0 * * *", zone=BERLIN))
    assert midnight.next_due(None, at("2026-11-27T17:57")) is None


def test_jitter_makes_it_late_and_never_early() -> None:
    schedule = Schedule(rhythm=Every(period=60), jitter=10)
    chosen = [schedule.lateness(random.Random(seed)) for seed in range(100)]
    assert 0 <= min(chosen) < 1
    assert 9 < max(chosen) <= 10


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("61 * * * *", "is no cron expression"),
        ("* * * *", "five fields"),
        ("0 0 30 2 *", "is no cron|never comes"),
        ("bla", "five fields"),
    ],
)
def test_what_is_no_cron_expression_is_told(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        check_cron(text)


def test_cron_in_utc_needs_no_zone() -> None:
    assert Cron(expression="0 12 * * *").after(None, at("2026-11-23T00:00", UTC)) == at(
        "2026-11-23T12:00", UTC
    )
