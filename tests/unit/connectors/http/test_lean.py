"""The lean client against scripted peers in memory: what it sends, and what it makes of answers."""

import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing
import trustme
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from botkit.connectors.http import Lane, LeanHttp, StoredCookie
from botkit.errors import ConnectorError, LocalProtocolError, RemoteProtocolError
from botkit.interfaces import NetworkSettings

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Peer = Callable[[trio.abc.Stream], Awaitable[None]]


class Network:
    """Opens streams in memory to a peer, and remembers them."""

    def __init__(self, nursery: trio.Nursery, peer: Peer) -> None:
        self._nursery = nursery
        self._peer = peer
        self.streams: list[trio.abc.Stream] = []

    async def open_stream(self, host: str, port: int) -> trio.abc.Stream:
        await trio.lowlevel.checkpoint()
        near, far = trio.testing.memory_stream_pair()
        self.streams.append(near)

        async def serve() -> None:
            with contextlib.suppress(trio.BrokenResourceError):  # the client may leave first
                await self._peer(far)
            await far.aclose()

        self._nursery.start_soon(serve)
        return near


@asynccontextmanager
async def lean(
    peer: Peer, network: NetworkSettings | None = None, *, scheme: str = "http"
) -> AsyncIterator[tuple[LeanHttp, Network]]:
    url, given_settings = f"{scheme}://127.0.0.1:8080/cometd", network or NetworkSettings()
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            memory = Network(nursery, peer)
            yield LeanHttp(url, given_settings, open_stream=memory.open_stream), memory
            nursery.cancel_scope.cancel()


async def receive_request(stream: trio.abc.Stream) -> bytes:
    """A request with a body of two bytes."""
    data = b""
    while not data.endswith(b"\r\n\r\n[]"):
        piece = await stream.receive_some()
        if not piece:
            return b""
        data += bytes(piece)
    return data


def answering(*replies: bytes, seen: list[bytes] | None = None) -> Peer:
    """A peer that gives these replies on every connection, then closes."""

    async def peer(stream: trio.abc.Stream) -> None:
        for reply in replies:
            request = await receive_request(stream)
            if seen is not None:
                seen.append(request)
            if request:
                await stream.send_all(reply)

    return peer


def cookie_of(request: bytes) -> bytes | None:
    lines = request.split(b"\r\n")
    return next((line[8:] for line in lines if line.startswith(b"Cookie: ")), None)


async def test_a_request_is_complete_and_its_head_is_stable() -> None:
    seen: list[bytes] = []
    async with lean(answering(OK, OK, seen=seen)) as (http, network):
        for _ in range(2):
            reply = await http.post("/connect", b"[]", lane=Lane.CALL)
            assert (reply.status, reply.body) == (200, b"ok")
        assert len(network.streams) == 1
    assert seen[0] == seen[1]
    lines = seen[0].split(b"\r\n")
    assert lines[:2] == [b"POST /cometd/connect HTTP/1.1", b"Host: 127.0.0.1:8080"]
    assert lines[-4:] == [b"Content-Type: application/json;charset=UTF-8", b"Content-Length: 2"] + [
        b"",
        b"[]",
    ]


async def test_headers_of_one_request_are_in_no_other() -> None:
    seen: list[bytes] = []
    async with lean(answering(OK, OK, seen=seen)) as (http, _):
        for headers in ({"X-Place": "1", "X-More": "2"}, {}):
            await http.post("/connect", b"[]", lane=Lane.CALL, headers=headers)
    assert b"\r\nContent-Length: 2\r\nX-Place: 1\r\nX-More: 2\r\n\r\n[]" in seen[0]
    assert b"X-" not in seen[1]


async def test_each_lane_has_its_own_connection() -> None:
    async with lean(answering(OK, OK)) as (http, network):
        for lane in (Lane.POLL, Lane.CALL, Lane.POLL, Lane.CALL):
            await http.post("", b"[]", lane=lane)
        assert len(network.streams) == 2


