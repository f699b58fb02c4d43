"""Bayeux messages over a WebSocket: frames of messages, both ways at any time.

Theory of operation. The connect loop is the reader: while it waits for the answer to a connect, or
for the time of the next one, it takes whatever comes; replies are found by their ids. Who calls
beside it sends and waits to be woken. A socket that is lost ends all exchanges under way, whose
outcome is then unknown, and the next request opens another one, whoever makes it: the session goes
on there, for the server finds it by its clientId.

What the server has written into a socket that was lost counts as delivered there. So the connect
loop is told of every loss; of one that came between two of its requests, at the next.

Source: CometD's WebSocket transport; Bayeux notes, section 7.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import trio

from botkit.bayeux.messages import CONNECT, Codec, Message, decode, encode
from botkit.connectors.bayeux_line import Take
from botkit.connectors.http import Lane
from botkit.connectors.http.excerpt import shown
from botkit.connectors.websocket import WebSocket
from botkit.errors import BotkitError, ConnectorError, LocalProtocolError, RemoteProtocolError
from botkit.masking import without_password

__all__ = ["OpenSocket", "SocketLine"]

OpenSocket = Callable[[], Awaitable[WebSocket]]


class SocketLine:
    """The :class:`~botkit.connectors.bayeux_line.Line` over one WebSocket after another.

    Args:
        open_socket: opens one; raises what ``open_websocket`` raises.
        url: where it leads to, for messages.
        codec: reads and writes JSON.
        take: takes what comes.
    """

    __slots__ = (
        "_changed",
        "_closed",
        "_codec",
        "_loss",
        "_open_socket",
        "_opening",
        "_polling",
        "_socket",
        "_take",
        "_untold",
        "url",
    )

    def __init__(self, open_socket: OpenSocket, url: str, codec: Codec, take: Take) -> None:
        self.url = url
        self._open_socket = open_socket
        self._codec = codec
        self._take = take
        self._socket: WebSocket | None = None
        self._opening = trio.Lock()
        self._changed = trio.lowlevel.ParkingLot()
        self._polling = False
        self._closed = False
        # Why the socket before this one was lost, and whether the connect loop has to be told.
        self._loss: BotkitError = ConnectorError(
            f"{without_password(url)} was never connected", kind="lost"
        )
        self._untold = False

    @property
    def is_open(self) -> bool:
        return self._socket is not None

    async def exchange(
        self, messages: Sequence[Message], answered: Callable[[], bool], *, lane: Lane
    ) -> None:
        text = encode(messages, self._codec).decode()
        if lane is Lane.CALL:
            socket = self._socket or await self._socket_for_call()
            await self._send(socket, text)
            while not answered():
                if self._socket is not socket:
                    raise copy_of(self._loss)
                await self._changed.park()
            return
        untold, self._untold = self._untold, False
        if untold and messages[0].channel == CONNECT:
            await trio.lowlevel.checkpoint()
            raise copy_of(self._loss)
        self._polling = True
        try:
            socket = self._socket or await self._ready_socket()
            await self._send(socket, text)
            while not answered():
                await self._read(socket)
        finally:
            self._polling = False

    async def listen(self) -> None:
        while True:
            while self._socket is None:
                await self._changed.park()
            while (socket := self._socket) is not None:
                try:
                    await self._read(socket)
                except (ConnectorError, RemoteProtocolError):
                    # The next request is told.
                    break

    async def give_up(self, error: BotkitError) -> None:
        if self._socket is not None:
            await self._drop(self._socket, error)

    async def aclose(self) -> None:
        """Close the socket politely; an exchange under way fails, and so does every later one."""
        self._closed = True
        await self.give_up(LocalProtocolError(f"the connection to {self.url} was closed"))

    # --- opening ----------------------------------------------------------------------------------

    async def _ready_socket(self) -> WebSocket:
        async with self._opening:
            # Somebody else may have opened one meanwhile.
            return self._socket or await self._open()

    async def _open(self) -> WebSocket:
        self._refuse_if_closed()
        socket = await self._open_socket()
        if self._closed:
            await socket.aclose()
            self._refuse_if_closed()
        self._socket = socket
        self._changed.unpark_all()
        return socket

    async def _socket_for_call(self) -> WebSocket:
        try:
            return await self._ready_socket()
        except RemoteProtocolError as error:
            # Whatever answered there, the messages have not left.
            raise ConnectorError(str(error), sent=False) from error

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise LocalProtocolError(f"the connection to {self.url} was closed")

    # --- frames -----------------------------------------------------------------------------------

    async def _send(self, socket: WebSocket, text: str) -> None:
        try:
            await socket.send(text)
        except ConnectorError as error:
            await self._drop(socket, error)
            raise

    async def _read(self, socket: WebSocket) -> None:
        """Take one frame."""
        try:
            text = await socket.receive()
            messages = self._decoded(text.encode())
        except (ConnectorError, RemoteProtocolError, LocalProtocolError) as error:
            if self._socket is socket:
                await self._drop(socket, error)
            raise copy_of(self._loss) from error
        self._take(messages)
        if self._changed:
            self._changed.unpark_all()

    def _decoded(self, body: bytes) -> list[Message]:
        try:
            return decode(body, self._codec)
        except RemoteProtocolError as error:
            raise RemoteProtocolError(
                f"{self.url} sent a frame that is not Bayeux ({error}): {shown(body)}"
            ) from error

    async def _drop(self, socket: WebSocket, error: BotkitError) -> None:
        if self._socket is socket:
            self._socket = None
            self._loss = error
            self._untold = not self._polling
            self._changed.unpark_all()
        await socket.aclose()


def copy_of(error: BotkitError) -> BotkitError:
    """Make an error for one of several who are told; the message of each was sent."""
    if isinstance(error, ConnectorError):
        return ConnectorError(error.message, kind=error.kind)
    return type(error)(*error.args)
