"""One WebSocket over a stream, server side.

Theory of operation. The sans-IO core of ``websockets`` does the grammar. A task of its own, the
*pump*, reads all the time, so that pings are answered and the end is noticed while the handler is
busy elsewhere; it waits when more messages lie unread than :data:`UNREAD_LIMIT`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

import trio
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import Protocol, Side, State

from botkit.errors import LocalProtocolError
from botkit.simulator.websocket import Serve, SocketClosed

__all__ = ["serve_socket"]

logger = logging.getLogger(__name__)

RECEIVE_SIZE = 16 * 1024
UNREAD_LIMIT = 100
CLOSE_LIMIT = 1.0
"""Seconds of waiting for the client to say goodbye too."""
QUIET: Final = logging.Logger("frames", logging.ERROR)
"""The core would write chat text into the log at the level of debugging."""
Gone = (trio.BrokenResourceError, trio.ClosedResourceError)


async def serve_socket(
    serve: Serve, stream: trio.abc.Stream, *, limit: int, received: bytes = b""
) -> None:
    """Serve one socket on an upgraded stream until its end; closing the stream is the caller's.

    Args:
        limit: bytes of the largest message that is taken.
        received: what came behind the request for the upgrade.
    """
    async with trio.open_nursery() as nursery:
        socket = FrameSocket(stream, limit=limit, cut=nursery.cancel_scope.cancel)
        nursery.start_soon(socket.pump, received)
        code = CloseCode.NORMAL_CLOSURE
        try:
            await serve(socket)
        except SocketClosed as closed:
            logger.debug("%s", closed)
        except Exception:
            # The boundary between server and application, as for any other request.
            logger.exception("the handler of a socket failed")
            code = CloseCode.INTERNAL_ERROR
        # Whoever closed it, the last frame has still to go.
        await socket.close(code)
        nursery.cancel_scope.cancel()


class FrameSocket:
    """The :class:`~botkit.simulator.websocket.ServerSocket` over a stream.

    Args:
        limit: bytes of the largest message that is taken.
        cut: ends everything that has to do with this connection.
    """

    def __init__(self, stream: trio.abc.Stream, *, limit: int, cut: Callable[[], None]) -> None:
        self._stream = stream
        self._cut = cut
        self._protocol = Protocol(Side.SERVER, state=State.OPEN, max_size=limit, logger=QUIET)
        self._sending = trio.Lock()
        self._messages: list[str] = []
        self._beginning = bytearray()
        self._over: SocketClosed | None = None
        self._changed = trio.lowlevel.ParkingLot()

    # --- ServerSocket ---

    async def receive(self) -> str:
        await trio.lowlevel.checkpoint_if_cancelled()
        while not self._messages:
            if self._over is not None:
                raise self._over
            await self._changed.park()
        message = self._messages.pop(0)
        self._changed.unpark_all()
        return message

    async def send(self, text: str) -> None:
        try:
            payload = text.encode()
        except UnicodeEncodeError as error:
            raise LocalProtocolError(f"the text cannot be sent: {error}") from error
        async with self._sending:
            if self._protocol.state is not State.OPEN:
                raise self._over or SocketClosed(CloseCode.ABNORMAL_CLOSURE)
            self._protocol.send_text(payload)
            await self._write_out()
        if self._over is not None:
            raise self._over

    async def close(self, code: int = 1000, reason: str = "") -> None:
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(code, reason)
        with trio.move_on_after(CLOSE_LIMIT):
            async with self._sending:
                await self._write_out()
            while self._over is None:
                await self._changed.park()
        self._end(SocketClosed(CloseCode.ABNORMAL_CLOSURE, "no goodbye came back"))

    def abort(self) -> None:
        self._end(SocketClosed(CloseCode.ABNORMAL_CLOSURE, "cut by the server"))
        self._cut()

    # --- the pump ---

    async def pump(self, received: bytes) -> None:
        """Read until the end, which may be the client's or one that this side has found."""
        data: bytes | bytearray = received
        while self._over is None:
            if data:
                self._take(data)
                await self._flush()
            while len(self._messages) > UNREAD_LIMIT and self._over is None:
                await self._changed.park()
            if self._over is None:
                try:
                    data = await self._stream.receive_some(RECEIVE_SIZE)
                except Gone:
                    data = b""
                if not data:
                    self._end(SocketClosed(CloseCode.ABNORMAL_CLOSURE))
        # The core's generators point back to it; closed, they need no garbage collector.
        self._protocol.parser.close()

    def _take(self, data: bytes | bytearray) -> None:
        self._protocol.receive_data(data)
        for frame in self._protocol.events_received():
            assert isinstance(frame, Frame)
            self._take_frame(frame)
        error = self._protocol.parser_exc
        if error is not None:
            logger.debug("a client broke the rules of WebSocket: %s", error)
            self._end(SocketClosed(CloseCode.PROTOCOL_ERROR, str(error)))
        self._changed.unpark_all()

    def _take_frame(self, frame: Frame) -> None:
        if frame.opcode in (Opcode.TEXT, Opcode.CONT):
            self._beginning += frame.data
            if frame.fin:
                self._take_text()
        elif frame.opcode is Opcode.BINARY:
            self._fail(CloseCode.UNSUPPORTED_DATA, "text is spoken here")
        elif frame.opcode is Opcode.CLOSE:
            close = self._protocol.close_rcvd
            assert close is not None
            self._end(SocketClosed(int(close.code), close.reason))

    def _take_text(self) -> None:
        whole, self._beginning = self._beginning, bytearray()
        try:
            message = whole.decode()
        except UnicodeDecodeError:
            self._fail(CloseCode.INVALID_DATA, "this is not UTF-8")
            return
        if self._over is None:
            self._messages.append(message)

    # --- what goes ---

    async def _flush(self) -> None:
        """Send what stands in line, unless whoever is sending takes it along."""
        if self._protocol.writes and not self._sending.locked():
            async with self._sending:
                await self._write_out()

    async def _write_out(self) -> None:
        try:
            while data := b"".join(self._protocol.data_to_send()):
                await self._stream.send_all(data)
        except Gone:
            self._end(SocketClosed(CloseCode.ABNORMAL_CLOSURE))
        except BaseException:
            # Cancelled in the middle of a frame, after which nothing can follow.
            self.abort()
            raise

    # --- the end ---

    def _fail(self, code: CloseCode, reason: str) -> None:
        if self._protocol.state is State.OPEN:
            self._protocol.fail(code, reason)
        self._end(SocketClosed(code, reason))

    def _end(self, closed: SocketClosed) -> None:
        self._over = self._over or closed
        self._changed.unpark_all()
