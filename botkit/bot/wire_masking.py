r"""Hiding texts in what goes over a wire, where they may stand in any of many spellings. Pure.

A text that must not be shown is looked for letter by letter, each as it is, as JSON escapes it
(``\"``, ``\u00e9``, however often it was wrapped), or as forms and URLs do (``%C3%A9``, ``+``). At
the end of a frame that was cut its beginning is hidden, too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import regex

__all__ = ["hide_on_wire"]

HIDDEN = "***"
NAMED_ESCAPES = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
ESCAPED_AS_THEMSELVES = '"\\/'


def hide_on_wire(text: str, hidden: Iterable[str], *, cut: bool) -> str:
    """Write ``***`` in place of the hidden texts.

    Args:
        cut: the text went on, so at its end the beginning of something hidden may stand.
    """
    pieces, position = [], 0
    for start, end in sorted(span for one in hidden for span in _spans(one, text, cut=cut)):
        if start >= position:
            pieces += [text[position:start], HIDDEN]
        position = max(position, end)
    return "".join([*pieces, text[position:]])


def _spans(hidden: str, text: str, *, cut: bool) -> Iterator[tuple[int, int]]:
    """Find where a text stands; at the end of what was cut its beginning will do."""
    for found in regex.finditer("".join(map(_letter, hidden)), text, partial=cut):
        if found.end() > found.start():
            yield found.span()


def _letter(letter: str) -> str:
    plain = regex.escape(letter, special_only=False)
    spellings = [rf"\\*{plain}" if letter in ESCAPED_AS_THEMSELVES else plain]
    if letter in NAMED_ESCAPES:
        spellings.append(rf"\\+{NAMED_ESCAPES[letter]}")
    if letter == " ":
        spellings.append(r"\+")
    units = letter.encode("utf-16-be", "surrogatepass")
    pairs = [units[at : at + 2].hex() for at in range(0, len(units), 2)]
    spellings.append("".join(rf"\\+u(?i:{pair})" for pair in pairs))
    octets = letter.encode("utf-8", "surrogatepass")
    spellings.append("".join(rf"(?i:%{octet:02x})" for octet in octets))
    return f"(?:{'|'.join(spellings)})"
