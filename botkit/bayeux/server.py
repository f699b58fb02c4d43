"""The server half: many sessions, told what came and asked what to answer. No I/O, no clock.

How to drive it
---------------
For each request body or frame::

    exchange = server.receive(messages, now=now, browser=cookie, transport="long-polling")
    for event in server.take_events():          # SessionOpened, Published, SessionClosed, ...
        application(event)                       # may call server.deliver(...)
    if exchange.is_held:
        exchange.on_wake = woken.set
        ...wait for woken or until exchange.deadline...
    reply = server.respond(exchange, now)        # status, messages, cookie

What the application delivers before ``respond`` travels in that very reply, beside the
acknowledgement, as it does with CometD. If the peer has gone away before it was answered, call
``abandon(exchange, now)`` in place of ``respond``. One of the two must be called, once.

A timer calls ``expire(now)`` at ``next_deadline()``. On a WebSocket, events need no exchange:
``listen(session, wake)`` and ``take(session)`` push them. A session may go on over another kind
of connection at any connect: from then on it is served on that.

Where messages are acknowledged, they travel with the replies to connects alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from botkit.bayeux.acknowledging import SentBatches
from botkit.bayeux.advice import JSON
from botkit.bayeux.events import (
    CloseReason,
    Published,
    ServerEvent,
    SessionClosed,
    SessionOpened,
    Subscribed,
    Unsubscribed,
)
from botkit.bayeux.messages import (
    CONNECT,
    DISCONNECT,
    HANDSHAKE,
    SUBSCRIBE,
    UNSUBSCRIBE,
    Message,
    is_service,
)
from botkit.bayeux.personality import COMETD, Personality
from botkit.bayeux.replies import Authorize, Denial, Replies
from botkit.bayeux.sessions import Exchange, ServerSession, Sessions
from botkit.bayeux.states import SessionInput, SessionState
from botkit.errors import LocalProtocolError

__all__ = [
    "Authorize",
    "CloseReason",
    "Denial",
    "Exchange",
    "Published",
    "Reply",
    "Server",
    "ServerEvent",
    "SessionClosed",
    "SessionOpened",
    "Subscribed",
    "Unsubscribed",
]

LONG_POLLING = "long-polling"
WEBSOCKET = "websocket"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What to write: an HTTP response or, with status 200, a frame (none if it has no messages).

    Args:
        status: 200, or an error status without a body.
        set_cookie: value of the browser cookie to set.
    """

    status: int
    messages: tuple[Message, ...]
    set_cookie: str | None = None


