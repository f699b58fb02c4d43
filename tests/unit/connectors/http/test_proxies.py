import httpx
import pytest

from botkit.connectors.http.proxies import proxy_for, way_to
from botkit.connectors.http.target import parse_target
from botkit.interfaces import NetworkSettings

NAMES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
URLS = (
    "http://example.com/",
    "https://example.com/",
    "https://chat.example.com:8443/",
    "http://notexample.com/",
    "http://127.0.0.1:8080/",
    "http://[::1]:8080/",
    "http://localhost/",
)
ENVIRONMENTS: tuple[dict[str, str], ...] = (
    {},
    {"HTTP_PROXY": "http://p:1"},
    {"HTTPS_PROXY": "p:2"},
    {"ALL_PROXY": "http://p:3", "HTTP_PROXY": "http://p:1"},
    {"ALL_PROXY": "http://p:3", "NO_PROXY": "*"},
    {"ALL_PROXY": "http://p:3", "NO_PROXY": "example.com, 127.0.0.1"},
    {"ALL_PROXY": "http://p:3", "NO_PROXY": ".example.com,::1"},
    {"ALL_PROXY": "http://p:3", "NO_PROXY": "https://example.com,localhost,"},
    {"ALL_PROXY": "http://p:3", "NO_PROXY": "all://chat.example.com:8443"},
    {"ALL_PROXY": "http://p:3", "NO_PROXY": "EXAMPLE.com"},
)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@pytest.mark.parametrize("environment", ENVIRONMENTS, ids=str)
def test_the_environment_decides_as_in_httpx(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    client = httpx.AsyncClient(verify=False)
    direct = client._transport
    theirs = {url: client._transport_for_url(httpx.URL(url)) is not direct for url in URLS}
    ours = {url: proxy_for(parse_target(url), NetworkSettings()) is not None for url in URLS}
    assert ours == theirs


def test_a_proxy_without_scheme_is_an_http_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "p:2")
    assert proxy_for(parse_target("https://example.com"), NetworkSettings()) == "http://p:2"


def test_a_named_proxy_beats_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    settings = NetworkSettings(proxy="http://mine:1")
    assert proxy_for(parse_target("https://example.com"), settings) == "http://mine:1"


def test_an_environment_that_is_not_trusted_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://p:3")
    settings = NetworkSettings(trust_env=False)
    assert proxy_for(parse_target("https://example.com"), settings) is None


@pytest.mark.parametrize(
    ("url", "proxy", "words"),
    [
        ("http://h:1/x", None, "http://h:1/x"),
        ("wss://h/x", "http://me:secret@p:2", "wss://h/x through the proxy http://p:2"),
        ("https://me:secret@h/x", "http://p:2", "https://h/x through the proxy http://p:2"),
        ("nonsense", "http://p:2", "nonsense"),
    ],
)
def test_a_message_names_the_proxy_and_no_secret(url: str, proxy: str | None, words: str) -> None:
    assert way_to(url, NetworkSettings(proxy=proxy, trust_env=False)) == words
