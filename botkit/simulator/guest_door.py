"""The door for guests: frames of one WebSocket in, frames out, faults suffered.

Theory of operation. A connection has a reader, who hands one frame after the other to the desk, and
a writer, who sends what the desk has for it in order. The desk never waits: what it sends is put
into the connection's queue, and who does not read for too long is cut off. Faults have their say
between the two: before the desk sees a frame, or on what it answers.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
import trio

from botkit.simulator.faults import GUEST, Fault, Faults, Point
from botkit.simulator.guest_desk import GuestDesk
from botkit.simulator.guest_settings import GuestSettings
from botkit.simulator.guest_wire import (
    Code,
    Frame,
    GuestError,
    GuestRequest,
    parse_request,
    refusal,
    response,
    too_many_requests,
    tracing_id_of,
)
from botkit.simulator.websocket import ServerSocket, SocketClosed

__all__ = ["GuestConnection", "GuestDoor"]

log = logging.getLogger(__name__)

PAGE = "<!DOCTYPE html>\n<html><body><h1>We will be back soon</h1></body></html>\n"
CONFIGURING = ("configureSession", "configureAuthenticatedSession")
OPERATIONS: Mapping[str, str] = {
    "closeSession": "disconnect",
    "onAttachment": "fileUpload",
    "getAttachment": "fileDownload",
    "deleteAttachment": "fileDelete",
}
PRESENCES: Mapping[str, str] = {"Join": "requestChat", "Clear": "disconnect"}


@dataclass(frozen=True, slots=True)
class Closing:
    """The end of what is sent."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Text:
    """A frame to be sent, after a wait."""

    text: str
    wait: float = 0.0


