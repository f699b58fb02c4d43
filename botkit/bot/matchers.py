"""Matchers as bots write them: from plain values to specifications to matchers.

Theory of operation. What an author writes (a text, or a mapping with one key) becomes a
:class:`MatcherSpec` when the file is loaded, and everything that can be known to be wrong then is
refused then. A step that begins builds its matcher from the specification and the values of its
journey; a specification that refers to no values builds one matcher, once, for all journeys.

Leaves (``contains``, ``like``, and whatever plugins register) are factories in a
:class:`MatcherRegistry`. Regular expressions and what is made of other matchers (``json``,
``any_of``, ...) belong to the language: they treat inserted values and captures in their own way.

The functions at the end make matchers for programs: ``session.expect(contains("hello"))``.
"""

from __future__ import annotations

import difflib
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TypeAlias

from botkit.bot.matcher_factories import (
    BUILT_IN_MATCHERS,
    MatcherFactory,
    PlainValue,
    text_of,
)
from botkit.bot.matcher_kinds import (
    LIKE_THRESHOLD,
    AllOf,
    AnyOf,
    Contains,
    Equals,
    Json,
    Like,
    MatcherError,
    Matches,
    NoneOf,
    StartsWith,
    in_words,
)
from botkit.bot.values import (
    NO_VALUES,
    Reference,
    Template,
    TemplateError,
    Values,
    escape_regex,
)
from botkit.errors import FOREIGN
from botkit.interfaces import Matcher

__all__ = [
    "BUILT_IN",
    "BUILT_IN_MATCHERS",
    "MatcherError",
    "MatcherFactory",
    "MatcherRegistry",
    "MatcherSpec",
    "PlainValue",
    "all_of",
    "any_of",
    "as_matcher",
    "contains",
    "equals",
    "in_words",
    "like",
    "matches",
    "matches_json",
    "none_of",
    "starts_with",
]

Argument: TypeAlias = "Template | tuple[Argument, ...] | Mapping[str, Argument]"

PLACEHOLDER = "x"
"""Stands for a value that is not known yet when a regular expression is checked."""


# --- specifications ------------------------------------------------------------------------------


class MatcherSpec(ABC):
    """A matcher as its author wrote it; immutable."""

    @cached_property
    def names(self) -> tuple[Reference, ...]:
        """The values that it refers to."""
        return tuple(self._references())

    @property
    def captures(self) -> frozenset[str]:
        """The variables that it may set when it fits."""
        return frozenset()

    @property
    def certain(self) -> frozenset[str]:
        """The variables that it surely sets when it fits."""
        return self.captures

    def build(self, values: Values = NO_VALUES) -> Matcher:
        """Make the matcher.

        Raises:
            VariableError: a value is not there.
            MatcherError: with these values it is no matcher.
        """
        return self._make(values) if self.names else self._shared

    def words_of(self, matcher: Matcher) -> str:
        """Say in words what a matcher that was built from it expects.

        What refers to no values is said once: thousands of journeys keep it as evidence.
        """
        return str(matcher) if self.names else self._shared_words

    @cached_property
    def _shared_words(self) -> str:
        return str(self._shared)

    @cached_property
    def _shared(self) -> Matcher:
        return self._make(NO_VALUES)

    @abstractmethod
    def _make(self, values: Values) -> Matcher: ...

    @abstractmethod
    def _references(self) -> Iterable[Reference]: ...


@dataclass(frozen=True, kw_only=True)
class LeafSpec(MatcherSpec):
    """``name: argument`` of a registered factory."""

    name: str
    argument: Argument
    factory: MatcherFactory

    @property
    def captures(self) -> frozenset[str]:
        return frozenset(getattr(self.factory, "captures", ()))

    def _make(self, values: Values) -> Matcher:
        return make_matcher(self.name, self.factory, _render(self.argument, values))

    def try_out(self) -> None:
        """Look for what is wrong whatever the values will be.

        Raises:
            MatcherError: that is the case.
        """
        try:
            make_matcher(self.name, self.factory, _probe(self.argument))
        except MatcherError as error:
            if not _has_references(self.argument, error.path):
                raise

    def _references(self) -> Iterable[Reference]:
        return _references_of(self.argument)


@dataclass(frozen=True, kw_only=True)
class RegexSpec(MatcherSpec):
    """``matches: pattern``; values are inserted as the texts they are."""

    pattern: Template

    @cached_property
    def captures(self) -> frozenset[str]:
        return Matches(_probe_text(self.pattern)).captures

    def _make(self, values: Values) -> Matcher:
        return Matches(self.pattern.render(values, escape_regex))

    def _references(self) -> Iterable[Reference]:
        return self.pattern.names


