"""Hypercorn inside of a nursery of ours: known address, prompt end, nothing left open."""

from __future__ import annotations

import socket
from functools import partial
from pathlib import Path

import httpx
import pytest
import trio
import trio.lowlevel
from starlette.types import Receive, Scope, Send
from trio.testing import wait_all_tasks_blocked

from botkit.errors import ConfigError
from botkit.monitor.web.server import serve

LIMIT = 20
HOST = "127.0.0.1"
START = {"type": "http.response.start", "status": 200, "headers": []}


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await answer_lifespan(receive, send)
        return
    await send(START)
    await send({"type": "http.response.body", "body": scope["path"].encode()})


async def answer_lifespan(receive: Receive, send: Send) -> None:
    while (message := await receive())["type"] != "lifespan.shutdown":
        await send({"type": f"{message['type']}.complete"})
    await send({"type": "lifespan.shutdown.complete"})


class Endless:
    """Sends without end, and tells when somebody asked and when it was over."""

    def __init__(self, piece: bytes) -> None:
        self.piece = piece
        self.asked, self.over = trio.Event(), trio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await answer_lifespan(receive, send)
            return
        try:
            await send(START)
            while True:
                await send({"type": "http.response.body", "body": self.piece, "more_body": True})
                self.asked.set()
                await trio.lowlevel.checkpoint()
        finally:
            self.over.set()


def open_sockets() -> set[str]:
    links = (link for link in Path("/proc/self/fd").iterdir() if link.is_symlink())
    return {str(link.readlink()) for link in links if "socket:" in str(link.readlink())}


async def test_the_address_is_known_and_the_port_free_again() -> None:
    before = open_sockets()
    with trio.fail_after(LIMIT):
        async with trio.open_nursery() as nursery:
            url = await nursery.start(serve, hello, HOST, 0)
            async with httpx.AsyncClient() as client:
                reply = await client.get(f"{url}/here")
                assert (reply.status_code, reply.text) == (200, "/here")
            nursery.cancel_scope.cancel()
    assert open_sockets() == before
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind((HOST, httpx.URL(url).port))


async def test_a_stream_that_goes_on_is_closed_at_the_end() -> None:
    before, app = open_sockets(), Endless(b"data: x\n\n")
    with trio.fail_after(LIMIT):
        async with trio.open_nursery() as nursery:
            url = await nursery.start(serve, app, HOST, 0)
            stream = await trio.open_tcp_stream(HOST, httpx.URL(url).port)
            await stream.send_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await stream.receive_some()).startswith(b"HTTP/1.1 200")
            nursery.cancel_scope.cancel()
        assert app.over.is_set()
        await stream.aclose()
    assert open_sockets() == before


async def test_a_peer_that_does_not_read_holds_up_the_end_for_its_patience_only() -> None:
    before, app = open_sockets(), Endless(b"x" * 16_000_000)
    with trio.fail_after(LIMIT):
        async with trio.open_nursery() as nursery:
            url = await nursery.start(partial(serve, app, HOST, 0, patience=0.5))
            stream = await trio.open_tcp_stream(HOST, httpx.URL(url).port)
            await stream.send_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await stream.receive_some(1)
            # Until the kernel takes no more of it.
            await wait_all_tasks_blocked(0.1)
            nursery.cancel_scope.cancel()
        assert not app.asked.is_set()
        await stream.aclose()
    assert open_sockets() == before


async def test_a_port_that_is_taken_is_told() -> None:
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        with pytest.raises(ConfigError, match=r"cannot be served at 127\.0\.0\.1 port"):
            await serve(hello, HOST, taken.getsockname()[1])


async def test_a_host_that_is_none_is_told() -> None:
    with pytest.raises(ConfigError, match="cannot be served at"):
        await serve(hello, "256.0.0.1.invalid", 0)
