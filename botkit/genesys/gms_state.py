"""What is kept of a GMS chat so that it can be won back, by this process or by another one. Pure.

The same record serves both wires of the GMS Chat API. What a connector keeps beside it (cookies,
say) travels under keys of its own.

Source: GMS Chat API v2, restore: ``secureKey``, ``chatId``, ``userId``, ``alias`` and the position
identify a chat; the flow is inferred.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from botkit.errors import StateError
from botkit.masking import shortened_repr, without_password

NO_TEXTS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class GmsState:
    """One chat as it stood.

    Attributes:
        position: every transcript index up to this one was seen.
        beyond: indexes above it that were seen, too, where the service's numbering has holes.
        own_id: the customer's participant id.
    """

    session_id: str
    secure_key: str
    user_id: str = ""
    alias: str = ""
    position: int = 0
    beyond: tuple[int, ...] = ()
    own_id: str | None = None
    nickname: str = ""
    userdata: Mapping[str, str] = field(default_factory=lambda: NO_TEXTS)

    def was_seen(self, index: int) -> bool:
        """Tell whether an index is history."""
        return index <= self.position or index in self.beyond

    def as_json(self, *, connector: str, server: str, service: str) -> dict[str, Any]:
        """Write it down, with where it belongs."""
        return {
            "connector": connector,
            "server": server,
            "service": service,
            "session_id": self.session_id,
            "secure_key": self.secure_key,
            "user_id": self.user_id,
            "alias": self.alias,
            "position": self.position,
            "beyond": list(self.beyond),
            "own_id": self.own_id,
            "nickname": self.nickname,
            "userdata": dict(self.userdata),
        }


def read_state(raw: Mapping[str, Any], *, connector: str, server: str, service: str) -> GmsState:
    """Read what :meth:`GmsState.as_json` wrote.

    Raises:
        StateError: it belongs to another connector, server or service, or it is incomplete.
    """
    here = {"connector": connector, "server": server, "service": service}
    for key, value in here.items():
        if raw.get(key) != value:
            raise StateError(
                f"the stored chat belongs to the {key} {without_password(repr(raw.get(key)))},"
                f" not to {without_password(repr(value))}"
            )
    try:
        return GmsState(
            session_id=_text(raw, "session_id"),
            secure_key=_text(raw, "secure_key", required=True),
            user_id=_text(raw, "user_id"),
            alias=_text(raw, "alias"),
            position=_number(raw.get("position", 0)),
            beyond=tuple(map(_number, raw.get("beyond", ()))),
            own_id=_text(raw, "own_id") or None,
            nickname=_text(raw, "nickname"),
            userdata={str(key): str(value) for key, value in raw.get("userdata", {}).items()},
        )
    except (TypeError, ValueError, AttributeError) as error:
        raise StateError(f"the stored chat cannot be read: {error}") from error


def _text(raw: Mapping[str, Any], key: str, *, required: bool = False) -> str:
    value = raw.get(key) or ""
    if not isinstance(value, str) or (required and not value):
        raise ValueError(f"{key} is missing or is no text")
    return value


def _number(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"{shortened_repr(value, 40)} is no position")
    return value
