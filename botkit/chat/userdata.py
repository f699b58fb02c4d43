"""The user data that one session may see.

A client reads only the keys that it set itself, or that were attached for it by the server: a
filtered view of the attached data, never all of it.

Source: Chat Service JS API, user data visibility; GMS Chat API v2 has no request to read or to
delete user data, so the view is built from what was set and what events brought.
"""

from __future__ import annotations

from collections.abc import Mapping


class UserdataView:
    """The keys and values that this session may see; values are strings."""

    __slots__ = ("_values",)

    def __init__(self) -> None:
        self._values: dict[str, str] = {}

    def merge(self, values: Mapping[str, str]) -> dict[str, str]:
        """Take new values in.

        Returns:
            Those that were new or different; empty if nothing changed.
        """
        known = self._values
        changes = {key: value for key, value in values.items() if known.get(key) != value}
        known.update(changes)
        return changes

    def forget(self, key: str) -> bool:
        """Drop a key; False if it was not there."""
        return self._values.pop(key, None) is not None

    def get(self, key: str) -> str | None:
        """Look one key up; None if this session does not see it."""
        return self._values.get(key)

    def snapshot(self) -> dict[str, str]:
        """Give all that is visible, as a copy."""
        return dict(self._values)
