"""WebSockets through an httpx transport to a server in memory, on virtual time."""

from __future__ import annotations

import httpx
import pytest
import trio
from trio.testing import MockClock

from botkit.connectors.websocket import WebSocket, open_websocket
from botkit.errors import ConnectorError, LocalProtocolError, RemoteProtocolError
from botkit.interfaces import NetworkSettings
from botkit.simulator.http import Reply, Request
from botkit.simulator.websocket import ServerSocket, SocketClosed
from botkit.testing import MemoryNetwork

LATENCY = 0.25
URL = "wss://server/chat"


class Echo:
    """A server with sockets that echo.

    Attributes:
        ends: the codes with which sockets ended.
    """

    def __init__(self) -> None:
        self.ends: list[int] = []

    async def handle(self, request: Request) -> Reply:
        await trio.lowlevel.checkpoint()
        match request.path:
            case "/chat":
                return Reply(status=101, upgrade=self.serve)
            case "/abort":
                return Reply(abort=True)
            case "/crash":
                return Reply(status=101, upgrade=self.crash)
            case _:
                return Reply(status=404, body=b"nothing here" + b"!" * 10_000)

    async def serve(self, socket: ServerSocket) -> None:
        try:
            while True:
                await socket.send(await socket.receive())
        except SocketClosed as closed:
            self.ends.append(closed.code)

    async def crash(self, socket: ServerSocket) -> None:
        socket.abort()
        await trio.sleep_forever()


async def open_at(network: httpx.AsyncBaseTransport, path: str = "/chat") -> WebSocket:
    url = URL.replace("/chat", path)
    return await open_websocket(url, NetworkSettings(), transport=network)


async def test_a_socket_lives_and_ends_politely(autojump_clock: MockClock) -> None:
    server = Echo()
    network = MemoryNetwork(server.handle, latency=LATENCY)
    socket = await open_at(network)
    assert trio.current_time() == pytest.approx(2 * LATENCY)
    for text in ("hi", "x" * 100_000):
        began = trio.current_time()
        await socket.send(text)
        assert await socket.receive() == text
        assert trio.current_time() - began == pytest.approx(2 * LATENCY)
    assert network.under_way == 1
    await socket.aclose()
    assert network.under_way == 0
    await trio.sleep(1)
    assert server.ends == [1000]


async def test_a_cut_network_cuts_open_sockets(autojump_clock: MockClock) -> None:
    server = Echo()
    network = MemoryNetwork(server.handle, latency=LATENCY)
    socket = await open_at(network)
    await socket.send("under way")
    network.cut(ConnectionResetError("cut"))
    with pytest.raises(ConnectorError, match="broke the connection") as caught:
        await socket.receive()
    assert caught.value.kind == "lost"
    with pytest.raises(ConnectorError) as caught:
        await open_at(network)
    assert not caught.value.sent
    assert network.under_way == 0
    await trio.sleep(1)
    assert server.ends == [1006]
    network.mend()
    await (await open_at(network)).aclose()


async def test_a_server_may_cut_the_socket(autojump_clock: MockClock) -> None:
    network = MemoryNetwork(Echo().handle, latency=LATENCY)
    socket = await open_at(network, "/crash")
    with pytest.raises(ConnectorError, match="broke the connection"):
        await socket.receive()
    await socket.aclose()
    assert network.under_way == 0


@pytest.mark.parametrize(
    ("path", "words"), [("/other", "HTTP 404"), ("/abort", "broke|closed|lost|cut")]
)
async def test_what_is_not_granted_is_told(
    path: str, words: str, autojump_clock: MockClock
) -> None:
    network = MemoryNetwork(Echo().handle)
    with pytest.raises(ConnectorError, match=words) as caught:
        await open_at(network, path)
    assert not caught.value.sent
    assert network.under_way == 0


async def test_a_transport_without_a_stream_is_no_way(autojump_clock: MockClock) -> None:
    network = MemoryNetwork(Echo().handle)

    class Blind(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            response = await network.handle_async_request(request)
            await response.extensions.pop("network_stream").aclose()
            return response

    with pytest.raises(LocalProtocolError, match="cannot carry a WebSocket"):
        await open_at(Blind())


async def test_a_wrong_handshake_is_refused_and_its_stream_closed(
    autojump_clock: MockClock,
) -> None:
    network = MemoryNetwork(Echo().handle)

    class Forger(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            response = await network.handle_async_request(request)
            response.headers["sec-websocket-accept"] = "forged"
            return response

    with pytest.raises(RemoteProtocolError, match="does not fit the key"):
        await open_at(Forger())
    assert network.under_way == 0


async def test_an_opening_may_be_cancelled(autojump_clock: MockClock) -> None:
    network = MemoryNetwork(Echo().handle, latency=LATENCY)
    for patience in (LATENCY / 2, LATENCY * 1.5):
        with trio.move_on_after(patience) as scope:
            await open_at(network)
        assert scope.cancelled_caught
        assert network.under_way == 0
