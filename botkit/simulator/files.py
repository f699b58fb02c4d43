"""Files in a chat: what may be sent, and why something may not. Pure.

The rules are those that GMS names in its file limits; their figures are the simulator's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from botkit.chat import FileLimits, Party

__all__ = ["FileRoom", "FileRules", "StoredFile", "describe", "limits_of", "why_not"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FileRules:
    """What one party may do with files in one chat.

    Attributes:
        file_types: endings of names, without the dot; empty allows all.
        needs_agent: the customer sends nothing until an agent has joined.
    """

    max_files: int = 10
    max_file_bytes: int = 5 * 1024 * 1024
    max_total_bytes: int = 20 * 1024 * 1024
    file_types: tuple[str, ...] = ("csv", "doc", "docx", "gif", "jpeg", "jpg", "pdf", "png", "txt")
    needs_agent: bool = False
    can_delete: bool = True
    max_downloads: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file of a chat; ``party`` sent it."""

    id: str
    name: str
    media_type: str
    content: bytes = field(repr=False)
    party: Party


@dataclass(slots=True, kw_only=True, eq=False)
class FileRoom:
    """The files of one chat, and what was done with them.

    Attributes:
        sent, sent_bytes: what the customer sent; what was deleted counts on.
        downloads: what the customer fetched.
    """

    files: dict[str, StoredFile] = field(default_factory=dict)
    number: int = 0
    sent: int = 0
    sent_bytes: int = 0
    downloads: int = 0


def why_not(
    rules: FileRules, room: FileRoom, name: str, size: int, *, had_agent: bool
) -> str | None:
    """Say why the customer may not send a file; None if it may be sent."""
    ending = name.rpartition(".")[2].lower()
    if not name:
        return "the file has no name"
    if rules.needs_agent and not had_agent:
        return "upload-need-agent: files are taken once an agent has joined"
    if rules.file_types and ending not in rules.file_types:
        return f"upload-file-types: files that end in {ending!r:.20} are not taken"
    if size > rules.max_file_bytes:
        return f"upload-max-file-size: the file has {size} bytes, {rules.max_file_bytes} may be"
    if room.sent >= rules.max_files:
        return f"upload-max-files: {room.sent} files were sent, which is all that may be"
    if room.sent_bytes + size > rules.max_total_bytes:
        return f"upload-max-total-size: all files together may have {rules.max_total_bytes} bytes"
    return None


def limits_of(rules: FileRules, room: FileRoom) -> FileLimits:
    """Tell what may be sent, and how much of it was."""
    return FileLimits(
        max_files=rules.max_files,
        max_file_bytes=rules.max_file_bytes,
        max_total_bytes=rules.max_total_bytes,
        file_types=rules.file_types,
        needs_agent=rules.needs_agent,
        can_delete=rules.can_delete,
        max_downloads=rules.max_downloads,
        used_files=room.sent,
        used_total_bytes=room.sent_bytes,
        used_downloads=room.downloads,
    )


def describe(file: StoredFile) -> Mapping[str, str]:
    """Tell about a file in the words of GMS; the content is not among them."""
    return {
        "file-id": file.id,
        "file-name": file.name,
        "file-size": str(len(file.content)),
        "file-type": file.media_type,
    }
