"""Keeps states in the memory of this process."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from botkit.storage.envelope import decode, encode

MAX_CHATS = 10_000


class Memory:
    """The states of many chats, by keys; the one that was not written for longest is forgotten.

    Args:
        limit: how many there may be.
    """

    def __init__(self, limit: int = MAX_CHATS) -> None:
        self._limit = limit
        self._states: OrderedDict[tuple[str, str], bytes] = OrderedDict()

    def put(self, key: tuple[str, str], data: bytes | None) -> None:
        """Keep a state; None forgets it."""
        self._states.pop(key, None)
        if data is not None:
            self._states[key] = data
        if len(self._states) > self._limit:
            self._states.popitem(last=False)

    def get(self, key: tuple[str, str]) -> bytes:
        """Give a state; empty if there is none."""
        return self._states.get(key, b"")

    def __len__(self) -> int:
        return len(self._states)


OF_THIS_PROCESS = Memory()
"""What a browser's cookies are to a page: it outlives the session, and not the process."""


class MemoryStorage:
    """Keeps the state of one chat for as long as the process lives.

    ``MemoryStorage()`` is a place of its own. With a server and a service it is the place that all
    sessions of this process with these two share: the last one that was opened is found there.

    Args:
        server: what the Chat Service calls ``serverUrl``.
        service: the service's name at the server.
    """

    blocks = False
    """Called right on the event loop, for it never waits."""

    def __init__(self, server: str | None = None, service: str = "") -> None:
        self._memory = Memory() if server is None else OF_THIS_PROCESS
        self._key = (server or "", service)

    def write(self, state: Mapping[str, Any]) -> None:
        """Keep a state; an empty one forgets what was kept.

        Raises:
            LocalProtocolError: JSON cannot hold it.
            StateError: it is too large.
        """
        self._memory.put(self._key, encode(state) if state else None)

    def read(self) -> Mapping[str, Any] | None:
        """Give what was written last; None if nothing is kept."""
        return decode(self._memory.get(self._key), "the memory")
