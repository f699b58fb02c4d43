"""Runs an interpreter against a party of a chat: a customer's session or a simulated agent.

Theory of operation. The interpreter never waits, so it is given every event the moment it is read,
by whoever read it: guards and reactions see it whatever else goes on. One task does what the
interpreter wants done, one command at a time and in order, and keeps its deadlines. Actions of
plugins run in tasks of their own.
"""

from __future__ import annotations

import math
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from inspect import isawaitable
from typing import Any, Protocol

import trio

from botkit.bot.foresight import Foresight
from botkit.bot.interpreter import Interpreter
from botkit.bot.script import BotScript, Step
from botkit.bot.turn import (
    ActionDone,
    Finished,
    Hold,
    Input,
    Perform,
    Performed,
    Released,
    RunAction,
    Turn,
)
from botkit.bot.values import Values
from botkit.chat import Command, Event, Message
from botkit.errors import FOREIGN, BotkitError, ungrouped
from botkit.interfaces import (
    Action,
    ActionContext,
    JourneyInfo,
    Session,
)
from botkit.masking import Masker, shortened, shortened_repr
from botkit.results import StepResult
from botkit.wakeup import Wakeup

__all__ = ["Driven", "ScriptedBot", "drive"]

Observer = Callable[[StepResult], None]
Run = Callable[[str, Mapping[str, str]], Awaitable[str | None]]
Before = Callable[[Step], Awaitable[None]]
"""Awaited before a step begins."""

MAX_CAPTURED = 1_000
"""Characters of a variable that evidence keeps."""


class Driven(Protocol):
    """A party of a chat, as the driver needs it."""

    async def perform(self, command: Command) -> Any:
        """Do a command; raises BotkitError if it could not be done."""

    def subscribe(self, reader: Callable[[Event], None]) -> None:
        """Call the reader with every event, from the first on; it does not wait."""


async def drive(
    interpreter: Interpreter,
    party: Driven,
    *,
    observer: Observer | None = None,
    note: Callable[[str], None] | None = None,
    run_action: Run | None = None,
    before: Before | None = None,
) -> Finished:
    """Play a script to its end.

    Args:
        interpreter: the script.
        party: does its commands, and tells of its chat.
        observer: told of each step as it finishes.
        note: told of each note.
        run_action: runs what ``call`` names.
        before: holds each step that the interpreter would have held, until it returns.

    Raises:
        Exception: what ``party`` raised that is no BotkitError.
    """
    driver = _Driver(interpreter, party, observer, note, run_action, before)
    try:
        with ungrouped():
            async with trio.open_nursery() as driver.nursery:
                await driver.play()
    finally:
        driver.nursery = None
    if driver.crash is not None:
        raise driver.crash
    assert driver.finished is not None
    return driver.finished


