from __future__ import annotations

from collections.abc import Mapping

import httpx
import pytest
import trio
from trio.testing import MockClock

from botkit.connectors.chat_network import http_of, network_of, sockets_of
from botkit.connectors.guest_web import GuestWeb
from botkit.connectors.http import HttpReply, Lane
from botkit.connectors.traced import followed, open_traced
from botkit.errors import ChatError, ConnectorError
from botkit.interfaces import NetworkSettings, Opening

URL = "http://chat.example/cometd"


class FollowedRequest:
    def __init__(self, number: int, log: list[tuple[object, ...]]) -> None:
        self.headers: Mapping[str, str] = {"traceparent": f"own-{number}"}
        self._number = number
        self._log = log

    def answered(self, status: int) -> None:
        self._log.append((self._number, status))

    def broke(self, error: BaseException) -> None:
        self._log.append((self._number, type(error)))

    def frame(self, *, sent: bool, size: int) -> None:
        self._log.append((self._number, "sent" if sent else "received", size))


class Followers:
    """A tracer that writes down what it hears, by the numbers of requests."""

    def __init__(self) -> None:
        self.log: list[tuple[object, ...]] = []
        self._number = 0

    def request(self, method: str, url: str) -> FollowedRequest:
        self._number += 1
        self.log.append((self._number, method, url))
        return FollowedRequest(self._number, self.log)


def opening_with(tracer: Followers, answer: httpx.Response, seen: list[httpx.Request]) -> Opening:
    """Give an opening whose settings name the trace, too, as those of a traced journey do."""

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return answer

    return Opening(
        url=URL,
        network=NetworkSettings(headers={"TraceParent": "of-the-journey", "X-Team": "a"}),
        transport=httpx.MockTransport(handle),
        tracer=tracer,
    )


async def test_each_request_names_its_own_place() -> None:
    tracer, seen = Followers(), list[httpx.Request]()
    opening = opening_with(tracer, httpx.Response(200, content=b"[]"), seen)
    http = http_of(opening, f"{URL}/?node=1")
    for _ in range(2):
        await http.post("/connect", b"[]", lane=Lane.CALL)
    assert [r.headers.get_list("traceparent") for r in seen] == [["own-1"], ["own-2"]]
    assert seen[0].headers["x-team"] == "a"
    assert tracer.log == [
        (1, "POST", f"{URL}/connect"),
        (1, 200),
        (2, "POST", f"{URL}/connect"),
        (2, 200),
    ]


def test_settings_stay_as_they_are_where_nobody_follows() -> None:
    opening = Opening(network=NetworkSettings(headers={"traceparent": "of-the-journey"}))
    assert network_of(opening) is opening.network


async def test_a_request_without_an_answer_broke() -> None:
    tracer = Followers()

    async def fail() -> HttpReply:
        await trio.lowlevel.checkpoint()
        raise ConnectorError("nobody is there", kind="refused")

    with pytest.raises(ConnectorError):
        await followed(tracer.request("POST", URL), fail)
    assert tracer.log[1:] == [(1, ConnectorError)]


async def test_a_request_that_was_given_up_broke(autojump_clock: MockClock) -> None:
    tracer = Followers()

    async def wait() -> HttpReply:
        await trio.sleep_forever()
        raise AssertionError

    with trio.move_on_after(1):
        await followed(tracer.request("POST", URL), wait)
    assert tracer.log[1:] == [(1, trio.Cancelled)]


@pytest.mark.parametrize("status", [200, 404])
async def test_what_web_messaging_asks_is_followed(status: int) -> None:
    tracer, seen = Followers(), list[httpx.Request]()
    opening = opening_with(tracer, httpx.Response(status, content=b"{}"), seen)
    web = GuestWeb(opening, "")
    if status == 200:
        assert await web.get_json(URL) == {}
    else:
        with pytest.raises(ChatError):
            await web.get_json(URL)
    assert seen[0].headers.get_list("traceparent") == ["own-1"]
    assert tracer.log == [(1, "GET", URL), (1, status)]


async def test_what_a_signature_covers_gets_no_header() -> None:
    tracer, seen = Followers(), list[httpx.Request]()
    opening = opening_with(tracer, httpx.Response(204), seen)
    await GuestWeb(opening, "").put(URL, {"x-amz-meta": "1"}, b"file")
    assert "traceparent" not in seen[0].headers
    assert tracer.log == [(1, "PUT", URL), (1, 204)]


class FakeSocket:
    close_code: int | None = 1000
    close_reason = "bye"

    def __init__(self) -> None:
        self.is_closed = False

    async def send(self, text: str) -> None:
        await trio.lowlevel.checkpoint()

    async def receive(self) -> str:
        await trio.lowlevel.checkpoint()
        return "hello"

    async def aclose(self) -> None:
        await trio.lowlevel.checkpoint()
        self.is_closed = True


async def test_the_messages_of_a_websocket_belong_to_its_upgrade() -> None:
    tracer, made = Followers(), FakeSocket()
    headers: list[Mapping[str, str]] = []

    async def open_one(more: Mapping[str, str]) -> FakeSocket:
        await trio.lowlevel.checkpoint()
        headers.append(more)
        return made

    socket = await open_traced(open_one, "ws://chat.example/cometd", tracer)
    await socket.send("hi")
    assert await socket.receive() == "hello"
    await socket.aclose()
    assert (socket.close_code, socket.close_reason, made.is_closed) == (1000, "bye", True)
    assert headers == [{"traceparent": "own-1"}]
    assert tracer.log == [
        (1, "GET", "ws://chat.example/cometd"),
        (1, 101),
        (1, "sent", 2),
        (1, "received", 5),
    ]


async def test_an_upgrade_that_is_refused_broke() -> None:
    tracer, seen = Followers(), list[httpx.Request]()
    opening = opening_with(tracer, httpx.Response(403, stream=httpx.ByteStream(b"no")), seen)
    with pytest.raises(ConnectorError):
        await sockets_of(opening, URL)()
    assert seen[0].headers.get_list("traceparent") == ["own-1"]
    assert tracer.log == [(1, "GET", URL), (1, ConnectorError)]
