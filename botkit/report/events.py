"""The lines of ``--events``: what happens in a run, as it happens, for programs that look on.

Each line is a JSON object and is written at once; a reader never sees half of one. It begins with
the same members; the rest is as in the document of ``--json``, which tells what they mean::

    {"botkit_event": 1,           version of this form; new members, and types, may come without
     "type": "event",             what happened, see below
     "run_id": "4f1c..."}         and, of all but "run_finished", "journey_id"

==================  ============================================================================
type                besides
==================  ============================================================================
journey_started     bot, name, on_simulator
event               what came or was done in the chat: the members of a row of "transcript"
step_finished       the members of a step in "steps", but "came" and "closest"
journey_finished    the members of a journey, but "steps", "transcript" and "frames"; its "step"
                    has no "came" and "closest"
run_finished        the members of the document, but "journeys"
==================  ============================================================================

Journeys run beside each other, and so do their lines. What must not be shown is masked as in the
document. A journey that was never started has the line ``journey_finished`` alone, with an empty
"journey_id".
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, BinaryIO

from botkit.chat import Row
from botkit.interfaces import JourneyInfo, Reporter
from botkit.report.json_document import (
    STDOUT,
    encode_line,
    journey_members,
    row_members,
    run_members,
    step_members,
)
from botkit.results import JourneyResult, RunResult, StepResult, Verdict, exit_code

__all__ = ["EventsReporter"]

VERSION = 1


class EventsReporter(Reporter):
    """Writes a line for all that happens.

    Args:
        path: the file, which is begun anew with the first line; ``-`` is what standard output is
            now.
        fail_on_degraded: of the run, for the exit code.
    """

    def __init__(self, path: Path, *, fail_on_degraded: bool = False) -> None:
        self._path = path
        self._stdout = sys.stdout
        self._fail_on_degraded = fail_on_degraded
        self._file: BinaryIO | None = None

    def journey_started(self, journey: JourneyInfo) -> None:
        self._write_of(
            journey,
            "journey_started",
            {"bot": journey.bot, "name": journey.name, "on_simulator": journey.on_simulator},
        )

    def event(self, journey: JourneyInfo, row: Row) -> None:
        self._write_of(journey, "event", row_members(row, journey.began))

    def step_finished(self, journey: JourneyInfo, step: StepResult) -> None:
        self._write_of(journey, "step_finished", step_members(step))

    def journey_finished(self, result: JourneyResult) -> None:
        step = None if result.step is None else step_members(result.step)
        members = {"run_id": result.run_id, **journey_members(result, step)}
        self._write("journey_finished", members)

    def run_finished(self, run: RunResult) -> None:
        """Write the last line, and close the file."""
        for result in run.journeys:
            if result.verdict is Verdict.SKIPPED and not result.journey_id:
                self.journey_finished(result)
        code = exit_code(run, fail_on_degraded=self._fail_on_degraded)
        self._write("run_finished", {**run_members(run), "exit_code": int(code)})
        if self._file is not None:
            self._file.close()

    def _write_of(self, journey: JourneyInfo, what: str, members: dict[str, Any]) -> None:
        names = {"run_id": journey.run_id, "journey_id": journey.journey_id}
        self._write(what, {**names, **members})

    def _write(self, what: str, members: dict[str, Any]) -> None:
        line = encode_line({"botkit_event": VERSION, "type": what, **members})
        file = self._open()
        file.write(line)
        file.flush()

    def _open(self) -> BinaryIO:
        if self._path == STDOUT:
            # Not sys.stdout of this moment: a live view puts itself in its place.
            return self._stdout.buffer
        if self._file is None:
            self._file = self._path.open("wb")
        return self._file
