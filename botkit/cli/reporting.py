"""The reporters that the options of ``botkit run`` ask for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import click

from botkit.cli.monitoring import NAGIOS
from botkit.errors import FOREIGN
from botkit.interfaces import JourneyInfo, Reporter
from botkit.log_masking import masked
from botkit.report.annotations import annotation_lines
from botkit.report.console import ConsoleReporter, make_console, wants_live_view
from botkit.report.events import EventsReporter
from botkit.report.json_document import STDOUT, JsonReporter
from botkit.report.junit import Attach, JUnitReporter
from botkit.report.nagios import status_of, status_text
from botkit.report.plain import Detail
from botkit.report.step_summary import StepSummaryReporter
from botkit.results import JourneyResult, RunResult, exit_code
from botkit.workflow_commands import hold, release

GITHUB = "github"
SUMMARY_VARIABLE = "GITHUB_STEP_SUMMARY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be reported, and where to.

    Attributes:
        junit: a file; None for none.
        junit_attachments: a folder for files that belong to it; None for none.
        json: a file, or ``-`` for standard output; None for none.
        html: a file; None for none.
        events: a file, or ``-`` for standard output; None for none.
        others: reporters of plugins, with where each writes to.
        live: draw the live view, where there is a terminal.
        form: how the outcome is told, ``text``, ``nagios`` or ``github``.
        summary: where GitHub shows Markdown from; None for none.
        token: nobody can guess it, so that no chat gives commands to GitHub's runner.
    """

    junit: Path | None = None
    junit_attachments: Path | None = None
    json: Path | None = None
    html: Path | None = None
    events: Path | None = None
    others: tuple[tuple[Callable[..., Reporter], str], ...] = ()
    detail: Detail = Detail.NORMAL
    explain: bool = False
    fail_on_degraded: bool = False
    live: bool = True
    form: str = "text"
    summary: Path | None = None
    token: str = ""

    @property
    def stream(self) -> TextIO:
        """Where people read: not where data goes."""
        if self.form == NAGIOS or STDOUT in (self.json, self.events):
            return sys.stderr
        return sys.stdout

    def conclude(self, run: RunResult) -> int:
        """Tell the outcome to whom it was wanted for; gives the exit code."""
        if self.form == NAGIOS:
            click.echo(status_text(run))
            return status_of(run)
        if self.form == GITHUB:
            for line in annotation_lines(run):
                click.echo(line, file=self.stream)
        return exit_code(run, fail_on_degraded=self.fail_on_degraded)

    @contextmanager
    def holding_commands(self) -> Iterator[None]:
        """Keep what chats, plugins and bots write from being commands to GitHub's runner."""
        if self.form != GITHUB:
            yield
            return
        click.echo(hold(self.token), file=self.stream)
        try:
            yield
        finally:
            self.release_commands()

    def release_commands(self) -> None:
        """Let commands be obeyed again."""
        if self.form == GITHUB:
            click.echo(release(self.token), file=self.stream)

    def files(self) -> list[Reporter]:
        """Make the reporters that write files."""
        reporters: list[Reporter] = [make(Path(where)) for make, where in self.others]
        if self.junit is not None:
            reporters.append(JUnitReporter(self.junit, self._attach()))
        if self.json is not None:
            reporters.append(JsonReporter(self.json, fail_on_degraded=self.fail_on_degraded))
        if self.events is not None:
            reporters.append(EventsReporter(self.events, fail_on_degraded=self.fail_on_degraded))
        if self.html is not None:
            # Jinja2 is only loaded for whoever asks for the page.
            from botkit.report.html_page import HtmlReporter

            reporters.append(HtmlReporter(self.html))
        if self.summary is not None:
            reporters.append(StepSummaryReporter(self.summary))
        return reporters

    def _attach(self) -> Attach | None:
        if self.junit_attachments is None:
            return None
        # They are pages, too.
        from botkit.report.attachments import Attachments

        return Attachments(self.junit_attachments)

    def console(
        self,
        environ: Mapping[str, str],
        *,
        clock: Callable[[], float],
        limits: Mapping[str, float],
        total: int,
    ) -> ConsoleReporter:
        """Make the reporter that people look at."""
        stream, quiet = self.stream, self.detail is Detail.QUIET
        return ConsoleReporter(
            make_console(stream, environ),
            detail=self.detail,
            explain=self.explain,
            live=self.live and not quiet and wants_live_view(stream, environ),
            clock=clock,
            limits=limits,
            total=total,
        )


class Kept(Reporter):
    """Keeps what finished so far, for a run that may not come to its end.

    Attributes:
        running: the names of the journeys that run, by their ids.
        results: of those that have finished.
    """

    def __init__(self) -> None:
        self.running: dict[str, str] = {}
        self.results: list[JourneyResult] = []

    def journey_started(self, journey: JourneyInfo) -> None:
        self.running[journey.journey_id] = journey.name

    def journey_finished(self, result: JourneyResult) -> None:
        self.running.pop(result.journey_id, None)
        self.results.append(result)

    def run_finished(self, run: RunResult) -> None: ...


def tell_the_end(reporters: Iterable[Reporter], run: RunResult) -> list[str]:
    """Tell reporters that a run is over; give what went wrong with them."""
    faults = []
    for reporter in reporters:
        try:
            reporter.run_finished(run)
        except FOREIGN as error:  # The boundary to reporters; what failed is told.
            faults.append(fault_of(reporter, error))
    return faults


def fault_of(reporter: Reporter, error: BaseException) -> str:
    """Say that a reporter failed, and why."""
    return f"the reporter {type(reporter).__name__} failed: {masked(str(error))}"
