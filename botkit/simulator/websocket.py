"""What a handler is given that answers with a WebSocket.

Its frames are in ``frames``, which is imported when the first socket is opened.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

from botkit.errors import BotkitError

__all__ = ["Serve", "ServerSocket", "SocketClosed"]


class SocketClosed(BotkitError):
    """The client has closed the socket or is gone.

    Args:
        code: as the client gave it; 1005 if it gave none, 1006 if it is gone without a word.
        reason: the words that came with it.
    """

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(f"the client has closed the socket: {code} {reason}".rstrip())
        self.code = code
        self.reason = reason


class ServerSocket(Protocol):
    """A WebSocket seen from the server: whole text messages; pings are answered by themselves."""

    async def receive(self) -> str:
        """Wait for the next message, in one task at a time.

        Raises:
            SocketClosed: there will be no more; what came before has been handed out.
        """
        ...

    async def send(self, text: str) -> None:
        """Send one message, from any task.

        Raises:
            SocketClosed: it can no longer arrive.
        """
        ...

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Close politely: say so, and wait a little for the client to say so too."""
        ...

    def abort(self) -> None:
        """Cut the connection without a word; whoever serves it is cancelled."""
        ...


Serve = Callable[[ServerSocket], Awaitable[None]]
"""Serves a socket; its end is told by its methods, and when this returns, it is closed."""
