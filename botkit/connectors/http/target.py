"""Where a chat posts to: the URL in parts, and the head of a request in bytes."""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit

from botkit.errors import ConfigError
from botkit.interfaces import NetworkSettings
from botkit.masking import without_password
from botkit.version import __version__

__all__ = ["Target", "no_url", "parse_target", "request_headers"]

PORTS = {"http": 80, "https": 443}
SAFE_IN_URL = "/%:@!$&'()*+,;=~?"
TOKEN = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
FRAMING = frozenset({"connection", "content-length", "transfer-encoding", "expect", "upgrade"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """An http or https URL in parts.

    Attributes:
        host: as the network wants it: IDNA in ASCII, IPv6 without brackets.
        path: percent-encoded, begins with a slash.
        query: with its question mark, or empty.
        auth: user and password that stood in the URL.
    """

    scheme: str
    host: str
    port: int
    path: str
    query: str
    auth: tuple[str, str] | None

    @property
    def netloc(self) -> str:
        """Host and port as a Host header has them: no port if it is the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.netloc}"

    @property
    def url(self) -> str:
        """The whole URL without user and password, fit for a log."""
        return f"{self.origin}{self.path}{self.query}"

    def path_with(self, suffix: str) -> str:
        """The path with ``suffix`` added; a slash between the two is not doubled."""
        return self.path.rstrip("/") + suffix if suffix else self.path


@functools.lru_cache(maxsize=64)
def parse_target(url: str) -> Target:
    """Read a server's URL.

    Raises:
        ConfigError: it is no http or https URL with a host.
    """
    try:
        parts = urlsplit(url)
        port, host = parts.port, ascii_host(parts.hostname or "")
    except ValueError as error:
        raise no_url(url, "URL", error, key="server") from None
    if parts.scheme not in PORTS or not host:
        example = "one like http://chat.example.com/genesys/cometd"
        raise ConfigError(f"{without_password(url)!r} is no HTTP URL; give {example}", key="server")
    return Target(
        scheme=parts.scheme,
        host=host,
        port=PORTS[parts.scheme] if port is None else port,
        path=quote(parts.path, safe=SAFE_IN_URL) or "/",
        query=f"?{quote(parts.query, safe=SAFE_IN_URL)}" if parts.query else "",
        auth=(unquote(parts.username), unquote(parts.password or "")) if parts.username else None,
    )


def no_url(url: str, what: str, error: Exception, *, key: str) -> ConfigError:
    """Make the error for a URL that cannot be read; raise it ``from None``.

    What is wrong with it may be a part of its password, so then it is not told.
    """
    why = "" if "@" in url else f": {error}"
    return ConfigError(f"{without_password(url)!r} is no {what}{why}", key=key)


def ascii_host(host: str) -> str:
    # The codec also refuses labels of more than 63 characters: a UnicodeError, so a ValueError.
    return host if host.isascii() else host.encode("idna").decode("ascii")


def request_headers(
    target: Target, settings: NetworkSettings, content_type: str
) -> tuple[tuple[str, str], ...]:
    """The headers that all requests of a chat share; the user's own replace the usual ones.

    Raises:
        ConfigError: a header is not fit to be sent, or belongs to the framing of messages.
    """
    headers = {
        "host": ("Host", target.netloc),
        "user-agent": ("User-Agent", settings.user_agent or f"botkit/{__version__} (+synthetic)"),
        "accept": ("Accept", "*/*"),
        "accept-encoding": ("Accept-Encoding", "identity"),
        "content-type": ("Content-Type", content_type),
    }
    auth = settings.auth or target.auth
    if auth is not None:
        headers["authorization"] = ("Authorization", basic_auth(*auth))
    headers |= {name.lower(): (name, value) for name, value in settings.headers.items()}
    refuse_unfit(dict(headers.values()))
    return tuple(headers.values())


def basic_auth(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode("ascii")


def refuse_unfit(headers: Mapping[str, str]) -> None:
    for name, value in headers.items():
        if not TOKEN.fullmatch(name):
            raise ConfigError(f"{name!r} is no header name", key="headers")
        if name.lower() in FRAMING:
            raise ConfigError(f"the header {name!r} is set by botkit itself", key="headers")
        # The value may be a secret, so the message keeps it to itself.
        if any(c in "\r\n\0" or ord(c) > 255 for c in value):
            raise ConfigError(f"the value of header {name!r} cannot be sent", key="headers")
