"""Answers to an upgrade, in pieces and broken."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.connectors.websocket.answers import Answer, AnswerReader
from botkit.errors import RemoteProtocolError

SWITCHED = (
    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Set-Cookie: a=1\r\nX: 1\r\nx: 2\r\nSet-Cookie: b=2\r\n\r\n"
)


def read(data: bytes, *, size: int = 65536, to_connect: bool = False) -> Answer | None:
    """Read in pieces of so many bytes; the end of the connection comes last."""
    reader = AnswerReader(to_connect=to_connect)
    for start in range(0, len(data), size):
        answer = reader.receive(data[start : start + size])
        if answer is not None:
            return answer
    return reader.receive_end()


@pytest.mark.parametrize("size", [1, 7, 65536])
def test_an_answer_may_come_in_pieces(size: int) -> None:
    answer = read(SWITCHED, size=size)
    assert answer is not None
    assert (answer.status, answer.set_cookies) == (101, ("a=1", "b=2"))
    assert answer.headers == {"upgrade": "websocket", "connection": "Upgrade", "x": "1, 2"}


def test_what_comes_behind_belongs_to_the_socket() -> None:
    answer = read(SWITCHED + b"\x81\x02hi")
    assert answer is not None
    assert answer.rest == b"\x81\x02hi"


def test_what_only_announces_is_no_answer() -> None:
    answer = read(b"HTTP/1.1 100 Continue\r\nX: no\r\n\r\n" + SWITCHED)
    assert answer is not None
    assert answer.headers["x"] == "1, 2"


def test_a_refusal_is_read_no_further_than_it_is_shown() -> None:
    head = b"HTTP/1.1 404 Not Found\r\nContent-Length: 100000\r\n\r\n"
    reader = AnswerReader()
    assert reader.receive(head + b"x" * 100) is None
    answer = reader.receive(b"x" * 5000)
    assert answer is not None
    assert (answer.status, len(answer.body)) == (404, 512)


def test_a_refusal_may_be_cut_short() -> None:
    answer = read(b"HTTP/1.1 404 Not Found\r\nContent-Length: 10\r\n\r\nhalf")
    assert answer is not None
    assert answer.body == b"half"
    assert read(b"HTTP/1.1 404 Not") is None


def test_success_of_a_connect_ends_with_its_head() -> None:
    answer = read(b"HTTP/1.1 200 OK\r\n\r\n", to_connect=True)
    assert answer is not None
    assert answer.status == 200
    refusal = read(b"HTTP/1.1 407 No\r\nContent-Length: 5\r\n\r\nlogin", to_connect=True)
    assert refusal is not None
    assert refusal.body == b"login"


@pytest.mark.parametrize(
    "data", [b"rubbish\r\n", b"HTTP/1.1 101 X\r\n" + b"A: b\r\n" * 20_000], ids=["no", "large"]
)
def test_what_is_no_answer_is_refused(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError):
        read(data, size=1000)


LINES = st.sampled_from(
    [
        b"HTTP/1.1 101 Switching Protocols\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 100 Continue\r\n",
        b"Upgrade: websocket\r\n",
        b"Connection: Upgrade\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Length: 5\r\n",
        b"\r\n",
        b"5\r\nhello\r\n0\r\n",
    ]
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.one_of(LINES, st.binary(max_size=10)), max_size=10),
    st.integers(1, 40),
    st.booleans(),
)
def test_bytes_of_any_sort_raise_only_what_is_promised(
    pieces: list[bytes], size: int, to_connect: bool
) -> None:
    try:
        answer = read(b"".join(pieces), size=size, to_connect=to_connect)
    except RemoteProtocolError:
        return
    assert answer is None or answer.status >= 101
