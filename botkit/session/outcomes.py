"""What becomes of commands: waiting for it, and whose fault it is."""

from __future__ import annotations

import time

import trio

from botkit.chat import Command
from botkit.interfaces import Outcome


def utc_now() -> float:
    """Give the time of day, epoch seconds: for stamps alone, never for durations."""
    return time.time()  # noqa: TID251 - the one function that stamps


class Pending:
    """A request whose outcome is awaited."""

    __slots__ = ("command", "done", "outcome")

    def __init__(self, command: Command) -> None:
        self.command = command
        self.done = trio.Event()
        self.outcome: Outcome | None = None
