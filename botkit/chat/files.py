"""What may be sent as a file in a chat."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FileLimits:
    """What the service allows; None and an empty tuple stand for "it did not say".

    Attributes:
        max_files: files that the customer may send in one chat.
        max_file_bytes: bytes of one file.
        max_total_bytes: bytes of all files together.
        file_types: what is allowed, as the service writes it (``png``, ``image/png``).
        blocked_extensions: ends of file names that are refused, as the service writes them
            (``.exe``).
        needs_agent: files are refused until an agent has joined.
        can_delete: files may be taken out again.
        max_downloads: downloads of one chat.
        used_files: files that were sent.
        used_total_bytes: their bytes.
        used_downloads: downloads that were made.
    """

    max_files: int | None = None
    max_file_bytes: int | None = None
    max_total_bytes: int | None = None
    file_types: tuple[str, ...] = ()
    blocked_extensions: tuple[str, ...] = ()
    needs_agent: bool = False
    can_delete: bool = False
    max_downloads: int | None = None
    used_files: int | None = None
    used_total_bytes: int | None = None
    used_downloads: int | None = None
