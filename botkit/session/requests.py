"""Requests on their way from a session to its connector."""

from __future__ import annotations

import trio

from botkit.interfaces import Request


class RequestQueue:
    """A queue with one taker, as an asynchronous iterator; a twentieth of a memory channel.

    Whoever puts a request waits for its outcome, so the queue is as short as there are tasks that
    give commands at once, and needs no bound.
    """

    __slots__ = ("_closed", "_taker", "_waiting")

    def __init__(self) -> None:
        self._waiting: list[Request] = []
        self._closed = False
        self._taker: trio.lowlevel.Task | None = None

    @property
    def is_closed(self) -> bool:
        """Nobody takes requests any more."""
        return self._closed

    def put(self, request: Request) -> None:
        """Add a request; never waits."""
        self._waiting.append(request)
        self._wake()

    def withdraw(self, number: int) -> bool:
        """Take a request back; False if it was taken already."""
        before = len(self._waiting)
        self._waiting = [request for request in self._waiting if request.number != number]
        return len(self._waiting) < before

    def close(self) -> None:
        """Let the iteration end once the queue is empty."""
        self._closed = True
        self._wake()

    def __aiter__(self) -> RequestQueue:
        return self

    async def __anext__(self) -> Request:
        if self._waiting:
            await trio.lowlevel.checkpoint()
        while not self._waiting:
            if self._closed:
                raise StopAsyncIteration
            self._taker = trio.lowlevel.current_task()
            await trio.lowlevel.wait_task_rescheduled(self._give_up)
        return self._waiting.pop(0)

    def _wake(self) -> None:
        if self._taker is not None:
            taker, self._taker = self._taker, None
            trio.lowlevel.reschedule(taker)

    def _give_up(self, _: object) -> trio.lowlevel.Abort:
        self._taker = None
        return trio.lowlevel.Abort.SUCCEEDED
