"""What the two halves tell whoever drives them: the client's actions and events, the server's."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from botkit.bayeux.advice import JSON, Advice
from botkit.bayeux.messages import Message
from botkit.records import quickly_made

__all__ = [
    "Acknowledged",
    "Action",
    "CloseReason",
    "Connect",
    "Connected",
    "Delivered",
    "Event",
    "Handshake",
    "Handshaken",
    "Lost",
    "Published",
    "Refused",
    "Regained",
    "ServerEvent",
    "SessionClosed",
    "SessionOpened",
    "SessionUnknown",
    "Stop",
    "Stopped",
    "Subscribed",
    "Unsubscribed",
    "Wait",
]

# What the client wants done.


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Handshake:
    """Send these messages, alone, and give up at the deadline."""

    messages: tuple[Message, ...]
    deadline: float


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """Send these messages, alone, and give up at the deadline.

    Args:
        held: the server will keep it waiting; False for the first after a handshake or a loss.
    """

    messages: tuple[Message, ...]
    deadline: float
    held: bool


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """Ask again at this time."""

    until: float


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """The connect loop is over."""

    reason: str


Action: TypeAlias = Handshake | Connect | Wait | Stop

# What happened to the client.


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Handshaken:
    """A session begins.

    Args:
        again: there was another before it; its subscriptions are gone and what the application
            had bound to it must be bound again.
    """

    client_id: str
    again: bool
    ext: dict[str, JSON] | None


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """The first connect of a session succeeded."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """The server delivered something to a channel.

    Args:
        id: mostly absent: servers push without one.
    """

    channel: str
    data: JSON
    id: str | None


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """A publish, subscribe, unsubscribe or disconnect was answered; comes once for each.

    Args:
        id: of the message as it was built.
        error: the server's text if it was not successful, maybe empty.
        unknown_session: it surely was not accepted, because its session is gone; whether
            ``SessionUnknown`` follows is known when the client is not ``in_doubt``.
        message: the whole reply.
    """

    id: str
    channel: str
    successful: bool
    error: str | None
    unknown_session: bool
    message: Message


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A connect failed after one had succeeded; comes once until ``Regained`` or ``Handshaken``."""

    reason: str


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Regained:
    """A connect succeeded after ``Lost``, and the session is still the same."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class SessionUnknown:
    """The session is over for the server; a connect under way is void, a handshake is due."""

    client_id: str
    error: str


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A handshake was answered with no; unless ``Stopped`` follows it will be tried again."""

    error: str
    advice: Advice | None


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """The server forbade to go on."""

    reason: str


Event: TypeAlias = (
    Handshaken
    | Connected
    | Delivered
    | Acknowledged
    | Lost
    | Regained
    | SessionUnknown
    | Refused
    | Stopped
)


# What happened at the server.


class CloseReason(Enum):
    """Why a session ended."""

    DISCONNECTED = "disconnected"
    """The client said so."""
    EXPIRED = "expired"
    """No connect came in time."""
    FORGOTTEN = "forgotten"
    """The application had it forgotten."""
    OVERFLOWED = "overflowed"
    """More messages waited for it than the server keeps."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOpened:
    """A handshake succeeded."""

    session: str
    message: Message


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A client published; the acknowledgement is under way already."""

    session: str
    channel: str
    data: JSON
    id: str | None


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribed:
    """A client subscribed, to service channels too, where that is accepted."""

    session: str
    channels: tuple[str, ...]


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribed:
    """A client ended subscriptions."""

    session: str
    channels: tuple[str, ...]


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class SessionClosed:
    """A session is gone, and with it what waited for it."""

    session: str
    reason: CloseReason


ServerEvent: TypeAlias = SessionOpened | Published | Subscribed | Unsubscribed | SessionClosed
