"""Texts that came one after the other, read as one: what is hidden may have come in parts. Pure.

Theory of operation. Where a value was cut, a blank may have been lost or added, and each text may
have been trimmed. So the texts are joined and searched without blanks, for values without blanks.
What is found is traced back to the texts that it spans, as with any other view.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator

from botkit.masking.views import View, views

__all__ = ["Find", "Joined"]

Find = Callable[[str], Iterable[tuple[int, int]]]
"""Tells where something stands in a text."""


class Joined:
    """Several texts as one.

    Args:
        texts: in order.
    """

    __slots__ = ("_ends", "_texts")

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = tuple(texts)
        self._ends: list[int] = []
        for text in self._texts:
            self._ends.append(len(text) + (self._ends[-1] if self._ends else 0))

    def across(self, find: Find) -> Iterator[list[tuple[int, int, int]]]:
        """Give what is found in more than one text: the number of each, and where in it.

        Args:
            find: is given the joined texts in each of their readings, without blanks.
        """
        for view in views("".join(self._texts)):
            for start, end in without_blanks(view, find):
                parts = list(self._parts(start, end))
                if len(parts) > 1:
                    yield parts

    def _parts(self, start: int, end: int) -> Iterator[tuple[int, int, int]]:
        for number in range(bisect_right(self._ends, start), len(self._ends)):
            begins = self._ends[number - 1] if number else 0
            if begins >= end:
                return
            first, last = max(start - begins, 0), min(end, self._ends[number]) - begins
            if first < last:
                yield number, first, last


def without_blanks(view: View, find: Find) -> Iterator[tuple[int, int]]:
    """Find something in a view without its blanks; tell where in the original text it stands."""
    places: list[int] | None = None
    for start, end in find(view.text.replace(" ", "")):
        if places is None:
            # Only made when there is something, which is seldom.
            places = [place for place, letter in enumerate(view.text) if letter != " "]
        yield view.source(places[start], places[end - 1] + 1)
