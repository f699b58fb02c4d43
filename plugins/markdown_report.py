"""Writes a run as a table of Markdown: ``botkit run --report markdown=FILE``.

``--report markdown="$GITHUB_STEP_SUMMARY"`` puts it into the summary of a GitHub job. What is there
is kept, and the table is put behind it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from botkit import JourneyResult, RunResult, hookimpl
from botkit.hookspecs import Register
from botkit.interfaces import Reporter

SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~-])")
SHOWN = 300
"""Characters of a message that are shown."""


def plain(text: str) -> str:
    """Take all that a service said for text: no markup, no line breaks, no characters unseen."""
    words = "".join(c if c.isprintable() else " " for c in text).split()
    return SPECIAL.sub(r"\\\1", " ".join(words)[:SHOWN])


class MarkdownReport(Reporter):
    """A table with a row for each journey.

    Args:
        where: the file that it is put at the end of.
    """

    def __init__(self, where: str) -> None:
        self._path = Path(where)

    def run_finished(self, run: RunResult) -> None:
        """Write the table.

        Raises:
            OSError: it could not be written.
        """
        lines = [
            "| verdict | journey | seconds | reason | message |",
            "|---|---|---|---|---|",
            *map(self._line, run.journeys),
            *(f"- {plain(fault)}" for fault in run.faults),
        ]
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write("\n".join(lines) + "\n\n")

    def _line(self, journey: JourneyResult) -> str:
        verdict = journey.verdict.value
        where = " on the simulator" if journey.on_simulator else ""
        cells = (
            verdict if verdict == "passed" else f"**{verdict}**",
            f"{plain(journey.name)}{where}",
            f"{journey.duration:.2f}",
            plain(journey.reason.value),
            plain(journey.message),
        )
        return f"| {' | '.join(cells)} |"


@hookimpl
def register_reporters(register: Register[Callable[..., Reporter]]) -> None:
    register("markdown", MarkdownReport)
