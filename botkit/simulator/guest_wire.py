"""Frames of the guest API: what guests ask for, what they are answered. Pure.

Requests become records at once, and nothing that a guest has nested in them goes further.

Source: the Web Messaging guest API as the public SDKs of Genesys Cloud speak it (the Kotlin
transport SDK and its tests, the models of the Java SDK).
"""

from __future__ import annotations

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from botkit.bayeux.messages import JSON
from botkit.simulator.chats import NOTHING

Frame = dict[str, JSON]

MAX_NAME = 1000
"""Characters of a tracing id, an attachment id or any other name; more is rubbish."""
MAX_ITEMS = 100
"""Elements of ``content`` and of ``events``."""


class Code(enum.IntEnum):
    """What ``code`` says; the names are the SDK's."""

    OK = 200
    BAD_REQUEST = 400
    UNAUTHORIZED = 401
    FORBIDDEN = 403
    NOT_FOUND = 404
    READ_ONLY = 409
    TOO_MANY_REQUESTS = 429
    FEATURE_UNAVAILABLE = 4000
    FILE_TYPE_INVALID = 4001
    FILE_SIZE_INVALID = 4002
    FILE_CONTENT_INVALID = 4003
    FILE_NAME_INVALID = 4004
    FILE_NAME_TOO_LONG = 4005
    SESSION_EXPIRED = 4006
    SESSION_NOT_FOUND = 4007
    ATTACHMENT_EXPIRED = 4008
    ATTACHMENT_NOT_FOUND = 4009
    ATTACHMENT_NOT_UPLOADED = 4010
    MESSAGE_TOO_LONG = 4011
    CUSTOM_ATTRIBUTES_TOO_LARGE = 4013
    CANNOT_DOWNGRADE = 4017
    MISSING_PARAMETER = 4020
    RATE_TOO_HIGH = 4029
    UNEXPECTED = 5000


