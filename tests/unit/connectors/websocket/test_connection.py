"""One WebSocket over a stream in memory, with the server's frames made by hand."""

from __future__ import annotations

import struct
from itertools import pairwise

import pytest
import trio
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from botkit.connectors.websocket.connection import StreamWebSocket
from botkit.errors import ConnectorError, LocalProtocolError, RemoteProtocolError

TEXT, BINARY, CLOSE, PING, PONG, CONTINUATION = 1, 2, 8, 9, 10, 0
URL = "ws://server/x"
LIMIT = 1000


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    """Make a frame as servers send it, without a mask."""
    first, size = opcode | (0x80 if fin else 0), len(payload)
    if size < 126:
        return struct.pack("!BB", first, size) + payload
    if size < 65536:
        return struct.pack("!BBH", first, 126, size) + payload
    return struct.pack("!BBQ", first, 127, size) + payload


def close_frame(code: int, reason: str = "") -> bytes:
    return frame(CLOSE, struct.pack("!H", code) + reason.encode())


class Server:
    """The far end of a WebSocket."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.stream = stream
        self._buffer = b""

    async def send(self, *frames: bytes) -> None:
        await self.stream.send_all(b"".join(frames))

    async def receive(self) -> tuple[int, bytes]:
        """Take one masked frame: its opcode and payload."""
        first, second = await self._exactly(2)
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", await self._exactly(2))
        assert second & 0x80, "a client masks"
        mask = await self._exactly(4)
        payload = await self._exactly(size)
        return first & 0x0F, bytes(byte ^ mask[i % 4] for i, byte in enumerate(payload))

    async def receive_end(self) -> None:
        while await self.stream.receive_some():
            pass

    async def _exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            data = await self.stream.receive_some()
            assert data, "the client has closed"
            self._buffer += data
        taken, self._buffer = self._buffer[:size], self._buffer[size:]
        return taken


def connected(*, received: bytes = b"", limit: int = LIMIT) -> tuple[StreamWebSocket, Server]:
    near, far = trio.testing.memory_stream_pair()
    return StreamWebSocket(near, URL, limit=limit, received=received), Server(far)


async def test_texts_go_both_ways(autojump_clock: MockClock) -> None:
    socket, server = connected()
    for text in ("", "hello", "ä€😀", "x" * 126, "y" * LIMIT):
        await socket.send(text)
        assert await server.receive() == (TEXT, text.encode())
        await server.send(frame(TEXT, text.encode()))
        assert await socket.receive() == text


async def test_what_came_with_the_handshake_is_not_lost(autojump_clock: MockClock) -> None:
    socket, server = connected(received=frame(TEXT, b"early") + frame(PING, b"?") + b"\x81")
    assert await socket.receive() == "early"
    await server.send(b"\x02ab")
    assert await socket.receive() == "ab"
    assert await server.receive() == (PONG, b"?")


async def test_fragments_become_one_message(autojump_clock: MockClock) -> None:
    socket, server = connected()
    euro = "€".encode()
    await server.send(
        frame(TEXT, b"a" + euro[:1], fin=False),
        frame(PING, b"between"),
        frame(CONTINUATION, fin=False),
        frame(CONTINUATION, euro[1:] + b"z"),
        frame(TEXT, b"next"),
    )
    assert await socket.receive() == "a€z"
    assert await socket.receive() == "next"
    await socket.send("x")
    assert [await server.receive(), await server.receive()] == [(PONG, b"between"), (TEXT, b"x")]


async def test_bytes_may_come_one_by_one(autojump_clock: MockClock) -> None:
    socket, server = connected()
    async with trio.open_nursery() as nursery:

        async def drip() -> None:
            for byte in frame(TEXT, b"slow " * 40):
                await server.send(bytes([byte]))
                await trio.sleep(0.1)

        nursery.start_soon(drip)
        assert await socket.receive() == "slow " * 40


@pytest.mark.parametrize(
    ("sent", "code", "reason", "words"),
    [
        (close_frame(1001, "going"), 1001, "going", "closed the WebSocket: 1001 going"),
        (close_frame(4000), 4000, "", "closed the WebSocket: 4000"),
        (frame(CLOSE), 1005, "", "closed the WebSocket: 1005"),
    ],
)
async def test_the_servers_goodbye_is_answered_and_told(
    sent: bytes, code: int, reason: str, words: str, autojump_clock: MockClock
) -> None:
    socket, server = connected()
    await server.send(frame(TEXT, b"last"), sent)
    assert await socket.receive() == "last"
    for _ in range(2):
        with pytest.raises(ConnectorError, match=words) as caught:
            await socket.receive()
        assert caught.value.kind == "lost"
    assert (socket.close_code, socket.close_reason) == (code, reason)
    assert (await server.receive())[0] == CLOSE
    with pytest.raises(ConnectorError, match=words) as caught:
        await socket.send("too late")
    assert not caught.value.sent
    await socket.aclose()
    await server.receive_end()


async def test_who_sends_to_a_socket_that_closes_is_told_that_nothing_left(
    autojump_clock: MockClock,
) -> None:
    """The goodbye lies behind a message that nobody has taken yet."""
    socket, server = connected()
    await server.send(frame(TEXT, b"one"), frame(TEXT, b"two"), close_frame(1000))
    assert await socket.receive() == "one"
    with pytest.raises(ConnectorError, match=r"clos(ing|ed) the WebSocket") as caught:
        await socket.send("too late")
    assert not caught.value.sent
    assert await socket.receive() == "two"


async def test_an_end_without_a_goodbye_is_a_loss(autojump_clock: MockClock) -> None:
    socket, server = connected()
    await server.send(frame(TEXT, b"last"), b"\x81\x7e")
    await server.stream.aclose()
    assert await socket.receive() == "last"
    with pytest.raises(ConnectorError, match="broke the connection") as caught:
        await socket.receive()
    assert (caught.value.kind, socket.close_code, socket.close_reason) == ("lost", None, "")
    with pytest.raises(ConnectorError) as caught:
        await socket.send("x")
    assert not caught.value.sent


async def test_a_loss_while_sending_leaves_the_outcome_open(autojump_clock: MockClock) -> None:
    socket, server = connected()
    await server.stream.aclose()
    with pytest.raises(ConnectorError, match="broke the connection") as caught:
        await socket.send("x")
    assert caught.value.sent


@pytest.mark.parametrize(
    ("sent", "words", "code"),
    [
        (b"HTTP/1.1 400 Bad Request\r\n\r\n" + b"x" * 100, "broke the rules", 1002),
        (frame(3), "broke the rules", 1002),
        (frame(CONTINUATION, b"x"), "unexpected continuation", 1002),
        (frame(TEXT, b"x", fin=False) + frame(TEXT, b"y"), "expected a continuation", 1002),
        (frame(PING, b"x" * 126), "control frame too long", 1002),
        (b"\x81\x82abcdhi", "masking", 1002),
        (frame(TEXT, b"x" * (LIMIT + 1)), "larger than 1000 bytes", 1009),
        (
            frame(TEXT, b"x" * LIMIT, fin=False) + frame(CONTINUATION, b"x"),
            "larger than 1000 bytes",
            1009,
        ),
        (frame(TEXT, b"\xff"), "not UTF-8", 1007),
        (frame(BINARY, b"x"), "binary data", 1003),
        (frame(CLOSE, b"\x03\xe8\xff"), "broke the rules", 1007),
        (close_frame(1005), "invalid status code", 1002),
    ],
)
async def test_nonsense_is_refused_and_the_server_told_why(
    sent: bytes, words: str, code: int, autojump_clock: MockClock
) -> None:
    socket, server = connected()
    await server.send(frame(TEXT, b"fine"), sent)
    assert await socket.receive() == "fine"
    with pytest.raises(RemoteProtocolError, match=words) as caught:
        await socket.receive()
    assert URL in str(caught.value)
    opcode, payload = await server.receive()
    assert (opcode, struct.unpack("!H", payload[:2])[0]) == (CLOSE, code)
    with pytest.raises(RemoteProtocolError):
        await socket.send("x")
    await socket.aclose()
    await server.receive_end()


async def test_text_that_is_none_is_refused_here(autojump_clock: MockClock) -> None:
    socket, server = connected()
    with pytest.raises(LocalProtocolError, match="cannot be sent"):
        await socket.send("\ud800")
    await socket.send("fine")
    assert await server.receive() == (TEXT, b"fine")


async def test_closing_waits_for_the_servers_goodbye(autojump_clock: MockClock) -> None:
    socket, server = connected()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(socket.aclose)
        assert await server.receive() == (CLOSE, b"\x03\xe8")
        await server.send(frame(TEXT, b"nobody reads this"))
        await trio.testing.wait_all_tasks_blocked()
        assert nursery.child_tasks
        await server.send(close_frame(1000))
    await server.receive_end()
    assert socket.close_code == 1000
    for attempt in (socket.receive, lambda: socket.send("x")):
        with pytest.raises((LocalProtocolError, ConnectorError)):
            await attempt()


async def test_closing_does_not_wait_for_ever(autojump_clock: MockClock) -> None:
    socket, server = connected()
    with trio.fail_after(1):
        await socket.aclose()
        await socket.aclose()
    assert (await server.receive())[0] == CLOSE
    await server.receive_end()
    with pytest.raises(LocalProtocolError, match="closed by this side"):
        await socket.receive()


async def test_closing_ends_a_task_that_receives(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    socket, server = connected()

    async def receive() -> None:
        with pytest.raises(LocalProtocolError, match="closed by this side"):
            await socket.receive()

    nursery.start_soon(receive)
    await trio.testing.wait_all_tasks_blocked()
    await socket.aclose()
    assert (await server.receive())[0] == CLOSE


async def test_who_is_cancelled_says_goodbye_all_the_same(autojump_clock: MockClock) -> None:
    near, far = trio.testing.memory_stream_pair()

    class Eager(trio.abc.Stream):
        """Sends at once, as the kernel does."""

        send_all_nowait = staticmethod(far.receive_stream.put_data)

        async def send_all(self, data: bytes | bytearray | memoryview) -> None:
            self.send_all_nowait(data)

        async def wait_send_all_might_not_block(self) -> None:
            await trio.lowlevel.checkpoint()

        async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
            return await near.receive_some(max_bytes)

        async def aclose(self) -> None:
            await near.aclose()

    socket = StreamWebSocket(Eager(), URL, limit=LIMIT)
    with trio.CancelScope() as scope:
        scope.cancel()
        await socket.aclose()
    assert (await Server(far).receive())[0] == CLOSE


async def test_a_cancelled_receive_loses_nothing(autojump_clock: MockClock) -> None:
    socket, server = connected()
    whole = frame(TEXT, b"in two halves")
    await server.send(whole[:5])
    with trio.move_on_after(1):
        await socket.receive()
    await server.send(whole[5:])
    assert await socket.receive() == "in two halves"


async def test_a_cancelled_send_that_has_not_begun_spoils_nothing(
    autojump_clock: MockClock,
) -> None:
    socket, server = connected()
    with trio.CancelScope() as scope:
        scope.cancel()
        await socket.send("never")
    await socket.send("still here")
    assert await server.receive() == (TEXT, b"still here")


class Narrow(trio.abc.Stream):
    """Takes nothing until it is told to."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.gate = trio.Event()
        self.closed = trio.Event()

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        await self.gate.wait()
        self.taken.append(bytes(data))

    async def wait_send_all_might_not_block(self) -> None:
        await self.gate.wait()

    async def receive_some(self, max_bytes: int | None = None) -> bytes:
        await self.closed.wait()
        raise trio.ClosedResourceError

    async def aclose(self) -> None:
        self.closed.set()
        await trio.lowlevel.checkpoint()


