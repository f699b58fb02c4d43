"""The client over httpx transports, which here are functions."""

import gzip
from collections.abc import AsyncIterator, Callable
from functools import partial

import httpx
import pytest
import trio
import trio.testing

from botkit.connectors.http import Http, Lane, LeanHttp, open_http
from botkit.connectors.http.over_httpx import HttpxHttp
from botkit.errors import ConfigError, ConnectorError, LocalProtocolError, RemoteProtocolError
from botkit.interfaces import NetworkSettings

URL = "http://chat.example.com/cometd"
Answer = Callable[[httpx.Request], httpx.Response]


class Transport(httpx.AsyncBaseTransport):
    """Answers with a function and remembers what was asked."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self.requests: list[httpx.Request] = []
        self.closed = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await trio.lowlevel.checkpoint()
        self.requests.append(request)
        return self._answer(request)

    async def aclose(self) -> None:
        self.closed = True


def answering(answer: Answer, **settings: object) -> tuple[Http, Transport]:
    transport = Transport(answer)
    return open_http(URL, NetworkSettings(**settings), transport=transport), transport  # type: ignore[arg-type]


def ok(request: httpx.Request) -> httpx.Response:
    return httpx.Response(200, content=b"ok")


def raising(error: Exception) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error

    return answer


async def test_a_request_goes_straight_to_the_transport_without_limits() -> None:
    http, transport = answering(ok, headers={"X-Key": "1"}, auth=("ada", "secret"))
    reply = await http.post("/connect", b"[]", lane=Lane.CALL)
    assert (reply.status, reply.body) == (200, b"ok")
    (request,) = transport.requests
    assert str(request.url) == f"{URL}/connect"
    assert (request.method, request.content) == ("POST", b"[]")
    assert request.headers["content-length"] == "2"
    assert request.headers["x-key"] == "1"
    assert request.headers["authorization"] == "Basic YWRhOnNlY3JldA=="
    assert request.extensions["timeout"] == dict.fromkeys(("connect", "read", "write", "pool"))


async def test_cookies_are_kept() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, headers=[("Set-Cookie", "a=1; Path=/"), ("Set-Cookie", "b=2")])

    http, transport = answering(answer)
    reply = await http.post("", b"[]", lane=Lane.CALL)
    await http.post("", b"[]", lane=Lane.POLL)
    assert "set-cookie" not in reply.headers
    assert [r.headers.get("cookie") for r in transport.requests] == [None, "a=1; b=2"]
    assert {cookie.name for cookie in http.cookies()} == {"a", "b"}
    other, transport = answering(ok)
    other.add_cookies(http.cookies())
    await other.post("", b"[]", lane=Lane.CALL)
    assert transport.requests[0].headers["cookie"] == "a=1; b=2"


async def test_an_authentication_scheme_plays_its_whole_exchange() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if "authorization" in request.headers:
            return httpx.Response(200, content=b"ok")
        challenge = 'Digest realm="chat", nonce="abc", qop="auth", algorithm=SHA-256'
        return httpx.Response(401, headers={"WWW-Authenticate": challenge})

    transport = Transport(answer)
    auth = httpx.DigestAuth("ada", "secret")
    http = open_http(URL, NetworkSettings(), transport=transport, auth=auth)
    assert (await http.post("", b"[]", lane=Lane.CALL)).status == 200
    assert [r.content for r in transport.requests] == [b"[]", b"[]"]
    assert transport.requests[1].headers["authorization"].startswith('Digest username="ada"')


async def test_an_encoded_body_is_decoded_within_bounds() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        headers = {"Content-Encoding": "gzip"}
        return httpx.Response(200, headers=headers, stream=Body(gzip.compress(b"x" * 1000)))

    http, _ = answering(answer)
    reply = await http.post("", b"[]", lane=Lane.CALL)
    assert reply.body == b"x" * 1000
    assert "content-encoding" not in reply.headers
    http, _ = answering(answer, max_reply_bytes=999)
    with pytest.raises(RemoteProtocolError, match="larger than 999"):
        await http.post("", b"[]", lane=Lane.CALL)


class Body(httpx.AsyncByteStream):
    """A body in one piece, which notes that it was closed."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        await trio.lowlevel.checkpoint()
        yield self._data

    async def aclose(self) -> None:
        self.closed = True


async def test_a_reply_that_is_too_large_is_refused_and_closed() -> None:
    body = Body(b"x" * 1000)
    http, _ = answering(lambda _: httpx.Response(200, stream=body), max_reply_bytes=999)
    with pytest.raises(RemoteProtocolError, match="larger than 999"):
        await http.post("", b"[]", lane=Lane.CALL)
    assert body.closed


