"""The objects of the GMS Chat API v2: operations go to the service, pushes come back.

Both halves are here, so that client and simulator cannot disagree: the client encodes operations
and decodes pushes, the simulator the other way round. State lives elsewhere (``gms_chat``).

Source: Genesys GMS Chat API v2 (REST and CometD) and its API responses; public clients for the
fields of the CometD operations. ``updateData``, ``pushUrl`` and ``readReceipt`` over CometD are
inferred from REST; their names are configurable in :class:`GmsNames`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from botkit import chat
from botkit.bayeux.messages import JSON
from botkit.errors import LocalProtocolError, RemoteProtocolError
from botkit.masking import shortened_repr
from botkit.records import quickly_made

EMPTY: Mapping[str, str] = MappingProxyType({})

OK = 0
RETRY = 1
"""An error; the client may keep trying."""
GIVE_UP = 2
"""An error; repeating will not help."""

MAX_EVENTS_A_PUSH = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class GmsNames:
    """What sites and versions of GMS may call differently.

    Attributes:
        channel: the Bayeux channel; ``{service}`` stands for the service's name.
        update_data: operation that attaches user data; inferred.
        push_url: operation that pushes a page; inferred.
        read_receipt: operation that tells what was read; inferred.
        files_url: where files are sent to; empty for ``2/chat-ntf`` beside the Bayeux server.
    """

    channel: str = "/service/chatV2/{service}"
    update_data: str = "updateData"
    push_url: str = "pushUrl"
    read_receipt: str = "readReceipt"
    files_url: str = ""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """``from`` of an event: ``type`` is Client, Agent, Supervisor or External."""

    nickname: str = ""
    participant_id: str | None = None
    type: str = ""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class GmsEvent:
    """One element of ``messages``; ``utc`` is in epoch seconds, on the wire in milliseconds."""

    type: str
    index: int | None = None
    sender: Sender = field(default_factory=Sender)
    text: str = ""
    message_type: str = ""
    utc: float | None = None
    userdata: Mapping[str, str] = field(default_factory=lambda: EMPTY)


@dataclass(frozen=True, slots=True, kw_only=True)
class GmsError:
    """One element of ``errors``; the codes are not documented publicly: they are kept as sent."""

    code: int | None = None
    message: str = ""
    advice: str = ""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """The common response object: the reply of every REST call and the data of every push."""

    status_code: int = OK
    chat_ended: bool = False
    chat_id: str = ""
    user_id: str = ""
    secure_key: str = ""
    alias: str = ""
    next_position: int | None = None
    events: tuple[GmsEvent, ...] = ()
    errors: tuple[GmsError, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What a client asks of the service over CometD; absent members are empty or None."""

    name: str
    secure_key: str = ""
    nickname: str = ""
    subject: str | None = None
    message: str | None = None
    message_type: str = ""
    push_url: str = ""
    userdata: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    transcript_position: int | None = None


# --- client half: operations out, pushes in ------------------------------------------------------


def encode_request_chat(
    *, nickname: str, subject: str | None, userdata: Mapping[str, str]
) -> dict[str, JSON]:
    """Ask for a chat."""
    data: dict[str, JSON] = {"operation": "requestChat", "nickname": nickname}
    if subject is not None:
        data["subject"] = subject
    if userdata:
        data["userData"] = dict(userdata)
    return data


def encode_request_notifications(secure_key: str, position: int | None) -> dict[str, JSON]:
    """Ask that the pushes of a chat come to this Bayeux session, from a position on.

    Leaving the position out asks for all events: what 0 and 1 mean is contradictory in public
    sources, leaving it out is not.
    """
    data: dict[str, JSON] = {"operation": "requestNotifications", "secureKey": secure_key}
    if position is not None:
        data["transcriptPosition"] = position
    return data


