"""What becomes of commands: waiting for it, and whose fault it is."""

from __future__ import annotations

import time

import trio

from botkit.chat import Command
from botkit.errors import BotkitError, ChatError, ConnectorError, SessionClosed
from botkit.interfaces import Outcome
from botkit.results import Reason, Verdict


def utc_now() -> float:
    """Give the time of day, epoch seconds: for stamps alone, never for durations."""
    return time.time()  # noqa: TID251 - the one function that stamps


def verdict_of(error: BotkitError) -> tuple[Verdict, Reason]:
    """Say whose fault a failed command is."""
    match error:
        case ChatError():
            return Verdict.FAILED, Reason.CHAT_ERROR
        case ConnectorError():
            return Verdict.FAILED, Reason.LOST
        case SessionClosed():
            return Verdict.FAILED, Reason.CHAT_ENDED
        case _:
            return Verdict.ERROR, Reason.BOT


class Pending:
    """A request whose outcome is awaited."""

    __slots__ = ("command", "done", "outcome")

    def __init__(self, command: Command) -> None:
        self.command = command
        self.done = trio.Event()
        self.outcome: Outcome | None = None