class _Driver:
    """One script on its way.

    Attributes:
        nursery: owns what is under way; None before and after.
        finished: how the script ended; None until it has.
        crash: what broke while an event was taken in; None if nothing has.
    """

    __slots__ = (
        "_before",
        "_deadline",
        "_interpreter",
        "_limit",
        "_note",
        "_observer",
        "_party",
        "_run_action",
        "_sending",
        "_todo",
        "_work",
        "crash",
        "finished",
        "nursery",
    )

    def __init__(
        self,
        interpreter: Interpreter,
        party: Driven,
        observer: Observer | None,
        note: Callable[[str], None] | None,
        run_action: Run | None,
        before: Before | None,
    ) -> None:
        self.nursery: trio.Nursery | None = None
        self.finished: Finished | None = None
        self.crash: Exception | None = None
        self._interpreter = interpreter
        self._party = party
        self._observer = observer
        self._note = note
        self._run_action = run_action
        self._before = before
        self._deadline = math.inf
        self._limit: trio.CancelScope | None = None
        self._todo: list[Perform] = []
        self._sending = False
        self._work = Wakeup()

    async def play(self) -> None:
        """Do what is to be done, in order, until the script is over."""
        self._ask(())
        self._party.subscribe(self._hear)
        while self.finished is None and self.crash is None:
            if not self._todo or self._sending:
                await self._wait()
            elif self._deadline == math.inf:
                await self._perform(self._todo.pop(0))
            else:
                # A reaction has something to say while a step waits: its time must go on.
                self._sending = True
                self._start(self._send)

    def _hear(self, event: Event) -> None:
        """Take an event from whoever read it, and keep our mistakes from them."""
        try:
            self._ask((event,))
        except Exception as error:  # The boundary to the party: drive() raises it.
            self.crash = error
            self._stop()

    async def _send(self) -> None:
        """Do what is to be done now, in a task of its own."""
        while self._todo:
            await self._perform(self._todo.pop(0))
        self._sending = False

    async def _perform(self, order: Perform) -> None:
        error: BotkitError | None = None
        value: Any = None
        try:
            value = await self._party.perform(order.command)
        except BotkitError as caught:
            error = caught
        now = trio.current_time()
        self._ask((Performed(number=order.number, at=now, error=error, value=value),))

    async def _wait(self) -> None:
        """Wait for something to do, or for the deadline."""
        with trio.CancelScope(deadline=self._deadline) as self._limit:
            await self._work.wait()
        if self._limit.cancelled_caught:
            # An event stamped at the deadline beats it: let whoever brings one come first.
            for _ in range(2):
                await trio.lowlevel.checkpoint()
            if trio.current_time() >= self._deadline:
                self._ask((), now=math.nextafter(self._deadline, math.inf))

    async def _act(self, action: RunAction) -> None:
        result: str | None = None
        error: BaseException | None = None
        try:
            if self._run_action is None:
                raise LookupError(f"there are no actions here, so {action.name!r} cannot be run")
            result = await self._run_action(action.name, action.arguments)
        except FOREIGN as caught:  # The boundary to plugins' code; the step is blamed.
            error = caught
        now = trio.current_time()
        self._ask((ActionDone(number=action.number, at=now, result=result, error=error),))

    async def _hold(self, hold: Hold) -> None:
        if self._before is not None:
            await self._before(hold.step)
        self._ask((Released(number=hold.number, at=trio.current_time()),))

    def _ask(self, inputs: Iterable[Input], *, now: float = -math.inf) -> None:
        """Hand inputs to the interpreter, and take down what it wants; never waits.

        Args:
            now: it is at least so late.
        """
        if self.finished is not None or self.nursery is None:
            return
        turn = self._interpreter.step(max(now, trio.current_time()), inputs)
        self.finished = turn.finished
        self._deadline = math.inf if turn.deadline is None else turn.deadline
        for action in turn.actions:
            match action:
                case Perform():
                    self._todo.append(action)
                case RunAction():
                    self._start(self._act, action)
                case Hold():
                    self._start(self._hold, action)
        self._tell(turn)
        if self.finished is not None:
            # Whatever is under way for this script, actions included, is of no use any more.
            self._stop()
        elif self._todo:
            self._work.wake()
        elif self._limit is not None:
            self._limit.deadline = self._deadline

    def _tell(self, turn: Turn) -> None:
        if self._observer is not None:
            for step in turn.steps:
                self._observer(step)
        if self._note is not None:
            for text in turn.notes:
                self._note(text)

    def _start(self, task: Callable[..., Awaitable[None]], *arguments: object) -> None:
        if self.nursery is not None:
            self.nursery.start_soon(task, *arguments)

    def _stop(self) -> None:
        if self.nursery is not None:
            self.nursery.cancel_scope.cancel()