def encode_command(command: chat.Command, secure_key: str, names: GmsNames) -> dict[str, JSON]:
    """Write a command as the data of a publish.

    Raises:
        LocalProtocolError: this wire has no such operation.
    """
    match command:
        case chat.SendMessage():
            fields: dict[str, JSON] = {"operation": "sendMessage", "message": command.text}
            if command.content_type != "text":
                fields["messageType"] = command.content_type
        case chat.SendTyping():
            name = "startTyping" if command.is_typing else "stopTyping"
            fields = {"operation": name}
            if command.preview:
                fields["message"] = command.preview
        case chat.SetUserdata():
            fields = {"operation": names.update_data, "userData": dict(command.userdata)}
        case chat.DeleteUserdata():
            # There is no delete: an empty value is the nearest thing (inferred).
            fields = {"operation": names.update_data, "userData": {command.key: ""}}
        case chat.SendNotice():
            fields = {"operation": "customNotice", "message": command.text}
        case chat.PushUrl():
            fields = {"operation": names.push_url, "pushUrl": command.url}
        case chat.UpdateNickname():
            fields = {"operation": "updateNickname", "nickname": command.nickname}
        case chat.ReadReceipt():
            fields = {"operation": names.read_receipt, "transcriptPosition": command.index}
        case chat.Leave():
            fields = {"operation": "disconnect"}
        case _:
            raise LocalProtocolError(
                f"GMS Chat v2 over CometD has no operation for {type(command).__name__}"
            )
    fields["secureKey"] = secure_key
    return fields


def decode_push(data: JSON) -> Push:
    """Read the data of a push.

    Raises:
        RemoteProtocolError: it is not an object, or a member has the wrong type.
    """
    if not isinstance(data, dict):
        raise RemoteProtocolError(f"a push must be an object, not {_kind(data)}")
    events = data.get("messages")
    errors = data.get("errors")
    return Push(
        status_code=_int(data, "statusCode") or OK,
        chat_ended=_bool(data, "chatEnded"),
        chat_id=_str(data, "chatId"),
        user_id=_str(data, "userId"),
        secure_key=_str(data, "secureKey"),
        alias=_str(data, "alias"),
        next_position=_int(data, "nextPosition"),
        events=tuple(map(_decode_event, _list(events, "messages"))) if events else (),
        errors=tuple(map(_decode_error, _list(errors, "errors"))) if errors else (),
    )


def _decode_event(raw: JSON) -> GmsEvent:
    if not isinstance(raw, dict):
        raise RemoteProtocolError(f"an element of messages must be an object, not {_kind(raw)}")
    utc_ms = raw.get("utcTime")
    if utc_ms is not None and (isinstance(utc_ms, bool) or not isinstance(utc_ms, int | float)):
        raise RemoteProtocolError(f"utcTime must be a number, not {_kind(utc_ms)}")
    userdata = raw.get("userData")
    return GmsEvent(
        type=_str(raw, "type") or "Unknown",
        index=_int(raw, "index"),
        sender=_decode_sender(raw.get("from")),
        text=_str(raw, "text"),
        message_type=_str(raw, "messageType"),
        utc=None if utc_ms is None else utc_ms / 1000,
        userdata=decode_strings(userdata, "userData") if userdata else EMPTY,
    )


def _decode_sender(raw: JSON) -> Sender:
    if raw is None:
        return Sender()
    if not isinstance(raw, dict):
        raise RemoteProtocolError(f"from must be an object, not {_kind(raw)}")
    return Sender(
        nickname=_str(raw, "nickname"),
        participant_id=_str(raw, "participantId") or None,
        type=_str(raw, "type"),
    )


def _decode_error(raw: JSON) -> GmsError:
    if isinstance(raw, str):
        return GmsError(message=raw)
    if not isinstance(raw, dict):
        raise RemoteProtocolError(f"an element of errors must be an object, not {_kind(raw)}")
    return GmsError(
        code=_int(raw, "code"), message=_str(raw, "message"), advice=_str(raw, "advice")
    )


# --- server half: operations in, pushes out ------------------------------------------------------


def decode_operation(data: JSON) -> Operation:
    """Read what a client published.

    Raises:
        RemoteProtocolError: it is no object, names no operation, or a member has the wrong type.
    """
    if not isinstance(data, dict):
        raise RemoteProtocolError(f"an operation must be an object, not {_kind(data)}")
    name = _str(data, "operation")
    if not name:
        raise RemoteProtocolError("the member operation is missing")
    full_name = f"{_str(data, 'firstName')} {_str(data, 'lastName')}".strip()
    userdata = data.get("userData")
    return Operation(
        name=name,
        secure_key=_str(data, "secureKey"),
        nickname=_str(data, "nickname") or full_name,
        subject=_str(data, "subject") or None,
        message=_str(data, "message") if "message" in data else None,
        message_type=_str(data, "messageType"),
        push_url=_str(data, "pushUrl"),
        userdata=decode_strings(userdata, "userData") if userdata else EMPTY,
        transcript_position=_int(data, "transcriptPosition"),
    )