async def test_a_send_that_is_cancelled_in_its_middle_takes_the_socket_with_it(
    autojump_clock: MockClock,
) -> None:
    stream = Narrow()
    socket = StreamWebSocket(stream, URL, limit=LIMIT)
    with trio.move_on_after(1):
        await socket.send("half")
    assert stream.closed.is_set()
    with pytest.raises(ConnectorError, match="broken off") as caught:
        await socket.send("next")
    assert not caught.value.sent
    with pytest.raises(ConnectorError, match="broken off"):
        await socket.receive()


async def test_senders_take_turns(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    stream = Narrow()
    socket = StreamWebSocket(stream, URL, limit=LIMIT, received=frame(PING, b"now?"))
    for text in ("a", "bb", "ccc"):
        nursery.start_soon(socket.send, text)
        await trio.testing.wait_all_tasks_blocked()
    nursery.start_soon(socket.receive)
    await trio.testing.wait_all_tasks_blocked()
    stream.gate.set()
    await trio.testing.wait_all_tasks_blocked()
    # A mask makes four bytes, a head two; the pong goes along with whoever sends.
    frames = b"".join(stream.taken)
    sizes = []
    while frames:
        size = 6 + (frames[1] & 0x7F)
        sizes.append((frames[0] & 0x0F, size - 6))
        frames = frames[size:]
    assert sorted(sizes) == [(TEXT, 1), (TEXT, 2), (TEXT, 3), (PONG, 4)]
    assert [size for opcode, size in sizes if opcode == TEXT] == [1, 2, 3]
    nursery.cancel_scope.cancel()


async def receive_all(data: bytes, cuts: list[int]) -> None:
    socket, server = connected()
    places = sorted({cut % (len(data) + 1) for cut in cuts} | {0, len(data)})
    for start, end in pairwise(places):
        await server.stream.send_all(data[start:end])
    await server.stream.aclose()
    with trio.fail_after(60):
        try:
            while True:
                assert isinstance(await socket.receive(), str)
        except (RemoteProtocolError, ConnectorError):
            await socket.aclose()


PIECES = st.one_of(
    st.binary(max_size=20),
    st.builds(
        frame,
        st.integers(0, 15),
        st.binary(max_size=140),
        fin=st.booleans(),
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=8), st.lists(st.integers(0, 500), max_size=4))
def test_bytes_of_any_sort_raise_only_what_is_promised(
    pieces: list[bytes], cuts: list[int]
) -> None:
    clock = MockClock(autojump_threshold=0)
    trio.run(receive_all, b"".join(pieces), cuts, clock=clock)
