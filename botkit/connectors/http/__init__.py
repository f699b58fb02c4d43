"""The HTTP of one chat: its own cookies, its own two connections, never a shared pool.

:func:`open_http` picks the carrier: :class:`LeanHttp` wherever it can, httpx where a proxy, an
authentication scheme or a given transport asks for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from botkit.connectors.http.contract import Http, HttpReply, Lane, StoredCookie
from botkit.connectors.http.lean import LeanHttp, OpenStream
from botkit.connectors.http.proxies import proxy_for
from botkit.connectors.http.target import parse_target
from botkit.interfaces import NetworkSettings

if TYPE_CHECKING:
    import httpx

__all__ = [
    "JSON",
    "Http",
    "HttpReply",
    "Lane",
    "LeanHttp",
    "OpenStream",
    "StoredCookie",
    "open_http",
]

JSON = "application/json;charset=UTF-8"


def open_http(
    url: str,
    settings: NetworkSettings,
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    auth: httpx.Auth | None = None,
    content_type: str = JSON,
) -> Http:
    """Make the HTTP of one chat; connections are opened when they are needed.

    Args:
        url: http or https; user and password in it stand for basic authentication.
        transport: carries the requests instead of sockets; it stays the caller's to close.
        auth: an authentication scheme of httpx, such as digest.

    Raises:
        ConfigError: the URL, a certificate file, a header or the proxy is unusable.
    """
    proxy = None if transport is not None else proxy_for(parse_target(url), settings)
    if transport is None and proxy is None and auth is None:
        return LeanHttp(url, settings, content_type=content_type)
    # httpx is imported where it is needed alone: it costs a command 50 ms of start-up.
    from botkit.connectors.http.over_httpx import HttpxHttp, own_transport

    return HttpxHttp(
        url,
        settings,
        transport=transport or own_transport(proxy, settings),
        auth=auth,
        content_type=content_type,
        owned=transport is None,
        proxy=proxy,
    )
