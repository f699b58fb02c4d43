"""The frames of one WebSocket over any stream, client side.

Theory of operation. The sans-IO core of ``websockets`` does the grammar of frames; what it leaves
open is done here: fragments become messages, text is checked to be text, and what ends the socket
becomes one error, which everybody gets who asks afterwards. There is no task behind a socket: who
receives also answers pings and the closing frame. What is to be sent stands in line inside of the
core; whoever holds the lock sends all of it, so that a frame is never cut in two by another.
"""

from __future__ import annotations

import logging
from typing import Final

import trio
from websockets.exceptions import PayloadTooBig
from websockets.frames import CloseCode, Frame, Opcode
from websockets.protocol import Protocol, Side, State

from botkit.connectors.http.failures import causes_of, tls_failure
from botkit.errors import BotkitError, ConnectorError, LocalProtocolError, RemoteProtocolError

__all__ = ["StreamWebSocket"]

RECEIVE_SIZE = 16 * 1024
CLOSE_LIMIT = 0.5
"""Seconds of waiting for the server to say goodbye too."""
QUIET: Final = logging.Logger("frames", logging.ERROR)
"""The core would write chat text into the log at the level of debugging."""
Gone = (trio.BrokenResourceError, trio.ClosedResourceError)


class StreamWebSocket:
    """The :class:`~botkit.connectors.websocket.contract.WebSocket` over a stream.

    Args:
        stream: upgraded already; closed with this object.
        url: for messages.
        limit: bytes of the largest message that is taken.
        received: what came behind the answer to the upgrade.
    """

    __slots__ = (
        "_beginning",
        "_frames",
        "_is_sending",
        "_over",
        "_protocol",
        "_receiving",
        "_senders",
        "_stream",
        "_url",
        "close_code",
        "close_reason",
    )

    def __init__(
        self, stream: trio.abc.Stream, url: str, *, limit: int, received: bytes = b""
    ) -> None:
        self.close_code: int | None = None
        self.close_reason = ""
        self._stream = stream
        self._url = url
        self._protocol = Protocol(Side.CLIENT, state=State.OPEN, max_size=limit, logger=QUIET)
        # Hardly ever does anybody wait for a turn to send: no lock until then.
        self._is_sending = False
        self._senders: trio.lowlevel.ParkingLot | None = None
        self._receiving = False
        # Why there is nothing more to be had.
        self._over: BotkitError | None = None
        self._frames: list[Frame] = []
        # Of a message whose last fragment is still to come.
        self._beginning = bytearray()
        if received:
            self._protocol.receive_data(received)
            self._take_frames()

    async def send(self, text: str) -> None:
        try:
            payload = text.encode()
        except UnicodeEncodeError as error:
            raise LocalProtocolError(f"the text cannot be sent: {error}") from error
        await trio.lowlevel.checkpoint_if_cancelled()
        if self._is_sending:
            await self._await_turn()
        self._is_sending = True
        try:
            if self._over is not None or self._protocol.state is not State.OPEN:
                raise self._refusal()
            self._protocol.send_text(payload)
            await self._write_out()
        finally:
            self._pass_turn()

    async def receive(self) -> str:
        self._receiving = True
        try:
            while (text := self._next_text()) is None:
                if self._protocol.writes:
                    await self._answer()
                if self._over is not None:
                    raise self._over
                await self._read_on()
            return text
        finally:
            self._receiving = False

    async def aclose(self) -> None:
        try:
            if self._protocol.state is State.OPEN and self._over is None:
                self._protocol.send_close(CloseCode.NORMAL_CLOSURE)
                with trio.move_on_after(CLOSE_LIMIT):
                    await self._answer()
                    await self._await_goodbye()
        finally:
            self._end(self._closed_here())
            # Errors and their tracebacks may keep this object for a while, but not its megabytes.
            self._frames.clear()
            self._beginning = bytearray()
            # The core's generators point back to it; closed, they need no garbage collector.
            self._protocol.parser.close()
            await trio.aclose_forcefully(self._stream)

    # --- what comes -------------------------------------------------------------------------------

    def _next_text(self) -> str | None:
        """Take frames until a message is whole, or there are no more."""
        while self._frames:
            frame = self._frames.pop(0)
            if frame.opcode is Opcode.CLOSE:
                self._take_close()
            elif frame.opcode in (Opcode.TEXT, Opcode.CONT):
                text = self._text_with(frame)
                if text is not None:
                    return text
            elif frame.opcode is Opcode.BINARY:
                self._fail(CloseCode.UNSUPPORTED_DATA, "binary data where text was expected")
        error = self._protocol.parser_exc
        if error is not None and self._over is None and not isinstance(error, EOFError):
            self._end(self._broken_rules(error))
        return None

    def _text_with(self, frame: Frame) -> str | None:
        """Add a fragment to the message; most messages have but one."""
        whole = frame.data
        if self._beginning or not frame.fin:
            self._beginning += whole
            if not frame.fin:
                return None
            whole, self._beginning = self._beginning, bytearray()
        try:
            return str(whole, "utf-8")
        except UnicodeDecodeError as error:
            self._fail(CloseCode.INVALID_DATA, f"text that is not UTF-8: {error.reason}")
            return None

    def _take_close(self) -> None:
        close = self._protocol.close_rcvd
        assert close is not None
        self.close_code, self.close_reason = int(close.code), close.reason
        self._end(self._closed_there())

    async def _read_on(self) -> None:
        try:
            data = await self._stream.receive_some(RECEIVE_SIZE)
        except Gone as error:
            self._lose(error)
            return
        if data:
            self._protocol.receive_data(data)
        else:
            self._protocol.receive_eof()
            self._lose(None)
        self._take_frames()

    def _take_frames(self) -> None:
        for event in self._protocol.events_received():
            assert isinstance(event, Frame)
            self._frames.append(event)

    async def _await_goodbye(self) -> None:
        """Wait until the server closes too; what it said before is of no interest any more."""
        while self._over is None and not self._receiving:
            await self._read_on()
            self._next_text()

    # --- what goes --------------------------------------------------------------------------------

    async def _answer(self) -> None:
        """Send pongs and closing frames, unless whoever is sending takes them along."""
        if self._is_sending:
            return
        self._is_sending = True
        try:
            await self._write_out()
        finally:
            self._pass_turn()

    async def _await_turn(self) -> None:
        self._senders = self._senders or trio.lowlevel.ParkingLot()
        await self._senders.park()

    def _pass_turn(self) -> None:
        if self._senders:
            # The turn goes over to who waited longest, without being free in between.
            self._senders.unpark()
        else:
            self._is_sending = False

    async def _write_out(self) -> None:
        try:
            while self._protocol.writes:
                # The end of the stream is an empty piece, and closing is done elsewhere.
                if data := b"".join(self._protocol.data_to_send()):
                    await self._stream.send_all(data)
        except Gone as error:
            self._lose(error)
            assert self._over is not None
            raise self._over from error
        except BaseException:
            # Cancelled in the middle of a frame: whatever followed would be taken for its rest.
            self._end(ConnectorError(f"sending to {self._url} was broken off", kind="lost"))
            await trio.aclose_forcefully(self._stream)
            raise

    # --- the end ----------------------------------------------------------------------------------

    def _end(self, error: BotkitError) -> None:
        self._over = self._over or error

    def _fail(self, code: CloseCode, reason: str) -> None:
        """Give the server up; it is told why."""
        self._frames.clear()
        if self._protocol.state is State.OPEN:
            self._protocol.fail(code, reason)
        self._end(RemoteProtocolError(f"{self._url} sent {reason}"))

    def _lose(self, error: BaseException | None) -> None:
        if isinstance(error, trio.ClosedResourceError):
            self._end(self._closed_here())
            return
        causes = () if error is None else tuple(causes_of(error))
        lost = ConnectorError(f"{self._url} broke the connection", kind="lost")
        self._end(tls_failure(causes, self._url, sent=True) or lost)

    def _refusal(self) -> BotkitError:
        """Tell one who comes too late that nothing of his has left."""
        error = self._over or self._unread_end()
        if isinstance(error, ConnectorError):
            return ConnectorError(error.message, kind=error.kind, sent=False)
        return error

    def _unread_end(self) -> BotkitError:
        """Say why it was closed, or failed, where nobody has read as far as that."""
        broken = self._protocol.parser_exc
        if broken is not None and not isinstance(broken, EOFError):
            return self._broken_rules(broken)
        if self._protocol.close_rcvd is not None:
            return self._closed_there()
        return ConnectorError(f"{self._url} is closing the WebSocket", kind="lost")

    def _broken_rules(self, error: Exception) -> RemoteProtocolError:
        fault = f"broke the rules of WebSocket: {error}"
        if isinstance(error, PayloadTooBig):
            fault = f"sent a message larger than {self._protocol.max_message_size} bytes"
        return RemoteProtocolError(f"{self._url} {fault}")

    def _closed_there(self) -> ConnectorError:
        close = self._protocol.close_rcvd
        why = f"{close.code} {close.reason}".rstrip() if close is not None else ""
        return ConnectorError(f"{self._url} closed the WebSocket: {why}", kind="lost")

    def _closed_here(self) -> LocalProtocolError:
        return LocalProtocolError(f"the WebSocket {self._url} was closed by this side")
