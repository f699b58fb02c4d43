"""The records of the Genesys Cloud web messaging guest API, as both halves know them. Pure.

A *request* is ``{action, token, tracingId?, ...}``; a *frame* is ``{type, class, code, body,
tracingId?}``. How they are written is in ``web_messaging``.

Source: official Kotlin SDK (requests, frames, their test data), official Java SDK (names).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from botkit.bayeux.messages import JSON
from botkit.genesys.web_content import Content
from botkit.records import quickly_made

__all__ = [
    "HEALTH_CHECK",
    "OK",
    "AttachmentDeleted",
    "AttachmentFailed",
    "Body",
    "ConnectionClosed",
    "Frame",
    "GuestMessage",
    "History",
    "JourneyContext",
    "Jwt",
    "MessageEvent",
    "Opaque",
    "PresignedUrl",
    "Request",
    "Sender",
    "SessionInfo",
    "TooManyRequests",
    "Uploaded",
    "is_join",
]

EMPTY: Mapping[str, str] = MappingProxyType({})
OK = 200
HEALTH_CHECK = "SGVhbHRoQ2hlY2tNZXNzYWdlSWQ="
"""The fixed tracing id of the health check."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyContext:
    """The visitor that a session belongs to, for the platform's own analytics."""

    customer_id: str
    customer_id_type: str = "cookie"
    session_id: str = ""
    session_type: str = "web"


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class MessageEvent:
    """One element of ``events``: Typing (On, Off) or Presence (Join, Disconnect, Clear, ...).

    Attributes:
        type: ``eventType``.
        value: what the event says, such as ``On`` or ``Join``.
        duration: how long somebody is shown typing, seconds; on the wire in milliseconds.
    """

    type: str
    value: str = ""
    duration: float | None = None


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """``channel.from`` of a message."""

    nickname: str = ""
    first_name: str = ""
    last_name: str = ""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class GuestMessage:
    """A message of either direction.

    Attributes:
        type: Text, Structured or Event; others exist.
        direction: as the platform sees it: ``Inbound`` is from the guest, ``Outbound`` for them;
            empty in what the guest sends.
        utc: ``channel.time`` in epoch seconds; None if it is missing or no time.
        entity: ``originatingEntity``: Human, Bot or empty.
        attributes: ``customAttributes`` that travel with it.
        attributes_on_top: they were beside the message instead of inside of it.
    """

    type: str = "Text"
    id: str = ""
    text: str = ""
    direction: str = ""
    utc: float | None = None
    sender: Sender = field(default_factory=Sender)
    entity: str = ""
    originating_message_id: str = ""
    content: tuple[Content, ...] = ()
    events: tuple[MessageEvent, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    attributes: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    attributes_on_top: bool = False


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a client asks for; absent members are empty or None.

    Attributes:
        action: configureSession, configureAuthenticatedSession, onMessage, echo, onAttachment,
            getAttachment, deleteAttachment, getJwt, closeSession; others exist.
        auth_code: ``data.code``, the JWT of an authenticated session.
    """

    action: str
    token: str = ""
    tracing_id: str = ""
    deployment_id: str = ""
    start_new: bool | None = None
    journey: JourneyContext | None = None
    auth_code: str = ""
    message: GuestMessage | None = None
    attachment_id: str = ""
    file_name: str = ""
    file_type: str = ""
    file_size: int | None = None
    file_md5: str = ""
    errors_as_json: bool | None = None
    close_all_connections: bool | None = None


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class SessionInfo:
    """The body of a SessionResponse; None stands for "it did not say".

    Attributes:
        file_types: media types that may be sent; ``*/*`` allows all.
        duration: seconds of idleness that a session survives.
        expires: when it expires, epoch seconds.
    """

    connected: bool = True
    new_session: bool | None = None
    read_only: bool = False
    cleared_existing_session: bool = False
    file_types: tuple[str, ...] = ()
    max_file_kb: int | None = None
    blocked_extensions: tuple[str, ...] = ()
    max_custom_data_bytes: int | None = None
    duration: float | None = None
    expires: float | None = None


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionClosed:
    """The body of a ConnectionClosedEvent; ``signedIn`` is a known reason."""

    reason: str = ""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class PresignedUrl:
    """Where a file is to be put or to be had; putting takes exactly these headers."""

    attachment_id: str
    url: str
    headers: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    file_name: str = ""
    file_size: int | None = None
    file_type: str = ""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Uploaded:
    """The body of an UploadSuccessEvent."""

    attachment_id: str
    download_url: str = ""
    utc: float | None = None


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentFailed:
    """The body of an UploadFailureEvent or a GenerateUrlError."""

    attachment_id: str
    code: int | None = None
    message: str = ""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class AttachmentDeleted:
    """The body of an AttachmentDeletedResponse."""

    attachment_id: str


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Jwt:
    """The body of a JwtResponse; ``expires`` in epoch seconds."""

    jwt: str
    expires: float | None = None


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class TooManyRequests:
    """The body of a TooManyRequestsErrorMessage; ``retry_after`` in seconds."""

    retry_after: float | None = None
    code: int | None = None
    message: str = ""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Opaque:
    """A body that botkit has no word for, as it came."""

    value: JSON = None


Body = (
    str
    | SessionInfo
    | GuestMessage
    | ConnectionClosed
    | PresignedUrl
    | Uploaded
    | AttachmentFailed
    | AttachmentDeleted
    | Jwt
    | TooManyRequests
    | Opaque
)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What the service says: an answer (``type`` is response) or news (message).

    Attributes:
        name: ``class``, such as StructuredMessage.
        code: 200 or the number of an error, whose body is a text as a rule.
    """

    name: str
    body: Body
    code: int = OK
    type: str = "message"
    tracing_id: str = ""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One page of what was said, counted from 1; the official SDK takes it as newest first."""

    messages: tuple[GuestMessage, ...]
    page: int = 1
    pages: int = 1
    page_size: int = 25
    total: int = 0


def is_join(message: GuestMessage) -> bool:
    """Tell whether a message is the customer's Join."""
    return message.direction == "Inbound" and any(e.value == "Join" for e in message.events)
