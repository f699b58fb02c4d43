r"""Which part of a text will be said again: the matcher for a line that was heard once.

The rule is simple, for an author reads and mends what it makes. The first line of a text is
expected, up to a bound. Numbers, identifiers and names of agents vary from chat to chat, so they
become patterns, unless the customer has said them: those come back as they are. A text without any
of them is expected as it stands, with ``contains``.

==========================================  ==================
``4711``, ``12:30``, ``1,234.50``           ``\d+(?:[.,:]\d+)*``
``CAS-000123``                              ``CAS-`` and the same
``a7f9``, ``X9Z``                           ``\w+``
``ecc35cbd-4f2a-48a2-94f4-368f4e71fbb1``    ``[0-9A-Fa-f-]{36}``
the name of an agent                        ``.+``
``***``, which stands for what is masked    ``.+``
==========================================  ==================
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from botkit.masking import HIDDEN

MAX_TEXT = 160
"""Characters of a text that are expected."""

UUID = r"\b[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\b"
NUMBER = r"(?<![^\W_])\d+(?:[.,:]\d+)*(?![^\W_])"
MIXED = r"[^\W_]*\d[^\W_]*"
HIDDEN_TEXT = re.escape(HIDDEN)
WORD = re.compile(r"[^\W_]+")
NUMBER_PATTERN = r"\d+(?:[.,:]\d+)*"


def matcher_for(
    text: str, *, known: Iterable[str] = (), agents: Iterable[str] = ()
) -> dict[str, str]:
    """Make a matcher, as a bot's author writes it, for a text that came once.

    Args:
        text: not empty.
        known: what the customer has said: its words are no surprise when they come back.
        agents: names that may be others next time.
    """
    part = stable_part(text)
    said = {word for line in known for word in WORD.findall(line)}
    names = [re.escape(name) for name in sorted(agents, key=len, reverse=True) if name.strip()]
    who = rf"(?P<who>(?<!\w)(?:{'|'.join(names)})(?!\w))|" if names else ""
    varying = re.compile(
        f"{who}(?P<hidden>{HIDDEN_TEXT})|(?P<uuid>{UUID})|(?P<number>{NUMBER})|(?P<mixed>{MIXED})"
    )
    pieces: list[str] = []
    position = 0
    masked = False
    for found in varying.finditer(part):
        if found.lastgroup not in NEVER_SAID and said.issuperset(WORD.findall(found.group())):
            continue
        pieces += [literal(part[position : found.start()]), PATTERNS[found.lastgroup or ""]]
        position, masked = found.end(), True
    if not masked:
        return {"contains": part.replace("${", "$${")}
    pieces.append(literal(part[position:]))
    pattern = "".join(pieces)
    # A name alone leaves nothing to hold on to, but that something was said.
    return {"matches": pattern if pattern.strip(" .+") else r"\S"}


NEVER_SAID = ("who", "hidden")
PATTERNS = {
    "who": ".+",
    "hidden": ".+",
    "uuid": "[0-9A-Fa-f-]{36}",
    "number": NUMBER_PATTERN,
    "mixed": r"\w+",
}


def stable_part(text: str) -> str:
    """Give the first line that says something; a long one only to the end of a word."""
    line = next((line.strip() for line in text.splitlines() if line.strip()), "")
    if len(line) <= MAX_TEXT:
        return line
    cut = line[:MAX_TEXT]
    return cut.rpartition(" ")[0].rstrip() or cut


def literal(text: str) -> str:
    r"""Escape a text for a pattern, no more than needed, and so that ``${`` stays text."""
    return re.sub(r"[\\^$.|?*+()\[\]{}]", r"\\\g<0>", text)