class GuestError(Exception):
    """What a guest asks for is refused.

    Attributes:
        code: what the guest is told.
        text: why, in words.
    """

    def __init__(self, code: Code, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text


# --- what guests ask for -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Press:
    """A button that was pressed; ``kind`` is the wire's word (QuickReply, Button)."""

    text: str
    payload: str
    kind: str
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestMessage:
    """The message of an ``onMessage``.

    Attributes:
        kind: Text, Structured or Event.
        attributes: the custom attributes, from wherever they stand.
        presses: buttons, from ``content``.
        attachments: ids of files, from ``content``.
        typing: On or Off; empty if it is no typing.
        presence: Join or Clear; empty if it is neither.
    """

    kind: str
    text: str = ""
    attributes: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    presses: tuple[Press, ...] = ()
    attachments: tuple[str, ...] = ()
    typing: str = ""
    presence: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRequest:
    """What ``onAttachment``, ``getAttachment`` and ``deleteAttachment`` say."""

    id: str
    name: str = ""
    type: str = ""
    size: int | None = None
    md5: str = ""
    errors_as_json: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestRequest:
    """One frame of a guest.

    Attributes:
        tracing_id: repeated in the answer; None if there was none.
        raw: the whole frame, for what only one action has.
    """

    action: str
    token: str
    tracing_id: str | None
    raw: Mapping[str, Any]

    def text(self, name: str) -> str:
        """Give a member that must be a text.

        Raises:
            GuestError: it is missing, or no text.
        """
        return text_in(self.raw, name)

    def flag(self, name: str) -> bool:
        """Give a member that is true, false, or missing, which is false.

        Raises:
            GuestError: it is something else.
        """
        value = self.raw.get(name)
        if value is not None and not isinstance(value, bool):
            raise GuestError(Code.BAD_REQUEST, f"{name} is neither true nor false")
        return bool(value)

    def file(self) -> FileRequest:
        """Read what it says about a file.

        Raises:
            GuestError: a member is missing or has the wrong type.
        """
        size = self.raw.get("fileSize")
        if size is not None and (isinstance(size, bool) or not isinstance(size, int)):
            raise GuestError(Code.BAD_REQUEST, "fileSize is no whole number")
        return FileRequest(
            id=self.text("attachmentId"),
            name=optional(self.raw, "fileName"),
            type=optional(self.raw, "fileType"),
            size=size,
            md5=optional(self.raw, "fileMd5"),
            errors_as_json=self.flag("errorsAsJson"),
        )

    def message(self) -> GuestMessage:
        """Read the message of an ``onMessage`` or an ``echo``.

        Raises:
            GuestError: it makes no sense.
        """
        message = self.raw.get("message")
        if message is None:
            raise GuestError(Code.MISSING_PARAMETER, "message is missing")
        message = mapping(message, "message")
        kind = text_in(message, "type")
        if kind not in ("Text", "Structured", "Event"):
            raise GuestError(Code.BAD_REQUEST, f"there is no message type {kind!r:.60}")
        presses, attachments = content_in(message)
        typing, presence = events_in(message) if kind == "Event" else ("", "")
        return GuestMessage(
            kind=kind,
            text=optional(message, "text", at_most=math.inf),
            attributes={**attributes_in(self.raw), **attributes_in(message)},
            presses=presses,
            attachments=attachments,
            typing=typing,
            presence=presence,
        )


def parse_request(text: str) -> GuestRequest:
    """Read a frame.

    Raises:
        GuestError: it is no JSON object, or lacks an action or a token.
    """
    try:
        raw = orjson.loads(text)
    except ValueError as error:
        raise GuestError(Code.BAD_REQUEST, f"this is no JSON: {error}") from error
    raw = mapping(raw, "a request")
    return GuestRequest(
        action=text_in(raw, "action"),
        token=text_in(raw, "token", at_most=math.inf),
        tracing_id=optional(raw, "tracingId") or None,
        raw=raw,
    )


def tracing_id_of(text: str) -> str | None:
    """Find the tracing id of a frame that otherwise makes no sense."""
    try:
        raw = orjson.loads(text)
    except ValueError:
        return None
    found = raw.get("tracingId") if isinstance(raw, dict) else None
    return found if isinstance(found, str) and len(found) <= MAX_NAME else None


def mapping(value: Any, name: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise GuestError(Code.BAD_REQUEST, f"{name} is no JSON object")
    return value


def text_in(raw: Mapping[str, Any], name: str, *, at_most: float = MAX_NAME) -> str:
    """Give a text that must be there."""
    if not (value := optional(raw, name, at_most=at_most)):
        raise GuestError(Code.MISSING_PARAMETER, f"{name} is missing")
    return value


def optional(raw: Mapping[str, Any], name: str, *, at_most: float = MAX_NAME) -> str:
    """Give a text that may be missing; it is empty then."""
    value = raw.get(name)
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > at_most:
        raise GuestError(Code.BAD_REQUEST, f"{name} is no text, or too long")
    return value


def attributes_in(raw: Mapping[str, Any]) -> dict[str, str]:
    """Read ``channel.metadata.customAttributes``.

    One SDK writes ``channel`` into the message, another program beside it: both are read.
    """
    value: Any = raw
    for name in ("channel", "metadata", "customAttributes"):
        value = mapping(value, name).get(name)
        if value is None:
            return {}
    attributes = mapping(value, "customAttributes")
    if not all(isinstance(item, str) for item in attributes.values()):
        raise GuestError(Code.BAD_REQUEST, "the values of customAttributes are texts")
    return attributes


def content_in(message: Mapping[str, Any]) -> tuple[tuple[Press, ...], tuple[str, ...]]:
    """Read the buttons and the files of ``content``; what else is in it is passed over."""
    presses: list[Press] = []
    attachments: list[str] = []
    for item in items_in(message, "content"):
        kind = optional(item, "contentType")
        if kind == "ButtonResponse":
            presses.append(press_in(mapping(item.get("buttonResponse"), "buttonResponse")))
        elif kind == "Attachment":
            attachments.append(text_in(mapping(item.get("attachment"), "attachment"), "id"))
    return tuple(presses), tuple(attachments)


def press_in(raw: Mapping[str, Any]) -> Press:
    return Press(
        text=optional(raw, "text"),
        payload=optional(raw, "payload"),
        kind=text_in(raw, "type"),
        message_id=optional(raw, "originatingMessageId"),
    )


def events_in(message: Mapping[str, Any]) -> tuple[str, str]:
    """Read the one event of a message: typing, or presence."""
    for event in items_in(message, "events"):
        match text_in(event, "eventType"):
            case "Typing":
                return text_in(mapping(event.get("typing"), "typing"), "type"), ""
            case "Presence":
                return "", text_in(mapping(event.get("presence"), "presence"), "type")
    raise GuestError(Code.BAD_REQUEST, "there is neither typing nor presence in events")


def items_in(message: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    value = message.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or len(value) > MAX_ITEMS:
        raise GuestError(Code.BAD_REQUEST, f"{name} is no list, or too long")
    return [mapping(item, name) for item in value]


# --- what guests are answered --------------------------------------------------------------------


def response(kind: str, body: JSON, tracing_id: str | None, *, code: int = Code.OK) -> Frame:
    """Write the answer to a request."""
    return frame("response", kind, body, tracing_id, code=code)


def push(kind: str, body: JSON, tracing_id: str | None = None) -> Frame:
    """Write what is sent unasked, or late; some of it bears the tracing id of its cause."""
    return frame("message", kind, body, tracing_id, code=Code.OK)


def frame(type_: str, kind: str, body: JSON, tracing_id: str | None, *, code: int) -> Frame:
    written: Frame = {"type": type_, "class": kind, "code": int(code), "body": body}
    if tracing_id is not None:
        written["tracingId"] = tracing_id
    return written


def refusal(error: GuestError, tracing_id: str | None) -> Frame:
    """Write an error."""
    return response("string", error.text, tracing_id, code=error.code)


def too_many_requests(retry_after: float, tracing_id: str | None) -> Frame:
    """Write that a guest talks too fast; whole seconds, as the SDK reads them."""
    body: dict[str, JSON] = {
        "retryAfter": max(1, math.ceil(retry_after)),
        "errorCode": int(Code.RATE_TOO_HIGH),
        "errorMessage": "Message rate too high for this session",
    }
    kind = "TooManyRequestsErrorMessage"
    return response(kind, body, tracing_id, code=Code.TOO_MANY_REQUESTS)


def file_error(kind: str, id_: str, error: GuestError, *, timestamp: str = "") -> Frame:
    """Write ``GenerateUrlError`` or ``UploadFailureEvent``."""
    body: dict[str, JSON] = {
        "attachmentId": id_,
        "errorCode": int(error.code),
        "errorMessage": error.text,
    }
    if timestamp:
        body["timestamp"] = timestamp
    return push(kind, body)