@dataclass(frozen=True, kw_only=True)
class GroupSpec(MatcherSpec):
    """``any_of``, ``all_of`` and ``none_of``."""

    name: str
    children: tuple[MatcherSpec, ...]

    @property
    def captures(self) -> frozenset[str]:
        if self.name == "none_of":
            return frozenset()
        return _all(child.captures for child in self.children)

    @property
    def certain(self) -> frozenset[str]:
        if self.name == "none_of":
            return frozenset()
        sets = [child.certain for child in self.children]
        return sets[0].intersection(*sets[1:]) if self.name == "any_of" else _all(sets)

    def _make(self, values: Values) -> Matcher:
        return _GROUPS[self.name]([child.build(values) for child in self.children])

    def _references(self) -> Iterable[Reference]:
        return (name for child in self.children for name in child.names)


@dataclass(frozen=True, kw_only=True)
class JsonSpec(MatcherSpec):
    """``json: {POINTER: matcher}``."""

    parts: Mapping[str, MatcherSpec]

    @property
    def captures(self) -> frozenset[str]:
        return _all(child.captures for child in self.parts.values())

    @property
    def certain(self) -> frozenset[str]:
        return _all(child.certain for child in self.parts.values())

    def _make(self, values: Values) -> Matcher:
        return Json({pointer: child.build(values) for pointer, child in self.parts.items()})

    def _references(self) -> Iterable[Reference]:
        return (name for child in self.parts.values() for name in child.names)


_GROUPS: Mapping[str, Callable[[Sequence[Matcher]], Matcher]] = MappingProxyType(
    {"any_of": AnyOf, "all_of": AllOf, "none_of": NoneOf}
)


