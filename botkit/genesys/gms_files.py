"""Files of the GMS Chat API v2: multipart bodies, limits, and the names of files. Pure.

Both wires send files as ``multipart/form-data``: REST to ``/{chatId}/file``, CometD to its side
door (``gms_side_door``). What both have in common is here, client half and server half.

Source: GMS Chat API v2, file operations and file limits. The unit of the sizes and what separates
the file types are not documented: bytes and the usual separators are assumed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from botkit import chat
from botkit.bayeux.messages import JSON
from botkit.chat import FileLimits
from botkit.errors import LocalProtocolError, RemoteProtocolError
from botkit.genesys import gms_v2
from botkit.masking import shortened_repr

FORM_DATA = "multipart/form-data"
FILE_ID = "file-id"
NO_FIELDS: Mapping[str, str] = MappingProxyType({})

MAX_UPLOAD = 64 * 1024 * 1024
"""Bytes of a file that botkit sends: it is held in memory, twice while it is on its way."""
MAX_PARTS = 100
MAX_DIGITS = 18

OPERATIONS: Mapping[type[chat.Command], str] = MappingProxyType(
    {
        chat.SendFile: "fileUpload",
        chat.GetFileLimits: "fileGetLimits",
        chat.DownloadFile: "fileDownload",
        chat.DeleteFile: "fileDelete",
    }
)
"""The commands that are about files, and what CometD's side door calls them."""

FileCommand = chat.SendFile | chat.GetFileLimits | chat.DownloadFile | chat.DeleteFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file on its way; its content never appears in a text about it."""

    name: str
    media_type: str
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What a form holds, whichever way it was sent."""

    fields: Mapping[str, str] = field(default_factory=lambda: NO_FIELDS)
    file: Upload | None = None


# --- sending --------------------------------------------------------------------------------------


def upload_of(command: FileCommand) -> Upload | None:
    """Give the file that a command sends, if it sends one.

    Raises:
        LocalProtocolError: it is too large.
    """
    if not isinstance(command, chat.SendFile):
        return None
    if len(command.content) > MAX_UPLOAD:
        raise LocalProtocolError(
            f"{command.name!r} has {len(command.content)} bytes; botkit sends up to {MAX_UPLOAD}"
        )
    return Upload(name=command.name, media_type=command.media_type, content=command.content)


# --- replies -------------------------------------------------------------------------------------


def decode_userdata(data: JSON) -> dict[str, str]:
    """Read ``userData`` of a reply.

    Raises:
        RemoteProtocolError: it is no object of texts.
    """
    if not isinstance(data, dict):
        raise RemoteProtocolError("a reply about files must be an object")
    userdata = data.get("userData")
    return gms_v2.decode_strings(userdata, "userData") if userdata else {}


def decode_file_id(data: JSON) -> str:
    """Read how the service calls a file that was sent.

    Raises:
        RemoteProtocolError: the reply does not say.
    """
    file_id = decode_userdata(data).get(FILE_ID, "")
    if not file_id:
        raise RemoteProtocolError(f"the file was taken, and the reply has no {FILE_ID}")
    return file_id


def decode_limits(data: JSON) -> FileLimits:
    """Read what may be sent.

    Raises:
        RemoteProtocolError: a number is none.
    """
    raw = decode_userdata(data)
    return FileLimits(
        max_files=_count(raw, "upload-max-files"),
        max_file_bytes=_count(raw, "upload-max-file-size"),
        max_total_bytes=_count(raw, "upload-max-total-size"),
        file_types=tuple(filter(None, re.split(r"[,;:|\s]+", raw.get("upload-file-types", "")))),
        needs_agent=_flag(raw, "upload-need-agent"),
        can_delete=_flag(raw, "delete-file"),
        max_downloads=_count(raw, "download-attempts"),
        used_files=_count(raw, "used-upload-max-files"),
        used_total_bytes=_count(raw, "used-upload-max-total-size"),
        used_downloads=_count(raw, "used-download-attempts"),
    )


def encode_limits(limits: FileLimits) -> dict[str, str]:
    """Write limits as the user data of a reply; what is None is left out."""
    counts = {
        "upload-max-files": limits.max_files,
        "upload-max-file-size": limits.max_file_bytes,
        "upload-max-total-size": limits.max_total_bytes,
        "download-attempts": limits.max_downloads,
        "used-upload-max-files": limits.used_files,
        "used-upload-max-total-size": limits.used_total_bytes,
        "used-download-attempts": limits.used_downloads,
    }
    return {
        **{key: str(count) for key, count in counts.items() if count is not None},
        "upload-file-types": ",".join(limits.file_types),
        "upload-need-agent": str(limits.needs_agent).lower(),
        "delete-file": str(limits.can_delete).lower(),
    }


