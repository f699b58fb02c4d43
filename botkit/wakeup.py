"""One task sleeps until another wakes it."""

from __future__ import annotations

import trio

__all__ = ["Wakeup"]


class Wakeup:
    """Lets one task sleep, and others wake it.

    Each chat has several of these, and each message goes through most of them: a
    ``trio.lowlevel.ParkingLot``, which any number of tasks may wait in, takes five times the memory
    and twice the time.
    """

    __slots__ = ("_sleeper",)

    def __init__(self) -> None:
        self._sleeper: trio.lowlevel.Task | None = None

    async def wait(self) -> None:
        """Sleep until the next :meth:`wake`; one task at a time."""
        if self._sleeper is not None:
            raise RuntimeError("another task sleeps here already")
        self._sleeper = trio.lowlevel.current_task()
        await trio.lowlevel.wait_task_rescheduled(self._give_up)

    def wake(self) -> None:
        """Wake whoever sleeps; nothing if nobody does, and it is not remembered."""
        sleeper, self._sleeper = self._sleeper, None
        if sleeper is not None:
            trio.lowlevel.reschedule(sleeper)

    def _give_up(self, _: object) -> trio.lowlevel.Abort:
        self._sleeper = None
        return trio.lowlevel.Abort.SUCCEEDED
