"""An HTTP/1.1 loop for trio streams, as lean as the client side of a load test needs it.

Theory of operation. Two tasks share a connection. The *reader* reads all the time, also while a
reply is awaited, and so learns at once that the client has gone; requests that come early wait in
a queue. The *answerer* takes them one by one, calls the handler and sends its reply. The end of
the stream cancels a handler that waits, but whatever arrived whole still reaches the handler, as
it would with any other server: a client that posts a message and dies has posted a message.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from functools import partial
from http import HTTPStatus
from typing import Any

import trio

from botkit.simulator.http import Handler, Reply
from botkit.simulator.requests import Incoming, Limits, Refusal, RequestReader, Signal
from botkit.simulator.upgrade import shake_hands
from botkit.simulator.websocket import Serve

__all__ = ["Limits", "serve_http", "serve_stream"]

logger = logging.getLogger(__name__)

RECEIVE_SIZE = 16 * 1024
# Requests that came before the earlier ones were answered; no more is read.
QUEUE_LIMIT = 100
# A refused client may still be sending; an instant close would take the refusal from under it.
LINGER = 1.0
# A slow reply is sent in pieces of this many seconds, or byte by byte if that is slower.
DRIP_INTERVAL = 0.05
NO_BODY = frozenset({101, 204, 304})
STATUS_LINES = {s.value: f"HTTP/1.1 {s.value} {s.phrase}\r\n" for s in HTTPStatus}
Gone = (trio.BrokenResourceError, trio.ClosedResourceError)


async def serve_http(
    handler: Handler,
    listeners: Sequence[trio.abc.Listener[Any]],
    *,
    limits: Limits | None = None,
    task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
) -> None:
    """Serve until cancelled; then every connection and listener is closed.

    Args:
        handler: may wait as long as it likes; see its type for when it is cancelled.
        listeners: such as ``trio.open_tcp_listeners`` makes; they are closed in the end.
    """
    serve = partial(serve_stream, handler, limits=limits)
    async with trio.open_nursery() as nursery:
        await nursery.start(trio.serve_listeners, serve, list(listeners))
        task_status.started()


async def serve_stream(
    handler: Handler, stream: trio.abc.Stream, *, limits: Limits | None = None
) -> None:
    """Serve one connection until its end, and close it."""
    connection = Connection(handler, stream, limits or Limits())
    try:
        await connection.serve()
    finally:
        connection.release()
        await trio.aclose_forcefully(stream)


class Connection:
    """One connection: the queue of what came, and the two tasks at its ends."""

    __slots__ = (
        "_arrival",
        "_ended",
        "_handler",
        "_handling",
        "_limits",
        "_queue",
        "_read_over",
        "_reader",
        "_reading",
        "_room",
        "_stream",
        "_waiting",
        "peer",
    )

    def __init__(self, handler: Handler, stream: trio.abc.Stream, limits: Limits) -> None:
        self.peer = peer_name(stream)
        self._handler = handler
        self._stream = stream
        self._limits = limits
        self._reader = RequestReader(self._enqueue, peer=self.peer, limits=limits)
        self._queue: deque[Incoming | Refusal | Signal] = deque()
        self._waiting = 0  # bytes in the queue
        self._arrival = trio.lowlevel.ParkingLot()
        self._room = trio.lowlevel.ParkingLot()
        self._handling: trio.CancelScope | None = None
        self._reading = trio.CancelScope()
        self._read_over = trio.Event()
        self._ended = False

    async def serve(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._read)
            await self._answer()
            nursery.cancel_scope.cancel()

    def release(self) -> None:
        """Break the circle of references, so that no garbage collector is needed."""
        self._reader.release()

    def _enqueue(self, item: Incoming | Refusal | Signal) -> None:
        self._queue.append(item)
        if isinstance(item, Incoming):
            self._waiting += len(item.request.body)
        self._arrival.unpark()

    # --- the reader -------------------------------------------------------------------------------

    async def _read(self) -> None:
        try:
            with self._reading:
                await self._read_on()
        finally:
            self._read_over.set()
        if self._reading.cancelled_caught:
            return  # the connection has become something else
        self._ended = True
        self._arrival.unpark()
        if self._handling is not None:
            self._handling.cancel()

    async def _read_on(self) -> None:
        try:
            while data := await self._stream.receive_some(RECEIVE_SIZE):
                self._reader.receive(data)
                while self._is_full():
                    await self._room.park()
        except Gone as error:
            logger.debug("%s has gone: %s", self.peer, error)

    def _is_full(self) -> bool:
        waiting = self._waiting + self._reader.held
        return waiting > self._limits.waiting or len(self._queue) > QUEUE_LIMIT

    # --- the answerer -----------------------------------------------------------------------------

    async def _answer(self) -> None:
        alive = True
        while alive and (item := await self._next_item()) is not None:
            try:
                alive = await self._answer_item(item)
            except Gone as error:
                # What is left in the queue is still handled.
                logger.debug("%s has gone: %s", self.peer, error)
                self._ended = True

    async def _answer_item(self, item: Incoming | Refusal | Signal) -> bool:
        """Do what an item asks for; whether the connection lives on."""
        if isinstance(item, Incoming):
            return await self._answer_request(item)
        if isinstance(item, Refusal):
            await send_reply(self._stream, item.reply, with_body=True, close=True)
            await self._linger()
            return False
        await self._stream.send_all(b"HTTP/1.1 100 Continue\r\n\r\n")
        return True

    async def _next_item(self) -> Incoming | Refusal | Signal | None:
        while not self._queue:
            if self._ended:
                return None
            await self._arrival.park()
        item = self._queue.popleft()
        if isinstance(item, Incoming):
            self._waiting -= len(item.request.body)
        self._room.unpark()
        return item

    async def _answer_request(self, incoming: Incoming) -> bool:
        reply: Reply | None = None
        with trio.CancelScope() as self._handling:
            if self._ended:
                self._handling.cancel()
            reply = await self._handle(incoming)
        self._handling = None
        if reply is None:
            return True  # the client has gone; the queue ends by itself
        if reply.abort:
            return False
        if reply.upgrade is not None:
            reply = shake_hands(incoming.request, reply)
            if reply.upgrade is not None:
                await self._become_socket(reply, reply.upgrade)
                return False
        if incoming.holds:
            self._reader.resume()
            self._room.unpark()
        close = reply.close or reply.truncate_to is not None or not incoming.keep_alive
        with_body = incoming.request.method != "HEAD"
        await send_reply(self._stream, reply, with_body=with_body, close=close)
        return not close

    async def _become_socket(self, reply: Reply, serve: Serve) -> None:
        """Hand the connection over, with whatever has come for its new use."""
        from botkit.simulator.frames import serve_socket

        self._reading.cancel()
        await self._read_over.wait()
        received = self._reader.switch()
        await send_reply(self._stream, reply, with_body=False, close=False)
        await serve_socket(serve, self._stream, limit=self._limits.body, received=received)

    async def _handle(self, incoming: Incoming) -> Reply:
        try:
            return await self._handler(incoming.request)
        except Exception:
            # The boundary between server and application: one broken answer must not take the
            # other clients' connections down with it.
            logger.exception("the handler failed on %s", incoming.request.path)
            return Reply(status=500, body=b"the handler failed")

    async def _linger(self) -> None:
        """Wait, a little, until the client has read the refusal and closed."""
        if isinstance(self._stream, trio.abc.HalfCloseableStream):
            await self._stream.send_eof()
        with trio.move_on_after(LINGER):
            while not self._ended:
                await self._arrival.park()


async def send_reply(
    stream: trio.abc.Stream, reply: Reply, *, with_body: bool, close: bool
) -> None:
    head, body = head_of(reply, close=close), reply.body
    if not with_body or reply.status in NO_BODY:
        body = b""
    elif reply.truncate_to is not None:
        body = body[: reply.truncate_to]
    if reply.drip is None:
        await stream.send_all(head + body)
        return
    await stream.send_all(head)
    size = max(1, int(reply.drip * DRIP_INTERVAL))
    for start in range(0, len(body), size):
        await trio.sleep(size / reply.drip)
        await stream.send_all(body[start : start + size])


def head_of(reply: Reply, *, close: bool) -> bytes:
    status = STATUS_LINES.get(reply.status) or f"HTTP/1.1 {reply.status} Unknown\r\n"
    lines = "".join([f"{name}: {value}\r\n" for name, value in reply.headers])
    length = "" if reply.status in NO_BODY else f"Content-Length: {len(reply.body)}\r\n"
    ending = "Connection: close\r\n\r\n" if close else "\r\n"
    return f"{status}{lines}{length}{ending}".encode("latin-1")


def peer_name(stream: trio.abc.Stream) -> str:
    if isinstance(stream, trio.SSLStream):
        stream = stream.transport_stream
    if not isinstance(stream, trio.SocketStream):
        return "memory"
    try:
        host, port, *_ = stream.socket.getpeername()
    except OSError:  # it has gone already
        return "unknown"
    return f"{host}:{port}"
