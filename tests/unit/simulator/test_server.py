"""The loop on streams in memory and virtual time: no sockets, no waiting."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing

from botkit.simulator.http import Handler, Reply, Request
from botkit.simulator.server import Limits, serve_stream

GET = b"GET /%d HTTP/1.1\r\n\r\n"


async def echo(request: Request) -> Reply:
    await trio.lowlevel.checkpoint()
    return Reply(body=request.path.encode(), headers=(("X-Method", request.method),))


@asynccontextmanager
async def bounded_nursery() -> AsyncIterator[trio.Nursery]:
    """A nursery whose tests fail rather than hang."""
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            yield nursery


class Client:
    """The far end of a connection that is served."""

    def __init__(self, stream: trio.abc.Stream):
        self.stream = stream

    async def send(self, data: bytes) -> None:
        await self.stream.send_all(data)

    async def receive_all(self) -> bytes:
        """All bytes until the server closes."""
        data = b""
        while piece := await self.stream.receive_some():
            data += piece
        return data

    async def receive(self, count: int) -> bytes:
        data = b""
        while len(data) < count:
            data += await self.stream.receive_some(count - len(data))
        return data


def connect(nursery: trio.Nursery, handler: Handler, limits: Limits | None = None) -> Client:
    near, far = trio.testing.memory_stream_pair()

    async def serve() -> None:
        await serve_stream(handler, far, limits=limits)

    nursery.start_soon(serve)
    return Client(near)


async def exchange(handler: Handler, data: bytes, *, limits: Limits | None = None) -> bytes:
    """Send bytes that make the server close in the end, and return what it said."""
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            client = connect(nursery, handler, limits)
            await client.send(data)
            return await client.receive_all()


async def test_a_reply_has_its_length_and_its_headers() -> None:
    reply = await exchange(echo, b"GET /x HTTP/1.1\r\nConnection: close\r\n\r\n")
    head = b"HTTP/1.1 200 OK\r\nX-Method: GET\r\nContent-Length: 2\r\nConnection: close\r\n\r\n"
    assert reply == head + b"/x"


async def test_a_head_request_has_no_body_but_its_length() -> None:
    reply = await exchange(echo, b"HEAD /x HTTP/1.1\r\nConnection: close\r\n\r\n")
    assert b"Content-Length: 2\r\n" in reply
    assert reply.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("status", [204, 304])
async def test_a_status_without_body_has_neither_body_nor_length(status: int) -> None:
    async def nothing(request: Request) -> Reply:
        return Reply(status=status, body=b"ignored", close=True)

    reply = await exchange(nothing, GET % 1)
    assert b"Content-Length" not in reply
    assert reply.endswith(b"\r\n\r\n")


async def test_a_status_nobody_defined_is_sent_all_the_same() -> None:
    async def strange(request: Request) -> Reply:
        return Reply(status=599, close=True)

    assert (await exchange(strange, GET % 1)).startswith(b"HTTP/1.1 599 Unknown\r\n")


async def test_pipelined_requests_are_answered_in_order(autojump_clock: trio.abc.Clock) -> None:
    async def slower_first(request: Request) -> Reply:
        await trio.sleep(0.1 * (10 - int(request.path[1:])))
        return Reply(body=request.path.encode(), close=request.path == "/9")

    reply = await exchange(slower_first, b"".join(GET % number for number in range(10)))
    bodies = [part.partition(b"\r\n\r\n")[2] for part in reply.split(b"HTTP/1.1 200 OK")[1:]]
    assert bodies == [b"/%d" % number for number in range(10)]


async def test_leave_to_send_a_body_is_given(autojump_clock: trio.abc.Clock) -> None:
    async with bounded_nursery() as nursery:
        client = connect(nursery, echo)
        await client.send(b"POST /x HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
        leave = b"HTTP/1.1 100 Continue\r\n\r\n"
        assert await client.receive(len(leave)) == leave
        await client.send(b"ok")
        assert (await client.receive(15)).startswith(b"HTTP/1.1 200 OK")
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"rubbish\r\n\r\n", b"400 Bad Request"),
        (b"POST / HTTP/1.1\r\nContent-Length: 11\r\n\r\n", b"413 "),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 30_000, b"431 "),
    ],
)
async def test_a_refusal_comes_after_the_earlier_replies_and_closes(
    data: bytes, status: bytes, autojump_clock: trio.abc.Clock
) -> None:
    reply = await exchange(echo, GET % 1 + data, limits=Limits(head=4096, body=10))
    first, second = reply.split(b"HTTP/1.1 ")[1:]
    assert first.startswith(b"200")
    assert second.startswith(status)
    assert b"Connection: close" in second


async def test_a_handler_that_waits_is_cancelled_when_the_client_goes() -> None:
    cancelled = trio.Event()

    async def hold(request: Request) -> Reply:
        try:
            await trio.sleep_forever()
        finally:
            cancelled.set()

    async with bounded_nursery() as nursery:
        client = connect(nursery, hold)
        await client.send(GET % 1)
        await trio.testing.wait_all_tasks_blocked()
        assert not cancelled.is_set()
        await client.stream.aclose()
        await cancelled.wait()


async def test_bytes_that_come_during_a_held_request_are_kept() -> None:
    release = trio.Event()

    async def hold_first(request: Request) -> Reply:
        if request.path == "/1":
            await release.wait()
        return Reply(body=request.path.encode(), close=request.path == "/2")

    async with bounded_nursery() as nursery:
        client = connect(nursery, hold_first)
        await client.send(GET % 1)
        await trio.testing.wait_all_tasks_blocked()
        await client.send((GET % 2)[:7])
        await trio.testing.wait_all_tasks_blocked()
        await client.send((GET % 2)[7:])
        await trio.testing.wait_all_tasks_blocked()
        release.set()
        reply = await client.receive_all()
    assert reply.index(b"\r\n\r\n/1") < reply.index(b"\r\n\r\n/2")


async def test_whatever_arrived_whole_is_handled_though_its_client_is_gone() -> None:
    seen: list[str] = []

    async def note(request: Request) -> Reply:
        seen.append(request.path)
        await trio.lowlevel.checkpoint()
        seen.append("after the wait")
        return Reply()

    async with bounded_nursery() as nursery:
        client = connect(nursery, note)
        await client.send(GET % 1 + GET % 2 + GET % 3 + b"GET /half")
        await client.stream.aclose()
    assert [path for path in seen if path.startswith("/")] == ["/1", "/2", "/3"]


async def test_a_client_that_sends_without_end_and_never_reads_is_not_read_without_end() -> None:
    held = trio.Event()

    async def hold(request: Request) -> Reply:
        held.set()
        await trio.sleep_forever()
        raise AssertionError("nothing wakes it")

    body = b"x" * 1000
    post = b"POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n" + body
    near, far = trio.testing.lockstep_stream_pair()  # sends wait for the receiver
    async with bounded_nursery() as nursery:
        nursery.start_soon(lambda: serve_stream(hold, far, limits=Limits(waiting=5000)))
        with trio.CancelScope() as patience:
            sent = 0

            async def give_up_when_stuck() -> None:
                await held.wait()
                await trio.testing.wait_all_tasks_blocked()
                patience.cancel()

            nursery.start_soon(give_up_when_stuck)
            while sent < 100:
                await near.send_all(post)
                sent += 1
        nursery.cancel_scope.cancel()
    assert sent < 10


async def test_an_abort_closes_without_a_word() -> None:
    async def abort(request: Request) -> Reply:
        return Reply(body=b"never", abort=True)

    assert await exchange(abort, GET % 1) == b""


async def test_a_truncated_reply_promises_more_than_it_sends() -> None:
    async def truncated(request: Request) -> Reply:
        return Reply(body=b"0123456789", truncate_to=4)

    reply = await exchange(truncated, GET % 1)
    assert b"Content-Length: 10\r\n" in reply
    assert reply.endswith(b"\r\n\r\n0123")


@pytest.mark.parametrize(("rate", "seconds"), [(2.0, 5.0), (100.0, 0.1)])
async def test_a_dripping_reply_takes_its_time(
    rate: float, seconds: float, autojump_clock: trio.abc.Clock
) -> None:
    async def drip(request: Request) -> Reply:
        return Reply(body=b"0123456789", drip=rate, close=True)

    started = trio.current_time()
    reply = await exchange(drip, GET % 1)
    assert reply.endswith(b"\r\n\r\n0123456789")
    assert trio.current_time() - started == pytest.approx(seconds)


async def test_a_handler_that_raises_costs_one_reply(caplog: pytest.LogCaptureFixture) -> None:
    async def broken(request: Request) -> Reply:
        if request.path == "/1":
            raise ValueError("a bug")
        return Reply(close=True)

    with caplog.at_level(logging.ERROR):
        reply = await exchange(broken, GET % 1 + GET % 2)
    assert reply.startswith(b"HTTP/1.1 500 ")
    assert b"HTTP/1.1 200 OK" in reply
    assert "/1" in caplog.text


async def test_cancelling_the_nursery_closes_the_connection() -> None:
    async with bounded_nursery() as nursery:
        client = connect(nursery, echo)
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    with trio.fail_after(1):
        assert await client.receive_all() == b""
