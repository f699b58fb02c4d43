"""The door for Bayeux: request bodies in, reply bodies out, connects held, faults suffered.

What comes over a WebSocket enters by ``socket_door``, which does the same with frames.

Theory of operation. A request is decoded, faults have their say, the Bayeux server takes the
messages, and what was published is done at the service desk at once: its pushes travel in the
same reply. A connect that is held waits here, until something is pushed or its time is up. All
that does not wait is done before the first wait, so that a client who posts and dies has posted.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from urllib.parse import parse_qsl

import orjson
import trio

from botkit.bayeux.acknowledging import ACK
from botkit.bayeux.advice import Advice, Reconnect
from botkit.bayeux.events import Published, SessionClosed, SessionOpened
from botkit.bayeux.messages import (
    CONNECT,
    DISCONNECT,
    HANDSHAKE,
    SUBSCRIBE,
    UNSUBSCRIBE,
    Message,
    decode,
    encode,
)
from botkit.bayeux.personality import Personality
from botkit.bayeux.server import Denial, Exchange, Server
from botkit.bayeux.server import Reply as BayeuxReply
from botkit.errors import LocalProtocolError, RemoteProtocolError
from botkit.simulator.desk import Desk
from botkit.simulator.faults import Fault, Faults, Point
from botkit.simulator.http import Reply, Request

__all__ = ["COOKIE", "BayeuxDoor", "Caller", "Porter"]

log = logging.getLogger(__name__)

COOKIE = "BAYEUX_BROWSER"
FORM = "application/x-www-form-urlencoded"
JSON_TYPES = ("application/json", "text/json", "")
JSON_HEADER = ("Content-Type", "application/json;charset=UTF-8")
TEXT_HEADER = ("Content-Type", "text/plain;charset=UTF-8")
HTML_PAGE = Reply(
    headers=(("Content-Type", "text/html;charset=UTF-8"),),
    body=b"<!DOCTYPE html>\n<html><head><title>Maintenance</title></head>"
    b"<body><h1>We will be back soon</h1></body></html>\n",
)
BROKEN = Reply(status=500, headers=(TEXT_HEADER,), body=b"the simulator was told to fail here")
WORDS: Mapping[str, str] = MappingProxyType(
    {
        HANDSHAKE: "handshake",
        CONNECT: "connect",
        SUBSCRIBE: "subscribe",
        UNSUBSCRIBE: "unsubscribe",
        DISCONNECT: "meta_disconnect",
    }
)
"""What faults call the requests; everything else is a publish."""


class Porter:
    """Lets handshakes pass, unless it was told to refuse the ones at hand."""

    def __init__(self) -> None:
        self.denial: Denial | None = None

    def __call__(self, message: Message) -> Denial | None:
        return self.denial if message.channel == HANDSHAKE else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """From where messages come.

    Attributes:
        browser: the cookie, where the server has cookies and one was sent.
        transport: what the session is served on from its next connect on.
        on_connect: told the session of each connect that comes from there, before it is answered.
    """

    browser: str | None
    transport: str = "long-polling"
    on_connect: Callable[[str], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """A request as faults see it.

    Attributes:
        words: all words for what is in it.
        service: the chat service that it concerns, if that is known.
        customer: who came: the browser cookie, or the session where there are no cookies.
    """

    words: tuple[str, ...]
    service: str | None
    customer: str


class BayeuxDoor:
    """Answers the Bayeux requests of one simulator.

    Args:
        server: the state machine.
        personality: what the server was made with.
        desk: gets what is published.
        porter: what the server asks about handshakes.
        faults: asked before each request.
        on_change: called when a deadline of the server may have moved.
    """

    def __init__(
        self,
        *,
        server: Server,
        personality: Personality,
        desk: Desk,
        porter: Porter,
        faults: Faults,
        on_change: Callable[[], None],
    ) -> None:
        self._server = server
        self._personality = personality
        self._desk = desk
        self._porter = porter
        self._faults = faults
        self._on_change = on_change
        # The customer and the service of each session, for faults.
        self._customers: dict[str, str] = {}
        self._services: dict[str, str] = {}

    async def handle(self, request: Request) -> Reply:
        """Answer a POST."""
        try:
            messages = decode(body_of(request), orjson)
        except RemoteProtocolError as error:
            return Reply(status=400, headers=(TEXT_HEADER,), body=str(error).encode())
        caller = Caller(browser=self.browser_of(request))
        fault = self.strike(messages, caller)
        if fault is not None:
            return await self.suffer(fault, messages, caller)
        return await self._answer(messages, caller)

    def browser_of(self, request: Request) -> str | None:
        """Tell by its cookie which browser a request comes from; None where nobody asks that."""
        return request.cookies.get(COOKIE) if self._personality.browser_cookie else None

    def has_browser(self, session: str) -> bool:
        """Whether a session was opened with a browser cookie, which over WebSocket need not be."""
        return self._customers.get(session, session) != session

    # --- without faults ---

    async def _answer(self, messages: Sequence[Message], caller: Caller) -> Reply:
        return await self.finish(self.receive(messages, caller))

    def receive(self, messages: Sequence[Message], caller: Caller) -> Exchange:
        """Hand messages to the server, and what they bring to the desk."""
        exchange = self._server.receive(
            messages, now=trio.current_time(), browser=caller.browser, transport=caller.transport
        )
        customer = exchange.set_cookie or caller.browser
        session, connects = exchange.session, any(m.channel == CONNECT for m in messages)
        if caller.on_connect is not None and session is not None and connects:
            caller.on_connect(session.id)
        while events := self._server.take_events():
            for event in events:
                match event:
                    case Published():
                        self._publish(event)
                    case SessionOpened():
                        self._customers[event.session] = customer or event.session
                    case SessionClosed():
                        self._customers.pop(event.session, None)
                        self._services.pop(event.session, None)
        return exchange

    def _publish(self, event: Published) -> None:
        service = self._desk.service_of(event.channel)
        if service is not None:
            self._services[event.session] = service
            customer = self._customers.get(event.session, event.session)
            self._desk.receive(event.session, event.channel, event.data, customer=customer)

    async def finish(self, exchange: Exchange) -> Reply:
        """Hold a connect for as long as it is to be held, and answer."""
        return self._write(await self._finish(exchange))

    async def _finish(self, exchange: Exchange) -> BayeuxReply:
        if exchange.is_held:
            await self._hold(exchange)
        return self._respond(exchange)

    def answer_nowait(self, exchange: Exchange) -> Reply:
        """Answer what is not held."""
        return self._write(self._respond(exchange))

    def _respond(self, exchange: Exchange) -> BayeuxReply:
        reply = self._server.respond(exchange, trio.current_time())
        self._on_change()
        return reply

    async def _hold(self, exchange: Exchange, at_most: float = math.inf) -> None:
        """Wait until a held connect is due; if the client goes meanwhile, give it up."""
        assert exchange.deadline is not None
        woken = trio.Event()
        exchange.on_wake = woken.set
        self._on_change()
        try:
            with trio.move_on_at(min(exchange.deadline, trio.current_time() + at_most)):
                await woken.wait()
        except trio.Cancelled:
            self._abandon(exchange)
            raise

    def _abandon(self, exchange: Exchange) -> None:
        self._server.abandon(exchange, trio.current_time())
        self._on_change()

    def _write(self, reply: BayeuxReply) -> Reply:
        if reply.status != 200:
            return Reply(status=reply.status)
        try:
            body = encode(reply.messages, orjson)
        except LocalProtocolError as error:
            # What a client published may be more than JSON can repeat (a lone surrogate, say).
            log.warning("a reply cannot be written: %s", error)
            return Reply(status=500, headers=(TEXT_HEADER,), body=str(error).encode())
        if reply.set_cookie is None:
            return Reply(headers=(JSON_HEADER,), body=body)
        cookie = ("Set-Cookie", f"{COOKIE}={reply.set_cookie}; Path=/; HttpOnly")
        return Reply(headers=(JSON_HEADER, cookie), body=body)

    # --- with faults ---

    def strike(self, messages: Sequence[Message], caller: Caller) -> Fault | None:
        """Ask for the fault that strikes these messages."""
        if not self._faults.any_at(Point.REQUEST):
            return None
        visit = self._visit_of(messages, caller)
        fault = self._faults.strike(
            Point.REQUEST, visit.words, service=visit.service, customer=visit.customer
        )
        if fault is not None:
            log.info("fault %s strikes %s", fault.name, "+".join(visit.words))
        return fault

    def _visit_of(self, messages: Sequence[Message], caller: Caller) -> Visit:
        words: list[str] = []
        service = None
        customer = caller.browser or ""
        for message in messages:
            words.append(WORDS.get(message.channel, "publish"))
            if words[-1] == "publish" and isinstance(message.data, dict):
                words.append(str(message.data.get("operation", "")))
            session = message.client_id or ""
            service = (
                service or self._desk.service_of(message.channel) or self._services.get(session)
            )
            customer = customer or session
        return Visit(words=tuple(words), service=service, customer=customer)

    async def suffer(self, fault: Fault, messages: Sequence[Message], caller: Caller) -> Reply:
        """Answer as badly as the fault wants it."""
        match fault.name:
            case "http_500":
                return BROKEN
            case "html":
                return HTML_PAGE
            case "stall":
                await trio.sleep(fault.seconds)
                return await self._answer(messages, caller)
            case "kill_connection":
                return await self._cut(messages, caller, fault.seconds)
            case "truncated_json":
                reply = await self._answer(messages, caller)
                return replace(reply, truncate_to=len(reply.body) // 2)
            case "slow_drip":
                reply = await self._answer(messages, caller)
                return replace(reply, drip=1 / fault.seconds)
            case "unknown_session":
                return await self._deny_session(messages, caller, fault.option)
            case "refused_handshake":
                return await self._refuse_handshake(messages, caller, Reconnect(fault.option))
            case "advice_none":
                return self._stop(messages)
            case "session_expiry":
                reply = await self._answer(messages, caller)
                self._forget(messages)
                return reply
            case "redeliver":
                return await self._deliver_again(messages, caller, fault.option)
            case _:
                assert fault.name == "duplicate_connect"
                return await self._displace(messages, caller, fault)

    async def _cut(self, messages: Sequence[Message], caller: Caller, seconds: float) -> Reply:
        """Do what was asked, and cut the connection instead of telling; no event goes with it."""
        exchange = self.receive(messages, caller)
        if exchange.is_held:
            await self._hold(exchange, seconds)
        self._abandon(exchange)
        return Reply(abort=True)

    async def _deny_session(
        self, messages: Sequence[Message], caller: Caller, spelling: str
    ) -> Reply:
        self._forget(messages)
        reply = await self._finish(self.receive(messages, caller))
        if spelling == "default":
            return self._write(reply)
        spelled = (replace(m, error=spelling) if m.error is not None else m for m in reply.messages)
        return self._write(replace(reply, messages=tuple(spelled)))

    async def _refuse_handshake(
        self, messages: Sequence[Message], caller: Caller, reconnect: Reconnect
    ) -> Reply:
        advice = Advice(reconnect=reconnect)
        self._porter.denial = Denial(error="403::handshake_denied", advice=advice)
        try:
            exchange = self.receive(messages, caller)
        finally:
            self._porter.denial = None
        return await self.finish(exchange)

    def _stop(self, messages: Sequence[Message]) -> Reply:
        """Refuse everything, with the advice to give up."""
        self._forget(messages)
        refusals = (
            Message(
                channel=message.channel,
                id=message.id,
                successful=False,
                error=self._personality.errors.unknown_session.format(message.client_id),
                advice=Advice(reconnect=Reconnect.NONE),
            )
            for message in messages
        )
        return self._write(BayeuxReply(status=200, messages=tuple(refusals)))

    async def _deliver_again(self, messages: Sequence[Message], caller: Caller, what: str) -> Reply:
        """Lose the number of a batch on its way to the client, or on its way back."""
        if what == "ignored":
            return await self._answer([_unnumbered(message) for message in messages], caller)
        reply = await self._finish(self.receive(messages, caller))
        return self._write(replace(reply, messages=tuple(map(_unnumbered, reply.messages))))

    async def _displace(self, messages: Sequence[Message], caller: Caller, fault: Fault) -> Reply:
        """Hold a connect for a while, then act as if a second one had come.

        A connect that is answered before that leaves nothing to displace: the fault waits on.
        """
        exchange = self.receive(messages, caller)
        if exchange.is_held:
            await self._hold(exchange, fault.seconds)
        if self._is_still_held(exchange):
            second = replace(messages[0], advice=Advice(timeout=0.0))
            self._abandon(self.receive([second], caller))
        else:
            self._faults.take_back(fault, customer=self._visit_of(messages, caller).customer)
        return await self.finish(exchange)

    def _is_still_held(self, exchange: Exchange) -> bool:
        due = exchange.deadline
        return exchange.is_held and due is not None and trio.current_time() < due

    def _forget(self, messages: Sequence[Message]) -> None:
        for session in {message.client_id for message in messages if message.client_id}:
            self._server.forget(session)
        self._on_change()


def _unnumbered(message: Message) -> Message:
    """Take the batch out of a connect or its reply."""
    if message.channel != CONNECT or message.ext is None:
        return message
    ext = {name: value for name, value in message.ext.items() if name != ACK}
    return replace(message, ext=ext or None)


def body_of(request: Request) -> bytes:
    """Find the JSON in a request: the whole body, or the ``message`` fields of a form.

    Raises:
        RemoteProtocolError: the content is of another type, or a form without messages.

    Source: Bayeux specification, long-polling transport.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind in JSON_TYPES:
        return request.body
    if kind != FORM:
        raise RemoteProtocolError(f"the content type is {kind!r}; it must be application/json")
    try:
        fields = parse_qsl(request.body.decode(), keep_blank_values=True, max_num_fields=1000)
    except ValueError as error:
        raise RemoteProtocolError(f"the form cannot be read: {error}") from error
    texts = [value.strip() for name, value in fields if name == "message"]
    if not texts:
        raise RemoteProtocolError("the form has no field 'message'")
    if len(texts) == 1:
        return texts[0].encode()
    # Each field holds a message or an array of them; together they are one array.
    inner = (text[1:-1] if text[:1] == "[" and text[-1:] == "]" else text for text in texts)
    return f"[{','.join(inner)}]".encode()
