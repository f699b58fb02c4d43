"""The WebSockets of one web messaging chat, one after another.

Theory of operation. :meth:`GuestConnection.run` opens a WebSocket, configures the session on it,
fetches what was said meanwhile, and reads until it is lost; then it begins again, every few seconds
with some jitter, until the chat is over or the service has been away for too long. While the chat
is being left it does not give up: only a connection can bring the goodbye.

A session that the service *begins* where an old one should go on means that the old one is gone.
The new one is closed at once, for nobody wants it.

All of it works on the one connection that there is at a time, which is why it stands on one page.

Source: official Kotlin SDK, ``MessagingClientImpl`` and ``ReconnectionHandler``.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Awaitable, Callable
from functools import partial

import trio

from botkit.chat import EndedBy
from botkit.connectors.guest_history import GuestHistory, settle_doubts
from botkit.connectors.guest_link import GuestLink, answer_of, is_closed_session, is_session, new_id
from botkit.connectors.guest_login import GuestLogin
from botkit.connectors.guest_options import Endpoints, GuestOptions
from botkit.connectors.guest_outlet import GuestOutlet
from botkit.connectors.http.patience import asked_of
from botkit.connectors.polling import Backoff
from botkit.connectors.waiting import Waiting
from botkit.connectors.websocket import WebSocket
from botkit.errors import BotkitError, ChatError, ConfigError, ConnectorError, RemoteProtocolError
from botkit.genesys.guest_chat import GuestChat
from botkit.genesys.guest_failures import (
    TEMPORARY,
    FailureKind,
    GuestRefusal,
    failure_of,
    is_temporary,
)
from botkit.genesys.web_records import (
    HEALTH_CHECK,
    GuestMessage,
    JourneyContext,
    Request,
    SessionInfo,
    is_join,
)

__all__ = ["GuestConnection"]

log = logging.getLogger(__name__)

ATTEMPT_LIMIT = 10.0
"""Seconds for opening a WebSocket, and again for configuring its session."""
CLOSE_LIMIT = 0.2
PAUSE = 0.3
"""Seconds between attempts, about, while the chat is left."""
OPENING = Backoff(first=PAUSE, longest=3.0)
"""Between attempts while the chat is opened."""
FIRST_PAUSE = 1.0
"""Seconds before the first attempt to win a connection back, at most: clients that lost theirs in
one moment do not return in one moment."""
ECHO_LIMIT = 10.0
"""Seconds that the answer to a health check may take."""
DECIDED_AFTER = 2
"""Failures in a row after which these kinds of failure are believed."""
DECIDED_KINDS = ("refused", "unknown_host", "tls", "proxy")


class GuestConnection:
    """Keeps one chat connected.

    Args:
        connect: opens a WebSocket.
        prepare: called before the first WebSocket; what it raises is a failed attempt.
        greet: called when a new session was opened, before the chat begins.
        rng: spreads the attempts of many chats.

    Attributes:
        is_configured: the service knows whose WebSocket this is.
        is_online: lines may be sent.
        is_asked: there may be a session of this chat.
        refusal: why there is no chat, in the service's words; None while there may be one.
        lost: why the chat was given up; None while it was not.
        error: the latest failure.
    """

    __slots__ = (
        "_attempts",
        "_chat",
        "_connect",
        "_endpoints",
        "_failures",
        "_greet",
        "_greeted",
        "_history",
        "_hurry",
        "_leaving",
        "_link",
        "_login",
        "_loss",
        "_lost_at",
        "_missing",
        "_options",
        "_outlet",
        "_prepare",
        "_prepared",
        "_renewing",
        "_restoring",
        "_rng",
        "_scope",
        "_wait",
        "_waiting",
        "error",
        "is_asked",
        "is_configured",
        "is_online",
        "lost",
        "refusal",
    )

    def __init__(
        self,
        guest_chat: GuestChat,
        outlet: GuestOutlet,
        link: GuestLink,
        waiting: Waiting,
        *,
        options: GuestOptions,
        endpoints: Endpoints,
        history: GuestHistory,
        login: GuestLogin,
        connect: Callable[[], Awaitable[WebSocket]],
        prepare: Callable[[], Awaitable[None]],
        greet: Callable[[], Awaitable[None]],
        restoring: bool,
        rng: random.Random,
    ) -> None:
        self.is_configured = False
        self.is_online = False
        self.is_asked = restoring
        self.refusal: ChatError | None = None
        self.lost: str | None = None
        self.error: BotkitError | None = None
        self._chat = guest_chat
        self._outlet = outlet
        self._link = link
        self._waiting = waiting
        self._options = options
        self._endpoints = endpoints
        self._history = history
        self._login = login
        self._connect = connect
        self._prepare = prepare
        self._prepared = False
        self._greet = greet
        self._greeted = restoring
        self._restoring = restoring
        self._rng = rng
        self._attempts = 0
        self._failures = 0
        self._loss: BotkitError | None = None
        self._lost_at: float | None = None
        self._renewing: ChatError | None = None
        # Of the present WebSocket.
        self._scope: trio.CancelScope | None = None
        self._wait = 0.0
        self._leaving = False
        self._hurry = trio.Event()
        self._missing = trio.Event()

    @property
    def is_decided(self) -> bool:
        """Whether more trying would tell nothing new about a chat that is not open yet."""
        if self.refusal is not None or isinstance(self.error, ConfigError):
            return True
        if self._outlet.has_begun:
            return False
        return (
            isinstance(self.error, ConnectorError)
            and self.error.kind in DECIDED_KINDS
            and self._failures >= DECIDED_AFTER
        )

    def leave(self) -> None:
        """Be connected for the goodbye alone, and at once."""
        self._leaving = True
        self._hurry.set()
        self._waiting.wake()

    def drop(self) -> None:
        """Give the present WebSocket up, for another one."""
        if self._scope is not None:
            self._scope.cancel()

    def take_refusal(self, refusal: ChatError) -> None:
        """Give the present WebSocket up, and draw the conclusions from what the service said."""
        self._loss = refusal
        self.drop()

    async def run(self) -> None:
        """Stay connected, until this is cancelled."""
        while True:
            await self._waiting.until(lambda: not self._has_given_up())
            try:
                await self._connect_once()
            except ChatError as error:
                self._on_refused(error)
            except (ConnectorError, RemoteProtocolError, ConfigError) as error:
                self._on_lost(error)
            self._waiting.wake()
            await self._pause()

    def _has_given_up(self) -> bool:
        if self._leaving:
            return False
        return self._chat.ended or self.lost is not None or self.is_decided

    # --- one WebSocket ---

    async def _connect_once(self) -> None:
        self._loss = None
        with trio.move_on_after(ATTEMPT_LIMIT) as limit:
            jwt = await self._be_ready()
            socket = await self._connect()
        if limit.cancelled_caught:
            raise ConnectorError(f"{self._endpoints.socket} does not answer", kind="timeout")
        self._link.attach(socket)
        try:
            with trio.CancelScope() as self._scope:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._use, self._scope, self._link.read)
                    nursery.start_soon(self._use, self._scope, partial(self._hold_on, jwt))
        finally:
            self.is_configured = self.is_online = False
            self._link.detach(self._why_lost())
            with trio.CancelScope(shield=True, deadline=trio.current_time() + CLOSE_LIMIT):
                await socket.aclose()
        if self._loss is not None:
            raise self._loss

    async def _use(self, scope: trio.CancelScope, work: Callable[[], Awaitable[None]]) -> None:
        """Do a part of what a WebSocket is for; where it fails, the WebSocket is given up.

        The error is kept instead of raised: a nursery would put it into a group with whatever is
        cancelled in the same moment.
        """
        try:
            await work()
        except (ChatError, ConnectorError, RemoteProtocolError) as error:
            if self._loss is None or isinstance(error, ChatError):
                self._loss = error
        scope.cancel()

    async def _hold_on(self, jwt: str) -> None:
        await self._take_up(jwt)
        await self._watch(jwt)

    def _why_lost(self) -> BotkitError:
        return self._loss or ConnectorError("the connection was given up", kind="lost")

    async def _be_ready(self) -> str:
        """Do what comes before a WebSocket; gives the JWT of an authenticated session."""
        if not self._prepared:
            await self._prepare()
            self._prepared = True
        if not self._options.is_authenticated:
            return ""
        if self._renewing is not None:
            await self._login.renew(self._renewing)
            self._renewing = None
        jwt = await self._login.jwt()
        self._chat.refresh_token = self._login.refresh_token
        return jwt

    async def _take_up(self, jwt: str) -> None:
        """Make the session this WebSocket's own, and catch up with it."""
        begins = not self._chat.started and not self._restoring
        info = await self._configure(jwt, start_new=self._options.start_new and begins)
        if begins and info.read_only and not self._leaving:
            # An earlier conversation of this customer has ended there.
            info = await self._configure(jwt, start_new=True)
        self._login.worked()
        self._failures = 0
        self.is_configured = True
        self._waiting.wake()
        if self._leaving:
            return
        await (self._begin(info, jwt) if begins else self._go_on(info, jwt))
        self.is_online = not self._chat.ended
        self._lost_at = None
        self._outlet.resume()
        self._waiting.wake()

    async def _begin(self, info: SessionInfo, jwt: str) -> None:
        """Begin the chat; a session that was opened for nothing is closed again."""
        said: list[GuestMessage] = []
        try:
            self._chat.attributes.limit = info.max_custom_data_bytes
            self._chat.attributes.check()
            if self._greeted:
                # The first attempt broke off; the history shows how far it got.
                said = await self._history.fetch(jwt)
            if not (self._chat.has_joined or any(map(is_join, said))):
                self._greeted = True
                await self._greet()
                # An end that came with the answer is an end before the beginning.
                await trio.lowlevel.checkpoint()
        except ChatError as error:
            if not is_temporary(error):
                await self._close_in_vain(error)
            raise
        now = trio.current_time()
        events = self._chat.configured(info, now=now)
        if self._chat.refusal is not None:
            raise self._chat.refusal
        self._outlet.tell(events + self._chat.fill(said, now=now))

    async def _go_on(self, info: SessionInfo, jwt: str) -> None:
        """Go on with the chat, if the service still has it."""
        if info.new_session:
            await self._close_unwanted()
        self._outlet.tell(self._chat.configured(info, now=trio.current_time()))
        if self._chat.refusal is not None:
            raise self._chat.refusal
        if not self._chat.ended:
            await self._fill_gap(jwt)

    async def _configure(self, jwt: str, *, start_new: bool) -> SessionInfo:
        customer = self._options.customer_id
        request = Request(
            action="configureAuthenticatedSession" if jwt else "configureSession",
            token=self._chat.token,
            tracing_id=new_id(),
            deployment_id=self._endpoints.deployment_id,
            start_new=start_new,
            journey=JourneyContext(customer_id=customer) if customer else None,
            auth_code=jwt,
        )
        self.is_asked = True
        with trio.move_on_after(ATTEMPT_LIMIT):
            frame = await self._link.call(request, is_session)
            failure = failure_of(frame)
            if failure is not None and not (is_temporary(failure) or self._restoring):
                self.is_asked = self._chat.started
            return answer_of(frame, SessionInfo)
        raise ConnectorError("the service did not configure the session in time", kind="timeout")

    async def _close_unwanted(self) -> None:
        """Close a session that nobody wants, lest an agent gets it."""
        await self.close_session()
        self.is_asked = False

    async def _close_in_vain(self, refusal: ChatError) -> None:
        """Close a session that brought no chat; why it did not matters more than how that went."""
        try:
            await self._close_unwanted()
        except ChatError as error:
            log.debug("the session that was refused (%s) is not closed: %s", refusal, error)

    async def close_session(self) -> None:
        """Close the session for everybody who has its token.

        Raises:
            ChatError: the service refused.
            ConnectorError: there is no connection, or it broke, or no answer came.
        """
        request = Request(
            action="closeSession",
            token=self._chat.token,
            tracing_id=new_id(),
            close_all_connections=True,
        )
        frame = await self._link.call(request, is_closed_session)
        failure = failure_of(frame)
        if failure is not None:
            raise failure

    async def _watch(self, jwt: str) -> None:
        """Ask an idle service whether it is still there; official clients do it twice a minute.

        What could not be read is looked up.

        Raises:
            ConnectorError: it does not answer.
        """
        every = self._options.echo_every or float("inf")
        while True:
            with trio.move_on_at(self._link.heard_at + every):
                await self._missing.wait()
            if self._missing.is_set():
                self._missing = trio.Event()
                await self._catch_up(jwt)
            elif trio.current_time() >= self._link.heard_at + every:
                await self._ping()

    async def _ping(self) -> None:
        ping = GuestMessage(text="ping")
        request = Request(
            action="echo", token=self._chat.token, tracing_id=HEALTH_CHECK, message=ping
        )
        with trio.move_on_after(ECHO_LIMIT):
            pong = await self._link.call(request, lambda frame: frame.tracing_id == HEALTH_CHECK)
            failure = failure_of(pong)
            if failure is not None and failure.kind is FailureKind.EXPIRED:
                raise failure
            return
        raise ConnectorError("the service does not answer health checks", kind="lost")

    # --- what was said meanwhile ---

    def miss(self) -> None:
        """Take note that something came which could not be read."""
        self._missing.set()

    async def _catch_up(self, jwt: str) -> None:
        """Look up what could not be read; where that fails, it is owned up to."""
        if self._leaving or not self._options.history:
            return
        self._chat.open_gap()
        try:
            await self._fill_gap(jwt)
        except (ChatError, RemoteProtocolError) as error:
            now = trio.current_time()
            events = self._chat.fill([], now=now)
            text = f"what could not be read is not known from the history, either: {error}"
            self._outlet.tell([*events, self._chat.error(None, text, now=now)])

    async def _fill_gap(self, jwt: str) -> None:
        messages = await self._history.fetch(jwt) if self._options.history else []
        now = trio.current_time()
        events = self._chat.fill(messages, now=now)
        settle_doubts(self._link.lines(), events)
        self._outlet.tell(events)
        if not self._options.history and not self._chat.ended:
            text = "what was said meanwhile is unknown, for the history is not fetched"
            self._outlet.tell([self._chat.error(None, text, now=now)])

    # --- losses ---

    def _on_refused(self, error: ChatError) -> None:
        """Draw the conclusions from what the service refused."""
        kind = error.kind if isinstance(error, GuestRefusal) else FailureKind.REFUSED
        is_open = self._chat.started
        if kind is FailureKind.SIGN_IN and self._options.is_authenticated:
            self._renewing = self._renewing or error
            self._on_lost(error)
        elif kind is FailureKind.NEW_TOKEN and not is_open and not self._restoring:
            self._chat.token = new_id()
            self._on_lost(error)
        elif kind in TEMPORARY:
            self._wait = getattr(error, "retry_after", 0.0)
            self._on_lost(error)
        elif not is_open:
            self.refusal = error
            # What has expired needs no goodbye.
            self.is_asked = self.is_asked and kind is not FailureKind.EXPIRED
        elif kind is FailureKind.EXPIRED:
            self._outlet.end(EndedBy.SERVICE, str(error))
        else:
            self.lost = f"the chat could not be taken up again: {error}"

    def _on_lost(self, error: BotkitError) -> None:
        self.error = error
        if not self._leaving:
            self._wait = max(self._wait, asked_of(error))
        self._failures += 1
        if not self._outlet.has_begun or self._leaving:
            return
        self._outlet.interrupt(str(error))
        now = trio.current_time()
        if self._lost_at is None:
            self._lost_at = now
        elif now - self._lost_at >= self._options.reconnect_for:
            self.lost = f"no connection for {self._options.reconnect_for:g} s: {error}"

    async def _pause(self) -> None:
        """Let some time pass before the next attempt; a goodbye is in a hurry."""
        wait, self._wait = self._wait, 0.0
        if self._leaving:
            await trio.sleep(max(wait, PAUSE * (0.5 + self._rng.random())))
            return
        if not self._outlet.has_begun:
            self._attempts += 1
            await trio.sleep(max(wait, OPENING.wait(self._attempts, self._rng.random())))
            return
        if self._failures <= 1:
            pause = FIRST_PAUSE * self._rng.random()
        else:
            pause = self._options.reconnect_every * (0.8 + 0.4 * self._rng.random())
        with trio.move_on_after(max(wait, pause)):
            await self._hurry.wait()
