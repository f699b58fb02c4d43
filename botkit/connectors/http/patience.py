"""For how long a server wants to be left alone.

Source: RFC 9110, section 10.2.3.
"""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from botkit.errors import BotkitError, ConnectorError

__all__ = ["HEEDED", "asked_of", "patience", "retry_after"]

HEEDED = 60.0
"""Seconds that a server's wish is heeded for, at most: a chat that is silent for longer is over for
whoever sits in it, and a verdict must come in bounded time."""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read how many seconds a server asks to wait; None if it does not say, or not in HTTP's words.

    A date is measured against the server's own ``Date``.

    Args:
        headers: of the reply, names in lower case.
    """
    asked = headers.get("retry-after", "").strip()
    if asked.isascii() and asked.isdecimal() and len(asked) < 10:
        return float(asked)
    try:
        now = parsedate_to_datetime(headers["date"])
        return max((parsedate_to_datetime(asked) - now).total_seconds(), 0.0)
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def patience(headers: Mapping[str, str]) -> float:
    """Give the seconds to wait because a server asks for it; 0 if it does not."""
    return min(retry_after(headers) or 0.0, HEEDED)


def asked_of(error: BotkitError) -> float:
    """Give the seconds to wait because a failure came with that wish; 0 if it did not."""
    return error.retry_after if isinstance(error, ConnectorError) else 0.0
