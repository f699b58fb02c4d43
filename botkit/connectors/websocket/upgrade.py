"""The request to become a WebSocket, and whether its answer grants that; no I/O.

Source: RFC 6455, sections 4.1 and 4.2.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from websockets.utils import accept_key, generate_key

from botkit.connectors.http.cookies import CookieStore
from botkit.connectors.http.excerpt import shown, shown_status
from botkit.connectors.http.patience import patience
from botkit.connectors.http.target import Target, parse_target, request_headers
from botkit.connectors.websocket.answers import Answer
from botkit.connectors.websocket.contract import CookieJar
from botkit.errors import ConfigError, ConnectorError, RemoteProtocolError
from botkit.interfaces import NetworkSettings

__all__ = ["Upgrade"]

SCHEMES = {"ws": "http", "wss": "https"}
OWN = ("sec-websocket-key", "sec-websocket-version", "sec-websocket-extensions")
"""Headers that nobody else may set. Extensions are never offered: compressing every message of
thousands of chats costs more CPU and memory than it saves on the way."""
PROXY_REFUSES = 407


class Upgrade:
    """One attempt to turn a connection into a WebSocket.

    Args:
        url: with the scheme ws, wss, http or https.
        headers: beside those of ``settings``, which they replace.
        cookies: sent along, and given those that come back.

    Raises:
        ConfigError: the URL, a header or another setting is unusable.

    Attributes:
        target: the URL in parts; its scheme is http or https.
        url: for messages, without user and password.
    """

    def __init__(
        self,
        url: str,
        settings: NetworkSettings,
        *,
        headers: Mapping[str, str],
        cookies: CookieJar | None,
    ) -> None:
        scheme, colon, rest = url.partition("://")
        self.target: Target = parse_target(SCHEMES.get(scheme.lower(), scheme) + colon + rest)
        self.url = f"ws{self.target.url.removeprefix('http')}"
        self._key = generate_key()
        self._jar = cookies
        self._store = CookieStore(self.target.origin)
        if cookies is not None:
            self._store.add(cookies.cookies())
        settings = replace(settings, headers={**settings.headers, **headers})
        self.headers = self._make_headers(settings)

    @property
    def origin(self) -> str:
        """Scheme, host and port, for messages."""
        return f"ws{self.target.origin.removeprefix('http')}"

    @property
    def head(self) -> bytes:
        """The whole request."""
        lines = "".join(f"{name}: {value}\r\n" for name, value in self.headers)
        path = f"{self.target.path}{self.target.query}"
        return f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode("latin-1")

    def accept(self, answer: Answer) -> None:
        """Check that the answer grants the upgrade, and keep its cookies, whatever it says.

        Raises:
            ConnectorError: the server answered, and did not grant it.
            RemoteProtocolError: it granted something else.
        """
        self._keep_cookies(answer)
        if answer.status != 101:
            raise ConnectorError(
                f"{self.url} answered with {shown_status(answer.status, answer.headers)}"
                f" instead of a WebSocket: {shown(answer.body)}",
                kind="proxy" if answer.status == PROXY_REFUSES else "http",
                sent=False,
                retry_after=patience(answer.headers),
            )
        fault = self._fault_in(answer.headers)
        if fault is not None:
            raise RemoteProtocolError(f"{self.url} did not switch to WebSocket: {fault}")

    def _make_headers(self, settings: NetworkSettings) -> tuple[tuple[str, str], ...]:
        headers = [
            (name, value)
            for name, value in request_headers(self.target, settings, "")
            if name.lower() != "content-type"
        ]
        for name, _ in headers:
            if name.lower() in OWN:
                raise ConfigError(f"the header {name!r} is set by botkit itself", key="headers")
        cookie = self._store.header(self.target.path)
        if cookie is not None:
            headers.append(("Cookie", cookie))
        headers += [
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Key", self._key),
            ("Sec-WebSocket-Version", "13"),
        ]
        return tuple(headers)

    def _keep_cookies(self, answer: Answer) -> None:
        if answer.set_cookies and self._jar is not None:
            self._store.receive(self.target.path, answer.set_cookies)
            self._jar.add_cookies(self._store.export())

    def _fault_in(self, headers: Mapping[str, str]) -> str | None:
        """Say what is wrong with the headers of a 101."""
        if headers.get("upgrade", "").lower() != "websocket":
            return f"the header Upgrade is {headers.get('upgrade')!r}"
        if "upgrade" not in tokens(headers.get("connection", "").lower()):
            return f"the header Connection is {headers.get('connection')!r}"
        if headers.get("sec-websocket-accept") != accept_key(self._key):
            return "the header Sec-WebSocket-Accept does not fit the key"
        if headers.get("sec-websocket-extensions"):
            return "it wants an extension that was not offered"
        chosen = headers.get("sec-websocket-protocol")
        if chosen is not None and chosen not in self._offered_protocols():
            return f"it wants the subprotocol {chosen!r}, which was not offered"
        return None

    def _offered_protocols(self) -> list[str]:
        offered = (v for name, v in self.headers if name.lower() == "sec-websocket-protocol")
        return tokens(next(offered, ""))


def tokens(line: str) -> list[str]:
    return [token.strip() for token in line.split(",")]
