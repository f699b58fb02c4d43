"""The spellings of a value that no reading of a text takes back: base64, other forms of letters."""

from __future__ import annotations

import base64
import functools
import re
import unicodedata
from collections.abc import Iterator

from botkit.masking.views import fold, plain

SHORTEST_LINE = 8
"""Characters of a line of a value with several lines that is a secret of its own."""
SHORTEST_BASE64 = 6
"""Characters of base64 that are no accident."""
CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f]")
BLANKS = re.compile(r"\s+")


@functools.lru_cache(maxsize=1_000)
def needles(value: str) -> frozenset[str]:
    """Give what to look for in the comparable readings of a text; nothing in it is empty."""
    found = {needle for form in set(_forms(value)) for needle in (_comparable(form), plain(form))}
    for text in {value, value.strip()}:
        found.update(map(fold, _base64_of(text)))
    return frozenset(needle for needle in found if needle.strip())


def _comparable(text: str) -> str:
    return BLANKS.sub(" ", fold(text))


def _forms(value: str) -> Iterator[str]:
    """Give the forms in which one and the same text comes back."""
    yield value
    yield value.strip()
    yield value.replace(" ", "+")
    yield CONTROLS.sub("", value)
    lines = [line.strip() for line in value.splitlines()]
    if len(lines) > 1:
        yield from (line for line in lines if len(line) >= SHORTEST_LINE)
    if not value.isascii():
        yield unicodedata.normalize("NFC", value)
        yield unicodedata.normalize("NFD", value)
        # UTF-8 that somebody took for Latin-1.
        yield value.encode("utf-8", "replace").decode("latin-1")


def _base64_of(text: str) -> Iterator[str]:
    """Spell a text in base64 wherever in a longer one it may stand, without what depends on it."""
    for written in {text.encode("utf-8", "replace"), text.encode("latin-1", "replace")}:
        if b"?" in written and "?" not in text:
            continue
        for before in range(3):
            spelled = base64.b64encode(bytes(before) + written).decode()
            first = (before * 8 + 5) // 6
            last = (before + len(written)) * 8 // 6
            # Alone, its last letter and its padding depend on nothing else either.
            for core in (spelled[first:last], spelled[first:]):
                if last - first >= SHORTEST_BASE64:
                    yield core
                    yield core.translate(URL_SAFE)


URL_SAFE = str.maketrans("+/", "-_")
