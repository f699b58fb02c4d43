"""The wire ``gms-cometd``: GMS Chat API v2 over CometD, long polling.

Theory of operation. :class:`Chat` runs one chat as two tasks. The connect loop of the Bayeux link
reads whatever comes and hands it on without waiting. The other task opens the chat, performs
the requests of the session one after another, and leaves. The connect loop is shielded from
cancellation and ends last: saying goodbye needs it, for the service confirms by a push.

A handshake in the middle of a chat is an event: the subscription and the binding of the chat are
gone with the old session and are made again (``requestNotifications`` from the last index), and
requests wait until that is done. The same is done when only the connection was lost: a push that
was written into it counts as delivered for the server. A request is sent again only where it surely
was not accepted.

Leaving when the chat was requested and no key has come yet: without the key nobody can leave, so
the link is polled on for the key, for :data:`KEY_LIMIT` seconds at most.

Source: GMS Chat API v2 over CometD; public CometD clients; Bayeux notes, sections 3 to 6.
"""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import fields

import trio

from botkit import chat
from botkit.bayeux import client as bayeux
from botkit.bayeux.messages import JSON, Message, parse_error
from botkit.chat import EndedBy, Event
from botkit.connectors import codec
from botkit.connectors.bayeux_link import BayeuxLink
from botkit.connectors.http import Http, open_http
from botkit.errors import (
    BotkitError,
    ChatError,
    ChatRefused,
    ConfigError,
    ConnectorError,
    LocalProtocolError,
    RemoteProtocolError,
    ungrouped,
)
from botkit.genesys import gms_v2
from botkit.genesys.gms_chat import GmsChat
from botkit.genesys.gms_v2 import GmsNames
from botkit.interfaces import Deliver, Opening, Outcome, Request

__all__ = ["GmsCometd"]

log = logging.getLogger(__name__)

LEAVE_LIMIT = 3.8
"""Seconds for the whole goodbye."""
KEY_LIMIT = 2.0
"""Seconds of waiting for the key of a chat that was requested, in order to leave it."""
HANDSHAKE_LIMIT = 1.0
"""Seconds of waiting for the answer to a handshake, in order to end its session."""
DISCONNECT_RESERVE = 0.6
"""Seconds of the goodbye that are kept for the Bayeux disconnect."""
ATTEMPTS = 3
"""How often a request is sent that surely was not accepted before."""
DECIDED_AFTER = 2
"""Failures in a row after which these kinds of failure are believed."""
DECIDED_KINDS = ("refused", "unknown_host", "tls", "proxy")


class GmsCometd:
    """Opens chats with a GMS server over CometD.

    Args:
        rng: spreads the retries of many chats.
        config: the times of the Bayeux client; None for CometD's defaults.
    """

    on_simulator = False

    def __init__(
        self, *, rng: random.Random | None = None, config: bayeux.ClientConfig | None = None
    ) -> None:
        self._rng = rng or random.Random()
        self._config = config or bayeux.ClientConfig()

    def check(self, opening: Opening) -> None:
        """Refuse what this wire cannot do.

        Raises:
            ConfigError: no URL, a URL of another scheme, or an unknown option.
        """
        if not opening.url.startswith(("http://", "https://")):
            raise ConfigError(
                f"gms-cometd needs the http or https URL of the Bayeux server,"
                f" such as http://host:8080/genesys/cometd; got {opening.url!r}",
                key="server",
            )
        _names(opening.options)

    def running(self) -> AbstractAsyncContextManager[None]:
        """Nothing is shared between chats."""
        return nullcontext()

    def server_of(self, opening: Opening) -> str:
        """The URL as it was given."""
        return opening.url

    async def connect(
        self,
        opening: Opening,
        requests: AsyncIterator[Request],
        deliver: Deliver,
        *,
        task_status: trio.TaskStatus[None],
    ) -> None:
        """Carry one chat; see ``interfaces.Connector``."""
        self.check(opening)
        http = open_http(opening.url, opening.network, transport=opening.transport)
        try:
            one = Chat(opening, http, deliver, self._config, self._rng)
            with ungrouped():
                await one.carry(requests, task_status)
        finally:
            with trio.CancelScope(shield=True):
                await http.aclose()


