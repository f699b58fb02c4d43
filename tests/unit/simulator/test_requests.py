import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.simulator.requests import CONTINUE, Incoming, Limits, Refusal, RequestReader, Signal

Item = Incoming | Refusal | Signal
LIMITS = Limits(head=4096, body=100)
POST = b"POST /a%20b?x=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"POST /a%20b?x=1 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"2;note=x\r\nhe\r\n3\r\nllo\r\n0\r\nX-Trailer: 1\r\n\r\n"
)


def read(data: bytes, *, size: int = 1000) -> list[Item]:
    items: list[Item] = []
    reader = RequestReader(items.append, peer="test", limits=LIMITS)
    for start in range(0, len(data), size):
        reader.receive(data[start : start + size])
    return items


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("data", [POST, CHUNKED])
def test_a_request_is_read_however_it_is_framed_and_cut(data: bytes, size: int) -> None:
    (item,) = read(data, size=size)
    assert isinstance(item, Incoming)
    request = item.request
    assert (request.method, request.path, request.query) == ("POST", "/a b", "x=1")
    assert (request.body, request.headers["host"], request.peer) == (b"hello", "h", "test")
    assert item.keep_alive


@pytest.mark.parametrize("size", [1, 1000])
def test_pipelined_requests_come_in_order(size: int) -> None:
    gets = b"".join(b"GET /%d HTTP/1.1\r\n\r\n" % number for number in range(20))
    items = read(gets + CHUNKED + POST, size=size)
    paths = [item.request.path for item in items if isinstance(item, Incoming)]
    assert paths == [f"/{number}" for number in range(20)] + ["/a b", "/a b"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT"])
def test_methods_are_passed_on(method: str) -> None:
    (item,) = read(f"{method} / HTTP/1.1\r\n\r\n".encode())
    assert isinstance(item, Incoming)
    assert item.request.method == method


@pytest.mark.parametrize(
    ("url", "path", "query"),
    [
        ("*", "*", ""),
        ("http://h:1/x?y=http://z", "/x", "y=http://z"),
        ("/x?y=a://b", "/x", "y=a://b"),
    ],
)
def test_other_forms_of_target_are_understood(url: str, path: str, query: str) -> None:
    (item,) = read(f"OPTIONS {url} HTTP/1.1\r\n\r\n".encode())
    assert isinstance(item, Incoming)
    assert (item.request.path, item.request.query) == (path, query)


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", True),
        (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", False),
    ],
)
def test_the_client_says_whether_the_connection_lives_on(data: bytes, kept: bool) -> None:
    (item,) = read(data)
    assert isinstance(item, Incoming)
    assert item.keep_alive is kept


def test_repeated_headers_are_joined_and_cookies_as_cookies_are() -> None:
    (item,) = read(b"GET / HTTP/1.1\r\nCookie: a=1\r\nX: 1\r\nX: 2\r\nCookie: b=2\r\n\r\n")
    assert isinstance(item, Incoming)
    assert item.request.headers == {"cookie": "a=1; b=2", "x": "1, 2"}


def test_leave_to_send_the_body_is_given_before_it() -> None:
    head = b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    assert read(head) == [CONTINUE]
    first, second = read(head + b"ok")
    assert first is CONTINUE
    assert isinstance(second, Incoming)


def test_an_upgrade_is_ignored_and_what_follows_is_read() -> None:
    wish = b"GET /a HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n"
    items = read(wish + b"GET /b HTTP/1.1\r\n\r\n")
    assert [item.request.path for item in items if isinstance(item, Incoming)] == ["/a", "/b"]


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"rubbish\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 101\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nContent-Length: 101\r\nExpect: 100-continue\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n" + b"x" * 101, 413),
        (
            b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n"
            + b"x" * 101
            + b"\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
            413,
        ),
        (b"GET /" + b"x" * 6000, 431),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 6000, 431),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;" + b"x" * 6000, 431),
    ],
)
def test_what_breaks_the_rules_or_the_bounds_is_refused_once(data: bytes, status: int) -> None:
    (item,) = read(data)
    assert isinstance(item, Refusal)
    assert (item.reply.status, item.reply.close) == (status, True)


def test_many_requests_on_one_connection_do_not_add_up_to_a_large_head() -> None:
    get = b"GET / HTTP/1.1\r\nX: " + b"x" * 2000 + b"\r\n\r\n"
    assert all(isinstance(item, Incoming) for item in read(get * 20))


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=60),
            st.sampled_from(
                [b"POST / HTTP/1.1\r\n", b"Transfer-Encoding: chunked\r\n", b"\r\n", b"5\r\nhello"]
                + [b"Content-Length: 7\r\n", b"Expect: 100-continue\r\n", b"0\r\n\r\n", POST]
                + [b"CONNECT h:1 HTTP/1.1\r\n", b"Connection: upgrade\r\nUpgrade: x\r\n"]
            ),
        ),
        max_size=12,
    )
)
def test_arbitrary_bytes_are_requests_or_one_refusal_at_the_end(pieces: list[bytes]) -> None:
    items: list[Item] = []
    reader = RequestReader(items.append, peer="test", limits=LIMITS)
    for piece in pieces:
        reader.receive(piece)
    assert not any(isinstance(item, Refusal) for item in items[:-1])
