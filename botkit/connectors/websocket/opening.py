"""How a WebSocket is reached: directly, through a proxy, or by a transport that was given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import trio

from botkit.connectors.http.failures import connect_failure
from botkit.connectors.http.lean import OpenStream, with_tls
from botkit.connectors.http.proxies import proxy_for
from botkit.connectors.http.tcp import open_tcp_stream
from botkit.connectors.websocket.connection import StreamWebSocket
from botkit.connectors.websocket.contract import CookieJar
from botkit.connectors.websocket.tunnel import Tunnel, is_tunnelled, receive_answer
from botkit.connectors.websocket.upgrade import Upgrade
from botkit.interfaces import NetworkSettings

if TYPE_CHECKING:
    import httpx

__all__ = ["open_stream_websocket"]


async def open_stream_websocket(
    url: str,
    settings: NetworkSettings,
    *,
    headers: Mapping[str, str],
    cookies: CookieJar | None,
    transport: httpx.AsyncBaseTransport | None,
    open_stream: OpenStream = open_tcp_stream,
) -> StreamWebSocket:
    """Do what ``open_websocket`` promises.

    Args:
        open_stream: what to use instead of TCP where nothing leads another way; TLS comes on top.
    """
    upgrade = Upgrade(url, settings, headers=headers, cookies=cookies)
    proxy = None if transport is not None else proxy_for(upgrade.target, settings)
    if proxy is not None and is_tunnelled(proxy):
        open_stream, proxy = Tunnel.through(proxy, settings), None
    rest = b""
    if transport is not None or proxy is not None:
        stream = await _upgrade_over_httpx(upgrade, settings, transport, proxy)
    else:
        if upgrade.target.scheme == "https":
            open_stream = with_tls(open_stream, settings)
        stream, rest = await _upgrade_over(open_stream, upgrade)
    return StreamWebSocket(stream, upgrade.url, limit=settings.max_reply_bytes, received=rest)


async def _upgrade_over(open_stream: OpenStream, upgrade: Upgrade) -> tuple[trio.abc.Stream, bytes]:
    """Connect and upgrade; what came behind the answer is given back too."""
    target = upgrade.target
    try:
        stream = await open_stream(target.host, target.port)
    except (OSError, trio.BrokenResourceError) as error:
        raise connect_failure(error, upgrade.origin) from error
    try:
        answer = await receive_answer(stream, upgrade.head, upgrade.url)
        upgrade.accept(answer)
    except BaseException:
        await trio.aclose_forcefully(stream)
        raise
    return stream, answer.rest


async def _upgrade_over_httpx(
    upgrade: Upgrade,
    settings: NetworkSettings,
    transport: httpx.AsyncBaseTransport | None,
    proxy: str | None,
) -> trio.abc.Stream:
    # httpx is imported where it is needed alone: it costs a command 50 ms of start-up.
    from botkit.connectors.http.over_httpx import own_transport
    from botkit.connectors.websocket.over_httpx import upgrade_over

    if transport is not None:
        return await upgrade_over(transport, upgrade)
    return await upgrade_over(own_transport(proxy, settings), upgrade, proxy=proxy, owned=True)