class Server:
    """A Bayeux server of one personality.

    Args:
        personality: numbers, habits and texts.
        new_id: makes ids of sessions and browsers; they must be unique and hard to guess.
        authorize: may refuse a handshake, subscribe or publish.
        epoch: what to add to ``now`` to get the calendar time that clients are told, seconds.
    """

    def __init__(
        self,
        personality: Personality = COMETD,
        *,
        new_id: Callable[[], str],
        authorize: Authorize | None = None,
        epoch: float = 0.0,
    ) -> None:
        self._personality = personality
        self._replies = Replies(personality)
        self._new_id = new_id
        self._authorize = authorize
        self._epoch = epoch
        self._sessions = Sessions()
        self._events: list[ServerEvent] = []

    @property
    def sessions(self) -> tuple[str, ...]:
        """The ids of all sessions."""
        return tuple(session.id for session in self._sessions)

    def take_events(self) -> list[ServerEvent]:
        """Return what happened since the last call, in order."""
        taken, self._events = self._events, []
        return taken

    # A request comes in and its reply goes out.

    def receive(
        self,
        messages: Sequence[Message],
        *,
        now: float,
        browser: str | None = None,
        transport: str = LONG_POLLING,
    ) -> Exchange:
        """Process one body or frame.

        Args:
            messages: as decoded; a message without a channel is answered as the protocol says.
            browser: value of the cookie that came with it.
            transport: ``websocket`` sessions are found without a cookie and are never told to
                share their connects.
        """
        exchange = Exchange()
        browser = browser or None
        alone = len(messages) == 1
        if (
            not alone
            and self._personality.handshake_alone
            and any(message.channel == HANDSHAKE for message in messages)
        ):
            exchange.status = 500
            return exchange
        for message in messages:
            if self._personality.timesync:
                exchange.look_at_clock(message, now + self._epoch)
            if message.channel == HANDSHAKE:
                self._handshake(exchange, message, now, browser, transport)
            else:
                self._request(exchange, message, now, browser, transport, alone=alone)
        if exchange.session is not None and not exchange.is_held:
            exchange.session.open_exchanges += 1
        return exchange

    def respond(self, exchange: Exchange, now: float) -> Reply:
        """Finish an exchange and return what to write."""
        session = exchange.session
        held = exchange.deadline is not None
        self._close(exchange, now)
        if exchange.status != 200:
            return Reply(status=exchange.status, messages=())
        exchange.tell_time(now + self._epoch)
        events: list[Message] = []
        if session is not None and self._carries_events(exchange, session, held=held):
            events = session.take_queue()
            if session.sent is not None:
                events = exchange.number(session.sent, events)
        first, second = exchange.replies, events
        if self._personality.events_first:
            first, second = second, first
        return Reply(status=200, messages=(*first, *second), set_cookie=exchange.set_cookie)

    def abandon(self, exchange: Exchange, now: float) -> None:
        """Finish an exchange that nobody can be answered on; what waits keeps waiting."""
        session = exchange.session
        self._close(exchange, now)
        if session is not None:
            self._wake(session)

    def _close(self, exchange: Exchange, now: float) -> None:
        session = exchange.session
        if session is None:
            return
        if exchange.deadline is None:
            session.open_exchanges -= 1
            return
        self._settle(exchange, session)
        if session.poll is exchange:
            session.poll = None
            if session.state is SessionState.POLLED:
                session.move(SessionInput.ANSWERED)
                self._renew(session, now)

    def _carries_events(self, exchange: Exchange, session: ServerSession, *, held: bool) -> bool:
        if held or not self._is_connect_only(session):
            return True
        return any(reply.channel == CONNECT for reply in exchange.replies)

    def _is_connect_only(self, session: ServerSession) -> bool:
        """Whether events travel in replies to connects alone."""
        if session.sent is not None:
            return True
        return self._personality.connect_only and session.transport != WEBSOCKET

    def _settle(self, exchange: Exchange, session: ServerSession) -> None:
        """Turn the reply of a held connect around if its session has ended meanwhile."""
        if session.closed_by is None or not exchange.replies:
            return
        asked = exchange.replies[0]
        if session.closed_by is CloseReason.DISCONNECTED:
            exchange.replies[0] = self._replies.ended(asked)
        else:
            exchange.replies[0] = self._replies.unknown(asked, session.id)

    # The requests.

    def _handshake(
        self, exchange: Exchange, message: Message, now: float, browser: str | None, transport: str
    ) -> None:
        personality, replies = self._personality, self._replies
        refusal = replies.refuse_handshake(message, sessions=len(self._sessions)) or self._denied(
            message
        )
        if refusal is not None:
            exchange.replies.append(refusal)
            return
        if personality.browser_cookie and transport != WEBSOCKET and browser is None:
            browser = exchange.set_cookie = self._new_id()
        session = ServerSession(id=self._new_id(), browser=browser or "", transport=transport)
        session.last_advice = replies.advice()
        if personality.ack:
            session.sent = SentBatches.asked(message.ext)
        self._sessions.add(session)
        self._renew(session, now)
        self._events.append(SessionOpened(session=session.id, message=message))
        acknowledged = session.sent is not None
        exchange.replies.append(replies.welcome(message, session.id, acknowledged=acknowledged))

    def _request(
        self,
        exchange: Exchange,
        message: Message,
        now: float,
        browser: str | None,
        transport: str,
        *,
        alone: bool,
    ) -> None:
        session = self._find(message, browser, transport)
        refusal = self._replies.refuse(message, known=session is not None)
        if refusal is None and message.channel not in (CONNECT, DISCONNECT):
            refusal = self._denied(message)
        if refusal is not None:
            exchange.replies.append(refusal)
        elif session is None:
            # Only a server that lets anybody publish gets here.
            self._broadcast(message)
            exchange.replies.append(self._replies.success(message))
        elif message.channel == CONNECT:
            exchange.session = exchange.session or session
            self._move_to(session, transport)
            self._connect(exchange, session, message, now, alone=alone)
        else:
            exchange.session = exchange.session or session
            exchange.replies.append(self._perform(session, message))

    def _find(self, message: Message, browser: str | None, transport: str) -> ServerSession | None:
        """Look a session up, through the browser where this server has browsers."""
        personality = self._personality
        session = self._sessions.get(message.client_id or "")
        if session is None:
            return None
        trusts = personality.trust_client_session or not personality.browser_cookie
        if trusts or transport == WEBSOCKET or session.browser == browser:
            return session
        return None

    def _denied(self, message: Message) -> Message | None:
        denial = self._authorize(message) if self._authorize is not None else None
        return (
            None if denial is None else self._replies.failure(message, denial.error, denial.advice)
        )

    def _perform(self, session: ServerSession, message: Message) -> Message:
        """Do what a message other than a connect asks, and return its reply."""
        channels = message.subscription or ()
        if message.channel == SUBSCRIBE:
            return self._subscribe(session, message, channels)
        if message.channel == UNSUBSCRIBE:
            for channel in channels:
                self._sessions.unsubscribe(session, channel)
            self._events.append(Unsubscribed(session=session.id, channels=channels))
        elif message.channel == DISCONNECT:
            self._remove(session, CloseReason.DISCONNECTED)
        else:
            self._events.append(
                Published(
                    session=session.id, channel=message.channel, data=message.data, id=message.id
                )
            )
            self._broadcast(message)
        return self._replies.success(message)

    def _subscribe(
        self, session: ServerSession, message: Message, channels: tuple[str, ...]
    ) -> Message:
        for channel in channels:
            error = self._replies.refuse_subscription(channel)
            if error is not None:
                return self._replies.failure(message, error)
        broadcast = [channel for channel in channels if not is_service(channel)]
        if len(session.subscriptions) + len(broadcast) > self._personality.max_subscriptions:
            return self._replies.failure(message, self._personality.errors.too_many_subscriptions)
        for channel in broadcast:
            self._sessions.subscribe(session, channel)
        self._events.append(Subscribed(session=session.id, channels=channels))
        return self._replies.success(message)

    def _broadcast(self, message: Message) -> None:
        if not is_service(message.channel):
            delivery = Message(channel=message.channel, data=message.data)
            for subscriber in self._sessions.subscribers(message.channel):
                self._enqueue(subscriber, delivery)

    # Connects.

    def _move_to(self, session: ServerSession, transport: str) -> None:
        """Serve the session on the connection on which its connect came."""
        if transport != WEBSOCKET:
            session.on_push = None
        session.transport = transport

    def _connect(
        self,
        exchange: Exchange,
        session: ServerSession,
        message: Message,
        now: float,
        *,
        alone: bool,
    ) -> None:
        self._end_older(session)
        if session.sent is not None:
            session.sent.confirm(message.ext)
        crowded = self._is_crowded(session)
        exchange.replies.append(self._connect_reply(session, message, crowded=crowded))
        patience = self._personality.timeout
        if message.advice is not None and message.advice.timeout is not None:
            patience = min(patience, message.advice.timeout)
        lifetime = self._personality.lifetime_from_request
        if lifetime is not None:
            self._sessions.expire_at(session, now + lifetime)
        # On a WebSocket they are pushed beside the connect, unless they are to be acknowledged.
        pushed = session.transport == WEBSOCKET and session.sent is None
        waiting = session.waiting > 0 and not pushed
        may_hold = session.connected or self._personality.holds_first_connect
        session.connected = True
        if may_hold and alone and not crowded and not waiting and patience > 0:
            exchange.deadline = now + patience
            session.poll = exchange
            session.move(SessionInput.HELD)
            if lifetime is None:
                self._sessions.expire_at(session, None)
        else:
            session.move(SessionInput.ANSWERED)
            self._renew(session, now)

    def _end_older(self, session: ServerSession) -> None:
        """Displace the connect that is still held: a session has one at a time."""
        older, session.poll = session.poll, None
        if older is not None:
            older.status = self._personality.duplicate_connect_status
            # It ends as its session goes on, so it must not take the session's events.
            older.session = None
            session.move(SessionInput.ANSWERED)
            older.wake()

    def _is_crowded(self, session: ServerSession) -> bool:
        """Whether the browser has as many connects held as it may."""
        personality = self._personality
        if not personality.browser_cookie or session.transport == WEBSOCKET:
            return False
        siblings = self._sessions.of_browser(session.browser).values()
        held = sum(sibling.poll is not None for sibling in siblings)
        return held >= personality.max_sessions_per_browser

    def _connect_reply(self, session: ServerSession, message: Message, *, crowded: bool) -> Message:
        """Formulate the reply now; what has become of the session by the end is seen to then."""
        advice = self._replies.crowd_advice() if crowded else self._replies.advice()
        asked = message.advice is not None or session.only_resends
        told = crowded or asked or advice != session.last_advice
        session.last_advice = advice
        return self._replies.connected(message, advice, told=told)

    def _renew(self, session: ServerSession, now: float) -> None:
        """Restart the clock that runs until the next connect."""
        personality = self._personality
        if personality.lifetime_from_request is not None:
            if session.expires_at is None:
                self._sessions.expire_at(session, now + personality.lifetime_from_request)
            return
        told = session.last_advice.interval if session.last_advice is not None else None
        self._sessions.expire_at(session, now + (told or 0.0) + personality.max_interval)

    # What the application does.

    def deliver(self, session: str, channel: str, data: JSON) -> bool:
        """Send something to a client.

        Returns:
            Whether the session exists. Whether the message arrives nobody can tell.
        """
        found = self._sessions.get(session)
        if found is None:
            return False
        self._enqueue(found, Message(channel=channel, data=data))
        return True

    def forget(self, session: str) -> None:
        """Act as if the session had never been; its next request is refused."""
        found = self._sessions.get(session)
        if found is not None:
            self._remove(found, CloseReason.FORGOTTEN)

    def listen(self, session: str, on_push: Callable[[], None]) -> None:
        """Have a function called when something waits for a client on a WebSocket.

        Raises:
            LocalProtocolError: there is no such session.
        """
        found = self._sessions.get(session)
        if found is None:
            raise LocalProtocolError(f"there is no session {session!r}")
        found.on_push = on_push
        if found.queue and not self._is_connect_only(found):
            on_push()

    def unlisten(self, session: str, on_push: Callable[[], None]) -> None:
        """Have this function called no longer; another one that listens now is left alone."""
        found = self._sessions.get(session)
        if found is not None and found.on_push is on_push:
            found.on_push = None

    def take(self, session: str) -> tuple[Message, ...]:
        """Return what waits for a client, to be pushed in a frame of its own."""
        found = self._sessions.get(session)
        if found is None or self._is_connect_only(found):
            return ()
        return tuple(found.take_queue())

    def next_deadline(self) -> float | None:
        """Return when ``expire`` is due at the latest; nothing may have expired then."""
        return self._sessions.next_expiry()

    def expire(self, now: float) -> None:
        """Remove the sessions whose clients have not connected in time."""
        for session in self._sessions.pop_expired(now):
            self._remove(session, CloseReason.EXPIRED)

    def _enqueue(self, session: ServerSession, message: Message) -> None:
        session.queue.append(message)
        if session.waiting > self._personality.max_queue:
            self._remove(session, CloseReason.OVERFLOWED)
        else:
            self._wake(session)

    def _wake(self, session: ServerSession) -> None:
        """Let waiting events go, unless a reply that is due anyway will take them along."""
        if not session.queue:
            return
        connect_only = self._is_connect_only(session)
        if session.open_exchanges and not connect_only:
            return
        if session.on_push is not None and not connect_only:
            session.on_push()
        elif session.poll is not None:
            session.poll.wake()

    def _remove(self, session: ServerSession, reason: CloseReason) -> None:
        session.closed_by = reason
        session.move(SessionInput.REMOVED)
        self._sessions.remove(session)
        self._events.append(SessionClosed(session=session.id, reason=reason))
        if reason is not CloseReason.DISCONNECTED:
            session.queue.clear()
        if session.poll is not None:
            session.poll.wake()
