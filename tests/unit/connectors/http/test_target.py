import pytest

from botkit.connectors.http.target import parse_target, request_headers
from botkit.errors import ConfigError
from botkit.interfaces import NetworkSettings
from botkit.version import __version__


@pytest.mark.parametrize(
    ("url", "origin", "path", "query"),
    [
        ("http://127.0.0.1:8080/genesys/cometd", "http://127.0.0.1:8080", "/genesys/cometd", ""),
        ("http://example.com:80", "http://example.com", "/", ""),
        ("https://example.com:443/x?a=b&c=%20", "https://example.com", "/x", "?a=b&c=%20"),
        ("https://EXAMPLE.com:444/x#part", "https://example.com:444", "/x", ""),
        ("http://[::1]:8080/x", "http://[::1]:8080", "/x", ""),
        ("http://bücher.example/", "http://xn--bcher-kva.example", "/", ""),
        ("http://example.com/a b/ü", "http://example.com", "/a%20b/%C3%BC", ""),
    ],
)
def test_a_url_is_taken_apart(url: str, origin: str, path: str, query: str) -> None:
    target = parse_target(url)
    assert (target.origin, target.path, target.query) == (origin, path, query)


@pytest.mark.parametrize(
    ("base", "suffix", "path"),
    [("/cometd", "/connect", "/cometd/connect"), ("/cometd/", "/connect", "/cometd/connect")]
    + [("/cometd/", "", "/cometd/"), ("", "/connect", "/connect"), ("", "", "/")],
)
def test_a_suffix_joins_with_one_slash(base: str, suffix: str, path: str) -> None:
    assert parse_target(f"http://example.com{base}").path_with(suffix) == path


@pytest.mark.parametrize(
    "url",
    ["", "example.com", "ftp://example.com", "http://", "http://x:99999/", "http://[::1", "ws://x/"]
    + ["http://" + "ü" * 70 + ".example/"],
)
def test_what_is_no_http_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_target(url)
    assert caught.value.key == "server"


def test_a_password_in_the_url_is_used_and_never_shown() -> None:
    target = parse_target("http://ada:s%40crt@example.com/x")
    assert target.auth == ("ada", "s@crt")
    assert target.url == "http://example.com/x"
    with pytest.raises(ConfigError) as caught:
        parse_target("ftp://ada:s%40crt@example.com/x")
    assert "s%40crt" not in str(caught.value)


def headers(settings: NetworkSettings, url: str = "http://example.com/") -> dict[str, str]:
    return dict(request_headers(parse_target(url), settings, "application/json"))


def test_the_usual_headers_ask_for_no_compression() -> None:
    assert headers(NetworkSettings()) == {
        "Host": "example.com",
        "User-Agent": f"botkit/{__version__} (+synthetic)",
        "Accept": "*/*",
        "Accept-Encoding": "identity",
        "Content-Type": "application/json",
    }


def test_headers_of_the_user_replace_the_usual_ones_in_any_spelling() -> None:
    sent = headers(NetworkSettings(headers={"user-agent": "mine", "X-Key": "1"}))
    assert (sent["user-agent"], sent["X-Key"]) == ("mine", "1")
    assert "User-Agent" not in sent


@pytest.mark.parametrize("url", ["http://example.com/", "http://bob:other@example.com/"])
def test_basic_authentication_is_a_header_and_settings_beat_the_url(url: str) -> None:
    sent = headers(NetworkSettings(auth=("ada", "pässword")), url)
    assert sent["Authorization"] == "Basic YWRhOnDDpHNzd29yZA=="


@pytest.mark.parametrize(
    ("name", "value"),
    [("X-A", "1\r\nX-B: 2"), ("X A", "1"), ("", "1"), ("X-A", "\u20ac"), ("Content-Length", "1")],
)
def test_headers_that_would_break_a_request_are_refused(name: str, value: str) -> None:
    with pytest.raises(ConfigError) as caught:
        headers(NetworkSettings(headers={name: value}))
    assert caught.value.key == "headers"
