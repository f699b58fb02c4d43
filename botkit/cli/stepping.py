"""``botkit run --step``: somebody at a prompt, or a pipe, steps through a bot."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from inspect import isawaitable

import click
import trio

from botkit.bot.diagnostics import did_you_mean
from botkit.bot.script import Step
from botkit.chat import PartyKind, Row
from botkit.cli.listing import At, Listing, at, source_of
from botkit.cli.scene_words import chat_line, inbox_lines, pair_lines, state_lines, variables_line
from botkit.cli.terminal import Place, terminal_or_pipe
from botkit.errors import BotkitError, ConfigError, ungrouped
from botkit.interfaces import JourneyInfo
from botkit.journey.misfits import lines_of
from botkit.journey.stepping import Stepping
from botkit.report.evidence import step_line
from botkit.report.text import one_line
from botkit.results import JourneyResult, RunResult, StepResult

REPLY_WITHIN = 10.0
"""Seconds that a pipe waits for an answer to a line that it said."""
NEWEST = 5
"""Events of the inbox that are shown at each step."""
HINT = "help tells what there is; Ctrl-D leaves the chat"

HELP = """\
next, n, Enter      plays this step, and stops before the next
continue, c         runs on, to a breakpoint or to the end
until LINE, u       runs on to this line, or to a breakpoint
end, e              runs on to the end, whatever the breakpoints
break LINE, b       stops whenever this line comes; once more: not any more; alone: lists them
say TEXT            says a line as the customer, beside what the bot says
inbox, i            all that came: what was read, what was passed over, what waits unread
vars, v             what ${...} stands for
state, s            who is in the chat, who types, the user data
list, l             the step that comes
transcript, t       all that was said and happened
quit, q             leaves the chat; the verdict is cancelled
A line is 12, or FILE:12. Ctrl-D and Ctrl-C quit; at the end of a pipe the bot runs on alone."""

SHORT: Mapping[str, str] = {
    "": "next",
    "n": "next",
    "c": "continue",
    "u": "until",
    "e": "end",
    "b": "break",
    "i": "inbox",
    "v": "vars",
    "s": "state",
    "l": "list",
    "t": "transcript",
    "q": "quit",
    "h": "help",
    "?": "help",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """How to go on from a step.

    Attributes:
        step: stop before every step.
        until: stop before a step that stands here; None is no place.
        breaks: stop at breakpoints.
    """

    step: bool = False
    until: At | None = None
    breaks: bool = True


class PromptStepper:
    """Steps through journeys as a prompt says; implements ``Stepper`` and ``Reporter``.

    Args:
        steps: of all bots that are played, for lines to be named.
        open_place: makes the prompt of a journey; one for all of them if it is patient.
    """

    def __init__(
        self,
        steps: Iterable[Step],
        *,
        open_place: Callable[[], Place] = lambda: terminal_or_pipe(sys.stdin, hint=HINT),
    ) -> None:
        self._listing = Listing(steps)
        self._open_place = open_place
        self._breaks: set[At] = set()
        # A pipe has come to its end: nobody is there any more.
        self._alone = False
        self._place: Place | None = None
        self._pipe: Place | None = None
        self._stepping: Stepping
        self._begin()

    def _begin(self) -> None:
        self._going = Going(step=True)
        # What was typed while a step was under way.
        self._ahead: list[Going] = []
        # The step that is played, or held.
        self._step: Step | None = None
        # Set to let go of the step that is held; None while none is.
        self._held: trio.Event | None = None
        # Set while a step is held.
        self._pausing = trio.Event()
        self._heard = 0
        self._lot = trio.lowlevel.ParkingLot()

    # --- as a stepper ---

    async def attend(self, stepping: Stepping, play: Callable[[], Awaitable[None]]) -> None:
        """Have the prompt open while a script is played."""
        self._begin()
        self._stepping = stepping
        place = self._place = self._pipe or self._open_place()
        if place.patient:
            # What was not read of it in one journey is for the next.
            self._pipe = place
        try:
            with ungrouped():
                async with place.open(), trio.open_nursery() as nursery:
                    nursery.start_soon(self._read_on, place)
                    await play()
                    nursery.cancel_scope.cancel()
        finally:
            self._place = None

    def stops_at(self, step: Step) -> bool:
        """Tell whether to stop before this step."""
        self._step = step
        going, here = self._going, at(step)
        if self._alone:
            return False
        return going.step or here == going.until or (going.breaks and here in self._breaks)

    async def pause(self, step: Step) -> None:
        """Show what holds, and wait to be told to go on."""
        held = self._held = trio.Event()
        self._show(self._words_of(step))
        if self._ahead:
            self._go(self._ahead.pop(0))
        else:
            self._pausing.set()
        await held.wait()

    def _go(self, going: Going) -> None:
        """Go on from the step that is held, or from the next that will be."""
        if self._held is None:
            self._ahead.append(going)
            return
        self._going = going
        self._pausing = trio.Event()
        self._held.set()
        self._held = None

    # --- as a reporter ---

    def journey_started(self, journey: JourneyInfo) -> None:
        """Name the journey."""
        self._show([f"[{one_line(journey.name)}]"])

    def event(self, journey: JourneyInfo, row: Row) -> None:
        """Show what came, above the prompt."""
        if row.party is PartyKind.CUSTOMER:
            return
        if row.kind == "message":
            self._heard += 1
            self._lot.unpark_all()
        if self._place is not None and row.kind in ("message", "agent_typing"):
            types = row.kind == "agent_typing" and row.text == "started"
            self._place.show_typing(one_line(row.who, 60) if types else "")
        if row.kind != "agent_typing":
            self._show([f"<  {one_line(str(row))}"])

    def step_finished(self, journey: JourneyInfo, step: StepResult) -> None:
        """Show what became of a step."""
        why = f" - {one_line(step.message)}" if step.message else ""
        self._show([f"=  {step.verdict.value}  {step_line(step)}{why}"])

    def journey_finished(self, result: JourneyResult) -> None: ...
    def run_finished(self, run: RunResult) -> None: ...

    # --- what is shown ---

    def _show(self, lines: Iterable[str]) -> None:
        show = click.echo if self._place is None else self._place.show
        for line in lines:
            show(line)

    def _words_of(self, step: Step) -> Iterator[str]:
        """Say which step comes, and what holds before it."""
        scene = self._stepping.look()
        yield from self._source(step)
        yield f"   chat: {chat_line(scene)}"
        yield "   inbox:"
        yield from inbox_lines(scene, newest=NEWEST)
        if scene.variables:
            yield f"   vars: {variables_line(scene)}"

    def _source(self, step: Step) -> Iterator[str]:
        mask, file = self._stepping.mask, step.place.file
        yield f"-- {one_line(mask(f'{file}:{step.place.line}'))}  {step.path}"
        for number, text in source_of(lines_of(file) if file else (), step.place):
            indent = " " * (len(text) - len(text.lstrip()))
            yield f"{number:6}  {indent}{one_line(mask(text))}"

    # --- what is typed ---

    async def _read_on(self, place: Place) -> None:
        while True:
            if place.patient:
                # Each line is for the moment before a step, whenever that comes.
                await self._pausing.wait()
            line = await place.read()
            if line is None:
                self._end_of_lines(place)
                return
            try:
                await self._obey(line.strip())
            except BotkitError as error:
                self._show([f"!  {one_line(self._stepping.mask(str(error)))}"])

    def _end_of_lines(self, place: Place) -> None:
        if place.patient:
            self._alone = True
            self._go(Going())
        else:
            self._stepping.quit()

    async def _obey(self, line: str) -> None:
        """Do what a line says.

        Raises:
            ConfigError: it makes no sense.
            BotkitError: it could not be done.
        """
        word, _, rest = line.partition(" ")
        name, commands = SHORT.get(word, word), self._commands()
        if name not in commands:
            hint = did_you_mean(name, commands) or "help tells what there is"
            raise ConfigError(f"there is no {name!r}; {hint}")
        doing = commands[name](rest.strip())
        if isawaitable(doing):
            await doing

    def _commands(self) -> dict[str, Callable[[str], Awaitable[None] | None]]:
        look, show = self._stepping.look, self._show
        return {
            "next": lambda _: self._go(Going(step=True)),
            "continue": lambda _: self._go(Going()),
            "until": self._until,
            "end": lambda _: self._go(Going(breaks=False)),
            "break": self._break,
            "say": self._say,
            "inbox": lambda _: show(inbox_lines(look())),
            "vars": lambda _: show(pair_lines(look().variables)),
            "state": lambda _: show(state_lines(look())),
            "list": self._list,
            "transcript": lambda _: show(f"   {one_line(str(row))}" for row in self._rows()),
            "quit": lambda _: self._stepping.quit(),
            "help": lambda _: show(HELP.splitlines()),
        }

    def _rows(self) -> tuple[Row, ...]:
        return self._stepping.transcript()

    def _find(self, line: str) -> Step:
        if not line:
            raise ConfigError("which line? write 12, or FILE:12")
        return self._listing.find(line, self._step.place.file if self._step else None)

    def _until(self, line: str) -> None:
        self._go(Going(until=at(self._find(line))))

    def _break(self, line: str) -> None:
        if line:
            step = self._find(line)
            here, gone = at(step), at(step) in self._breaks
            (self._breaks.discard if gone else self._breaks.add)(here)
            does = "stops no more" if gone else "stops"
            self._show([f"   {does} before {here[0]}:{here[1]}: {one_line(step.text)}"])
            return
        named = [f"     {file}:{number}" for file, number in sorted(self._breaks, key=str)]
        self._show(["   breakpoints:", *(named or ["     (none)"])])

    def _list(self, _: str) -> None:
        if self._step is not None:
            self._show(self._source(self._step))

    async def _say(self, text: str) -> None:
        if not text:
            raise ConfigError("say what? write say TEXT")
        heard = self._heard
        await self._stepping.say(text)
        if self._place is not None and self._place.patient:
            with trio.move_on_after(REPLY_WITHIN):
                while self._heard == heard:
                    await self._lot.park()
