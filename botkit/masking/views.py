r"""A text as it reads once its escapes are taken back, and where each part of it stood.

Theory of operation. A value that must not be shown comes in many spellings: in JSON ``\u00e4``, in
HTML ``&auml;``, in a URL ``%C3%A4``, and these in each other. Instead of guessing spellings, the
text is read as each of its readers would: a view is the text with all escapes taken back once, and
the next one takes back what is an escape by then. What is found in a view is traced back to the
characters of the text that it came from. A text without escapes has one view: itself.
"""

from __future__ import annotations

import html
import re
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from botkit.masking.shortening import CUT

MAX_DEPTH = 4
"""How often escapes are taken back: JSON in a URL in a log line is three."""

HEX = "[0-9a-fA-F]"
TRAIL = f"[89abAB]{HEX}"
"""The second half of a byte that goes on a character in UTF-8."""


def _bytes_after(lead: str) -> str:
    """Match one character that is written as bytes, each behind ``lead``."""
    return (
        f"{lead}[cdCD]{HEX}{lead}{TRAIL}"
        f"|{lead}[eE]{HEX}(?:{lead}{TRAIL}){{2}}"
        f"|{lead}[fF][0-7](?:{lead}{TRAIL}){{3}}"
        f"|{lead}{HEX}{{2}}"
    )


def _half_after(lead: str, half: str) -> str:
    """Match what is left of a character written as bytes; ``half`` may be left of ``lead``."""
    last = f"(?:{half}{HEX}?)?"
    return (
        f"{lead}[cdCD]{HEX}{last}"
        f"|{lead}[eE]{HEX}(?:{lead}{TRAIL})?{last}"
        f"|{lead}[fF][0-7](?:{lead}{TRAIL}){{0,2}}{last}"
        f"|{half}{HEX}?"
    )


BYTE = r"\\x"
CUTS = rf"(?:{CUT}|\.\.\.)"
"""What stands where a text was cut off."""

ESCAPE = re.compile(
    f"(?P<half>(?:{_half_after('%', '%')}|{_half_after(BYTE, chr(92) * 2 + 'x?')}"
    rf"|\\u[dD][89abAB]{HEX}{{2}}(?:\\(?:u{HEX}{{0,3}})?)?|\\u{HEX}{{0,3}}|\\U{HEX}{{0,7}}"
    rf"|&\#?\w{{0,31}})(?={CUTS}))"
    f"|(?P<percent>{_bytes_after('%')})"
    rf"|(?P<byte>{_bytes_after(BYTE)})"
    rf"|\\u(?P<pair>[dD][89abAB]{HEX}{{2}}\\u[dD][c-fC-F]{HEX}{{2}})"
    rf"|\\u(?P<four>{HEX}{{4}})"
    rf"|\\U(?P<eight>{HEX}{{8}})"
    r"|\\(?P<letter>[abefnrtv0])"
    r"|\\(?P<itself>[^A-Za-z0-9])"
    rf"|&\#(?P<decimal>\d{{1,7}});|&\#[xX](?P<hex>{HEX}{{1,6}});"
    r"|&(?P<entity>[A-Za-z][A-Za-z0-9]{1,31});",
    re.DOTALL,
)

LETTERS = {
    "a": "\a",
    "b": "\b",
    "e": "\x1b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "0": "\0",
}
BLANKS = re.compile(r"\s\s+|[^\S ]")


@dataclass(frozen=True, slots=True)
class Change:
    """A place where a view differs: ``length`` characters from ``at`` on were ``start:end``."""

    at: int
    length: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class View:
    """A text as it reads.

    Attributes:
        text: what is searched.
        changes: how it differs from what it was made of, in order.
        made_of: the view below; None for the text itself.
    """

    text: str
    changes: tuple[Change, ...] = ()
    made_of: View | None = None
    _places: list[int] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_places", [change.at for change in self.changes])

    def source(self, start: int, end: int) -> tuple[int, int]:
        """Tell where in the original text a part of this view stood; the part is not empty."""
        if self.made_of is None:
            return start, end
        first, _ = self._below(start)
        _, last = self._below(end - 1)
        return self.made_of.source(first, last)

    def _below(self, place: int) -> tuple[int, int]:
        """Tell what one character was in the view below."""
        number = bisect_right(self._places, place) - 1
        if number < 0:
            return place, place + 1
        change = self.changes[number]
        if place < change.at + change.length:
            return change.start, change.end
        behind = place - change.at - change.length + change.end
        return behind, behind + 1


def views(text: str) -> Iterator[View]:
    """Give a text in all its readings, made comparable; the first is the text itself."""
    raw = View(text)
    for _ in range(MAX_DEPTH):
        yield comparable(raw)
        decoded = decode(raw)
        if decoded is None:
            return
        raw = decoded
    yield comparable(raw)


def plain(text: str) -> str:
    """Give the last reading of a text, in which no escape is left, made comparable."""
    *_, last = views(text)
    return last.text


def decode(view: View) -> View | None:
    """Take all escapes back once; None if there are none."""
    if "%" not in view.text and "\\" not in view.text and "&" not in view.text:
        return None
    return _changed(view, ESCAPE, _meaning)


def comparable(view: View) -> View:
    """Make a view comparable: in lower case, and with one blank for any run of blanks."""
    lower = View(fold(view.text), made_of=view)
    return _changed(lower, BLANKS, lambda _: " ") or lower


def fold(text: str) -> str:
    """Write in lower case, a character for each character."""
    if text.isascii():
        return text.lower()
    return "".join([low if len(low := c.lower()) == 1 else c for c in text])


def _changed(
    view: View, what: re.Pattern[str], into: Callable[[re.Match[str]], str]
) -> View | None:
    parts: list[str] = []
    changes: list[Change] = []
    end = length = 0
    for found in what.finditer(view.text):
        meaning = into(found)
        if meaning == found[0]:
            continue
        parts += (view.text[end : found.start()], meaning)
        length += found.start() - end
        end = found.end()
        changes.append(Change(length, len(meaning), found.start(), end))
        length += len(meaning)
    if not changes:
        return None
    return View("".join([*parts, view.text[end:]]), tuple(changes), view)


def _meaning(found: re.Match[str]) -> str:
    match found.lastgroup:
        case "half":
            return ""
        case "percent" | "byte":
            written = bytes.fromhex(re.sub(r"%|\\x", "", found[0]))
            try:
                return written.decode()
            except UnicodeDecodeError:
                return written.decode("latin-1")
        case "pair":
            high, low = int(found["pair"][:4], 16), int(found["pair"][6:], 16)
            return chr(0x10000 + ((high - 0xD800) << 10) + low - 0xDC00)
        case "four" | "eight" | "hex" as kind:
            return _character(int(found[kind], 16)) or found[0]
        case "decimal":
            return _character(int(found["decimal"])) or found[0]
        case "letter":
            return LETTERS[found["letter"]]
        case "itself":
            return found["itself"]
        case _:
            return html.unescape(found[0])


def _character(number: int) -> str:
    return chr(number) if number <= sys.maxunicode else ""
