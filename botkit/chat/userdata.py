"""The user data that one session may see.

A client reads only the keys that it set itself, or that were attached for it by the server: a
filtered view of the attached data, never all of it.

Source: Chat Service JS API, user data visibility; GMS Chat API v2 has no request to read or to
delete user data, so the view is built from what was set and what events brought.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

NOTHING: Mapping[str, str] = MappingProxyType({})


class UserdataView:
    """The keys and values that this session may see; values are strings.

    Args:
        values: what is visible from the beginning.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, str] = NOTHING) -> None:
        # Never changed in place: several views of one chat begin with the same values.
        self._values = values

    def merge(self, values: Mapping[str, str]) -> dict[str, str]:
        """Take new values in.

        Returns:
            Those that were new or different; empty if nothing changed.
        """
        known = self._values
        changes = {key: value for key, value in values.items() if known.get(key) != value}
        if changes:
            self._values = {**known, **changes}
        return changes

    def forget(self, key: str) -> bool:
        """Drop a key; False if it was not there."""
        if key not in self._values:
            return False
        self._values = {name: value for name, value in self._values.items() if name != key}
        return True

    def get(self, key: str) -> str | None:
        """Look one key up; None if this session does not see it."""
        return self._values.get(key)

    def snapshot(self) -> Mapping[str, str]:
        """Give all that is visible now; what changes later does not show in it."""
        return self._values