def _all(sets: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset[str]().union(*sets)


def _render(argument: Argument, values: Values) -> PlainValue:
    if isinstance(argument, Template):
        return argument.render(values)
    if isinstance(argument, tuple):
        return [_render(item, values) for item in argument]
    return {key: _render(item, values) for key, item in argument.items()}


def _probe(argument: Argument) -> PlainValue:
    """Put something in place of each value."""
    if isinstance(argument, Template):
        return _probe_text(argument)
    if isinstance(argument, tuple):
        return [_probe(item) for item in argument]
    return {key: _probe(item) for key, item in argument.items()}


def _probe_text(text: Template) -> str:
    return "".join(part if isinstance(part, str) else PLACEHOLDER for part in text.parts)


def _has_references(argument: Argument, path: Sequence[str | int]) -> bool:
    """Tell whether it is a text with references that a path leads to."""
    found = argument
    for key in path:
        match found:
            case tuple() if isinstance(key, int):
                found = found[key]
            case Mapping() if isinstance(key, str) and key in found:
                found = found[key]
    return isinstance(found, Template) and bool(found.names)


def _references_of(argument: Argument) -> Iterable[Reference]:
    if isinstance(argument, Template):
        yield from argument.names
    else:
        items = argument if isinstance(argument, tuple) else argument.values()
        for item in items:
            yield from _references_of(item)


def make_matcher(name: str, factory: MatcherFactory, value: PlainValue) -> Matcher:
    """Call a factory, which may be a plugin's.

    Raises:
        MatcherError: it cannot use the value, or raised.
    """
    try:
        return factory(value)
    except MatcherError:
        raise
    except ValueError as error:
        raise MatcherError(f"{name}: {error}") from error
    except FOREIGN as error:  # The boundary to plugins: whatever they raise gets a place.
        raise MatcherError(f"matcher {name!r} broke: {type(error).__name__}: {error}") from error


# --- the registered kinds ------------------------------------------------------------------------

LANGUAGE_MATCHERS = ("matches", "json", "any_of", "all_of", "none_of")
"""The keys that belong to the language; nobody may register them."""


class MatcherRegistry:
    """The matchers that a bot may use, by the key that its author writes.

    Args:
        factories: the registered ones, built in and of plugins.
    """

    __slots__ = ("_factories",)

    def __init__(self, factories: Mapping[str, MatcherFactory] = BUILT_IN_MATCHERS) -> None:
        for name in LANGUAGE_MATCHERS:
            if name in factories:
                raise MatcherError(f"the matcher {name!r} belongs to the language")
        self._factories = dict(factories)

    @property
    def factories(self) -> Mapping[str, MatcherFactory]:
        """The registered ones, by their keys; without those of the language itself."""
        return MappingProxyType(self._factories)

    @property
    def names(self) -> tuple[str, ...]:
        """Every key, sorted."""
        return tuple(sorted((*self._factories, *LANGUAGE_MATCHERS)))

    def parse(self, value: PlainValue) -> MatcherSpec:
        """Read a matcher as its author wrote it.

        Raises:
            MatcherError: it is wrong; ``path`` leads to where.
        """
        if isinstance(value, str):
            return self._leaf("contains", value)
        if not isinstance(value, Mapping):
            raise MatcherError(
                "a matcher is a text or a mapping with one key; for several, use any_of"
            )
        if len(value) != 1:
            keys = ", ".join(value) or "none"
            raise MatcherError(
                f"a matcher has exactly one key, not {len(value)} ({keys});"
                " combine several with all_of or any_of"
            )
        [(name, argument)] = value.items()
        try:
            return self._of_kind(name, argument)
        except MatcherError as error:
            raise error.below(name) from error

    def _of_kind(self, name: str, argument: PlainValue) -> MatcherSpec:
        if name == "matches":
            return _regex(argument)
        if name == "json":
            return self._json(argument)
        if name in _GROUPS:
            return self._group(name, argument)
        if name not in self._factories:
            close = difflib.get_close_matches(name, self.names, n=1)
            hint = f"did you mean {close[0]!r}?" if close else ""
            raise MatcherError(f"unknown matcher {name!r}", at_key=True, hint=hint)
        return self._leaf(name, argument)

    def _leaf(self, name: str, argument: PlainValue) -> MatcherSpec:
        factory = self._factories.get(name, BUILT_IN_MATCHERS.get(name))
        assert factory is not None, name
        spec = LeafSpec(name=name, argument=_templates(argument), factory=factory)
        # What is wrong with it shows now, and not in the middle of a chat.
        if not spec.names:
            spec.build()
        elif factory is BUILT_IN_MATCHERS.get(name):
            spec.try_out()
        return spec

    def _json(self, argument: PlainValue) -> MatcherSpec:
        if not isinstance(argument, Mapping):
            raise MatcherError("it takes a mapping from JSON Pointers to matchers")
        parts = {pointer: self._child(pointer, child) for pointer, child in argument.items()}
        spec = JsonSpec(parts=parts)
        Json(dict.fromkeys(parts, Contains(PLACEHOLDER)))  # refuses wrong pointers
        return spec

    def _group(self, name: str, argument: PlainValue) -> MatcherSpec:
        if isinstance(argument, str | Mapping):
            raise MatcherError("it takes a list of matchers")
        children = tuple(self._child(number, child) for number, child in enumerate(argument))
        if not children:
            raise MatcherError("it has no matchers in it")
        return GroupSpec(name=name, children=children)

    def _child(self, key: str | int, value: PlainValue) -> MatcherSpec:
        try:
            return self.parse(value)
        except MatcherError as error:
            raise error.below(key) from error


def _regex(argument: PlainValue) -> MatcherSpec:
    pattern = _templates(text_of(argument))
    assert isinstance(pattern, Template)
    spec = RegexSpec(pattern=pattern)
    try:
        captures = spec.captures
    except MatcherError as error:
        offset = error.offset if pattern.literal == pattern.source else None
        raise MatcherError(error.message, offset=offset) from error
    if "today" in captures:
        raise MatcherError("a group cannot be called 'today': ${today} is the date")
    return spec


def _templates(value: PlainValue) -> Argument:
    if isinstance(value, str):
        try:
            return Template.parse(value)
        except TemplateError as error:
            raise MatcherError(error.message, offset=error.offset) from error
    pairs = value.items() if isinstance(value, Mapping) else enumerate(value)
    parsed: dict[str | int, Argument] = {}
    for key, item in pairs:
        try:
            parsed[key] = _templates(item)
        except MatcherError as error:
            raise error.below(key) from error
    if isinstance(value, Mapping):
        return {str(key): item for key, item in parsed.items()}
    return tuple(parsed.values())


BUILT_IN = MatcherRegistry()
"""The matchers without any plugin."""


# --- for programs --------------------------------------------------------------------------------


def as_matcher(wanted: Matcher | str) -> Matcher:
    """Take a plain text for what a message must contain."""
    return Contains(wanted) if isinstance(wanted, str) else wanted


def contains(text: str) -> Matcher:
    """Fit what has the text somewhere in it, whatever the case."""
    return Contains(text)


def equals(text: str) -> Matcher:
    """Fit exactly the text."""
    return Equals(text)


def starts_with(text: str) -> Matcher:
    """Fit what begins with the text, whatever the case."""
    return StartsWith(text)


def matches(pattern: str) -> Matcher:
    """Fit what a regular expression is found in; its named groups are captured."""
    return Matches(pattern)


def like(text: str, *, threshold: float = LIKE_THRESHOLD) -> Matcher:
    """Fit what is nearly the text; ``threshold`` goes to 100, the same text."""
    return Like(text, threshold)


def matches_json(parts: Mapping[str, Matcher | str]) -> Matcher:
    """Fit JSON in which each JSON Pointer leads to what fits its matcher."""
    return Json({pointer: as_matcher(wanted) for pointer, wanted in parts.items()})


def any_of(*wanted: Matcher | str) -> Matcher:
    """Fit what one of several matchers fits."""
    return AnyOf([as_matcher(item) for item in wanted])


def all_of(*wanted: Matcher | str) -> Matcher:
    """Fit what all of several matchers fit."""
    return AllOf([as_matcher(item) for item in wanted])


def none_of(*wanted: Matcher | str) -> Matcher:
    """Fit what none of several matchers fits."""
    return NoneOf([as_matcher(item) for item in wanted])
