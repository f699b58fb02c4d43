"""Files of customers: what REST and the side door of CometD ask for alike. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from botkit.genesys import gms_files
from botkit.genesys.gms_files import FILE_ID, Upload
from botkit.simulator.centre import Centre, CentreError
from botkit.simulator.chats import Chat
from botkit.simulator.files import StoredFile

__all__ = ["FILE_OPERATIONS", "perform"]

FILE_OPERATIONS = frozenset(gms_files.OPERATIONS.values())


def perform(
    centre: Centre, chat: Chat, name: str, *, upload: Upload | None, file_id: str, now: float
) -> StoredFile | Mapping[str, str]:
    """Do one of the file operations for the customer of a chat.

    Returns:
        The file that was asked for, or the user data of the reply.

    Raises:
        CentreError: it cannot be done; nothing has changed.
    """
    match name:
        case "fileUpload":
            if upload is None:
                raise CentreError("fileUpload needs a file, in a multipart form")
            file = centre.upload(
                chat,
                chat.customer,
                name=upload.name,
                media_type=upload.media_type,
                content=upload.content,
                now=now,
            )
            return {FILE_ID: file.id}
        case "fileGetLimits":
            return gms_files.encode_limits(centre.file_limits(chat))
        case "fileDownload":
            return centre.download(chat, file_id)
        case "fileDelete":
            centre.delete_file(chat, chat.customer, file_id, now=now)
            return {}
        case _:
            raise CentreError(f"there is no operation {name!r:.60} about files")
