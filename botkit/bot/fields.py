"""The kinds of values that keys of a bot file take: times, texts, matchers, names of events.

Each is a type for pydantic: it reads the spelling of a scalar, says in its own words what is wrong
with it, and describes itself to a JSON Schema. Scalars arrive as text, lists and mappings as they
are; nothing is None, for YAML's null keeps its spelling too.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Annotated, Any, NoReturn, TypeVar

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo, WithJsonSchema
from pydantic_core import PydanticCustomError

from botkit.bot import field_schemas as schemas
from botkit.bot.diagnostics import did_you_mean
from botkit.bot.field_schemas import LONGEST_TEXT
from botkit.bot.matchers import BUILT_IN, MatcherError, MatcherRegistry, MatcherSpec
from botkit.bot.values import Template, TemplateError
from botkit.chat import (
    EVENT_NAMES,
    AgentConnected,
    AgentDisconnected,
    AgentTyping,
    Event,
    File,
    Notice,
    PushedUrl,
    RestoreOutcome,
    SessionEnded,
)
from botkit.results import Verdict

T = TypeVar("T")

LONGEST_TIME = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What plugins add to the language.

    Attributes:
        matchers: by the key that an author writes.
        actions: the names that ``call`` may use.
    """

    matchers: MatcherRegistry = field(default_factory=lambda: BUILT_IN)
    actions: frozenset[str] = frozenset()


def refuse(
    message: str,
    *,
    path: Sequence[str | int] = (),
    at_key: bool = False,
    offset: int | None = None,
    hint: str = "",
) -> NoReturn:
    """Raise what pydantic collects.

    Args:
        message: what is wrong.
        path: leads from the field's value to the wrong part of it.
        at_key: the last key of the path is wrong, and not what stands behind it.
        offset: where in the text of that part.
        hint: what may have been meant.
    """
    context = {"path": tuple(path), "at_key": at_key, "offset": offset, "hint": hint}
    raise PydanticCustomError("botkit", "{message}", {"message": message, **context})


def text_of(value: Any, what: str = "a text", *, path: Sequence[str | int] = ()) -> str:
    """Take a scalar that is not empty; ``path`` leads to it from the field's value."""
    if not isinstance(value, str):
        kind = "list" if isinstance(value, list) else "mapping"
        refuse(f"this takes {what}, not a {kind}", path=path)
    if not value.strip():
        refuse(f"this takes {what}, and it is empty", path=path)
    if len(value) > LONGEST_TEXT:
        refuse(f"this text is longer than {LONGEST_TEXT:,} characters", path=path)
    return value


# --- times and numbers ---------------------------------------------------------------------------

_TIME = re.compile(
    r"(?:(?P<h>\d+(?:\.\d+)?)h)?(?:(?P<m>\d+(?:\.\d+)?)m)?"
    r"(?:(?P<s>\d+(?:\.\d+)?)s)?(?:(?P<ms>\d+(?:\.\d+)?)ms)?",
    re.ASCII,
)
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}
_COUNT = re.compile(r"[1-9]\d{0,6}", re.ASCII)
_INTEGER = re.compile(r"-?\d{1,9}", re.ASCII)
_NUMBER = re.compile(r"\d+(?:\.\d+)?", re.ASCII)


def parse_time(text: str) -> float:
    """Read ``45s``, ``1m30s`` or ``500ms`` as seconds.

    Raises:
        ValueError: it is none; the message says what to write.
    """
    if _NUMBER.fullmatch(text):
        raise ValueError(f"a time needs a unit: write {text}s for seconds or {text}m for minutes")
    match = _TIME.fullmatch(text)
    if not text or match is None:
        raise ValueError(f"{text!r} is no time; a time is written 500ms, 45s, 2m, 1m30s or 1h")
    found = match.groupdict()
    seconds = sum(float(number) * _SECONDS[unit] for unit, number in found.items() if number)
    if seconds > LONGEST_TIME:
        raise ValueError(f"{text} is longer than a day")
    return seconds


def _time(value: Any) -> float:
    try:
        return parse_time(text_of(value, "a time").strip())
    except ValueError as error:
        refuse(str(error))


def _positive(value: float) -> float:
    if value <= 0:
        refuse("this time must be longer than nothing")
    return value


Time = Annotated[float, BeforeValidator(_time), WithJsonSchema(schemas.TIME)]
Duration = Annotated[
    float, BeforeValidator(_time), AfterValidator(_positive), WithJsonSchema(schemas.DURATION)
]
"""A time that is longer than nothing."""


def _typing(value: Any) -> float | str:
    if value == "human":
        return "human"
    try:
        return _positive(parse_time(text_of(value).strip()))
    except ValueError as error:
        refuse(f"typing is 'human' or a time: {error}")


