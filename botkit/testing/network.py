"""A network in memory, between a client and a handler of requests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import trio

from botkit.simulator.http import Handler, Reply
from botkit.simulator.http import Request as HttpRequest
from botkit.simulator.in_memory import MemorySocket
from botkit.simulator.upgrade import shake_hands
from botkit.simulator.websocket import Serve

__all__ = ["MemoryNetwork"]


class MemoryNetwork(httpx.AsyncBaseTransport):
    """A network with one server at its end, on any clock; to be given as ``Opening.transport``.

    Requests are answered in the task that makes them: a poll is held there, and who is cancelled
    is, for the server, a client that has gone. A request may become a WebSocket, whose stream
    comes as the extension ``network_stream`` of the response.

    Args:
        handler: answers requests, such as ``Simulator.handle``.
        latency: how long a request takes to the server and a reply from it, seconds.

    Attributes:
        exchanges: how many exchanges were begun.
    """

    def __init__(self, handler: Handler, *, latency: float = 0.0) -> None:
        self.exchanges = 0
        self._handler = handler
        self._latency = latency
        self._unreachable: OSError | None = None
        self._under_way: set[trio.CancelScope] = set()
        self._sockets: set[MemorySocket] = set()

    @property
    def under_way(self) -> int:
        """How many exchanges were begun and have not ended; an open WebSocket is one."""
        return len(self._under_way) + len(self._sockets)

    def cut(self, reason: OSError) -> None:
        """Cut all connections, and let none be made, for this reason, until :meth:`mend`."""
        self._unreachable = reason
        for scope in self._under_way:
            scope.cancel()
        for socket in tuple(self._sockets):
            socket.cut()

    def mend(self) -> None:
        """Let connections be made again."""
        self._unreachable = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one exchange; the body of the reply is still to come."""
        self.exchanges += 1
        scope = trio.CancelScope()
        self._under_way.add(scope)
        try:
            with scope:
                return await self._exchange(request)
        finally:
            self._under_way.discard(scope)
        raise httpx.ReadError("the network was cut")

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        if self._unreachable is not None:
            await trio.lowlevel.checkpoint()
            raise httpx.ConnectError(str(self._unreachable)) from self._unreachable
        await trio.sleep(self._latency)
        asked = HttpRequest(
            method=request.method,
            path=request.url.path,
            query=request.url.query.decode(),
            headers=dict(request.headers),
            body=await request.aread(),
            peer="memory",
        )
        reply = await self._handler(asked)
        await trio.sleep(self._latency)
        if reply.abort:
            raise httpx.ReadError("the connection was cut")
        if reply.upgrade is not None:
            reply = shake_hands(asked, reply)
        if reply.upgrade is not None:
            return self._upgraded(reply, reply.upgrade)
        return httpx.Response(reply.status, headers=list(reply.headers), stream=Body(reply))

    def _upgraded(self, reply: Reply, serve: Serve) -> httpx.Response:
        socket = MemorySocket(latency=self._latency, on_close=self._sockets.discard)
        self._sockets.add(socket)
        socket.serve(serve)
        return httpx.Response(
            reply.status, headers=list(reply.headers), extensions={"network_stream": socket}
        )


class Body(httpx.AsyncByteStream):
    """The body of a reply, as slow and as broken as the reply says."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    async def __aiter__(self) -> AsyncIterator[bytes]:
        body, cut, drip = self._reply.body, self._reply.truncate_to, self._reply.drip
        if drip is not None:
            await trio.sleep(len(body) / drip)
        yield body[:cut]
        if cut is not None:
            raise httpx.ReadError("the connection was cut in the middle of a reply")
