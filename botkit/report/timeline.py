"""A journey as a picture: who spoke when, which step took how long, on one axis of time.

Places along the axis are percentages and heights are pixels, so that the picture takes whatever
width there is while its letters keep their size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from botkit.chat import PartyKind, Row
from botkit.report.evidence import seconds
from botkit.results import JourneyResult, StepResult

LANE = 34
"""Height of a lane: a line of words, and what happened under it."""

AXIS = 22
"""Height of the numbers above all lanes."""

MAX_LANES = 40
"""Steps that are drawn; the newest tell most."""

MAX_LABEL = 42
"""Characters of a label: what a phone has room for."""

MOST_TICKS = 6
LEAST_WIDTH = 0.6
"""Percent of the axis that can still be seen."""

MARK = 1.2
"""Percent of the axis that half a mark takes on a phone."""

MARKED = (("customer", "Customer"), ("other", "Agents and others"), ("notice", "Events"))
"""The lanes of what happened: what :func:`side_of` says, and how the lane is called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A time on the axis; ``anchor`` says which end of its words stands there, unless the first."""

    x: float
    words: str
    anchor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """A lane with what one side did, as places on the axis."""

    y: int
    side: str
    label: str
    places: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A lane with one step; ``waits`` tells waiting from doing."""

    y: int
    label: str
    took: str
    x: float
    width: float
    verdict: str
    waits: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """All that is drawn; ``left_out`` counts the steps that are not."""

    height: int
    ticks: tuple[Tick, ...]
    marks: tuple[Marks, ...]
    bars: tuple[Bar, ...]
    left_out: int


def side_of(row: Row) -> str:
    """Say whose a row is: ``customer``, ``other``, or ``notice`` if nobody spoke."""
    if row.kind != "message":
        return "notice"
    return "customer" if row.party is PartyKind.CUSTOMER else "other"


def timeline(journey: JourneyResult, steps: Sequence[StepResult], rows: Sequence[Row]) -> Timeline:
    """Draw steps and rows of a journey."""
    drawn = steps[-MAX_LANES:]
    length = max(journey.duration, 0.001, *(step.started + step.duration for step in drawn))
    marks = tuple(_marks(rows, journey.began, length))
    top = AXIS + LANE * len(marks)
    bars = tuple(_bar(step, top + LANE * i, length) for i, step in enumerate(drawn))
    return Timeline(
        height=top + LANE * len(bars),
        ticks=tuple(_ticks(length)),
        marks=marks,
        bars=bars,
        left_out=len(steps) - len(drawn),
    )


def _marks(rows: Sequence[Row], began: float, length: float) -> Iterator[Marks]:
    y = AXIS
    for side, label in MARKED:
        times = (row.at - began for row in rows if side_of(row) == side and not row.history)
        # Many things at once are one mark for the eye.
        places = sorted({_place_of_mark(at / length) for at in times if 0 <= at <= length})
        if places:
            yield Marks(y=y, side=side, label=label, places=tuple(places))
            y += LANE


def _place_of_mark(part: float) -> float:
    """Place a mark so that it is seen whole at either end, too."""
    return round(min(max(100 * part, MARK), 100 - MARK), 1)


def _bar(step: StepResult, y: int, length: float) -> Bar:
    width = max(LEAST_WIDTH, round(100 * step.duration / length, 1))
    more = "..." if len(step.text) > MAX_LABEL else ""
    return Bar(
        y=y,
        label=step.text[:MAX_LABEL] + more,
        took=seconds(step.duration),
        x=min(round(100 * step.started / length, 1), 100 - width),
        width=width,
        verdict=step.verdict.value,
        waits=bool(step.expected) or step.verb == "pause",
    )


def _ticks(length: float) -> Iterator[Tick]:
    size = _tick_size(length)
    for number in range(int(length / size) + 1):
        x = round(100 * number * size / length, 1)
        anchor = "" if number == 0 else "end" if x > 95 else "middle"
        yield Tick(x=x, words=f"{number * size:g} s", anchor=anchor)


def _tick_size(length: float) -> float:
    """Find a round number of seconds that is not too often in a length."""
    size = 0.001
    while True:
        for factor in (1, 2, 5):
            if length / (size * factor) <= MOST_TICKS:
                return size * factor
        size *= 10
