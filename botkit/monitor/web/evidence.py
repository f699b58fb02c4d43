"""Reads the evidence of a journey for the page: JSON of any version, so nothing in it is certain.

The form is that of ``botkit run --json``. What is missing or of another kind than it should be is
shown as nothing; what is long is cut, which the page says, and is whole in the JSON itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from botkit.errors import HistoryError

MOST_STEPS = 300
MOST_ROWS = 500
MOST_LINES = 20
"""Lines of one list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Came:
    """An event that did not count, and why."""

    line: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StepView:
    """A step as people see it; ``place`` is where it stands in its bot."""

    number: str
    text: str
    place: str
    verdict: str
    started: float
    duration: float
    expected: str
    received: tuple[str, ...]
    came: tuple[Came, ...]
    took: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    """A row of the transcript.

    Attributes:
        side: customer, other, or notice for what is no message.
        who: it is from; may be empty.
        when: seconds since the journey began.
        text: what was said.
        history: it was said before, and only read again.
    """

    side: str
    who: str
    when: float
    text: str
    history: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a journey left behind; ``left_out`` counts steps and rows that are not here."""

    title: str
    session_id: str
    steps: tuple[StepView, ...]
    bubbles: tuple[Bubble, ...]
    notes: tuple[str, ...]
    warnings: tuple[str, ...]
    left_out: int


def read_evidence(data: bytes) -> Evidence:
    """Read the JSON of one journey.

    Raises:
        HistoryError: it is none.
    """
    try:
        journey = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise HistoryError(f"the evidence cannot be read: {error}") from error
    if not isinstance(journey, dict):
        raise HistoryError("the evidence is no journey")
    steps, rows = list(_objects(journey, "steps")), list(_objects(journey, "transcript"))
    return Evidence(
        title=_text(journey, "title"),
        session_id=_text(journey, "session_id"),
        # The last ones, where the journey was decided.
        steps=tuple(_step(step) for step in steps[-MOST_STEPS:]),
        bubbles=tuple(_bubble(row) for row in rows[-MOST_ROWS:]),
        notes=_lines(journey, "notes"),
        warnings=_lines(journey, "warnings"),
        left_out=max(0, len(steps) - MOST_STEPS) + max(0, len(rows) - MOST_ROWS),
    )


def _step(step: Mapping[str, Any]) -> StepView:
    file, line = _text(step, "file"), _text(step, "line")
    return StepView(
        number=_text(step, "number"),
        text=_text(step, "text"),
        place=f"{file}:{line}" if file and line else file,
        verdict=_text(step, "verdict"),
        started=_number(step, "started"),
        duration=_number(step, "duration"),
        expected=_text(step, "expected"),
        received=_lines(step, "received"),
        came=tuple(
            Came(line=_text(event, "line"), why=_text(event, "why"))
            for event in list(_objects(step, "came"))[-MOST_LINES:]
        ),
        took=_text(step, "took"),
        message=_text(step, "message"),
    )


def _bubble(row: Mapping[str, Any]) -> Bubble:
    said = _text(row, "kind") == "message"
    customer = _text(row, "party") == "customer"
    return Bubble(
        side="notice" if not said else "customer" if customer else "other",
        who=_text(row, "who"),
        when=_number(row, "at"),
        # Of most events their name says it all.
        text=_text(row, "text") or _text(row, "kind").replace("_", " "),
        history=row.get("history") is True,
    )


def _objects(members: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    found = members.get(name)
    return (item for item in (found if isinstance(found, list) else []) if isinstance(item, dict))


def _lines(members: Mapping[str, Any], name: str) -> tuple[str, ...]:
    found = members.get(name)
    lines = [item for item in (found if isinstance(found, list) else []) if isinstance(item, str)]
    return tuple(lines[-MOST_LINES:])


def _text(members: Mapping[str, Any], name: str) -> str:
    found = members.get(name)
    return str(found) if isinstance(found, (str, int)) else ""


def _number(members: Mapping[str, Any], name: str) -> float:
    found = members.get(name)
    return float(found) if isinstance(found, (int, float)) else 0.0
