"""Hides what must not be shown: the one place that knows how.

What it promises, and what not, is told in bots/README.md, "What is never shown".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from botkit.masking.joining import Joined
from botkit.masking.needles import SHORT, Needles
from botkit.masking.shortening import CUT
from botkit.masking.views import View, views

__all__ = ["HIDDEN", "SHORT", "Masker", "masked_by", "masked_live"]

HIDDEN = "***"
"""What is shown in place of a value that must not be shown."""
KEPT, LONGEST_KEPT = 64, 200
"""Texts that a masker knows the answer for, and characters of each."""


class Masker:
    """Writes ``***`` in place of what must not be shown, however it is spelled.

    Example::

        mask = Masker()
        mask.hide("s3cret", "${secret.PIN}")
        mask("it was %733cret")  # "it was ***"

    Attributes:
        warnings: what the masker cannot do well, each naming a value; never a value itself.
    """

    __slots__ = ("__weakref__", "_hidden", "_needles", "_parts", "_shown", "_unbroken", "warnings")

    def __init__(self) -> None:
        self._hidden: set[str] = set()
        # Of these no parts are looked for: soon every letter would be one.
        self._parts: set[str] = set()
        self._unbroken: Needles | None = None
        # Made when they are needed: of ten thousand rows of data most are never shown. With the
        # number of values that they are made of: another thread may log while this one learns.
        self._needles: tuple[int, Needles] | None = None
        # What was masked last: names and kinds of events come again and again.
        self._shown: dict[str, str] = {}
        self.warnings: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        """Tell whether there is anything to hide."""
        return bool(self._hidden)

    def hide(self, text: str, name: str = "") -> None:
        """Never show this text from now on.

        Args:
            text: the value; nothing is hidden if it is blank.
            name: what the value is called in warnings; empty for none.
        """
        if not text or text in self._hidden:
            return
        if name and len(text.strip()) < SHORT:
            self.warnings += (_about_short(text.strip(), name),)
        if text.strip():
            self._hidden.add(text)
            self._learned()

    def hide_parts(self, *texts: str) -> None:
        """Never show the parts of what is hidden if it came in texts, one after the other.

        Args:
            texts: what one side said, in order; as many as there are.
        """
        for parts in Joined(texts).across(self.unbroken.wholes_in) if self else ():
            for number, first, last in parts:
                self._hide_part(texts[number][first:last])

    @property
    def unbroken(self) -> Needles:
        """What to look for in texts that are read without blanks; no parts of what is hidden."""
        found = self._unbroken
        if found is None:
            found = self._unbroken = Needles.of(self._hidden).unbroken()
        return found

    def _hide_part(self, text: str) -> None:
        if text.strip() and text not in self._hidden | self._parts:
            self._parts.add(text)
            self._shown = {}

    def learn(self, other: Masker) -> None:
        """Hide what another one hides by now, too."""
        if not other:
            return
        self._hidden |= other._hidden
        self._parts |= other._parts
        self._learned()

    def _learned(self) -> None:
        self._unbroken = None
        # A new one: the thread that logs may be about to write into the old one.
        self._shown = {}

    def copy(self) -> Masker:
        """Give one that hides the same, and learns by itself from now on."""
        other = Masker()
        other._hidden = set(self._hidden)
        other._parts = set(self._parts)
        other._needles = self._needles
        other.warnings = self.warnings
        return other

    def __call__(self, text: str) -> str:
        """Write ``***`` in place of everything that must not be shown."""
        if not text or not self._hidden:
            return text
        known = self._shown
        shown = known.get(text)
        if shown is None:
            spans = _spans((self,), text)
            shown = _covered(text, spans) if spans else text
            if len(text) <= LONGEST_KEPT:
                if len(known) >= KEPT:
                    known.clear()
                known[text] = shown
        return shown

    def found_in(self, view: View) -> Iterator[tuple[int, int]]:
        """Tell where in the original text the hidden parts of a reading stand."""
        needles = self._looked_for()
        for start, end in needles.wholes_in(view.text):
            yield view.source(start, end)
        for start, cut in needles.beginnings_in(view.text):
            # Up to the cut: half an escape reads as nothing.
            yield view.source(start, cut)[0], view.source(cut, cut + 1)[0]

    def _looked_for(self) -> Needles:
        number, known = len(self._hidden) + len(self._parts), self._needles
        if known is None or known[0] != number:
            known = self._needles = number, Needles.of(self._hidden | self._parts)
        return known[1]


def masked_by(maskers: Iterable[Masker], text: str) -> str:
    """Hide what any of some maskers hides, in one go: what overlaps leaves nothing."""
    maskers = [masker for masker in maskers if masker]
    if len(maskers) < 2:
        return maskers[0](text) if maskers else text
    spans = _spans(maskers, text)
    return _covered(text, spans) if spans else text


def masked_live(maskers: Iterable[Masker], before: Sequence[str], text: str) -> str:
    """Hide what is hidden, or will be once the next text has come, in a text after others.

    Args:
        maskers: hide.
        before: what the same side has said before, in order.
        text: what it says now.
    """
    maskers = [masker for masker in maskers if masker]
    if not maskers or not text:
        return text
    spans = _spans(maskers, f"{text}{CUT}")
    joined = Joined((*before, f"{text}{CUT}"))
    for masker in maskers if before else ():
        for parts in joined.across(masker.unbroken.all_in):
            number, start, end = parts[-1]
            if number == len(before):
                spans.append((start, end))
    return _covered(text, [(start, min(end, len(text))) for start, end in spans])


def _spans(maskers: Sequence[Masker], text: str) -> list[tuple[int, int]]:
    return [span for view in views(text) for masker in maskers for span in masker.found_in(view)]


def _covered(text: str, spans: Iterable[tuple[int, int]]) -> str:
    """Write ``***`` once for spans that overlap or touch."""
    parts: list[str] = []
    behind = 0
    covered = -1
    for start, end in sorted(spans):
        if start > covered:
            parts += (text[behind:start], HIDDEN)
        behind = covered = max(behind, end)
    return "".join([*parts, text[behind:]])


def _about_short(text: str, name: str) -> str:
    if not text:
        return f"{name} is blank, so it cannot be hidden"
    return (
        f"{name} has only {len(text)} character{'' if len(text) == 1 else 's'}: it is hidden only"
        " where it stands alone as a word, and so is all else that reads the same"
    )
