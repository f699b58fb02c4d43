"""How times and foreign text read on the page; pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from botkit.report.text import ESCAPE_SEQUENCE, INVISIBLE

MAX_TEXT = 4000
"""Characters of one text from a chat; the JSON has it whole."""


def shown(text: str, limit: int = MAX_TEXT) -> str:
    """Make text from a chat fit to be read: cut, and with what cannot be seen as escapes."""
    kept = ESCAPE_SEQUENCE.sub("", text[:limit]).replace("\r\n", "\n").replace("\t", " ")
    missing = len(text) - limit
    more = f" … ({missing:,} more characters)" if missing > 0 else ""
    return INVISIBLE.sub(_escape, kept) + more


def _escape(found: re.Match[str]) -> str:
    return "\n" if found.group() == "\n" else f"\\u{{{ord(found.group()):x}}}"


def stamp(utc: float) -> str:
    """Give a time as people read it."""
    return datetime.fromtimestamp(utc, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def machine_stamp(utc: float) -> str:
    """Give a time as programs read it."""
    return datetime.fromtimestamp(utc, UTC).isoformat(timespec="seconds")


def lasting(seconds: float) -> str:
    """Say how long something lasts: its two largest units."""
    if seconds < 60:
        return f"{max(0, int(seconds))} s"
    rest, parts = int(seconds), []
    for name, size in (("d", 86400), ("h", 3600), ("min", 60)):
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2])


def percent(share: float) -> str:
    """Say what part something is; only all of it is 100 %."""
    return f"{100 * share:.0f} %" if share in (0, 1) else f"{min(99.99, 100 * share):.2f} %"
