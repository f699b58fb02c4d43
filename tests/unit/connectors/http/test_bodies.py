"""Bodies of httpx replies: bounded, and let go of whatever happens."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from botkit.connectors.http.bodies import LAST_CHUNKS, read_body
from botkit.errors import LocalProtocolError, RemoteProtocolError

LIMIT = 1000


class Body(httpx.AsyncByteStream):
    """A body of pieces; keeps account of what became of it.

    Args:
        pieces: how many, of 100 bytes.
    """

    def __init__(self, pieces: int) -> None:
        self.pieces = pieces
        self.given = 0
        self.closed = False
        self.ended = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while self.given < self.pieces:
                self.given += 1
                yield b"x" * 100
        finally:
            self.ended = True

    async def aclose(self) -> None:
        self.closed = True


class Blocking(httpx.SyncByteStream):
    """A body for programs that block."""


async def test_a_body_within_the_limit_is_read_whole() -> None:
    body = Body(10)
    assert await read_body(httpx.Response(200, stream=body), LIMIT) == b"x" * 1000
    assert (body.closed, body.ended) == (True, True)


@pytest.mark.parametrize("pieces", [11, 10**9])
async def test_a_body_beyond_it_is_given_up_and_let_go(pieces: int) -> None:
    body = Body(pieces)
    with pytest.raises(RemoteProtocolError, match="larger than 1000 bytes"):
        await read_body(httpx.Response(200, stream=body), LIMIT)
    assert (body.closed, body.ended) == (True, True)
    assert body.given <= 11 + LAST_CHUNKS


@pytest.mark.parametrize("length", ["1001", "9" * 5000])
async def test_what_is_announced_to_be_larger_is_not_read_at_all(length: str) -> None:
    body = Body(1)
    response = httpx.Response(200, headers={"content-length": length}, stream=body)
    with pytest.raises(RemoteProtocolError, match="1000 are allowed"):
        await read_body(response, LIMIT)
    assert body.closed


async def test_a_reply_for_other_programs_is_a_mistake_of_the_transport() -> None:
    with pytest.raises(LocalProtocolError):
        await read_body(httpx.Response(200, stream=Blocking()), LIMIT)
