"""Servers that misbehave, each in a thread of its own: the command under test has the main one."""

from __future__ import annotations

import json
import queue
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import pytest
import trio
import trustme

from botkit.simulator import Simulator, SimulatorSettings
from botkit.simulator.app import BAYEUX_PATH
from botkit.simulator.fault_file import parse_faults
from botkit.simulator.http import Reply, Request
from botkit.simulator.server import serve_http

CHANNEL = "/service/chatV2/demo"
Messages = list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Served:
    """A server while it is served.

    Attributes:
        url: what a bot is given.
        open_chats: tells how many chats were opened and never left.
    """

    url: str
    open_chats: Callable[[], int] = lambda: 0


Serve = Callable[[str | Sequence[dict[str, object]]], AbstractAsyncContextManager[Served]]


@pytest.fixture(scope="session")
def serve() -> Callable[[str | Sequence[dict[str, object]]], Any]:
    """Serves a simulator with faults, or one of ``SERVERS`` by its name."""
    return serving


@contextmanager
def serving(kind: str | Sequence[dict[str, object]]) -> Iterator[Served]:
    """Serve until left; what breaks in the server's thread breaks the test."""
    made = SERVERS[kind]() if isinstance(kind, str) else simulator(faults=kind)
    told: queue.Queue[tuple[Served, Callable[[], None]] | BaseException] = queue.Queue()

    async def serve() -> None:
        stop, token = trio.Event(), trio.lowlevel.current_trio_token()
        async with made as served:
            told.put((served, partial(token.run_sync_soon, stop.set)))
            await stop.wait()

    def run() -> None:
        try:
            trio.run(serve)
        except BaseException as error:
            told.put(error)
            raise

    thread = threading.Thread(target=run, name=f"server {kind}")
    thread.start()
    answer = told.get(timeout=10)
    if isinstance(answer, BaseException):
        raise answer
    served, stop = answer
    try:
        yield served
    finally:
        stop()
        thread.join(timeout=10)


# --- simulators with something wrong -------------------------------------------------------------


@asynccontextmanager
async def simulator(
    *,
    faults: Sequence[dict[str, object]] = (),
    twist: Callable[[Messages], Messages] | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Served]:
    """Serve a contact centre.

    Args:
        faults: as in a file of faults.
        twist: changes what is answered to each request.
        tls: the server's side.
    """
    read = parse_faults(json.dumps(list(faults)), file="faults")
    centre = Simulator(SimulatorSettings(faults=read.faults, seed=1))

    async def handle(request: Request) -> Reply:
        reply = await centre.handle(request)
        if twist is None or reply.status != 200:
            return reply
        return replace(reply, body=json.dumps(twist(json.loads(reply.body))).encode())

    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    ends: list[trio.abc.Listener[Any]] = list(listeners)
    if tls is not None:
        ends = [trio.SSLListener(end, tls, https_compatible=True) for end in listeners]
    async with trio.open_nursery() as nursery:
        await nursery.start(centre.run)
        await nursery.start(serve_http, handle, ends)
        yield Served(
            url=f"{'https' if tls else 'http'}://127.0.0.1:{port}{BAYEUX_PATH}",
            open_chats=lambda: centre.centre.open_chats,
        )
        nursery.cancel_scope.cancel()


def self_signed() -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    return context


def pushed(*lines: object) -> dict[str, Any]:
    return {"channel": CHANNEL, "data": {"statusCode": 0, "messages": list(lines)}}


def garbage_pushes(messages: Messages) -> Messages:
    """What agents say comes as something else."""
    for message in messages:
        for event in (message.get("data") or {}).get("messages", ()):
            if event["from"]["type"] == "Agent" and event["type"] == "Message":
                message["data"] = ["garbage", {"messages": 7}]
    return messages


def flood(messages: Messages) -> Messages:
    """With each line of an agent come thousands."""
    for message in messages:
        for event in (message.get("data") or {}).get("messages", ()):
            if event["from"]["type"] == "Agent" and event["type"] == "Message":
                many = [{**event, "index": 1_000 + number} for number in range(6_000)]
                more = [{**event, "index": 9_000 + number} for number in range(6_000)]
                return [*messages, pushed(*many), pushed(*more)]
    return messages


def refused_publish(messages: Messages) -> Messages:
    """The service takes the request for a chat, and refuses whatever is published later."""
    for message in messages:
        if message["channel"] == CHANNEL and "successful" in message and int(message["id"]) > 3:
            message |= {"successful": False, "error": "403::denied"}
    return messages


# --- servers that are none -----------------------------------------------------------------------


@asynccontextmanager
async def answering(reply: Reply) -> AsyncIterator[Served]:
    """Answer every request alike."""

    async def handle(request: Request) -> Reply:
        await trio.lowlevel.checkpoint()
        return reply

    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    async with trio.open_nursery() as nursery:
        await nursery.start(serve_http, handle, listeners)
        yield Served(url=f"http://127.0.0.1:{port}/cometd")
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def speaking(line: bytes) -> AsyncIterator[Served]:
    """Say a line to whoever calls, whatever is asked, and hang up."""

    async def speak(stream: trio.SocketStream) -> None:
        async with stream:
            # A request that nobody has read turns the end of the connection into a reset.
            await stream.receive_some(65_536)
            if line:
                await stream.send_all(line)

    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listeners[0].socket.getsockname()[1]
    async with trio.open_nursery() as nursery:
        await nursery.start(trio.serve_listeners, speak, listeners)
        yield Served(url=f"http://127.0.0.1:{port}/cometd")
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def nobody() -> AsyncIterator[Served]:
    """Hold a port where nobody listens."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        await trio.lowlevel.checkpoint()
        yield Served(url=f"http://127.0.0.1:{held.getsockname()[1]}/cometd")


SERVERS: dict[str, Callable[[], AbstractAsyncContextManager[Served]]] = {
    "healthy": simulator,
    "nobody": nobody,
    "hangs up": partial(speaking, b""),
    "no HTTP": partial(speaking, b"220 mail.example.com ESMTP\r\n"),
    "refusing proxy": partial(
        speaking,
        b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n",
    ),
    "no Bayeux": partial(answering, Reply(body=b'{"hello": "world"}')),
    "empty array": partial(answering, Reply(body=b"[]")),
    "truncated": partial(answering, Reply(body=b'[{"channel": "/meta/hand')),
    "not found": partial(answering, Reply(status=404, body=b"no such page")),
    "moved": partial(answering, Reply(status=302, headers=(("Location", "/login"),))),
    "self-signed": lambda: simulator(tls=self_signed()),
    "garbage pushes": partial(simulator, twist=garbage_pushes),
    "flood": partial(simulator, twist=flood),
    "refused publish": partial(simulator, twist=refused_publish),
}
