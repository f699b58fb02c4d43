"""Requests on their way from a session to its connector."""

from __future__ import annotations

import trio

from botkit.interfaces import Request
from botkit.wakeup import Wakeup


class RequestQueue:
    """A queue with one taker, as an asynchronous iterator; a twentieth of a memory channel.

    Whoever puts a request waits for its outcome, so the queue is as short as there are tasks that
    give commands at once, and needs no bound.
    """

    __slots__ = ("_closed", "_taker", "_waiting")

    def __init__(self) -> None:
        self._waiting: list[Request] = []
        self._closed = False
        self._taker = Wakeup()

    @property
    def is_closed(self) -> bool:
        """Nobody takes requests any more."""
        return self._closed

    def put(self, request: Request) -> None:
        """Add a request; never waits."""
        self._waiting.append(request)
        self._taker.wake()

    def withdraw(self, number: int) -> bool:
        """Take a request back; False if it was taken already."""
        before = len(self._waiting)
        self._waiting = [request for request in self._waiting if request.number != number]
        return len(self._waiting) < before

    def close(self) -> None:
        """Let the iteration end once the queue is empty."""
        self._closed = True
        self._taker.wake()

    def __aiter__(self) -> RequestQueue:
        return self

    async def __anext__(self) -> Request:
        if self._waiting:
            await trio.lowlevel.checkpoint()
        while not self._waiting:
            if self._closed:
                raise StopAsyncIteration
            await self._taker.wait()
        return self._waiting.pop(0)
