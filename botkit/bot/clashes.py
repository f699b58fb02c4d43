"""What excludes what in an ``all_of``.

A message may have buttons, and each is asked besides its text: ``all_of`` of two different
``equals`` fits a message whose text is the one and whose button is the other. So what excludes what
is told only where a text is all there is: user data, JSON and notices. What ``none_of`` refuses, it
refuses wherever it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from botkit.bot.matcher_kinds import fold
from botkit.bot.matcher_places import PlacedMatcher
from botkit.bot.matchers import (
    BUILT_IN_MATCHERS,
    GroupSpec,
    JsonSpec,
    LeafSpec,
    MatcherError,
    MatcherSpec,
    RegexSpec,
    in_words,
)
from botkit.bot.regex_doubts import Doubt
from botkit.bot.values import Template
from botkit.interfaces import Match


def clashes(all_of: PlacedMatcher) -> Iterator[tuple[PlacedMatcher, Doubt]]:
    """Find the parts of an ``all_of`` that never fit together, each time at the later one."""
    parts = [part for part in _flat(all_of) if not part.spec.names]
    for first, second in combinations(parts, 2):
        doubt = _refusal(first.spec, second.spec) or _refusal(second.spec, first.spec)
        if doubt is None and all_of.of_text:
            doubt = _exclusion(first.spec, second.spec)
        if doubt is not None:
            yield second, doubt


def _flat(all_of: PlacedMatcher) -> Iterator[PlacedMatcher]:
    for child in all_of.children:
        if isinstance(child.spec, GroupSpec) and child.spec.name == "all_of":
            yield from _flat(child)
        else:
            yield child


def _refusal(wanted: MatcherSpec, refusing: MatcherSpec) -> Doubt | None:
    """Tell when whatever fits one part is refused by the other, a ``none_of``."""
    if not isinstance(refusing, GroupSpec) or refusing.name != "none_of":
        return None
    for refused in refusing.children:
        if _implies(wanted, refused):
            one, other = in_words(wanted.build()), in_words(refused.build())
            return Doubt(
                message=f"a text {one} is always one {other}, which 'none_of' refuses",
                hint="leave one of the two out",
            )
    return None


def _exclusion(first: MatcherSpec, second: MatcherSpec) -> Doubt | None:
    """Tell when no text fits both."""
    if not (_excludes(first, second) or _excludes(second, first)):
        return None
    one, other = in_words(first.build()), in_words(second.build())
    return Doubt(
        message=f"no text is one {one} and one {other}",
        hint="write any_of if one of them is enough",
    )


def _excludes(first: MatcherSpec, second: MatcherSpec) -> bool:
    text = _text_of(first, "equals")
    if text is not None:
        return _is_known(second) and _fits(second, text) is False
    one, other = _text_of(first, "starts_with"), _text_of(second, "starts_with")
    if one is None or other is None:
        return False
    return not fold(one).startswith(fold(other)) and not fold(other).startswith(fold(one))


def _implies(first: MatcherSpec, second: MatcherSpec) -> bool:
    """Whether the text, or the button, that fits the first surely fits the second."""
    text = _text_of(first, "equals")
    if text is not None:
        return _is_known(second, of_each=True) and _fits(second, text) is True
    begin, part = _text_of(first, "starts_with"), _text_of(first, "contains")
    wanted = _text_of(second, "contains")
    if wanted is not None:
        return fold(wanted) in fold(begin or part or "")
    wanted = _text_of(second, "starts_with")
    return wanted is not None and begin is not None and fold(begin).startswith(fold(wanted))


def _fits(spec: MatcherSpec, text: str) -> bool | None:
    try:
        return isinstance(spec.build().match(text), Match)
    except MatcherError:
        return None  # it takes too long


def _text_of(spec: MatcherSpec, name: str) -> str | None:
    if not isinstance(spec, LeafSpec) or spec.name != name or not _is_known(spec):
        return None
    return spec.argument.literal if isinstance(spec.argument, Template) else None


def _is_known(spec: MatcherSpec, *, of_each: bool = False) -> bool:
    """Whether its answer is known from here: no plugin has a part in it, and no value.

    Args:
        of_each: it must also be one that looks at each part of a message on its own.
    """
    match spec:
        case LeafSpec(name=name, factory=factory):
            return not spec.names and BUILT_IN_MATCHERS.get(name) is factory
        case RegexSpec():
            return not spec.names
        case GroupSpec(name=name, children=children):
            if of_each and name == "none_of":
                return False
            return all(_is_known(child, of_each=of_each) for child in children)
        case JsonSpec(parts=parts):
            return not of_each and all(_is_known(part) for part in parts.values())
        case _:
            return False
