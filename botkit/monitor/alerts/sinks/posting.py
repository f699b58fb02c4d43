"""Posts to a URL that may itself be a secret: no message, and no log, shows more than its host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpx

from botkit.errors import ConfigError, ConnectorError
from botkit.masking import Masker
from botkit.report.text import one_line

WITHIN = 15.0
"""Seconds for each of connecting, sending and waiting; whoever calls limits the whole."""
MAX_REPLY = 2_000
"""Bytes of a reply that are looked at."""
SHOWN = 200
AGAIN = frozenset({408, 425, 429})
"""Of 4xx, what may pass; RFC 9110, RFC 8470, RFC 6585."""


class Post:
    """Posts to one URL.

    Args:
        url: with ``http`` or ``https``.
        secrets: what no message shows besides.

    Raises:
        ConfigError: that is no such URL.
    """

    def __init__(self, url: str, *, secrets: Sequence[str] = ()) -> None:
        try:
            parts = urlsplit(url)
        except ValueError:  # Not that text: it has the URL in it.
            parts = urlsplit("")
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigError("this needs the URL of a server, with https://", key="url")
        self._url = url
        self._scheme, self._host = parts.scheme, parts.hostname
        self.shown = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"
        hidden = (parts.path, parts.query, parts.password or "", *secrets)
        self._mask = Masker()
        for text in hidden:
            self._mask.hide(text.strip("/"))

    async def send(
        self, body: bytes = b"", headers: Mapping[str, str] | None = None, *, method: str = "POST"
    ) -> None:
        """Send one request.

        Raises:
            ConfigError: the server does not want it, and never will.
            ConnectorError: it could not be reached, or is busy.
        """
        timeouts = dict.fromkeys(("connect", "read", "write", "pool"), WITHIN)
        # Straight to the transport: a client of httpx logs whole URLs.
        request = httpx.Request(
            method, self._url, headers=headers, content=body, extensions={"timeout": timeouts}
        )
        try:
            async with httpx.AsyncHTTPTransport(proxy=self._proxy()) as transport:
                reply = await transport.handle_async_request(request)
                status, said = reply.status_code, await _beginning(reply)
        except httpx.HTTPError as error:
            why = self._mask(str(error) or type(error).__name__)
            raise ConnectorError(f"{self.shown} could not be asked: {why}") from None
        if not 200 <= status < 300:
            raise self._refusal(status, said)

    def _refusal(self, status: int, said: str) -> ConfigError | ConnectorError:
        words = one_line(self._mask(said), SHOWN)
        message = f"{self.shown} answers with status {status}" + (f": {words}" if words else "")
        if status < 500 and status not in AGAIN:
            return ConfigError(message, key="url")
        return ConnectorError(message)

    def _proxy(self) -> str | None:
        """Find the proxy that the environment names for this host."""
        if proxy_bypass(self._host):
            return None
        proxies = getproxies()
        return proxies.get(self._scheme) or proxies.get("all")


async def _beginning(reply: httpx.Response) -> str:
    """Read as much of a reply as anybody wants to see."""
    found = b""
    try:
        async for chunk in reply.aiter_raw():
            found += chunk
            if len(found) >= MAX_REPLY:
                break
    finally:
        await reply.aclose()
    return found[:MAX_REPLY].decode(errors="replace")
