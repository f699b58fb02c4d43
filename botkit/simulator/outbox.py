"""What is to be sent on one WebSocket, in order, by a task of its own."""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass

import trio

from botkit.simulator.websocket import ServerSocket

__all__ = ["Outbox"]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Closing:
    """The end of what is sent."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Text:
    """A frame to be sent, after a wait."""

    text: str
    wait: float = 0.0


class Outbox:
    """Takes what is to be sent without waiting, and sends it.

    Args:
        max_waiting: frames that may wait; who does not read for so long is cut off.
    """

    __slots__ = ("_is_cut", "_max_waiting", "_queue", "_socket", "_writable", "is_open")

    def __init__(self, *, max_waiting: int = 10_000) -> None:
        self.is_open = True
        self._max_waiting = max_waiting
        self._queue: deque[Text | Closing] = deque()
        self._writable = trio.lowlevel.ParkingLot()
        self._socket: ServerSocket | None = None
        self._is_cut = False

    def write(self, text: str, *, wait: float = 0.0) -> None:
        """Send a frame behind all others, after so many seconds."""
        if not self.is_open:
            return
        self._put(Text(text, wait))
        if len(self._queue) > self._max_waiting:
            log.warning("a client does not read; its socket is cut")
            self.cut()

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the socket behind all frames."""
        if self.is_open:
            self.is_open = False
            self._put(Closing(code, reason))

    def cut(self) -> None:
        """Cut the connection, even in the middle of a frame; what waits is lost."""
        self.is_open = False
        self._is_cut = True
        self._queue.clear()
        if self._socket is not None:
            self._socket.abort()

    def _put(self, item: Text | Closing) -> None:
        self._queue.append(item)
        self._writable.unpark()

    async def send_all(self, socket: ServerSocket) -> None:
        """Send until the socket is closed from this side; one who is cut is cancelled.

        Raises:
            SocketClosed: it was closed from the other.
        """
        self._socket = socket
        if self._is_cut:
            socket.abort()
        while True:
            while not self._queue:
                await self._writable.park()
            item = self._queue.popleft()
            if isinstance(item, Text):
                await trio.sleep(item.wait)
                await socket.send(item.text)
            else:
                await socket.close(item.code, item.reason)
                return
