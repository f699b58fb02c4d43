"""What a journey lets out: everything is masked here, so that no reporter can forget it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType

from botkit.chat import Row
from botkit.interfaces import JourneyInfo
from botkit.masking import Masker
from botkit.results import JourneyResult, StepResult

Mask = Callable[[str], str]


def shown_row(row: Row, mask: Mask) -> Row:
    """Give a row of the transcript as it may be shown."""
    who, text, kind = mask(row.who), mask(row.text), mask(row.kind)
    if (who, text, kind) == (row.who, row.text, row.kind):
        return row
    return replace(row, who=who, text=text, kind=kind)


def shown_step(step: StepResult, mask: Mask) -> StepResult:
    """Give what became of a step as it may be shown."""
    return replace(
        step,
        text=mask(step.text),
        expected=mask(step.expected),
        received=tuple(map(mask, step.received)),
        took=None if step.took is None else mask(step.took),
        passed_over=tuple(map(mask, step.passed_over)),
        message=mask(step.message),
    )


def shown_result(result: JourneyResult, masker: Masker) -> JourneyResult:
    """Give a result as it may be shown: by all that is known at its end, and the warnings of it."""
    if not masker and not masker.warnings:
        return result
    return replace(
        result,
        name=masker(result.name),
        title=masker(result.title),
        message=masker(result.message),
        step=None if result.step is None else shown_step(result.step, masker),
        steps=tuple(shown_step(step, masker) for step in result.steps),
        transcript=tuple(shown_row(row, masker) for row in result.transcript),
        server=masker(result.server),
        session_id=None if result.session_id is None else masker(result.session_id),
        notes=tuple(map(masker, result.notes)),
        measurements=dict(_apart(result.measurements.items(), masker)),
        captured={name: masker(value) for name, value in result.captured.items()},
        warnings=(*map(masker, result.warnings), *masker.warnings),
    )


def _apart(measured: Iterable[tuple[str, float]], mask: Mask) -> Iterator[tuple[str, float]]:
    """Keep durations apart whose names read the same once they are masked."""
    seen: set[str] = set()
    for name, seconds in measured:
        shown, number = mask(name), 1
        while shown in seen:
            number += 1
            shown = f"{mask(name)} #{number}"
        seen.add(shown)
        yield shown, seconds


class ShownJourney(JourneyInfo):
    """A journey as reporters see it: nothing in it says what is masked.

    Args:
        journey: the journey itself, as hooks know it.
        mask: hides what must not be shown now.
    """

    __slots__ = ("_journey", "_mask")

    def __init__(self, journey: JourneyInfo, mask: Mask) -> None:
        self._journey = journey
        self._mask = mask

    @property
    def run_id(self) -> str:
        return self._journey.run_id

    @property
    def journey_id(self) -> str:
        return self._journey.journey_id

    @property
    def bot(self) -> str:
        return self._journey.bot

    @property
    def name(self) -> str:
        return self.mask(self._journey.name)

    @property
    def row(self) -> Mapping[str, str]:
        return MappingProxyType({k: self.mask(v) for k, v in self._journey.row.items()})

    @property
    def on_simulator(self) -> bool:
        return self._journey.on_simulator

    @property
    def began(self) -> float:
        return self._journey.began

    @property
    def deadline(self) -> float:
        return self._journey.deadline

    def note(self, text: str) -> None:
        self._journey.note(text)

    def measure(self, name: str, seconds: float) -> None:
        self._journey.measure(name, seconds)

    def mask(self, text: str) -> str:
        return self._mask(text)
