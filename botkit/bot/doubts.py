"""Warns of matchers that are surely not what their author meant.

Theory of operation. Each matcher of a script is looked at from the inside out. A part that fits
everything, or nothing, is told of where it stands, and what that makes of the groups around it goes
with it. Where values are inserted (``${...}``) nothing is known of what will be searched, and no
more is looked at than the spelling.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import replace

from botkit.bot.clashes import clashes
from botkit.bot.compiler import Compiled
from botkit.bot.diagnostics import Problems
from botkit.bot.matcher_places import PlacedMatcher, matchers_of
from botkit.bot.matchers import (
    BUILT_IN_MATCHERS,
    GroupSpec,
    LeafSpec,
    MatcherError,
    RegexSpec,
)
from botkit.bot.regex_doubts import (
    Doubt,
    fits_everything,
    fits_nothing,
    is_wildcard,
    prose_as_regex,
    regex_as_text,
)
from botkit.bot.source import Document, Scalar
from botkit.bot.values import Template

TEXT_MATCHERS = ("contains", "equals", "starts_with")


class Fits(enum.Enum):
    """What is known of a matcher without any message."""

    EVERYTHING = "always fits"
    NOTHING = "never fits"
    SOME = ""


_OPPOSITE = {
    Fits.EVERYTHING: Fits.NOTHING,
    Fits.NOTHING: Fits.EVERYTHING,
    Fits.SOME: Fits.SOME,
}
_DECISIVE = {"any_of": Fits.EVERYTHING, "all_of": Fits.NOTHING, "none_of": Fits.EVERYTHING}


def check_matchers(compiled: Compiled, document: Document, problems: Problems) -> None:
    """Warn of what is doubtful about the matchers of a script."""
    for placed in matchers_of(compiled):
        _Doubts(document, problems).look_at(placed, ())


class _Doubts:
    """Looks at the matchers of one file."""

    def __init__(self, document: Document, problems: Problems) -> None:
        self._document = document
        self._problems = problems

    def look_at(self, placed: PlacedMatcher, around: tuple[GroupSpec, ...]) -> Fits:
        """Look at a matcher and what it is made of; ``around`` are the groups that it is part of.

        Returns:
            What it fits.
        """
        match placed.spec:
            case LeafSpec() as spec:
                return self._look_at_text(placed, spec)
            case RegexSpec() as spec:
                return self._look_at_regex(placed, spec, around)
            case GroupSpec() as spec:
                return self._look_at_group(placed, spec, (*around, spec))
            case _:
                for child in placed.children:
                    self.look_at(child, ())
                return Fits.SOME

    def _look_at_text(self, placed: PlacedMatcher, spec: LeafSpec) -> Fits:
        if _is_of_text(spec) and isinstance(spec.argument, Template):
            what = "a plain text" if isinstance(placed.node, Scalar) else repr(spec.name)
            doubt = regex_as_text(what, spec.argument.source)
            self._warn(placed, doubt)
        return Fits.SOME

    def _look_at_regex(
        self, placed: PlacedMatcher, spec: RegexSpec, around: tuple[GroupSpec, ...]
    ) -> Fits:
        pattern = spec.pattern.literal
        if pattern is None:
            return Fits.SOME
        fits, doubt = Fits.SOME, prose_as_regex(pattern)
        if found := fits_nothing(pattern):
            fits, doubt = Fits.NOTHING, found
        elif _fits_everything(pattern) and not _is_meant(placed, spec):
            fits, doubt = Fits.EVERYTHING, _MAY_BE_NOTHING
        if doubt is not None and pattern != spec.pattern.source:
            doubt = replace(doubt, offset=0)  # '$${' is shorter than it is written
        self._warn(placed, doubt, so=_consequence(fits, around))
        return fits

    def _look_at_group(
        self, placed: PlacedMatcher, spec: GroupSpec, around: tuple[GroupSpec, ...]
    ) -> Fits:
        fits = _of_group(spec, [self.look_at(child, around) for child in placed.children])
        if spec.name == "all_of" and fits is Fits.SOME and (clash := next(clashes(placed), None)):
            child, doubt = clash
            fits = Fits.NOTHING
            self._warn(child, doubt, so=_consequence(fits, around))
        return fits

    def _warn(self, placed: PlacedMatcher, doubt: Doubt | None, *, so: str = "") -> None:
        """Warn at the place of a doubt in a text, or of a matcher as a whole."""
        if doubt is None:
            return
        node = placed.argument
        mark = node.mark
        if isinstance(node, Scalar):
            mark = self._document.place_in(node, doubt.offset)
        self._problems.warn(mark, doubt.message + so, hint=doubt.hint)


_MAY_BE_NOTHING = Doubt(
    message="this fits every text: all of it may be missing",
    hint="let a part of it be necessary ('x+', not 'x*'), or write '.+' for any text but the empty",
)


def _fits_everything(pattern: str) -> bool:
    try:
        return fits_everything(pattern)
    except MatcherError:
        return False  # it takes too long even for an empty text


def _is_meant(placed: PlacedMatcher, spec: RegexSpec) -> bool:
    """Whether fitting everything makes sense: to keep a text, or to say that there is one."""
    return bool(spec.captures) or (placed.any_is_meant and is_wildcard(str(spec.pattern)))


def _is_of_text(spec: LeafSpec) -> bool:
    return spec.name in TEXT_MATCHERS and spec.factory is BUILT_IN_MATCHERS[spec.name]


# --- what groups make of it ----------------------------------------------------------------------


def _of_group(spec: GroupSpec, found: Sequence[Fits]) -> Fits:
    decisive = _DECISIVE[spec.name]
    fits = found[0] if len(set(found)) == 1 else Fits.SOME
    fits = decisive if decisive in found else fits
    return _OPPOSITE[fits] if spec.name == "none_of" else fits


def _consequence(fits: Fits, around: Sequence[GroupSpec]) -> str:
    """Say what a part that fits everything or nothing makes of the groups around it."""
    words = ""
    for group in reversed(around):
        others = [Fits.SOME] * (len(group.children) > 1)
        fits = _of_group(group, [fits, *others])
        if fits is Fits.SOME:
            break
        words = f", so this {group.name!r} {fits.value}"
    return words
