"""The HTML page: one run with its evidence in one file, for people without botkit.

The page loads nothing and runs no script: verdicts are filtered by radio buttons and a style
sheet, transcripts fold by ``<details>``. Its policy forbids everything but that style sheet. All
text is escaped by the template; characters that would turn the direction of reading or command a
terminal are shown as escapes, and long lists and texts are cut, which the page says.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from botkit.chat import Row
from botkit.interfaces import Reporter
from botkit.report.decisive import Decisive, decisive_frame, decisive_of
from botkit.report.evidence import (
    IGNORED,
    because,
    passed_line,
    place,
    seconds,
    totals,
    whereabouts,
)
from botkit.report.files import write_whole
from botkit.report.passing import NEVER_COUNT, Closest, account_of_miss, accounts
from botkit.report.rounding import rounded
from botkit.report.text import BLANKS, ESCAPE_SEQUENCE, INVISIBLE
from botkit.report.timeline import Timeline, side_of, timeline
from botkit.results import Frame, JourneyResult, RunResult, StepResult, Verdict

MAX_TEXT = 600
"""Characters of one text."""

MAX_PAGE = 1_000_000
"""Bytes of a page. It grows beyond them only for the sake of what every journey may show."""

MAX_TOTAL = 2_000
"""Steps, and rows of transcripts, of all journeys together."""

LEAST_SHOWN = 3
"""Steps, and rows, that every journey may show, however many journeys there are."""

MOST_SHOWN = 200
"""Steps, and rows, of one journey."""

MAX_FRAMES = 200
"""Frames of the wire, of all journeys together."""

LEAST_FRAMES = 2
"""Frames that every journey may show."""

MAX_ITEMS = 10
"""Items of any other list."""

MAX_CAPTURED = 30
"""Variables of one journey."""

MAX_PASSED = 3
"""Events that one step passed over."""


class HtmlReporter(Reporter):
    """Writes an HTML page when a run is over.

    Args:
        path: the file; it is replaced whole.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def run_finished(self, run: RunResult) -> None:
        """Write the page.

        Raises:
            OSError: it could not be written.
        """
        write_whole(self._path, page(run).encode())


@dataclass(frozen=True, slots=True, kw_only=True)
class Bubble:
    """A row of a transcript; ``side`` says who spoke, in a word for the style sheet."""

    side: str
    who: str
    when: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A step with what came while it waited; without a step it is what came after the last."""

    step: StepResult | None
    where: str
    took: str
    passed: tuple[str, ...]
    bubbles: tuple[Bubble, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A journey as the template shows it.

    Attributes:
        ignored: what came while the decisive step waited and could not have satisfied it.
        frame: what went over the wire when the verdict fell; None if that is not known.
        frames: the latest of all that went over the wire.
        left_out: steps and rows that are not shown.
    """

    journey: JourneyResult
    why: str
    whereabouts: str
    decisive: Decisive | None
    ignored: tuple[str, ...]
    closest: Closest | None
    turns: tuple[Turn, ...]
    timeline: Timeline
    frame: Frame | None
    frames: tuple[Frame, ...]
    left_out: int


def page(run: RunResult) -> str:
    """Put a run into an HTML page; of a large run it shows as much as fits."""
    environment = Environment(
        loader=PackageLoader("botkit.report", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    run = rounded(run)
    environment.filters |= {"shown": readable, "seconds": seconds}
    journeys = max(1, len(run.journeys))
    most = min(MOST_SHOWN, max(LEAST_SHOWN, MAX_TOTAL // journeys))
    frames = max(LEAST_FRAMES, MAX_FRAMES // journeys)
    while True:
        made = _page(run, environment, most, frames)
        if most <= LEAST_SHOWN or len(made.encode()) < MAX_PAGE:
            return made
        most, frames = most // 2, max(LEAST_FRAMES, frames // 2)


def _page(run: RunResult, environment: Environment, most: int, frames: int) -> str:
    style = _style(environment)
    counts = Counter(journey.verdict for journey in run.journeys)
    return environment.get_template("page.html").render(
        run=run,
        began=datetime.fromtimestamp(run.started_utc, UTC),
        totals=totals(run).text,
        sections=[_section(journey, most, frames) for journey in run.journeys],
        verdicts=[(verdict, counts[verdict]) for verdict in Verdict if counts[verdict]],
        style=Markup(style),  # A file of this package.
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        max_items=MAX_ITEMS,
        max_passed=MAX_PASSED,
        max_captured=MAX_CAPTURED,
    )


def readable(text: str) -> Markup:
    """Make text fit to stand between tags: as :func:`shown` says, and escaped.

    Quotes mean nothing there, and JSON is full of them: spelled out they would fill the page.
    """
    return Markup(str(escape(shown(text))).replace("&#34;", '"').replace("&#39;", "'"))


def shown(text: str) -> str:
    """Make text fit to be read: cut, and with what cannot be seen as escapes."""
    kept = BLANKS.sub(" ", ESCAPE_SEQUENCE.sub("", text[:MAX_TEXT]))
    missing = len(text) - MAX_TEXT
    more = f"... ({missing} more characters)" if missing > 0 else ""
    return INVISIBLE.sub(_escape, kept) + more


def _escape(found: re.Match[str]) -> str:
    return f"\\u{{{ord(found.group()):x}}}"


def _style(environment: Environment) -> str:
    return environment.get_template("page.css").render()


def _section(journey: JourneyResult, most: int, most_frames: int) -> Section:
    decisive = decisive_of(journey)
    account = account_of_miss(journey, journey.step) if journey.step else None
    steps, rows = journey.steps[-most:], journey.transcript[-most:]
    return Section(
        journey=journey,
        why=because(journey),
        whereabouts=whereabouts(journey),
        decisive=decisive,
        ignored=tuple(passed_line(p) for p in account.passed if p.why in IGNORED)
        if account
        else (),
        closest=account.closest() if account else None,
        turns=tuple(_turns(journey, most, rows)),
        timeline=timeline(journey, steps, rows),
        frame=decisive_frame(journey) if decisive else None,
        frames=journey.frames[-most_frames:],
        left_out=len(journey.steps) - len(steps) + len(journey.transcript) - len(rows),
    )


def _turns(journey: JourneyResult, most: int, rows: Sequence[Row]) -> Iterator[Turn]:
    """Put each row beside the first step that ended after it came."""
    waiting = list(rows)
    for account in list(accounts(journey))[-most:]:
        step = account.step
        end = journey.began + step.started + step.duration
        count = next((i for i, row in enumerate(waiting) if row.at > end), len(waiting))
        came, waiting = waiting[:count], waiting[count:]
        number = "" if step.seq is None else f"#{step.seq} "
        yield Turn(
            step=step,
            where=place(step),
            took=f"{number}{step.took}" if step.took else "",
            passed=tuple(passed_line(p) for p in account.passed if p.why not in NEVER_COUNT)
            or step.passed_over,
            bubbles=_bubbles(came, journey.began),
        )
    if waiting:
        bubbles = _bubbles(waiting, journey.began)
        yield Turn(step=None, where="", took="", passed=(), bubbles=bubbles)


def _bubbles(rows: Iterable[Row], began: float) -> tuple[Bubble, ...]:
    return tuple(
        Bubble(
            side=side_of(row),
            who=row.who if row.kind == "message" else "",
            when="before" if row.history else f"{row.at - began:+.2f} s",
            words=row.text if row.kind == "message" else str(row),
        )
        for row in rows
    )
