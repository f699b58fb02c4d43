"""The connections of one chat, with whoever looks at them and follows them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from botkit.connectors.http import JSON, Http, open_http
from botkit.connectors.http.contract import NO_HEADERS
from botkit.connectors.traced import TracedHttp, open_traced
from botkit.connectors.websocket import CookieJar, WebSocket, open_websocket
from botkit.connectors.wiretapped import OpenSocket, tapped_http, tapped_opener
from botkit.interfaces import NetworkSettings, Opening

__all__ = ["http_of", "network_of", "sockets_of"]

TRACEPARENT = "traceparent"


def network_of(opening: Opening) -> NetworkSettings:
    """Say how to reach servers with requests that are followed one by one.

    The settings may name the trace, for connectors that follow nothing; each request that is
    followed names its own place in it instead.
    """
    network = opening.network
    if opening.tracer is None:
        return network
    headers = {k: v for k, v in network.headers.items() if k.lower() != TRACEPARENT}
    return replace(network, headers=headers)


def http_of(opening: Opening, url: str, *, content_type: str = JSON) -> Http:
    """Make the HTTP of one chat with a server; see :func:`~botkit.connectors.http.open_http`."""
    http = open_http(
        url, network_of(opening), transport=opening.transport, content_type=content_type
    )
    if opening.tracer is not None:
        http = TracedHttp(http, opening.tracer)
    return tapped_http(http, opening.wiretap)


def sockets_of(
    opening: Opening,
    url: str,
    *,
    headers: Mapping[str, str] = NO_HEADERS,
    cookies: CookieJar | None = None,
) -> OpenSocket:
    """Give what opens the WebSockets of one chat; see :func:`open_websocket`."""
    network, tracer = network_of(opening), opening.tracer

    async def open_one(more: Mapping[str, str] = NO_HEADERS) -> WebSocket:
        return await open_websocket(
            url,
            network,
            headers={**headers, **more},
            cookies=cookies,
            transport=opening.transport,
        )

    async def open_followed() -> WebSocket:
        return await (open_one() if tracer is None else open_traced(open_one, url, tracer))

    return tapped_opener(open_followed, url, opening.wiretap)
