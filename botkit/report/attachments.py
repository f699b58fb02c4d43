"""Files beside a JUnit file: a page with the evidence of each journey that did not pass."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from botkit.report.files import write_whole
from botkit.report.html_page import page
from botkit.results import JourneyResult, RunResult, Verdict

__all__ = ["Attachments"]

MAX_NAME = 60
"""Characters of a journey's name in the name of its file."""

NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_-]+")


class Attachments:
    """Writes pages into a folder.

    Args:
        folder: it is made if it is not there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def __call__(self, run: RunResult, journey: JourneyResult) -> Path | None:
        """Write the page of a journey; gives None if nobody will ask why it ended as it did.

        Raises:
            OSError: it could not be written.
        """
        if journey.verdict in (Verdict.PASSED, Verdict.SKIPPED):
            return None
        self._folder.mkdir(exist_ok=True)
        path = self._folder / file_name(journey)
        alone = replace(run, duration=journey.duration, journeys=(journey,), faults=())
        write_whole(path, page(alone).encode())
        return path


def file_name(journey: JourneyResult) -> str:
    """Name the file of a journey: for people, and unlike that of any other journey of any run."""
    name = NOT_IN_NAMES.sub("-", journey.name)[:MAX_NAME].strip("-")
    return f"{name or 'journey'}-{NOT_IN_NAMES.sub('-', journey.journey_id)}.html"
