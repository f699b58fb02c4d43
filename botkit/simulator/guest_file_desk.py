"""The desk for the files of guests: places for them, their bytes, what became of them. Pure."""

from __future__ import annotations

from collections.abc import Callable

from botkit.bayeux.messages import JSON
from botkit.simulator.centre import Centre
from botkit.simulator.guest_bodies import file_key, stamp
from botkit.simulator.guest_files import GuestFiles, Upload
from botkit.simulator.guest_sessions import GuestSession, GuestSessions
from botkit.simulator.guest_wire import (
    FileRequest,
    Frame,
    GuestError,
    GuestRequest,
    file_error,
    push,
    response,
)

__all__ = ["GuestFileDesk"]


class GuestFileDesk:
    """Does what guests want with files.

    Args:
        files: keeps them.
        sessions: whose they are.
        centre: keeps the files of agents.
        clock: the loop's clock.
        epoch: the calendar time, epoch seconds, at which the clock said 0.
    """

    def __init__(
        self,
        *,
        files: GuestFiles,
        sessions: GuestSessions,
        centre: Centre,
        clock: Callable[[], float],
        epoch: float,
    ) -> None:
        self._files = files
        self._sessions = sessions
        self._centre = centre
        self._clock = clock
        self._epoch = epoch

    # --- over the socket ---

    def answer(self, session: GuestSession, request: GuestRequest, *, root: str) -> Frame:
        """Answer ``onAttachment``, ``getAttachment`` or ``deleteAttachment``.

        Args:
            root: the URL that the guest reaches the simulator by, without a path.

        Raises:
            GuestError: it is not allowed, or cannot be done.
        """
        wanted = request.file()
        match request.action:
            case "onAttachment":
                return self._announce(session, wanted, request.tracing_id, root)
            case "getAttachment":
                return self._show(session, wanted, request.tracing_id)
            case _:
                self._files.delete(session.token, wanted.id)
                body: dict[str, JSON] = {"attachmentId": wanted.id}
                return push("AttachmentDeletedResponse", body, request.tracing_id)

    def _announce(
        self, session: GuestSession, wanted: FileRequest, tracing_id: str | None, root: str
    ) -> Frame:
        try:
            upload = self._files.announce(session.token, wanted, root=root, now=self._clock())
        except GuestError as error:
            if not wanted.errors_as_json:
                raise
            return file_error("GenerateUrlError", wanted.id, error)
        body: dict[str, JSON] = {
            "attachmentId": upload.id,
            "url": upload.upload_url,
            "headers": dict(upload.headers),
            "fileName": upload.name,
            "fileType": upload.type,
        }
        if upload.size is not None:
            body["fileSize"] = upload.size
        return response("PresignedUrlResponse", body, tracing_id)

    def _show(self, session: GuestSession, wanted: FileRequest, tracing_id: str | None) -> Frame:
        upload = self._files.find(session.token, wanted.id, now=self._clock())
        body: dict[str, JSON] = {
            "attachmentId": upload.id,
            "url": upload.download_url,
            "headers": {},
            "fileName": upload.name,
            "fileType": upload.type,
            "fileSize": len(upload.content or b""),
        }
        return response("PresignedUrlResponse", body, tracing_id)

    # --- over HTTP ---

    def take_upload(self, upload: Upload, content: bytes) -> None:
        """Take the bytes of a file, and tell its guest what became of it.

        The store takes anything, as a real one does; that it will not do is told over the socket.
        """
        timestamp = stamp(self._epoch + self._clock())
        try:
            self._files.receive(upload, content)
        except GuestError as error:
            told = file_error("UploadFailureEvent", upload.id, error, timestamp=timestamp)
        else:
            body: dict[str, JSON] = {
                "attachmentId": upload.id,
                "downloadUrl": upload.download_url,
                "timestamp": timestamp,
            }
            told = push("UploadSuccessEvent", body)
        session = self._sessions.get(upload.token)
        for socket in session.sockets if session is not None else ():
            socket.send(told)

    def download(self, key: str) -> bytes | None:
        """Give the bytes of a guest's file, or of an agent's; None if there is no such file."""
        upload = self._files.download(key)
        if upload is not None:
            return upload.content
        file_id = key.rpartition("-")[0]
        chat = self._centre.by_id(file_id.rpartition("-")[0])
        if chat is None or chat.room is None or key != file_key(chat, file_id):
            return None
        file = chat.room.files.get(file_id)
        return file.content if file is not None else None
