"""Forgets what is old, or more than there is room for, a little at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, Connection, delete, func, literal, select

from botkit.monitor.history.tables import DAY, DURATIONS, EVIDENCE, JOURNEYS, STREAMS, VERDICTS

AT_ONCE = 500
"""Journeys that one transaction removes, so that those who write need not wait for long."""
OVERHEAD = 512
"""Bytes that a journey takes beside its evidence, about: its row and its places in indices."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How long the history goes back.

    Attributes:
        journeys: seconds that journeys and their evidence are kept.
        bars: seconds that counts are kept: they are small, and outlive the journeys.
        size: bytes that journeys may take; the oldest go first.
    """

    journeys: float = 90 * DAY
    bars: float = 400 * DAY
    size: int = 10 * 1024**3


def forget_old_counts(connection: Connection, retention: Retention, now: float) -> None:
    """Remove the counts that are too old, and the streams that have none left."""
    for table in (VERDICTS, DURATIONS):
        connection.execute(delete(table).where(table.c.start < now - retention.bars))
    counted = select(VERDICTS.c.monitor).where(
        VERDICTS.c.grain == DAY,
        VERDICTS.c.monitor == STREAMS.c.monitor,
        VERDICTS.c.location == STREAMS.c.location,
    )
    connection.execute(delete(STREAMS).where(~counted.exists()))


def cutoff(connection: Connection, retention: Retention, now: float) -> float:
    """Find the time, epoch seconds, up to which journeys have to go."""
    oldest = now - retention.journeys
    newer = func.sum(JOURNEYS.c.size + OVERHEAD).over(order_by=JOURNEYS.c.started_utc.desc())
    sums = select(JOURNEYS.c.started_utc, newer.label("newer")).subquery()
    wanted = select(func.max(sums.c.started_utc)).where(
        sums.c.newer > literal(retention.size, BigInteger)
    )
    too_much: float | None = connection.execute(wanted).scalar_one()
    return oldest if too_much is None else max(oldest, too_much)


def forget_some(connection: Connection, until: float) -> int:
    """Remove the oldest journeys that started until then; tells how many, 0 if none is left."""
    oldest = (
        select(JOURNEYS.c.journey_id)
        .where(JOURNEYS.c.started_utc <= until)
        .order_by(JOURNEYS.c.started_utc)
        .limit(AT_ONCE)
    )
    ids: Sequence[str] = list(connection.execute(oldest).scalars())
    for table in (EVIDENCE, JOURNEYS):
        connection.execute(delete(table).where(table.c.journey_id.in_(ids)))
    return len(ids)
