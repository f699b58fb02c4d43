"""The kinds of values that only files of monitors take: long times, hours, dates, zones, parts."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import BeforeValidator, Field, WithJsonSchema

from botkit.bot.fields import parse_time, refuse, text_of, word
from botkit.monitor.alerts.judge import Kind
from botkit.monitor.alerts.rules import Share
from botkit.monitor.hours import Span, parse_span
from botkit.monitor.schedule import check_cron

DAY = 86_400.0
_DAYS = re.compile(r"(\d{1,4})d", re.ASCII)
_PERCENT = re.compile(r"(\d{1,3}(?:\.\d+)?)\s?%", re.ASCII)
_SHARE = re.compile(r"(\d{1,2}) of (\d{1,2})", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d)?", re.ASCII)


def _long_time(value: Any) -> float:
    text = text_of(value, "a time").strip()
    days = _DAYS.fullmatch(text)
    try:
        seconds = int(days[1]) * DAY if days else parse_time(text)
    except ValueError as error:
        refuse(f"{error}; days are written 90d")
    if seconds <= 0:
        refuse("this time must be longer than nothing")
    return seconds


LongTime = Annotated[
    float,
    BeforeValidator(_long_time),
    WithJsonSchema({"type": "string", "examples": ["90d", "12h", "1h30m"]}),
]
"""A time that may be longer than a day: ``90d``."""


def _percent(value: Any) -> float:
    text = text_of(value, "a percentage").strip()
    found = _PERCENT.fullmatch(text)
    if found is None:
        refuse(f"{text!r} is no percentage; one is written 99.5%")
    part = float(found[1]) / 100
    if not 0 < part < 1:
        refuse(f"{text} cannot be kept to: it must be more than 0% and less than 100%")
    return part


Percent = Annotated[
    float,
    BeforeValidator(_percent),
    WithJsonSchema({"type": "string", "pattern": r"^\d{1,3}(\.\d+)?\s?%$", "examples": ["99.5%"]}),
]


def _span(value: Any) -> Span:
    try:
        return parse_span(text_of(value, "hours"))
    except ValueError as error:
        refuse(str(error))


OpenSpan = Annotated[
    Span,
    BeforeValidator(_span),
    WithJsonSchema({"type": "string", "examples": ["mon-fri 08:00-18:00", "22:00-06:00"]}),
]


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


OpenSpans = Annotated[list[OpenSpan], Field(min_length=1), BeforeValidator(_one_or_more)]


def _day(value: Any) -> date:
    text = text_of(value, "a date").strip()
    try:
        return date.fromisoformat(text)
    except ValueError:
        refuse(f"{text!r} is no date; one is written 2026-12-25")


Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]


def _zone(value: Any) -> ZoneInfo:
    text = text_of(value, "a time zone").strip()
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        refuse(f"there is no time zone {text!r}; one is written Europe/Berlin")


Zone = Annotated[
    ZoneInfo,
    BeforeValidator(_zone),
    WithJsonSchema({"type": "string", "examples": ["Europe/Berlin", "UTC"]}),
]


def _cron(value: Any) -> str:
    text = text_of(value, "a cron expression").strip()
    try:
        check_cron(text)
    except ValueError as error:
        refuse(str(error))
    return text


CronExpression = Annotated[
    str,
    BeforeValidator(_cron),
    WithJsonSchema({"type": "string", "examples": ["*/5 8-17 * * mon-fri"]}),
]


def _share(value: Any) -> Share:
    text = text_of(value, "a share").strip()
    found = _SHARE.fullmatch(text)
    if found is None:
        refuse(f"{text!r} is no share of checks; one is written 2 of 3")
    share = Share(int(found[1]), int(found[2]))
    if not 1 <= share.times <= share.of:
        refuse(f"{text} cannot be: there are no {share.times} among {share.of}")
    return share


ShareOfChecks = Annotated[
    Share,
    BeforeValidator(_share),
    WithJsonSchema({"type": "string", "pattern": r"^\d+ of \d+$", "examples": ["2 of 3"]}),
]


def _share_or_never(value: Any) -> Share | None:
    return None if value == "never" else _share(value)


ShareOrNever = Annotated[
    Share | None,
    BeforeValidator(_share_or_never),
    WithJsonSchema({"type": "string", "examples": ["3 of 5", "never"]}),
]
KindOfAlert = Annotated[
    str,
    BeforeValidator(word("kind of alert", {kind.value: kind.value for kind in Kind})),
    WithJsonSchema({"enum": [kind.value for kind in Kind]}),
]


def _moment(value: Any) -> datetime:
    text = text_of(value, "a time").strip()
    if not _MOMENT.fullmatch(text):
        refuse(f"{text!r} is no date with a time; one is written 2026-11-24 22:00")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        # The 30th of February looks like a date.
        refuse(f"there is no such time as {text!r}")


Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "examples": ["2026-11-24 22:00"]}),
]
"""A date with a time, in the time zone of the file."""
