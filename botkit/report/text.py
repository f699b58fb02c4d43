"""Text from a server is data: made harmless for a terminal and for XML, and bounded."""

from __future__ import annotations

import re

MAX_LINE = 500
"""Characters of one line on a console."""

ESCAPE_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # OSC, DCS, ...
    r"|\x1b[ -/]*[0-OQ-WYZ`-~]"  # the short ones
)
"""A string sequence without its end is not one: else it would swallow the rest of the evidence."""

BLANKS = re.compile("[\t\n\v\f\r\x85\u2028\u2029 ]+")

INVISIBLE = re.compile(
    "["
    "\x00-\x1f\x7f-\x9f"  # controls
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # these turn the direction of reading
    "\xad\u180e\u200b\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"
    "\ud800-\udfff"  # halves of a character, which no encoding can write
    "]"
)
"""The joiners U+200C and U+200D are kept: scripts and emoji are spelled with them."""

NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def one_line(text: str, limit: int = MAX_LINE) -> str:
    """Make text fit to be shown as one line of a terminal.

    Args:
        text: from anywhere.
        limit: characters to keep; what was cut off is counted.
    """
    kept = ESCAPE_SEQUENCE.sub("", text[: limit * 4])
    kept = INVISIBLE.sub("", BLANKS.sub(" ", kept)).strip()
    missing = max(0, len(kept) - limit) + max(0, len(text) - limit * 4)
    return f"{kept[:limit]}... ({missing} more characters)" if missing else kept


def xml_text(text: str) -> str:
    """Take out what XML 1.0 cannot hold, however it is escaped, and a terminal's commands."""
    return NOT_IN_XML.sub("", ESCAPE_SEQUENCE.sub("", text))
