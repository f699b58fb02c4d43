"""The requests of a chat, followed by whoever traces them.

As with what is shown (:mod:`~botkit.connectors.wiretapped`), all requests of a chat go through few
places; a chat that nobody follows has none of this in it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from botkit.connectors.around import AroundHttp, AroundSocket
from botkit.connectors.http.contract import NO_HEADERS, Http, HttpReply, Lane
from botkit.connectors.websocket.contract import WebSocket
from botkit.interfaces import Exchange, Tracer

__all__ = ["TracedHttp", "TracedSocket", "followed", "open_traced"]

SWITCHED = 101


async def followed(exchange: Exchange, work: Callable[[], Awaitable[HttpReply]]) -> HttpReply:
    """Await the reply of an exchange, and let it know what came."""
    try:
        reply = await work()
    except BaseException as error:
        exchange.broke(error)
        raise
    exchange.answered(reply.status)
    return reply


async def open_traced(
    open_socket: Callable[[Mapping[str, str]], Awaitable[WebSocket]],
    url: str,
    tracer: Tracer,
) -> WebSocket:
    """Open a WebSocket whose upgrade and messages are followed.

    Args:
        open_socket: opens it, with these headers of the upgrade besides.
        url: where it leads to.
    """
    exchange = tracer.request("GET", url)
    try:
        socket = await open_socket(exchange.headers)
    except BaseException as error:
        exchange.broke(error)
        raise
    exchange.answered(SWITCHED)
    return TracedSocket(socket, exchange)


class TracedHttp(AroundHttp):
    """The :class:`~botkit.connectors.http.contract.Http` that it is made of, followed."""

    __slots__ = ("_base", "_tracer")

    def __init__(self, http: Http, tracer: Tracer) -> None:
        super().__init__(http)
        self._tracer = tracer
        self._base = http.url.partition("?")[0]

    async def post(
        self,
        suffix: str,
        body: bytes,
        *,
        lane: Lane,
        content_type: str | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> HttpReply:
        url = self._base.rstrip("/") + suffix if suffix else self._base
        exchange = self._tracer.request("POST", url)
        more = {**headers, **exchange.headers}
        return await followed(
            exchange,
            lambda: self._http.post(
                suffix, body, lane=lane, content_type=content_type, headers=more
            ),
        )


class TracedSocket(AroundSocket):
    """The :class:`~botkit.connectors.websocket.contract.WebSocket` that it is made of, followed.

    A message has no headers, so the server knows of the upgrade alone.
    """

    __slots__ = ("_upgrade",)

    def __init__(self, socket: WebSocket, upgrade: Exchange) -> None:
        super().__init__(socket)
        self._upgrade = upgrade

    async def send(self, text: str) -> None:
        self._upgrade.frame(sent=True, size=len(text))
        await self._socket.send(text)

    async def receive(self) -> str:
        text = await self._socket.receive()
        self._upgrade.frame(sent=False, size=len(text))
        return text