Typing = Annotated[float | str, BeforeValidator(_typing), WithJsonSchema(schemas.TYPING)]


def _count(value: Any) -> int:
    text = text_of(value, "a number").strip()
    if not _COUNT.fullmatch(text):
        refuse(f"this takes a whole number from 1 on, not {text!r}")
    return int(text)


def _number(value: Any) -> int:
    text = text_of(value, "a number").strip()
    if not _INTEGER.fullmatch(text):
        refuse(f"this takes a whole number, not {text!r}")
    return int(text)


Number = Annotated[int, BeforeValidator(_number), WithJsonSchema(schemas.NUMBER)]
Count = Annotated[int, BeforeValidator(_count), WithJsonSchema(schemas.COUNT)]

_YES, _NO = ("true", "yes"), ("false", "no")


def _yes_no(value: Any) -> bool:
    word = text_of(value, "yes or no").lower()
    if word not in _YES + _NO:
        refuse(f"this takes true or false, not {value!r}")
    return word in _YES


YesNo = Annotated[bool, BeforeValidator(_yes_no), WithJsonSchema(schemas.YES_NO)]

# --- texts ---------------------------------------------------------------------------------------

_NAME = re.compile(r"\w[\w .-]{0,99}")
_MEDIA_TYPE = re.compile(r"[\w.+-]+/[\w.+-]+", re.ASCII)
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


def _template(value: Any) -> Template:
    try:
        return Template.parse(text_of(value))
    except TemplateError as error:
        refuse(error.message, offset=error.offset)


def _plain(value: Any) -> str:
    text = text_of(value)
    if "${" in text:
        refuse("values are not filled in here; write the text itself", offset=text.index("${"))
    return text


def _name(value: Any) -> str:
    text = _plain(value)
    if not _NAME.fullmatch(text):
        refuse(f"{text!r} is no name: letters, digits, '_', '-', '.' and spaces, up to 100")
    return text


def _identifier(value: Any) -> str:
    text = _plain(value)
    if not _IDENTIFIER.fullmatch(text):
        refuse(f"{text!r} is no name of a variable: letters, digits and '_'")
    if text == "today":
        refuse("a variable cannot be called 'today': ${today} is the date")
    return text


def _key(value: Any) -> str:
    text = str(value)
    if not text.strip():
        refuse("a key is empty")
    if "${" in text:
        refuse("values are not filled in in keys")
    return text


TextTemplate = Annotated[Template, BeforeValidator(_template), WithJsonSchema(schemas.TEMPLATE)]
"""A text that values may be filled into."""
Text = Annotated[str, BeforeValidator(_plain), WithJsonSchema(schemas.PLAIN_TEXT)]
"""A text as it is."""
Name = Annotated[str, BeforeValidator(_name), WithJsonSchema(schemas.NAME)]
Identifier = Annotated[str, BeforeValidator(_identifier), WithJsonSchema(schemas.IDENTIFIER)]
Key = Annotated[str, BeforeValidator(_key), WithJsonSchema(schemas.KEY)]


def _media_type(value: Any) -> str:
    text = _plain(value)
    if not _MEDIA_TYPE.fullmatch(text):
        refuse(f"{text!r} is no media type; one is written image/png")
    return text


MediaType = Annotated[str, BeforeValidator(_media_type), WithJsonSchema(schemas.MEDIA_TYPE)]


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


_ONE_OR_MORE = BeforeValidator(_one_or_more)

TextTemplates = Annotated[dict[Key, TextTemplate], Field(min_length=1)]
Identifiers = Annotated[list[Identifier], _ONE_OR_MORE, schemas.OrOne()]
Names = Annotated[list[Name], _ONE_OR_MORE, schemas.OrOne()]
SomeNames = Annotated[list[Name], Field(min_length=1), _ONE_OR_MORE, schemas.OrOne()]
Texts = Annotated[list[Text], _ONE_OR_MORE, schemas.OrOne()]
Templates = Annotated[list[TextTemplate], _ONE_OR_MORE, schemas.OrOne()]


@dataclass(frozen=True, slots=True)
class Argument:
    """What a file of steps takes: a name, and what it is where nothing is given."""

    name: str
    usual: Template | None = None


def _argument(value: Any) -> Argument:
    if not isinstance(value, Mapping):
        return Argument(_identifier(value))
    if len(value) != 1:
        refuse("an argument is a name, or one name with its usual value")
    ((name, usual),) = value.items()
    return Argument(_identifier(name), _at(_usual, usual, (name,)))


def _listed(value: Any) -> Any:
    if not isinstance(value, list):
        refuse("this takes a list: '- NAME' for what must be given, '- NAME: VALUE' for the rest")
    return value


