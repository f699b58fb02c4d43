"""What the history takes and gives: a record per journey, and the counts that bars show."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any

from botkit.errors import HistoryError
from botkit.results import JourneyResult, Verdict

MAX_NAME = 200
"""Characters of a monitor's name and of a location's: they are keys of the store."""
MAX_LINE = 500
MAX_MESSAGE = 4000
MAX_EVIDENCE = 64 * 1024 * 1024
"""Bytes of one journey's evidence; more is not unpacked."""

WORKED = frozenset({Verdict.PASSED, Verdict.DEGRADED})
"""Journeys whose durations are latencies: the others took as long as their patience."""
TELLS_NOTHING = frozenset({Verdict.SKIPPED, Verdict.CANCELLED})
"""Verdicts that say neither that the service works nor that it does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One journey in one line: all that lists, incidents and alerts need to know of it.

    Attributes:
        journey_id: names it within all runs of all probes; the history takes each once.
        run_id: of the run that it was part of.
        monitor: whose journey it is, 200 characters at most.
        location: where the probe stands; empty if there is one probe alone.
        bot: the bot's name.
        name: of the journey: the bot's, with the row's in brackets.
        started_utc: epoch seconds.
        duration: seconds.
        verdict: how it ended.
        reason: why, a word of `Reason` of the botkit that wrote it, which may be another version.
        message: one sentence for people; empty if all is well.
        step: the step that decided, as a person would say it; empty if none did.
        connector: the name of the wire.
        server: its URL.
        on_simulator: the contact centre was botkit's own.
        measurements: named durations in seconds; those that are no number are left out.
    """

    journey_id: str
    run_id: str
    monitor: str
    location: str = ""
    bot: str
    name: str
    started_utc: float
    duration: float
    verdict: Verdict
    reason: str
    message: str = ""
    step: str = ""
    connector: str = ""
    server: str = ""
    on_simulator: bool = False
    measurements: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A journey on its way into the history.

    Attributes:
        entry: what is asked for often.
        packed: its evidence, compressed (zlib).
    """

    entry: Entry
    packed: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """The journeys of one monitor at one location: what is up or down as a whole."""

    monitor: str
    location: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """The verdicts of one monitor within one span of time.

    Attributes:
        start: epoch seconds; spans begin at multiples of their length.
        counts: of the verdicts that occurred.
    """

    monitor: str
    start: int
    counts: Mapping[Verdict, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """How long the journeys of one span of time took that worked.

    Attributes:
        start: epoch seconds.
        count: of these journeys, never 0.
        quantiles: of those asked for, seconds; exact to 5 %.
    """

    start: int
    count: int
    quantiles: Mapping[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """A span in which no journey of one stream passed; skipped and cancelled ones do not count.

    Attributes:
        began_utc: the start of its first journey.
        last_utc: the start of its last journey so far.
        ended_utc: the start of the first journey that passed again; None while it lasts.
        counts: of its verdicts: degraded, failed, error.
        first: the journey it began with, which says what broke.
    """

    monitor: str
    location: str
    began_utc: float
    last_utc: float
    ended_utc: float | None
    counts: Mapping[Verdict, int]
    first: Entry


def finished(
    result: JourneyResult, *, monitor: str, location: str = "", evidence: bytes
) -> Finished:
    """Put what a journey came to into the form that the history takes.

    Args:
        result: of the journey.
        monitor: whose it is.
        location: of the probe.
        evidence: the JSON of the journey, secrets masked; kept as it is and never looked into.

    Raises:
        HistoryError: a name or the evidence is longer than the history takes.
    """
    for what, name in (("monitor", monitor), ("location", location)):
        if len(name) > MAX_NAME:
            raise HistoryError(f"the {what} {name[:40]!r}... has more than {MAX_NAME} characters")
    if len(evidence) > MAX_EVIDENCE:
        raise HistoryError(f"the evidence of {result.journey_id} has {len(evidence):,} bytes")
    entry = Entry(
        journey_id=clean(result.journey_id, MAX_LINE),
        run_id=clean(result.run_id, MAX_LINE),
        monitor=clean(monitor, MAX_NAME),
        location=clean(location, MAX_NAME),
        bot=clean(result.bot, MAX_LINE),
        name=clean(result.name, MAX_LINE),
        started_utc=result.started_utc,
        duration=result.duration if math.isfinite(result.duration) else 0.0,
        verdict=result.verdict,
        reason=result.reason.value,
        message=clean(result.message, MAX_MESSAGE),
        step=clean(result.step.text if result.step else "", MAX_LINE),
        connector=clean(result.connector, MAX_LINE),
        server=clean(result.server, MAX_LINE),
        on_simulator=result.on_simulator,
        measurements={
            clean(name, MAX_LINE): value
            for name, value in result.measurements.items()
            if math.isfinite(value)
        },
    )
    return Finished(entry=entry, packed=zlib.compress(evidence))


def unpack(packed: bytes) -> bytes:
    """Give evidence as it came.

    Raises:
        HistoryError: it is damaged, or more than was ever stored.
    """
    unpacking = zlib.decompressobj()
    try:
        # One byte more, for the last ones of what is just not too much are only then looked at.
        evidence = unpacking.decompress(packed, MAX_EVIDENCE + 1)
    except zlib.error as error:
        raise HistoryError(f"the evidence is damaged: {error}") from error
    if len(evidence) > MAX_EVIDENCE:
        raise HistoryError(f"the evidence has more than {MAX_EVIDENCE:,} bytes")
    if not unpacking.eof:
        raise HistoryError("the evidence is damaged: its end is missing")
    return evidence


def clean(text: str, limit: int) -> str:
    """Leave out what one store or the other cannot hold: NUL, and half characters."""
    return text[:limit].replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def to_row(entry: Entry) -> dict[str, Any]:
    """Write an entry as plain values, for the store and for the disk."""
    row = {member.name: getattr(entry, member.name) for member in fields(entry)}
    row["verdict"] = entry.verdict.value
    row["measurements"] = json.dumps(dict(entry.measurements), ensure_ascii=False)
    return row


def from_row(row: Mapping[str, Any]) -> Entry:
    """Read what :func:`to_row` has written.

    Raises:
        KeyError, TypeError, ValueError: nothing of the kind.
    """
    members = dict(row)
    members["verdict"] = Verdict(row["verdict"])
    members["measurements"] = MappingProxyType(json.loads(row["measurements"]))
    members["on_simulator"] = bool(row["on_simulator"])
    return Entry(**members)
