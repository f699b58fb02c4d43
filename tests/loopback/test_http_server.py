"""The simulator's loop on real sockets, asked by a client of another make."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import trio

from botkit.simulator.http import Reply, Request
from botkit.simulator.server import Limits, serve_http


@asynccontextmanager
async def served(limits: Limits | None = None) -> AsyncIterator[tuple[str, list[Request]]]:
    seen: list[Request] = []

    async def handle(request: Request) -> Reply:
        await trio.lowlevel.checkpoint()
        seen.append(request)
        return Reply(body=request.body)

    with trio.fail_after(10):
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        async with trio.open_nursery() as nursery:
            await nursery.start(
                lambda task_status: serve_http(
                    handle, listeners, limits=limits, task_status=task_status
                )
            )
            yield f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}", seen
            nursery.cancel_scope.cancel()


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(verify=False, trust_env=False) as client:
        yield client


async def test_another_client_is_served(client: httpx.AsyncClient) -> None:
    async with served() as (url, seen):
        for _ in range(3):
            response = await client.post(f"{url}/x%20y?z=1", content=b"hello")
            assert (response.status_code, response.content) == (200, b"hello")
    assert {(request.path, request.query) for request in seen} == {("/x y", "z=1")}
    assert len({request.peer for request in seen}) == 1
    assert seen[0].peer.startswith("127.0.0.1:")


async def test_a_chunked_body_is_put_together(client: httpx.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"hel"
        yield b"lo"

    async with served() as (url, seen):
        assert (await client.post(url, content=pieces())).content == b"hello"
    assert seen[0].headers["transfer-encoding"] == "chunked"


async def test_a_client_that_is_refused_while_it_sends_still_reads_why() -> None:
    head = b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\n"
    async with served(Limits(body=1000)) as (url, seen):
        stream = await trio.open_tcp_stream("127.0.0.1", int(url.rpartition(":")[2]))
        async with stream:
            await stream.send_all(head + b"x" * 300_000)
            reply = b""
            while piece := await stream.receive_some():
                reply += bytes(piece)
    assert reply.startswith(b"HTTP/1.1 413 ")
    assert seen == []


async def test_a_server_that_is_cancelled_closes_connections_and_listeners() -> None:
    async with served() as (url, _):
        port = int(url.rpartition(":")[2])
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        await stream.send_all(b"POST / HTTP/1.1\r\nContent-Length: 2\r\n\r\nok")
        assert (await stream.receive_some()).startswith(b"HTTP/1.1 200")
    async with stream:
        with trio.fail_after(5):
            assert await stream.receive_some() == b""
            with pytest.raises(OSError, match="all attempts to connect"):
                await trio.open_tcp_stream("127.0.0.1", port)
