"""What stands around the connections of a chat and hands on all that it does not change."""

from __future__ import annotations

from collections.abc import Iterable

from botkit.connectors.http.contract import Http, StoredCookie
from botkit.connectors.websocket.contract import WebSocket

__all__ = ["AroundHttp", "AroundSocket"]


class AroundHttp:
    """All of an :class:`~botkit.connectors.http.contract.Http` but its ``post``."""

    __slots__ = ("_http",)

    def __init__(self, http: Http) -> None:
        self._http = http

    @property
    def url(self) -> str:
        return self._http.url

    def cookies(self) -> tuple[StoredCookie, ...]:
        return self._http.cookies()

    def add_cookies(self, cookies: Iterable[StoredCookie]) -> None:
        self._http.add_cookies(cookies)

    async def aclose(self) -> None:
        await self._http.aclose()


class AroundSocket:
    """All of a :class:`~botkit.connectors.websocket.contract.WebSocket` but its messages."""

    __slots__ = ("_socket",)

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    @property
    def close_code(self) -> int | None:
        return self._socket.close_code

    @property
    def close_reason(self) -> str:
        return self._socket.close_reason

    async def aclose(self) -> None:
        await self._socket.aclose()
