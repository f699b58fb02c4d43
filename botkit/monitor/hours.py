"""When a contact centre is open, in its own time; pure.

A span of the day belongs to the day that it begins on: ``fri 22:00-06:00`` ends on Saturday
morning, and goes with Friday if that is a holiday. Clock changes are the time zone's business: a
span that ends at 18:00 ends when the clocks there show it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
LOOK_AHEAD = 400
"""Days: whoever is closed for longer than a year does not open again."""
WHOLE_DAY = 24 * 60

_SPAN = re.compile(r"(?:(?P<days>[a-z, -]+?)\s+)?(?P<begin>\d\d?:\d\d)\s*-\s*(?P<end>\d\d?:\d\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A part of some days of the week.

    Attributes:
        days: 0 is Monday.
        begin: minutes after midnight.
        end: minutes after midnight; at or before ``begin`` it is of the following day.
    """

    days: frozenset[int]
    begin: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """The opening hours of a service.

    Attributes:
        spans: when it is open; never empty.
        holidays: days on which no span begins.
        zone: the time zone that all of it is written in.
    """

    spans: tuple[Span, ...]
    holidays: frozenset[date] = frozenset()
    zone: tzinfo = UTC

    def is_open(self, at: float) -> bool:
        """Tell whether it is open at a time, epoch seconds."""
        return any(begin <= at < end for begin, end in self._spans_from(at, days=1))

    def next_open(self, at: float) -> float | None:
        """Give the first time from then on at which it is open; None if it never is again."""
        following = (max(begin, at) for begin, end in self._spans_from(at, LOOK_AHEAD) if at < end)
        return next(following, None)

    def _spans_from(self, at: float, days: int) -> Iterator[tuple[float, float]]:
        """Give the spans that begin from the day before on, for so many days, day by day."""
        today = datetime.fromtimestamp(at, self.zone).date()
        for offset in range(-1, days):
            day = today + timedelta(offset)
            if day in self.holidays:
                continue
            for span in sorted(self.spans, key=lambda span: span.begin):
                if day.weekday() in span.days:
                    next_day = span.end <= span.begin
                    end = day + timedelta(1) if next_day else day
                    yield self._epoch(day, span.begin), self._epoch(end, span.end)

    def _epoch(self, day: date, minutes: int) -> float:
        days, minute = divmod(minutes, WHOLE_DAY)
        clock = time(minute // 60, minute % 60)
        return datetime.combine(day + timedelta(days), clock, self.zone).timestamp()


def parse_span(text: str) -> Span:
    """Read ``mon-fri 08:00-18:00``, ``sat, sun 10:00-14:00`` or ``00:00-24:00``.

    Raises:
        ValueError: it is none; the message says what to write.
    """
    found = _SPAN.fullmatch(text.strip().lower())
    if found is None:
        raise ValueError(
            f"{text!r} are no hours; they are written 'mon-fri 08:00-18:00' or '22:00-06:00'"
        )
    days = _days(found["days"]) if found["days"] else frozenset(range(7))
    begin, end = _minutes(found["begin"]), _minutes(found["end"])
    if begin in (end, WHOLE_DAY):
        raise ValueError(f"{text!r} has no length; the whole day is 00:00-24:00")
    return Span(days=days, begin=begin, end=end)


def _days(text: str) -> frozenset[int]:
    days: set[int] = set()
    for part in text.split(","):
        first, _, last = (word.strip() for word in part.partition("-"))
        begin, end = _day(first), _day(last or first)
        days |= {(begin + step) % 7 for step in range((end - begin) % 7 + 1)}
    return frozenset(days)


def _day(word: str) -> int:
    if word not in DAYS:
        raise ValueError(f"{word!r} is no day of the week; there is {', '.join(DAYS)}")
    return DAYS.index(word)


def _minutes(text: str) -> int:
    hours, minutes = map(int, text.split(":"))
    if minutes > 59 or hours * 60 + minutes > WHOLE_DAY:
        raise ValueError(f"{text} is no time of the day")
    return hours * 60 + minutes
