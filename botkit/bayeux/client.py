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
``is_asking`` turns false. ``connection_type`` says which of the two the next request is made for.

A message that failed because its session is gone surely was not accepted
(``Acknowledged.unknown_session``). While ``in_doubt``, what becomes of the session is not known
yet: send nothing again until it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from botkit.bayeux.acknowledging import answers
from botkit.bayeux.advice import JSON, Advice, Reconnect
from botkit.bayeux.config import ClientConfig
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
from botkit.bayeux.extensions import ClientExtensions
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
from botkit.bayeux.pace import Pace
from botkit.bayeux.requests import Requests
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


class Client:
    """One Bayeux session after the other, seen from the client.

    Args:
        config: times and types.
        jitter: returns a number from 0 to 1, such as ``random.Random(seed).random``. It spreads
            the backoff, so that clients that were lost together do not return together.
        client_id: resume this session with a connect instead of a handshake; ``Regained`` tells
            that it worked, ``SessionUnknown`` that it did not.
        batch: with it, the last batch that was read of that session, as ``batch`` told; None if
            the acknowledgement extension was not agreed on.
    """

    __slots__ = (
        "_again",
        "_asked",
        "_client_id",
        "_config",
        "_connected",
        "_connection_type",
        "_doubted",
        "_extensions",
        "_held",
        "_pace",
        "_requests",
        "_state",
        "_stop_reason",
    )

    def __init__(
        self,
        config: ClientConfig | None = None,
        *,
        jitter: Callable[[], float],
        client_id: str | None = None,
        batch: int | None = None,
    ) -> None:
        self._config = config = config or ClientConfig()
        self._connection_type = config.connection_type
        self._client_id = client_id
        self._state = ClientState.UNCONNECTED if client_id is None else ClientState.IDLE
        self._again = client_id is not None
        self._requests = Requests(config.max_pending)
        # The connect loop's request; whether the server holds it; the one that decides a doubt.
        self._asked: Message | None = None
        self._held = False
        self._doubted: Message | None = None
        self._pace = Pace(config, jitter)
        # None: this session has had no successful connect yet. False: the last one failed, which
        # is also how a session begins that was connected before this object existed.
        self._connected: bool | None = None if client_id is None else False
        self._stop_reason = ""
        self._extensions = ClientExtensions(config, batch)

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
        return self._pace.advice

    @property
    def is_connected(self) -> bool:
        """Whether the latest connect of this session succeeded."""
        return self._connected is True

    @property
    def is_asking(self) -> bool:
        """Whether a handshake or connect is under way."""
        return self._asked is not None

    @property
    def in_doubt(self) -> bool:
        """Whether a reply has told that the session is gone and the connect under way decides."""
        return self._asked is not None and self._doubted is self._asked

    @property
    def connection_type(self) -> str:
        """What the next request is to go over."""
        return self._connection_type

    @property
    def batch(self) -> int | None:
        """The last batch that was read; None where the server acknowledges nothing."""
        batches = self._extensions.batches
        return None if batches is None else batches.batch

    @property
    def lag(self) -> float | None:
        """Seconds that a message takes to the server; None where that was not measured."""
        clock = self._extensions.clock
        return None if clock is None else clock.lag

    @property
    def clock_offset(self) -> float | None:
        """What to add to the caller's time to get the server's; None where not measured."""
        clock = self._extensions.clock
        return None if clock is None else clock.offset

    def use(self, connection_type: str) -> None:
        """Make the next requests over another connection; the session stays the same.

        Raises:
            LocalProtocolError: it is not one of those that the handshake offers.
        """
        if connection_type not in self._config.supported_connection_types:
            raise LocalProtocolError(f"this client does not offer {connection_type!r}")
        self._connection_type = connection_type
        self._pace.switch(connection_type)

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
        if now < self._pace.not_before:
            return Wait(until=self._pace.not_before)
        if self._state is ClientState.UNCONNECTED:
            return self._handshake(now)
        return self._connect(now)

    def hurry(self) -> None:
        """Back off no longer before the next request; what the server asked to wait still holds.

        Once, for who has something to say that will be of no use later, such as a goodbye.
        """
        self._pace.hurry()

    def is_due(self, now: float) -> bool:
        """Whether the connect loop has something to ask at once, or is asking it."""
        if self._state is ClientState.CLOSED:
            return False
        return self._asked is not None or now >= self._pace.not_before

    def _handshake(self, now: float) -> Handshake:
        config = self._config
        self._held = False
        self._asked = self._requests.handshake(
            config.supported_connection_types, self._extensions.offer(now)
        )
        self._move(ClientInput.ASKED)
        return Handshake(messages=(self._asked,), deadline=now + config.max_network_delay)

    def _connect(self, now: float) -> Connect:
        # The first connect of a session and the first after a loss return at once, so that
        # the application learns without delay that it is connected.
        self._held = held = self._connected is True
        self._asked = self._requests.connect(
            self._client_id, self._connection_type, self._extensions.connect(now), held=held
        )
        self._move(ClientInput.ASKED)
        patience = self._config.max_network_delay
        if held:
            patience += max(0.0, self._pace.advice.timeout or 0.0)
        return Connect(messages=(self._asked,), deadline=now + patience, held=held)

    def request_failed(
        self, now: float, reason: str = "", *, retry_after: float = 0.0
    ) -> list[Event]:
        """Take note that the connect loop's request will get no answer.

        Does nothing if none is under way, so that it may be called after any exchange.

        Args:
            retry_after: seconds that the server asked to be left alone for.
        """
        return self._failed(now, reason, retry_after) if self._asked is not None else []

    # What everybody else asks.

    def publish(self, channel: str, data: JSON) -> Message:
        """Build a publish; send it once, and only once.

        Raises:
            LocalProtocolError: there is no session, or nobody may publish to this channel.
        """
        return self._requests.publish(self._client_id, channel, data)

    def subscribe(self, *channels: str) -> Message:
        """Build a subscription to one or more channels or patterns."""
        return self._requests.beside(self._client_id, SUBSCRIBE, subscription=channels)

    def unsubscribe(self, *channels: str) -> Message:
        """Build the end of one or more subscriptions."""
        return self._requests.beside(self._client_id, UNSUBSCRIBE, subscription=channels)

    def disconnect(self) -> Message | None:
        """End the session; the connect loop will be told to stop.

        Returns:
            The message to send, or None if there is no session to end.
        """
        client_id, self._client_id = self._client_id, None
        self._stop("disconnected")
        return None if client_id is None else self._requests.beside(client_id, DISCONNECT)

    def forget(self, message: Message) -> None:
        """Take note that this message will get no reply."""
        self._requests.forget(message)

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
            What happened, in the order of the messages. Replies to nothing we asked, second
            replies, and what an acknowledging server repeats, are nothing that happened.
        """
        asked = self._asked
        self._extensions.begin(messages, asked)
        events: list[Event] = []
        for message in messages:
            events += self._receive_one(message, now)
        self._extensions.end(messages, asked)
        if ends_request:
            events += self.request_failed(now, "the response did not answer the request")
        return events

    def _receive_one(self, message: Message, now: float) -> Iterable[Event]:
        channel = message.channel
        if message.successful is None and not is_meta(channel):
            return self._delivered(message)
        if channel in (HANDSHAKE, CONNECT):
            asked = self._asked
            if asked is None or not answers(message, asked):
                return ()
            self._asked = None
            self._pace.heed(message.advice, self._connection_type)
            self._extensions.answered(message, now)
            if channel == HANDSHAKE:
                return self._handshake_answered(message, now)
            return self._connect_answered(message, now)
        return self._acknowledge(message, now)

    def _delivered(self, message: Message) -> Iterable[Event]:
        channel, data = message.channel, message.data
        self._pace.heed(message.advice, self._connection_type)
        if not channel or data is None or self._extensions.repeats(channel, data):
            return ()
        return (Delivered(channel=channel, data=data, id=message.id),)

    def _handshake_answered(self, reply: Message, now: float) -> list[Event]:
        absent = missing(reply, ("client_id",))
        if not reply.successful or absent:
            error = reply.error or (f"the reply lacks {absent[0]}" if reply.successful else "")
            return [Refused(error=error, advice=reply.advice), *self._failed(now, error)]
        if not self._settle_on(reply.supported_connection_types):
            offered = " or ".join(self._config.supported_connection_types)
            error = f"the server does not offer {offered}"
            return [Refused(error=error, advice=reply.advice), self._stopped(error)]
        self._client_id = reply.client_id
        self._move(ClientInput.ANSWERED)
        self._connected = None
        again, self._again = self._again, True
        begun: list[Event] = [
            Handshaken(client_id=str(reply.client_id), again=again, ext=reply.ext)
        ]
        self._pace.begin(now)
        if self._pace.must_stop:
            return [*begun, self._stopped("the server advised not to connect")]
        return begun

    def _settle_on(self, offered: tuple[str, ...] | None) -> bool:
        """Find a connection type that both sides have; the present one if that is possible."""
        if offered is None or self._connection_type in offered:
            return True
        ours = self._config.supported_connection_types
        common = next((name for name in ours if name in offered), None)
        if common is not None:
            self.use(common)
        return common is not None

    def _connect_answered(self, reply: Message, now: float) -> list[Event]:
        error = reply.error or ""
        if self._tells_loss(reply):
            return [self._session_lost(now, error)]
        if not reply.successful:
            return self._failed(now, error)
        self._move(ClientInput.ANSWERED)
        before, self._connected = self._connected, True
        self._pace.succeed(now)
        events: list[Event] = []
        if before is not True:
            events.append(Connected() if before is None else Regained())
        if self._pace.must_stop:
            events.append(self._stopped("the server advised not to reconnect"))
        return events

    def _acknowledge(self, reply: Message, now: float) -> list[Event]:
        answered = self._requests.take(reply)
        if answered is None:
            return []
        id, pending = answered
        # A late reply that concerns an earlier session says nothing about this one.
        concerns_us = pending.client_id == self._client_id
        if concerns_us:
            self._pace.heed(reply.advice, self._connection_type)
        events: list[Event] = [
            Acknowledged(
                id=id,
                channel=reply.channel,
                successful=bool(reply.successful),
                error=None if reply.successful else reply.error or "",
                unknown_session=refuses_session(reply),
                message=reply,
            )
        ]
        if concerns_us and self._state is not ClientState.CLOSED and self._tells_loss(reply):
            if self._asked is None or self._held:
                events.append(self._session_lost(now, reply.error or ""))
            else:
                # The answer to this connect is due at once, and it comes with advice.
                self._doubted = self._asked
        return events

    def _tells_loss(self, reply: Message) -> bool:
        """Whether a reply says that the session is gone."""
        if self._pace.asks_for_handshake:
            return True
        told = reply.advice is not None and reply.advice.reconnect is not None
        return not told and refuses_session(reply)

    # What follows from it.

    def _move(self, input: ClientInput) -> None:
        self._state = CLIENT_TABLE[self._state][input]

    def _failed(self, now: float, reason: str, retry_after: float = 0.0) -> list[Event]:
        """Handle a handshake or connect without success: back off, or give up."""
        self._asked = None
        events: list[Event] = []
        if self._connected:
            self._connected = False
            events.append(Lost(reason=reason))
        if self._pace.must_stop:
            return [*events, self._stopped(reason or "the server advised not to reconnect")]
        self._move(ClientInput.FAILED)
        self._pace.back_off(now, retry_after)
        if self._state is ClientState.IDLE and self._pace.is_overdue(now):
            events.append(self._unknown("the server has dropped the session by now"))
        return events

    def _session_lost(self, now: float, error: str) -> SessionUnknown:
        if self._connected is None:
            # It was lost at birth: without a pause, a server that forgets every session at once
            # would be asked for handshakes in a tight loop.
            self._pace.back_off(now)
        else:
            self._pace.begin_again(now)
        return self._unknown(error)

    def _unknown(self, error: str) -> SessionUnknown:
        self._asked = None
        lost = SessionUnknown(client_id=self._client_id or "", error=error)
        self._client_id = None
        self._connected = None
        self._extensions.end_session()
        self._move(ClientInput.SESSION_LOST)
        return lost

    def _stopped(self, reason: str) -> Stopped:
        self._stop(reason)
        return Stopped(reason=reason)

    def _stop(self, reason: str) -> None:
        self._asked = None
        self._stop_reason = self._stop_reason or reason
        self._move(ClientInput.STOPPED)


def refuses_session(reply: Message) -> bool:
    """Whether a request was refused because its session is gone.

    The advice decides. Only where there is none does the text: CometD attaches no advice to a
    failed publish, and faye uses the number 402 for a missing parameter.
    """
    if reply.successful:
        return False
    if reply.advice is not None and reply.advice.reconnect is Reconnect.HANDSHAKE:
        return True
    return parse_error(reply.error or "").is_unknown_session
