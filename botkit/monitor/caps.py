"""How many chats a monitor may have at once and within an hour, over all that it watches."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import trio

HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the contact centre can bear; None is no limit.

    Attributes:
        chats: at once.
        chats_per_hour: within any 60 minutes.
    """

    chats: int | None = None
    chats_per_hour: int | None = None


class Caps:
    """Lets chats begin, first come, first served, as the limits allow.

    Args:
        limits: may be changed at any time.
        began: how many seconds ago chats began that count, though this object knows nothing of
            them: those of the process before.
    """

    def __init__(self, limits: Limits, began: Iterable[float] = ()) -> None:
        self.limits = limits
        now = trio.current_time()
        self._began = deque(sorted(now - ago for ago in began if ago < HOUR))
        self._open = 0
        self._turn = trio.Lock()
        self._left = trio.Event()

    @property
    def open(self) -> int:
        """Chats that are going on."""
        return self._open

    @asynccontextmanager
    async def chat(self) -> AsyncIterator[None]:
        """Wait until a chat may begin; it is over when the block is left."""
        async with self._turn:
            await self._wait_for_hour()
            await self._wait_for_seat()
            self._open += 1
            if self.limits.chats_per_hour is not None:
                self._began.append(trio.current_time())
        try:
            yield
        finally:
            self._open -= 1
            self._left.set()
            self._left = trio.Event()

    async def _wait_for_hour(self) -> None:
        while (limit := self.limits.chats_per_hour) is not None:
            now = trio.current_time()
            while self._began and self._began[0] <= now - HOUR:
                self._began.popleft()
            if len(self._began) < limit:
                return
            await trio.sleep_until(self._began[-limit] + HOUR)

    async def _wait_for_seat(self) -> None:
        while self.limits.chats is not None and self._open >= self.limits.chats:
            await self._left.wait()