class GuestConnection:
    """One connection, as the desk sees it.

    Args:
        deployment: the deployment id of its URL.
        root: how its guest reaches the simulator over HTTP.
        max_waiting: frames that may wait to be sent.
    """

    __slots__ = (
        "_held",
        "_max_waiting",
        "_queue",
        "_writable",
        "_writing",
        "deployment",
        "is_open",
        "root",
    )

    def __init__(self, *, deployment: str, root: str, max_waiting: int) -> None:
        self.deployment = deployment
        self.root = root
        self.is_open = True
        self._max_waiting = max_waiting
        self._queue: deque[Text | Closing] = deque()
        self._writable = trio.lowlevel.ParkingLot()
        self._held: list[str] | None = None
        self._writing = trio.CancelScope()

    def send(self, frame: Frame) -> None:
        """Send a frame behind all others."""
        text = orjson.dumps(frame).decode()
        if self._held is not None:
            self._held.append(text)
        else:
            self.write(text)

    def write(self, text: str, *, wait: float = 0.0) -> None:
        """Send a text, whatever it is."""
        if self.is_open:
            self._put(Text(text, wait))
            if len(self._queue) > self._max_waiting:
                log.warning("a guest does not read; the connection is cut")
                self.cut()

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close the connection behind all frames."""
        if self.is_open:
            self.is_open = False
            self._put(Closing(code, reason))

    def cut(self) -> None:
        """Send nothing any more, not even what waits or is under way."""
        self.is_open = False
        self._writing.cancel()

    @contextmanager
    def holding(self) -> Iterator[list[str]]:
        """Give what is sent in this block, instead of sending it."""
        held: list[str] = []
        self._held = held
        try:
            yield held
        finally:
            self._held = None

    def _put(self, item: Text | Closing) -> None:
        self._queue.append(item)
        self._writable.unpark()

    async def write_out(self, socket: ServerSocket) -> None:
        """Send until the connection is closed from either side, or cut."""
        with self._writing:
            await self._write_out(socket)
        if self._writing.cancelled_caught:
            socket.abort()

    async def _write_out(self, socket: ServerSocket) -> None:
        while True:
            while not self._queue:
                await self._writable.park()
            match self._queue.popleft():
                case Closing() as closing:
                    await socket.close(closing.code, closing.reason)
                    return
                case Text() as item:
                    await trio.sleep(item.wait)
                    await socket.send(item.text)


class GuestDoor:
    """Serves the sockets of guests.

    Args:
        desk: does what they ask for.
        settings: what is allowed.
        faults: what goes wrong.
        on_change: called when a deadline may have moved.
    """

    def __init__(
        self,
        *,
        desk: GuestDesk,
        settings: GuestSettings,
        faults: Faults,
        on_change: Callable[[], None],
    ) -> None:
        self._desk = desk
        self._settings = settings
        self._faults = faults
        self._on_change = on_change

    async def serve(self, socket: ServerSocket, *, deployment: str, root: str) -> None:
        """Serve one socket to its end."""
        limit = self._settings.max_waiting
        connection = GuestConnection(deployment=deployment, root=root, max_waiting=limit)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write, socket, connection, nursery.cancel_scope)
                await self._read(socket, connection)
                nursery.cancel_scope.cancel()
        finally:
            connection.is_open = False
            self._desk.leave(connection)

    async def _read(self, socket: ServerSocket, connection: GuestConnection) -> None:
        try:
            while True:
                await self._take(connection, await socket.receive())
                self._on_change()
        except SocketClosed as error:
            log.debug("a guest has gone: %s", error)

    async def _write(
        self, socket: ServerSocket, connection: GuestConnection, all_of_it: trio.CancelScope
    ) -> None:
        try:
            await connection.write_out(socket)
        except SocketClosed as error:
            log.debug("a guest has gone: %s", error)
        all_of_it.cancel()

    async def _take(self, connection: GuestConnection, text: str) -> None:
        try:
            request = parse_request(text)
        except GuestError as error:
            connection.send(refusal(error, tracing_id_of(text)))
            return
        fault = None
        if self._faults.any_at(Point.REQUEST):
            fault = self._faults.strike(
                Point.REQUEST,
                words_of(request),
                service=self._settings.service_of(connection.deployment),
                customer=request.token,
                wire=GUEST,
            )
        if fault is None:
            self._desk.receive(connection, request)
        else:
            log.info("fault %s strikes %s", fault.name, request.action)
            await self._suffer(fault, connection, request)

    # --- faults ---

    async def _suffer(
        self, fault: Fault, connection: GuestConnection, request: GuestRequest
    ) -> None:
        match fault.name:
            case "stall":
                await trio.sleep(fault.seconds)
                self._desk.receive(connection, request)
            case "kill_connection":
                await self._cut(connection, request, fault.seconds)
            case "truncated_json" | "slow_drip":
                self._answer_badly(fault, connection, request)
            case "html":
                connection.write(PAGE)
            case "rate_limited":
                connection.send(too_many_requests(fault.seconds, request.tracing_id))
            case "session_expiry":
                self._desk.receive(connection, request)
                self._desk.expire_session(connection)
            case "connection_closed":
                self._desk.receive(connection, request)
                self._desk.close_connection(connection)
            case _:
                self._refuse(fault, connection, request)

    def _refuse(self, fault: Fault, connection: GuestConnection, request: GuestRequest) -> None:
        """Answer with an error, and let happen what it tells of."""
        match fault.name:
            case "unknown_session":
                self._desk.lose_session(connection)
                error = GuestError(Code.SESSION_NOT_FOUND, "session not found error message")
            case "expired":
                with connection.holding():
                    self._desk.expire_session(connection)
                error = GuestError(Code.SESSION_EXPIRED, "session expired error message")
            case "read_only":
                self._desk.make_read_only(connection)
                text = "Session is read-only, no new messages allowed"
                error = GuestError(Code.READ_ONLY, text)
            case "refused_handshake":
                again = fault.option == "handshake"
                code = Code.UNEXPECTED if again else Code.FEATURE_UNAVAILABLE
                error = GuestError(code, "Request failed.")
            case _:
                assert fault.name == "http_500"
                text = "the simulator was told to fail here"
                connection.send(response("string", text, request.tracing_id, code=500))
                return
        connection.send(refusal(error, request.tracing_id))

    async def _cut(
        self, connection: GuestConnection, request: GuestRequest, seconds: float
    ) -> None:
        """Do what was asked for, and cut the connection instead of telling."""
        with connection.holding():
            self._desk.receive(connection, request)
            self._desk.leave(connection)
            await trio.sleep(seconds)
        connection.cut()

    def _answer_badly(
        self, fault: Fault, connection: GuestConnection, request: GuestRequest
    ) -> None:
        with connection.holding() as texts:
            self._desk.receive(connection, request)
        for number, text in enumerate(texts):
            if fault.name == "slow_drip":
                connection.write(text, wait=len(text) * fault.seconds)
            else:
                connection.write(text if number else text[: len(text) // 2])


def words_of(request: GuestRequest) -> tuple[str, ...]:
    """Say what a frame is, in the words of faults."""
    if request.action in CONFIGURING:
        return request.action, "handshake"
    words = [request.action, "connect"]
    if request.action == "onMessage":
        words += ["publish", operation_of(request.raw.get("message"))]
    elif request.action in OPERATIONS:
        words.append(OPERATIONS[request.action])
    return tuple(words)


def operation_of(message: Any) -> str:
    """Name the operation of other wires that a message comes nearest to."""
    events = message.get("events") if isinstance(message, dict) else None
    event = events[0] if isinstance(events, list) and events else None
    if not isinstance(event, dict):
        return "sendMessage"
    typing, presence = event.get("typing"), event.get("presence")
    if isinstance(typing, dict):
        return "stopTyping" if typing.get("type") == "Off" else "startTyping"
    kind = presence.get("type") if isinstance(presence, dict) else None
    return PRESENCES.get(kind, "") if isinstance(kind, str) else ""
