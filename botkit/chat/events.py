"""What happens in a chat, as the customer's side sees it.

One word runs through all layers: the class ``AgentConnected`` is the hook ``on_agent_connected``
and the YAML key ``agent_connected``. ``Other`` alone has no hook: it is for the record.

An event is stamped and numbered when it is read off the wire, by the one object that reads it:
``at`` is the loop's clock in seconds, ``seq`` counts the events of a session from 1. ``index`` is
the position the server gave it in its transcript, ``utc`` the server's own stamp.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from types import MappingProxyType

from botkit.records import quickly_made

NO_USERDATA: Mapping[str, str] = MappingProxyType({})


class PartyKind(enum.Enum):
    """Who somebody is in a chat."""

    CUSTOMER = "customer"
    AGENT = "agent"
    SUPERVISOR = "supervisor"
    EXTERNAL = "external"
    """A machine: a chat bot, or the contact centre itself."""


class EndedBy(enum.Enum):
    """How a chat came to its end."""

    CUSTOMER = "customer"
    """The customer left, and the service confirmed it."""
    SERVICE = "service"
    """The agent or the service ended it, or refused to go on."""
    LOST = "lost"
    """The connection was lost and could not be won back; the service may think it still runs."""
    UNCONFIRMED = "unconfirmed"
    """The customer left, and the service did not confirm it in time."""
    DETACHED = "detached"
    """The customer let go of the connection on purpose; the chat goes on and can be restored."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Somebody in the chat."""

    name: str
    kind: PartyKind
    id: str | None = None


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """The root of all events; never sent itself.

    Attributes:
        at: the loop's clock when it was read off the wire, seconds.
        seq: number of the event within its session, from 1.
        index: position in the server's transcript; None if the server gave none.
        utc: the server's stamp, epoch seconds; None if it gave none.
        history: it repeats what happened before this session was (re)opened.
        party: whom it is about or from; None if nobody.
    """

    at: float
    seq: int
    index: int | None = None
    utc: float | None = None
    history: bool = False
    party: Party | None = None


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class SessionStarted(Event):
    """The service opened the chat."""

    session_id: str


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRestored(Event):
    """A stored chat was won back."""

    session_id: str


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class AgentConnected(Event):
    """An agent or a supervisor joined; ``userdata`` is what the server told with it."""

    userdata: Mapping[str, str] = field(default_factory=lambda: NO_USERDATA)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class AgentDisconnected(Event):
    """An agent or a supervisor left. It does not end the chat."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class AgentTyping(Event):
    """An agent started (or stopped) typing; ``preview`` is what the server showed of it."""

    is_typing: bool
    preview: str = ""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """An answer that a message offers (a quick reply, say)."""

    text: str
    payload: str = ""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Message(Event):
    """A line of the conversation; ``own`` marks the echo of a line of this customer.

    Attributes:
        text: what a person reads; of structured content its own text, or else its titles.
        content: the structured content as JSON text; empty if there is none.
        buttons: the answers that it offers.
        message_id: the service's name of it; empty if it gave none.
    """

    text: str
    content_type: str = "text"
    own: bool = False
    content: str = ""
    buttons: tuple[Button, ...] = ()
    message_id: str = ""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Event):
    """A machine-readable note; ``kind`` is the server's word for it (CustomNotice, IdleAlert)."""

    text: str
    kind: str = "CustomNotice"
    own: bool = False


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class PushedUrl(Event):
    """Somebody pushed a page to the other side."""

    url: str
    own: bool = False


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class File(Event):
    """A file was put into the chat, or taken out of it again."""

    file_id: str
    name: str = ""
    size: int | None = None
    deleted: bool = False
    own: bool = False


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Userdata(Event):
    """User data that this session may see has changed; None stands for a deleted key."""

    changes: Mapping[str, str | None]


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Nickname(Event):
    """Somebody goes by another name now."""

    nickname: str
    own: bool = False


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Interrupted(Event):
    """The connection was lost; botkit tries to win it back."""

    description: str = ""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Continued(Event):
    """The connection is back, and nothing was missed."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Error(Event):
    """The service told of an error that need not end the chat."""

    code: int | None
    description: str


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class SessionEnded(Event):
    """The chat is over; the last event of a session."""

    by: EndedBy
    description: str = ""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Other(Event):
    """What the server said and the session model has no word for; kept for the record."""

    kind: str
    text: str = ""


HOOKED: tuple[type[Event], ...] = (
    SessionStarted,
    SessionRestored,
    AgentConnected,
    AgentDisconnected,
    AgentTyping,
    Message,
    Notice,
    PushedUrl,
    File,
    Userdata,
    Nickname,
    Interrupted,
    Continued,
    Error,
    SessionEnded,
)
"""Every event that has a hook, in the order in which a chat tends to bring them."""


@cache
def snake_case(name: str) -> str:
    """Write ``AgentConnected`` as ``agent_connected``."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


EVENT_NAMES: Mapping[str, type[Event]] = MappingProxyType(
    {snake_case(kind.__name__): kind for kind in HOOKED}
)
"""The YAML key of each event, which is also its hook's name without ``on_``."""


def is_own(event: Event) -> bool:
    """Tell whether an event is the echo of what this customer did."""
    return bool(getattr(event, "own", False))
