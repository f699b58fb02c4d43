"""A request as the simulator sees it and the reply it gives; no sockets here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from botkit.simulator.websocket import Serve

__all__ = ["Handler", "Reply", "Request"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request, whole.

    Attributes:
        method: in upper case.
        path: percent-decoded, without query.
        query: as it came, without question mark.
        headers: names in lower case; repeated ones joined by ``", "``, cookies by ``"; "``.
        peer: who asks, for logs.
    """

    method: str = "POST"
    path: str = "/"
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    body: bytes = b""
    peer: str = ""

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies by name; the first of a name counts, which is the most specific one."""
        cookies: dict[str, str] = {}
        for pair in self.headers.get("cookie", "").split(";"):
            name, equals, value = pair.partition("=")
            if equals:
                cookies.setdefault(name.strip(), value.strip().strip('"'))
        return cookies


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What is answered, and how badly.

    Content-Length and Connection are added; other headers are sent as they stand.

    Attributes:
        abort: close the connection without a word; all else is void.
        truncate_to: send only that many bytes of the body, then close; the head promises it all.
        drip: send the body slowly, at that many bytes a second.
        close: close the connection when this is sent.
        upgrade: with status 101, serves the WebSocket that the connection becomes; the headers of
            the handshake are added, and what is no sound request for one is refused instead.
    """

    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    abort: bool = False
    truncate_to: int | None = None
    drip: float | None = None
    close: bool = False
    upgrade: Serve | None = None


Handler = Callable[[Request], Awaitable[Reply]]
"""Answers a request.

What it does before its first wait is done for every request that arrived whole; when it waits
and the client is gone, or goes, it is cancelled.
"""
