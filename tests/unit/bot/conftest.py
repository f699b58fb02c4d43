"""A script played by hand: events and outcomes go in, turns come out, and the test owns time."""

from __future__ import annotations

import functools
import gc
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import pytest

from botkit.bot.compiler import Compiler
from botkit.bot.diagnostics import Problems, Severity
from botkit.bot.fields import Vocabulary
from botkit.bot.interpreter import Interpreter
from botkit.bot.script import BotScript
from botkit.bot.source import Document, Entries, get, parse_yaml
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
from botkit.bot.values import NOTHING, Values
from botkit.chat import Command, EndedBy, Event, Message, Party, PartyKind, SessionEnded
from botkit.results import StepResult, Verdict

ADA = Party(name="Ada", kind=PartyKind.AGENT, id="1")


@pytest.fixture
def cpu_seconds() -> Iterator[Callable[[Callable[[], object]], float]]:
    """Measure what a piece of work costs: the CPU seconds of the best of three runs.

    What other tests have left on the heap is out of the collector's sight, and a moment in which
    the machine was slow does not count.
    """

    def measure(work: Callable[[], object]) -> float:
        took = []
        for _ in range(3):
            began = time.process_time()
            work()
            took.append(time.process_time() - began)
        return min(took)

    gc.collect()
    gc.freeze()
    yield measure
    gc.unfreeze()


@functools.cache
def compile_script(text: str) -> BotScript:
    """Compile the parts of a bot file that are its script."""
    problems = Problems("b.yaml")
    root = parse_yaml(text, problems)
    assert isinstance(root, Entries)
    compiler = Compiler(
        document=Document(file="b.yaml", lines=text.splitlines(), root=root),
        problems=problems,
        vocabulary=Vocabulary(actions=frozenset({"look_up"})),
        plays_agent="customer" in text,  # whom only agents hear
    )
    whenever, never = get(root, ("whenever",)), get(root, ("never",))
    steps = root.values.get("steps", Entries(mark=root.mark))
    compiled = compiler.compile("b", steps=steps, whenever=whenever, never=never)
    errors = [problem for problem in problems.found if problem.severity is Severity.ERROR]
    assert [str(problem) for problem in errors] == []
    return compiled.script


class Rehearsal:
    """Plays a script from the time 0 on.

    Args:
        script: the YAML of a script, or the script.
        obliging: commands are done the moment they are given.
        userdata: what is visible already.
        stepped: steps are held.
        masked: what is never shown.
        values: of :class:`Values`.

    Attributes:
        now: the time.
        commands: all that were given, in order.
        calls: the actions that were called.
        holds: the steps that were held.
        steps, notes: all so far.
        deadline: of the latest turn.
        finished: how the script ended; None until it has.
    """

    def __init__(
        self,
        script: str | BotScript,
        *,
        obliging: bool = True,
        userdata: Mapping[str, str] = NOTHING,
        stepped: bool = False,
        masked: Iterable[str] = (),
        **values: Any,
    ) -> None:
        self.now = 0.0
        self.commands: list[Command] = []
        self.calls: list[RunAction] = []
        self.holds: list[Hold] = []
        self.steps: list[StepResult] = []
        self.notes: list[str] = []
        self.deadline: float | None = None
        self.finished: Finished | None = None
        self.values = Values(**values)
        for text in masked:
            self.values.hide(text, "a value")
        self._obliging = obliging
        self._seq = 0
        self._under_way: list[int] = []
        self.interpreter = Interpreter(
            compile_script(script) if isinstance(script, str) else script,
            self.values,
            rng=random.Random(7),
            userdata=userdata,
            stepped=stepped,
        )
        self.step()

    # --- what goes in ---

    def step(self, *inputs: Input) -> None:
        """Hand inputs over at once."""
        self._take(self.interpreter.step(self.now, inputs))
        while self._obliging and self._under_way:
            self.done()

    def wait(self, seconds: float) -> None:
        """Let time pass; a deadline has passed only when it is later than it."""
        self.now += seconds
        self.step()

    def event(self, kind: type[Event], /, **members: Any) -> Event:
        """Make an event of now, and do not hand it over."""
        self._seq += 1
        return kind(**{"at": self.now, "seq": self._seq, **members})

    def line(self, text: str, **members: Any) -> Event:
        """Make a line of the agent, and do not hand it over."""
        return self.event(Message, **{"text": text, "party": ADA, **members})

    def push(self, kind: type[Event], /, **members: Any) -> None:
        """Let an event happen now."""
        self.step(self.event(kind, **members))

    def say(self, *texts: str, **members: Any) -> None:
        """Let the agent say lines now, one after another."""
        for text in texts:
            self.step(self.line(text, **members))

    def end(self, by: EndedBy = EndedBy.SERVICE) -> None:
        """Let the chat end now."""
        self.push(SessionEnded, by=by)

    def done(self, error: Any = None, value: Any = None) -> None:
        """Let the oldest command under way be done."""
        done = Performed(number=self._under_way.pop(0), at=self.now, error=error, value=value)
        self._take(self.interpreter.step(self.now, [done]))

    def release(self) -> None:
        """Let the step that is held begin."""
        self.step(Released(number=self.holds[-1].number, at=self.now))

    def answer(self, result: str | None = None, error: Exception | None = None) -> None:
        """Let the latest action end."""
        number = self.calls[-1].number
        self.step(ActionDone(number=number, at=self.now, result=result, error=error))

    # --- what came out ---

    @property
    def said(self) -> list[str]:
        """The texts of all commands that have one."""
        return [command.text for command in self.commands if hasattr(command, "text")]

    @property
    def last(self) -> StepResult:
        """The result of the latest step."""
        return self.steps[-1]

    @property
    def verdict(self) -> tuple[str, str] | None:
        """Verdict and reason, once the script is over."""
        if self.finished is None:
            return None
        return self.finished.verdict.value, self.finished.reason.value

    @property
    def verbs(self) -> list[str]:
        """The verbs of all steps so far; those that did not pass with their verdict."""
        return [
            step.verb if step.verdict is Verdict.PASSED else f"{step.verb} {step.verdict.value}"
            for step in self.steps
        ]

    def _take(self, turn: Turn) -> None:
        for action in turn.actions:
            if isinstance(action, Perform):
                self.commands.append(action.command)
                self._under_way.append(action.number)
            elif isinstance(action, Hold):
                self.holds.append(action)
            else:
                self.calls.append(action)
        self.steps.extend(turn.steps)
        self.notes.extend(turn.notes)
        self.deadline = turn.deadline
        self.finished = self.finished or turn.finished


@pytest.fixture
def rehearse() -> type[Rehearsal]:
    """Play a script by hand; see :class:`Rehearsal`."""
    return Rehearsal


@pytest.fixture(scope="session")
def compiled() -> Callable[[str], BotScript]:
    """Compile the YAML of a script."""
    return compile_script
