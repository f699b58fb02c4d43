"""How a state is written down, and what may be written over it.

::

    {"botkit_state": 1, "saved_at": 1753000000.0, "state": {...}}

``botkit_state`` is the version of the envelope, ``saved_at`` the time of day in epoch seconds. An
empty state stands for a chat that is over. No error tells what a state contains: it holds the key
to a chat.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NoReturn

from botkit.errors import LocalProtocolError, StateError
from botkit.masking import shortened, without_password

VERSION = 1
MAX_BYTES = 1_000_000
MAX_SHOWN = 200
"""Characters of what a chat belongs to."""
IDENTITY = ("connector", "server", "service")
"""What tells where a chat belongs to."""


def encode(state: Mapping[str, Any]) -> bytes:
    """Write a state down, ASCII.

    Raises:
        LocalProtocolError: JSON cannot hold it.
        StateError: it is too large.
    """
    now = datetime.now(UTC).timestamp()  # noqa: TID251 - a stamp for people
    envelope = {"botkit_state": VERSION, "saved_at": now, "state": dict(state)}
    try:
        data = json.dumps(envelope, allow_nan=False).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        raise LocalProtocolError(f"JSON cannot hold the state: {error}") from None
    if len(data) > MAX_BYTES:
        raise StateError(f"the state has {len(data):,} bytes; at most {MAX_BYTES:,} are stored")
    return data


def decode(data: bytes, place: str) -> Mapping[str, Any] | None:
    """Read what was written down; None if nothing is stored.

    Args:
        place: where it stands, for people.

    Raises:
        StateError: it is broken, of another program or of a later botkit.
    """
    if not data:
        return None
    if len(data) > MAX_BYTES:
        raise kept(place, f"is larger than {MAX_BYTES:,} bytes")
    try:
        envelope = json.loads(data, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        # Neither the text of the error nor its chain may tell what stands there.
        raise kept(place, "is broken or no state of botkit: it is no JSON") from None
    version = envelope.get("botkit_state") if isinstance(envelope, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise kept(place, "is no state of botkit")
    if version > VERSION:
        raise kept(place, f"is of a later botkit: format {version}, this one knows {VERSION}")
    state = envelope.get("state")
    if not isinstance(state, dict):
        raise kept(place, "is broken: there is no state in it")
    return state or None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def kept(place: str, what: str) -> StateError:
    """Make the error for what is stored and cannot be used."""
    return StateError(f"{place} {what}; it is kept as it is (remove it to begin anew)")


class Claim:
    """What one storage object may write over.

    It replaces the chat that it has read or written itself. Another chat may be replaced by its
    first write alone, for that is one which nobody asked to restore; and never one of another
    server, service or connector. A chat that turns up later belongs to somebody else who writes to
    the same place.

    Args:
        place: where the states are, for people.
    """

    def __init__(self, place: str) -> None:
        self._place = place
        self._session_id: object = None

    def note(self, state: Mapping[str, Any] | None) -> None:
        """Take note of what was read or written."""
        self._session_id = (state or {}).get("session_id")

    def check(self, stored: Mapping[str, Any] | None, new: Mapping[str, Any]) -> None:
        """Allow to write ``new`` over ``stored``.

        Raises:
            StateError: that would lose a chat of somebody else.
        """
        if stored is None:
            return
        for key in IDENTITY:
            if new and stored.get(key) != new.get(key):
                whose = shortened(without_password(repr(stored.get(key))), MAX_SHOWN)
                raise kept(self._place, f"holds a chat of another {key}, {whose}")
        if self._session_id is not None and stored.get("session_id") != self._session_id:
            raise kept(self._place, "holds another chat by now: somebody else writes there, too")
