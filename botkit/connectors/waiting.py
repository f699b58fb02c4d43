"""Waiting for something to hold, in tasks that change it for each other."""

from __future__ import annotations

from collections.abc import Callable

import trio

__all__ = ["Waiting"]


class Waiting:
    """Lets tasks wait for conditions; whoever changes anything that they ask for wakes them."""

    __slots__ = ("_lot",)

    def __init__(self) -> None:
        # Nobody waits most of the time, and every chat has one of these.
        self._lot: trio.lowlevel.ParkingLot | None = None

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; it is asked again at every :meth:`wake`."""
        while not holds():
            self._lot = self._lot or trio.lowlevel.ParkingLot()
            await self._lot.park()

    def wake(self) -> None:
        """Let everybody ask again."""
        lot, self._lot = self._lot, None
        if lot is not None:
            lot.unpark_all()
