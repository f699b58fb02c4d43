"""Which servers may be named by whoever asks for a probe; pure.

A probe carries what its monitor knows, secrets among it, to the server that a request names. So
only servers that the file names are reached: a monitor's own, and those that fit a pattern. The
star of a pattern stands for letters, digits, ``-`` and ``_`` alone: it ends at the next dot, colon
or slash, so that whatever is asked for, scheme, domain, port and path are those of the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

STAR = r"[A-Za-z0-9_-]*"
SHAPE = re.compile(r"(?:https?|wss?)://[^/?#@\s]+(?:[/?][^#@\s]*)?")


def parse_pattern(text: str) -> re.Pattern[str]:
    """Read the address of a server, in which stars may stand.

    Raises:
        ValueError: it is no address that a chat could be played at.
    """
    if not SHAPE.fullmatch(text):
        example = "https://chat-*.example.com/genesys/cometd"
        raise ValueError(f"{text!r} is no address of servers; one is written {example}")
    if not text.partition("://")[2].strip("*"):
        raise ValueError(f"{text!r} lets every server be named")
    return re.compile(STAR.join(map(re.escape, text.split("*"))), re.ASCII)


def is_allowed(target: str, patterns: Iterable[re.Pattern[str]]) -> bool:
    """Say whether a server fits one of the patterns, whole."""
    return any(pattern.fullmatch(target) for pattern in patterns)
