"""WebSockets of the server's side, through the whole HTTP loop, with the client's bytes by hand."""

from __future__ import annotations

import base64
import logging
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from botkit.simulator.http import Reply, Request
from botkit.simulator.server import Limits, serve_stream
from botkit.simulator.websocket import ServerSocket, SocketClosed

TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 1, 2, 8, 9, 10, 0
KEY = "dGhlIHNhbXBsZSBub25jZQ=="
ACCEPT = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="
"""The pair that RFC 6455 gives as its example."""
UPGRADE = (
    "GET /socket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
).encode()
MASK = b"\x01\x02\x03\x04"
LIMIT = 1000


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    """Make a frame as clients send it, with a mask."""
    first, size = opcode | (0x80 if fin else 0), len(payload)
    large = size > 125
    head = struct.pack("!BB", first, 0x80 | (126 if large else size))
    if large:
        head += struct.pack("!H", size)
    return head + MASK + bytes(byte ^ MASK[i % 4] for i, byte in enumerate(payload))


class Application:
    """Echoes, and knows what became of its sockets."""

    def __init__(self) -> None:
        self.ends: list[SocketClosed] = []
        self.served = 0

    async def handle(self, request: Request) -> Reply:
        await trio.lowlevel.checkpoint()
        if request.path == "/socket":
            return Reply(status=101, upgrade=self.serve, headers=(("X-Extra", "yes"),))
        return Reply(body=request.path.encode())

    async def serve(self, socket: ServerSocket) -> None:
        self.served += 1
        try:
            while True:
                await self.obey(await socket.receive(), socket)
        except SocketClosed as closed:
            self.ends.append(closed)
            raise

    async def obey(self, text: str, socket: ServerSocket) -> None:
        match text:
            case "close":
                await socket.close(4001, "as you wish")
            case "abort":
                socket.abort()
                await trio.sleep_forever()
            case "crash":
                raise RuntimeError("oops")
            case "wait":
                await trio.sleep(60)
            case _:
                await socket.send(text)


