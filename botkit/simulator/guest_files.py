"""Files of guests: announced over the socket, brought and fetched over HTTP. Pure.

Theory of operation. A guest announces a file and gets a URL that carries a key of its own, good for
one upload; what was uploaded gets a download URL, with another key. The bytes are kept while there
is room; the oldest go first, and are then said to have expired, as what nobody sent in time is.
"""

from __future__ import annotations

import base64
import enum
import hashlib
import random
import re
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from botkit.chat import Party
from botkit.simulator.files import StoredFile
from botkit.simulator.guest_settings import GuestSettings
from botkit.simulator.guest_wire import Code, FileRequest, GuestError

__all__ = ["DOWNLOAD_PATH", "UPLOAD_PATH", "GuestFiles", "Upload", "UploadState", "stored"]

UPLOAD_PATH = "/simulator/guest/uploads/"
DOWNLOAD_PATH = "/simulator/guest/downloads/"
TAGGING = "x-amz-tagging"
"""The header that an upload must repeat; real ones carry it, too."""
FORBIDDEN_IN_NAMES = re.compile(r"[\x00-\x1f\x7f/\\]")


class UploadState(enum.Enum):
    ANNOUNCED = "announced"
    UPLOADED = "uploaded"
    SENT = "sent"


@dataclass(slots=True, kw_only=True, eq=False)
class Upload:
    """One file.

    Attributes:
        token: the session that it belongs to.
        headers: what the upload must repeat.
        content: None until it was uploaded, and when it is forgotten.
    """

    id: str
    token: str
    name: str
    type: str
    size: int | None
    md5: str
    at: float
    key: str
    upload_url: str
    download_url: str
    headers: Mapping[str, str]
    state: UploadState = UploadState.ANNOUNCED
    content: bytes | None = None


