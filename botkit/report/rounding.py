"""A run with its times as evidence holds them: to the microsecond, since each journey began.

What is written of a run and what is made of its JSON document later is then the same, to the last
digit: all that is computed from times is computed from the same ones.
"""

from __future__ import annotations

from dataclasses import replace

from botkit.results import JourneyResult, RunResult, StepResult

__all__ = ["DIGITS", "rounded", "rounded_journey"]

DIGITS = 6
"""Decimal places of seconds."""


def rounded(run: RunResult) -> RunResult:
    """Give a run with times as evidence holds them."""
    return replace(
        run,
        duration=round(run.duration, DIGITS),
        journeys=tuple(map(rounded_journey, run.journeys)),
    )


def rounded_journey(journey: JourneyResult) -> JourneyResult:
    """Give a journey with times as evidence holds them; it begins at 0."""
    return replace(
        journey,
        began=0.0,
        duration=round(journey.duration, DIGITS),
        step=None if journey.step is None else _step(journey.step),
        steps=tuple(map(_step, journey.steps)),
        transcript=tuple(
            replace(row, at=round(row.at - journey.began, DIGITS)) for row in journey.transcript
        ),
        measurements={k: round(v, DIGITS) for k, v in journey.measurements.items()},
        frames=tuple(replace(frame, at=round(frame.at, DIGITS)) for frame in journey.frames),
    )


def _step(step: StepResult) -> StepResult:
    return replace(step, started=round(step.started, DIGITS), duration=round(step.duration, DIGITS))
