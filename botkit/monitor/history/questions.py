"""What a status page and alerts ask, each answered with the rows that are shown and no more."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Integer, Row, Table, func, literal_column, select

from botkit.errors import LocalProtocolError
from botkit.monitor.history.histogram import quantiles
from botkit.monitor.history.records import Bar, Entry, Latency, Stream, from_row, unpack
from botkit.monitor.history.tables import (
    DAY,
    DURATIONS,
    EVIDENCE,
    HOUR,
    JOURNEYS,
    STREAMS,
    VERDICTS,
)
from botkit.results import Verdict

K = TypeVar("K")

ENTRY_COLUMNS = [c for c in JOURNEYS.c if c.name not in {"passed", "size"}]


def streams(connection: Connection) -> list[Stream]:
    """List which monitors have journeys, and where, by name."""
    rows = connection.execute(select(STREAMS).order_by(*STREAMS.primary_key))
    return [Stream(monitor=row.monitor, location=row.location) for row in rows]


def latest(
    connection: Connection,
    monitor: str,
    *,
    limit: int = 20,
    location: str | None = None,
    before: float | None = None,
) -> list[Entry]:
    """List the newest journeys of a monitor, newest first.

    Args:
        monitor: its name.
        limit: of how many.
        location: of these alone; None for all.
        before: only those that started earlier, epoch seconds: the start of the last one shown.
    """
    wanted = [JOURNEYS.c.monitor == monitor]
    if location is not None:
        wanted.append(JOURNEYS.c.location == location)
    if before is not None:
        wanted.append(JOURNEYS.c.started_utc < before)
    newest = select(*ENTRY_COLUMNS).where(*wanted).order_by(JOURNEYS.c.started_utc.desc())
    return [entry_of(row) for row in connection.execute(newest.limit(limit))]


def journey(connection: Connection, journey_id: str) -> Entry | None:
    """Find one journey; None if it is not there (any more)."""
    wanted = select(*ENTRY_COLUMNS).where(JOURNEYS.c.journey_id == journey_id)
    row = connection.execute(wanted).one_or_none()
    return None if row is None else entry_of(row)


def evidence(connection: Connection, journey_id: str) -> bytes | None:
    """Give the JSON of one journey; None if it is not there (any more).

    Raises:
        HistoryError: it is damaged.
    """
    wanted = select(EVIDENCE.c.packed).where(EVIDENCE.c.journey_id == journey_id)
    packed = connection.execute(wanted).scalar_one_or_none()
    return None if packed is None else unpack(packed)


def bars(
    connection: Connection,
    *,
    since: float,
    until: float,
    bucket: int,
    monitor: str | None = None,
    location: str | None = None,
) -> list[Bar]:
    """Count verdicts per span of time, by monitor and start; spans without journeys are left out.

    Args:
        since: epoch seconds; the span that holds it is the first.
        until: the span that holds it is the last.
        bucket: length of a span: whole hours, in seconds. They begin at multiples of it.
        monitor: this one alone; None for all.
        location: this one alone; None for all together.
    """
    start = _bucket_start(VERDICTS, bucket)
    asked = (
        select(VERDICTS.c.monitor, start, VERDICTS.c.verdict, func.sum(VERDICTS.c["count"]))
        .where(*_range(VERDICTS, since, until, bucket, monitor, location))
        .group_by(VERDICTS.c.monitor, start, VERDICTS.c.verdict)
        .order_by(VERDICTS.c.monitor, start)
    )
    rows = ((name, begin, Verdict(word), n) for name, begin, word, n in connection.execute(asked))
    return [
        Bar(monitor=name, start=begin, counts=counts) for (name, begin), counts in _gathered(rows)
    ]


def latencies(
    connection: Connection,
    monitor: str,
    *,
    since: float,
    until: float,
    bucket: int,
    wanted: Sequence[float] = (0.5, 0.95),
    location: str | None = None,
) -> list[Latency]:
    """Tell how long the journeys took that worked, per span of time as in :func:`bars`.

    Args:
        wanted: quantiles, 0 to 1.
    """
    start = _bucket_start(DURATIONS, bucket)
    asked = (
        select(DURATIONS.c.monitor, start, DURATIONS.c.bin, func.sum(DURATIONS.c["count"]))
        .where(*_range(DURATIONS, since, until, bucket, monitor, location))
        .group_by(DURATIONS.c.monitor, start, DURATIONS.c.bin)
        .order_by(start)
    )
    rows = ((name, begin, number, n) for name, begin, number, n in connection.execute(asked))
    return [
        Latency(start=begin, count=sum(bins.values()), quantiles=quantiles(bins, wanted))
        for (_, begin), bins in _gathered(rows)
    ]


def entry_of(row: Row[Any]) -> Entry:
    """Read a row of ENTRY_COLUMNS."""
    return from_row(row._asdict())


def _gathered(
    rows: Iterable[tuple[str, int, K, Any]],
) -> Iterator[tuple[tuple[str, int], dict[K, int]]]:
    """Put together the counts of one monitor and span, which come one after another."""
    for span, group in groupby(rows, key=itemgetter(0, 1)):
        # PostgreSQL sums integers to decimals.
        yield span, {what: int(count) for _, _, what, count in group}


def _bucket_start(table: Table, bucket: int) -> ColumnElement[int]:
    if bucket <= 0 or bucket % HOUR:
        raise LocalProtocolError(f"counts are kept by the hour; {bucket} s are no whole hours")
    # Literals: PostgreSQL would take two parameters of one expression for two expressions.
    length = literal_column(str(bucket), Integer)
    return (table.c.start // length * length).label("bucket")


def _range(
    table: Table,
    since: float,
    until: float,
    bucket: int,
    monitor: str | None,
    location: str | None,
) -> list[ColumnElement[bool]]:
    first = int(since) // bucket * bucket
    after = int(until) // bucket * bucket + bucket
    wanted = [
        table.c.grain == (HOUR if bucket % DAY else DAY),
        table.c.start >= first,
        table.c.start < after,
    ]
    if monitor is not None:
        wanted.append(table.c.monitor == monitor)
    else:
        # Spelled out, so that each one's counts are found by the key: grain, monitor, start.
        wanted.append(table.c.monitor.in_(select(STREAMS.c.monitor).distinct()))
    if location is not None:
        wanted.append(table.c.location == location)
    return wanted
