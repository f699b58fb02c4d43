"""The files of a web messaging chat: asked for over the WebSocket, carried over plain HTTP.

Source: official Kotlin SDK, ``AttachmentHandler``; the reference's section 6.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from botkit import chat
from botkit.chat import FileLimits
from botkit.connectors.guest_connection import GuestConnection
from botkit.connectors.guest_link import GuestLink, answer_of, new_id
from botkit.connectors.guest_web import GuestWeb
from botkit.connectors.waiting import Waiting
from botkit.genesys.guest_chat import GuestChat
from botkit.genesys.web_records import (
    AttachmentDeleted,
    AttachmentFailed,
    Frame,
    PresignedUrl,
    Request,
    SessionInfo,
    Uploaded,
)

__all__ = ["GuestFiles", "limits_of"]


class GuestFiles:
    """Carries the files of one chat; a file that was uploaded is in no message yet."""

    __slots__ = ("_chat", "_connection", "_link", "_waiting", "_web")

    def __init__(
        self,
        guest_chat: GuestChat,
        connection: GuestConnection,
        link: GuestLink,
        waiting: Waiting,
        web: GuestWeb,
    ) -> None:
        self._chat = guest_chat
        self._connection = connection
        self._link = link
        self._waiting = waiting
        self._web = web

    async def upload(self, command: chat.SendFile) -> str:
        """Bring a file to the service.

        Returns:
            Its id.

        Raises:
            ChatError: the service does not want it.
            ConnectorError, RemoteProtocolError: it did not arrive.
        """
        file_id = new_id()
        # The news may be faster than the task that waits for it.
        with self._link.expecting(answered_by(Uploaded, file_id)) as uploaded:
            place = await self._place(
                "onAttachment",
                file_id,
                file_name=command.name,
                file_type=command.media_type,
                file_size=len(command.content),
                errors_as_json=True,
            )
            await self._web.put(place.url, place.headers, command.content)
            frame = await uploaded.outcome()
        if frame is not None:
            answer_of(frame, Uploaded)
        return file_id

    async def download(self, file_id: str) -> bytes:
        """Fetch a file of the chat; errors as :meth:`upload`."""
        place = await self._place("getAttachment", file_id)
        return await self._web.download(place.url, place.headers)

    async def delete(self, file_id: str) -> None:
        """Take a file away; errors as :meth:`upload`."""
        frame = await self._ask(AttachmentDeleted, "deleteAttachment", file_id)
        answer_of(frame, AttachmentDeleted)

    async def _place(self, action: str, file_id: str, **members: Any) -> PresignedUrl:
        frame = await self._ask(PresignedUrl, action, file_id, **members)
        return answer_of(frame, PresignedUrl)

    async def _ask(self, kind: type[Answer], action: str, file_id: str, **members: Any) -> Frame:
        await self._waiting.until(lambda: self._connection.is_online)
        request = Request(
            action=action,
            token=self._chat.token,
            tracing_id=new_id(),
            attachment_id=file_id,
            **members,
        )
        return await self._link.call(request, answered_by(kind, file_id))


Answer = PresignedUrl | Uploaded | AttachmentDeleted


def answered_by(kind: type[Answer], file_id: str) -> Callable[[Frame], bool]:
    """Recognise the answer about a file, or the news of what went wrong with it."""

    def answers(frame: Frame) -> bool:
        body = frame.body
        return isinstance(body, kind | AttachmentFailed) and body.attachment_id == file_id

    return answers


def limits_of(info: SessionInfo) -> FileLimits:
    """Say what the service allows."""
    size = info.max_file_kb
    return FileLimits(
        max_file_bytes=None if size is None else size * 1024,
        file_types=info.file_types,
        blocked_extensions=info.blocked_extensions,
        can_delete=True,
    )