async def test_exchanges_of_one_lane_wait_for_each_other_in_order() -> None:
    order: list[int] = []

    async with lean(answering(OK, OK, OK)) as (http, network):

        async def post(number: int) -> None:
            await http.post("", b"[]", lane=Lane.CALL)
            order.append(number)

        async with trio.open_nursery() as nursery:
            for number in range(3):
                nursery.start_soon(post, number)
                await trio.testing.wait_all_tasks_blocked()
        assert len(network.streams) == 1
    assert order == [0, 1, 2]


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 200 OK\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    ],
)
async def test_a_connection_that_ends_with_its_reply_is_replaced(reply: bytes) -> None:
    async with lean(answering(reply)) as (http, network):
        for _ in range(2):
            assert (await http.post("", b"[]", lane=Lane.CALL)).body == b"ok"
        assert len(network.streams) == 2


@pytest.mark.parametrize("status", [301, 302, 404, 500])
async def test_every_status_is_a_reply(status: int) -> None:
    reply = b"HTTP/1.1 %d X\r\nLocation: http://evil/\r\nContent-Length: 0\r\n\r\n" % status
    async with lean(answering(reply)) as (http, _):
        assert (await http.post("", b"[]", lane=Lane.CALL)).status == status


async def test_cookies_are_sent_back_where_they_belong() -> None:
    setting = OK.replace(
        b"\r\n\r\n", b"\r\nSet-Cookie: B=1; Path=/\r\nSet-Cookie: C=2; Path=/cometd/connect\r\n\r\n"
    )
    seen: list[bytes] = []
    async with lean(answering(setting, OK, OK, seen=seen)) as (http, _):
        for suffix in ("", "", "/connect"):
            await http.post(suffix, b"[]", lane=Lane.CALL)
    # The more specific path comes first. A cookie of /cometd/connect may not be set from /cometd
    # by the letter of RFC 2109, but browsers take it, and so does the jar.
    assert [cookie_of(request) for request in seen] == [None, b"B=1", b"C=2; B=1"]


async def test_a_cookie_of_one_lane_is_sent_on_the_other() -> None:
    seen: list[bytes] = []
    setting = OK.replace(b"\r\n\r\n", b"\r\nSet-Cookie: B=1; Path=/\r\n\r\n")
    async with lean(answering(setting, OK, seen=seen)) as (http, _):
        await http.post("", b"[]", lane=Lane.CALL)
        await http.post("", b"[]", lane=Lane.POLL)
    assert cookie_of(seen[1]) == b"B=1"


async def test_a_cookie_is_dropped_when_it_expires(autojump_clock: trio.abc.Clock) -> None:
    seen: list[bytes] = []
    async with lean(answering(OK, OK, seen=seen)) as (http, _):
        http.add_cookies([StoredCookie(name="B", value="1", domain="127.0.0.1", expires=2**40)])
        await http.post("", b"[]", lane=Lane.CALL)
        http._cookies._make_jar().clear()  # stands for the jar's clock, which nobody can wind on
        await trio.sleep(1)
        await http.post("", b"[]", lane=Lane.CALL)
    assert [cookie_of(request) for request in seen] == [b"B=1", None]


async def test_cookies_of_an_earlier_session_are_taken_back() -> None:
    seen: list[bytes] = []
    stored = StoredCookie(name="B", value="1", domain="127.0.0.1")
    async with lean(answering(OK, OK, seen=seen)) as (http, _):
        await http.post("", b"[]", lane=Lane.CALL)
        http.add_cookies([stored])
        await http.post("", b"[]", lane=Lane.CALL)
        assert http.cookies() == (stored,)
    assert [cookie_of(request) for request in seen] == [None, b"B=1"]


@pytest.mark.parametrize("reply", [b"", OK[:10], OK[:-1], b"HTTP/1.1 100 Continue\r\n\r\n"])
async def test_a_connection_that_ends_too_early_is_lost_and_replaced(reply: bytes) -> None:
    async with lean(answering(reply)) as (http, network):
        for _ in range(2):
            with pytest.raises(ConnectorError, match=r"http://127\.0\.0\.1:8080 closed") as caught:
                await http.post("", b"[]", lane=Lane.CALL)
            assert (caught.value.kind, caught.value.sent) == ("lost", True)
        assert len(network.streams) == 2


