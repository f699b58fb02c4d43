"""``chat-ntf``, the side door of GMS Chat over CometD: commands about files as forms. Pure.

Source: public CometD clients for ``fileUpload`` and ``fileGetLimits``; ``fileDownload``,
``fileDelete`` and the field ``file-id`` are inferred from REST.
"""

from __future__ import annotations

from botkit import chat
from botkit.genesys import gms_files
from botkit.genesys.gms_files import FILE_ID, OPERATIONS, FileCommand
from botkit.genesys.gms_rest import Call

PATH = "2/chat-ntf"
"""Where it is, seen from where the Bayeux server is."""


def url_beside(bayeux_url: str) -> str:
    """Find the side door of a Bayeux server: its neighbour."""
    address, _, query = bayeux_url.partition("?")
    parent = address.rstrip("/").rpartition("/")[0]
    return f"{parent}/{PATH}" + (f"?{query}" if query else "")


def call_for(command: FileCommand, secure_key: str) -> Call:
    """Write a command about a file.

    Raises:
        LocalProtocolError: the file is too large.
    """
    fields = {"operation": OPERATIONS[type(command)], "secureKey": secure_key}
    if isinstance(command, chat.DownloadFile | chat.DeleteFile):
        fields[FILE_ID] = command.file_id
    return Call(path="", fields=fields, file=gms_files.upload_of(command), is_multipart=True)
