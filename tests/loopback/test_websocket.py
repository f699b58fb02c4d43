"""WebSockets on real sockets: plain, over TLS, through proxies, and answers of every sort."""

from __future__ import annotations

import base64
import socket as sockets
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import trio
import trustme

from botkit.connectors.http import LeanHttp, StoredCookie
from botkit.connectors.websocket import WebSocket, open_websocket
from botkit.errors import BotkitError, ConfigError, ConnectorError, RemoteProtocolError
from botkit.interfaces import NetworkSettings
from botkit.simulator.http import Reply, Request
from botkit.simulator.server import serve_http
from botkit.simulator.websocket import ServerSocket

AUTHORITY = trustme.CA()
VALID = AUTHORITY.issue_cert("127.0.0.1")
QUIET = NetworkSettings(trust_env=False)


class Centre:
    """A server with sockets that echo.

    Attributes:
        requests: all that came.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.url = ""

    async def handle(self, request: Request) -> Reply:
        await trio.lowlevel.checkpoint()
        self.requests.append(request)
        if request.path == "/refused":
            return Reply(status=403, body=b"<html>not\n for you</html>" + b"!" * 10_000)
        cookie = ("Set-Cookie", "seen=1; Path=/")
        return Reply(status=101, upgrade=self.serve, headers=(cookie,))

    async def serve(self, socket: ServerSocket) -> None:
        while True:
            await socket.send(await socket.receive())


def context_with(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    return context


@asynccontextmanager
async def serving(context: ssl.SSLContext | None = None) -> AsyncIterator[Centre]:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    port = listener.socket.getsockname()[1]
    served: trio.abc.Listener[trio.abc.Stream] = (
        trio.SSLListener(listener, context, https_compatible=True) if context else listener
    )
    centre = Centre()
    centre.url = f"{'wss' if context else 'ws'}://127.0.0.1:{port}/chat"
    with trio.fail_after(15):
        async with trio.open_nursery() as nursery:
            await nursery.start(serve_http, centre.handle, [served])
            yield centre
            nursery.cancel_scope.cancel()


@asynccontextmanager
async def answering(answer: Callable[[trio.SocketStream], Awaitable[None]]) -> AsyncIterator[int]:
    """A server that does with each connection what the test wants; gives its port."""
    with trio.fail_after(15):
        async with trio.open_nursery() as nursery:
            serve = partial(trio.serve_tcp, answer, 0, host="127.0.0.1")
            (listener,) = await nursery.start(serve)
            yield listener.socket.getsockname()[1]
            nursery.cancel_scope.cancel()


async def talk(socket: WebSocket) -> None:
    """Say small and large things, in both directions at once."""
    large = "x" * 3_000_000
    async with trio.open_nursery() as nursery:
        for text in ("hi", large, "ho"):
            nursery.start_soon(socket.send, text)
        heard = sorted([await socket.receive() for _ in range(3)])
    assert heard == ["hi", "ho", large]
    await socket.aclose()


async def failure(url: str, network: NetworkSettings = QUIET) -> BotkitError:
    with pytest.raises(BotkitError) as caught:
        await open_websocket(url, network)
    assert getattr(caught.value, "sent", False) is False
    return caught.value


# --- direct --------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["ws", "http"])
async def test_a_socket_is_opened_and_carries_texts(scheme: str) -> None:
    async with serving() as centre:
        url = centre.url.replace("ws", scheme, 1)
        await talk(await open_websocket(f"{url}?a=1", QUIET))
    (request,) = centre.requests
    assert (request.path, request.query) == ("/chat", "a=1")
    assert request.headers["user-agent"].startswith("botkit/")
    assert "sec-websocket-extensions" not in request.headers
    assert "content-type" not in request.headers


async def test_headers_and_authentication_are_sent() -> None:
    network = NetworkSettings(
        trust_env=False, headers={"X-A": "1", "X-B": "1"}, auth=("ada", "secret"), user_agent="me"
    )
    async with serving() as centre:
        headers = {"x-b": "2", "Origin": "https://shop.example"}
        await (await open_websocket(centre.url, network, headers=headers)).aclose()
    sent = centre.requests[0].headers
    basic = base64.b64encode(b"ada:secret").decode()
    assert (sent["x-a"], sent["x-b"], sent["origin"]) == ("1", "2", "https://shop.example")
    assert (sent["authorization"], sent["user-agent"]) == (f"Basic {basic}", "me")


@pytest.mark.parametrize("name", ["Upgrade", "Sec-WebSocket-Key", "sec-websocket-extensions"])
async def test_headers_of_the_handshake_are_not_to_be_set(name: str) -> None:
    with pytest.raises(ConfigError, match="is set by botkit itself"):
        await open_websocket("ws://127.0.0.1:1", QUIET, headers={name: "x"})


async def test_the_cookies_of_the_chat_go_along_and_come_back() -> None:
    async with serving() as centre:
        http = LeanHttp(centre.url.replace("ws", "http", 1), QUIET)
        http.add_cookies([StoredCookie(name="node", value="7", domain="127.0.0.1")])
        for _ in range(2):
            await (await open_websocket(centre.url, QUIET, cookies=http)).aclose()
        await http.aclose()
    assert [request.cookies for request in centre.requests] == [
        {"node": "7"},
        {"node": "7", "seen": "1"},
    ]


async def test_a_message_that_is_too_large_is_refused() -> None:
    async with serving() as centre:
        network = NetworkSettings(trust_env=False, max_reply_bytes=1000)
        socket = await open_websocket(centre.url, network)
        await socket.send("x" * 1001)
        with pytest.raises(RemoteProtocolError, match="larger than 1000 bytes"):
            await socket.receive()
        await socket.aclose()


async def test_another_answer_than_the_one_hoped_for_is_shown() -> None:
    async with serving() as centre:
        error = await failure(centre.url.replace("/chat", "/refused"))
    assert isinstance(error, ConnectorError)
    assert error.kind == "http"
    assert "answered with HTTP 403" in str(error)
    assert "'<html>not for you</html>!!!" in str(error)
    assert len(str(error)) < 300


async def test_nobody_there_is_told() -> None:
    with sockets.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        error = await failure(f"ws://127.0.0.1:{unused.getsockname()[1]}")
    assert isinstance(error, ConnectorError)
    assert error.kind == "refused"


HEAD = b"HTTP/1.1 101 Switching Protocols\r\n"
UPGRADED = b"Upgrade: websocket\r\nConnection: Upgrade\r\n"


@pytest.mark.parametrize(
    ("sent", "kind", "words"),
    [
        (b"SSH-2.0-OpenSSH\r\n", RemoteProtocolError, "not HTTP"),
        (b"\x00" * 100, RemoteProtocolError, "not HTTP"),
        (HEAD + UPGRADED + b"\r\n", RemoteProtocolError, "Sec-WebSocket-Accept does not fit"),
        (
            HEAD + UPGRADED + b"Sec-WebSocket-Accept: AAAA\r\n\r\n",
            RemoteProtocolError,
            "Sec-WebSocket-Accept does not fit",
        ),
        (HEAD + b"\r\n", RemoteProtocolError, "the header Upgrade is None"),
        (HEAD + b"Upgrade: h2c\r\nConnection: Upgrade\r\n\r\n", RemoteProtocolError, "'h2c'"),
        (HEAD + b"Upgrade: websocket\r\n\r\n", RemoteProtocolError, "Connection is None"),
        (b"HTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\nhi", ConnectorError, "'hi'"),
        (b"HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\nhalf", ConnectorError, "'half'"),
        (b"HTTP/1.1 101 X\r\n" + b"A: b\r\n" * 20_000, RemoteProtocolError, "exceeds"),
        (HEAD, ConnectorError, "closed the connection"),
        (b"", ConnectorError, "closed the connection"),
    ],
)
async def test_answers_that_make_no_socket(
    sent: bytes, kind: type[BotkitError], words: str
) -> None:
    async def answer(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(sent)

    async with answering(answer) as port:
        error = await failure(f"ws://127.0.0.1:{port}/x")
    assert type(error) is kind
    assert words in str(error)


@pytest.mark.parametrize(
    ("offered", "answered", "is_taken"),
    [
        ("chat, other", b"Sec-WebSocket-Protocol: chat\r\n", True),
        ("chat", b"", True),
        ("chat", b"Sec-WebSocket-Protocol: third\r\n", False),
        ("chat", b"Sec-WebSocket-Extensions: permessage-deflate\r\n", False),
    ],
)
async def test_only_what_was_offered_is_taken(
    offered: str, answered: bytes, is_taken: bool
) -> None:
    from websockets.utils import accept_key

    async def answer(stream: trio.SocketStream) -> None:
        request = (await stream.receive_some()).decode()
        key = request.partition("Sec-WebSocket-Key: ")[2].partition("\r\n")[0]
        accept = f"Sec-WebSocket-Accept: {accept_key(key)}\r\n".encode()
        await stream.send_all(HEAD + UPGRADED + accept + answered + b"\r\n\x81\x02hi")
        await stream.receive_some()

    async with answering(answer) as port:
        headers = {"Sec-WebSocket-Protocol": offered}
        if is_taken:
            socket = await open_websocket(f"ws://127.0.0.1:{port}", QUIET, headers=headers)
            assert await socket.receive() == "hi"
            await socket.aclose()
        else:
            with pytest.raises(RemoteProtocolError, match="not offered"):
                await open_websocket(f"ws://127.0.0.1:{port}", QUIET, headers=headers)


async def test_an_opening_that_is_cancelled_leaves_no_connection() -> None:
    gone = trio.Event()

    async def stall(stream: trio.SocketStream) -> None:
        while await stream.receive_some():
            pass
        gone.set()

    async with answering(stall) as port:
        with trio.move_on_after(0.1):
            await open_websocket(f"ws://127.0.0.1:{port}", QUIET)
        await gone.wait()


# --- TLS -----------------------------------------------------------------------------------------


@pytest.fixture
def ca_file(tmp_path: Path) -> Path:
    AUTHORITY.cert_pem.write_to_path(tmp_path / "ca.pem")
    return tmp_path / "ca.pem"


async def test_texts_go_over_tls(ca_file: Path) -> None:
    async with serving(context_with(VALID)) as centre:
        await talk(await open_websocket(centre.url, NetworkSettings(ca_file=ca_file)))
        network = NetworkSettings(verify=False)
        await talk(await open_websocket(centre.url.replace("wss", "https"), network))


async def test_a_client_certificate_is_shown(ca_file: Path, tmp_path: Path) -> None:
    own = AUTHORITY.issue_cert("customer@example.com")
    own.private_key_and_cert_chain_pem.write_to_path(tmp_path / "own.pem")
    context = context_with(VALID)
    context.verify_mode = ssl.CERT_REQUIRED
    AUTHORITY.configure_trust(context)
    async with serving(context) as centre:
        network = NetworkSettings(ca_file=ca_file, client_cert=tmp_path / "own.pem")
        await talk(await open_websocket(centre.url, network))


async def test_a_bad_certificate_is_refused_in_words(ca_file: Path) -> None:
    async with serving(context_with(AUTHORITY.issue_cert("127.0.0.2"))) as centre:
        error = await failure(centre.url, NetworkSettings(ca_file=ca_file))
    assert isinstance(error, ConnectorError)
    assert error.kind == "tls"
    assert "issued for another address" in str(error)


# --- proxies -------------------------------------------------------------------------------------


class Proxy:
    """Takes CONNECT, and leads to where it is told.

    Attributes:
        asked: the heads of all requests.
        answer: sent in place of a connection, if there is one.
    """

    def __init__(self, answer: bytes = b"") -> None:
        self.asked: list[str] = []
        self.answer = answer

    async def serve(self, stream: trio.abc.Stream) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            head += await stream.receive_some()
        self.asked.append(head.decode())
        if self.answer:
            await stream.send_all(self.answer)
            await stream.aclose()
            return
        host, _, port = head.split()[1].decode().rpartition(":")
        far = await trio.open_tcp_stream(host, int(port))
        await stream.send_all(b"HTTP/1.1 200 Connection established\r\n\r\n")
        async with far, trio.open_nursery() as nursery:
            nursery.start_soon(self._pass_on, far, stream)
            await self._pass_on(stream, far)
            nursery.cancel_scope.cancel()

    async def _pass_on(self, source: trio.abc.Stream, target: trio.abc.Stream) -> None:
        while data := await source.receive_some(65536):
            await target.send_all(data)


@asynccontextmanager
async def proxied(proxy: Proxy, context: ssl.SSLContext | None = None) -> AsyncIterator[int]:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    served: trio.abc.Listener[trio.abc.Stream] = (
        trio.SSLListener(listener, context, https_compatible=True) if context else listener
    )
    async with trio.open_nursery() as nursery:
        await nursery.start(trio.serve_listeners, proxy.serve, [served])
        yield listener.socket.getsockname()[1]
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("tls", [False, True])
async def test_a_proxy_leads_to_the_server(tls: bool, ca_file: Path) -> None:
    proxy = Proxy()
    async with serving(context_with(VALID) if tls else None) as centre, proxied(proxy) as port:
        url = f"http://ada:secret@127.0.0.1:{port}"
        await talk(await open_websocket(centre.url, NetworkSettings(proxy=url, ca_file=ca_file)))
    address = centre.url.split("/")[2]
    (head,) = proxy.asked
    assert head.startswith(f"CONNECT {address} HTTP/1.1\r\nHost: {address}\r\n")
    assert f"Basic {base64.b64encode(b'ada:secret').decode()}" in head


async def test_a_proxy_may_be_asked_over_tls(ca_file: Path) -> None:
    async with serving() as centre, proxied(Proxy(), context_with(VALID)) as port:
        network = NetworkSettings(proxy=f"https://127.0.0.1:{port}", ca_file=ca_file)
        await talk(await open_websocket(centre.url, network))


async def test_the_environment_names_the_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Proxy()
    async with serving() as centre, proxied(proxy) as port:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        await talk(await open_websocket(centre.url, NetworkSettings()))
        assert len(proxy.asked) == 1
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        await talk(await open_websocket(centre.url, NetworkSettings()))
        assert len(proxy.asked) == 1


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 407 Who are you\r\nContent-Length: 5\r\n\r\nlogin", "HTTP 407"),
        (b"HTTP/1.1 502 Bad Gateway\r\n\r\nno such host", "no such host"),
        (b"rubbish\r\n\r\n", "not HTTP"),
    ],
)
async def test_a_proxy_that_does_not_lead_there_is_told(answer: bytes, words: str) -> None:
    async with serving() as centre, proxied(Proxy(answer)) as port:
        network = NetworkSettings(proxy=f"http://ada:secret@127.0.0.1:{port}")
        error = await failure(centre.url, network)
    assert isinstance(error, ConnectorError)
    assert error.kind == "proxy"
    assert words in str(error)
    assert "secret" not in str(error)


async def test_a_proxy_that_is_not_there_is_told() -> None:
    with sockets.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        proxy = f"http://127.0.0.1:{unused.getsockname()[1]}"
        error = await failure("ws://127.0.0.1:1", NetworkSettings(proxy=proxy))
    assert isinstance(error, ConnectorError)
    assert error.kind == "proxy"
    assert "no way to the proxy" in str(error)


@pytest.mark.parametrize("proxy", ["http://", "http://x:y", "ftp://127.0.0.1:1"])
async def test_a_proxy_that_is_none_is_a_mistake_of_the_user(proxy: str) -> None:
    with pytest.raises(ConfigError):
        await open_websocket("ws://127.0.0.1:1", NetworkSettings(proxy=proxy))