class Chat:
    """One chat from its request to its goodbye."""

    __slots__ = (
        "_bound",
        "_call_error",
        "_channel",
        "_chat",
        "_deliver",
        "_interrupted",
        "_life",
        "_link",
        "_lot",
        "_names",
        "_nursery",
        "_open_error",
        "_opening",
        "_over",
        "_rebinding",
        "_refused",
        "_requested",
        "_stopped",
    )

    def __init__(
        self,
        opening: Opening,
        http: Http,
        deliver: Deliver,
        config: bayeux.ClientConfig,
        rng: random.Random,
    ) -> None:
        self._opening = opening
        self._deliver = deliver
        self._names = _names(opening.options)
        self._channel = self._names.channel.format(service=opening.service)
        self._chat = GmsChat(userdata=opening.userdata)
        self._link = BayeuxLink(
            http,
            bayeux.Client(config, jitter=rng.random),
            codec,
            self._on_bayeux,
            self._wake,
            max_network_delay=config.max_network_delay,
        )
        self._lot = trio.lowlevel.ParkingLot()
        self._life = trio.CancelScope(shield=True)
        self._over = trio.CancelScope()
        self._nursery: trio.Nursery | None = None
        self._requested = False
        self._bound = False
        self._rebinding: trio.CancelScope | None = None
        self._interrupted = False
        self._open_error: BotkitError | None = None
        self._call_error: ChatError | None = None
        self._refused: str | None = None
        self._stopped: str | None = None

    async def carry(
        self, requests: AsyncIterator[Request], task_status: trio.TaskStatus[None]
    ) -> None:
        """Open the chat, perform requests, leave."""
        async with trio.open_nursery() as self._nursery:
            self._nursery.start_soon(self._live, name="connect loop")
            try:
                await self._open()
                task_status.started()
                with self._over:
                    async for request in requests:
                        if type(request.command) is chat.Leave:
                            break
                        await self._perform(request)
            finally:
                try:
                    await self._leave()
                finally:
                    self._life.cancel()
                    if self._rebinding is not None:
                        self._rebinding.cancel()

    async def _live(self) -> None:
        """Run the connect loop until the goodbye is over, whatever is cancelled before."""
        with self._life:
            await self._link.run()
            self._wake()

    # --- opening ---

    async def _open(self) -> None:
        with trio.move_on_after(self._opening.open_within) as limit:
            await self._until_handshaken()
            await self._request_chat()
            await self._until(self._is_answered)
            self._raise_if_refused()
        if limit.cancelled_caught:
            raise self._not_opened()

    async def _until_handshaken(self) -> None:
        await self._until(lambda: self._link.client.client_id is not None or self._is_decided())
        self._raise_if_refused()

    async def _request_chat(self) -> None:
        """Subscribe and ask for the chat in one request; a refused subscribe is a warning."""
        data = gms_v2.encode_request_chat(
            nickname=self._opening.nickname,
            subject=self._opening.subject,
            userdata=self._opening.userdata,
        )
        client = self._link.client
        for attempt in range(ATTEMPTS):
            subscribe = client.subscribe(self._channel)
            publish = client.publish(self._channel, data)
            self._requested = True
            try:
                acks = await self._link.call(subscribe, publish)
            except (ConnectorError, RemoteProtocolError) as error:
                # Where it may have arrived, only the push can tell; asking twice opens two chats.
                if isinstance(error, RemoteProtocolError) or error.sent:
                    self._open_error = error
                    return
                self._requested = False
                if attempt + 1 == ATTEMPTS or error.kind in DECIDED_KINDS:
                    raise
                continue
            self._warn_if_unsubscribed(acks, subscribe)
            ack = acks.get(str(publish.id))
            if ack is None or ack.successful:
                self._bound = True
                return
            self._requested = False
            if client.client_id is not None:
                raise ChatRefused(*_code_and_text(ack))
            await self._until_handshaken()

    def _is_answered(self) -> bool:
        return self._chat.started or self._chat.refusal is not None or self._is_decided()

    def _is_decided(self) -> bool:
        """Whether more trying would tell nothing new."""
        if self._stopped is not None:
            return True
        error = self._link.last_error
        return (
            isinstance(error, ConnectorError)
            and error.kind in DECIDED_KINDS
            and self._link.failures >= DECIDED_AFTER
        )

    def _raise_if_refused(self) -> None:
        if self._chat.started:
            return
        refusal = self._chat.refusal
        if refusal is not None:
            raise ChatRefused(refusal.code, refusal.description)
        if self._is_decided():
            raise self._not_opened()

    def _not_opened(self) -> BotkitError:
        """Say why there is no chat, by what is known best."""
        if self._refused is not None:
            code = parse_error(self._refused).code
            return ChatRefused(code, f"the server refused the handshake: {self._refused}")
        if self._stopped is not None:
            return ChatRefused(None, f"the server forbade to go on: {self._stopped}")
        if (error := self._link.last_error or self._open_error) is not None:
            return error
        what = "the chat was requested and nothing came back" if self._requested else "no handshake"
        return ConnectorError(
            f"{self._opening.url}: {what} within {self._opening.open_within:g} s", kind="timeout"
        )

    # --- requests ---

    async def _perform(self, request: Request) -> None:
        error: BotkitError | None = None
        try:
            await self._send(request)
        except (ChatError, ConnectorError, RemoteProtocolError, LocalProtocolError) as caught:
            error = caught
        now = trio.current_time()
        self._deliver(Outcome(number=request.number, at=now, error=error))
        if error is None:
            self._tell(self._chat.confirm(request.command, now=now))

    async def _send(self, request: Request) -> None:
        """Publish a command; again only if it surely was not accepted."""
        for attempt in range(1, ATTEMPTS + 1):
            await self._until(lambda: self._bound)
            self._call_error = None
            try:
                ack = await self._publish(
                    gms_v2.encode_command(request.command, self._chat.secure_key, self._names)
                )
            except ConnectorError as error:
                if error.sent or attempt == ATTEMPTS:
                    raise
                await self._until(lambda: not self._interrupted)
                continue
            if ack is not None and not ack.successful:
                if self._bound:
                    raise ChatError(*_code_and_text(ack))
                continue
            if self._call_error is not None:
                raise self._call_error
            return
        raise ConnectorError(f"{self._opening.url} forgets the session again and again")

    async def _publish(self, data: Mapping[str, JSON]) -> bayeux.Acknowledged | None:
        message = self._link.client.publish(self._channel, dict(data))
        return (await self._link.call(message)).get(str(message.id))

    # --- what comes ---

    def _on_bayeux(self, event: bayeux.Event) -> None:
        """Take an event of the link; never waits."""
        match event:
            case bayeux.Delivered():
                if event.channel == self._channel:
                    self._on_push(event.data)
            case bayeux.Lost():
                self._interrupt(event.reason)
            case bayeux.Regained():
                # What the server wrote into the connection that broke is lost to it. Before there
                # is a key nothing can be asked for again.
                self._bound = self._bound and not self._chat.started
                self._start_rebinding()
            case bayeux.SessionUnknown():
                self._bound = False
                self._interrupt(event.error or "the server has forgotten the session")
            case bayeux.Handshaken(again=True):
                self._start_rebinding()
            case bayeux.Refused():
                self._refused = event.error
            case bayeux.Stopped():
                self._stopped = event.reason
                self._end(EndedBy.LOST, f"the server forbade to go on: {event.reason}")
            case bayeux.Handshaken() | bayeux.Connected() | bayeux.Acknowledged():
                pass
        self._wake()

    def _on_push(self, data: JSON) -> None:
        now = trio.current_time()
        try:
            events = self._chat.receive(data, now=now)
        except RemoteProtocolError as error:
            if not self._chat.started:
                self._chat.refusal = ChatError(None, f"the server sent a malformed push: {error}")
                return
            events = [self._chat.error(None, f"the server sent a malformed push: {error}", now=now)]
        self._tell(events)

    def _tell(self, events: list[Event]) -> None:
        for event in events:
            if type(event) is chat.Error:
                self._call_error = ChatError(event.code, event.description)
            self._deliver(event)
        if self._chat.ended:
            self._over.cancel()

    def _end(self, by: EndedBy, description: str) -> None:
        if self._chat.started:
            self._tell(self._chat.end(by, description, now=trio.current_time()))

    def _interrupt(self, reason: str) -> None:
        if self._chat.started and not self._interrupted and not self._chat.ended:
            self._interrupted = True
            self._deliver(self._chat.interrupted(reason, now=trio.current_time()))

    def _continue(self) -> None:
        if self._interrupted and self._bound and not self._chat.ended:
            self._interrupted = False
            self._deliver(self._chat.continued(now=trio.current_time()))

    # --- another session for the same chat ---

    def _start_rebinding(self) -> None:
        if self._chat.started and self._rebinding is None and self._nursery is not None:
            # The goodbye needs the binding as well, so it ends no sooner than that.
            self._rebinding = trio.CancelScope(shield=True)
            self._nursery.start_soon(self._rebind, self._rebinding, name="rebind")

    async def _rebind(self, scope: trio.CancelScope) -> None:
        """Bind the chat to the new session, and take up where the old one ended."""
        with scope:
            while not self._bound and not self._chat.ended and self._stopped is None:
                await self._until(lambda: self._link.client.client_id is not None)
                await self._bind_once()
        self._rebinding = None
        self._continue()
        self._wake()

    async def _bind_once(self) -> None:
        client = self._link.client
        subscribe = client.subscribe(self._channel)
        publish = client.publish(
            self._channel,
            gms_v2.encode_request_notifications(self._chat.secure_key, self._chat.resume_from),
        )
        try:
            acks = await self._link.call(subscribe, publish)
        except (ConnectorError, RemoteProtocolError) as error:
            log.debug("binding the chat again failed: %s", error)
            await trio.sleep(0.5)
            return
        ack = acks.get(str(publish.id))
        if ack is None or ack.successful:
            self._bound = True
        elif client.client_id is not None:
            self._end(EndedBy.LOST, f"the chat could not be taken up again: {ack.error}")

    def _warn_if_unsubscribed(
        self, acks: Mapping[str, bayeux.Acknowledged], subscribe: Message
    ) -> None:
        ack = acks.get(str(subscribe.id))
        if ack is not None and not ack.successful:
            # faye refuses it, and serves the chat all the same.
            log.info("the server refused to subscribe %s: %s", self._channel, ack.error)

    # --- leaving ---

    async def _leave(self) -> None:
        """Say goodbye, to the chat and to the Bayeux session; bounded and not to be cancelled."""
        began = trio.current_time()
        with trio.CancelScope(shield=True, deadline=began + LEAVE_LIMIT):
            with trio.CancelScope(deadline=began + LEAVE_LIMIT - DISCONNECT_RESERVE):
                await self._await_handshake(began)
                await self._leave_chat(began)
            try:
                await self._link.disconnect()
            except (ConnectorError, RemoteProtocolError) as error:
                log.debug("the Bayeux session could not be ended, it will expire: %s", error)
        self._end(EndedBy.UNCONFIRMED, "the service did not confirm that the chat was left")

    async def _await_handshake(self, began: float) -> None:
        """Let a handshake under way be answered: only who knows the session can end it."""
        client = self._link.client
        if client.client_id is None and client.is_asking and not self._chat.ended:
            with trio.CancelScope(deadline=began + HANDSHAKE_LIMIT):
                await self._until(lambda: client.client_id is not None or not client.is_asking)

    async def _leave_chat(self, began: float) -> None:
        if not self._requested or self._chat.ended or self._chat.refusal is not None:
            return
        if not self._chat.started:
            with trio.CancelScope(deadline=began + KEY_LIMIT):
                await self._until(lambda: self._is_answered())
        self._chat.leaving = True
        while self._chat.started and not self._chat.ended:
            try:
                ack = await self._publish(
                    gms_v2.encode_command(chat.Leave(), self._chat.secure_key, self._names)
                )
            except (ConnectorError, RemoteProtocolError, LocalProtocolError) as error:
                # To leave twice does no harm, so it is tried for as long as there is time.
                log.debug("leaving the chat failed: %s", error)
                await trio.sleep(0.2)
                continue
            if ack is None or ack.successful:
                await self._until(lambda: self._chat.ended)
            else:
                await trio.sleep(0.2)

    # --- waiting ---

    async def _until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; asked again after whatever happened."""
        while not holds():
            await self._lot.park()

    def _wake(self) -> None:
        if self._lot:
            self._lot.unpark_all()


def _names(options: Mapping[str, str]) -> GmsNames:
    known = {field.name for field in fields(GmsNames)}
    for name in options:
        if name not in known:
            raise ConfigError(
                f"gms-cometd has no option {name!r}; it has {', '.join(sorted(known))}",
                key=f"options.{name}",
            )
    return GmsNames(**options)


def _code_and_text(ack: bayeux.Acknowledged) -> tuple[int | None, str]:
    text = ack.error or "the server refused without a reason"
    return parse_error(text).code, text
