"""A run as annotations of GitHub Actions: what did not pass, beside its line in the bot.

=========================== ============================================
``::error``                 a journey failed, or botkit or a bot broke
``::warning``               a journey was degraded
=========================== ============================================

A runner shows no more than ten of a kind for a step and drops the others, so the last one counts
those that had no room.

Source: GitHub Actions, "Workflow commands", "Setting an error message"; the limit is told by its
runner's users, not by its manual.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from botkit.report.evidence import because, evidence
from botkit.report.text import one_line
from botkit.results import JourneyResult, RunResult, StepResult, Verdict
from botkit.workflow_commands import workflow_command

__all__ = ["annotation_lines"]

MAX_SHOWN = 10
"""Annotations of one kind that a step has room for."""
MAX_TITLE = 200
MAX_LINES = 40
"""Lines of evidence below the reason."""
MAX_ROWS = 5
"""Rows of the chat: the newest tell why."""

KINDS = {
    "error": (Verdict.FAILED, Verdict.ERROR, Verdict.CANCELLED),
    "warning": (Verdict.DEGRADED,),
}


def annotation_lines(run: RunResult) -> Iterator[str]:
    """Write what did not pass, a line each, the worst first."""
    for kind, verdicts in KINDS.items():
        found = [_of_journey(kind, j) for v in verdicts for j in run.journeys if j.verdict is v]
        if kind == "error":
            found = [*_of_run(run), *found]
        yield from _bounded(kind, found)


def _of_run(run: RunResult) -> Iterator[str]:
    """Tell what broke outside of any journey, or that there was none."""
    for fault in run.faults:
        yield workflow_command("error", one_line(fault), title="botkit")
    if all(journey.verdict is Verdict.SKIPPED for journey in run.journeys):
        yield workflow_command("error", "no journey was run", title="botkit")


def _bounded(kind: str, found: Sequence[str]) -> Iterator[str]:
    if len(found) <= MAX_SHOWN:
        yield from found
        return
    shown = MAX_SHOWN - 1
    yield from found[:shown]
    yield workflow_command(kind, f"... and {len(found) - shown} more like these", title="botkit")


def _of_journey(kind: str, journey: JourneyResult) -> str:
    where = ", on the simulator" if journey.on_simulator else ""
    title = f"{one_line(journey.name, MAX_TITLE)}: {journey.verdict.value}{where}"
    # The headline of the evidence is the title already.
    _, *lines = (line.text for line in evidence(journey, max_rows=MAX_ROWS))
    return workflow_command(
        kind,
        "\n".join([because(journey), *lines[:MAX_LINES]]),
        **_place(journey, journey.step),
        title=title,
    )


def _place(journey: JourneyResult, step: StepResult | None) -> dict[str, str]:
    """Name the line in the bot; a step does not know its column, and its line is its own."""
    if step is None or step.file is None:
        return {"file": one_line(journey.file or "")}
    return {"file": one_line(step.file), "line": str(step.line or "")}
