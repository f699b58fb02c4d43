"""A run as a summary of GitHub Actions: Markdown on the page of a workflow's run.

Theory of operation. A chat's text is data, and Markdown has many ways to mean something. In the
table every character that is no letter, digit or blank is written as a numeric reference, which
stands for the character and never for structure; what is folded is preformatted HTML, which ends
with its own tag alone, and that can not be in it.

GitHub takes 1024 KiB for all that the commands of one step write, and drops all of it if there is
more: what has no room is counted instead.

Source: GitHub Actions, "Adding a job summary"; CommonMark 0.31, sections 2.5 and 4.6.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from botkit.interfaces import Reporter
from botkit.report.evidence import WORST_FIRST, because, evidence, place, seconds, totals
from botkit.report.text import one_line
from botkit.results import JourneyResult, RunResult, Verdict

__all__ = ["StepSummaryReporter", "summary"]

MAX_SUMMARY = 1_024 * 1_024
"""Bytes of all summaries of one step."""

FOR_THE_REST = 200
"""Bytes that are kept for what counts the journeys without room."""

MAX_CELL = 300
"""Characters of one text in the table."""

MAX_ROWS = 20
"""Rows of a chat that are folded; the newest tell most."""

PLAIN = re.compile("[^A-Za-z0-9 ]")

HEAD = """\
| verdict | journey | reason | step | time |
|---|---|---|---|---|
"""


class StepSummaryReporter(Reporter):
    """Appends a summary when a run is over.

    Args:
        path: the file that the runner names in ``GITHUB_STEP_SUMMARY``.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def run_finished(self, run: RunResult) -> None:
        """Append; a file that is full already stays as it is.

        Raises:
            OSError: it could not be written.
        """
        with self._path.open("ab") as file:
            file.write(summary(run, MAX_SUMMARY - file.tell()).encode())


def summary(run: RunResult, room: int = MAX_SUMMARY) -> str:
    """Write a run as Markdown.

    Args:
        room: bytes that it may have; without room for the totals it is empty.
    """
    journeys = sorted(run.journeys, key=lambda journey: WORST_FIRST.index(journey.verdict))
    parts = [f"### botkit: {_cell(totals(run).text)}\n\n"]
    parts += [f"- {_cell(fault)}\n" for fault in run.faults[:10]]
    head = "".join(parts) + "\n"
    room -= _size(head)
    if room < FOR_THE_REST:
        return ""
    rows, room = _that_fit([HEAD, *map(_row, journeys)], room - FOR_THE_REST)
    untold = len(journeys) + 1 - len(rows)
    rest = f"\n... and {untold} more, which have no room here\n" if untold else ""
    folded, _ = _that_fit(map(_details, filter(_has_details, journeys)), room)
    return "".join([head, *rows, rest, "\n", *folded])


def _that_fit(texts: Iterable[str], room: int) -> tuple[list[str], int]:
    """Take texts as long as there is room; gives what is left of it, too."""
    taken: list[str] = []
    for text in texts:
        if _size(text) > room:
            break
        taken.append(text)
        room -= _size(text)
    return taken, room


def _size(text: str) -> int:
    return len(text.encode())


def _row(journey: JourneyResult) -> str:
    step = journey.step
    cells = (
        journey.verdict.value + (" on the simulator" if journey.on_simulator else ""),
        journey.name,
        because(journey),
        f"{place(step)}: {step.text}" if step else "",
        seconds(journey.duration),
    )
    return f"| {' | '.join(map(_cell, cells))} |\n"


def _has_details(journey: JourneyResult) -> bool:
    return journey.verdict not in (Verdict.PASSED, Verdict.SKIPPED)


def _details(journey: JourneyResult) -> str:
    return "".join(
        (
            f"<details><summary>{_cell(journey.verdict.value)} {_cell(journey.name)}</summary>\n\n",
            "<pre>\n",
            *_lines(journey),
            "</pre>\n\n</details>\n\n",
        )
    )


def _lines(journey: JourneyResult) -> Iterator[str]:
    for line in evidence(journey, max_rows=MAX_ROWS):
        # A line of the evidence is never empty, and so ends no block.
        yield f"{html.escape(line.text)}\n"


def _cell(text: str) -> str:
    """Write a text so that nothing of it is Markdown or HTML."""
    return PLAIN.sub(_reference, one_line(text, MAX_CELL))


def _reference(found: re.Match[str]) -> str:
    character = found.group()
    # Beyond ASCII no character is structure, and references would be thrice as long.
    return f"&#{ord(character)};" if character.isascii() else character