def _no_name_twice(arguments: list[Argument]) -> list[Argument]:
    names = [argument.name for argument in arguments]
    for number, name in enumerate(names):
        if name in names[:number]:
            refuse(f"the argument {name!r} is there twice", path=(number,))
    return arguments


def _usual(value: Any) -> Template:
    # It may be empty, as no other text: that is how something is left out unless it is given.
    return Template.parse("") if value == "" else _template(value)


def _at(read: Callable[[Any], T], value: Any, path: Sequence[str | int]) -> T:
    """Read a part of a value; what is wrong with it is told at its place."""
    try:
        return read(value)
    except PydanticCustomError as error:
        context = dict(error.context or {})
        refuse(
            context["message"],
            path=(*path, *context["path"]),
            offset=context["offset"],
            hint=context["hint"],
        )


Arguments = Annotated[
    list[Annotated[Argument, BeforeValidator(_argument), WithJsonSchema(schemas.ARGUMENT)]],
    BeforeValidator(_listed),
    AfterValidator(_no_name_twice),
]


def word(
    kind: str, meanings: Mapping[str, Any], *, path: tuple[str, ...] = ()
) -> Callable[[Any], Any]:
    """Make a reader of words from a closed list; ``path`` leads to the word in what is read."""

    def read(value: Any) -> Any:
        if not isinstance(value, str):
            refuse(f"this takes the name of one {kind}", path=path)
        if value not in meanings:
            hint = did_you_mean(value, meanings) or f"there is {', '.join(meanings)}"
            refuse(f"unknown {kind} {value!r}", path=path, hint=hint)
        return meanings[value]

    return read


# --- events, verdicts, matchers ------------------------------------------------------------------

EVENT_WORDS: Mapping[str, type[Event]] = MappingProxyType(
    {
        "agent": AgentConnected,
        "agent_left": AgentDisconnected,
        "typing": AgentTyping,
        "ended": SessionEnded,
        "notice": Notice,
        "pushed_url": PushedUrl,
        "file": File,
        **EVENT_NAMES,
    }
)
"""What a bot may call the events: short names, and the names of the hooks without ``on_``."""

EventKind = Annotated[
    type[Event],
    BeforeValidator(word("event", EVENT_WORDS)),
    WithJsonSchema({"enum": list(EVENT_WORDS)}),
]

VERDICT_WORDS = {verdict.value: verdict for verdict in Verdict if verdict is not Verdict.CANCELLED}
VerdictWord = Annotated[
    Verdict,
    BeforeValidator(word("verdict", VERDICT_WORDS)),
    WithJsonSchema({"enum": list(VERDICT_WORDS)}),
]


OUTCOME_WORDS = {outcome.value: outcome for outcome in RestoreOutcome}
OutcomeWord = Annotated[
    RestoreOutcome,
    BeforeValidator(word("outcome", OUTCOME_WORDS)),
    WithJsonSchema({"enum": list(OUTCOME_WORDS)}),
]
HistoryWord = Annotated[
    str,
    BeforeValidator(word("word for history", {"complete": "complete"})),
    WithJsonSchema({"enum": ["complete"]}),
]


def matcher_spec(value: Any, info: ValidationInfo) -> MatcherSpec:
    """Read a matcher with the registry that the validation was given."""
    registry = info.context.matchers if info.context is not None else BUILT_IN
    try:
        spec: MatcherSpec = registry.parse(value)
    except MatcherError as error:
        refuse(
            error.message,
            path=error.path,
            at_key=error.at_key,
            offset=error.offset,
            hint=error.hint,
        )
    return spec


MatcherField = Annotated[
    MatcherSpec, BeforeValidator(matcher_spec), WithJsonSchema(schemas.ref("matcher"))
]
Matchers = Annotated[dict[Key, MatcherField], Field(min_length=1)]
Sender = Annotated[Text, WithJsonSchema(schemas.ref("sender"))]


def _steps(value: Any) -> Any:
    if not isinstance(value, list):
        refuse("this takes a list of steps, each beginning with '- '")
    return value


Steps = Annotated[
    list[Any],
    BeforeValidator(_steps),
    WithJsonSchema(schemas.list_of(schemas.ref("step"))),
]
"""Steps are compiled one by one, with their places; here they are only known to be a list."""
SomeSteps = Annotated[Steps, WithJsonSchema(schemas.list_of(schemas.ref("step"), at_least=1))]
"""Steps where an empty list is wrong; the compiler says why."""

# --- what several verbs take ---------------------------------------------------------------------

Within = Annotated[
    Duration, Field(description="How long to wait at most; what takes longer has failed.")
]
SlowAfter = Annotated[
    Duration | None,
    Field(description="What takes longer than this is degraded: it works, too slowly."),
]
