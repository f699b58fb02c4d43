"""CPU per message and memory per connection of the WebSocket libraries that run on trio.

    python tests/bench/websocket_libraries.py                  # all candidates, three runs each
    python tests/bench/websocket_libraries.py --n 1000 --only websockets --only raw

A client process holds N connections over loopback; on each, a Bayeux publish of some 300 bytes is
sent and its echo awaited, again and again. Every candidate stands on the same ``SocketStream`` of
trio and turns text into text, complete messages only. The echo server is a process of its own. The
candidates take turns, and the middle run counts; printed are microseconds of client CPU per message
and KB per idle connection, and both as ratios to ``raw``: frames made by hand without any check,
which is the floor.

The libraries are installed under ``.botkit/bench`` once.
"""

from __future__ import annotations

import argparse
import base64
import gc
import hashlib
import json
import os
import statistics
import struct
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

import trio

HERE = Path(__file__).resolve()
sys.path.insert(0, str(HERE.parent))

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
LIMIT = 120
PUBLISH = {
    "channel": "/service/chatV2/customer-support",
    "id": "17",
    "clientId": "8q1k9d2m4x7c0v5b3n6a1s8f2g",
    "data": {
        "operation": "sendMessage",
        "secureKey": "f0c4a1d7b2e94c3f8a65d1e7b9c04f32",
        "message": "Hello, could you please tell me what became of my order 4711?",
        "messageType": "text",
    },
}
TEXT = json.dumps([PUBLISH], separators=(",", ":"))


class Client(Protocol):
    """One candidate: a connection that is open."""

    async def send(self, text: str) -> None: ...
    async def receive(self) -> str: ...


# --- the handshake, which all but trio-websocket leave to whoever uses them -----------------------


async def upgraded(port: int) -> trio.SocketStream:
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    key = base64.b64encode(os.urandom(16))
    await stream.send_all(
        b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + b"\r\n\r\n"
    )
    head = b""
    while b"\r\n\r\n" not in head:
        head += await stream.receive_some(4096)
    assert accept_of(key) in head
    return stream


def accept_of(key: bytes) -> bytes:
    return base64.b64encode(hashlib.sha1(key + GUID).digest())


# --- the candidates -------------------------------------------------------------------------------


