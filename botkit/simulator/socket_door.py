"""The door for Bayeux over WebSocket: frames in, frames out, pushes between them.

Theory of operation. Each frame is an array of messages, and goes the way of a request's body: the
``BayeuxDoor`` has the rules and the faults. What does not wait is done at once, in the order of the
frames; a held connect, and what a fault delays, has a task of its own. All that is sent goes
through one outbox, so that nothing overtakes.

A session belongs to the socket on which its latest connect came: there its events are pushed, each
in a frame of its own and without waking the connect. When a socket ends, its sessions stay, and
expire as any others whose client does not connect.

What is no answer but an HTTP status over long polling (a violation of the protocol, a displaced
connect, the fault ``http_500``) closes the socket with 1011, and what is no JSON with 1007. Both
numbers are guesses.

Source: CometD's WebSocket transport and faye's; Bayeux notes, section 7.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial

import orjson
import trio

from botkit.bayeux.messages import DISCONNECT, Message, decode, encode
from botkit.bayeux.personality import Personality
from botkit.bayeux.server import WEBSOCKET, Exchange, Server
from botkit.errors import LocalProtocolError, RemoteProtocolError
from botkit.simulator.door import BayeuxDoor, Caller
from botkit.simulator.faults import COMETD_UPGRADE, Fault, Faults, Point
from botkit.simulator.http import Reply, Request
from botkit.simulator.outbox import Outbox
from botkit.simulator.suffering import suffer
from botkit.simulator.websocket import ServerSocket, SocketClosed

__all__ = ["SocketDoor"]

log = logging.getLogger(__name__)

INTERNAL_ERROR = 1011
INVALID_DATA = 1007
HEAD_SIZE = 150
"""Bytes of the answer to an upgrade, more or less, for the fault that lets it drip."""


class SocketDoor:
    """Opens the WebSockets of one simulator, and serves them.

    Args:
        server: the state machine.
        personality: what the server was made with.
        door: answers messages.
        faults: asked before each upgrade.
    """

    def __init__(
        self, *, server: Server, personality: Personality, door: BayeuxDoor, faults: Faults
    ) -> None:
        self._server = server
        self._personality = personality
        self._door = door
        self._faults = faults

    @property
    def is_served(self) -> bool:
        """Whether this kind of server has WebSockets."""
        return WEBSOCKET in self._personality.connection_types

    async def handle(self, request: Request) -> Reply:
        """Answer the request for an upgrade."""
        browser = self._door.browser_of(request)

        def answer() -> Reply:
            return Reply(status=101, upgrade=partial(self.serve, browser=browser))

        fault = self._faults.strike(
            Point.REQUEST, ("upgrade",), customer=browser or "", wire=COMETD_UPGRADE
        )
        if fault is not None:
            log.info("fault %s strikes an upgrade", fault.name)
            return await self._suffer(fault, answer)
        await trio.lowlevel.checkpoint()
        return answer()

    async def serve(self, socket: ServerSocket, *, browser: str | None) -> None:
        """Serve one socket to its end."""
        one = Served(self._server, self._personality, self._door, browser)
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(one.send_all, socket, nursery.cancel_scope)
                await one.receive_all(socket, nursery)
                nursery.cancel_scope.cancel()
        finally:
            one.leave()

    async def _suffer(self, fault: Fault, answer: Callable[[], Reply]) -> Reply:
        reply = await suffer(fault, answer)
        if reply is None:
            return answer()
        if reply.truncate_to is not None:
            return Reply(abort=True)
        if reply.drip is not None:
            await trio.sleep(HEAD_SIZE / reply.drip)
        return reply


class Served:
    """One socket that is served."""

    def __init__(
        self, server: Server, personality: Personality, door: BayeuxDoor, browser: str | None
    ) -> None:
        self._server = server
        self._personality = personality
        self._door = door
        self._caller = Caller(browser=browser, transport=WEBSOCKET, on_connect=self._adopt)
        self._outbox = Outbox()
        # What pushes to each session that was connected from here.
        self._listeners: dict[str, Callable[[], None]] = {}

    async def send_all(self, socket: ServerSocket, all_of_it: trio.CancelScope) -> None:
        """Send what there is to be sent, until the socket is closed."""
        try:
            await self._outbox.send_all(socket)
        except SocketClosed as closed:
            log.debug("%s", closed)
        all_of_it.cancel()

    async def receive_all(self, socket: ServerSocket, nursery: trio.Nursery) -> None:
        """Take frames until the client has closed."""
        try:
            while True:
                self._take(await socket.receive(), nursery)
        except SocketClosed as closed:
            log.debug("%s", closed)

    def leave(self) -> None:
        """Push nothing to this socket any more."""
        for session, listener in self._listeners.items():
            self._server.unlisten(session, listener)

    # --- what comes ---

    def _take(self, text: str, nursery: trio.Nursery) -> None:
        try:
            messages = decode(text.encode(), orjson)
        except RemoteProtocolError as error:
            log.debug("a client sent what is not Bayeux: %s", error)
            self._outbox.close(INVALID_DATA, "this is not Bayeux")
            return
        fault = self._door.strike(messages, self._caller)
        if fault is not None:
            nursery.start_soon(self._suffer, fault, messages)
            return
        exchange = self._door.receive(messages, self._caller)
        if exchange.is_held:
            nursery.start_soon(self._hold, exchange)
        else:
            self._answer(self._door.answer_nowait(exchange), messages)

    async def _hold(self, exchange: Exchange) -> None:
        self._answer(await self._door.finish(exchange))

    async def _suffer(self, fault: Fault, messages: Sequence[Message]) -> None:
        self._answer(await self._door.suffer(fault, messages, self._caller), messages)

    # --- what goes ---

    def _answer(self, reply: Reply, messages: Sequence[Message] = ()) -> None:
        """Send in a frame what would be the body of a reply, or do what comes nearest to it."""
        if reply.abort:
            self._outbox.cut()
        elif reply.status != 200:
            self._outbox.close(INTERNAL_ERROR, reply.body.decode()[:100])
        elif reply.body != b"[]":
            text = reply.body.decode()
            wait = len(text) / reply.drip if reply.drip is not None else 0.0
            self._outbox.write(text[: reply.truncate_to], wait=wait)
        if self._personality.hangs_up and any(m.channel == DISCONNECT for m in messages):
            self._outbox.close()

    def _adopt(self, session: str) -> None:
        """Push the events of a session to this socket from now on."""
        listener = self._listeners.get(session)
        if listener is None:
            listener = self._listeners[session] = partial(self._push, session)
        self._server.listen(session, listener)

    def _push(self, session: str) -> None:
        for message in self._server.take(session):
            try:
                self._outbox.write(encode([message], orjson).decode())
            except LocalProtocolError as error:
                # What a client published may be more than JSON can repeat (a lone surrogate, say).
                log.warning("a push cannot be written: %s", error)
