"""What the pages ask of the history: each page one transaction, and only the rows it shows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter

from sqlalchemy import Connection

from botkit.monitor.history import (
    Entry,
    Incident,
    bars,
    evidence,
    incidents,
    journey,
    latencies,
    latest,
    streams,
)
from botkit.monitor.web.evidence import Evidence, read_evidence
from botkit.monitor.web.plots import SPANS, Curve, Span, Strip, curve, strip

PAGE = 50
"""Journeys of one page."""
MOST_TIED = 1000
"""Journeys that began at the very same moment, and are still told apart by paging."""
INCIDENTS = 20
INCIDENTS_EACH = 2
INCIDENTS_OF_ALL = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What the history knows of one monitor over one span."""

    span: Span
    strip: Strip
    curve: Curve | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """All monitors over one span, by name, and what went wrong last with each of them."""

    pasts: dict[str, Past]
    incidents: tuple[Incident, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Some journeys of a monitor, newest first.

    Attributes:
        entries: the journeys.
        older: those after it began before this, epoch seconds; None if there are none.
    """

    entries: tuple[Entry, ...]
    older: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OneMonitor:
    """One monitor over all spans, its incidents, and a page of its journeys."""

    pasts: tuple[Past, ...]
    incidents: tuple[Incident, ...]
    locations: tuple[str, ...]
    page: Page


@dataclass(frozen=True, slots=True, kw_only=True)
class OneJourney:
    """A journey with its evidence, where that is kept still."""

    entry: Entry
    evidence: Evidence | None


def overview(connection: Connection, names: Sequence[str], span: Span, now: float) -> Overview:
    """Ask what the page of all monitors shows."""
    starts = span.starts(now)
    found = bars(connection, since=starts[0], until=starts[-1], bucket=span.bucket)
    by_name = {name: list(some) for name, some in groupby(found, key=attrgetter("monitor"))}
    pasts = {
        name: Past(
            span=span,
            strip=strip(by_name.get(name, ()), span, now),
            curve=_curve(connection, name, span, now) if name in by_name else None,
        )
        for name in names
    }
    troubles = [one for name in names for one in incidents(connection, name, limit=INCIDENTS_EACH)]
    # Those that last before those that are over, each newest first.
    troubles.sort(key=lambda one: (one.ended_utc is None, one.began_utc), reverse=True)
    return Overview(pasts=pasts, incidents=tuple(troubles[:INCIDENTS_OF_ALL]))


def one_monitor(
    connection: Connection, name: str, now: float, *, before: float | None, location: str | None
) -> OneMonitor | None:
    """Ask what the page of one monitor shows; None if the history has nothing of it.

    Args:
        before: the page of the journeys that began before this, epoch seconds.
        location: only of this one; None for all.
    """
    locations = tuple(s.location for s in streams(connection) if s.monitor == name)
    if not locations:
        return None
    return OneMonitor(
        pasts=tuple(_past(connection, name, span, now, location) for span in SPANS),
        incidents=tuple(incidents(connection, name, limit=INCIDENTS, location=location)),
        locations=locations,
        page=journeys(connection, name, before=before, location=location),
    )


def journeys(
    connection: Connection,
    name: str,
    *,
    before: float | None,
    location: str | None = None,
    size: int = PAGE,
) -> Page:
    """Ask for a page of journeys; those that began at one moment are never torn apart."""
    limit = size + 1
    found = latest(connection, name, limit=limit, before=before, location=location)
    while len(found) == limit and found[0].started_utc == found[-1].started_utc:
        if limit > MOST_TIED:
            return Page(entries=tuple(found), older=found[-1].started_utc)
        limit *= 2
        found = latest(connection, name, limit=limit, before=before, location=location)
    if len(found) < limit:
        return Page(entries=tuple(found), older=None)
    # The next page begins with the last one found, and with all of its moment.
    shown = tuple(entry for entry in found if entry.started_utc > found[-1].started_utc)
    return Page(entries=shown, older=shown[-1].started_utc)


def one_journey(connection: Connection, journey_id: str) -> OneJourney | None:
    """Ask for a journey; None if it is not there (any more).

    Raises:
        HistoryError: the evidence is damaged.
    """
    entry = journey(connection, journey_id)
    if entry is None:
        return None
    kept = evidence(connection, journey_id)
    return OneJourney(entry=entry, evidence=None if kept is None else read_evidence(kept))


def _past(connection: Connection, name: str, span: Span, now: float, location: str | None) -> Past:
    starts = span.starts(now)
    found = bars(
        connection,
        since=starts[0],
        until=starts[-1],
        bucket=span.bucket,
        monitor=name,
        location=location,
    )
    return Past(
        span=span,
        strip=strip(found, span, now),
        curve=_curve(connection, name, span, now, location) if found else None,
    )


def _curve(
    connection: Connection, name: str, span: Span, now: float, location: str | None = None
) -> Curve | None:
    starts = span.starts(now)
    found = latencies(
        connection,
        name,
        since=starts[0],
        until=starts[-1],
        bucket=span.bucket,
        location=location,
    )
    return curve(found, span, now)
