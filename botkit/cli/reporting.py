"""The reporters that the options of ``botkit run`` ask for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import BinaryIO, TextIO

from botkit.chat import Row
from botkit.interfaces import JourneyInfo, Reporter
from botkit.report.console import ConsoleReporter, make_console, wants_live_view
from botkit.report.files import write_whole
from botkit.report.json_document import JsonReporter
from botkit.report.junit import JUnitReporter
from botkit.report.plain import Detail
from botkit.results import JourneyResult, RunResult, StepResult

STDOUT = Path("-")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be reported, and where to.

    Attributes:
        junit: a file; None for none.
        json: a file, or ``-`` for standard output; None for none.
    """

    junit: Path | None = None
    json: Path | None = None
    detail: Detail = Detail.NORMAL
    fail_on_degraded: bool = False

    @property
    def stream(self) -> TextIO:
        """Where people read: not where data goes."""
        return sys.stderr if self.json == STDOUT else sys.stdout


class Kept:
    """Keeps what finished so far, for a run that is not allowed to come to its end."""

    def __init__(self) -> None:
        self.running: dict[str, str] = {}
        self.results: list[JourneyResult] = []

    def journey_started(self, journey: JourneyInfo) -> None:
        self.running[journey.journey_id] = journey.name

    def event(self, journey: JourneyInfo, row: Row) -> None: ...
    def step_finished(self, journey: JourneyInfo, step: StepResult) -> None: ...

    def journey_finished(self, result: JourneyResult) -> None:
        self.running.pop(result.journey_id, None)
        self.results.append(result)

    def run_finished(self, run: RunResult) -> None: ...


def files_of(wanted: Wanted) -> list[Reporter]:
    """Make the reporters that write files."""
    reporters: list[Reporter] = []
    if wanted.junit is not None:
        reporters.append(JUnitReporter(wanted.junit))
    if wanted.json is not None:
        write = (
            partial(_write_stream, sys.stdout.buffer)
            if wanted.json == STDOUT
            else partial(write_whole, wanted.json)
        )
        reporters.append(JsonReporter(write, fail_on_degraded=wanted.fail_on_degraded))
    return reporters


def console_of(
    wanted: Wanted,
    environ: Mapping[str, str],
    *,
    clock: Callable[[], float],
    limits: Mapping[str, float],
    total: int,
) -> ConsoleReporter:
    """Make the reporter that people look at."""
    stream = wanted.stream
    return ConsoleReporter(
        make_console(stream, environ),
        detail=wanted.detail,
        live=wants_live_view(stream, environ) and wanted.detail is not Detail.QUIET,
        clock=clock,
        limits=limits,
        total=total,
    )


def _write_stream(stream: BinaryIO, data: bytes) -> None:
    stream.write(data)
    stream.flush()
