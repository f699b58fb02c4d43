"""Cuts long texts so that a masker sees where they were cut."""

from __future__ import annotations

CUT = "…"
"""Marks where a text was cut off; what is hidden may have begun right before it."""


def shortened(text: str, limit: int) -> str:
    """Keep the beginning of a text, and mark that there was more."""
    return text if len(text) <= limit else f"{text[:limit]}{CUT}"


def shortened_repr(value: object, limit: int) -> str:
    """Show a value as Python spells it, cut like a text."""
    return shortened(repr(value), limit)
