"""What an error shows of a reply that is not what it should be."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["shown", "shown_status"]

SHOWN = 80
"""Characters of a body that an error shows."""
SHOWN_HEADER = 200

HINTS = {
    401: "it wants a user and a password, or other ones",
    403: "it lets nobody in from here, or not with these headers",
    404: "is the path of the URL right?",
    405: "is the path of the URL right?",
    407: "the proxy wants a user and a password: put them into its URL",
    408: "it waited too long for the request",
    413: "the request is too large for it",
    429: "it gets too many requests from here",
    500: "its log tells more",
    502: "the gateway in front of it does not reach the service",
    503: "it is overloaded or in maintenance",
    504: "the gateway in front of it does not reach the service",
}


def shown(body: bytes) -> str:
    """Show the beginning of a body."""
    text = " ".join(body[: SHOWN * 4].decode("utf-8", "replace").split())
    return repr(text[:SHOWN] + ("..." if len(text) > SHOWN else ""))


def shown_status(status: int, headers: Mapping[str, str]) -> str:
    """Show a status, and what a person may do about it.

    Args:
        headers: of the reply, names in lower case.
    """
    hint = HINTS.get(status, "")
    if "location" in headers and 300 <= status < 400:
        hint = f"it has moved to {headers['location'][:SHOWN_HEADER]!r}: give that URL"
    elif "retry-after" in headers:
        patience = f"it asks for patience: {headers['retry-after'][:SHOWN_HEADER]!r}"
        hint = f"{hint}; {patience}" if hint else patience
    return f"HTTP {status} ({hint})" if hint else f"HTTP {status}"
