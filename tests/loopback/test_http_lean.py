"""The HTTP client on real sockets, each fault caused by a peer that commits it."""

import os
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial

import httpx
import pytest
import trio
import trio.testing

from botkit.connectors.http import Http, Lane, open_http
from botkit.connectors.http.over_httpx import own_transport
from botkit.errors import ConnectorError, RemoteProtocolError
from botkit.interfaces import NetworkSettings
from botkit.simulator.http import Reply, Request
from botkit.simulator.server import serve_http

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
DIRECT = NetworkSettings(trust_env=False)
Peer = Callable[[trio.SocketStream], Awaitable[None]]
Opener = Callable[[str], Http]


def open_lean(url: str) -> Http:
    return open_http(url, DIRECT)


def open_over_httpx(url: str) -> Http:
    return open_http(url, DIRECT, auth=httpx.Auth())


both = pytest.mark.parametrize("opener", [open_lean, open_over_httpx])


@asynccontextmanager
async def listening(peer: Peer) -> AsyncIterator[str]:
    """A server of one script a connection; gives its URL."""

    async def serve(stream: trio.SocketStream) -> None:
        with suppress(trio.BrokenResourceError):
            await peer(stream)
        await stream.aclose()

    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            serve_tcp = partial(trio.serve_tcp, serve, 0, host="127.0.0.1")
            listeners = await nursery.start(serve_tcp)
            yield url_of(listeners[0])
            nursery.cancel_scope.cancel()


@asynccontextmanager
async def simulator() -> AsyncIterator[str]:
    """An echo; a path of /hold never answers."""

    async def handle(request: Request) -> Reply:
        if request.path == "/hold":
            await trio.sleep_forever()
        return Reply(body=request.body)

    with trio.fail_after(10):
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        async with trio.open_nursery() as nursery:
            await nursery.start(serve_http, handle, listeners)
            yield url_of(listeners[0])
            nursery.cancel_scope.cancel()


def url_of(listener: trio.SocketListener) -> str:
    return f"http://127.0.0.1:{listener.socket.getsockname()[1]}"


@contextmanager
def no_socket_left_open() -> Iterator[None]:
    before = open_sockets()
    yield
    assert open_sockets() == before


def open_sockets() -> int:
    links = (f"/proc/self/fd/{number}" for number in os.listdir("/proc/self/fd"))
    return sum(1 for link in links if os.path.lexists(link) and "socket" in os.readlink(link))


async def receive_request(stream: trio.SocketStream) -> bool:
    data = b""
    while not data.endswith(b"\r\n\r\n[]"):
        piece = await stream.receive_some()
        if not piece:
            return False
        data += bytes(piece)
    return True


def reset(stream: trio.SocketStream) -> None:
    """Make the close that follows a reset."""
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@both
async def test_a_hundred_messages_pass_on_both_lanes_while_a_poll_is_held(opener: Opener) -> None:
    async with simulator() as url:
        http = opener(url)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(hold, http)
            for number in range(100):
                body = b"%d" % number
                assert (await http.post("/echo", body, lane=Lane.CALL)).body == body
            nursery.cancel_scope.cancel()
        for number in range(100):
            body = b"%d" % number
            assert (await http.post("/echo", body, lane=Lane.POLL)).body == body
        await http.aclose()


async def hold(http: Http) -> None:
    await http.post("/hold", b"", lane=Lane.POLL)


@both
async def test_a_port_where_nobody_listens_refuses(opener: Opener) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with trio.fail_after(10), pytest.raises(ConnectorError, match=f"{url} refuses") as caught:
        await opener(url).post("", b"[]", lane=Lane.CALL)
    assert (caught.value.kind, caught.value.sent) == ("refused", False)


