"""The lean client against the simulator's loop, in memory and on virtual time."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
import trio.testing
import trustme

from botkit.connectors.http import Lane, LeanHttp
from botkit.errors import ConnectorError
from botkit.interfaces import NetworkSettings
from botkit.simulator.http import Handler, Reply, Request
from botkit.simulator.server import serve_stream

HOLD = 30.0


@asynccontextmanager
async def paired(handler: Handler) -> AsyncIterator[LeanHttp]:
    with trio.fail_after(2 * HOLD):
        async with trio.open_nursery() as nursery:

            async def open_stream(host: str, port: int) -> trio.abc.Stream:
                await trio.lowlevel.checkpoint()
                near, far = trio.testing.memory_stream_pair()
                nursery.start_soon(serve_stream, handler, far)
                return near

            yield LeanHttp("http://127.0.0.1/", NetworkSettings(), open_stream=open_stream)
            nursery.cancel_scope.cancel()


async def test_a_hundred_messages_pass_while_one_poll_is_held(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def handle(request: Request) -> Reply:
        await trio.sleep(HOLD if request.path == "/connect" else 0.01)
        cookie = (("Set-Cookie", "BAYEUX_BROWSER=1; Path=/"),) if not request.cookies else ()
        return Reply(headers=cookie, body=request.body)

    finished: list[str] = []
    async with paired(handle) as http:
        await http.post("/handshake", b"", lane=Lane.CALL)

        async def poll() -> None:
            assert (await http.post("/connect", b"poll", lane=Lane.POLL)).body == b"poll"
            finished.append("poll")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(poll)
            for number in range(100):
                body = b"%d" % number
                assert (await http.post("", body, lane=Lane.CALL)).body == body
            finished.append("messages")
        assert trio.current_time() == pytest.approx(HOLD, abs=0.1)
    assert finished == ["messages", "poll"]


async def test_a_poll_that_is_cancelled_is_cancelled_in_the_handler_too(
    autojump_clock: trio.testing.MockClock,
) -> None:
    cancelled = trio.Event()

    async def hold(request: Request) -> Reply:
        try:
            await trio.sleep_forever()
        finally:
            cancelled.set()

    async with paired(hold) as http:
        with trio.move_on_after(5):
            await http.post("", b"", lane=Lane.POLL)
        await cancelled.wait()
        assert trio.current_time() == pytest.approx(5)


@pytest.mark.parametrize("reply", [Reply(abort=True), Reply(body=b"12345", truncate_to=2)])
async def test_a_fault_of_the_simulator_is_a_lost_connection(
    reply: Reply, autojump_clock: trio.testing.MockClock
) -> None:
    async def handle(request: Request) -> Reply:
        return reply

    async with paired(handle) as http:
        with pytest.raises(ConnectorError) as caught:
            await http.post("", b"", lane=Lane.CALL)
    assert caught.value.kind == "lost"


async def test_a_slow_reply_arrives_whole(autojump_clock: trio.testing.MockClock) -> None:
    async def drip(request: Request) -> Reply:
        return Reply(body=b"x" * 50, drip=10.0)

    async with paired(drip) as http:
        assert (await http.post("", b"", lane=Lane.CALL)).body == b"x" * 50
        assert trio.current_time() == pytest.approx(5)


async def test_tls_needs_no_socket_either(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)

    async def echo(request: Request) -> Reply:
        return Reply(body=request.body)

    async with trio.open_nursery() as nursery:

        async def open_stream(host: str, port: int) -> trio.abc.Stream:
            await trio.lowlevel.checkpoint()
            near, far = trio.testing.memory_stream_pair()
            secured = trio.SSLStream(far, context, server_side=True, https_compatible=True)
            nursery.start_soon(serve_stream, echo, secured)
            return near

        settings = NetworkSettings(ca_file=tmp_path / "ca.pem")
        http = LeanHttp("https://127.0.0.1/", settings, open_stream=open_stream)
        for _ in range(3):
            assert (await http.post("", b"hello", lane=Lane.CALL)).body == b"hello"
        await http.aclose()


async def test_one_body_of_another_type_leaves_the_others_alone(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async def handle(request: Request) -> Reply:
        return Reply(body=request.headers["content-type"].encode())

    async with paired(handle) as http:
        usual = (await http.post("/a", b"1", lane=Lane.CALL)).body
        other = await http.post("/a", b"2", lane=Lane.CALL, content_type="multipart/form-data")
        assert other.body == b"multipart/form-data"
        assert (await http.post("/a", b"3", lane=Lane.CALL)).body == usual
