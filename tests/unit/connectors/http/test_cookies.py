import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.connectors.http.contract import StoredCookie
from botkit.connectors.http.cookies import CookieStore


def store(
    *lines: str, path: str = "/genesys/cometd", origin: str = "http://127.0.0.1:1"
) -> CookieStore:
    cookies = CookieStore(origin)
    cookies.receive(path, lines)
    return cookies


@pytest.mark.parametrize(
    ("line", "path", "sent"),
    [
        ("a=1; Path=/; HttpOnly", "/anywhere", True),
        ("a=1; Path=/genesys", "/genesys/cometd", True),
        ("a=1; Path=/genesys", "/other", False),
        ("a=1", "/genesys/cometd/connect", True),
        ("a=1", "/", False),
        ("a=1; Path=/; Secure", "/", False),
        ("a=1; Path=/; Max-Age=60", "/", True),
        ("a=1; Path=/; Max-Age=0", "/", False),
        ("a=1; Path=/; Expires=Thu, 01 Jan 1970 00:00:10 GMT", "/", False),
        ("a=1; Path=/; Domain=example.com", "/", False),
        ("a=1; Path=/; SameSite=None; Partitioned", "/", True),
    ],
)
def test_path_age_domain_and_secure_decide(line: str, path: str, sent: bool) -> None:
    assert store(line).header(path) == ("a=1" if sent else None)


def test_a_secure_cookie_travels_over_https() -> None:
    cookies = store("a=1; Path=/; Secure", origin="https://chat.example.com")
    assert cookies.header("/") == "a=1"


def test_a_cookie_of_the_domain_is_taken_and_one_of_a_stranger_is_not() -> None:
    cookies = store(
        "a=1; Path=/; Domain=example.com",
        "b=2; Path=/; Domain=evil.org",
        origin="https://chat.example.com",
    )
    assert cookies.header("/") == "a=1"


def test_a_later_cookie_of_the_same_name_replaces_and_an_expired_one_deletes() -> None:
    cookies = store("a=1; Path=/")
    cookies.receive("/", ["a=2; Path=/"])
    assert cookies.header("/") == "a=2"
    cookies.receive("/", ["a=gone; Path=/; Max-Age=0"])
    assert cookies.header("/") is None


def test_the_more_specific_path_comes_first() -> None:
    assert store("a=root; Path=/", "a=deep; Path=/genesys").header("/genesys") == "a=deep; a=root"


@pytest.mark.parametrize(("line", "expires"), [("a=1", False), ("a=1; Max-Age=5", True)])
def test_it_knows_whether_time_changes_the_line(line: str, expires: bool) -> None:
    assert store(line).any_expires is expires


def test_nothing_received_is_nothing_sent() -> None:
    cookies = CookieStore("http://127.0.0.1:1")
    assert cookies.header("/") is None
    assert cookies.export() == ()
    assert cookies.any_expires is False


def test_stored_cookies_come_back_as_they_were() -> None:
    origin = "https://chat.example.com"
    first = store(
        "a=1; Path=/; Max-Age=600; Secure", "b=2; Path=/; Domain=example.com", origin=origin
    )
    second = CookieStore(origin)
    second.add(first.export())
    assert second.export() == first.export()
    assert second.header("/") == first.header("/")
    assert {(c.name, c.host_only, c.secure) for c in second.export()} == {
        ("a", True, True),
        ("b", False, False),
    }


def test_a_stored_cookie_that_expired_meanwhile_is_not_sent() -> None:
    cookies = CookieStore("http://127.0.0.1:1")
    cookies.add([StoredCookie(name="a", value="1", domain="127.0.0.1", expires=10)])
    assert cookies.header("/") is None


words = st.sampled_from(
    ["Path=/", "Max-Age=", "Expires=Thu, 99 Foo", "Domain=", "Port=x", "Version=1"]
)


@given(st.lists(st.lists(st.one_of(st.text(max_size=20), words)).map("; ".join), max_size=4))
def test_no_line_of_any_server_raises(lines: list[str]) -> None:
    header = store(*(line.encode("utf-8", "replace").decode("latin-1") for line in lines)).header(
        "/"
    )
    assert header is None or "\n" not in header
