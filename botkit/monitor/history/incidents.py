"""Finds spans in which nothing passed, by jumping from one change to the next.

The index has the journeys of a stream that passed, and those that did not, in order of time. So
each incident takes five short look-ups, however many journeys lie in it or beside it.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from itertools import islice

from sqlalchemy import ColumnElement, Connection, func, select

from botkit.monitor.history.questions import ENTRY_COLUMNS, entry_of
from botkit.monitor.history.records import Incident, Stream
from botkit.monitor.history.tables import JOURNEYS, STREAMS
from botkit.results import Verdict

STARTED = JOURNEYS.c.started_utc
PASSES, FAILS = 1, 0


def incidents(
    connection: Connection, monitor: str, *, limit: int = 20, location: str | None = None
) -> list[Incident]:
    """List the newest incidents of a monitor, those that began last first.

    Locations are looked at one by one: what fails at one may well pass at another.

    Args:
        monitor: its name.
        limit: of how many.
        location: this one alone; None for all.
    """
    places = [location] if location is not None else _locations(connection, monitor)
    found = (_of_stream(connection, Stream(monitor=monitor, location=p)) for p in places)
    newest_first = heapq.merge(*found, key=lambda incident: incident.began_utc, reverse=True)
    return list(islice(newest_first, limit))


def _locations(connection: Connection, monitor: str) -> list[str]:
    wanted = select(STREAMS.c.location).where(STREAMS.c.monitor == monitor)
    return list(connection.execute(wanted).scalars())


def _of_stream(connection: Connection, stream: Stream) -> Iterator[Incident]:
    """Find the incidents of a stream, newest first."""
    before = math.inf
    while (last := _last(connection, stream, FAILS, before)) is not None:
        ended = _first(connection, stream, PASSES, last)
        good = _last(connection, stream, PASSES, last)
        before = -math.inf if good is None else good
        began = _first(connection, stream, FAILS, before)
        # One that passed at the very time of one that did not: it began there.
        yield _incident(connection, stream, last if began is None else began, last, ended)


def _first(connection: Connection, stream: Stream, passed: int, after: float) -> float | None:
    """Find the first journey after a time, of those that passed or did not."""
    wanted = select(STARTED).where(*_those(stream, passed), after < STARTED).order_by(STARTED)
    return connection.execute(wanted.limit(1)).scalar_one_or_none()


def _last(connection: Connection, stream: Stream, passed: int, before: float) -> float | None:
    """Find the last journey before a time, of those that passed or did not."""
    wanted = select(STARTED).where(*_those(stream, passed), before > STARTED)
    return connection.execute(wanted.order_by(STARTED.desc()).limit(1)).scalar_one_or_none()


def _incident(
    connection: Connection, stream: Stream, began: float, last: float, ended: float | None
) -> Incident:
    within = [*_those(stream, FAILS), began <= STARTED, last >= STARTED]
    counting = select(JOURNEYS.c.verdict, func.count()).where(*within).group_by(JOURNEYS.c.verdict)
    first = select(*ENTRY_COLUMNS).where(*within).order_by(STARTED).limit(1)
    return Incident(
        monitor=stream.monitor,
        location=stream.location,
        began_utc=began,
        last_utc=last,
        ended_utc=ended,
        counts={Verdict(word): count for word, count in connection.execute(counting)},
        first=entry_of(connection.execute(first).one()),
    )


def _those(stream: Stream, passed: int) -> list[ColumnElement[bool]]:
    return [
        JOURNEYS.c.monitor == stream.monitor,
        JOURNEYS.c.location == stream.location,
        JOURNEYS.c.passed == passed,
    ]
