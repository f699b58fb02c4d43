"""The handshake that turns an HTTP connection into a WebSocket, server side.

Source: RFC 6455, section 4.2.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import replace

from botkit.simulator.http import Reply, Request

__all__ = ["is_upgrade", "shake_hands"]

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
VERSION = "13"


def is_upgrade(request: Request) -> bool:
    """Tell whether a request wishes to become a WebSocket."""
    return (
        request.method == "GET"
        and request.headers.get("upgrade", "").lower() == "websocket"
        and "upgrade" in tokens(request.headers.get("connection", ""))
    )


def shake_hands(request: Request, reply: Reply) -> Reply:
    """Complete the reply to a request that is granted an upgrade.

    Returns:
        The reply with the headers that the handshake needs; a refusal if the request is no sound
        one for a WebSocket.
    """
    key = request.headers.get("sec-websocket-key", "")
    if not is_upgrade(request) or not is_key(key):
        return refusal(400, "this is no request for a WebSocket")
    if request.headers.get("sec-websocket-version") != VERSION:
        return refusal(426, "another version of WebSocket, please", ("Sec-WebSocket-Version", "13"))
    accept = base64.b64encode(hashlib.sha1(key.encode() + GUID).digest()).decode()
    headers = (
        ("Upgrade", "websocket"),
        ("Connection", "Upgrade"),
        ("Sec-WebSocket-Accept", accept),
    )
    return replace(reply, status=101, headers=(*headers, *reply.headers), body=b"")


def refusal(status: int, reason: str, *headers: tuple[str, str]) -> Reply:
    headers += (("Content-Type", "text/plain"),)
    return Reply(status=status, headers=headers, body=reason.encode())


def is_key(text: str) -> bool:
    try:
        return len(base64.b64decode(text, validate=True)) == 16
    except (ValueError, binascii.Error):
        return False


def tokens(line: str) -> list[str]:
    return [token.strip() for token in line.lower().split(",")]
