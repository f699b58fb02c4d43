"""Customers that can be killed, and a network that can be cut at the sight of a word.

What the runs came to is told at the end of the tests, as a table.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio

from botkit.errors import ungrouped
from botkit.simulator import Simulator, SimulatorAddress, SimulatorSettings
from botkit.simulator.server import serve_http

COUNTS = pytest.StashKey[dict[str, Counter[str]]]()
PROGRAM = Path(__file__).with_name("customer.py")
Told = dict[str, Any]
Gone = (trio.BrokenResourceError, trio.ClosedResourceError)


# --- the table ---


@pytest.fixture
def counts(request: pytest.FixtureRequest) -> Callable[[str], Counter[str]]:
    """Give what is counted under a name, and shown in the end."""
    table = request.config.stash.setdefault(COUNTS, {})
    return lambda name: table.setdefault(name, Counter())


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    table = config.stash.get(COUNTS, {})
    if not table:
        return
    terminalreporter.section("restored chats")
    total = sum(table.values(), Counter())
    for name, counts in {**table, "all": total}.items():
        shown = ", ".join(f"{count} {what}" for what, count in sorted(counts.items()))
        terminalreporter.write_line(f"{name:40} {shown}")


# --- customers -----------------------------------------------------------------------------------


class Customer:
    """A customer in a process of its own.

    Attributes:
        told: what they told, in order; complete up to their last instruction.
        gone: their process has ended.
    """

    def __init__(self) -> None:
        self.told: list[Told] = []
        self.gone = trio.Event()
        self._stream: trio.SocketStream | None = None
        self._lot = trio.lowlevel.ParkingLot()

    async def follow(self, stream: trio.SocketStream, rest: bytes) -> None:
        """Take in what they tell, until they are gone."""
        self._stream = stream
        with suppress(*Gone):
            while True:
                *lines, rest = rest.split(b"\n")
                self.told.extend(json.loads(line) for line in lines)
                self._lot.unpark_all()
                if not (data := await stream.receive_some()):
                    break
                rest += data
        self.gone.set()
        self._lot.unpark_all()

    async def wait_told(self, **what: object) -> None:
        """Wait until they tell this, or are gone."""
        while not self.gone.is_set() and not any(what.items() <= t.items() for t in self.told):
            await self._lot.park()

    async def go_on(self) -> None:
        """Let them pass what they wait at."""
        assert self._stream is not None
        await self._stream.send_all(b"\n")

    async def kill(self) -> None:
        """Kill their process, as ``kill -9`` does."""
        while not self.told:
            await self._lot.park()
        if not self.gone.is_set():
            os.kill(self.told[0]["pid"], signal.SIGKILL)
        await self.gone.wait()

    def events(self, *kinds: str) -> list[Told]:
        """Give the events that the program was given; of some kinds alone, if any are named."""
        events = [told for told in self.told if "event" in told]
        return [event for event in events if event["event"] in kinds] if kinds else events

    def read(self) -> list[Told]:
        """Give the events that were read, whether the program was given them or not."""
        return [{**told, "event": told["read"]} for told in self.told if "read" in told]

    def last(self, key: str) -> Any:
        """Give what was told last under a key; None if nothing was."""
        return next((told[key] for told in reversed(self.told) if told.get(key)), None)


class Customers:
    """Starts customers; one program, forked for each."""

    def __init__(self, process: trio.Process, port: int) -> None:
        self._process = process
        self._port = port
        self._customers: dict[int, Customer] = {}
        self._ordering = trio.Lock()

    async def start(self, **order: object) -> Customer:
        """Start a customer; what an order has is told in ``customer.py``."""
        number = len(self._customers)
        customer = self._customers[number] = Customer()
        defaults: Told = {"gate": None, "options": {}, "connector": "gms-cometd"}
        line = {**defaults, **order, "number": number, "control": self._port}
        assert self._process.stdin is not None
        async with self._ordering:
            await self._process.stdin.send_all(json.dumps(line).encode() + b"\n")
        return customer

    async def answer(self, stream: trio.SocketStream) -> None:
        """Take the call of a customer who has begun."""
        data = b""
        while b"\n" not in data:
            more = await stream.receive_some()
            assert more, "a customer hung up before the first word"
            data += more
        number = json.loads(data.partition(b"\n")[0])["number"]
        await self._customers[number].follow(stream, data)
        await stream.aclose()


@pytest.fixture
async def customers() -> AsyncIterator[Customers]:
    [listener] = await trio.open_tcp_listeners(0, host="127.0.0.1", backlog=500)
    async with trio.open_nursery() as nursery:
        process: trio.Process = await nursery.start(
            partial(trio.run_process, [sys.executable, PROGRAM], stdin=subprocess.PIPE)
        )
        customers = Customers(process, listener.socket.getsockname()[1])
        nursery.start_soon(trio.serve_listeners, customers.answer, [listener])
        yield customers
        nursery.cancel_scope.cancel()


# --- the network ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Trap:
    """What to stop the network at.

    Attributes:
        way: ``up`` to the server or ``down`` to the customer.
        word: what is looked for.
        count: the how-manieth of them it is.
        passes: what of the piece with the word still arrives: ``nothing``, ``half`` (up to the
            middle of the word) or ``all``.
    """

    way: str
    word: bytes
    count: int = 1
    passes: str = "nothing"


class Unmask:
    """Reads what a customer sends: HTTP as it is, and the frames of a WebSocket without their mask.

    Source: RFC 6455, sections 5.2 and 5.3.
    """

    def __init__(self) -> None:
        self._waits_for_frames = False
        self._rest = b""
        self._left, self._mask = 0, b""

    def read(self, data: bytes) -> bytes:
        """Give the text in a piece."""
        if not self._waits_for_frames:
            self._waits_for_frames = b"sec-websocket-key:" in data.lower()
            return data
        text, self._rest = b"", self._rest + data
        while self._left or self._begin():
            part, self._rest = self._rest[: self._left], self._rest[self._left :]
            text += bytes(byte ^ self._mask[at % 4] for at, byte in enumerate(part))
            self._left -= len(part)
            self._mask = self._mask[len(part) % 4 :] + self._mask[: len(part) % 4]
            if not self._rest:
                break
        return text

    def _begin(self) -> bool:
        """Read the head of a frame, if it is there."""
        if len(self._rest) < 2:
            return False
        size, more = self._rest[1] & 0x7F, {126: 2, 127: 8}.get(self._rest[1] & 0x7F, 0)
        if len(self._rest) < 2 + more + 4:
            return False
        self._left = int.from_bytes(self._rest[2 : 2 + more], "big") if more else size
        self._mask, self._rest = self._rest[2 + more : 6 + more], self._rest[6 + more :]
        return True


class Relay:
    """The network between customers and one server, byte for byte until the trap is sprung.

    Then it stands still, whatever is sent, until it is cut: all connections break, and new ones
    can be made.

    Attributes:
        sprung: the trap was sprung, and the network stands still.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._trap: Trap | None = None
        self._seen = 0
        self._flows = trio.Event()
        self._flows.set()
        self._scopes: set[trio.CancelScope] = set()
        self._resets = False
        self.sprung = trio.Event()

    def set_trap(self, trap: Trap) -> None:
        """Wait for a word, from now on."""
        self._trap, self._seen, self.sprung = trap, 0, trio.Event()

    def stop(self) -> None:
        """Stand still now."""
        self._trap, self._flows = None, trio.Event()
        self.sprung.set()

    def cut(self, *, resets: bool) -> None:
        """Break all connections, with a reset or with an end of file, and let new ones be made."""
        self._trap, self._resets = None, resets
        for scope in self._scopes:
            scope.cancel()
        self._flows.set()

    async def carry(self, client: trio.SocketStream) -> None:
        """Carry one connection."""
        await self._flows.wait()
        with trio.CancelScope() as scope:
            self._scopes.add(scope)
            server = await trio.open_tcp_stream("127.0.0.1", self._port)
            try:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._pump, "up", client, server)
                    nursery.start_soon(self._pump, "down", server, client)
            finally:
                self._scopes.discard(scope)
                if self._resets and scope.cancel_called:
                    linger = struct.pack("ii", 1, 0)
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                await trio.aclose_forcefully(server)
                await trio.aclose_forcefully(client)

    async def _pump(self, way: str, source: trio.SocketStream, sink: trio.SocketStream) -> None:
        before, unmask = b"", Unmask()
        with suppress(*Gone):
            while data := await source.receive_some():
                await self._flows.wait()
                # What a trap looks for; only where all or nothing passes may it be another text.
                read = unmask.read(data) if way == "up" else data
                passing = self._passing(way, before, read, data)
                if passing is None:
                    await sink.send_all(data)
                    before = read
                    continue
                self.stop()
                await sink.send_all(passing)
            await sink.send_eof()

    def _passing(self, way: str, before: bytes, read: bytes, data: bytes) -> bytes | None:
        """Give what of a piece arrives, if it springs the trap; None if it does not."""
        trap = self._trap
        if trap is None or trap.way != way:
            return None
        # The word may have begun in the piece before.
        kept = before[-(len(trap.word) - 1) :]
        self._seen += (kept + read).count(trap.word)
        if self._seen < trap.count:
            return None
        if trap.passes == "all":
            return data
        if trap.passes == "nothing":
            return b""
        return data[: max((kept + data).rfind(trap.word) - len(kept) + len(trap.word) // 2, 0)]


@asynccontextmanager
async def serve_behind_relay(
    settings: SimulatorSettings,
) -> AsyncIterator[tuple[Simulator, Relay, SimulatorAddress]]:
    """Serve a simulator behind a network that can be cut."""
    with ungrouped():
        async with trio.open_nursery() as nursery:
            simulator = Simulator(settings)
            [inner] = await trio.open_tcp_listeners(0, host="127.0.0.1")
            await nursery.start(simulator.run)
            await nursery.start(serve_http, simulator.handle, [inner])
            relay = Relay(inner.socket.getsockname()[1])
            [outer] = await trio.open_tcp_listeners(0, host="127.0.0.1")
            await nursery.start(trio.serve_listeners, relay.carry, [outer])
            port: int = outer.socket.getsockname()[1]
            yield simulator, relay, SimulatorAddress(host="127.0.0.1", port=port)
            nursery.cancel_scope.cancel()


@pytest.fixture
def contact_centre() -> Callable[[SimulatorSettings], Any]:
    return serve_behind_relay


@pytest.fixture
def new_trap() -> Callable[..., Trap]:
    return Trap
