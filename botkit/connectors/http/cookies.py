"""The cookies of one chat, by the rules of the standard library's jar."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from email.message import Message
from http.client import HTTPResponse
from http.cookiejar import Cookie, CookieJar
from typing import cast
from urllib.request import Request

from botkit.connectors.http.contract import StoredCookie
from botkit.connectors.http.target import parse_target

__all__ = ["CookieStore", "cookie_domain"]


class CookieStore:
    """Takes Set-Cookie lines and gives Cookie lines; domain, path, Secure and expiry count.

    The jar is made with the first cookie, since many servers (faye) set none and thousands of
    chats share a process.

    Args:
        origin: scheme, host and port of the server.
    """

    __slots__ = ("_jar", "_origin")

    def __init__(self, origin: str) -> None:
        self._origin = origin
        self._jar: CookieJar | None = None

    @property
    def any_expires(self) -> bool:
        """Whether the Cookie line may change by the mere passing of time."""
        return any(cookie.expires is not None for cookie in self._jar or ())

    def receive(self, path: str, lines: Sequence[str]) -> None:
        """Take the Set-Cookie lines of the reply to a request for ``path``."""
        headers = Message()
        for line in lines:
            headers["Set-Cookie"] = line
        reply = cast(HTTPResponse, CookieLines(headers))
        self._make_jar().extract_cookies(reply, Request(self._origin + path))

    def header(self, path: str) -> str | None:
        """The Cookie line for a request to ``path``, None if no cookie fits."""
        if self._jar is None:
            return None
        request = Request(self._origin + path)
        self._jar.add_cookie_header(request)
        return request.get_header("Cookie")

    def export(self) -> tuple[StoredCookie, ...]:
        """All cookies as records."""
        return tuple(
            StoredCookie(
                name=cookie.name,
                value=cookie.value or "",
                domain=cookie.domain,
                path=cookie.path,
                host_only=not cookie.domain_specified,
                secure=cookie.secure,
                expires=None if cookie.expires is None else int(cookie.expires),
            )
            for cookie in self._jar or ()
        )

    def add(self, cookies: Iterable[StoredCookie]) -> None:
        """Put stored cookies back; one of the same name, domain and path is replaced."""
        for cookie in cookies:
            self._make_jar().set_cookie(as_jar_cookie(cookie))

    def _make_jar(self) -> CookieJar:
        if self._jar is None:
            self._jar = CookieJar()
        return self._jar


def cookie_domain(url: str) -> str:
    """Give the domain that a cookie has which a server set for itself alone.

    Source: ``http.cookiejar``, effective request-host: a name without a dot gets one.
    """
    host = parse_target(url).host
    name = f"[{host}]" if ":" in host else host
    return name if "." in name else f"{name}.local"


class CookieLines:
    """As much of an ``HTTPResponse`` as the jar looks at."""

    __slots__ = ("_headers",)

    def __init__(self, headers: Message) -> None:
        self._headers = headers

    def info(self) -> Message:
        return self._headers


def as_jar_cookie(cookie: StoredCookie) -> Cookie:
    return Cookie(
        version=0,
        name=cookie.name,
        value=cookie.value,
        port=None,
        port_specified=False,
        domain=cookie.domain,
        domain_specified=not cookie.host_only,
        domain_initial_dot=cookie.domain.startswith("."),
        path=cookie.path,
        path_specified=True,
        secure=cookie.secure,
        expires=cookie.expires,
        discard=cookie.expires is None,
        comment=None,
        comment_url=None,
        rest={},
    )
