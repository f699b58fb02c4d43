"""Bayeux over WebSocket as the simulator speaks it, frame by frame."""

from __future__ import annotations

import math
from typing import Any

import orjson
import pytest
import trio
from trio.testing import MockClock

from botkit.bayeux.personality import COMETD, COMETD_NODE, FAYE
from botkit.simulator import Simulator, SimulatorSettings
from botkit.simulator.faults import make_fault
from botkit.simulator.http import Reply, Request
from botkit.simulator.websocket import SocketClosed

Frame = list[dict[str, Any]]
CHANNEL = "/service/chatV2/demo"
HEADERS = {"upgrade": "websocket", "connection": "Upgrade"}


class Socket:
    """A socket, both ends: the simulator's, and the client's in the hands of the test.

    Attributes:
        closed: code and reason with which the simulator closed it; ``cut`` for no word at all.
    """

    def __init__(self) -> None:
        self.closed: tuple[int, str] | str | None = None
        self._up, self._from_client = trio.open_memory_channel[str](math.inf)
        self._to_client, self._down = trio.open_memory_channel[str](math.inf)
        self._id = 0

    # --- ServerSocket ---

    async def receive(self) -> str:
        try:
            return await self._from_client.receive()
        except (trio.EndOfChannel, trio.ClosedResourceError):
            raise SocketClosed(1006) from None

    async def send(self, text: str) -> None:
        await trio.lowlevel.checkpoint()
        self._to_client.send_nowait(text)

    async def close(self, code: int = 1000, reason: str = "") -> None:
        await trio.lowlevel.checkpoint()
        self._end((code, reason))

    def abort(self) -> None:
        self._end("cut")

    def _end(self, how: tuple[int, str] | str) -> None:
        self.closed = self.closed or how
        self._to_client.close()
        self._from_client.close()

    # --- the client ---

    def say(self, channel: str, client_id: str = "", **members: Any) -> str:
        """Send a message in a frame of its own; gives its id."""
        self._id += 1
        ids = {"clientId": client_id} if client_id else {}
        self.write([{"channel": channel, "id": str(self._id), **ids, **members}])
        return str(self._id)

    def write(self, frame: Frame | str) -> None:
        self._up.send_nowait(frame if isinstance(frame, str) else orjson.dumps(frame).decode())

    async def hear(self, within: float = 1.0) -> Frame:
        """Give the next frame; empty if there is none."""
        with trio.move_on_after(within):
            frame: Frame = orjson.loads(await self._down.receive())
            return frame
        return []

    def go(self) -> None:
        """Be gone without a word."""
        self._up.close()

    async def handshake(self) -> str:
        self.say(
            "/meta/handshake", version="1.0", supportedConnectionTypes=["websocket", "long-polling"]
        )
        ((reply),) = await self.hear()
        assert reply["successful"], reply
        return str(reply["clientId"])

    def connect(self, client_id: str, **members: Any) -> str:
        return self.say("/meta/connect", client_id, connectionType="websocket", **members)

    async def connected(self, client_id: str) -> Frame:
        self.connect(client_id, advice={"timeout": 0})
        return await self.hear()

    def ask_for_chat(self, client_id: str) -> None:
        self.say(CHANNEL, client_id, data={"operation": "requestChat", "nickname": "Ada"})


class Centre:
    """A simulator that sockets are opened to."""

    def __init__(self, simulator: Simulator, nursery: trio.Nursery) -> None:
        self.simulator = simulator
        self._nursery = nursery

    async def upgrade(self, method: str = "GET") -> Reply:
        request = Request(method=method, path="/genesys/cometd", headers=HEADERS)
        return await self.simulator.handle(request)

    async def open(self) -> Socket:
        reply = await self.upgrade()
        assert reply.upgrade is not None
        socket = Socket()
        self._nursery.start_soon(reply.upgrade, socket)
        return socket

    def sessions(self) -> object:
        return self.simulator.status()["sessions"]


async def centre_in(nursery: trio.Nursery, **settings: Any) -> Centre:
    simulator = Simulator(SimulatorSettings(seed=1, **settings))
    await nursery.start(simulator.run)
    return Centre(simulator, nursery)


