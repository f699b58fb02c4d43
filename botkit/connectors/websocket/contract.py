"""What a connector asks of a WebSocket, whoever carries it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from botkit.connectors.http.contract import StoredCookie

__all__ = ["CookieJar", "WebSocket"]


class WebSocket(Protocol):
    """A WebSocket that is open: whole text messages, one way and the other.

    There are no time limits inside; the caller's cancel scope is the limit. ``receive`` is for one
    task at a time and may be cancelled without loss; ``send`` is for any. A send that is cancelled
    in the middle of its frame takes the socket with it.
    """

    @property
    def close_code(self) -> int | None:
        """What the server gave as the reason of closing; 1005 if it gave none, None if it said
        nothing at all."""
        ...

    @property
    def close_reason(self) -> str:
        """The words that came with ``close_code``."""
        ...

    async def send(self, text: str) -> None:
        """Send one message; gives way to other tasks only if the network takes no more.

        Raises:
            ConnectorError: the socket is closed or lost.
            LocalProtocolError: the text cannot be written in UTF-8, or this side has closed.
        """
        ...

    async def receive(self) -> str:
        """Wait for the next message, whole; pings are answered meanwhile.

        Raises:
            ConnectorError: the socket is closed or lost.
            RemoteProtocolError: what came is no WebSocket, no text, or larger than allowed.
            LocalProtocolError: this side has closed.
        """
        ...

    async def aclose(self) -> None:
        """Say that it is over, wait a little for the server to say so too, and close."""
        ...


class CookieJar(Protocol):
    """The cookies of a chat; its ``Http`` is one."""

    def cookies(self) -> tuple[StoredCookie, ...]:
        """The cookies held now."""
        ...

    def add_cookies(self, cookies: Iterable[StoredCookie]) -> None:
        """Take cookies, in place of those of the same name, domain and path."""
        ...
