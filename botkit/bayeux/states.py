"""The rules of both sides: who may do what when, and what a message must carry.

Theory of operation
-------------------
A Bayeux session is one chain of connects. The client opens it with a handshake and then always
has one connect under way, which the server holds until it has something to say; each answered
connect is followed by the next. Everything else (publish, subscribe) goes beside that chain and
changes nothing in it, with one exception: its reply may tell that the session is gone.

So both sides keep a single state each, and the two tables below describe the same chain::

    client                                   server, for each session

    UNCONNECTED --ASKED--> HANDSHAKING
         ^                     |
         |<------FAILED--------|
         |                 ANSWERED          (session begins)
         |                     v             IDLE <----------------+
         |<----SESSION_LOST-- IDLE            |                    |
         |                    |  ^            | HELD            ANSWERED,
         |                  ASKED|            v                 ABANDONED
         |                    v  | ANSWERED  POLLED ---------------+
         +<----SESSION_LOST-- POLLING         |
                               (FAILED: IDLE) | REMOVED (from anywhere)
    STOPPED leads from anywhere to CLOSED    GONE

A rule for one side has its counterpart in the same place: what the client is allowed to ask in a
state is what the server expects in the corresponding one, and ``RULES`` says what every request
and reply must carry, which the builders of one side and the checks of the other both use.

Source: Bayeux specification, sections "Client state table" and "Server state table"; the states
there are finer, since they count messages under way instead of naming who waits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType

from botkit.bayeux.messages import CONNECT, DISCONNECT, HANDSHAKE, SUBSCRIBE, UNSUBSCRIBE, Message

__all__ = [
    "CLIENT_TABLE",
    "PUBLISH_RULE",
    "RULES",
    "SERVER_TABLE",
    "ClientInput",
    "ClientState",
    "Rule",
    "SessionInput",
    "SessionState",
    "missing",
    "rule_of",
]


class ClientState(Enum):
    """Where the client's connect loop stands."""

    UNCONNECTED = auto()
    """No session; a handshake is due."""
    HANDSHAKING = auto()
    """A handshake is under way."""
    IDLE = auto()
    """A session; a connect is due."""
    POLLING = auto()
    """A connect is under way."""
    CLOSED = auto()
    """Nothing will be asked any more."""


class ClientInput(Enum):
    """What moves the client."""

    ASKED = auto()
    """The request that was due has been handed out."""
    ANSWERED = auto()
    """It succeeded."""
    FAILED = auto()
    """It got no answer, or was refused with leave to try again."""
    SESSION_LOST = auto()
    """The server does not know the session, or must have dropped it by now."""
    STOPPED = auto()
    """We disconnect, or the server forbids to go on."""


CLIENT_TABLE: Mapping[ClientState, Mapping[ClientInput, ClientState]] = {
    ClientState.UNCONNECTED: {
        ClientInput.ASKED: ClientState.HANDSHAKING,
        ClientInput.STOPPED: ClientState.CLOSED,
    },
    ClientState.HANDSHAKING: {
        ClientInput.ANSWERED: ClientState.IDLE,
        ClientInput.FAILED: ClientState.UNCONNECTED,
        ClientInput.STOPPED: ClientState.CLOSED,
    },
    ClientState.IDLE: {
        ClientInput.ASKED: ClientState.POLLING,
        ClientInput.SESSION_LOST: ClientState.UNCONNECTED,
        ClientInput.STOPPED: ClientState.CLOSED,
    },
    ClientState.POLLING: {
        ClientInput.ANSWERED: ClientState.IDLE,
        ClientInput.FAILED: ClientState.IDLE,
        ClientInput.SESSION_LOST: ClientState.UNCONNECTED,
        ClientInput.STOPPED: ClientState.CLOSED,
    },
    ClientState.CLOSED: {ClientInput.STOPPED: ClientState.CLOSED},
}


class SessionState(Enum):
    """Where one session of the server stands."""

    IDLE = auto()
    """No connect is held; the clock of maxInterval runs."""
    POLLED = auto()
    """A connect is held."""
    GONE = auto()
    """Disconnected, expired or forgotten; its id means nothing any more."""


class SessionInput(Enum):
    """What moves a session of the server."""

    HELD = auto()
    """A connect came and is kept waiting. On a polled session it displaces the older one."""
    ANSWERED = auto()
    """A connect was answered, at once or after it was held."""
    ABANDONED = auto()
    """The peer closed the connection on which a connect was held."""
    REMOVED = auto()
    """Disconnected, expired or forgotten."""


SERVER_TABLE: Mapping[SessionState, Mapping[SessionInput, SessionState]] = {
    SessionState.IDLE: {
        SessionInput.HELD: SessionState.POLLED,
        SessionInput.ANSWERED: SessionState.IDLE,
        SessionInput.REMOVED: SessionState.GONE,
    },
    SessionState.POLLED: {
        SessionInput.HELD: SessionState.POLLED,
        SessionInput.ANSWERED: SessionState.IDLE,
        SessionInput.ABANDONED: SessionState.IDLE,
        SessionInput.REMOVED: SessionState.GONE,
    },
    SessionState.GONE: {},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What the messages of one channel must carry, as attributes of ``Message``.

    Args:
        request: checked by the server, kept by the client's builders.
        reply: kept by the server in successful replies. The client insists on the clientId alone,
            since servers are careless about the rest and nothing depends on it.
    """

    request: tuple[str, ...] = ()
    reply: tuple[str, ...] = ()


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        HANDSHAKE: Rule(
            request=("version", "supported_connection_types"),
            reply=("client_id", "version", "supported_connection_types"),
        ),
        CONNECT: Rule(request=("client_id", "connection_type")),
        SUBSCRIBE: Rule(request=("client_id", "subscription"), reply=("subscription",)),
        UNSUBSCRIBE: Rule(request=("client_id", "subscription"), reply=("subscription",)),
        DISCONNECT: Rule(request=("client_id",)),
    }
)
"""Source: Bayeux specification, section "Meta message field definitions"."""

PUBLISH_RULE = Rule(request=("data",))
"""A publish may leave out its clientId; a cookie or a socket can stand in for it."""

WIRE_NAMES: Mapping[str, str] = {
    "client_id": "clientId",
    "connection_type": "connectionType",
    "supported_connection_types": "supportedConnectionTypes",
}


def rule_of(channel: str) -> Rule:
    """Return the rule for requests on this channel."""
    return RULES.get(channel, PUBLISH_RULE)


def missing(message: Message, required: tuple[str, ...]) -> list[str]:
    """Return the wire names of the members that a message lacks."""
    return [
        WIRE_NAMES.get(name, name)
        for name in required
        if getattr(message, name) is None or getattr(message, name) in ("", ())
    ]
