"""The client half: one session, kept alive by a chain of connects. No I/O, no clock.

How to drive it
---------------
One task is the *connect loop*. It asks ``next_action(now)`` and does what that says: send the
messages of a ``Handshake`` or ``Connect`` and give up at its deadline, sleep until ``Wait.until``,
or end on ``Stop``. It hands what comes back to ``receive(..., ends_request=True)``, or calls
``request_failed(now)`` where nothing sensible came (refused, cut off, late, HTTP status other than
200, not JSON).

Everybody else builds messages (``publish``, ``subscribe``, ``unsubscribe``, ``disconnect``), sends
them on another connection, and hands the replies to ``receive(...)``. Where that connection broke,
``forget(message)`` tells that no acknowledgement will come; nothing is ever sent again by itself.

Both calls return events, in the order of the wire. Any reply may carry any event. After
``SessionUnknown`` a connect that is still under way is void: cancel it and go on with
``next_action``. On a WebSocket the same loop works with ``ends_request=False``; it waits until
``is_asking`` turns false.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import count

from botkit.bayeux.advice import DEFAULT_ADVICE, JSON, Advice, Reconnect
from botkit.bayeux.events import (
    Acknowledged,
    Action,
    Connect,
    Connected,
    Delivered,
    Event,
    Handshake,
    Handshaken,
    Lost,
    Refused,
    Regained,
    SessionUnknown,
    Stop,
    Stopped,
    Wait,
)
from botkit.bayeux.messages import (
    CONNECT,
    DISCONNECT,
    HANDSHAKE,
    SUBSCRIBE,
    UNSUBSCRIBE,
    Message,
    is_meta,
    parse_error,
)
from botkit.bayeux.states import CLIENT_TABLE, ClientInput, ClientState, missing
from botkit.errors import LocalProtocolError

__all__ = [
    "Acknowledged",
    "Action",
    "Client",
    "ClientConfig",
    "Connect",
    "Connected",
    "Delivered",
    "Event",
    "Handshake",
    "Handshaken",
    "Lost",
    "Refused",
    "Regained",
    "SessionUnknown",
    "Stop",
    "Stopped",
    "Wait",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientConfig:
    """What a client is told once; times in seconds.

    Args:
        connection_type: what the connect says; ``long-polling`` or ``websocket``.
        supported_connection_types: what the handshake offers.
        max_network_delay: a reply that is not held may take so long.
        backoff_increment: each failure in a row adds so much to the wait before the next attempt.
        max_backoff: and never more than this.
        advice: holds where the server advises nothing.
        ext: goes with every handshake.
        max_pending: so many publishes may wait for their acknowledgement; the oldest is forgotten.

    Source: the defaults of CometD's Java client.
    """

    connection_type: str = "long-polling"
    supported_connection_types: tuple[str, ...] = ("long-polling",)
    max_network_delay: float = 10.0
    backoff_increment: float = 1.0
    max_backoff: float = 30.0
    advice: Advice = DEFAULT_ADVICE
    ext: dict[str, JSON] | None = None
    max_pending: int = 1_000


@dataclass(frozen=True, slots=True)
class Pending:
    """A message beside the connect loop that waits for its reply."""

    channel: str
    client_id: str


class Client:
    """One Bayeux session after the other, seen from the client.

    Args:
        config: times and types.
        jitter: returns a number from 0 to 1, such as ``random.Random(seed).random``. It spreads
            the backoff, so that clients that were lost together do not return together.
        client_id: resume this session with a connect instead of a handshake; ``Regained`` tells
            that it worked, ``SessionUnknown`` that it did not.
    """

    __slots__ = (
        "_advice",
        "_again",
        "_asked",
        "_client_id",
        "_config",
        "_connected",
        "_failures",
        "_ids",
        "_jitter",
        "_not_before",
        "_pending",
        "_state",
        "_stop_reason",
        "_unconnected_since",
    )

    def __init__(
        self,
        config: ClientConfig | None = None,
        *,
        jitter: Callable[[], float],
        client_id: str | None = None,
    ) -> None:
        self._config = config or ClientConfig()
        self._jitter = jitter
        self._client_id = client_id
        self._state = ClientState.UNCONNECTED if client_id is None else ClientState.IDLE
        self._again = client_id is not None
        self._ids = count(1)
        self._asked: Message | None = None
        self._pending: dict[str, Pending] = {}
        self._advice = self._config.advice
        self._not_before = float("-inf")
        self._failures = 0
        # None: this session has had no successful connect yet. False: the last one failed, which
        # is also how a session begins that was connected before this object existed.
        self._connected: bool | None = None if client_id is None else False
        self._unconnected_since: float | None = None
        self._stop_reason = ""

    @property
    def client_id(self) -> str | None:
        """The session's id; None while there is none."""
        return self._client_id

    @property
    def state(self) -> ClientState:
        """Where the connect loop stands."""
        return self._state

    @property
    def advice(self) -> Advice:
        """The advice in force, complete."""
        return self._advice

    @property
    def is_asking(self) -> bool:
        """Whether a handshake or connect is under way."""
        return self._asked is not None

    # What the connect loop asks.

    def next_action(self, now: float) -> Action:
        """Say what the connect loop has to do now.

        Raises:
            LocalProtocolError: the last request was neither answered nor reported as failed.
        """
        if self._state is ClientState.CLOSED:
            return Stop(reason=self._stop_reason)
        if self._asked is not None:
            raise LocalProtocolError(f"{self._asked.channel} {self._asked.id} is still under way")
        if now < self._not_before:
            return Wait(until=self._not_before)
        if self._state is ClientState.UNCONNECTED:
            return self._handshake(now)
        return self._connect(now)

    def _handshake(self, now: float) -> Handshake:
        config = self._config
        self._asked = Message(
            channel=HANDSHAKE,
            id=str(next(self._ids)),
            version="1.0",
            minimum_version="1.0",
            supported_connection_types=config.supported_connection_types,
            ext=config.ext,
        )
        self._move(ClientInput.ASKED)
        return Handshake(messages=(self._asked,), deadline=now + config.max_network_delay)

    def _connect(self, now: float) -> Connect:
        # The first connect of a session and the first after a loss return at once, so that
        # the application learns without delay that it is connected.
        held = self._connected is True
        self._asked = Message(
            channel=CONNECT,
            id=str(next(self._ids)),
            client_id=self._client_id,
            connection_type=self._config.connection_type,
            advice=None if held else Advice(timeout=0.0),
        )
        self._move(ClientInput.ASKED)
        patience = self._config.max_network_delay
        if held:
            patience += max(0.0, self._advice.timeout or 0.0)
        return Connect(messages=(self._asked,), deadline=now + patience, held=held)

    def request_failed(self, now: float, reason: str = "") -> list[Event]:
        """Take note that the connect loop's request will get no answer.

        Does nothing if none is under way, so that it may be called after any exchange.
        """
        return self._failed(now, reason) if self._asked is not None else []

    # What everybody else asks.

    def publish(self, channel: str, data: JSON) -> Message:
        """Build a publish; send it once, and only once.

        Raises:
            LocalProtocolError: there is no session, or nobody may publish to this channel.
        """
        if not channel.startswith("/") or is_meta(channel):
            raise LocalProtocolError(f"nobody can publish to the channel {channel!r}")
        if data is None:
            raise LocalProtocolError("a publish carries data")
        return self._request(channel, data=data)

    def subscribe(self, *channels: str) -> Message:
        """Build a subscription to one or more channels or patterns."""
        return self._request(SUBSCRIBE, subscription=channels)

    def unsubscribe(self, *channels: str) -> Message:
        """Build the end of one or more subscriptions."""
        return self._request(UNSUBSCRIBE, subscription=channels)

    def disconnect(self) -> Message | None:
        """End the session; the connect loop will be told to stop.

        Returns:
            The message to send, or None if there is no session to end.
        """
        message = self._request(DISCONNECT) if self._client_id is not None else None
        self._stop("disconnected")
        self._client_id = None
        return message

    def forget(self, message: Message) -> None:
        """Take note that this message will get no reply."""
        if message.id is not None:
            self._pending.pop(message.id, None)

    def _request(
        self, channel: str, *, data: JSON = None, subscription: tuple[str, ...] | None = None
    ) -> Message:
        if self._client_id is None:
            raise LocalProtocolError("there is no session")
        if subscription == ():
            raise LocalProtocolError("a subscription names at least one channel")
        if len(self._pending) >= self._config.max_pending:
            del self._pending[next(iter(self._pending))]
        message = Message(
            channel=channel,
            id=str(next(self._ids)),
            client_id=self._client_id,
            data=data,
            subscription=subscription,
        )
        self._pending[str(message.id)] = Pending(channel, self._client_id)
        return message

    # What comes back.

    def receive(
        self, messages: Sequence[Message], now: float, *, ends_request: bool = False
    ) -> list[Event]:
        """Process what the server sent, all of it, whichever request it came back for.

        Args:
            messages: of one response or frame, as decoded.
            now: the time of the caller's clock.
            ends_request: this is all that will come back for the connect loop's request (a long
                polling response to it). If the answer is not in it, the request has failed.

        Returns:
            What happened, in the order of the messages. Replies to nothing we asked, and second
            replies, are nothing that happened.
        """
        events: list[Event] = []
        for message in messages:
            events += self._receive_one(message, now)
        if ends_request:
            events += self.request_failed(now, "the response did not answer the request")
        return events

    def _receive_one(self, message: Message, now: float) -> Iterable[Event]:
        channel = message.channel
        if message.successful is None and not is_meta(channel):
            self._heed(message)
            if not channel or message.data is None:
                return ()
            return (Delivered(channel=channel, data=message.data, id=message.id),)
        if channel in (HANDSHAKE, CONNECT):
            asked = self._asked
            if asked is None or asked.channel != channel or message.id not in (asked.id, None):
                return ()
            self._asked = None
            self._heed(message)
            if channel == HANDSHAKE:
                return self._handshake_answered(message, now)
            return self._connect_answered(message, now)
        return self._acknowledge(message, now)

    def _heed(self, message: Message) -> None:
        """Let new advice replace the old; what it leaves open falls back to our configuration."""
        if message.advice is not None:
            mine = message.advice.on(self._config.connection_type)
            self._advice = mine.over(self._config.advice)

    def _handshake_answered(self, reply: Message, now: float) -> list[Event]:
        absent = missing(reply, ("client_id",))
        if not reply.successful or absent:
            error = reply.error or (f"the reply lacks {absent[0]}" if reply.successful else "")
            return [Refused(error=error, advice=reply.advice), *self._failed(now, error)]
        offered = reply.supported_connection_types
        if offered is not None and self._config.connection_type not in offered:
            error = f"the server does not offer {self._config.connection_type}"
            return [Refused(error=error, advice=reply.advice), self._stopped(error)]
        self._client_id = reply.client_id
        self._move(ClientInput.ANSWERED)
        # Without this, a server that gives no advice here would be asked for handshakes forever.
        if self._advice.reconnect is Reconnect.HANDSHAKE:
            self._advice = Advice(reconnect=Reconnect.RETRY).over(self._advice)
        self._connected = None
        self._unconnected_since = None
        again, self._again = self._again, True
        begun: list[Event] = [
            Handshaken(client_id=str(reply.client_id), again=again, ext=reply.ext)
        ]
        if self._must_stop():
            return [*begun, self._stopped("the server advised not to connect")]
        self._not_before = now + self._interval()
        return begun

    def _connect_answered(self, reply: Message, now: float) -> list[Event]:
        error = reply.error or ""
        if self._tells_loss(reply):
            return [self._session_lost(now, error)]
        if not reply.successful:
            return self._failed(now, error)
        self._move(ClientInput.ANSWERED)
        before, self._connected = self._connected, True
        self._failures = 0
        self._unconnected_since = None
        self._not_before = now + self._interval()
        events: list[Event] = []
        if before is not True:
            events.append(Connected() if before is None else Regained())
        if self._must_stop():
            events.append(self._stopped("the server advised not to reconnect"))
        return events

    def _acknowledge(self, reply: Message, now: float) -> list[Event]:
        id = self._pending_id(reply)
        pending = self._pending.pop(id, None) if id is not None else None
        if id is None or pending is None:
            return []
        # A late reply that concerns an earlier session says nothing about this one.
        concerns_us = pending.client_id == self._client_id
        if concerns_us:
            self._heed(reply)
        events: list[Event] = [
            Acknowledged(
                id=id,
                channel=reply.channel,
                successful=bool(reply.successful),
                error=None if reply.successful else reply.error or "",
                message=reply,
            )
        ]
        if concerns_us and self._state is not ClientState.CLOSED and self._tells_loss(reply):
            events.append(self._session_lost(now, reply.error or ""))
        return events

    def _pending_id(self, reply: Message) -> str | None:
        """Find what a reply answers: by id, or by channel where the server repeats no id."""
        if reply.id is not None:
            known = self._pending.get(reply.id)
            return reply.id if known is not None and known.channel == reply.channel else None
        return next(
            (id for id, pending in self._pending.items() if pending.channel == reply.channel), None
        )

    def _tells_loss(self, reply: Message) -> bool:
        """Whether a reply says that the session is gone.

        The advice decides. Only where there is none does the text: CometD attaches no advice to
        a failed publish, and faye uses the number 402 for a missing parameter.
        """
        if self._advice.reconnect is Reconnect.HANDSHAKE:
            return True
        if reply.successful or (reply.advice is not None and reply.advice.reconnect is not None):
            return False
        return parse_error(reply.error or "").is_unknown_session

    # What follows from it.

    def _move(self, input: ClientInput) -> None:
        self._state = CLIENT_TABLE[self._state][input]

    def _failed(self, now: float, reason: str) -> list[Event]:
        """Handle a handshake or connect without success: back off, or give up."""
        self._asked = None
        events: list[Event] = []
        if self._connected:
            self._connected = False
            events.append(Lost(reason=reason))
        if self._must_stop():
            return [*events, self._stopped(reason or "the server advised not to reconnect")]
        self._move(ClientInput.FAILED)
        self._failures += 1
        pause = self._pause()
        self._not_before = now + pause
        if self._state is ClientState.IDLE and self._is_overdue(now, pause):
            events.append(self._session_lost(now, "the server has dropped the session by now"))
            self._not_before = now + pause
        return events

    def _is_overdue(self, now: float, pause: float) -> bool:
        """Whether the server will have dropped the session before the next attempt."""
        if self._unconnected_since is None:
            self._unconnected_since = now
        advice = self._advice
        if not advice.max_interval or advice.max_interval < 0:
            return False
        patience = (advice.timeout or 0.0) + (advice.interval or 0.0) + advice.max_interval
        return now - self._unconnected_since + pause > patience

    def _session_lost(self, now: float, error: str) -> SessionUnknown:
        self._asked = None
        lost = SessionUnknown(client_id=self._client_id or "", error=error)
        if self._connected is None:
            # It was lost at birth: without a pause, a server that forgets every session at once
            # would be asked for handshakes in a tight loop.
            self._failures += 1
            self._not_before = now + self._pause()
        else:
            self._not_before = now + self._interval()
        self._client_id = None
        self._connected = None
        self._move(ClientInput.SESSION_LOST)
        return lost

    def _pause(self) -> float:
        """Return the wait after a failure: the server's interval and our backoff."""
        config = self._config
        backoff = min(self._failures * config.backoff_increment, config.max_backoff)
        return self._interval() + backoff * (0.5 + 0.5 * self._jitter())

    def _interval(self) -> float:
        """Return the wait that the server asked for."""
        return max(0.0, self._advice.interval or 0.0)

    def _must_stop(self) -> bool:
        # A negative interval forbids the next connect just as "none" does.
        return self._advice.reconnect is Reconnect.NONE or (self._advice.interval or 0.0) < 0

    def _stopped(self, reason: str) -> Stopped:
        self._stop(reason)
        return Stopped(reason=reason)

    def _stop(self, reason: str) -> None:
        self._asked = None
        self._stop_reason = self._stop_reason or reason
        self._move(ClientInput.STOPPED)
