from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from botkit.monitor.hours import Hours, parse_span

BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone: object = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()  # type: ignore[arg-type]


def hours(*spans: str, holidays: tuple[str, ...] = ()) -> Hours:
    return Hours(
        spans=tuple(map(parse_span, spans)),
        holidays=frozenset(map(date.fromisoformat, holidays)),
        zone=BERLIN,
    )


OFFICE = hours("mon-fri 08:00-18:00", "sat 09:00-12:00", holidays=("2026-12-25",))


@pytest.mark.parametrize(
    ("when", "is_open"),
    [
        ("2026-11-23T07:59:59", False),  # a Monday
        ("2026-11-23T08:00", True),
        ("2026-11-23T17:59:59", True),
        ("2026-11-23T18:00", False),
        ("2026-11-28T11:00", True),  # a Saturday
        ("2026-11-28T12:00", False),
        ("2026-11-29T10:00", False),
        ("2026-12-25T10:00", False),  # a Friday
        ("2026-12-24T10:00", True),
    ],
)
def test_a_service_is_open_within_its_hours(when: str, is_open: bool) -> None:
    assert OFFICE.is_open(at(when)) is is_open


@pytest.mark.parametrize(
    ("when", "following"),
    [
        ("2026-11-23T08:30", "2026-11-23T08:30"),
        ("2026-11-23T18:00", "2026-11-24T08:00"),
        ("2026-11-28T12:00", "2026-11-30T08:00"),
        ("2026-12-24T20:00", "2026-12-26T09:00"),
    ],
)
def test_the_next_opening_is_known(when: str, following: str) -> None:
    assert OFFICE.next_open(at(when)) == at(following)


def test_a_span_over_midnight_belongs_to_the_day_it_begins_on() -> None:
    night = hours("fri 22:00-06:00", holidays=("2026-12-25",))
    assert night.is_open(at("2026-11-28T05:59"))
    assert not night.is_open(at("2026-11-27T05:59"))
    assert not night.is_open(at("2026-12-26T01:00")), "its Friday is a holiday"


def test_a_whole_day_is_open_up_to_midnight_and_on() -> None:
    always = hours("00:00-24:00")
    assert always.is_open(at("2026-11-23T23:59:59"))
    assert always.is_open(at("2026-11-24T00:00"))


def test_clocks_that_change_take_the_hours_with_them() -> None:
    day = hours("08:00-18:00")
    # Summer time is UTC+2, winter time UTC+1; the clocks change on 2026-10-25.
    assert day.is_open(at("2026-10-24T06:30", UTC))
    assert not day.is_open(at("2026-10-25T06:30", UTC))
    assert day.next_open(at("2026-10-24T20:00")) == at("2026-10-25T07:00", UTC)


def test_who_never_opens_again_has_no_next_opening() -> None:
    one_day = Hours(spans=(parse_span("mon 08:00-09:00"),), zone=BERLIN)
    closed = frozenset(
        date.fromordinal(day) for day in range(date(2026, 1, 1).toordinal(), 740_900)
    )
    never = Hours(spans=one_day.spans, holidays=closed, zone=BERLIN)
    assert never.next_open(at("2026-11-23T10:00")) is None


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon-fri 08:00-18:00", {0, 1, 2, 3, 4}),
        ("sat, sun 10:00-14:00", {5, 6}),
        ("Fri-Mon 8:00 - 9:00", {4, 5, 6, 0}),
        ("12:00-13:00", set(range(7))),
    ],
)
def test_days_are_read(text: str, days: set[int]) -> None:
    assert parse_span(text).days == days


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "are no hours"),
        ("8-18", "are no hours"),
        ("mon 25:00-26:00", "25:00 is no time of the day"),
        ("mon 08:60-09:00", "08:60 is no time of the day"),
        ("mon 08:00-08:00", "has no length"),
        ("funday 08:00-09:00", "'funday' is no day of the week"),
    ],
)
def test_what_are_no_hours_is_told(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_span(text)
