"""``botkit report``: makes the reports of runs from their JSON files, later or elsewhere."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from botkit.cli.options import takes

if TYPE_CHECKING:
    from botkit.cli.reporting import Wanted
    from botkit.interfaces import Reporter
    from botkit.results import RunResult


@click.command()
@takes(
    "results",
    "junit",
    "junit-attachments",
    "html",
    "report",
    "fail-on",
    "run-format",
    "plugins",
    "explain",
    "quiet",
    "verbose",
)
def report(**given: Any) -> int:
    """Make the reports of runs from the files of 'botkit run --json'.

    RESULTS are such files. Several become one run: from when the first began to when the last was
    over. No chat is opened. The exit code is the one that 'botkit run' would give for all of it; 4
    means that a file is none of these.
    """
    from botkit.cli.loading import plugins_of
    from botkit.cli.run import wanted_of
    from botkit.report.reading import merged, read_file

    files: Sequence[Path] = given["results"]
    if not files:
        raise click.UsageError("name the files that 'botkit run --json FILE' has written")
    with plugins_of(given["plugins"]) as plugins:
        wanted = replace(wanted_of(given, plugins), live=False)
        refuse_overwriting(files, wanted)
        return tell(merged([read_file(file) for file in files]), wanted)


def refuse_overwriting(files: Sequence[Path], wanted: Wanted) -> None:
    """Refuse to write a report over what it is made of.

    Raises:
        click.UsageError: naming the file.
    """
    written = {path.resolve() for path in (wanted.junit, wanted.html) if path is not None}
    for file in files:
        if file.resolve() in written:
            raise click.UsageError(f"{file} would be overwritten by what is made of it")


def tell(run: RunResult, wanted: Wanted) -> int:
    """Tell all reporters of a run as if it was over now; gives the exit code."""
    from botkit.cli.reporting import tell_the_end

    console = wanted.console(
        os.environ, clock=lambda: run.duration, limits={}, total=len(run.journeys)
    )
    reporters: list[Reporter] = [*wanted.files(), console]
    with wanted.holding_commands(), console:
        faults = tell_of_journeys(reporters, run)
        faults += tell_the_end(reporters, run)
        for fault in (*run.faults, *faults):
            click.echo(f"botkit: {fault}", err=True)
    return wanted.conclude(replace(run, faults=(*run.faults, *faults)))


def tell_of_journeys(reporters: list[Reporter], run: RunResult) -> list[str]:
    """Tell reporters of each journey that was played; those that fail are left out, and told."""
    from botkit.cli.reporting import fault_of
    from botkit.errors import FOREIGN

    faults = []
    for reporter in list(reporters):
        try:
            for journey in run.journeys:
                if journey.journey_id:
                    reporter.journey_finished(journey)
        except FOREIGN as error:  # The boundary to reporters; what failed is told.
            reporters.remove(reporter)
            faults.append(fault_of(reporter, error))
    return faults
