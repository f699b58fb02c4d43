import contextlib
import gzip
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from botkit.connectors.http.contract import HttpReply
from botkit.connectors.http.replies import ReplyReader
from botkit.errors import RemoteProtocolError

PLAIN = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nx-a: 2\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2;note=x\r\nhe\r\n3\r\nllo\r\n0\r\nX-Trailer: 1\r\n\r\n"
)
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\nhello"


def read(data: bytes, *, size: int = 1 << 20, end: bool = False, limit: int = 1000) -> HttpReply:
    """Feed a reply in pieces of ``size`` bytes."""
    reader = ReplyReader(limit)
    reply = None
    for start in range(0, len(data), size):
        assert reply is None, "the reply was whole before its last byte"
        reply = reader.receive(data[start : start + size])
    if end:
        reply = reader.receive_end()
    assert reply is not None
    return reply


def encoded(body: bytes, encoding: str) -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {encoding}\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(("data", "end"), [(PLAIN, False), (CHUNKED, False), (UNTIL_CLOSE, True)])
def test_a_body_is_read_however_it_is_framed_and_cut(data: bytes, end: bool, size: int) -> None:
    reply = read(data, size=size, end=end)
    assert (reply.status, reply.body) == (200, b"hello")


def test_header_names_are_lower_case_and_repeated_ones_joined() -> None:
    assert read(PLAIN).headers == {"content-length": "5", "x-a": "1, 2"}


def test_cookies_are_kept_line_by_line_and_apart() -> None:
    reader = ReplyReader(1000)
    lines = b"Set-Cookie: a=1; Path=/\r\nSet-Cookie: b=2\r\n"
    reply = reader.receive(b"HTTP/1.1 204 No Content\r\n" + lines + b"\r\n")
    assert reply is not None
    assert "set-cookie" not in reply.headers
    assert reader.set_cookies == ["a=1; Path=/", "b=2"]


def test_interim_replies_are_passed_over() -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nSet-Cookie: x=1\r\n\r\n"
    reader = ReplyReader(1000)
    assert reader.receive(interim) is None
    reply = reader.receive(PLAIN)
    assert reply is not None
    assert (reply.status, reply.body, reader.set_cookies) == (200, b"hello", [])


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        (PLAIN, True),
        (CHUNKED, True),
        (PLAIN.replace(b"X-A: 1", b"Connection: close"), False),
        (PLAIN.replace(b"HTTP/1.1", b"HTTP/1.0"), False),
        (PLAIN + b"HTTP/1.1 200 OK\r\n", False),
        (PLAIN + b"rubbish", False),
    ],
)
def test_a_connection_is_kept_only_if_it_is_clean(data: bytes, kept: bool) -> None:
    reader = ReplyReader(1000)
    reply = reader.receive(data)
    assert reply is not None
    assert reply.body == b"hello"
    assert reader.keep_alive is kept


def test_one_reader_reads_reply_after_reply() -> None:
    reader = ReplyReader(1000)
    for _ in range(3):
        reader.expect_reply()
        first, second = reader.receive(PLAIN[:30]), reader.receive(PLAIN[30:])
        assert first is None
        assert second is not None
        assert second.body == b"hello"


@pytest.mark.parametrize("data", [b"", PLAIN[:-1], PLAIN[:20], CHUNKED[:-3]])
def test_an_early_end_is_no_reply(data: bytes) -> None:
    reader = ReplyReader(1000)
    if data:
        assert reader.receive(data) is None
    assert reader.receive_end() is None


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(b"hello")),
        ("x-gzip", gzip.compress(b"hello")),
        ("deflate", zlib.compress(b"hello")),
        ("deflate", zlib.compress(b"hello")[2:-4]),
        ("identity", b"hello"),
        ("deflate, gzip", gzip.compress(zlib.compress(b"hello"))),
        ("gzip", b""),
    ],
)
def test_content_encodings_are_undone(encoding: str, body: bytes) -> None:
    assert read(encoded(body, encoding)).body == (b"hello" if body else b"")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n", "not HTTP"),
        (b"<html>no head</html>", "not HTTP"),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
            "switch",
        ),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", "1001 bytes"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: " + b"0" * 5000 + b"1\r\n\r\n", "announced"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "not HTTP"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 1001, "larger than 1000"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000, "head"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 70_000, "head"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 4000, "head"),
        (encoded(b"hello", "br"), "encoded as 'br'"),
        (encoded(b"hello", "gzip"), "decompressed"),
        (encoded(gzip.compress(b"hello")[:-9], "gzip"), "cut short"),
        (encoded(gzip.compress(b"x" * 1_000_000)[:1000], "gzip"), "larger than 1000"),
    ],
)
def test_what_breaks_the_rules_or_the_bounds_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(RemoteProtocolError, match=message):
        read(data, size=16384)


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.sampled_from(
                [b"HTTP/1.1 200 OK\r\n", b"Transfer-Encoding: chunked\r\n", b"\r\n", b"5\r\nhello"]
                + [b"Content-Encoding: gzip\r\n", b"Content-Length: 7\r\n", b"0\r\n\r\n"]
                + [b"HTTP/1.1 101 Up\r\nUpgrade: x\r\n\r\n", b"Set-Cookie: a=b\r\n"]
            ),
        ),
        max_size=12,
    )
)
@example([b"HTTP/1.1 200 OK\r\n", b"Content-Length: 7\r\n", b"\r\n", b"5\r\nhello", b"rest"])
def test_arbitrary_bytes_raise_nothing_but_remote_protocol_error(pieces: list[bytes]) -> None:
    reader = ReplyReader(1000)
    outcome: HttpReply | None = None
    with contextlib.suppress(RemoteProtocolError):
        for piece in pieces:
            outcome = outcome or reader.receive(piece)
        outcome = outcome or reader.receive_end()
    assert outcome is None or len(outcome.body) <= 1000