async def test_replies_and_pushes_have_frames_of_their_own(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    centre = await centre_in(nursery)
    socket = await centre.open()
    client = await socket.handshake()
    (reply,) = await socket.connected(client)
    assert reply["successful"]
    held = socket.connect(client)
    socket.ask_for_chat(client)
    frames = [await socket.hear() for _ in range(3)]
    channels = [message["channel"] for frame in frames for message in frame]
    assert channels.count(CHANNEL) >= 3
    assert all(len(frame) == 1 for frame in frames[1:])
    assert not any(m.get("id") == held for frame in frames for m in frame)
    while await socket.hear(20):
        pass
    # The connect is a heartbeat, and its answer comes when its time is up.
    (reply,) = await socket.hear(15)
    assert reply["id"] == held


async def test_a_session_goes_on_on_another_socket(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    centre = await centre_in(nursery)
    first = await centre.open()
    client = await first.handshake()
    await first.connected(client)
    first.connect(client)
    first.ask_for_chat(client)
    while await first.hear(2):
        pass
    first.go()
    await trio.sleep(5)
    second = await centre.open()
    (reply,) = await second.connected(client)
    assert reply["successful"]
    second.say(CHANNEL, client, data={"operation": "sendMessage", "message": "no key"})
    assert await second.hear()
    assert centre.sessions() == 1


async def test_a_session_without_a_socket_expires(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    centre = await centre_in(nursery)
    first = await centre.open()
    client = await first.handshake()
    await first.connected(client)
    first.connect(client)
    await trio.sleep(1)
    first.go()
    await trio.sleep(9)
    assert centre.sessions() == 1
    await trio.sleep(2)
    assert centre.sessions() == 0
    second = await centre.open()
    (reply,) = await second.connected(client)
    assert not reply["successful"]
    assert reply["advice"]["reconnect"] == "handshake"


async def test_a_displaced_connect_closes_the_socket_it_was_held_on(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    centre = await centre_in(nursery)
    first, second = await centre.open(), await centre.open()
    client = await first.handshake()
    await first.connected(client)
    first.connect(client)
    await trio.sleep(1)
    assert (await second.connected(client))[0]["successful"]
    await trio.sleep(1)
    assert first.closed == (1011, "")
    assert second.closed is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("<html>", 1007),
        ("[1]", 1007),
        ('[{"channel":"/meta/handshake","id":"1"},{"channel":"/x","id":"2"}]', 1011),
    ],
)
async def test_what_breaks_the_protocol_closes_the_socket(
    text: str, code: int, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    centre = await centre_in(nursery)
    socket, other = await centre.open(), await centre.open()
    socket.write(text)
    await trio.sleep(1)
    assert socket.closed is not None
    assert socket.closed[0] == code
    assert await other.handshake()


@pytest.mark.parametrize(("personality", "hangs_up"), [(COMETD, False), (FAYE, True)])
async def test_only_faye_hangs_up_after_a_disconnect(
    personality: Any, hangs_up: bool, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    centre = await centre_in(nursery, personality=personality)
    socket = await centre.open()
    client = await socket.handshake()
    socket.connect(client)
    socket.say("/meta/disconnect", client)
    (answer,) = await socket.hear()
    assert answer["successful"]
    await trio.sleep(1)
    assert (socket.closed == (1000, "")) is hangs_up
    assert centre.sessions() == 0


async def test_a_server_without_sockets_refuses_them(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    centre = await centre_in(nursery, personality=COMETD_NODE)
    assert (await centre.upgrade()).status == 405
    assert (await (await centre_in(nursery)).upgrade("PUT")).status == 405


async def test_a_client_that_does_not_read_is_cut(
    nursery: trio.Nursery, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    centre = await centre_in(nursery)
    socket = await centre.open()
    client = await socket.handshake()

    async def block(text: str) -> None:
        await trio.sleep_forever()

    monkeypatch.setattr(socket, "send", block)
    for _ in range(10_010):
        socket.connect(client, advice={"timeout": 0})
    await trio.sleep(1)
    assert socket.closed == "cut"


@pytest.mark.parametrize(
    ("name", "closed"), [("http_500", 1011), ("kill_connection", "cut"), ("html", None)]
)
async def test_faults_do_on_a_socket_what_comes_nearest(
    name: str, closed: int | str | None, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    centre = await centre_in(nursery)
    socket = await centre.open()
    client = await socket.handshake()
    centre.simulator.faults.change([make_fault(name, on="connect")])
    socket.connect(client, advice={"timeout": 0})
    if name == "html":
        with pytest.raises(orjson.JSONDecodeError):
            await socket.hear()
    await trio.sleep(1)
    how = socket.closed[0] if isinstance(socket.closed, tuple) else socket.closed
    assert how == closed
