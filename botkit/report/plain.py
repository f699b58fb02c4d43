"""What a person reads of a run: a line for each journey, then the evidence, then the totals.

Lines are never wrapped: who reads a log wants to find them.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.text import Text

from botkit.interfaces import Reporter
from botkit.report.evidence import Line, because, evidence, headline, step_line, totals
from botkit.report.explanation import explanation
from botkit.results import JourneyResult, RunResult, StepResult, Verdict

STYLES = {
    "passed": "green",
    "degraded": "yellow",
    "failed": "red",
    "error": "bold magenta",
    "skipped": "dim",
    "cancelled": "yellow",
    "warning": "yellow",
    "head": "bold",
    "dim": "dim",
}

UNREMARKABLE = frozenset({Verdict.PASSED, Verdict.SKIPPED})
"""Verdicts that need no evidence."""

MAX_EVIDENCE = 20
"""Journeys whose evidence is shown; the files have that of all."""


class Detail(enum.Enum):
    """How much a person wants to read."""

    QUIET = "quiet"
    """What did not pass, and the totals."""
    NORMAL = "normal"
    """A line for every journey besides."""
    VERBOSE = "verbose"
    """The evidence of all journeys, with their steps."""


class PlainReporter(Reporter):
    """Writes lines.

    Args:
        console: where to; its colours are decided by whoever made it.
        detail: how much.
        explain: say of every journey which events its steps took and passed over.
    """

    def __init__(
        self, console: Console, *, detail: Detail = Detail.NORMAL, explain: bool = False
    ) -> None:
        self.console = console
        self.detail = detail
        self._explain = explain

    def journey_finished(self, result: JourneyResult) -> None:
        """Write the line of a journey."""
        if self.detail is not Detail.QUIET or self._explain:
            self.write(self.lines_of(result))

    def lines_of(self, result: JourneyResult) -> Iterator[Line]:
        """Say what is to be said of a journey as soon as it is over."""
        yield headline(result)
        if self._explain:
            yield from explanation(result)

    def run_finished(self, run: RunResult) -> None:
        """Write the evidence of what is worth it, then the totals."""
        self.write(summary(run, self.detail))

    def write(self, lines: Iterable[Line]) -> None:
        """Write lines as they are: no markup, no wrapping, no guessing at what they mean."""
        text = Text("\n").join(Text(line.text, STYLES.get(line.style, "")) for line in lines)
        if text:
            self.console.print(text, soft_wrap=True)


def summary(run: RunResult, detail: Detail) -> Iterator[Line]:
    """Say what a person needs to know when a run is over."""
    everything = detail is Detail.VERBOSE
    told = [j for j in run.journeys if everything or j.verdict not in UNREMARKABLE]
    for journey in told if everything else told[:MAX_EVIDENCE]:
        yield Line("")
        yield from evidence(journey)
        if everything and journey.steps:
            yield Line("  steps:", "head")
            yield from (_step(step) for step in journey.steps)
    if not everything and len(told) > MAX_EVIDENCE:
        yield Line("")
        yield Line(f"... and {len(told) - MAX_EVIDENCE} more did not pass")
    yield from _skipped(run)
    yield Line("")
    yield totals(run)


def _step(step: StepResult) -> Line:
    return Line(f"    {step.verdict.value}  {step_line(step)}", step.verdict.value)


def _skipped(run: RunResult) -> Iterator[Line]:
    """Say why journeys were skipped, once for each reason; nobody must think that they ran."""
    skipped = [because(j) for j in run.journeys if j.verdict is Verdict.SKIPPED]
    for why in dict.fromkeys(skipped):
        yield Line(f"{skipped.count(why)} skipped: {why}", "skipped")
