"""How a server words its replies, and what it refuses. Knows requests, not sessions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from botkit.bayeux.acknowledging import ACK
from botkit.bayeux.advice import JSON, Advice, Reconnect
from botkit.bayeux.messages import CONNECT, DISCONNECT, HANDSHAKE, Message, is_meta, is_service
from botkit.bayeux.personality import Personality
from botkit.bayeux.states import RULES, missing, rule_of

__all__ = ["Authorize", "Denial", "Replies"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """A refusal by the application, such as ``403::handshake_denied`` with advice ``none``."""

    error: str
    advice: Advice | None = None


Authorize: TypeAlias = Callable[[Message], Denial | None]
"""Asked about every handshake, subscribe and publish; None lets it pass."""


class Replies:
    """The replies of a server of one personality."""

    def __init__(self, personality: Personality) -> None:
        self._personality = personality

    # What is granted.

    def welcome(self, message: Message, session: str, *, acknowledged: bool) -> Message:
        """Grant a handshake, and where it was asked for the acknowledgement of messages."""
        return Message(
            channel=HANDSHAKE,
            id=message.id,
            successful=True,
            client_id=session,
            version="1.0",
            minimum_version=self._personality.minimum_version,
            supported_connection_types=self._personality.connection_types,
            advice=self.advice(),
            ext=self._agreement() if acknowledged else None,
        )

    def _agreement(self) -> dict[str, JSON]:
        newer = self._personality.ack_with_batch
        return {ACK: {"enabled": True, "batch": 0} if newer else True}

    def connected(self, message: Message, advice: Advice, *, told: bool) -> Message:
        """Answer a connect; a session that is advised to stop is not granted another one."""
        return Message(
            channel=CONNECT,
            id=message.id,
            client_id=self._repeated(message),
            successful=advice.reconnect is not Reconnect.NONE,
            advice=advice if told or self._personality.always_advises else None,
        )

    def ended(self, message: Message) -> Message:
        """Answer a connect that was held when its session was disconnected."""
        return Message(
            channel=CONNECT,
            id=message.id,
            client_id=self._repeated(message),
            successful=True,
            advice=Advice(reconnect=Reconnect.NONE),
        )

    def success(self, message: Message) -> Message:
        """Grant any other request."""
        return Message(
            channel=message.channel,
            id=message.id,
            client_id=self._repeated(message),
            successful=True,
            subscription=message.subscription,
        )

    def advice(self) -> Advice:
        """Return what clients are told as a rule."""
        personality = self._personality
        return Advice(
            reconnect=Reconnect.RETRY,
            interval=personality.interval,
            timeout=personality.timeout,
            max_interval=personality.max_interval if personality.sends_max_interval else None,
        )

    def crowd_advice(self) -> Advice:
        """Return what a session is told whose browser has too many connects held."""
        interval = self._personality.multi_session_interval
        if interval <= 0:
            return Advice(reconnect=Reconnect.NONE, multiple_clients=True)
        return Advice(reconnect=Reconnect.RETRY, interval=interval, multiple_clients=True)

    # What is refused.

    def failure(self, message: Message, error: str, advice: Advice | None = None) -> Message:
        """Refuse a request."""
        personality = self._personality
        if (
            advice is None
            and personality.always_advises
            and message.channel in (HANDSHAKE, CONNECT)
        ):
            advice = personality.handshake_again
        # A clientId that was refused itself is not repeated.
        repeats = message.channel not in (CONNECT, DISCONNECT)
        return Message(
            channel=message.channel,
            id=message.id,
            client_id=self._repeated(message) if repeats else None,
            successful=False,
            error=error,
            subscription=message.subscription,
            advice=advice,
        )

    def unknown(self, message: Message, client_id: str) -> Message:
        """Refuse an unknown session; only replies to connects say what to do about it."""
        error = self._personality.errors.unknown_session.format(client_id)
        advice = self._personality.handshake_again if message.channel == CONNECT else None
        return self.failure(message, error, advice)

    def refuse_handshake(self, message: Message, *, sessions: int) -> Message | None:
        """Refuse a handshake that is incomplete or one too many; None if it is neither."""
        personality = self._personality
        types = message.supported_connection_types or ()
        absent = missing(message, RULES[HANDSHAKE].request)
        if absent:
            return self.failure(message, personality.lacks(absent[0]))
        if not set(types) & set(personality.connection_types):
            return self.failure(
                message, personality.errors.connection_types.format(",".join(types))
            )
        if sessions >= personality.max_sessions:
            return self.failure(message, personality.errors.too_many_sessions)
        return None

    def refuse(self, message: Message, *, known: bool) -> Message | None:
        """Refuse any other request that breaks the rules; None if it breaks none.

        Args:
            message: the request.
            known: its session exists.
        """
        personality = self._personality
        error = self._misaddressed(message)
        if error is not None:
            return self.failure(message, error)
        absent = missing(message, rule_of(message.channel).request)
        if absent and personality.missing_first:
            return self.failure(message, personality.lacks(absent[0]))
        if not known and (is_meta(message.channel) or personality.publish_needs_session):
            return self.unknown(message, message.client_id or "")
        if absent:
            return self.failure(message, personality.lacks(absent[0]))
        type = message.connection_type
        if message.channel == CONNECT and type not in personality.connection_types:
            return self.failure(message, personality.errors.connection_types.format(type))
        return None

    def _misaddressed(self, message: Message) -> str | None:
        if not message.channel:
            return self._personality.lacks("channel")
        error = self._personality.invalid(message)
        if error is None and is_meta(message.channel) and message.channel not in RULES:
            return self._personality.errors.channel_unknown.format(message.channel)
        return error

    def refuse_subscription(self, channel: str) -> str | None:
        """Return the error for a channel that nobody may subscribe to, or None."""
        personality, errors = self._personality, self._personality.errors
        if is_meta(channel) or (is_service(channel) and not personality.service_subscribe):
            return errors.channel_forbidden.format(channel)
        if not personality.is_pattern(channel):
            return errors.channel_invalid.format(channel)
        return None

    def _repeated(self, message: Message) -> str | None:
        return message.client_id if self._personality.repeats_client_id else None
