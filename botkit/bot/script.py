"""What a bot file means: the steps that the interpreter plays, as frozen records.

The loader makes these from YAML; the interpreter plays them and never sees YAML. Texts that may
hold ``${...}`` are :class:`Template`, and matchers are :class:`MatcherSpec`: both are filled in
with the values of a journey when their step begins.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from botkit.bot.matchers import MatcherSpec
from botkit.bot.values import Template
from botkit.chat import Event, RestoreOutcome
from botkit.results import Verdict

DEFAULT_WITHIN = 30.0
NO_TEMPLATES: Mapping[str, Template] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something stands in a file; lines and columns count from 1."""

    file: str | None = None
    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The root of all steps.

    Attributes:
        path: ``steps[2]``, ``steps[4].choose[0].do[1]``, ``whenever[0].do[0]``.
        verb: the key that makes it what it is.
        text: the step in one line, as its author wrote it, for evidence.
        place: where the step begins.
    """

    path: str
    verb: str
    text: str
    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedStep(Step):
    """A step that waits.

    Attributes:
        within: its deadline in seconds, counted from its beginning.
        slow_after: later than this is degraded; None if never.
    """

    within: float = DEFAULT_WITHIN
    slow_after: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Say(Step):
    """``typing``: seconds of typing shown first; "human" for a time that fits the text."""

    line: Template
    typing: float | str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Press(Step):
    """Answers with a button that was offered, by its text; ``typing`` as in :class:`Say`."""

    button: Template
    typing: float | str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer(Step):
    """A line of an agent with buttons to answer it; ``typing`` as in :class:`Say`."""

    line: Template
    buttons: tuple[Template, ...]
    typing: float | str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SendFile(Step):
    """A file, read when the bot was loaded: thousands of journeys share it."""

    name: str
    content: bytes = field(repr=False)
    media_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowTyping(Step):
    duration: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SendNotice(Step):
    notice: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class PushUrl(Step):
    url: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitFor(TimedStep):
    """``kind``: AgentConnected and SessionEnded are states, true at once if they hold."""

    kind: type[Event]


@dataclass(frozen=True, slots=True, kw_only=True)
class Expect(TimedStep):
    """``next_only``: the very next message must fit (``expect_next``).

    ``sender`` narrows to ``agent``, ``supervisor``, ``external``, ``customer`` or a nickname.
    ``mask``: names of captures that must never be shown.
    """

    matcher: MatcherSpec
    next_only: bool = False
    sender: str | None = None
    mask: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectNothing(Step):
    duration: float
    matching: MatcherSpec | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUserdata(Step):
    values: Mapping[str, Template]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteUserdata(Step):
    key: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectUserdata(TimedStep):
    """Waits until every key fits; matchers' captures become variables."""

    matchers: Mapping[str, MatcherSpec]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case of ``choose``: exactly one of ``matcher`` and ``kind`` is set."""

    matcher: MatcherSpec | None = None
    kind: type[Event] | None = None
    do: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choose(TimedStep):
    """``otherwise`` None: nothing fitting in time is a failure."""

    cases: tuple[Case, ...]
    otherwise: tuple[Step, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeat(Step):
    times: int
    do: tuple[Step, ...]
    until: MatcherSpec | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Use(Step):
    """The steps of another file; ``arguments`` are theirs alone, what they capture is everybody's.

    ``do`` have the paths of their own file behind the path of this step, and their own places.
    """

    arguments: Mapping[str, Template]
    do: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(TimedStep):
    action: str
    arguments: Mapping[str, Template] = field(default_factory=lambda: NO_TEMPLATES)
    save_as: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause(Step):
    duration: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Note(Step):
    note: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class Finish(Step):
    verdict: Verdict
    because: Template | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave(Step):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Reload(Step):
    """Goes away as a browser that reloads its page does, and comes back.

    Attributes:
        away_for: seconds between the two.
        judged: an ``expect_restored`` follows at once and says which outcome is right.
    """

    away_for: float = 0.0
    judged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectRestored(TimedStep):
    """Judges the latest reload.

    Attributes:
        outcome: that it must have had; the rest is for a chat that came back, ``code`` for one
            that did not.
        same_chat: the service's name of the chat is what it was.
        same_agent: everybody who was there is there again.
        whole_history: everything that was seen was repeated.
        code: of the failure; None if any will do.
    """

    outcome: RestoreOutcome = RestoreOutcome.RESTORED
    same_chat: bool = True
    same_agent: bool = False
    whole_history: bool = False
    code: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Whenever:
    """A reaction: each sees every event of its kind once and consumes nothing.

    Attributes:
        matcher: for messages and notices; None fits every event of the kind.
        sender: narrows messages as in ``expect``.
        times: how often it may fire; None if unbounded.
    """

    path: str
    place: Place
    kind: type[Event]
    matcher: MatcherSpec | None = None
    sender: str | None = None
    times: int | None = None
    do: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """A line of ``never``: what must not be said at any time."""

    path: str
    place: Place
    matcher: MatcherSpec
    sender: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BotScript:
    """All that one party does in a chat: a customer's bot or a simulated agent's script.

    Attributes:
        reloads: it has a ``reload`` somewhere, so what is seen must be remembered.
    """

    name: str
    file: str | None = None
    steps: tuple[Step, ...] = ()
    whenever: tuple[Whenever, ...] = ()
    never: tuple[Guard, ...] = ()
    reloads: bool = field(init=False, compare=False)

    def __post_init__(self) -> None:
        reloads = any(isinstance(step, Reload) for step in all_steps(self.steps))
        object.__setattr__(self, "reloads", reloads)


def all_steps(steps: Iterable[Step]) -> Iterator[Step]:
    """Walk over steps and all that is below them, in the order of the file."""
    for step in steps:
        yield step
        match step:
            case Repeat() | Use():
                yield from all_steps(step.do)
            case Choose():
                for case in step.cases:
                    yield from all_steps(case.do)
                yield from all_steps(step.otherwise or ())


def moved_under(path: str, steps: Iterable[Step]) -> tuple[Step, ...]:
    """Give steps of another file the paths that they have where they are used."""
    return tuple(_moved(path, step) for step in steps)


def _moved(path: str, step: Step) -> Step:
    moved = f"{path}.{step.path}"
    match step:
        case Repeat() | Use():
            return replace(step, path=moved, do=moved_under(path, step.do))
        case Choose():
            cases = tuple(replace(case, do=moved_under(path, case.do)) for case in step.cases)
            otherwise = None if step.otherwise is None else moved_under(path, step.otherwise)
            return replace(step, path=moved, cases=cases, otherwise=otherwise)
        case _:
            return replace(step, path=moved)
