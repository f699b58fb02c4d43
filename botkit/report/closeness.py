"""What came closest to what was wanted, and where the two part.

Run only for an expectation that was not met, when it is told: a journey that passes pays nothing.
What was wanted is read from the words of its matcher, which quote texts as JSON does and give a
pattern as it is, so that evidence needs to keep nothing besides those words. A matcher of a plugin
that quotes what it wants is understood in the same way.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from botkit.masking import CUT
from botkit.report.text import one_line

MAX_WANTED = 200
"""Characters of what was wanted that are compared."""
MAX_CAME = 1_000
"""Characters of what came that are compared."""
MAX_SHOWN = 300
"""Characters of a passage in which differences are marked."""
LEAST_LITERAL = 3
"""Characters that a literal part of a pattern must have to say anything."""

PATTERN = re.compile(r"\b(?:matching|match) (.+?)(?= (?:and|or|from) |; |[,;)]? ?$)", re.DOTALL)
ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~ ])")
NOT_LITERAL = re.compile(
    r"\(\?(?:P?<\w+>|[a-zA-Z-]*:|[=!]|<[=!])|\[[^\]]*\]|\\.|\{[^}]*\}|[(){}.*+?^$|]"
)
ASIDE = 0xE000
"""Escaped characters of a pattern are moved out of its way, into Unicode's private use area."""
TOKEN = re.compile(r"\w+|\s+|[^\w\s]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """How near one text came to another.

    Attributes:
        percent: 0 is nothing in common; 100 is that it is all there, but for case and punctuation.
        wanted: the text that was wanted.
        marked: the passage that is most like it: ``[-what was wanted-]{+what came+}``.
    """

    percent: int
    wanted: str
    marked: str


def wanted_in(words: str) -> tuple[str, ...]:
    """Find the texts that a matcher wants in what it says of itself.

    Args:
        words: such as ``a message containing "hello" or matching CAS-[0-9]+``. Of a pattern the
            longest literal part counts. What must *not* be there is not wanted.
    """
    positive = words.split("neither ", 1)[0]
    texts = [text for text, _ in quoted_in(positive)]
    unquoted = positive
    for text, raw in quoted_in(positive):
        unquoted = unquoted.replace(raw, " ") if text else unquoted
    patterns = (literal_of(found.group(1)) for found in PATTERN.finditer(unquoted))
    return tuple(dict.fromkeys(text for text in (*texts, *patterns) if text.strip()))


def quoted_in(words: str) -> Iterator[tuple[str, str]]:
    """Give the texts that are quoted as JSON does it, each with its spelling."""
    decoder, at = json.JSONDecoder(), words.find('"')
    while at >= 0:
        try:
            text, end = decoder.raw_decode(words, at)
        except ValueError:
            return
        yield text.removesuffix(CUT), words[at:end]
        at = words.find('"', end)


def literal_of(pattern: str) -> str:
    """Give the longest part of a pattern that stands for itself; empty if there is none."""
    aside = ESCAPED.sub(lambda found: chr(ASIDE + ord(found.group(1))), pattern)
    longest = max(NOT_LITERAL.split(aside), key=len).strip()
    longest = "".join(chr(ord(c) - ASIDE) if ASIDE <= ord(c) < ASIDE + 128 else c for c in longest)
    return longest if len(longest) >= LEAST_LITERAL else ""


def likeness(wanted: Iterable[str], came: str) -> Likeness | None:
    """Compare what came with the one of several texts that it is most like; None without any."""
    came = came[:MAX_CAME]
    scored = [(_percent(text[:MAX_WANTED], came), text[:MAX_WANTED]) for text in wanted]
    if not scored:
        return None
    percent, nearest = max(scored, key=lambda pair: pair[0])
    return Likeness(percent=percent, wanted=nearest, marked=marked(nearest, came))


def marked(wanted: str, came: str) -> str:
    """Show the passage that is most like what was wanted, with the words in which they part."""
    start, end = _passage(wanted, came)
    passage = one_line(came[start:end], MAX_SHOWN)
    left, right = TOKEN.findall(one_line(wanted, MAX_WANTED)), TOKEN.findall(passage)
    steps = _steps(left, right)
    # More words than were wanted, before or behind, are no difference.
    before, after = start > 0, end < len(came)
    if len(steps) > 1 and steps[0][0] == "insert":
        before, steps = True, steps[1:]
    if len(steps) > 1 and steps[-1][0] == "insert":
        after, steps = True, steps[:-1]
    for kind, a, b, c, d in steps[:1]:
        if kind == "replace" and d - c > b - a and len(steps) > 1:
            before, steps = True, [(kind, a, b, d - (b - a), d), *steps[1:]]
    for kind, a, b, c, d in steps[-1:]:
        if kind == "replace" and d - c > b - a:
            after, steps = True, [*steps[:-1], (kind, a, b, c, c + b - a)]
    pieces = (_piece(kind, left[a:b], right[c:d]) for kind, a, b, c, d in steps)
    return f"{CUT if before else ''}{''.join(pieces)}{CUT if after else ''}"


def _percent(wanted: str, came: str) -> int:
    # Imported late: it takes 20 ms, and nobody needs it as long as all is well.
    from rapidfuzz import fuzz, utils

    left, right = utils.default_process(wanted), utils.default_process(came)
    if not left or not right:
        return 0
    # As `like` does it: a part of what came may be enough, a part of what was wanted is not.
    compare = fuzz.partial_ratio if len(right) >= len(left) else fuzz.ratio
    return int(compare(left, right))


def _passage(wanted: str, came: str) -> tuple[int, int]:
    """Find where in a longer text the part is that is most like another, in whole words."""
    from rapidfuzz import fuzz

    found = fuzz.partial_ratio_alignment(_folded(wanted), _folded(came))
    if found is None or len(wanted) >= len(came) or found.dest_end <= found.dest_start:
        return 0, len(came)
    # With a word more on each side, and as long as what was wanted at least: a word too many in
    # the middle moves the best passage, and the words behind a typo are not to be lost.
    first = min(found.dest_start, found.dest_end - len(wanted))
    start = came.rfind(" ", 0, max(first - 1, 0)) + 1
    end = max(found.dest_end, found.dest_start + len(wanted))
    end = came.find(" ", min(end + 1, len(came)))
    return start, len(came) if end < 0 else end


def _folded(text: str) -> str:
    """Ignore case where that moves no character."""
    lower = text.lower()
    return lower if len(lower) == len(text) else text


def _steps(wanted: Sequence[str], came: Sequence[str]) -> Sequence[tuple[str, int, int, int, int]]:
    """Give the steps that lead from some words to others, as ``difflib`` names them."""
    left, right = [word.lower() for word in wanted], [word.lower() for word in came]
    if left == right:
        # Then it is the case that matters.
        left, right = list(wanted), list(came)
    return SequenceMatcher(None, left, right, autojunk=False).get_opcodes()


def _piece(kind: str, wanted: Sequence[str], came: Sequence[str]) -> str:
    if kind == "equal":
        return "".join(came)
    gone = f"[-{''.join(wanted)}-]" if wanted else ""
    return f"{gone}{{+{''.join(came)}+}}" if came else gone
