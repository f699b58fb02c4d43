"""How the servers of this world differ: numbers, habits and error texts of each.

Source: CometD's ``BayeuxServerImpl`` and ``AbstractHttpTransport`` (Java), its Node server, and
faye's ``protocol/server.js``, ``protocol/error.js`` and ``engines/memory.js``. A text that is not
known from there is marked as a guess.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from botkit.bayeux.advice import Advice, Reconnect
from botkit.bayeux.messages import Message, is_channel, is_channel_pattern

__all__ = ["COMETD", "COMETD_NODE", "FAYE", "OLD_UNKNOWN_CLIENT", "ErrorTexts", "Personality"]

OLD_UNKNOWN_CLIENT = "402::Unknown client"
"""What CometD up to 4.0.0 says to an unknown session; later ``402::session_unknown``."""

HANDSHAKE_AGAIN = Advice(reconnect=Reconnect.HANDSHAKE, interval=0.0)

COMETD_TEXT = re.compile(r"[A-Za-z0-9 !#$()*+\-./@_{}~]*\Z")
"""What CometD's Java server lets pass as a channel or an id.

Source: CometD, ``BayeuxServerImpl.validateMessage``.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorTexts:
    """The texts for what may be wrong; ``{}`` stands for what it is about.

    Args:
        unknown_session: about the clientId.
        missing: about the wire name of the member that is missing.
        missing_names: for single members that have a text of their own.
        channel_invalid: about the channel.
        channel_unknown: about a channel below /meta that does not exist.
        connection_types: about the types the client offered.
    """

    unknown_session: str = "402::session_unknown"
    missing: str = "400::{}_missing"  # guess, after channel_missing
    missing_names: Mapping[str, str] = field(
        default_factory=lambda: {"subscription": "403::subscription_missing"}
    )
    channel_invalid: str = "405::channel_invalid"
    id_invalid: str = "405::message_id_invalid"
    channel_forbidden: str = "403::subscribe_denied"
    channel_unknown: str = "404:{}:Unknown Channel"
    connection_types: str = "400::transport_unknown"  # guess
    too_many_sessions: str = "403::handshake_failed"
    too_many_subscriptions: str = "403::subscribe_failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Personality:
    """One kind of Bayeux server; times in seconds.

    Args:
        timeout: a connect is held for so long.
        interval: what clients are told to wait between connects.
        max_interval: a session lives for so long after a connect was answered.
        lifetime_from_request: instead, it lives for so long after its last connect came in.
        sends_max_interval: tell clients of ``max_interval`` in the advice.
        browser_cookie: sessions belong to a cookie, and are looked up through it.
        trust_client_session: accept a clientId without its cookie.
        max_sessions_per_browser: so many sessions of one cookie may have a connect held.
        multi_session_interval: what the others are told to wait instead; if 0, they are stopped.
        holds_first_connect: the first connect of a session is held like any other; else it is
            answered at once, and a client knows soon that all is well.
        duplicate_connect_status: HTTP status for the older of two connects of one session.
        handshake_alone: other messages beside a handshake are a protocol violation (status 500).
        always_advises: advice in every handshake and connect reply, not only when it changed.
        connect_only: events travel only in replies to connects.
        events_first: events stand before the replies in a body, not after them.
        repeats_client_id: replies carry the clientId of their request.
        publish_needs_session: a publish of an unknown session is refused.
        minimum_version: said in the handshake reply, if at all.
        handshake_again: advice to a connect of an unknown session.
        missing_first: complain of a missing member before an unknown session.
        service_subscribe: subscribing to /service/** is accepted (and means nothing).
        ack: agree to the acknowledgement extension where a client offers it.
        ack_with_batch: agree in the newer form, an object with the number of the first batch.
        timesync: tell the time where a client asks for it.
        connection_types: what it serves.
        hangs_up: a WebSocket is closed when a session on it is disconnected.
        text: what may be a channel or an id; None for the letter of the specification.
        max_sessions: further handshakes are refused.
        max_queue: a session for which more messages wait is removed.
        max_subscriptions: per session.
    """

    name: str = "cometd"
    timeout: float = 30.0
    interval: float = 0.0
    max_interval: float = 10.0
    lifetime_from_request: float | None = None
    sends_max_interval: bool = False
    browser_cookie: bool = True
    trust_client_session: bool = False
    max_sessions_per_browser: int = 1
    multi_session_interval: float = 2.0
    holds_first_connect: bool = False
    duplicate_connect_status: int = 500
    handshake_alone: bool = True
    always_advises: bool = False
    connect_only: bool = False
    events_first: bool = True
    repeats_client_id: bool = False
    publish_needs_session: bool = True
    minimum_version: str | None = "1.0"
    handshake_again: Advice = HANDSHAKE_AGAIN
    missing_first: bool = False
    service_subscribe: bool = True
    ack: bool = False
    ack_with_batch: bool = False
    timesync: bool = False
    text: re.Pattern[str] | None = COMETD_TEXT
    connection_types: tuple[str, ...] = ("websocket", "long-polling")
    hangs_up: bool = False
    errors: ErrorTexts = field(default_factory=ErrorTexts)
    max_sessions: int = 100_000
    max_queue: int = 10_000
    max_subscriptions: int = 1_000

    def invalid(self, message: Message) -> str | None:
        """Return the error for a channel or id that this server does not let pass."""
        channel, id = message.channel, message.id
        valid = is_channel(channel) if self.text is None else self.is_pattern(channel)
        if not valid:
            return self.errors.channel_invalid.format(channel)
        if self.text is not None and id is not None and not self.text.match(id):
            return self.errors.id_invalid
        return None

    def is_pattern(self, name: str) -> bool:
        """Whether this server lets the name pass as a subscription."""
        if self.text is None:
            return is_channel_pattern(name)
        return name.startswith("/") and self.text.match(name) is not None

    def lacks(self, name: str) -> str:
        """Return the error for a missing member, by its wire name."""
        return self.errors.missing_names.get(name, self.errors.missing).format(name)


COMETD = Personality()

COMETD_NODE = replace(
    COMETD,
    name="cometd-node",
    holds_first_connect=True,
    minimum_version=None,
    connection_types=("long-polling",),
)

FAYE = Personality(
    name="faye",
    timeout=60.0,
    lifetime_from_request=120.0,
    browser_cookie=False,
    holds_first_connect=True,
    duplicate_connect_status=200,
    handshake_alone=False,
    always_advises=True,
    connect_only=True,
    events_first=False,
    repeats_client_id=True,
    publish_needs_session=False,
    minimum_version=None,
    handshake_again=Advice(reconnect=Reconnect.HANDSHAKE),
    missing_first=True,
    service_subscribe=False,
    text=None,
    connection_types=("long-polling", "websocket"),
    hangs_up=True,
    errors=ErrorTexts(
        unknown_session="401:{}:Unknown client",
        missing="402:{}:Missing required parameter",
        missing_names={},
        channel_invalid="405:{}:Invalid channel",
        channel_forbidden="403:{}:Forbidden channel",
        channel_unknown="403:{}:Forbidden channel",
        connection_types="301:{}:Connection types not supported",
    ),
)
