"""What is looked for in a text that was made comparable, and how it is found. Pure.

Theory of operation. A value has dozens of spellings, so a journey looks for hundreds of needles in
each text. Python finds a whole needle quickly; but where a text was cut, any beginning of any
needle may stand. Most spellings of a value begin alike, so they are looked for together.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property

from botkit.masking.spellings import needles
from botkit.masking.views import CUTS

__all__ = ["SHORT", "Needles"]

SHORT = 4
"""A value of fewer characters is hidden only where it stands alone, as a word."""
LEAST = 3
"""Characters of a hidden value before a cut that tell something of it; half of it always does."""
CUT_OFF = re.compile(CUTS)


class Needles:
    """Needles to look for.

    Args:
        texts: the needles; none of them is empty.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = tuple(texts)

    @classmethod
    def of(cls, values: Iterable[str]) -> Needles:
        """Give those of some values, in all their spellings."""
        return cls(frozenset[str]().union(*map(needles, values)))

    def unbroken(self) -> Needles:
        """Give those for texts that are read without blanks; short ones would be everywhere."""
        texts = {text.replace(" ", "") for text in self._texts}
        return Needles(text for text in texts if len(text) >= SHORT)

    def wholes_in(self, text: str) -> Iterator[tuple[int, int]]:
        """Tell where needles stand."""
        for needle in [needle for needle in self._texts if needle in text]:
            for start in _places_of(needle, text):
                yield start, start + len(needle)

    def beginnings_in(self, text: str) -> Iterator[tuple[int, int]]:
        """Tell where needles begin whose ends were cut off, and where that was."""
        for found in CUT_OFF.finditer(text):
            cut = found.start()
            for least, (longest, group) in self._by_beginning.items():
                start = text.find(least, max(0, cut - longest), cut)
                while start >= 0:
                    rest = text[start:cut]
                    if any(needle.startswith(rest) for needle in group):
                        yield start, cut
                    start = text.find(least, start + 1, cut)

    def all_in(self, text: str) -> Iterator[tuple[int, int]]:
        """Tell where needles stand, or begin before a cut."""
        yield from self.wholes_in(text)
        yield from self.beginnings_in(text)

    @cached_property
    def _by_beginning(self) -> Mapping[str, tuple[int, list[str]]]:
        """By their least beginnings, those that share one, and the length of the longest."""
        groups: dict[str, list[str]] = {}
        for text in self._texts:
            groups.setdefault(text[: min(LEAST, max(1, len(text) // 2))], []).append(text)
        return {least: (max(map(len, group)), group) for least, group in groups.items()}


def _places_of(needle: str, text: str) -> Iterator[int]:
    start = text.find(needle)
    while start >= 0:
        if len(needle) >= SHORT or _stands_alone(text, start, start + len(needle)):
            yield start
        start = text.find(needle, start + 1)


def _stands_alone(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start] if start else "", text[end : end + 1]
    return not (before.isalnum() or before == "_" or after.isalnum() or after == "_")