class ScriptedBot:
    """A journey's own copy of a bot file; implements ``interfaces.Script``.

    Args:
        script: the steps.
        values: what ``${...}`` stands for in this journey.
        rng: decides how long typing takes.

    Attributes:
        finished: how the script ended; None until it has.
    """

    __slots__ = (
        "_actions",
        "_before",
        "_foresight",
        "_interpreter",
        "_journey",
        "_observer",
        "_rng",
        "_script",
        "_values",
        "finished",
    )

    def __init__(self, script: BotScript, values: Values, *, rng: random.Random) -> None:
        self.finished: Finished | None = None
        self._script = script
        self._values = values
        self._rng = rng
        self._foresight = Foresight(script, values)
        self._interpreter: Interpreter | None = None
        self._journey: JourneyInfo | None = None
        self._observer: Observer | None = None
        self._actions: Mapping[str, Action] = {}
        self._before: Before | None = None

    @property
    def asserted(self) -> int:
        """How many assertions there were so far."""
        return 0 if self._interpreter is None else self._interpreter.asserted

    @property
    def masker(self) -> Masker:
        """Hides what must not be shown."""
        return self._values.masker

    def foresee(self, event: Event) -> Iterable[str]:
        """Give what of an event will not be shown any more once a step has read it."""
        return self._foresight.see(event) if type(event) is Message else ()

    @property
    def unread(self) -> tuple[Event, ...]:
        """What came and no step has read or passed over yet, oldest first."""
        return () if self._interpreter is None else self._interpreter.unread

    @property
    def variables(self) -> Mapping[str, str]:
        """What ``${...}`` stands for now: of its row, given to its part, captured; masked."""
        values = self._values if self._interpreter is None else self._interpreter.values
        scopes = {"row.": values.row, "args.": values.args, "": values.variables}
        named = {f"{scope}{k}": v for scope, known in scopes.items() for k, v in known.items()}
        return {name: values.mask(value) for name, value in named.items()}

    @property
    def captured(self) -> Mapping[str, str]:
        """What the steps have captured so far; masked, and cut where it is long."""
        values = self._values
        return {
            name: shortened(values.mask(value), MAX_CAPTURED)
            for name, value in values.variables.items()
        }

    def hold_steps(self, before: Before) -> None:
        """Have a function awaited before each step begins."""
        self._before = before

    def attach(
        self, *, journey: JourneyInfo, observer: Observer, actions: Mapping[str, Action]
    ) -> None:
        """Take note of the journey that this copy is played in."""
        self._journey = journey
        self._observer = observer
        self._actions = actions

    async def run(self, session: Session) -> None:
        """Play the script over a session; how it ended is in ``finished``."""
        journey = self._journey
        self._interpreter = Interpreter(
            self._script,
            self._values,
            rng=self._rng,
            began=journey.began if journey is not None else trio.current_time(),
            userdata=session.userdata,
            stepped=self._before is not None,
        )
        try:
            self.finished = await drive(
                self._interpreter,
                session,
                observer=self._observer,
                note=journey.note if journey is not None else None,
                run_action=lambda name, arguments: self._act(session, name, arguments),
                before=self._before,
            )
        except trio.Cancelled:
            # Whoever reads the evidence wants to know what was waited for.
            cut = self._interpreter.cut(trio.current_time())
            if cut is not None and self._observer is not None:
                self._observer(cut)
            raise

    async def _act(self, session: Session, name: str, arguments: Mapping[str, str]) -> str | None:
        """Run a registered action, and perform the commands that it returns."""
        if self._journey is None or name not in self._actions:
            raise LookupError(f"there is no action {name!r}")
        context = ActionContext(
            journey=self._journey, session=session, variables=dict(self._values.variables)
        )
        result = self._actions[name](context, **arguments)
        if isawaitable(result):
            result = await result
        if result is None or isinstance(result, str | int | float):
            return None if result is None else str(result)
        for command in commands_in(result):
            await session.perform(command)
        return None


def commands_in(result: object) -> Sequence[Command]:
    """Take what an action gave for the commands that it must be.

    Raises:
        TypeError: it is something else.
    """
    if isinstance(result, Sequence) and all(isinstance(item, Command) for item in result):
        return result
    raise TypeError(
        f"an action gives a text, a number or a list of commands, not {shortened_repr(result, 80)}"
    )
