"""Puts journeys into the store, each once, and counts them for the bars."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from botkit.monitor.history.histogram import bin_of
from botkit.monitor.history.records import TELLS_NOTHING, WORKED, Entry, Finished, to_row
from botkit.monitor.history.tables import DURATIONS, EVIDENCE, GRAINS, JOURNEYS, STREAMS, VERDICTS
from botkit.results import Verdict

Key = tuple[int | str, ...]


def insert_journeys(connection: Connection, journeys: Iterable[Finished]) -> int:
    """Insert what is not there yet; tells how many that were.

    Probes write to one store at the same time. All of them take rows in the same order, so that
    none waits for another that waits for it.
    """
    entries = [f.entry for f in journeys if _insert_one(connection, f)]
    for stream in sorted({(entry.monitor, entry.location) for entry in entries}):
        values = {"monitor": stream[0], "location": stream[1]}
        connection.execute(_insert(connection, STREAMS).values(values).on_conflict_do_nothing())
    _add(connection, VERDICTS, Counter(_verdict_keys(entries)))
    _add(connection, DURATIONS, Counter(_duration_keys(entries)))
    return len(entries)


def _insert_one(connection: Connection, journey: Finished) -> bool:
    values = journey_row(journey)
    inserting = _insert(connection, JOURNEYS).values(values).on_conflict_do_nothing()
    # What was inserted is returned; not every driver counts rows of an INSERT.
    if connection.execute(inserting.returning(JOURNEYS.c.journey_id)).first() is None:
        return False
    evidence = {"journey_id": journey.entry.journey_id, "packed": journey.packed}
    connection.execute(_insert(connection, EVIDENCE).values(evidence))
    return True


def journey_row(journey: Finished) -> Mapping[str, Any]:
    """Write a journey as a row of its table."""
    verdict = journey.entry.verdict
    passed = None if verdict in TELLS_NOTHING else int(verdict is Verdict.PASSED)
    return {**to_row(journey.entry), "passed": passed, "size": len(journey.packed)}


def _verdict_keys(entries: Sequence[Entry]) -> Iterable[Key]:
    return (
        (grain, entry.monitor, _start(entry, grain), entry.location, entry.verdict.value)
        for entry in entries
        for grain in GRAINS
    )


def _duration_keys(entries: Sequence[Entry]) -> Iterable[Key]:
    return (
        (grain, entry.monitor, _start(entry, grain), entry.location, bin_of(entry.duration))
        for entry in entries
        if entry.verdict in WORKED
        for grain in GRAINS
    )


def _start(entry: Entry, grain: int) -> int:
    return int(entry.started_utc) // grain * grain


def _add(connection: Connection, table: Table, counts: Mapping[Key, int]) -> None:
    """Add to the counts of a table whose columns are a key's and ``count``."""
    if not counts:
        return
    names = table.columns.keys()
    rows = [dict(zip(names, (*key, counts[key]), strict=True)) for key in sorted(counts)]
    inserting = _insert(connection, table)
    adding = inserting.on_conflict_do_update(
        index_elements=list(table.primary_key),
        set_={"count": table.c["count"] + inserting.excluded["count"]},
    )
    connection.execute(adding, rows)


def _insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)
