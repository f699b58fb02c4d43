"""Waiting for something to hold, in tasks that change it for each other."""

from __future__ import annotations

from collections.abc import Callable

import trio

__all__ = ["Waiting"]


class Waiting:
    """Lets tasks wait for conditions; whoever changes anything that they ask for wakes them."""

    __slots__ = ("_lot",)

    def __init__(self) -> None:
        self._lot = trio.lowlevel.ParkingLot()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; it is asked again at every :meth:`wake`."""
        while not holds():
            await self._lot.park()

    def wake(self) -> None:
        """Let everybody ask again."""
        if self._lot:
            self._lot.unpark_all()
