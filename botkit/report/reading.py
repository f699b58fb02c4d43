"""Evidence read back: from the JSON document of a run to its result.

All that people are shown is made of results, so a page or a JUnit file that is made of a document
is the one that the run itself would have written.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from botkit.chat import Row
from botkit.errors import ConfigError
from botkit.report.evidence_models import FrameModel, JourneyModel, RowModel, RunModel, StepModel
from botkit.report.json_document import VERSION
from botkit.results import Frame, JourneyResult, RunResult, StepResult

__all__ = ["document_of", "merged", "read_file", "read_run"]

MAX_TOLD = 3
"""Mistakes of one document that are told."""


def read_file(path: Path) -> RunResult:
    """Read a file that ``botkit run --json`` has written.

    Raises:
        ConfigError: naming the file; it cannot be read, or is something else.
    """
    try:
        return read_run(path.read_text(encoding="utf-8"))
    except ConfigError as error:
        error.file = str(path)
        raise
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"this cannot be read as text: {error}", file=str(path)) from error


def read_run(text: str) -> RunResult:
    """Read the document of a run.

    Raises:
        ConfigError: it is none, or is damaged.
    """
    try:
        run = RunModel.model_validate(document_of(text))
    except ValidationError as error:
        raise ConfigError(f"this evidence is damaged: {_told(error)}") from error
    return RunResult(
        run_id=run.run_id,
        started_utc=run.started_utc,
        duration=run.duration,
        journeys=tuple(_journey(journey, run.run_id) for journey in run.journeys),
        interrupted=run.interrupted,
        faults=tuple(run.faults),
    )


def document_of(text: str) -> dict[str, Any]:
    """Give the document of a run as JSON has it, whatever its members are.

    Raises:
        ConfigError: it is none, or of another version.
    """
    try:
        document = json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise ConfigError(
            f"this is no JSON: {error.msg}", line=error.lineno, column=error.colno
        ) from error
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"this is no JSON that can be read: {error}") from error
    if not isinstance(document, dict) or "botkit_result" not in document:
        raise ConfigError("this JSON is no evidence of botkit; 'botkit run --json FILE' writes it")
    version = document["botkit_result"]
    if version != VERSION:
        raise ConfigError(
            f"this evidence has the form {version!r}, and this botkit reads the form {VERSION};"
            " run the bot again"
        )
    return document


def merged(runs: Sequence[RunResult]) -> RunResult:
    """Make one run of several: from when the first began to when the last was over.

    Raises:
        ConfigError: a journey is in two of them.
    """
    if len(runs) == 1:
        return runs[0]
    journeys = [journey for run in runs for journey in run.journeys]
    seen: set[str] = set()
    for journey in journeys:
        if journey.journey_id in seen:
            raise ConfigError(f"journey {journey.journey_id} is in two of these files")
        # Without a name it was never started.
        seen |= {journey.journey_id} - {""}
    began = min(run.started_utc for run in runs)
    return RunResult(
        run_id=", ".join(dict.fromkeys(run.run_id for run in runs)),
        started_utc=began,
        duration=max(run.started_utc + run.duration for run in runs) - began,
        journeys=tuple(journeys),
        interrupted=any(run.interrupted for run in runs),
        faults=tuple(fault for run in runs for fault in run.faults),
    )


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _told(error: ValidationError) -> str:
    """Say where a document is wrong; values are not repeated, for they may be long."""
    found = error.errors(include_url=False, include_context=False, include_input=False)
    told = [f"{_place(one['loc'])}: {one['msg']}" for one in found[:MAX_TOLD]]
    more = [f"and {len(found) - MAX_TOLD} more"] if len(found) > MAX_TOLD else []
    return "; ".join([*told, *more])


def _place(path: tuple[int | str, ...]) -> str:
    """Write where a value stands: ``journeys[0].steps[2].line``."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return "".join(parts).removeprefix(".")


def _journey(journey: JourneyModel, run_id: str) -> JourneyResult:
    return JourneyResult(
        run_id=run_id,
        journey_id=journey.journey_id,
        bot=journey.bot,
        name=journey.name,
        title=journey.title,
        file=journey.file,
        tags=tuple(journey.tags),
        verdict=journey.verdict,
        reason=journey.reason,
        message=journey.message,
        step=None if journey.step is None else _step(journey.step),
        started_utc=journey.started_utc,
        began=0.0,
        duration=journey.duration,
        steps=tuple(map(_step, journey.steps)),
        transcript=tuple(map(_row, journey.transcript)),
        connector=journey.connector,
        server=journey.server,
        on_simulator=journey.on_simulator,
        session_id=journey.session_id,
        left=journey.left,
        asserted=journey.asserted,
        notes=tuple(journey.notes),
        measurements={k: math.inf if v is None else v for k, v in journey.measurements.items()},
        captured=journey.captured,
        warnings=tuple(journey.warnings),
        by_hand=journey.by_hand,
        frames=tuple(map(_frame, journey.frames)),
    )


def _step(step: StepModel) -> StepResult:
    return StepResult(
        number=step.number,
        path=step.path,
        verb=step.verb,
        text=step.text,
        file=step.file,
        line=step.line,
        verdict=step.verdict,
        reason=step.reason,
        started=step.started,
        duration=step.duration,
        expected=step.expected,
        received=tuple(step.received),
        took=step.took,
        passed_over=tuple(step.passed_over),
        message=step.message,
        asserts=step.asserts,
        seq=step.seq,
    )


def _row(row: RowModel) -> Row:
    return Row(**dict(row))


def _frame(frame: FrameModel) -> Frame:
    return Frame(**dict(frame))
