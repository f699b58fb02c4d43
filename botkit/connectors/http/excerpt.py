"""What an error shows of a reply that is not what it should be."""

from __future__ import annotations

__all__ = ["shown"]

SHOWN = 80
"""Characters of a body that an error shows."""


def shown(body: bytes) -> str:
    """Show the beginning of a body."""
    text = " ".join(body[: SHOWN * 4].decode("utf-8", "replace").split())
    return repr(text[:SHOWN] + ("..." if len(text) > SHOWN else ""))