async def test_a_reply_that_is_too_large_closes_the_connection() -> None:
    reply = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"3e8\r\n" + b"x" * 1000
    async with lean(answering(reply), NetworkSettings(max_reply_bytes=999)) as (http, network):
        with pytest.raises(RemoteProtocolError, match="larger than 999 bytes"):
            await http.post("", b"[]", lane=Lane.CALL)
        assert await is_closed(network.streams[0])


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=200), st.booleans())
def test_whatever_the_peer_sends_the_error_is_one_of_two(data: bytes, plausible: bool) -> None:
    sent = (b"HTTP/1.1 200 OK\r\n" if plausible else b"") + data

    async def main() -> None:
        async with lean(answering(sent)) as (http, _):
            try:
                reply = await http.post("", b"[]", lane=Lane.CALL)
            except (RemoteProtocolError, ConnectorError):
                return
            assert reply.body in sent

    trio.run(main)


async def is_closed(stream: trio.abc.Stream) -> bool:
    try:
        await stream.send_all(b"x")
    except trio.ClosedResourceError:
        return True
    return False


class CancelAtStep(trio.abc.Instrument):
    """Cancels a scope when the task that made this is about to take its n-th step."""

    def __init__(self, scope: trio.CancelScope, step: int) -> None:
        self._task = trio.lowlevel.current_task()
        self._scope = scope
        self._left = step

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        if task is self._task:
            self._left -= 1
            if self._left == 0:
                self._scope.cancel()


def over_tls(peer: Peer) -> Peer:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)

    async def secured(stream: trio.abc.Stream) -> None:
        await peer(trio.SSLStream(stream, context, server_side=True, https_compatible=True))

    return secured


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_cancelled_at_any_await_it_leaves_no_connection_and_stays_usable(
    scheme: str,
) -> None:
    peer, unverified = answering(OK, OK), NetworkSettings(verify=False)
    peer = over_tls(peer) if scheme == "https" else peer
    step, cancelled = 0, True
    while cancelled:
        step += 1
        async with lean(peer, unverified, scheme=scheme) as (http, network):
            with trio.CancelScope() as scope:
                instrument = CancelAtStep(scope, step)
                trio.lowlevel.add_instrument(instrument)
                try:
                    await http.post("", b"[]", lane=Lane.CALL)
                finally:
                    trio.lowlevel.remove_instrument(instrument)
            cancelled = scope.cancelled_caught
            if cancelled:
                assert all([await is_closed(stream) for stream in network.streams])
            assert (await http.post("", b"[]", lane=Lane.CALL)).body == b"ok"
    assert step > 3


async def test_cancelled_while_it_waits_for_its_turn_it_harms_nobody() -> None:
    release = trio.Event()

    async def peer(stream: trio.abc.Stream) -> None:
        await receive_request(stream)
        await release.wait()
        await stream.send_all(OK)

    async with lean(peer) as (http, _), trio.open_nursery() as nursery:
        nursery.start_soon(lambda: http.post("", b"[]", lane=Lane.CALL))
        await trio.testing.wait_all_tasks_blocked()
        with trio.move_on_after(0) as scope:
            await http.post("", b"[]", lane=Lane.CALL)
        assert scope.cancelled_caught
        release.set()


async def test_closing_ends_a_held_exchange_and_forbids_others() -> None:
    async def silent(stream: trio.abc.Stream) -> None:
        await trio.sleep_forever()

    async with lean(silent) as (http, network):

        async def hold() -> None:
            with pytest.raises(LocalProtocolError, match="closed"):
                await http.post("", b"[]", lane=Lane.POLL)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(hold)
            await trio.testing.wait_all_tasks_blocked()
            await http.aclose()
        with pytest.raises(LocalProtocolError, match="closed"):
            await http.post("", b"[]", lane=Lane.POLL)
        await http.aclose()
        assert all([await is_closed(stream) for stream in network.streams])


async def test_closing_while_a_connection_is_being_opened_closes_that_too() -> None:
    near, _ = trio.testing.memory_stream_pair()
    opening = trio.Event()

    async def open_slowly(host: str, port: int) -> trio.abc.Stream:
        await opening.wait()
        return near

    http = LeanHttp("http://127.0.0.1/", NetworkSettings(), open_stream=open_slowly)

    async def post() -> None:
        with trio.fail_after(10), pytest.raises(LocalProtocolError, match="closed"):
            await http.post("", b"[]", lane=Lane.CALL)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(post)
        await trio.testing.wait_all_tasks_blocked()
        await http.aclose()
        opening.set()
    assert await is_closed(near)
