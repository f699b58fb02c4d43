"""Servers and proxies that behave badly, on real sockets; each is a function of one connection."""

from __future__ import annotations

import gzip
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import cache, partial

import trio
from websockets.utils import accept_key

__all__ = ["Rogue", "listening", "serving"]

Rogue = Callable[[trio.abc.Stream], Awaitable[None]]
Gone = (trio.BrokenResourceError, trio.ClosedResourceError)

MEGABYTE = 1024 * 1024
HUGE = 100 * MEGABYTE
LEVELS = 100_000
CONFIG = b"config.json"
"""In the path of what a guest asks for before its WebSocket."""


@asynccontextmanager
async def serving(rogue: Rogue, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    """Let a rogue loose on a port; over TLS with a context."""

    async def serve(stream: trio.SocketStream) -> None:
        served: trio.abc.Stream = stream
        if context is not None:
            served = trio.SSLStream(stream, context, server_side=True, https_compatible=True)
        with suppress(*Gone):
            try:
                await rogue(served)
            finally:
                await trio.aclose_forcefully(stream)

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        try:
            yield listeners[0].socket.getsockname()[1]
        finally:
            nursery.cancel_scope.cancel()


@asynccontextmanager
async def listening() -> AsyncIterator[int]:
    """Hold a port that nobody listens on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        await trio.lowlevel.checkpoint()
        yield held.getsockname()[1]


async def head_of(stream: trio.abc.Stream) -> bytes:
    """Read a request, as far as its head and what came with it."""
    head = b""
    while b"\r\n\r\n" not in head:
        data = await stream.receive_some()
        if not data:
            raise trio.BrokenResourceError("nobody asked for anything")
        head += data
    return head


def reply(status: int, body: bytes = b"", *headers: str) -> bytes:
    """Write a reply that closes the connection."""
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(body)}", "Connection: close"]
    return "\r\n".join([*lines, *headers, "", ""]).encode() + body


# --- replies -------------------------------------------------------------------------------------


def answers(data: Callable[[], bytes]) -> Rogue:
    """Make a server that gives the same answer to everything."""

    async def rogue(stream: trio.abc.Stream) -> None:
        await head_of(stream)
        await stream.send_all(data())

    return rogue


def says_status(status: int, *headers: str) -> Rogue:
    body = b"" if status in (100, 101, 204) else b"the server said so"
    return answers(lambda: reply(status, body, *headers))


async def speaks_plainly(stream: trio.abc.Stream) -> None:
    """Answer whatever comes with HTTP, TLS included."""
    await stream.receive_some()
    await stream.send_all(reply(400, b"this is no HTTP"))


async def is_silent(stream: trio.abc.Stream) -> None:
    await head_of(stream)
    await trio.sleep_forever()


async def never_speaks(stream: trio.abc.Stream) -> None:
    """Not even TLS."""
    await trio.sleep_forever()


async def resets(stream: trio.abc.Stream) -> None:
    """Close with a reset, once asked."""
    await head_of(stream)
    plain = stream.transport_stream if isinstance(stream, trio.SSLStream) else stream
    assert isinstance(plain, trio.SocketStream)
    plain.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def hangs_up(stream: trio.abc.Stream) -> None:
    await head_of(stream)


async def drips(stream: trio.abc.Stream) -> None:
    """Answer with one byte a second."""
    await head_of(stream)
    for byte in reply(200, b"[]"):
        await stream.send_all(bytes([byte]))
        await trio.sleep(1)


async def announces_much(stream: trio.abc.Stream) -> None:
    await head_of(stream)
    await stream.send_all(f"HTTP/1.1 200 OK\r\nContent-Length: {HUGE}\r\n\r\n".encode())
    await send_much(stream, b" " * MEGABYTE)


async def sends_much_in_chunks(stream: trio.abc.Stream) -> None:
    await head_of(stream)
    await stream.send_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    await send_much(stream, b"100000\r\n" + b" " * MEGABYTE + b"\r\n")


async def sends_much_until_the_end(stream: trio.abc.Stream) -> None:
    await head_of(stream)
    await stream.send_all(b"HTTP/1.1 200 OK\r\n\r\n")
    await send_much(stream, b" " * MEGABYTE)


async def send_much(stream: trio.abc.Stream, piece: bytes) -> None:
    for _ in range(HUGE // MEGABYTE):
        await stream.send_all(piece)


async def sends_headers_for_ever(stream: trio.abc.Stream) -> None:
    await head_of(stream)
    await stream.send_all(b"HTTP/1.1 200 OK\r\n")
    while True:
        await stream.send_all(b"X-And-On: and on\r\n" * 1000)


async def interim_for_ever(stream: trio.abc.Stream) -> None:
    await head_of(stream)
    while True:
        await stream.send_all(b"HTTP/1.1 100 Continue\r\n\r\n" * 1000)


@cache
def nested() -> bytes:
    return b'{"a":' * LEVELS + b"1" + b"}" * LEVELS


@cache
def bomb() -> bytes:
    return reply(200, gzip.compress(b" " * HUGE, 1), "Content-Encoding: gzip")


# --- WebSockets ----------------------------------------------------------------------------------


def upgrades(then: Rogue) -> Rogue:
    """Make a server that grants WebSockets, and misbehaves on them."""

    async def rogue(stream: trio.abc.Stream) -> None:
        head = await head_of(stream)
        if CONFIG in head:
            await stream.send_all(reply(200, b"{}"))
            return
        lines = head.decode("latin-1").split("\r\n")
        key = next(
            ln.partition(": ")[2] for ln in lines if ln.lower().startswith("sec-websocket-k")
        )
        await stream.send_all(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + accept_key(key).encode() + b"\r\n\r\n"
        )
        await then(stream)

    return rogue


def frame(payload: bytes, *, first: int = 0x81) -> bytes:
    """Write a frame of a server; text, whole, unless ``first`` says otherwise."""
    return bytes([first, 127]) + struct.pack(">Q", len(payload)) + payload


async def sends_a_nested_frame(stream: trio.abc.Stream) -> None:
    await stream.send_all(frame(nested()))
    await trio.sleep_forever()


async def sends_a_huge_frame(stream: trio.abc.Stream) -> None:
    await stream.send_all(bytes([0x81, 127]) + struct.pack(">Q", HUGE))
    await send_much(stream, b" " * MEGABYTE)


async def sends_fragments_for_ever(stream: trio.abc.Stream) -> None:
    await stream.send_all(frame(b" " * 1000, first=0x01))
    await send_much(stream, frame(b" " * MEGABYTE, first=0x00))
    await trio.sleep_forever()


async def sends_rubbish(stream: trio.abc.Stream) -> None:
    await stream.send_all(b"\xff" * 1000)
    await trio.sleep_forever()


async def says_nothing_more(stream: trio.abc.Stream) -> None:
    await trio.sleep_forever()


async def closes_at_once(stream: trio.abc.Stream) -> None:
    await stream.send_all(bytes([0x88, 2]) + struct.pack(">H", 1013))
    await trio.sleep(0.2)


# --- proxies -------------------------------------------------------------------------------------


async def tunnels_to_nowhere(stream: trio.abc.Stream) -> None:
    """Grant the tunnel, and let nothing through."""
    await head_of(stream)
    await stream.send_all(b"HTTP/1.1 200 Connected\r\n\r\n")
    await trio.sleep_forever()
