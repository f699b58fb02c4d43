"""The custom attributes of a web messaging session: what a guest tells about itself. Pure.

They travel with a message or with the Join, and cannot be read back; so what was set is remembered
here, and sent again when it has changed.

Source: official Kotlin SDK, ``CustomAttributesStore``.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from botkit.errors import ChatError

NOTHING: Mapping[str, str] = MappingProxyType({})
TOO_LARGE = 4013


class GuestAttributes:
    """What is set, and whether the service has it.

    Attributes:
        values: what is set.
        limit: bytes of all keys and values; None until the service told.
    """

    __slots__ = ("_known", "limit", "values")

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values
        self.limit: int | None = None
        self._known: Mapping[str, str] = NOTHING

    @property
    def to_send(self) -> Mapping[str, str]:
        """What has to travel with the next message; empty if the service has it all."""
        return NOTHING if self.values == self._known else self.values

    def update(self, values: Mapping[str, str]) -> None:
        """Set some more.

        Raises:
            ChatError: they would be too large; nothing has changed then.
        """
        changed = {**self.values, **values}
        self._refuse_too_large(changed)
        self.values = changed

    def check(self) -> None:
        """Refuse what is too large.

        Raises:
            ChatError: with the code that the service has for it.
        """
        self._refuse_too_large(self.values)

    def arrived(self, values: Mapping[str, str]) -> None:
        """Take note that the service has these."""
        if values:
            self._known = values

    def refused(self) -> None:
        """Take note that the service does not want these: they are lost, and not sent again."""
        self._known = self.values

    def _refuse_too_large(self, values: Mapping[str, str]) -> None:
        size = sum(len(text.encode()) for pair in values.items() for text in pair)
        if self.limit is not None and size > self.limit:
            raise ChatError(
                TOO_LARGE,
                f"the custom attributes have {size} bytes; the service takes {self.limit}",
            )
