"""Texts with ``${...}`` in them, and the values that fill them in.

There are no expressions: a reference names one value and nothing is computed. Nothing here reads
the environment, the date or randomness by itself: all of it is passed in with :class:`Values`.

====================  ==========================================================================
``${row.NAME}``       a column of the bot's data
``${env.NAME}``       an environment variable; unset and empty are the same: not there
``${secret.NAME}``    a secret; its value is never shown
``${unique.NAME}``    made up once per journey and name, see :class:`Unique`
``${args.NAME}``      what a file of steps was given by who uses it
``${today}``          the date of the journey, ``2025-01-31``
``${NAME}``           what an earlier step captured or saved
``$${``               the characters ``${``
====================  ==========================================================================
"""

from __future__ import annotations

import enum
import random
import re
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType

import regex

from botkit.errors import ConfigError
from botkit.masking import Masker

NOTHING: Mapping[str, str] = MappingProxyType({})


class Scope(enum.Enum):
    """Where the value of a reference comes from."""

    ROW = "row"
    ENV = "env"
    SECRET = "secret"
    UNIQUE = "unique"
    ARGS = "args"
    TODAY = "today"
    VARIABLE = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One ``${...}`` of a text; ``offset`` is where it begins there, in characters from 0."""

    scope: Scope
    name: str
    offset: int = 0

    def __str__(self) -> str:
        if self.scope is Scope.VARIABLE:
            return f"${{{self.name}}}"
        if self.scope is Scope.TODAY:
            return "${today}"
        return f"${{{self.scope.value}.{self.name}}}"


class TemplateError(ConfigError):
    """A text has a malformed ``${``.

    Attributes:
        offset: where in the text, in characters from 0.
    """

    def __init__(self, message: str, *, offset: int) -> None:
        super().__init__(message)
        self.offset = offset


class VariableError(ConfigError):
    """A value that a text refers to is not there.

    Attributes:
        reference: what was referred to.
    """

    def __init__(self, message: str, *, reference: Reference) -> None:
        super().__init__(message, key=str(reference))
        self.reference = reference


# --- texts ---------------------------------------------------------------------------------------

_MARK = re.compile(r"(?P<escaped>\$\$\{)|\$\{(?P<inside>[^{}$\n]*)(?P<closed>\})?")
_WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_DOTTED = {scope.value: scope for scope in Scope if scope not in (Scope.TODAY, Scope.VARIABLE)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A text that may refer to values.

    Attributes:
        source: as its author wrote it.
        parts: what it is made of, in order; two plain texts never follow each other.
        literal: the whole text if it refers to nothing, else None.
    """

    source: str
    parts: tuple[str | Reference, ...]
    literal: str | None

    @classmethod
    def parse(cls, text: str) -> Template:
        """Read a text.

        Raises:
            TemplateError: a ``${`` is not closed, or names nothing that exists.
        """
        if "${" not in text:
            return cls(source=text, parts=(text,), literal=text)
        parts = _merge(_split(text))
        only_text = all(isinstance(part, str) for part in parts)
        literal = "".join(part for part in parts if isinstance(part, str)) if only_text else None
        return cls(source=text, parts=parts, literal=literal)

    @property
    def names(self) -> tuple[Reference, ...]:
        """What it refers to, in order."""
        return tuple(part for part in self.parts if isinstance(part, Reference))

    def render(self, values: Values, escape: Callable[[str], str] | None = None) -> str:
        """Fill the values in.

        Args:
            values: where they come from.
            escape: applied to each value, and not to the text around it.

        Raises:
            VariableError: a value is not there.
        """
        if self.literal is not None:
            return self.literal
        return "".join(
            part if isinstance(part, str) else _escaped(values.lookup(part), escape)
            for part in self.parts
        )

    def __str__(self) -> str:
        return self.source


def _escaped(text: str, escape: Callable[[str], str] | None) -> str:
    return text if escape is None else escape(text)


def _split(text: str) -> list[str | Reference]:
    parts: list[str | Reference] = []
    end = 0
    for mark in _MARK.finditer(text):
        parts.append(text[end : mark.start()])
        parts.append("${" if mark["escaped"] else _reference(mark))
        end = mark.end()
    parts.append(text[end:])
    return parts


def _merge(parts: list[str | Reference]) -> tuple[str | Reference, ...]:
    merged: list[str | Reference] = []
    for part in parts:
        if part == "":
            continue
        if isinstance(part, str) and merged and isinstance(last := merged[-1], str):
            merged[-1] = last + part
        else:
            merged.append(part)
    return tuple(merged) or ("",)


def _reference(mark: re.Match[str]) -> Reference:
    offset = mark.start()
    if mark["closed"] is None:
        raise TemplateError(
            "'${' without its '}'; write '$${' for the characters themselves", offset=offset
        )
    inside = mark["inside"].strip()
    scope_word, dot, name = inside.partition(".")
    if inside == "today":
        return Reference(scope=Scope.TODAY, name="today", offset=offset)
    if not dot:
        return Reference(scope=Scope.VARIABLE, name=_word(inside, offset), offset=offset)
    scope = _DOTTED.get(scope_word)
    if scope is None:
        raise TemplateError(
            f"'{mark[0]}' names nothing: before the dot comes one of {', '.join(_DOTTED)}",
            offset=offset,
        )
    # Columns of data are called what their author likes; all other names are ours.
    name = name if scope is Scope.ROW and name else _word(name, offset)
    return Reference(scope=scope, name=name, offset=offset)


def _word(name: str, offset: int) -> str:
    if not _WORD.match(name):
        raise TemplateError(
            f"{name!r} is no name: a name is made of letters, digits and '_';"
            " write '$${' for the characters '${' themselves",
            offset=offset,
        )
    return name


# --- values --------------------------------------------------------------------------------------


class Unique:
    """Values that no other journey has: made up once per name, from the given randomness.

    ``uuid`` is a UUID, ``number`` has nine digits, ``email`` is an address at example.com, and
    every other name gives ten letters and digits. ``uuid_2``, ``email_friend`` and the like are of
    the same kind as the word before the underscore and have values of their own.
    """

    __slots__ = ("_made", "_rng")

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._made: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self._make(name.partition("_")[0])
        return made

    def copy(self) -> Unique:
        """Give what keeps the values made so far, and makes the others anew."""
        other = Unique(self._rng)
        other._made.update(self._made)
        return other

    def _make(self, kind: str) -> str:
        match kind:
            case "uuid":
                return str(uuid.UUID(int=self._rng.getrandbits(128), version=4))
            case "number":
                return str(self._rng.randrange(10**8, 10**9))
            case "email":
                return f"{self._token()}@example.com"
            case _:
                return self._token()

    def _token(self) -> str:
        return "".join(self._rng.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=10))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Values:
    """What ``${...}`` stands for in one journey.

    Attributes:
        row: the row of data.
        env: the environment.
        secrets: what ``${secret.X}`` gives; each is masked once it was used.
        unique: None if there is no randomness here, as for what is shared by several journeys.
        today: None if there is no date here.
        args: the arguments of the file of steps that is played; nothing outside of one.
        variables: what was captured so far; grows during the journey.
        masker: hides what must never be shown; learns during the journey.
    """

    row: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    env: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    secrets: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    unique: Unique | None = None
    today: date | None = None
    args: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    variables: dict[str, str] = field(default_factory=dict)
    masker: Masker = field(default_factory=Masker)

    def lookup(self, reference: Reference) -> str:
        """Give the value of a reference.

        Raises:
            VariableError: it is not there.
        """
        value = self._find(reference)
        if value is None:
            raise VariableError(_why_missing(reference), reference=reference)
        if reference.scope is Scope.SECRET:
            self.hide(value, str(reference))
        return value

    def capture(self, name: str, value: str, *, mask: bool = False) -> None:
        """Set a variable; with ``mask`` its value is never shown from now on."""
        self.variables[name] = value
        if mask:
            self.hide(value, f"${{{name}}}")

    def hide(self, text: str, name: str) -> None:
        """Never show this text from now on; ``name`` is what it is called, for warnings."""
        self.masker.hide(text, name)

    def mask(self, text: str) -> str:
        """Write ``***`` in place of everything that must not be shown."""
        return self.masker(text)

    def _find(self, reference: Reference) -> str | None:
        name = reference.name
        match reference.scope:
            case Scope.ROW:
                return self.row.get(name)
            case Scope.ENV:
                return self.env.get(name) or None
            case Scope.SECRET:
                return self.secrets.get(name) or None
            case Scope.UNIQUE:
                return None if self.unique is None else self.unique[name]
            case Scope.ARGS:
                return self.args.get(name)
            case Scope.TODAY:
                return None if self.today is None else self.today.isoformat()
            case Scope.VARIABLE:
                return self.variables.get(name)


def escape_regex(text: str) -> str:
    """Write a text so that a regular expression finds just it."""
    return regex.escape(text, special_only=True)


NO_VALUES = Values()
"""For texts that refer to nothing; nobody captures into it."""


def _why_missing(reference: Reference) -> str:
    match reference.scope:
        case Scope.ROW:
            return f"{reference}: the row has no column {reference.name!r}"
        case Scope.ENV:
            return f"{reference}: the environment variable is not set, or is empty"
        case Scope.SECRET:
            return f"{reference}: there is no such secret, or it is empty"
        case Scope.ARGS:
            return f"{reference}: no argument {reference.name!r} was given"
        case Scope.VARIABLE:
            return f"{reference}: no step has captured {reference.name!r}"
        case _:
            return f"{reference} has no value here"
