"""A WebSocket through an httpx transport: the upgrade is a GET, the stream comes with its answer.

Source: httpx documentation, "Extensions", ``network_stream``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

import httpcore
import httpx
import trio

from botkit.connectors.http.over_httpx import NO_LIMITS, httpx_failure
from botkit.connectors.websocket.answers import BODY_WANTED, Answer
from botkit.connectors.websocket.upgrade import Upgrade
from botkit.errors import ConnectorError, LocalProtocolError

__all__ = ["NetworkStream", "upgrade_over"]

DEFAULT_RECEIVE = 16 * 1024
Failures = (httpx.HTTPError, httpcore.NetworkError, httpcore.ProtocolError, OSError)


class NetworkStream(trio.abc.Stream):
    """The stream of an httpx response, as trio's streams are.

    Args:
        response: answered the upgrade; closed with the stream.
        owned: the transport, if nobody else needs it; closed with the stream, too.
    """

    def __init__(
        self, response: httpx.Response, *, owned: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self._response = response
        self._network: Any = response.extensions["network_stream"]
        self._owned = owned

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        """Send it all."""
        try:
            await self._network.write(bytes(data))
        except Failures as error:
            raise trio.BrokenResourceError(str(error)) from error

    async def wait_send_all_might_not_block(self) -> None:
        """Nobody can tell."""
        await trio.lowlevel.checkpoint()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        """Receive what is there, after waiting for it; empty at the end."""
        try:
            data: bytes = await self._network.read(max_bytes or DEFAULT_RECEIVE)
        except Failures as error:
            raise trio.BrokenResourceError(str(error)) from error
        return data

    async def aclose(self) -> None:
        """Close the stream, and what it came with."""
        try:
            await self._network.aclose()
        finally:
            await self._response.aclose()
            if self._owned is not None:
                await self._owned.aclose()


async def upgrade_over(
    transport: httpx.AsyncBaseTransport,
    upgrade: Upgrade,
    *,
    proxy: str | None = None,
    owned: bool = False,
) -> trio.abc.Stream:
    """Ask for a WebSocket through a transport.

    Args:
        proxy: the one the transport goes through, for messages.
        owned: close the transport with the stream.

    Raises:
        ConnectorError: the server was not reached, or did not grant the upgrade.
        RemoteProtocolError: it answered with something else.
    """
    target = upgrade.target
    url = f"{target.origin}{target.path}{target.query}"
    request = httpx.Request("GET", url, headers=upgrade.headers, extensions=NO_LIMITS)
    try:
        try:
            response = await transport.handle_async_request(request)
        except Failures as error:
            failure = httpx_failure(error, upgrade.origin, proxy)
            if isinstance(failure, ConnectorError):
                failure.sent = False
            raise failure from error
        return await _stream_of(response, upgrade, transport if owned else None)
    except BaseException:
        if owned:
            with trio.CancelScope(shield=True):
                await transport.aclose()
        raise


async def _stream_of(
    response: httpx.Response, upgrade: Upgrade, owned: httpx.AsyncBaseTransport | None
) -> trio.abc.Stream:
    stream: NetworkStream | None = None
    if response.status_code == 101 and "network_stream" in response.extensions:
        stream = NetworkStream(response, owned=owned)
    try:
        upgrade.accept(await _answer_of(response))
        if stream is None:
            raise LocalProtocolError("this transport cannot carry a WebSocket")
    except BaseException:
        with trio.CancelScope(shield=True):
            await (stream or response).aclose()
        raise
    return stream


async def _answer_of(response: httpx.Response) -> Answer:
    headers = {k: v for k, v in response.headers.items() if k != "set-cookie"}
    return Answer(
        status=response.status_code,
        headers=headers,
        set_cookies=tuple(response.headers.get_list("set-cookie")),
        body=b"" if response.status_code == 101 else await _beginning(response),
    )


async def _beginning(response: httpx.Response) -> bytes:
    """Read as much of a refusal as an error needs."""
    if not isinstance(response.stream, httpx.AsyncByteStream):
        raise LocalProtocolError("the transport's reply cannot be read by an async program")
    chunks = aiter(response.stream)
    body = b""
    try:
        async for chunk in chunks:
            body += chunk
            if len(body) >= BODY_WANTED:
                break
    except (*Failures, httpx.StreamError):
        pass  # The status is what counts.
    finally:
        if isinstance(chunks, AsyncGenerator):
            await chunks.aclose()
    return body
