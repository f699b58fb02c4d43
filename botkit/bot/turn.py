"""What goes into the interpreter and what comes out of it, besides chat events."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from botkit.bot.script import Step
from botkit.chat import Command, Event
from botkit.errors import BotkitError
from botkit.records import quickly_made
from botkit.results import Reason, StepResult, Verdict


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Perform:
    """Do a command, and tell with :class:`Performed` what became of it."""

    number: int
    command: Command


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class RunAction:
    """Run a registered action, and tell with :class:`ActionDone` what it returned."""

    number: int
    name: str
    arguments: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Let nobody begin this step until :class:`Released` says so; only where one steps by hand."""

    number: int
    step: Step


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Performed:
    """A command was done, or could not be."""

    number: int
    at: float
    error: BotkitError | None = None
    value: Any = None
    """What the command asked for (a ``Restoration``, say); mostly nothing."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class ActionDone:
    """An action returned a text (or nothing), or raised."""

    number: int
    at: float
    result: str | None = None
    error: BaseException | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Released:
    """A step that was held may begin."""

    number: int
    at: float


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The script is over; ``step`` is the one that decided, None if it was none."""

    verdict: Verdict
    reason: Reason
    message: str = ""
    step: StepResult | None = None


Input = Event | Performed | ActionDone | Released
Action = Perform | RunAction | Hold


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What the interpreter wants after its inputs.

    Attributes:
        actions: to be done in this order.
        steps: that finished meanwhile.
        notes: to be written down.
        deadline: when it wants to be asked again at the latest, on the loop's clock.
        finished: set once, when the script is over; nothing comes after it.
    """

    actions: tuple[Action, ...] = ()
    steps: tuple[StepResult, ...] = ()
    notes: tuple[str, ...] = ()
    deadline: float | None = None
    finished: Finished | None = None
