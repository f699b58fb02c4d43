"""Bayeux messages: records in memory, JSON on the wire.

This is the hot path of a load test, so records are read and written by hand: one table look-up
for each member that is there, one dictionary for each message that leaves. The JSON codec is the
caller's; the module ``orjson`` fits as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from botkit.bayeux.advice import JSON, Advice, format_advice, parse_advice
from botkit.errors import LocalProtocolError, RemoteProtocolError
from botkit.records import quickly_made

__all__ = [
    "CONNECT",
    "DISCONNECT",
    "HANDSHAKE",
    "JSON",
    "SUBSCRIBE",
    "UNSUBSCRIBE",
    "Codec",
    "ErrorText",
    "Message",
    "decode",
    "encode",
    "is_channel",
    "is_channel_pattern",
    "is_meta",
    "is_service",
    "matching_patterns",
    "parse_error",
]

HANDSHAKE = "/meta/handshake"
CONNECT = "/meta/connect"
SUBSCRIBE = "/meta/subscribe"
UNSUBSCRIBE = "/meta/unsubscribe"
DISCONNECT = "/meta/disconnect"

MAX_MESSAGES = 10_000
"""More in one body is an attack or a fault."""
MAX_DEPTH = 200
"""What every JSON library can still write: orjson reads 1,024 levels but writes only 254."""
MAX_NAME = 1_000
"""Characters of a channel, an id or any other short text."""
MAX_NAMES = 1_000
"""Entries of "subscription" and of "supportedConnectionTypes"."""

SEGMENT = r"/[A-Za-z0-9\-_!~()$@]+"
CHANNEL = re.compile(rf"(?:{SEGMENT})+\Z")
PATTERN = re.compile(rf"(?:{SEGMENT})*(?:{SEGMENT}|/\*\*?)\Z")


class Codec(Protocol):
    """Reads and writes JSON; the module ``orjson`` is one."""

    def loads(self, data: bytes, /) -> Any:
        """Return the JSON value; raise ValueError if the bytes are none."""

    def dumps(self, value: Any, /) -> bytes:
        """Return the value as UTF-8; raise ValueError or TypeError if JSON cannot say it."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One Bayeux message; a member that was absent is None.

    Args:
        channel: empty if the peer sent none, which only a server has to answer.
        id: chosen by whoever asks; a number on the wire becomes its digits.
        successful: set in every reply, absent in what is delivered.
        data: the payload of a publish or a delivery; ``null`` counts as absent.
        subscription: one or more channels or patterns; on the wire a single one is a plain string.

    Source: Bayeux specification, message field definitions.
    """

    channel: str
    id: str | None = None
    client_id: str | None = None
    successful: bool | None = None
    error: str | None = None
    data: JSON = None
    advice: Advice | None = None
    ext: dict[str, JSON] | None = None
    subscription: tuple[str, ...] | None = None
    version: str | None = None
    minimum_version: str | None = None
    connection_type: str | None = None
    supported_connection_types: tuple[str, ...] | None = None
    timestamp: str | None = None


def read_text(name: str, value: JSON) -> str:
    if type(value) is not str:
        raise RemoteProtocolError(f"{name} is not a string")
    if len(value) > MAX_NAME:
        raise RemoteProtocolError(f"{name} has more than {MAX_NAME} characters")
    return value


def read_id(name: str, value: JSON) -> str:
    # Some servers count in numbers; the digits are what a reply is compared with.
    if type(value) is int and -(2**63) <= value < 2**64:
        return str(value)
    return read_text(name, value)


def read_version(name: str, value: JSON) -> str:
    # Written as a number by careless servers; nothing depends on it.
    return str(value) if type(value) in (int, float) else read_text(name, value)


def read_bool(name: str, value: JSON) -> bool:
    if type(value) is not bool:
        raise RemoteProtocolError(f"{name} is not a boolean")
    return value


def read_object(name: str, value: JSON) -> dict[str, JSON]:
    if type(value) is not dict:
        raise RemoteProtocolError(f"{name} is not an object")
    return value


def read_names(name: str, value: JSON) -> tuple[str, ...]:
    if type(value) is not list:
        return (read_text(name, value),)
    if len(value) > MAX_NAMES:
        raise RemoteProtocolError(f"{name} has more than {MAX_NAMES} entries")
    return tuple(read_text(name, item) for item in value)


FIELDS: Mapping[str, tuple[str, Callable[[str, JSON], object]]] = {
    "channel": ("channel", read_text),
    "id": ("id", read_id),
    "clientId": ("client_id", read_text),
    "successful": ("successful", read_bool),
    "error": ("error", read_text),
    "data": ("data", lambda name, value: value),
    "advice": ("advice", lambda name, value: parse_advice(value)),
    "ext": ("ext", read_object),
    "subscription": ("subscription", read_names),
    "version": ("version", read_version),
    "minimumVersion": ("minimum_version", read_version),
    "connectionType": ("connection_type", read_text),
    "supportedConnectionTypes": ("supported_connection_types", read_names),
    "timestamp": ("timestamp", read_id),
}


def decode(body: bytes, codec: Codec) -> list[Message]:
    """Read the messages of one body or frame.

    Args:
        body: a JSON array of messages, or one bare message. Unknown members are ignored.
        codec: reads the JSON.

    Raises:
        RemoteProtocolError: anything else. The whole body is read before anything is returned, so
            that nobody acts on half of it.
    """
    try:
        value: JSON = codec.loads(body)
    except (ValueError, RecursionError) as error:
        raise RemoteProtocolError(f"the body is not JSON: {error}") from error
    items = value if type(value) is list else [value]
    if len(items) > MAX_MESSAGES:
        raise RemoteProtocolError(f"more than {MAX_MESSAGES} messages in one body")
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH:
        check_depth(items)
    return [read_message(item) for item in items]


def read_message(raw: JSON) -> Message:
    """Make a record of one decoded JSON value."""
    if type(raw) is not dict:
        raise RemoteProtocolError("a message is not an object")
    members: dict[str, Any] = {}
    for key, value in raw.items():
        if value is not None and key in FIELDS:
            name, read = FIELDS[key]
            members[name] = read(key, value)
    members.setdefault("channel", "")
    return Message(**members)


def check_depth(items: list[JSON]) -> None:
    """Refuse values that nest deeper than they could be written again."""
    level: list[JSON] = items
    for _ in range(MAX_DEPTH):
        below: list[JSON] = []
        for value in level:
            if type(value) is list:
                below.extend(value)
            elif type(value) is dict:
                below.extend(value.values())
        if not below:
            return
        level = below
    raise RemoteProtocolError(f"the body nests deeper than {MAX_DEPTH} levels")


def encode(messages: Iterable[Message], codec: Codec) -> bytes:
    """Write messages as one JSON array.

    Raises:
        LocalProtocolError: JSON cannot say what the caller put into ``data`` or ``ext``.
    """
    try:
        return codec.dumps([write_message(message) for message in messages])
    except (ValueError, TypeError, RecursionError) as error:
        raise LocalProtocolError(f"the message cannot be written as JSON: {error}") from error


def write_message(message: Message) -> dict[str, JSON]:
    """Return the JSON object of one message, without the members that are None."""
    raw: dict[str, JSON] = {"channel": message.channel} if message.channel else {}
    if message.id is not None:
        raw["id"] = message.id
    if message.client_id is not None:
        raw["clientId"] = message.client_id
    if message.successful is not None:
        raw["successful"] = message.successful
    if message.error is not None:
        raw["error"] = message.error
    if message.data is not None:
        raw["data"] = message.data
    if message.advice is not None:
        raw["advice"] = format_advice(message.advice)
    if message.ext is not None:
        raw["ext"] = message.ext
    if message.connection_type is not None:
        raw["connectionType"] = message.connection_type
    names = message.subscription
    if names is not None:
        raw["subscription"] = names[0] if len(names) == 1 else list(names)
    if message.version is not None:
        raw["version"] = message.version
    if message.minimum_version is not None:
        raw["minimumVersion"] = message.minimum_version
    if message.supported_connection_types is not None:
        raw["supportedConnectionTypes"] = list(message.supported_connection_types)
    if message.timestamp is not None:
        raw["timestamp"] = message.timestamp
    return raw


def is_meta(channel: str) -> bool:
    """Whether the channel belongs to the protocol itself."""
    return channel == "/meta" or channel.startswith("/meta/")


def is_service(channel: str) -> bool:
    """Whether the channel is request and response, and never broadcast."""
    return channel == "/service" or channel.startswith("/service/")


def is_channel(name: str) -> bool:
    """Whether this is a channel as the specification spells them, without a glob."""
    return CHANNEL.match(name) is not None


def is_channel_pattern(name: str) -> bool:
    """Whether this is a channel, or one with a glob as its last segment."""
    return PATTERN.match(name) is not None


def matching_patterns(channel: str) -> list[str]:
    """Return every name that a subscription to this channel may go by.

    ``/a/b`` is reached by ``/a/b``, ``/a/*``, ``/a/**`` and ``/**``.
    """
    segments = channel.split("/")[1:]
    parents = ["/" + "/".join((*segments[:depth], "**")) for depth in range(len(segments))]
    return [channel, parents[-1][:-1], *parents]


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorText:
    """The parts of ``code:args:message``, for people and logs; code is None where there is none."""

    code: int | None
    args: tuple[str, ...]
    text: str

    @property
    def is_unknown_session(self) -> bool:
        """Whether the text says that the server does not know the session.

        The number does not tell: 402 is CometD's unknown client and faye's missing parameter.
        """
        return UNKNOWN_SESSION.search(self.text) is not None


UNKNOWN_SESSION = re.compile(r"unknown[ _]?(?:client|session)|session[ _]?unknown", re.IGNORECASE)


def parse_error(error: str) -> ErrorText:
    """Split an error of the form ``code:arg,arg:message``; any other text is all message.

    Source: Bayeux specification, error field.
    """
    code, colon, rest = error.partition(":")
    args, second, text = rest.partition(":")
    if not (colon and second and len(code) == 3 and code.isascii() and code.isdigit()):
        return ErrorText(code=None, args=(), text=error)
    return ErrorText(code=int(code), args=tuple(args.split(",")) if args else (), text=text)