class GuestFiles:
    """Keeps the files of all guests.

    Args:
        settings: what may be sent.
        rng: where keys come from.
    """

    def __init__(self, settings: GuestSettings, rng: random.Random) -> None:
        self._settings = settings
        self._rng = rng
        self._by_id: OrderedDict[tuple[str, str], Upload] = OrderedDict()
        self._by_key: dict[str, Upload] = {}
        self._kept = 0

    # --- over the socket ---

    def announce(self, token: str, wanted: FileRequest, *, root: str, now: float) -> Upload:
        """Promise a place for a file; one that has the same id is replaced.

        Args:
            root: the URL that guests reach the simulator by, without a path.

        Raises:
            GuestError: such a file may not be sent.
        """
        self._check(wanted)
        self.forget(token, wanted.id)
        key = f"{self._rng.getrandbits(128):032x}"
        upload = Upload(
            id=wanted.id,
            token=token,
            name=wanted.name,
            type=wanted.type,
            size=wanted.size,
            md5=wanted.md5,
            at=now,
            key=key,
            upload_url=f"{root}{UPLOAD_PATH}{key}",
            download_url=f"{root}{DOWNLOAD_PATH}{key[::-1]}",
            headers={TAGGING: f"organizationId=simulator&owner={key[:8]}"},
        )
        self._by_id[token, wanted.id] = upload
        self._by_key[key] = self._by_key[key[::-1]] = upload
        self._make_room()
        return upload

    def _check(self, wanted: FileRequest) -> None:
        settings, name = self._settings, wanted.name
        if not name or FORBIDDEN_IN_NAMES.search(name):
            raise GuestError(Code.FILE_NAME_INVALID, "the file needs a name, without a path")
        if len(name) > settings.max_file_name:
            raise GuestError(Code.FILE_NAME_TOO_LONG, "the name of the file is too long")
        if name.lower().endswith(settings.blocked_extensions):
            raise GuestError(Code.FILE_TYPE_INVALID, "files with this extension are blocked")
        if not any(fits(wanted.type, allowed) for allowed in settings.file_types):
            raise GuestError(Code.FILE_TYPE_INVALID, "files of this type may not be sent")
        if wanted.size is not None and not 0 < wanted.size <= settings.max_file_kb * 1024:
            raise GuestError(Code.FILE_SIZE_INVALID, f"a file has 1 to {settings.max_file_kb} KB")

    def find(self, token: str, id_: str, *, now: float) -> Upload:
        """Find a file that was uploaded.

        Raises:
            GuestError: there is none, it waited for too long, or it was not uploaded.
        """
        upload = self._by_id.get((token, id_))
        if upload is None:
            raise GuestError(Code.ATTACHMENT_NOT_FOUND, "there is no such attachment")
        waits = upload.state is not UploadState.SENT
        lost = upload.content is None and upload.state is not UploadState.ANNOUNCED
        if lost or (waits and upload.at + self._settings.upload_lifetime <= now):
            raise GuestError(Code.ATTACHMENT_EXPIRED, "the attachment has expired")
        if upload.state is UploadState.ANNOUNCED:
            raise GuestError(Code.ATTACHMENT_NOT_UPLOADED, "the attachment was not uploaded")
        return upload

    def delete(self, token: str, id_: str) -> None:
        """Take a file away.

        Raises:
            GuestError: there is none.
        """
        if (token, id_) not in self._by_id:
            raise GuestError(Code.ATTACHMENT_NOT_FOUND, "there is no such attachment")
        self.forget(token, id_)

    def forget(self, token: str, id_: str) -> None:
        """Drop a file, if it is there."""
        upload = self._by_id.pop((token, id_), None)
        if upload is not None:
            self._kept -= len(upload.content or b"")
            del self._by_key[upload.key], self._by_key[upload.key[::-1]]

    # --- over HTTP ---

    def awaited(self, key: str, headers: Mapping[str, str], *, now: float) -> Upload | None:
        """Find the file that an upload is for; None if it may not be done, or no more."""
        upload = self._by_key.get(key)
        if upload is None or upload.key != key or upload.state is not UploadState.ANNOUNCED:
            return None
        in_time = now < upload.at + self._settings.upload_lifetime
        repeated = all(headers.get(name) == value for name, value in upload.headers.items())
        return upload if in_time and repeated else None

    def receive(self, upload: Upload, content: bytes) -> None:
        """Take the bytes of a file.

        Raises:
            GuestError: they are not what was announced, or too many; the file is dropped.
        """
        try:
            check_content(upload, content, at_most=self._settings.max_file_kb * 1024)
        except GuestError:
            self.forget(upload.token, upload.id)
            raise
        upload.content, upload.state = content, UploadState.UPLOADED
        self._kept += len(content)
        self._make_room()

    def download(self, key: str) -> Upload | None:
        """Find a file to be fetched."""
        upload = self._by_key.get(key)
        is_there = upload is not None and upload.key[::-1] == key and upload.content is not None
        return upload if is_there else None

    def _make_room(self) -> None:
        """Forget the oldest bytes, and the oldest files, if there are too many."""
        for upload in self._by_id.values():
            if self._kept <= self._settings.max_kept_bytes:
                break
            self._kept -= len(upload.content or b"")
            upload.content = None
        while len(self._by_id) > self._settings.keep_files:
            self.forget(*next(iter(self._by_id)))


def check_content(upload: Upload, content: bytes, *, at_most: int) -> None:
    if not 0 < len(content) <= at_most:
        raise GuestError(Code.FILE_SIZE_INVALID, "the file is empty, or too large")
    if upload.size is not None and upload.size != len(content):
        raise GuestError(Code.FILE_CONTENT_INVALID, "the file has not the size that was announced")
    if upload.md5:
        digest = hashlib.md5(content, usedforsecurity=False)
        # Whether it is written in hexadecimal or in base 64 is not public.
        if upload.md5 not in (digest.hexdigest(), base64.b64encode(digest.digest()).decode()):
            raise GuestError(Code.FILE_CONTENT_INVALID, "the file has not the announced digest")


def stored(upload: Upload, party: Party) -> StoredFile:
    """Give a file as the centre knows files; whose bytes stay here."""
    return StoredFile(
        id=upload.id,
        name=upload.name,
        media_type=upload.type,
        content=upload.content or b"",
        party=party,
    )


def fits(media_type: str, allowed: str) -> bool:
    """Tell whether a media type is one of those that ``image/*`` and the like allow."""
    family, _, kind = allowed.partition("/")
    given_family, _, given_kind = media_type.partition(";")[0].strip().lower().partition("/")
    return bool(given_family) and family in ("*", given_family) and kind in ("*", given_kind)
