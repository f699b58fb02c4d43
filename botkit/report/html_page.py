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
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from botkit.chat import PartyKind, Row
from botkit.interfaces import Reporter
from botkit.report.evidence import because, place, seconds, totals, whereabouts
from botkit.report.files import write_whole
from botkit.report.passing import Account, Closest, account_of_miss
from botkit.report.text import BLANKS, ESCAPE_SEQUENCE, INVISIBLE
from botkit.results import JourneyResult, RunResult, StepResult, Verdict

MAX_TEXT = 600
"""Characters of one text."""

MAX_TOTAL = 1_500
"""Steps, and rows of transcripts, of all journeys together: what keeps a page under 1 MB."""

LEAST_SHOWN = 10
"""Steps, and rows, that every journey may show, however many journeys there are."""

MOST_SHOWN = 200
"""Steps, and rows, of one journey."""

MAX_ITEMS = 10
"""Items of any other list."""

WIDTH = 1_000
"""Units in which a timeline is drawn."""

LANE = 14
"""Height of a step in a timeline."""


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
    when: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A step with what came while it waited; without a step it is what came after the last."""

    step: StepResult | None
    where: str
    took: str
    bubbles: tuple[Bubble, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A step in a timeline; ``x`` and ``width`` are in units of :data:`WIDTH`."""

    x: float
    y: int
    width: float
    verdict: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A journey as a picture: bars are steps, marks are events."""

    height: int
    bars: tuple[Bar, ...]
    marks: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A journey as the template shows it; ``left_out`` counts steps and rows that it does not."""

    journey: JourneyResult
    why: str
    whereabouts: str
    decisive: Account | None
    closest: Closest | None
    turns: tuple[Turn, ...]
    timeline: Timeline
    left_out: int


def page(run: RunResult) -> str:
    """Put a run into an HTML page."""
    most = min(MOST_SHOWN, max(LEAST_SHOWN, MAX_TOTAL // max(1, len(run.journeys))))
    environment = Environment(
        loader=PackageLoader("botkit.report", "pages"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"shown": shown, "seconds": seconds}
    style = _style(environment)
    return environment.get_template("page.html").render(
        run=run,
        totals=totals(run).text,
        sections=[_section(journey, most) for journey in run.journeys],
        verdicts=[v for v in Verdict if any(j.verdict is v for j in run.journeys)],
        style=Markup(style),  # A file of this package.
        style_hash=base64.b64encode(hashlib.sha256(style.encode()).digest()).decode(),
        place=place,
        max_items=MAX_ITEMS,
    )


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


def _section(journey: JourneyResult, most: int) -> Section:
    decisive = account_of_miss(journey, journey.step) if journey.step else None
    steps, rows = journey.steps[-most:], journey.transcript[-most:]
    return Section(
        journey=journey,
        why=because(journey),
        whereabouts=whereabouts(journey),
        decisive=decisive,
        closest=decisive.closest() if decisive else None,
        turns=tuple(_turns(journey, steps, rows)),
        timeline=_timeline(journey, steps, rows),
        left_out=len(journey.steps) - len(steps) + len(journey.transcript) - len(rows),
    )


def _turns(
    journey: JourneyResult, steps: Sequence[StepResult], rows: Sequence[Row]
) -> Iterator[Turn]:
    """Put each row beside the first step that ended after it came."""
    waiting = list(rows)
    for step in steps:
        end = journey.began + step.started + step.duration
        count = next((i for i, row in enumerate(waiting) if row.at > end), len(waiting))
        came, waiting = waiting[:count], waiting[count:]
        number = "" if step.seq is None else f"#{step.seq} "
        took = f"{number}{step.took}" if step.took else ""
        yield Turn(step=step, where=place(step), took=took, bubbles=_bubbles(came, journey.began))
    if waiting:
        yield Turn(step=None, where="", took="", bubbles=_bubbles(waiting, journey.began))


def _bubbles(rows: Iterable[Row], began: float) -> tuple[Bubble, ...]:
    return tuple(
        Bubble(
            side=_side(row),
            when="before" if row.history else f"{row.at - began:+.2f} s",
            words=str(row),
        )
        for row in rows
    )


def _side(row: Row) -> str:
    if row.kind != "message":
        return "notice"
    return "customer" if row.party is PartyKind.CUSTOMER else "other"


def _timeline(journey: JourneyResult, steps: Sequence[StepResult], rows: Sequence[Row]) -> Timeline:
    ends = [step.started + step.duration for step in steps]
    scale = WIDTH / max(journey.duration, 0.001, *ends)
    bars = tuple(
        Bar(
            x=round(step.started * scale, 1),
            y=index * LANE,
            width=max(2.0, round(step.duration * scale, 1)),
            verdict=step.verdict.value,
            title=f"{step.text}: {seconds(step.duration)}",
        )
        for index, step in enumerate(steps)
    )
    at = (round((row.at - journey.began) * scale, 1) for row in rows if not row.history)
    marks = tuple(x for x in at if 0 <= x <= WIDTH)
    return Timeline(height=LANE * max(1, len(bars)), bars=bars, marks=marks)