@pytest.mark.parametrize(
    ("error", "kind", "sent"),
    [
        (httpx.ConnectError("x"), "network", False),
        (httpx.ConnectTimeout("x"), "timeout", False),
        (httpx.ReadTimeout("x"), "timeout", True),
        (httpx.ReadError("x"), "lost", True),
        (httpx.WriteError("x"), "lost", True),
        (httpx.RemoteProtocolError("Server disconnected without sending"), "lost", True),
        (httpx.RemoteProtocolError("peer closed connection without body"), "lost", True),
        (httpx.ProxyError("407 Authentication Required"), "proxy", False),
        (ConnectionResetError(104, "reset"), "lost", True),
    ],
)
async def test_what_a_transport_raises_is_translated(
    error: Exception, kind: str, sent: bool
) -> None:
    http, _ = answering(raising(error))
    with pytest.raises(ConnectorError, match=r"chat\.example\.com") as caught:
        await http.post("", b"[]", lane=Lane.CALL)
    assert (caught.value.kind, caught.value.sent) == (kind, sent)
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    ("error", "translated"),
    [
        (httpx.RemoteProtocolError("illegal status line"), RemoteProtocolError),
        (httpx.LocalProtocolError("illegal header"), LocalProtocolError),
        (httpx.UnsupportedProtocol("x"), LocalProtocolError),
    ],
)
async def test_a_breach_of_the_protocol_is_blamed_on_who_made_it(
    error: Exception, translated: type[Exception]
) -> None:
    http, _ = answering(raising(error))
    with pytest.raises(translated):
        await http.post("", b"[]", lane=Lane.CALL)


async def test_a_call_does_not_wait_for_the_poll_but_for_another_call() -> None:
    active: list[str] = []
    most = 0

    class Slow(Transport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            nonlocal most
            active.append(request.url.path)
            most = max(most, len(active))
            await trio.testing.wait_all_tasks_blocked()
            active.pop()
            return httpx.Response(200)

    http = open_http(URL, NetworkSettings(), transport=Slow(ok))
    async with trio.open_nursery() as nursery:
        for lane in (Lane.POLL, Lane.CALL, Lane.CALL):
            nursery.start_soon(partial(http.post, "", b"[]", lane=lane))
    assert most == 2


async def test_a_given_transport_stays_open_and_the_closed_client_refuses() -> None:
    http, transport = answering(ok)
    await http.aclose()
    assert not transport.closed
    with pytest.raises(LocalProtocolError, match="closed"):
        await http.post("", b"[]", lane=Lane.CALL)


class TestChoice:
    """Which carrier ``open_http`` picks."""

    @pytest.fixture(autouse=True)
    def clean_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(name.upper(), raising=False)

    @pytest.mark.parametrize("auth", [None, ("ada", "secret")])
    def test_lean_wherever_it_can(self, auth: tuple[str, str] | None) -> None:
        assert isinstance(open_http(URL, NetworkSettings(auth=auth)), LeanHttp)

    def test_httpx_for_a_proxy_or_a_scheme(self, monkeypatch: pytest.MonkeyPatch) -> None:
        assert isinstance(open_http(URL, NetworkSettings(proxy="http://p:1")), HttpxHttp)
        scheme = httpx.DigestAuth("ada", "secret")
        assert isinstance(open_http(URL, NetworkSettings(), auth=scheme), HttpxHttp)
        monkeypatch.setenv("HTTP_PROXY", "http://p:1")
        assert isinstance(open_http(URL, NetworkSettings()), HttpxHttp)
        monkeypatch.setenv("NO_PROXY", "example.com")
        assert isinstance(open_http(URL, NetworkSettings()), LeanHttp)

    @pytest.mark.parametrize("proxy", ["ftp://ada:secret@p:1", "http://", "p"])
    def test_a_proxy_that_is_none_is_refused_without_its_password(self, proxy: str) -> None:
        with pytest.raises(ConfigError) as caught:
            open_http(URL, NetworkSettings(proxy=proxy))
        assert caught.value.key == "proxy"
        assert "secret" not in str(caught.value)


async def test_one_body_of_another_type_leaves_the_others_alone() -> None:
    http, transport = answering(ok)
    for content_type in (None, "multipart/form-data", None):
        await http.post("", b"[]", lane=Lane.CALL, content_type=content_type)
    usual, other, again = (r.headers["content-type"] for r in transport.requests)
    assert other == "multipart/form-data"
    assert usual == again != other
