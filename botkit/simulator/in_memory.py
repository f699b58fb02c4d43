"""WebSockets between a client and a server of the same process, on any clock.

The stream that httpx hands out with a 101 is one end; at the other end the handler's part runs as
a task of the whole program, for no nursery outlives a request here.
"""

from __future__ import annotations

import logging
import math
from collections import deque
from collections.abc import Callable

import httpx
import trio

from botkit.simulator.requests import Limits
from botkit.simulator.websocket import Serve

__all__ = ["MemorySocket"]

logger = logging.getLogger(__name__)


class Line:
    """One direction: bytes arrive so many seconds after they were sent, in order."""

    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._chunks: deque[tuple[float, bytes]] = deque()
        self.is_cut = False
        self._changed = trio.lowlevel.ParkingLot()

    def put(self, data: bytes) -> None:
        """Send; no bytes at all are the end."""
        if self.is_cut:
            raise trio.BrokenResourceError("the connection was cut")
        self._chunks.append((trio.current_time() + self._latency, data))
        self._changed.unpark_all()

    async def get(self, max_bytes: int | None) -> bytes:
        """Receive what has arrived, after waiting for it; no bytes at all are the end."""
        await trio.lowlevel.checkpoint()
        while not self._is_due():
            until = self._chunks[0][0] if self._chunks else math.inf
            with trio.move_on_at(until):
                await self._changed.park()
        at, data = self._chunks[0]
        if not data:
            return b""  # and so it stays
        size = max_bytes or len(data)
        self._chunks.popleft()
        if len(data) > size:
            self._chunks.appendleft((at, data[size:]))
        return data[:size]

    def cut(self) -> None:
        """Lose what is under way; who sends or receives is told."""
        self.is_cut = True
        self._chunks.clear()
        self._changed.unpark_all()

    def _is_due(self) -> bool:
        if self.is_cut:
            raise trio.BrokenResourceError("the connection was cut")
        return bool(self._chunks) and self._chunks[0][0] <= trio.current_time()


class ServerEnd(trio.abc.Stream):
    """What the server reads and writes."""

    def __init__(self, sends: Line, receives: Line) -> None:
        self._sends = sends
        self._receives = receives

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await trio.lowlevel.checkpoint_if_cancelled()
        self._sends.put(bytes(data))
        # As with sockets: what was sent was sent, whatever was cancelled meanwhile.
        await trio.lowlevel.cancel_shielded_checkpoint()

    async def wait_send_all_might_not_block(self) -> None:
        await trio.lowlevel.checkpoint()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        return await self._receives.get(max_bytes)

    async def aclose(self) -> None:
        hang_up(self._sends)
        self._receives.cut()
        await trio.lowlevel.checkpoint()


class MemorySocket:
    """A WebSocket's stream in memory; has the methods of httpx's ``network_stream``.

    Args:
        latency: how long bytes are under way, seconds.
        on_close: called once, when the client has closed or the connection was cut.
    """

    def __init__(self, *, latency: float, on_close: Callable[[MemorySocket], None]) -> None:
        self._up = Line(latency)
        self._down = Line(latency)
        self._on_close: Callable[[MemorySocket], None] | None = on_close

    def serve(self, serve: Serve) -> None:
        """Let the server's part begin."""
        trio.lowlevel.spawn_system_task(self._serve, serve, name="a socket in memory")

    def cut(self) -> None:
        """Cut the connection; what is under way is lost."""
        self._up.cut()
        self._down.cut()
        self._close()

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Receive what is there, after waiting for it; empty at the end."""
        try:
            return await self._down.get(max_bytes)
        except trio.BrokenResourceError as error:
            raise httpx.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send it all."""
        await trio.lowlevel.checkpoint_if_cancelled()
        try:
            self._up.put(buffer)
        except trio.BrokenResourceError as error:
            raise httpx.WriteError(str(error)) from error
        await trio.lowlevel.cancel_shielded_checkpoint()

    async def aclose(self) -> None:
        """Close both directions."""
        hang_up(self._up)
        self._down.cut()
        self._close()
        await trio.lowlevel.checkpoint()

    def _close(self) -> None:
        on_close, self._on_close = self._on_close, None
        if on_close is not None:
            on_close(self)

    async def _serve(self, serve: Serve) -> None:
        from botkit.simulator.frames import serve_socket

        end = ServerEnd(self._down, self._up)
        try:
            await serve_socket(serve, end, limit=Limits().body)
        except Exception:
            # A task of the whole program would take it down, and no handler may do that.
            logger.exception("serving a socket failed")
        finally:
            await trio.aclose_forcefully(end)


def hang_up(line: Line) -> None:
    """Let the other end find the end, unless nothing reaches it any more."""
    if not line.is_cut:
        line.put(b"")
