"""Who is where: the journeys that run at this moment, as a few lines that stay few.

Nothing here is written anywhere: :class:`Board` is told what happens, cheaply, and is asked for
its lines when somebody wants to look.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from botkit.chat import Row
from botkit.interfaces import JourneyInfo
from botkit.report.evidence import Line
from botkit.report.text import one_line
from botkit.results import JourneyResult, StepResult, Verdict

MAX_LINES = 10
NAME_WIDTH = 32


@dataclass(slots=True)
class Place:
    """Where one journey is.

    Attributes:
        limit: how long it may take, seconds; None if unknown.
        steps: how many steps are done.
        step: the last of them.
        said: the last line of the chat.
    """

    name: str
    began: float
    limit: float | None
    on_simulator: bool
    steps: int = 0
    step: str = ""
    said: str = ""


class Board:
    """Knows the journeys that run, and counts those that are done.

    Args:
        limits: how long a journey may take, by its name, seconds.
        total: how many journeys there are to play.
    """

    def __init__(self, *, limits: Mapping[str, float] | None = None, total: int = 0) -> None:
        self._limits = limits or {}
        self._total = total
        self._places: dict[str, Place] = {}
        self._done: Counter[Verdict] = Counter()

    def journey_started(self, journey: JourneyInfo) -> None:
        """Put a journey on the board."""
        self._places[journey.journey_id] = Place(
            journey.name, journey.began, self._limits.get(journey.name), journey.on_simulator
        )

    def event(self, journey: JourneyInfo, row: Row) -> None:
        """Note the last line of a chat; what is no message is only shown before the first one."""
        place = self._places.get(journey.journey_id)
        if place is not None and (row.kind == "message" or not place.said):
            place.said = str(row)

    def step_finished(self, journey: JourneyInfo, step: StepResult) -> None:
        """Note how far a journey is."""
        place = self._places.get(journey.journey_id)
        if place is not None:
            place.steps += 1
            place.step = step.text

    def journey_finished(self, result: JourneyResult) -> None:
        """Take a journey off the board."""
        self._places.pop(result.journey_id, None)
        self._done[result.verdict] += 1

    def lines(self, now: float, *, room: int = MAX_LINES) -> Iterator[Line]:
        """Say who is where: those that have run longest first, then how many more there are.

        Args:
            now: the clock that ``began`` of a journey is read from.
            room: lines for journeys.
        """
        yield Line(self._counts(), "head")
        for place in islice(self._places.values(), room):
            yield Line(_line(place, now))
        if len(self._places) > room:
            yield Line(f"... and {len(self._places) - room} more", "dim")

    def _counts(self) -> str:
        done = [
            f"{self._done[verdict]} {verdict.value}" for verdict in Verdict if self._done[verdict]
        ]
        waiting = self._total - len(self._places) - self._done.total()
        parts = [f"{len(self._places)} running", *done]
        return ", ".join([*parts, f"{waiting} waiting"] if waiting > 0 else parts)


def _line(place: Place, now: float) -> str:
    name = one_line(place.name, NAME_WIDTH)
    where = " on the simulator" if place.on_simulator else ""
    step = f"step {place.steps} done: {one_line(place.step, 40)}" if place.steps else "opening"
    said = f" | {one_line(place.said, 80)}" if place.said else ""
    return f"{name}{where}  {_time(place, now)}  {step}{said}"


def _time(place: Place, now: float) -> str:
    spent = now - place.began
    if place.limit is None:
        return f"{spent:.0f} s"
    return f"{max(0.0, place.limit - spent):.0f} s left"
