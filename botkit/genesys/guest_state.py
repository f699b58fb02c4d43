"""What is kept of a web messaging chat so that it can be won back. Pure.

The token is the whole identity of a guest: whoever has it can resume the conversation. So it is in
the state and nowhere else; the chat goes by a name that is made of it.

Which messages were seen is known by their ids, of the last :data:`REMEMBERED`; everything older
than those counts as seen. That the history names a message as the WebSocket did is inferred.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from botkit.errors import StateError
from botkit.masking import without_password

REMEMBERED = 200
NO_TEXTS: Mapping[str, str] = MappingProxyType({})


def name_of(token: str) -> str:
    """Name the chat of a token, so that nobody can tell the token from it."""
    return f"guest-{hashlib.sha256(token.encode()).hexdigest()[:16]}"


class SeenMessages:
    """Remembers the messages of one chat by id and stamp."""

    __slots__ = ("_floor", "_forget_at", "_latest", "_stamps")

    def __init__(
        self, stamps: Mapping[str, float] = MappingProxyType({}), *, floor: float = 0.0
    ) -> None:
        self._stamps = dict(stamps)
        self._floor = floor
        self._forget_at = 2 * REMEMBERED
        self._latest = max(self._stamps.values(), default=floor)

    @property
    def stamps(self) -> tuple[tuple[str, float], ...]:
        """What is remembered."""
        return tuple(self._stamps.items())

    @property
    def floor(self) -> float:
        """Everything up to this stamp counts as seen."""
        return self._floor

    def __contains__(self, message: tuple[str, float | None]) -> bool:
        id, stamp = message
        if not id:
            return stamp is not None and stamp <= self._latest
        return id in self._stamps or (stamp is not None and stamp <= self._floor)

    def add(self, id: str, stamp: float | None) -> None:
        """Remember a message; one without a stamp counts as the latest."""
        stamp = self._latest if stamp is None else stamp
        self._latest = max(self._latest, stamp)
        if not id:
            return
        self._stamps[id] = stamp
        if len(self._stamps) >= self._forget_at:
            self._forget()

    def _forget(self) -> None:
        newest = sorted(self._stamps.items(), key=lambda pair: pair[1])
        oldest = newest[-REMEMBERED][1]
        # What has the same stamp stays: more may come of that moment, which must not count as seen.
        forgotten = [pair for pair in newest[:-REMEMBERED] if pair[1] < oldest]
        if forgotten:
            self._floor = max(self._floor, forgotten[-1][1])
            self._stamps = dict(newest[len(forgotten) :])
        self._forget_at = 2 * max(len(self._stamps), REMEMBERED)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestState:
    """One chat as it stood.

    Attributes:
        seen: ids of messages with their stamps.
        floor: messages up to this stamp were seen as well.
        attributes: the custom attributes that were set.
        refresh_token: of an authenticated session; empty for guests.
    """

    token: str
    seen: tuple[tuple[str, float], ...] = ()
    floor: float = 0.0
    nickname: str = ""
    attributes: Mapping[str, str] = field(default_factory=lambda: NO_TEXTS)
    refresh_token: str = ""

    @property
    def session_id(self) -> str:
        """The chat's name."""
        return name_of(self.token)

    def as_json(self, *, connector: str, server: str, service: str) -> dict[str, Any]:
        """Write it down, with where it belongs."""
        return {
            "connector": connector,
            "server": server,
            "service": service,
            "session_id": self.session_id,
            "token": self.token,
            "seen": dict(self.seen),
            "floor": self.floor,
            "nickname": self.nickname,
            "attributes": dict(self.attributes),
            "refresh_token": self.refresh_token,
        }


def read_state(raw: Mapping[str, Any], *, connector: str, server: str, service: str) -> GuestState:
    """Read what :meth:`GuestState.as_json` wrote.

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
        return GuestState(
            token=_text(raw, "token", required=True),
            seen=tuple((str(id), float(stamp)) for id, stamp in raw.get("seen", {}).items()),
            floor=float(raw.get("floor", 0.0)),
            nickname=_text(raw, "nickname"),
            attributes={str(key): str(value) for key, value in raw.get("attributes", {}).items()},
            refresh_token=_text(raw, "refresh_token"),
        )
    except (TypeError, ValueError, AttributeError) as error:
        raise StateError(f"the stored chat cannot be read: {error}") from error


def _text(raw: Mapping[str, Any], key: str, *, required: bool = False) -> str:
    value = raw.get(key) or ""
    if not isinstance(value, str) or (required and not value):
        raise ValueError(f"{key} is missing or is no text")
    return value
