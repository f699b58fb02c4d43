"""The live view on a terminal: who is where, while it lasts; a table when it is over.

The board is drawn when :meth:`ConsoleReporter.tick` is called and never in between, so that the
cost of watching does not grow with what is watched. Nothing runs in a thread of its own. Elsewhere
(a file, a pipe, a CI server, a dumb terminal) there is no board, and this is :mod:`plain`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import TracebackType
from typing import Literal, Self, TextIO

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.table import Table
from rich.text import Text

from botkit.chat import Row
from botkit.interfaces import JourneyInfo
from botkit.report.board import MAX_LINES, Board
from botkit.report.evidence import Line, because, seconds
from botkit.report.plain import STYLES, UNREMARKABLE, Detail, PlainReporter
from botkit.report.text import one_line
from botkit.results import JourneyResult, RunResult, StepResult

DUMB = frozenset({"dumb", "unknown"})
"""Terminals that know no escape sequences."""

MAX_TABLE = 50
"""Journeys in the table."""


def make_console(stream: TextIO, environ: Mapping[str, str]) -> Console:
    """Make a console that colours as its user wants it.

    ``NO_COLOR`` wins over ``FORCE_COLOR``, which wins over what the stream is; either counts when
    it is not empty.
    """
    terminal = stream.isatty() and environ.get("TERM") not in DUMB
    forced = bool(environ.get("FORCE_COLOR"))
    colour = not environ.get("NO_COLOR") and (forced or terminal)
    known: Literal["auto", "standard"] = "auto" if terminal else "standard"
    return Console(
        file=stream,
        force_terminal=terminal,
        color_system=known if colour else None,
        no_color=not colour,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )


def wants_live_view(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Tell whether somebody looks at a stream while it is written."""
    return stream.isatty() and environ.get("TERM") not in DUMB and not environ.get("CI")


class ConsoleReporter(PlainReporter):
    """Shows a run to a person; a context manager, which gives the terminal back.

    Args:
        console: where to.
        detail: how much.
        explain: say of every journey which events its steps took and passed over.
        live: draw the board.
        clock: the one that ``began`` of a journey is read from.
        limits: how long a journey may take, by its name, seconds.
        total: how many journeys there are to play.
    """

    def __init__(
        self,
        console: Console,
        *,
        detail: Detail = Detail.NORMAL,
        explain: bool = False,
        live: bool,
        clock: Callable[[], float],
        limits: Mapping[str, float] | None = None,
        total: int = 0,
    ) -> None:
        super().__init__(console, detail=detail, explain=explain)
        self._board = Board(limits=limits, total=total)
        self._clock = clock
        self._finished: list[Line] = []
        self._live = (
            Live(console=console, auto_refresh=False, transient=True, vertical_overflow="crop")
            if live
            else None
        )

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def journey_started(self, journey: JourneyInfo) -> None:
        self._board.journey_started(journey)

    def event(self, journey: JourneyInfo, row: Row) -> None:
        self._board.event(journey, row)

    def step_finished(self, journey: JourneyInfo, step: StepResult) -> None:
        self._board.step_finished(journey, step)

    def journey_finished(self, result: JourneyResult) -> None:
        """Take a journey off the board; without a board, write its line."""
        self._board.journey_finished(result)
        if self._live is None:
            super().journey_finished(result)
        elif self._explain or result.verdict not in UNREMARKABLE:
            self._finished.extend(self.lines_of(result))

    def tick(self) -> None:
        """Draw the board anew; to be called a few times a second."""
        if self._live is None:
            return
        self._flush()
        room = max(1, min(MAX_LINES, self.console.height - 4))
        self._live.update(Lines(list(self._board.lines(self._clock(), room=room))), refresh=True)

    def run_finished(self, run: RunResult) -> None:
        """Take the board away; write the table, the evidence and the totals."""
        live = self._live is not None
        self._stop()
        if live and run.journeys and self.detail is not Detail.QUIET:
            self.console.print(table(run))
        super().run_finished(run)

    def _flush(self) -> None:
        """Write what finished since the last time, in one go: each writing redraws the board."""
        lines, self._finished = self._finished, []
        self.write(lines)

    def _stop(self) -> None:
        if self._live is not None:
            self._flush()
            self._live.stop()
            self._live = None


class Lines:
    """Lines of a terminal, each cut where the terminal ends."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._lines = lines

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in self._lines:
            yield Text(line.text, STYLES.get(line.style, ""), no_wrap=True, overflow="ellipsis")


def table(run: RunResult) -> Table:
    """List the journeys of a run, those that did not pass first."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("verdict", "journey", "time", "steps", "where", "why"):
        drawn.add_column(title, no_wrap=title != "why", overflow="ellipsis")
    ordered = sorted(run.journeys, key=lambda journey: journey.verdict in UNREMARKABLE)
    for journey in ordered[:MAX_TABLE]:
        drawn.add_row(
            *(Text(cell) for cell in _cells(journey)), style=STYLES[journey.verdict.value]
        )
    if len(ordered) > MAX_TABLE:
        drawn.add_row("...", f"and {len(ordered) - MAX_TABLE} more")
    return drawn


def _cells(journey: JourneyResult) -> tuple[str, ...]:
    return (
        journey.verdict.value,
        one_line(journey.name, 60),
        seconds(journey.duration),
        str(len(journey.steps)),
        "on the simulator" if journey.on_simulator else one_line(journey.server, 60),
        one_line(because(journey), 200),
    )
