"""WebSockets of a chat: text messages over TCP, TLS, a proxy or a given transport."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from botkit.connectors.websocket.contract import CookieJar, WebSocket
from botkit.interfaces import NetworkSettings

if TYPE_CHECKING:
    import httpx

__all__ = ["CookieJar", "WebSocket", "open_websocket"]

NOTHING: Mapping[str, str] = MappingProxyType({})


async def open_websocket(
    url: str,
    network: NetworkSettings,
    *,
    headers: Mapping[str, str] = NOTHING,
    cookies: CookieJar | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
) -> WebSocket:
    """Connect to a server and become a WebSocket; no time limit but the caller's own.

    Args:
        url: ws or wss, or http or https, which mean the same; user and password in it stand for
            basic authentication.
        network: TLS, proxy, headers; ``max_reply_bytes`` limits each message.
        headers: sent beside those of ``network``, such as Origin or Sec-WebSocket-Protocol.
        cookies: the chat's: sent along, and given those that come back.
        transport: carries the upgrade instead of sockets, and gives the stream in the extension
            ``network_stream`` of its answer; it stays the caller's to close.

    Raises:
        ConnectorError: the server was not reached, or did not grant the upgrade; ``sent`` is
            false, since nothing was said.
        RemoteProtocolError: what came is no HTTP, or no upgrade to WebSocket.
        ConfigError: the URL, a certificate file, a header or the proxy is unusable.
        LocalProtocolError: the transport gave no stream.
    """
    # The frames of websockets are imported where they are needed alone: start-up waits for nobody.
    from botkit.connectors.websocket.opening import open_stream_websocket

    return await open_stream_websocket(
        url, network, headers=headers, cookies=cookies, transport=transport
    )
