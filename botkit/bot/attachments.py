"""Files that bots send: read when the bot is loaded, bounded, with the type of their contents."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from botkit.errors import ConfigError

MAX_BYTES = 10 * 1024 * 1024
"""What a file that is sent may have; services take less."""
UNKNOWN_TYPE = "application/octet-stream"

# Without the tables of the system: a bot sends the same everywhere.
_TYPES = mimetypes.MimeTypes(filenames=())


class AttachmentError(ConfigError):
    """A file cannot be sent."""


def read_attachment(path: Path) -> bytes:
    """Read a file.

    Raises:
        AttachmentError: there is none, it is too large, or it cannot be read.
    """
    if path.is_dir():
        raise AttachmentError(f"{str(path)!r} is a folder")
    if not path.is_file():
        raise AttachmentError(f"there is no file {str(path)!r}")
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        reason = error.strerror or str(error)
        raise AttachmentError(f"{str(path)!r} cannot be read: {reason}") from error
    if len(content) > MAX_BYTES:
        raise AttachmentError(f"{str(path)!r} is larger than {MAX_BYTES:,} bytes")
    return content


def media_type_of(name: str) -> str:
    """Guess the type of a file's contents from its name."""
    return _TYPES.guess_type(name)[0] or UNKNOWN_TYPE