class Client:
    """The far end of a connection that is served."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.stream = stream
        self._buffer = b""

    async def send(self, *data: bytes) -> None:
        await self.stream.send_all(b"".join(data))

    async def head(self) -> str:
        while b"\r\n\r\n" not in self._buffer:
            assert await self._more(), "the server has closed"
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        return head.decode()

    async def receive(self) -> tuple[int, bytes]:
        first, second = await self.exactly(2)
        assert not second & 0x80, "a server does not mask"
        size = second
        if size == 126:
            (size,) = struct.unpack("!H", await self.exactly(2))
        return first & 0x0F, await self.exactly(size)

    async def exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            assert await self._more(), "the server has closed"
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken

    async def rest(self) -> bytes:
        while await self._more():
            pass
        return self._buffer

    async def _more(self) -> bool:
        data = await self.stream.receive_some()
        self._buffer += data
        return bool(data)


@asynccontextmanager
async def served(application: Application) -> AsyncIterator[Client]:
    with trio.fail_after(300):
        async with trio.open_nursery() as nursery:
            near, far = trio.testing.memory_stream_pair()

            async def serve() -> None:
                await serve_stream(application.handle, far, limits=Limits(body=LIMIT))

            nursery.start_soon(serve)
            yield Client(near)
            await near.aclose()


@asynccontextmanager
async def upgraded(application: Application | None = None) -> AsyncIterator[Client]:
    async with served(application or Application()) as client:
        await client.send(UPGRADE)
        assert (await client.head()).startswith("HTTP/1.1 101 ")
        yield client


# --- the handshake -------------------------------------------------------------------------------


async def test_the_handshake_is_that_of_the_rfc(autojump_clock: MockClock) -> None:
    async with served(Application()) as client:
        await client.send(UPGRADE)
        head = await client.head()
    assert head.split("\r\n") == [
        "HTTP/1.1 101 Switching Protocols",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Accept: {ACCEPT}",
        "X-Extra: yes",
    ]


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        ("GET", "POST", "400"),
        ("Upgrade: websocket", "Upgrade: h2c", "400"),
        ("keep-alive, Upgrade", "keep-alive", "400"),
        (KEY, "short", "400"),
        (KEY, base64.b64encode(b"x" * 15).decode(), "400"),
        ("Version: 13", "Version: 8", "426"),
    ],
)
async def test_what_is_no_sound_request_is_refused_and_http_goes_on(
    old: str, new: str, status: str, autojump_clock: MockClock
) -> None:
    application = Application()
    async with served(application) as client:
        await client.send(UPGRADE.decode().replace(old, new, 1).encode())
        head = await client.head()
        assert head.startswith(f"HTTP/1.1 {status} ")
        assert ("Sec-WebSocket-Version: 13" in head) == (status == "426")
        size = int(head.partition("Content-Length: ")[2].partition("\r\n")[0])
        await client.exactly(size)
        await client.send(b"GET /next HTTP/1.1\r\n\r\n")
        assert "200 OK" in await client.head()
        assert await client.exactly(5) == b"/next"
    assert application.served == 0


async def test_a_request_whose_wish_is_not_granted_is_answered_as_any_other(
    autojump_clock: MockClock,
) -> None:
    async with served(Application()) as client:
        plain = UPGRADE.replace(b"/socket", b"/plain")
        await client.send(plain, b"GET /2 HTTP/1.1\r\n\r\n", plain, b"GET /4 HTTP/1.1\r\n\r\n")
        for path in (b"/plain", b"/2", b"/plain", b"/4"):
            assert "200 OK" in await client.head()
            assert await client.exactly(len(path)) == path


async def test_frames_may_come_before_the_handshake_is_over(autojump_clock: MockClock) -> None:
    async with served(Application()) as client:
        await client.send(b"GET /1 HTTP/1.1\r\n\r\n", UPGRADE, frame(TEXT, b"eager"))
        await client.head()
        assert await client.exactly(2) == b"/1"
        assert "101" in await client.head()
        assert await client.receive() == (TEXT, b"eager")


# --- frames --------------------------------------------------------------------------------------


async def test_texts_go_both_ways(autojump_clock: MockClock) -> None:
    async with upgraded() as client:
        for text in ("", "hello", "ä€😀", "x" * LIMIT):
            await client.send(frame(TEXT, text.encode()))
            assert await client.receive() == (TEXT, text.encode())


async def test_fragments_and_pings(autojump_clock: MockClock) -> None:
    async with upgraded() as client:
        euro = "€".encode()
        await client.send(
            frame(TEXT, euro[:2], fin=False),
            frame(PING, b"?"),
            frame(CONTINUATION, fin=False),
            frame(CONTINUATION, euro[2:]),
            frame(PONG, b"nobody asked"),
        )
        assert await client.receive() == (PONG, b"?")
        assert await client.receive() == (TEXT, euro)


async def test_pings_are_answered_while_the_application_is_busy(
    autojump_clock: MockClock,
) -> None:
    async with upgraded() as client:
        await client.send(frame(TEXT, b"wait"), frame(PING, b"?"), frame(TEXT, b"later"))
        assert await client.receive() == (PONG, b"?")
        began = trio.current_time()
        assert await client.receive() == (TEXT, b"later")
        assert trio.current_time() - began == 60


async def test_no_more_is_read_than_can_be_dealt_with(autojump_clock: MockClock) -> None:
    async with upgraded() as client:
        await client.send(frame(TEXT, b"wait"))
        for number in range(400):
            await client.send(frame(TEXT, b"%d" % number))
        for number in range(400):
            assert await client.receive() == (TEXT, b"%d" % number)


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(CLOSE, b"\x03\xe9bye"), 1001),
        (frame(CLOSE), 1005),
        (frame(CLOSE, b"\x0f\xa0"), 4000),
    ],
)
async def test_the_clients_goodbye_is_answered_and_told(
    sent: bytes, code: int, autojump_clock: MockClock
) -> None:
    application = Application()
    async with upgraded(application) as client:
        await client.send(frame(TEXT, b"hello"))
        assert await client.receive() == (TEXT, b"hello")
        await client.send(sent)
        assert (await client.receive())[0] == CLOSE
        assert await client.rest() == b""
    assert [closed.code for closed in application.ends] == [code]


async def test_what_came_before_the_goodbye_is_dealt_with(autojump_clock: MockClock) -> None:
    heard = []

    class Deaf(Application):
        async def obey(self, text: str, socket: ServerSocket) -> None:
            heard.append(text)

    application = Deaf()
    async with upgraded(application) as client:
        await client.send(frame(TEXT, b"one"), frame(TEXT, b"two"), frame(CLOSE))
        assert (await client.receive())[0] == CLOSE
    assert heard == ["one", "two"]


async def test_the_server_says_goodbye_and_waits_for_an_answer(
    autojump_clock: MockClock,
) -> None:
    application = Application()
    async with upgraded(application) as client:
        await client.send(frame(TEXT, b"close"))
        assert await client.receive() == (CLOSE, struct.pack("!H", 4001) + b"as you wish")
        await client.send(frame(CLOSE, struct.pack("!H", 4001)))
        assert await client.rest() == b""
    assert [closed.code for closed in application.ends] == [4001]


async def test_the_server_waits_a_little_alone(autojump_clock: MockClock) -> None:
    async with upgraded() as client:
        await client.send(frame(TEXT, b"close"))
        await client.receive()
        began = trio.current_time()
        assert await client.rest() == b""
        assert 0 < trio.current_time() - began <= 2


async def test_an_abort_is_an_end_without_a_word(autojump_clock: MockClock) -> None:
    async with upgraded() as client:
        await client.send(frame(TEXT, b"abort"))
        assert await client.rest() == b""


async def test_a_client_that_goes_without_a_word_is_told_of(autojump_clock: MockClock) -> None:
    application = Application()
    async with upgraded(application) as client:
        await client.send(frame(TEXT, b"x"), b"\x81")
        await client.stream.aclose()
    assert [closed.code for closed in application.ends] == [1006]


async def test_a_handler_that_fails_takes_its_own_socket_alone(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        async with upgraded() as client:
            await client.send(frame(TEXT, b"crash"))
            assert await client.receive() == (CLOSE, struct.pack("!H", 1011))
            assert await client.rest() == b""
    assert "the handler of a socket failed" in caplog.text


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (b"\x81\x02hi", 1002),
        (frame(3), 1002),
        (frame(CONTINUATION), 1002),
        (frame(BINARY, b"x"), 1003),
        (frame(TEXT, b"\xff"), 1007),
        (frame(TEXT, b"x" * (LIMIT + 1)), 1009),
        (frame(TEXT, b"x" * LIMIT, fin=False) + frame(CONTINUATION, b"x"), 1009),
        (frame(PING, b"x" * 126), 1002),
        (frame(CLOSE, b"\x00"), 1002),
    ],
)
async def test_nonsense_is_refused_with_its_number(
    sent: bytes, code: int, autojump_clock: MockClock
) -> None:
    application = Application()
    async with upgraded(application) as client:
        await client.send(frame(TEXT, b"fine"), sent)
        answers = await client.rest()
    # Whatever the application still said, the last frame gives the reason.
    place = answers.rindex(b"\x88")
    assert struct.unpack("!H", answers[place + 2 : place + 4])[0] == code
    assert len(application.ends) == 1


# --- anything ------------------------------------------------------------------------------------


async def survive(data: bytes) -> None:
    application = Application()
    async with served(application) as client:
        await client.send(data)
        await client.stream.aclose()
    # Another client is served all the same.
    async with upgraded(application) as client:
        await client.send(frame(TEXT, b"still there?"))
        assert await client.receive() == (TEXT, b"still there?")


PIECES = st.one_of(
    st.binary(max_size=20),
    st.sampled_from([UPGRADE, UPGRADE[:40], frame(TEXT, b"close"), frame(TEXT, b"abort")]),
    st.builds(frame, st.integers(0, 15), st.binary(max_size=140), fin=st.booleans()),
)


@settings(max_examples=150, deadline=None)
@given(st.booleans(), st.lists(PIECES, max_size=8))
def test_no_bytes_kill_the_server(upgrades: bool, pieces: list[bytes]) -> None:
    data = (UPGRADE if upgrades else b"") + b"".join(pieces)
    trio.run(survive, data, clock=MockClock(autojump_threshold=0))
