"""What becomes of commands: waiting for it, and whose fault it is."""

from __future__ import annotations

import time

import trio

from botkit.chat import Command
from botkit.interfaces import Outcome
from botkit.wakeup import Wakeup


def utc_now() -> float:
    """Give the time of day, epoch seconds: for stamps alone, never for durations."""
    return time.time()  # noqa: TID251 - the one function that stamps


class Pending:
    """A request whose outcome is awaited, by the task that made it."""

    __slots__ = ("_settled", "command", "outcome")

    def __init__(self, command: Command) -> None:
        self.command = command
        self.outcome: Outcome | None = None
        self._settled = Wakeup()

    def settle(self, outcome: Outcome) -> None:
        """Tell the outcome."""
        self.outcome = outcome
        self._settled.wake()

    async def wait(self) -> Outcome:
        """Wait for the outcome."""
        if self.outcome is not None:
            await trio.lowlevel.checkpoint()
        while self.outcome is None:
            await self._settled.wait()
        return self.outcome