def _count(raw: Mapping[str, str], key: str) -> int | None:
    text = raw.get(key, "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_DIGITS):
        raise RemoteProtocolError(f"{key} must be a number, not {shortened_repr(text, 40)}")
    return int(text)


def _flag(raw: Mapping[str, str], key: str) -> bool:
    return raw.get(key, "").strip().lower() in ("true", "1", "yes")


# --- multipart/form-data -------------------------------------------------------------------------


def encode_multipart(form: Form) -> tuple[bytes, str]:
    """Write a form as ``multipart/form-data``.

    Returns:
        The body, and its content type with the boundary.

    Raises:
        LocalProtocolError: a text cannot be written as UTF-8, or a media type is none.

    Source: RFC 7578; names are escaped as browsers do.
    """
    try:
        parts = [
            _part(f'name="{_escaped(name)}"', "", value.encode())
            for name, value in form.fields.items()
        ]
        if (file := form.file) is not None:
            about = f'name="file"; filename="{_escaped(file.name)}"'
            parts.append(_part(about, _media_type(file.media_type), file.content))
    except UnicodeEncodeError as error:
        raise LocalProtocolError(f"a text cannot be written as UTF-8: {error.reason}") from error
    boundary = _boundary(parts)
    line = f"--{boundary}".encode()
    chunks = [chunk for part in parts for chunk in (line, b"\r\n", part, b"\r\n")]
    return b"".join([*chunks, line, b"--\r\n"]), f"{FORM_DATA}; boundary={boundary}"


def decode_multipart(body: bytes, content_type: str) -> Form:
    """Read a form; the one part with a file name is the file.

    Raises:
        RemoteProtocolError: it is none.
    """
    boundary = re.search(r'boundary="?([^";,\s]{1,70})"?', content_type, re.IGNORECASE)
    if boundary is None:
        raise RemoteProtocolError("the content type of a multipart form names no boundary")
    # The line break before a boundary belongs to the boundary, also before the first one.
    _, *parts = (b"\r\n" + body).split(f"\r\n--{boundary[1]}".encode("latin-1", "replace"))
    if not parts or not parts[-1].startswith(b"--") or len(parts) > MAX_PARTS:
        raise RemoteProtocolError("the multipart form is cut off, or has too many parts")
    fields: dict[str, str] = {}
    file: Upload | None = None
    for part in parts[:-1]:
        head, separator, content = part.partition(b"\r\n\r\n")
        if not separator:
            raise RemoteProtocolError("a part of the form has no head")
        headers = _headers_of(head)
        about = headers.get("content-disposition", "")
        name = _parameter(about, "name")
        filename = _parameter(about, "filename")
        if filename is not None:
            media_type = headers.get("content-type", "application/octet-stream")
            file = Upload(name=filename, media_type=media_type, content=content)
        elif name:
            fields[name] = _text(content)
    return Form(fields=fields, file=file)


def _part(about: str, media_type: str, content: bytes) -> bytes:
    lines = f"Content-Disposition: form-data; {about}\r\n"
    if media_type:
        lines += f"Content-Type: {media_type}\r\n"
    return lines.encode() + b"\r\n" + content


def _escaped(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _media_type(text: str) -> str:
    if not re.fullmatch(r"[!-~]+/[ -~]+", text):
        raise LocalProtocolError(f"{shortened_repr(text, 60)} is no media type; one is image/png")
    return text


def _boundary(parts: list[bytes]) -> str:
    """Find a boundary that occurs in none of the parts."""
    number = 0
    while any(f"botkit-{number:08d}".encode() in part for part in parts):
        number += 1
    return f"botkit-{number:08d}"


def _headers_of(head: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in _text(head).split("\r\n"):
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return headers


def _parameter(header: str, name: str) -> str | None:
    found = re.search(rf'(?:^|[;\s]){name}="([^"]*)"', header)
    if found is None:
        return None
    return found[1].replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise RemoteProtocolError(f"a part of the form is no UTF-8: {error.reason}") from error
