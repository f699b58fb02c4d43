"""The GMS Chat API v2 over REST: commands as calls, calls as operations. Pure.

Every call is a POST of a form below the URL of the service, and every answer is the common response
object, which ``gms_v2`` reads and writes. Both halves are here.

Source: GMS Chat API v2 over REST; a client generated from its OpenAPI description for the path
segments. ``updateData`` is called differently in other sources, so it is configurable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlencode

from botkit import chat
from botkit.bayeux.messages import JSON
from botkit.errors import LocalProtocolError, RemoteProtocolError
from botkit.genesys import gms_files, gms_v2
from botkit.genesys.gms_files import FORM_DATA, Form, Upload
from botkit.genesys.gms_v2 import EMPTY, GmsError, Operation
from botkit.masking import shortened_repr

FORM = "application/x-www-form-urlencoded"
FIRST = 1
"""The position that asks for everything: 0 is said to mean nothing at all."""

MAX_FIELDS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class RestNames:
    """What sites and versions of GMS may call differently: segments of the path.

    Attributes:
        update_data: attaches user data; sources contradict each other.
        push_url: pushes a page.
        read_receipt: tells what was read.
    """

    update_data: str = "updateData"
    push_url: str = "pushUrl"
    read_receipt: str = "readReceipt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What every call after the first one tells: who calls, and what was seen."""

    chat_id: str
    user_id: str
    secure_key: str
    alias: str
    position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call of the client.

    Attributes:
        path: below the URL of the service; percent-encoded.
        is_multipart: it is a multipart form, as it always is with a file.
    """

    path: str
    fields: Mapping[str, str] = field(default_factory=lambda: EMPTY)
    file: Upload | None = None
    is_multipart: bool = False

    def encode(self) -> tuple[bytes, str | None]:
        """Write the body.

        Returns:
            The body, and its content type if it is no ordinary form.

        Raises:
            LocalProtocolError: a text cannot be written as UTF-8.
        """
        if self.is_multipart or self.file is not None:
            return gms_files.encode_multipart(Form(fields=self.fields, file=self.file))
        try:
            return urlencode(self.fields).encode("ascii"), None
        except UnicodeEncodeError as error:
            raise LocalProtocolError(
                f"a text cannot be written as UTF-8: {error.reason}"
            ) from error


# --- client half ---------------------------------------------------------------------------------


def request_chat(*, nickname: str, subject: str | None, userdata: Mapping[str, str]) -> Call:
    """Ask for a chat."""
    fields = {"nickname": nickname}
    if subject is not None:
        fields["subject"] = subject
    return Call(path="", fields=fields | _userdata_fields(userdata))


def refresh(identity: Identity) -> Call:
    """Ask what is new."""
    return _call(identity, "refresh")


def call_for(command: chat.Command, identity: Identity, names: RestNames) -> Call:
    """Write a command as a call.

    Raises:
        LocalProtocolError: this wire has no such operation, or a file is too large.
    """
    match command:
        case chat.SendMessage():
            fields = {"message": command.text}
            if command.content_type != "text":
                fields["messageType"] = command.content_type
            return _call(identity, "send", fields)
        case chat.SendTyping():
            segment = "startTyping" if command.is_typing else "stopTyping"
            return _call(identity, segment, {"message": command.preview} if command.preview else {})
        case chat.SetUserdata():
            return _call(identity, names.update_data, _userdata_fields(command.userdata))
        case chat.DeleteUserdata():
            # There is no delete: an empty value is the nearest thing (inferred).
            return _call(identity, names.update_data, _userdata_fields({command.key: ""}))
        case chat.SendNotice():
            return _call(identity, "customNotice", {"message": command.text})
        case chat.PushUrl():
            return _call(identity, names.push_url, {"pushUrl": command.url})
        case chat.UpdateNickname():
            return _call(identity, "updateNickname", {"nickname": command.nickname})
        case chat.ReadReceipt():
            # Here the position is what was read, not what to answer with.
            fields = {"transcriptPosition": str(command.index)}
            return _call(identity, names.read_receipt, fields)
        case chat.Leave():
            return _call(identity, "disconnect")
        case chat.SendFile():
            return _call(identity, "file", file=gms_files.upload_of(command))
        case chat.GetFileLimits():
            return _call(identity, "file/limits")
        case chat.DownloadFile():
            return _call(identity, f"file/{_segment(command.file_id)}/download")
        case chat.DeleteFile():
            return _call(identity, f"file/{_segment(command.file_id)}/delete")
        case _:
            raise LocalProtocolError(
                f"GMS Chat v2 over REST has no operation for {type(command).__name__}"
            )


def decode_errors(data: JSON) -> tuple[GmsError, ...]:
    """Find the API errors in the body of a reply whose HTTP status is not 200.

    That there are some is documented, their place in the body is not: both a list in ``errors`` and
    a bare error are taken, and whatever else it is counts as none.
    """
    if not isinstance(data, dict):
        return ()
    try:
        found = gms_v2.decode_push({"errors": data.get("errors") or [data]}).errors
    except RemoteProtocolError:
        return ()
    return tuple(error for error in found if error.code is not None)


def path_of_service(service: str) -> str:
    """Give what follows the URL of the server for this service."""
    return f"/{_segment(service)}"


def _call(
    identity: Identity,
    segments: str,
    fields: Mapping[str, str] = EMPTY,
    *,
    file: Upload | None = None,
) -> Call:
    known = {
        "userId": identity.user_id,
        "secureKey": identity.secure_key,
        "alias": identity.alias,
        "transcriptPosition": str(identity.position),
    }
    present = {name: value for name, value in known.items() if value}
    return Call(
        path=f"/{_segment(identity.chat_id)}/{segments}", fields={**present, **fields}, file=file
    )


def _segment(text: str) -> str:
    try:
        return quote(text, safe="")
    except UnicodeEncodeError as error:
        raise LocalProtocolError(f"a name cannot be written as UTF-8: {error.reason}") from error


def _userdata_fields(userdata: Mapping[str, str]) -> dict[str, str]:
    return {f"userData[{key}]": value for key, value in userdata.items()}


# --- server half ---------------------------------------------------------------------------------

SEGMENTS: Mapping[str, str] = {
    "send": "sendMessage",
    "refresh": "refresh",
    "startTyping": "startTyping",
    "stopTyping": "stopTyping",
    "disconnect": "disconnect",
    "customNotice": "customNotice",
    "pushUrl": "pushUrl",
    "updateNickname": "updateNickname",
    "updateData": "updateData",
    "readReceipt": "readReceipt",
    "file": "fileUpload",
    "file/limits": "fileGetLimits",
}
"""What CometD calls the operations of the path's last segments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """A call as the server sees it.

    Attributes:
        operation: in the words of CometD; ``requestChat`` where no chat is named.
    """

    service: str
    operation: Operation
    chat_id: str = ""
    user_id: str = ""
    alias: str = ""
    file_id: str = ""
    file: Upload | None = None


def decode_call(path: str, body: bytes, content_type: str) -> Called | None:
    """Read a call.

    Args:
        path: below the URL of the server, percent-decoded: ``/SERVICE/CHAT/send``.

    Returns:
        The call; None if there is nothing at this path.

    Raises:
        RemoteProtocolError: the form cannot be read.
    """
    service, _, rest = path.strip("/").partition("/")
    chat_id, _, segments = rest.partition("/")
    name, file_id = _operation_at(chat_id, segments)
    if not service or not name:
        return None
    form = decode_form(body, content_type)
    fields = form.fields
    full_name = f"{fields.get('firstName', '')} {fields.get('lastName', '')}".strip()
    operation = Operation(
        name=name,
        secure_key=fields.get("secureKey", ""),
        nickname=fields.get("nickname", "") or full_name,
        subject=fields.get("subject") or None,
        message=fields.get("message", fields.get("text") if name == "requestChat" else None),
        message_type=fields.get("messageType", ""),
        push_url=fields.get("pushUrl", ""),
        userdata={key[9:-1]: value for key, value in fields.items() if _is_userdata(key)},
        transcript_position=_position(fields.get("transcriptPosition")),
    )
    return Called(
        service=service,
        operation=operation,
        chat_id=chat_id,
        user_id=fields.get("userId", ""),
        alias=fields.get("alias", ""),
        file_id=file_id,
        file=form.file,
    )


def is_form(content_type: str) -> bool:
    """Tell whether a body of this type is one that the service reads."""
    return content_type.partition(";")[0].strip().lower() in (FORM, FORM_DATA)


def decode_form(body: bytes, content_type: str) -> Form:
    """Read a form of either kind.

    Raises:
        RemoteProtocolError: it cannot be read.
    """
    if content_type.partition(";")[0].strip().lower() == FORM_DATA:
        return gms_files.decode_multipart(body, content_type)
    try:
        pairs = parse_qsl(
            body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS, errors="strict"
        )
    except ValueError as error:
        raise RemoteProtocolError(f"the form cannot be read: {error}") from error
    return Form(fields=dict(pairs))


def _operation_at(chat_id: str, segments: str) -> tuple[str, str]:
    """Find the operation of a path, and the file that it is about."""
    if not chat_id:
        return "requestChat", ""
    if segments in SEGMENTS:
        return SEGMENTS[segments], ""
    match segments.split("/"):
        case ["file", file_id, "download"]:
            return "fileDownload", file_id
        case ["file", file_id, "delete"]:
            return "fileDelete", file_id
        case _:
            return "", ""


def _is_userdata(name: str) -> bool:
    return name.startswith("userData[") and name.endswith("]")


def _position(text: str | None) -> int | None:
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise RemoteProtocolError(
            f"transcriptPosition must be a number, not {shortened_repr(text, 40)}"
        )
    return int(text)