@both
async def test_a_name_that_nobody_knows_is_told(
    opener: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unknown(*args: object, **kwargs: object) -> None:
        await trio.lowlevel.checkpoint()
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(trio.socket, "getaddrinfo", unknown)
    with trio.fail_after(10), pytest.raises(ConnectorError, match=r"chat\.invalid") as caught:
        await opener("http://chat.invalid/").post("", b"[]", lane=Lane.CALL)
    assert (caught.value.kind, caught.value.sent) == ("unknown_host", False)


@both
@pytest.mark.parametrize("reply", [b"", OK[:20], OK[:-1]])
@pytest.mark.parametrize("abrupt", [True, False])
async def test_a_connection_that_breaks_in_a_reply_is_lost(
    reply: bytes, abrupt: bool, opener: Opener
) -> None:
    async def peer(stream: trio.SocketStream) -> None:
        await receive_request(stream)
        await stream.send_all(reply)
        if abrupt:
            reset(stream)

    async with listening(peer) as url:
        with pytest.raises(ConnectorError, match=r"127\.0\.0\.1") as caught:
            await opener(url).post("", b"[]", lane=Lane.CALL)
    assert (caught.value.kind, caught.value.sent) == ("lost", True)


@both
async def test_what_is_not_http_is_a_breach_of_the_protocol(opener: Opener) -> None:
    async def peer(stream: trio.SocketStream) -> None:
        await stream.send_all(b"SSH-2.0-OpenSSH_9.6\r\n\r\n")
        await stream.receive_some()

    async with listening(peer) as url:
        with pytest.raises(RemoteProtocolError, match="not HTTP"):
            await opener(url).post("", b"[]", lane=Lane.CALL)


@both
async def test_a_request_that_may_have_arrived_is_never_repeated(opener: Opener) -> None:
    requests = 0

    async def peer(stream: trio.SocketStream) -> None:
        nonlocal requests
        while await receive_request(stream):
            requests += 1
            if requests == 2:
                return
            await stream.send_all(OK)

    async with listening(peer) as url:
        http = opener(url)
        await http.post("", b"[]", lane=Lane.CALL)
        with pytest.raises(ConnectorError):
            await http.post("", b"[]", lane=Lane.CALL)
        await http.post("", b"[]", lane=Lane.CALL)
        await http.aclose()
    assert requests == 3


@both
@pytest.mark.parametrize("parting", [b"", b"HTTP/1.1 408 Request Timeout\r\n\r\n"])
async def test_an_idle_connection_that_the_server_closed_is_replaced(
    parting: bytes, opener: Opener
) -> None:
    closed = trio.Event()
    connections = 0

    async def peer(stream: trio.SocketStream) -> None:
        nonlocal connections
        connections += 1
        await receive_request(stream)
        await stream.send_all(OK)
        await trio.testing.wait_all_tasks_blocked()  # until the client has its reply
        await stream.send_all(parting) if parting else None
        await stream.send_eof()
        closed.set()
        await stream.receive_some()

    async with listening(peer) as url:
        http = opener(url)
        await http.post("", b"[]", lane=Lane.CALL)
        await closed.wait()
        assert (await http.post("", b"[]", lane=Lane.CALL)).body == b"ok"
        await http.aclose()
    assert connections == 2


async def test_a_huge_body_both_ways_arrives_whole() -> None:
    body = bytes(range(256)) * 4096 * 8  # 8 MB
    async with simulator() as url:
        http = open_lean(url)
        assert (await http.post("", body, lane=Lane.CALL)).body == body
        await http.aclose()


async def test_a_reply_without_end_is_cut_off_at_the_limit() -> None:
    async def peer(stream: trio.SocketStream) -> None:
        await receive_request(stream)
        await stream.send_all(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await stream.send_all(b"x" * 65536)

    async with listening(peer) as url:
        with no_socket_left_open():
            http = open_http(url, NetworkSettings(trust_env=False, max_reply_bytes=100_000))
            with pytest.raises(RemoteProtocolError, match="larger than 100000 bytes"):
                await http.post("", b"[]", lane=Lane.CALL)
            await wait_until_served()


async def wait_until_served() -> None:
    """Until the server's end of a closed connection is closed as well."""
    for _ in range(20):
        await trio.testing.wait_all_tasks_blocked(0.005)


async def test_cancelled_exchanges_leave_no_socket() -> None:
    async with simulator() as url:
        with no_socket_left_open():
            http = open_lean(url)
            for lane in Lane:
                await http.post("/echo", b"[]", lane=lane)
                with trio.move_on_after(0.01) as scope:
                    await http.post("/hold", b"[]", lane=lane)
                assert scope.cancelled_caught
            await wait_until_served()


async def test_a_closed_client_leaves_no_socket() -> None:
    async with simulator() as url:
        with no_socket_left_open():
            for opener in (open_lean, open_over_httpx):
                http = opener(url)
                for lane in Lane:
                    await http.post("/echo", b"[]", lane=lane)
                await http.aclose()
            await wait_until_served()


async def test_many_chats_on_one_server_do_not_mix() -> None:
    async with simulator() as url, trio.open_nursery() as nursery:

        async def chat(number: int) -> None:
            http = open_lean(url)
            for count in range(10):
                body = b"%d/%d" % (number, count)
                assert (await http.post("/echo", body, lane=Lane.CALL)).body == body
            await http.aclose()

        for number in range(50):
            nursery.start_soon(chat, number)


class TestProxy:
    """Through a small proxy, which forwards plain requests and tunnels others."""

    @asynccontextmanager
    async def proxy(self, seen: list[bytes], *, refuse: bool = False) -> AsyncIterator[str]:
        async def peer(stream: trio.SocketStream) -> None:
            data = bytes(await stream.receive_some())
            seen.append(data.split(b"\r\n")[0])
            if refuse:
                await stream.send_all(b"HTTP/1.1 407 Authenticate\r\nContent-Length: 0\r\n\r\n")
            else:
                await stream.send_all(OK)
            await stream.receive_some()

        async with listening(peer) as url:
            yield url

    async def test_a_named_proxy_is_asked(self) -> None:
        seen: list[bytes] = []
        async with self.proxy(seen) as proxy:
            http = open_http("http://chat.invalid/x", NetworkSettings(proxy=proxy))
            assert (await http.post("", b"[]", lane=Lane.CALL)).body == b"ok"
            await http.aclose()
        assert seen == [b"POST http://chat.invalid/x HTTP/1.1"]

    async def test_the_environment_names_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[bytes] = []
        async with self.proxy(seen) as proxy:
            monkeypatch.setenv("HTTP_PROXY", proxy)
            monkeypatch.delenv("NO_PROXY", raising=False)
            monkeypatch.delenv("no_proxy", raising=False)
            monkeypatch.setenv("http_proxy", proxy)
            http = open_http("http://chat.invalid/x", NetworkSettings())
            assert (await http.post("", b"[]", lane=Lane.CALL)).body == b"ok"
            await http.aclose()
        assert len(seen) == 1

    async def test_a_proxy_that_refuses_is_named(self) -> None:
        seen: list[bytes] = []
        async with self.proxy(seen, refuse=True) as proxy:
            http = open_http("https://chat.invalid/x", NetworkSettings(proxy=proxy))
            with pytest.raises(ConnectorError, match=f"proxy {proxy} does not lead") as caught:
                await http.post("", b"[]", lane=Lane.CALL)
            await http.aclose()
        assert (caught.value.kind, caught.value.sent) == ("proxy", False)
        assert seen == [b"CONNECT chat.invalid:443 HTTP/1.1"]

    async def test_a_proxy_that_is_not_there_is_named_without_its_password(self) -> None:
        port = free_port()
        settings = NetworkSettings(proxy=f"http://ada:secret@127.0.0.1:{port}")
        http = open_http("http://chat.invalid/x", settings)
        with pytest.raises(ConnectorError, match=f"http://127.0.0.1:{port} refuses") as caught:
            await http.post("", b"[]", lane=Lane.CALL)
        assert caught.value.kind == "proxy"
        assert "secret" not in str(caught.value)

    async def test_two_lanes_are_two_connections_of_the_proxys_pool(self) -> None:
        async with simulator() as url:
            transport = own_transport(None, DIRECT)
            http = open_http(url, DIRECT, transport=transport)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(hold, http)
                reply = await http.post("/echo", b"hello", lane=Lane.CALL)
                nursery.cancel_scope.cancel()
            await transport.aclose()
            assert reply.body == b"hello"
