"""What makes matchers of the values behind their keys, and the type of those that plugins add."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

from botkit.bot import field_schemas as schemas
from botkit.bot.matcher_kinds import (
    LIKE_THRESHOLD,
    Contains,
    Equals,
    Like,
    MatcherError,
    StartsWith,
)
from botkit.interfaces import Matcher

PlainValue: TypeAlias = "str | Sequence[PlainValue] | Mapping[str, PlainValue]"
"""What YAML holds when every scalar keeps its spelling."""

MatcherFactory = Callable[[PlainValue], Matcher]
"""Makes a matcher of the value behind its key.

It raises ValueError or :class:`MatcherError` for a value that it cannot use. An attribute
``captures``, a collection of names, tells which variables its matchers always set; an attribute
``json_schema``, a mapping, tells editors what values it takes. Editors show the first line of its
docstring.
"""


def text_of(value: PlainValue) -> str:
    """Take a text.

    Raises:
        MatcherError: it is none.
    """
    if not isinstance(value, str):
        raise MatcherError("it takes a text")
    return value


def _make_like(value: PlainValue) -> Matcher:
    if isinstance(value, str):
        return Like(value)
    if not isinstance(value, Mapping) or "text" not in value:
        raise MatcherError("it takes a text, or a mapping of 'text' and 'threshold'")
    for key in value:
        if key not in ("text", "threshold"):
            raise MatcherError(f"unknown key {key!r}; it has 'text' and 'threshold'", path=(key,))
    threshold = value.get("threshold", str(LIKE_THRESHOLD))
    try:
        return Like(text_of(value["text"]), float(text_of(threshold)))
    except ValueError as error:
        raise MatcherError(
            f"the threshold is a number from 1 to 100, not {threshold!r}", path=("threshold",)
        ) from error


class _OfText:
    """Makes matchers of a text.

    Args:
        kind: the class of the matchers.
    """

    json_schema = schemas.MATCHED_TEXT

    def __init__(self, kind: Callable[[str], Matcher]) -> None:
        self._kind = kind
        self.__doc__ = kind.__doc__

    def __call__(self, value: PlainValue) -> Matcher:
        return self._kind(text_of(value))


class _OfLike:
    """The message, or a part of it, is nearly the text."""

    json_schema = schemas.LIKE

    def __call__(self, value: PlainValue) -> Matcher:
        return _make_like(value)


BUILT_IN_MATCHERS: Mapping[str, MatcherFactory] = MappingProxyType(
    {
        "contains": _OfText(Contains),
        "equals": _OfText(Equals),
        "starts_with": _OfText(StartsWith),
        "like": _OfLike(),
    }
)
"""What botkit itself registers."""