class Raw:
    """The floor: one frame a read, masked as one big number, nothing checked."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream

    async def send(self, text: str) -> None:
        await self._stream.send_all(raw_frame(text.encode(), mask=os.urandom(4)))

    async def receive(self) -> str:
        data = await self._stream.receive_some(65536)
        return data[4 if data[1] == 126 else 2 :].decode()


def raw_frame(payload: bytes, *, mask: bytes = b"") -> bytes:
    size, masked = len(payload), 0x80 if mask else 0
    head = struct.pack("!BBH", 0x81, 126 | masked, size)
    if size < 126:
        head = struct.pack("!BB", 0x81, size | masked)
    return head + mask + (unmasked(payload, mask) if mask else payload)


def unmasked(payload: bytes, mask: bytes) -> bytes:
    size = len(payload)
    key = int.from_bytes((mask * (size // 4 + 1))[:size], "little")
    return (int.from_bytes(payload, "little") ^ key).to_bytes(size, "little")


class SansIo:
    """The core of ``websockets``, in its state after the handshake."""

    def __init__(self, stream: trio.SocketStream) -> None:
        from websockets.protocol import OPEN, Protocol, Side

        self._stream = stream
        self._protocol = Protocol(Side.CLIENT, state=OPEN, max_size=2**24)
        self._frames: list = []

    async def send(self, text: str) -> None:
        self._protocol.send_text(text.encode())
        await self._flush()

    async def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            await self._stream.send_all(data)

    async def receive(self) -> str:
        from websockets.frames import Opcode

        whole = bytearray()
        while True:
            while self._frames:
                frame = self._frames.pop(0)
                if frame.opcode in (Opcode.TEXT, Opcode.CONT):
                    whole += frame.data
                    if frame.fin:
                        return whole.decode()
            self._protocol.receive_data(await self._stream.receive_some(65536))
            await self._flush()
            self._frames += self._protocol.events_received()


class Wsproto:
    """The frames of ``wsproto``."""

    def __init__(self, stream: trio.SocketStream) -> None:
        from wsproto.connection import Connection, ConnectionType

        self._stream = stream
        self._connection = Connection(ConnectionType.CLIENT)

    async def send(self, text: str) -> None:
        from wsproto.events import TextMessage

        await self._stream.send_all(self._connection.send(TextMessage(data=text)))

    async def receive(self) -> str:
        from wsproto.events import TextMessage

        whole = []
        while True:
            self._connection.receive_data(await self._stream.receive_some(65536))
            for event in self._connection.events():
                if isinstance(event, TextMessage):
                    whole.append(event.data)
                    if event.message_finished:
                        return "".join(whole)


class TrioWebsocket:
    """``trio-websocket``, which has a task of its own for each connection."""

    def __init__(self, connection) -> None:
        self.send = connection.send_message
        self.receive = connection.get_message


async def open_raw(port: int, nursery: trio.Nursery) -> Client:
    return Raw(await upgraded(port))


async def open_sans_io(port: int, nursery: trio.Nursery) -> Client:
    return SansIo(await upgraded(port))


async def open_pure_sans_io(port: int, nursery: trio.Nursery) -> Client:
    from websockets import frames, utils

    frames.apply_mask = utils.apply_mask
    return SansIo(await upgraded(port))


async def open_wsproto(port: int, nursery: trio.Nursery) -> Client:
    return Wsproto(await upgraded(port))


async def open_trio_websocket(port: int, nursery: trio.Nursery) -> Client:
    from trio_websocket import connect_websocket

    return TrioWebsocket(await connect_websocket(nursery, "127.0.0.1", port, "/", use_ssl=False))


CANDIDATES = {
    "raw": open_raw,
    "websockets": open_sans_io,
    "websockets-pure": open_pure_sans_io,
    "wsproto": open_wsproto,
    "trio-websocket": open_trio_websocket,
}


# --- the processes --------------------------------------------------------------------------------


async def serve(report: Callable[[int], None]) -> None:
    """Echo frames, each of which is small and comes whole."""
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1", backlog=4096)
    report(listeners[0].socket.getsockname()[1])
    await trio.serve_listeners(echo, listeners)


async def echo(stream: trio.SocketStream) -> None:
    head = await stream.receive_some(4096)
    key = head.partition(b"Sec-WebSocket-Key: ")[2].partition(b"\r\n")[0]
    if not key:  # spelled otherwise by other libraries
        lines = head.split(b"\r\n")
        (key,) = (ln[19:] for ln in lines if ln.lower().startswith(b"sec-websocket-key: "))
    await stream.send_all(
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: " + accept_of(key.strip()) + b"\r\n\r\n"
    )
    while data := await stream.receive_some(65536):
        if data[0] & 0x0F == 8:
            return
        start = 4 if data[1] & 127 == 126 else 2
        payload = unmasked(data[start + 4 :], data[start : start + 4])
        await stream.send_all(raw_frame(payload))


async def play(candidate: str, n: int, rounds: int, port: int) -> None:
    """Be the client: open N connections, weigh them, echo, and print a line of JSON."""
    async with trio.open_nursery() as nursery:
        warm = await CANDIDATES[candidate](port, nursery)
        await converse(warm, 10)
        gc.collect()
        before = memory()
        clients = [await CANDIDATES[candidate](port, nursery) for _ in range(n)]
        gc.collect()
        kb = (memory() - before) / n
        began = time.process_time()
        async with trio.open_nursery() as talks:
            for client in clients:
                talks.start_soon(converse, client, rounds)
        used = time.process_time() - began
        nursery.cancel_scope.cancel()
    print(json.dumps({"us": used / (n * rounds) * 1e6, "kb": kb}), flush=True)
    os._exit(0)  # closing politely is not what is measured


async def converse(client: Client, rounds: int) -> None:
    for _ in range(rounds):
        await client.send(TEXT)
        assert await client.receive() == TEXT


def memory() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1])
    raise LookupError("VmRSS")


def measure(python: str, candidate: str, n: int, rounds: int) -> dict[str, float]:
    command = [python, str(HERE), "--server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            port = server.stdout.readline().strip()
            arguments = ["--client", candidate, str(n), str(rounds), port]
            done = subprocess.run(
                [python, str(HERE), *arguments],
                stdout=subprocess.PIPE,
                text=True,
                timeout=LIMIT,
                check=True,
            )
        finally:
            server.terminate()
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def compare(python: str, n: int, messages: int, repeats: int, names: list[str]) -> None:
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    for _ in range(repeats):
        for name in names:
            runs[name].append(measure(python, name, n, max(1, messages // n)))
    print(f"\nN = {n:,}, the middle of {repeats} runs")
    print(f"{'candidate':16} {'us/message':>10} {'to raw':>7} {'KB/idle':>8}")
    middle = {
        name: [statistics.median(run[key] for run in runs[name]) for key in ("us", "kb")]
        for name in names
    }
    for name, (us, kb) in middle.items():
        ratio = f"{us / middle['raw'][0]:.2f}x" if "raw" in middle else "-"
        print(f"{name:16} {us:>10.1f} {ratio:>7} {kb:>8.1f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--n", type=int, action="append", help="connections (10, 100 and 1000)")
    parser.add_argument("--only", action="append", choices=list(CANDIDATES))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--messages", type=int, default=20_000, help="in one run")
    parser.add_argument("--server", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--client", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.server:
        trio.run(serve, lambda port: print(port, flush=True))
    elif options.client:
        name, *numbers = options.client
        trio.run(play, name, *map(int, numbers))
    else:
        from journey import environment

        python = environment("websockets")
        names = options.only or list(CANDIDATES)
        for n in options.n or (10, 100, 1000):
            compare(python, n, options.messages, options.repeats, names)


if __name__ == "__main__":
    main()
