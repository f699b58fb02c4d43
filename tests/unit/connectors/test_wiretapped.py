from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

import pytest
import trio

from botkit.connectors.http import HttpReply, Lane, StoredCookie
from botkit.connectors.http.contract import NO_HEADERS
from botkit.connectors.wiretapped import MAX_SHOWN, show, tapped_http, tapped_opener
from botkit.errors import ConnectorError

Shown = tuple[str, str, str, bool]


class Tap:
    """Keeps what it is shown."""

    def __init__(self) -> None:
        self.seen: list[Shown] = []

    def __call__(self, *, sent: bool, what: str, text: str, cut: bool) -> None:
        self.seen.append(("sent" if sent else "received", what, text, cut))


class FakeHttp:
    url = "https://chat.example/cometd"

    def __init__(self, answer: HttpReply | ConnectorError) -> None:
        self.answer = answer
        self.jar: list[StoredCookie] = []
        self.is_closed = False

    async def post(
        self,
        suffix: str,
        body: bytes,
        *,
        lane: Lane,
        content_type: str | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> HttpReply:
        await trio.lowlevel.checkpoint()
        if isinstance(self.answer, ConnectorError):
            raise self.answer
        return self.answer

    def cookies(self) -> tuple[StoredCookie, ...]:
        return tuple(self.jar)

    def add_cookies(self, cookies: Iterable[StoredCookie]) -> None:
        self.jar.extend(cookies)

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()
        self.is_closed = True


class FakeSocket:
    close_code: int | None = 1000
    close_reason = "bye"

    def __init__(self) -> None:
        self.said: list[str] = []
        self.is_closed = False

    async def send(self, text: str) -> None:
        await trio.lowlevel.checkpoint()
        self.said.append(text)

    async def receive(self) -> str:
        await trio.lowlevel.checkpoint()
        if len(self.said) > 1:
            raise ConnectorError("it closed the WebSocket", kind="lost")
        return "hello"

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()
        self.is_closed = True


def shown(data: str | bytes) -> tuple[str, bool]:
    tap = Tap()
    show(tap, sent=True, what="frame", data=data)
    ((_, _, text, cut),) = tap.seen
    return text, cut


def test_nothing_is_in_the_way_of_a_chat_that_nobody_looks_at() -> None:
    http = FakeHttp(HttpReply(status=200))
    assert tapped_http(http, None) is http

    async def opener() -> FakeSocket:
        raise AssertionError("nobody opens it")

    assert tapped_opener(opener, "ws://x", None) is opener


async def test_requests_and_replies_are_shown() -> None:
    tap, inner = Tap(), FakeHttp(HttpReply(status=503, body=b"<html>"))
    http = tapped_http(inner, tap)
    assert http.url == inner.url
    reply = await http.post("/connect", b"[1]", lane=Lane.CALL)
    assert reply is inner.answer
    assert tap.seen == [
        ("sent", "POST /cometd/connect", "[1]", False),
        ("received", "503 to POST /cometd/connect", "<html>", False),
    ]
    http.add_cookies([StoredCookie(name="a", value="b", domain="chat.example")])
    assert http.cookies() == tuple(inner.jar)
    await http.aclose()
    assert inner.is_closed


async def test_that_no_answer_came_is_shown_with_its_reason() -> None:
    tap = Tap()
    http = tapped_http(FakeHttp(ConnectorError("reset by peer", kind="lost")), tap)
    with pytest.raises(ConnectorError):
        await http.post("", b"", lane=Lane.POLL)
    assert tap.seen[1] == ("received", "no answer to POST /cometd", "reset by peer", False)


async def test_messages_of_a_websocket_are_shown_and_how_it_ended() -> None:
    tap, inner = Tap(), FakeSocket()

    async def opener() -> FakeSocket:
        await trio.lowlevel.checkpoint()
        return inner

    socket = await tapped_opener(opener, "wss://chat.example/ws?deploymentId=1", tap)()
    await socket.send("one")
    assert await socket.receive() == "hello"
    await socket.send("two")
    with pytest.raises(ConnectorError):
        await socket.receive()
    await socket.aclose()
    assert inner.is_closed
    assert (socket.close_code, socket.close_reason) == (1000, "bye")
    assert tap.seen == [
        ("sent", "GET /ws (WebSocket)", "", False),
        ("received", "101 to GET /ws (WebSocket)", "", False),
        ("sent", "frame", "one", False),
        ("received", "frame", "hello", False),
        ("sent", "frame", "two", False),
        ("received", "the end of the WebSocket", "it closed the WebSocket", False),
    ]


@pytest.mark.parametrize("data", ["x" * MAX_SHOWN, "é".encode() * MAX_SHOWN])
def test_a_frame_is_bounded_in_characters(data: str | bytes) -> None:
    assert shown(data) == (data if isinstance(data, str) else data.decode(), False)
    more = data + "x" if isinstance(data, str) else data + b"x"
    text, cut = shown(more)
    assert (len(text), cut) == (MAX_SHOWN, True)


def test_what_is_no_text_is_shown_all_the_same() -> None:
    assert shown(b"a\xffb") == ("a\ufffdb", False)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"data": {"secureKey": "K-1"}}),
        json.dumps({"code": "K-1", "token": "K-1"}),
        '{"jwt":  "K-1 and \\"K-1',
        "secureKey=K-1&userId=7",
        "userId=7&secureKey=K-1",
        json.dumps({"url": "https://s3.example/f?X-Amz-Signature=K-1&X-Amz-Security-Token=K-1"}),
    ],
)
def test_credentials_are_not_shown(text: str) -> None:
    found, _ = shown(text)
    assert "K-1" not in found
    assert "***" in found


def test_a_number_of_the_same_name_is_no_credential() -> None:
    assert shown('{"code":401,"type":"response"}') == ('{"code":401,"type":"response"}', False)
