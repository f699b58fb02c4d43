"""The body of an httpx reply: read whole, within bounds, and let go of whatever happens."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import suppress

import httpx
import trio

from botkit.errors import LocalProtocolError, RemoteProtocolError

__all__ = ["read_body"]

CLOSE_LIMIT = 0.1
"""Seconds for closing a connection politely."""
LAST_CHUNKS = 100
"""More than that a closed connection does not have in store."""
GONE = (httpx.HTTPError, httpx.StreamError, OSError, trio.ClosedResourceError, StopAsyncIteration)


async def read_body(response: httpx.Response, limit: int) -> bytes:
    """Read a body as it was sent, and close the response.

    Args:
        limit: bytes; a larger body is given up.

    Raises:
        RemoteProtocolError: it is larger.
        LocalProtocolError: the transport's reply is none for async programs.
        httpx.HTTPError, httpx.StreamError, OSError: the connection broke.
    """
    stream = response.stream
    if not isinstance(stream, httpx.AsyncByteStream):
        raise LocalProtocolError("the transport's reply cannot be read by an async program")
    chunks = aiter(stream)
    try:
        refuse_announced(response.headers.get("content-length", ""), limit)
        return await join(chunks, limit)
    finally:
        with trio.CancelScope(shield=True, deadline=trio.current_time() + CLOSE_LIMIT):
            await response.aclose()
            await end(chunks)


def refuse_announced(length: str, limit: int) -> None:
    if length.isascii() and length.isdigit() and (len(length) > 18 or int(length) > limit):
        raise RemoteProtocolError(
            f"the server announced a reply of {length[:30]} bytes; {limit} are allowed"
        )


async def join(chunks: AsyncIterator[bytes], limit: int) -> bytes:
    body = bytearray()
    async for chunk in chunks:
        body += chunk
        if len(body) > limit:
            raise RemoteProtocolError(f"the reply is larger than {limit} bytes")
    return bytes(body)


async def end(chunks: AsyncIterator[bytes]) -> None:
    """Let generators within generators end: the closed connection ends the innermost one.

    Left to the garbage collector they would do their cleaning up too late.
    """
    with suppress(*GONE):
        for _ in range(LAST_CHUNKS):
            await anext(chunks)
    if isinstance(chunks, AsyncGenerator):
        await chunks.aclose()
