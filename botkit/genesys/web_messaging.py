"""How the envelopes of the Genesys Cloud web messaging guest API are written and read. Pure.

Both halves are here, so that client and simulator cannot disagree: the client encodes requests
and decodes frames, the simulator the other way round. State lives elsewhere (``guest_chat``).
Frames of unknown classes are read as well, for there are more than botkit knows.

Source: official Kotlin SDK (requests, frames, their test data), official Java SDK (names).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from botkit.bayeux.messages import JSON
from botkit.errors import RemoteProtocolError
from botkit.genesys.web_content import decode_content
from botkit.genesys.web_members import (
    as_object,
    read_bool,
    read_int,
    read_list,
    read_object,
    read_seconds,
    read_stamp,
    read_text,
    read_texts,
    write_stamp,
)
from botkit.genesys.web_records import (
    OK,
    AttachmentDeleted,
    AttachmentFailed,
    Body,
    ConnectionClosed,
    Frame,
    GuestMessage,
    History,
    JourneyContext,
    Jwt,
    MessageEvent,
    Opaque,
    PresignedUrl,
    Request,
    Sender,
    SessionInfo,
    TooManyRequests,
    Uploaded,
)

__all__ = [
    "decode_frame",
    "decode_history",
    "decode_request",
    "encode_frame",
    "encode_history",
    "encode_request",
]


# --- client half: requests out, frames in --------------------------------------------------------


def encode_request(request: Request) -> dict[str, JSON]:
    """Write a request; what is empty is left out."""
    raw: dict[str, JSON] = {"action": request.action, "token": request.token}
    members: dict[str, JSON] = {
        "tracingId": request.tracing_id or None,
        "deploymentId": request.deployment_id or None,
        "startNew": request.start_new,
        "journeyContext": None if request.journey is None else _encode_journey(request.journey),
        "data": {"code": request.auth_code} if request.auth_code else None,
        "attachmentId": request.attachment_id or None,
        "fileName": request.file_name or None,
        "fileType": request.file_type or None,
        "fileSize": request.file_size,
        "fileMd5": request.file_md5 or None,
        "errorsAsJson": request.errors_as_json,
        "closeAllConnections": request.close_all_connections,
    }
    raw.update({name: value for name, value in members.items() if value is not None})
    if request.message is not None:
        message = request.message
        raw["message"] = _encode_guest_message(message)
        if message.attributes and message.attributes_on_top:
            raw["channel"] = _channel_of(message.attributes)
    return raw


def decode_frame(raw: JSON) -> Frame:
    """Read what the service says.

    Raises:
        RemoteProtocolError: it is no envelope, or a member has the wrong type.
    """
    envelope = as_object(raw, "a frame")
    name, code = read_text(envelope, "class"), read_int(envelope, "code")
    if not name:
        raise RemoteProtocolError("the member class is missing")
    return Frame(
        name=name,
        code=OK if code is None else code,
        type=read_text(envelope, "type"),
        tracing_id=read_text(envelope, "tracingId"),
        body=_decode_body(name, envelope.get("body")),
    )


def decode_history(raw: JSON) -> History:
    """Read a page of the history.

    Raises:
        RemoteProtocolError: it is no page, or a member has the wrong type.
    """
    page = as_object(raw, "a page of the history")
    if "entities" not in page:
        raise RemoteProtocolError("the page of the history has no entities")
    return History(
        messages=tuple(_decode_message(entity) for entity in read_list(page, "entities")),
        page=read_int(page, "pageNumber") or 1,
        pages=read_int(page, "pageCount") or 0,
        page_size=read_int(page, "pageSize") or 0,
        total=read_int(page, "total") or 0,
    )


def _decode_body(name: str, value: JSON) -> Body:
    if isinstance(value, str):
        return value
    decode = BODIES.get(name)
    if decode is None or (value is None and name != "ConnectionClosedEvent"):
        return Opaque(value=value)
    return decode({} if value is None else as_object(value, "body"))


def _decode_session(raw: dict[str, JSON]) -> SessionInfo:
    connected = read_bool(raw, "connected")
    if connected is None:
        raise RemoteProtocolError("the member connected is missing")
    media = read_object(read_object(raw, "allowedMedia"), "inbound")
    types = [as_object(one, "a file type") for one in read_list(media, "fileTypes")]
    return SessionInfo(
        connected=connected,
        new_session=read_bool(raw, "newSession"),
        read_only=bool(read_bool(raw, "readOnly")),
        cleared_existing_session=bool(read_bool(raw, "clearedExistingSession")),
        file_types=tuple(read_text(one, "type") for one in types),
        max_file_kb=read_int(media, "maxFileSizeKB"),
        blocked_extensions=tuple(
            read_text({"extension": one}, "extension")
            for one in read_list(raw, "blockedExtensions")
        ),
        max_custom_data_bytes=read_int(raw, "maxCustomDataBytes"),
        duration=read_seconds(raw, "durationSeconds"),
        expires=read_seconds(raw, "expirationDate"),
    )


def _decode_message(value: JSON) -> GuestMessage:
    raw = as_object(value, "a message")
    channel = read_object(raw, "channel")
    sender = read_object(channel, "from")
    return GuestMessage(
        type=read_text(raw, "type") or "Text",
        id=read_text(raw, "id"),
        text=read_text(raw, "text"),
        direction=read_text(raw, "direction"),
        utc=read_stamp(channel, "time"),
        sender=Sender(
            nickname=read_text(sender, "nickname"),
            first_name=read_text(sender, "firstName"),
            last_name=read_text(sender, "lastName"),
        ),
        entity=read_text(raw, "originatingEntity"),
        originating_message_id=read_text(raw, "originatingMessageId"),
        content=tuple(decode_content(one) for one in read_list(raw, "content")),
        events=tuple(_decode_event(one) for one in read_list(raw, "events")),
        metadata=read_texts(raw, "metadata"),
        attributes=read_texts(read_object(channel, "metadata"), "customAttributes"),
    )


def _decode_event(value: JSON) -> MessageEvent:
    raw = as_object(value, "an event")
    kind = read_text(raw, "eventType")
    detail = read_object(raw, kind.lower()) if kind in ("Typing", "Presence") else {}
    duration_ms = read_seconds(detail, "duration")
    return MessageEvent(
        type=kind,
        value=read_text(detail, "type"),
        duration=None if duration_ms is None else duration_ms / 1000,
    )


def _decode_closed(raw: dict[str, JSON]) -> ConnectionClosed:
    # One of the SDKs calls it reasonCode.
    return ConnectionClosed(reason=read_text(raw, "reason") or read_text(raw, "reasonCode"))


def _decode_presigned(raw: dict[str, JSON]) -> PresignedUrl:
    return PresignedUrl(
        attachment_id=read_text(raw, "attachmentId"),
        url=read_text(raw, "url"),
        headers=read_texts(raw, "headers"),
        file_name=read_text(raw, "fileName"),
        file_size=read_int(raw, "fileSize"),
        file_type=read_text(raw, "fileType"),
    )


def _decode_uploaded(raw: dict[str, JSON]) -> Uploaded:
    return Uploaded(
        attachment_id=read_text(raw, "attachmentId"),
        download_url=read_text(raw, "downloadUrl"),
        utc=read_stamp(raw, "timestamp"),
    )


def _decode_failed(raw: dict[str, JSON]) -> AttachmentFailed:
    return AttachmentFailed(
        attachment_id=read_text(raw, "attachmentId"),
        code=read_int(raw, "errorCode"),
        message=read_text(raw, "errorMessage"),
    )


def _decode_deleted(raw: dict[str, JSON]) -> AttachmentDeleted:
    return AttachmentDeleted(attachment_id=read_text(raw, "attachmentId"))


def _decode_jwt(raw: dict[str, JSON]) -> Jwt:
    return Jwt(jwt=read_text(raw, "jwt"), expires=read_seconds(raw, "exp"))


def _decode_too_many(raw: dict[str, JSON]) -> TooManyRequests:
    return TooManyRequests(
        retry_after=read_seconds(raw, "retryAfter"),
        code=read_int(raw, "errorCode"),
        message=read_text(raw, "errorMessage"),
    )


BODIES: Mapping[str, Callable[[dict[str, JSON]], Body]] = {
    "SessionResponse": _decode_session,
    "StructuredMessage": _decode_message,
    "ConnectionClosedEvent": _decode_closed,
    "PresignedUrlResponse": _decode_presigned,
    "UploadSuccessEvent": _decode_uploaded,
    "UploadFailureEvent": _decode_failed,
    "GenerateUrlError": _decode_failed,
    "AttachmentDeletedResponse": _decode_deleted,
    "JwtResponse": _decode_jwt,
    "TooManyRequestsErrorMessage": _decode_too_many,
}
"""How the body of each class is read."""


# --- server half: requests in, frames out --------------------------------------------------------


def decode_request(raw: JSON) -> Request:
    """Read what a client asks for.

    Raises:
        RemoteProtocolError: it is no object, names no action, or a member has the wrong type.
    """
    request = as_object(raw, "a request")
    action = read_text(request, "action")
    if not action:
        raise RemoteProtocolError("the member action is missing")
    return Request(
        action=action,
        token=read_text(request, "token"),
        tracing_id=read_text(request, "tracingId"),
        deployment_id=read_text(request, "deploymentId"),
        start_new=read_bool(request, "startNew"),
        journey=_decode_journey(request),
        auth_code=read_text(read_object(request, "data"), "code"),
        message=_decode_request_message(request),
        attachment_id=read_text(request, "attachmentId"),
        file_name=read_text(request, "fileName"),
        file_type=read_text(request, "fileType"),
        file_size=read_int(request, "fileSize"),
        file_md5=read_text(request, "fileMd5"),
        errors_as_json=read_bool(request, "errorsAsJson"),
        close_all_connections=read_bool(request, "closeAllConnections"),
    )


def encode_frame(frame: Frame) -> dict[str, JSON]:
    """Write a frame."""
    raw: dict[str, JSON] = {
        "type": frame.type,
        "class": frame.name,
        "code": frame.code,
        "body": _encode_body(frame.body),
    }
    if frame.tracing_id:
        raw["tracingId"] = frame.tracing_id
    return raw


def encode_history(history: History) -> dict[str, JSON]:
    """Write a page of the history."""
    return {
        "entities": [_encode_platform_message(message) for message in history.messages],
        "pageSize": history.page_size,
        "pageNumber": history.page,
        "total": history.total,
        "pageCount": history.pages,
    }


def _decode_request_message(request: dict[str, JSON]) -> GuestMessage | None:
    if request.get("message") is None:
        return None
    message = _decode_message(request["message"])
    on_top = read_texts(
        read_object(read_object(request, "channel"), "metadata"), "customAttributes"
    )
    if not on_top:
        return message
    return replace(message, attributes=on_top, attributes_on_top=True)


def _decode_journey(request: dict[str, JSON]) -> JourneyContext | None:
    if request.get("journeyContext") is None:
        return None
    context = read_object(request, "journeyContext")
    customer, session = (read_object(context, name) for name in ("customer", "customerSession"))
    return JourneyContext(
        customer_id=read_text(customer, "id"),
        customer_id_type=read_text(customer, "idType"),
        session_id=read_text(session, "id"),
        session_type=read_text(session, "type"),
    )


def _encode_journey(journey: JourneyContext) -> dict[str, JSON]:
    return {
        "customer": {"id": journey.customer_id, "idType": journey.customer_id_type},
        "customerSession": {"id": journey.session_id, "type": journey.session_type},
    }


def _encode_body(body: Body) -> JSON:
    match body:
        case str():
            return body
        case SessionInfo():
            return _encode_session(body)
        case GuestMessage():
            return _encode_platform_message(body)
        case ConnectionClosed():
            return {"reason": body.reason} if body.reason else {}
        case PresignedUrl():
            return _encode_presigned(body)
        case Uploaded():
            stamp = {} if body.utc is None else {"timestamp": write_stamp(body.utc)}
            return {
                "attachmentId": body.attachment_id,
                "downloadUrl": body.download_url,
                **stamp,
            }
        case AttachmentFailed():
            return {
                "attachmentId": body.attachment_id,
                "errorCode": body.code,
                "errorMessage": body.message,
            }
        case AttachmentDeleted():
            return {"attachmentId": body.attachment_id}
        case Jwt():
            return {"jwt": body.jwt, "exp": _whole(body.expires)}
        case TooManyRequests():
            return {
                "retryAfter": _whole(body.retry_after),
                "errorCode": body.code,
                "errorMessage": body.message,
            }
        case Opaque():
            return body.value


def _encode_session(info: SessionInfo) -> dict[str, JSON]:
    raw: dict[str, JSON] = {"connected": info.connected, "readOnly": info.read_only}
    members: dict[str, JSON] = {
        "newSession": info.new_session,
        "clearedExistingSession": info.cleared_existing_session or None,
        "maxCustomDataBytes": info.max_custom_data_bytes,
        "durationSeconds": _whole(info.duration),
        "expirationDate": _whole(info.expires),
    }
    raw.update({name: value for name, value in members.items() if value is not None})
    if info.file_types or info.max_file_kb is not None:
        inbound: dict[str, JSON] = {"fileTypes": [{"type": one} for one in info.file_types]}
        if info.max_file_kb is not None:
            inbound["maxFileSizeKB"] = info.max_file_kb
        raw["allowedMedia"] = {"inbound": inbound}
    if info.blocked_extensions:
        raw["blockedExtensions"] = list(info.blocked_extensions)
    return raw


def _encode_presigned(url: PresignedUrl) -> dict[str, JSON]:
    raw: dict[str, JSON] = {
        "attachmentId": url.attachment_id,
        "url": url.url,
        "headers": dict(url.headers),
    }
    if url.file_name:
        raw |= {
            "fileName": url.file_name,
            "fileSize": url.file_size,
            "fileType": url.file_type,
        }
    return raw


def _encode_guest_message(message: GuestMessage) -> dict[str, JSON]:
    raw: dict[str, JSON] = {"type": message.type}
    if message.events:
        raw["events"] = [_encode_event(event) for event in message.events]
    else:
        raw["text"] = message.text
    if message.content:
        raw["content"] = [dict(content.body) for content in message.content]
    if message.metadata:
        raw["metadata"] = dict(message.metadata)
    if message.attributes and not message.attributes_on_top:
        raw["channel"] = _channel_of(message.attributes)
    return raw


def _encode_platform_message(message: GuestMessage) -> dict[str, JSON]:
    raw: dict[str, JSON] = {
        "id": message.id,
        "type": message.type,
        "direction": message.direction,
        "channel": _encode_channel(message),
        "metadata": dict(message.metadata),
    }
    if message.events:
        raw["events"] = [_encode_event(event) for event in message.events]
    if message.text or not message.events:
        raw["text"] = message.text
    if message.content:
        raw["content"] = [dict(content.body) for content in message.content]
    if message.entity:
        raw["originatingEntity"] = message.entity
    if message.originating_message_id:
        raw["originatingMessageId"] = message.originating_message_id
    return raw


def _encode_channel(message: GuestMessage) -> dict[str, JSON]:
    sender = message.sender
    names = {
        "nickname": sender.nickname,
        "firstName": sender.first_name,
        "lastName": sender.last_name,
    }
    channel: dict[str, JSON] = {
        "type": "Private",
        "messageId": message.id,
        "from": {name: value for name, value in names.items() if value},
    }
    if message.utc is not None:
        channel["time"] = write_stamp(message.utc)
    return channel


def _encode_event(event: MessageEvent) -> dict[str, JSON]:
    detail: dict[str, JSON] = {"type": event.value}
    if event.duration is not None:
        detail["duration"] = round(event.duration * 1000)
    return {"eventType": event.type, event.type.lower(): detail}


def _channel_of(attributes: Mapping[str, str]) -> dict[str, JSON]:
    return {"metadata": {"customAttributes": dict(attributes)}}


def _whole(seconds: float | None) -> JSON:
    return int(seconds) if seconds is not None and seconds.is_integer() else seconds
