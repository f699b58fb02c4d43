"""What a connector asks of the HTTP of one chat, whoever carries it."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Protocol

from botkit.records import quickly_made

__all__ = ["NO_HEADERS", "Http", "HttpReply", "Lane", "StoredCookie"]

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Lane(enum.IntEnum):
    """Which of a chat's two connections carries an exchange.

    A held poll occupies its connection for half a minute; with a lane of its own it is never in
    the way of a message.
    """

    POLL = 0
    CALL = 1


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class HttpReply:
    """An answer, whole.

    Attributes:
        headers: names in lower case; repeated ones joined by ``", "``, Set-Cookie left out since
            the jar has it already.
        body: without any transfer or content encoding.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCookie:
    """A cookie as a state storage keeps it.

    Attributes:
        host_only: the cookie named no domain, so it goes to this very host alone.
        expires: seconds since 1970; None ends with the session.
    """

    name: str
    value: str
    domain: str
    path: str = "/"
    host_only: bool = True
    secure: bool = False
    expires: int | None = None


class Http(Protocol):
    """The HTTP exchanges of one chat: one cookie jar, at most one connection for each lane.

    There are no time limits inside; the caller's cancel scope is the limit, and a cancelled
    exchange gives up its connection.
    """

    @property
    def url(self) -> str:
        """Where it posts to, without user and password."""
        ...

    async def post(
        self,
        suffix: str,
        body: bytes,
        *,
        lane: Lane,
        content_type: str | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> HttpReply:
        """Post a body and await the whole reply, whatever its status; redirects are not followed.

        Exchanges of one lane wait for each other in the order they were asked for. A request of
        which a byte may have left is never repeated.

        Args:
            suffix: added to the path of the URL: empty, or starting with a slash; percent-encoded.
            content_type: of this body, if it is not the usual one.
            headers: of this request alone, beside those of all; none of these may be among them.

        Raises:
            ConnectorError: the server was not reached, or was lost before the reply was whole.
            RemoteProtocolError: what came is not HTTP, or is larger than allowed.
            LocalProtocolError: this object was closed.
        """
        ...

    def cookies(self) -> tuple[StoredCookie, ...]:
        """The cookies held now, for a state storage."""
        ...

    def add_cookies(self, cookies: Iterable[StoredCookie]) -> None:
        """Take back what an earlier session stored."""
        ...

    async def aclose(self) -> None:
        """Close both connections; an exchange under way fails."""
        ...