def encode_push(push: Push) -> dict[str, JSON]:
    """Write a push; empty identity members are left out, as in failures."""
    data: dict[str, JSON] = {"statusCode": push.status_code, "chatEnded": push.chat_ended}
    identity = {
        "chatId": push.chat_id,
        "userId": push.user_id,
        "secureKey": push.secure_key,
        "alias": push.alias,
    }
    data.update({name: value for name, value in identity.items() if value})
    if push.next_position is not None:
        data["nextPosition"] = push.next_position
    data["messages"] = [_encode_event(event) for event in push.events]
    if push.errors:
        data["errors"] = [_encode_error(error) for error in push.errors]
    return data


def _encode_event(event: GmsEvent) -> dict[str, JSON]:
    raw: dict[str, JSON] = {
        "index": event.index,
        "type": event.type,
        "from": {
            "nickname": event.sender.nickname,
            "participantId": _number(event.sender.participant_id),
            "type": event.sender.type,
        },
    }
    if event.utc is not None:
        raw["utcTime"] = round(event.utc * 1000)
    if event.text:
        raw["text"] = event.text
    if event.message_type:
        raw["messageType"] = event.message_type
    if event.userdata:
        raw["userData"] = dict(event.userdata)
    return raw


def _encode_error(error: GmsError) -> dict[str, JSON]:
    raw: dict[str, JSON] = {"code": error.code, "message": error.message}
    if error.advice:
        raw["advice"] = error.advice
    return raw


def _number(text: str | None) -> JSON:
    return int(text) if text is not None and text.isascii() and text.isdigit() else text


# --- members -------------------------------------------------------------------------------------


def _str(raw: dict[str, JSON], name: str) -> str:
    """Read a text; numbers are taken as their text, for ids are sent as either."""
    value = raw.get(name)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    raise RemoteProtocolError(f"{name} must be a text, not {_kind(value)}")


def _int(raw: dict[str, JSON], name: str) -> int | None:
    """Read an integer; a text of digits is taken too, for real servers send either."""
    value = raw.get(name)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, str) and len(value) < 20:
        text = value.removeprefix("-")
        if text.isascii() and text.isdigit():
            return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise RemoteProtocolError(f"{name} must be an integer, not {shortened_repr(value, 40)}")


def _bool(raw: dict[str, JSON], name: str) -> bool:
    value = raw.get(name)
    if value is None:
        return False
    if isinstance(value, bool):
        return value
    raise RemoteProtocolError(f"{name} must be true or false, not {_kind(value)}")


def _list(value: JSON, name: str) -> list[JSON]:
    if not isinstance(value, list):
        raise RemoteProtocolError(f"{name} must be an array, not {_kind(value)}")
    if len(value) > MAX_EVENTS_A_PUSH:
        raise RemoteProtocolError(f"{name} has more than {MAX_EVENTS_A_PUSH} elements")
    return value


def decode_strings(value: JSON, name: str) -> dict[str, str]:
    """Read an object of texts, such as attached data.

    Raises:
        RemoteProtocolError: it is something else.
    """
    if not isinstance(value, dict):
        raise RemoteProtocolError(f"{name} must be an object, not {_kind(value)}")
    return {key: _as_text(item) for key, item in value.items()}


def _as_text(value: JSON) -> str:
    """Attached data are strings; other scalars are taken as JSON would write them."""
    match value:
        case str():
            return value
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() | float():
            return str(value)
        case _:
            raise RemoteProtocolError(f"a value of userData must be a text, not {_kind(value)}")


def _kind(value: JSON) -> str:
    names = {dict: "an object", list: "an array", str: "a text", bool: "a boolean"}
    return "null" if value is None else names.get(type(value), "a number")
