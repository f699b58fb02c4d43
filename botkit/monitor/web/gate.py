"""What every request passes: the name it asks for, who asks, and what browsers may do with us."""

from __future__ import annotations

from collections.abc import Callable, Collection
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from botkit.monitor.web.access import Access, Keys, is_loopback

ACCESS = "botkit.access"
"""Where a scope says what its request may do."""

OPEN_PATHS = ("/login", "/healthz", "/static/")
"""What strangers may see even where reading needs the token."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Gate:
    """Lets requests through to the page, or says why not.

    On loopback anybody on this machine may read, but only by names of this machine: a foreign name
    that was made to point here is a foreign page's way of reading over its visitor's shoulder (DNS
    rebinding). Elsewhere such a page has no cookie, so the token keeps it out.

    Args:
        app: what is behind it.
        keys: None if nobody may act.
        host: that the page is served at.
        hosts: further names that people reach it by.
        now: epoch seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        keys: Keys | None,
        host: str,
        hosts: Collection[str],
        now: Callable[[], float],
    ) -> None:
        self._app, self._keys, self._now = app, keys, now
        self._loopback = is_loopback(host)
        self._hosts = {name.lower() for name in hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        access = self._access(headers)
        refusal = self._refusal(scope, headers, access)
        answer = self._app if refusal is None else refusal
        await answer({**scope, ACCESS: access}, receive, _with_headers(send))

    def _refusal(self, scope: Scope, headers: Headers, access: Access) -> Response | None:
        if self._loopback and not self._is_ours(headers.get("host", "")):
            return PlainTextResponse("The page is not served by this name.\n", status_code=421)
        if self._loopback or access.known or scope["path"].startswith(OPEN_PATHS):
            return None
        if scope["method"] == "GET" and "text/html" in headers.get("accept", ""):
            return RedirectResponse("/login", status_code=303)
        return unauthorized()

    def _is_ours(self, host: str) -> bool:
        name = host_name(host)
        return is_loopback(name) or name in self._hosts

    def _access(self, headers: Headers) -> Access:
        if self._keys is None:
            return Access()
        scheme, _, token = headers.get("authorization", "").partition(" ")
        bearer = scheme.lower() == "bearer" and self._keys.is_token(token)
        cookie = _cookie(headers.get("cookie", ""), self._keys.cookie_name)
        signed_in = cookie is not None and self._keys.is_cookie(cookie, self._now())
        return Access(bearer=bearer, cookie=cookie if signed_in else None)


def unauthorized() -> Response:
    """Say that the token is missing."""
    return PlainTextResponse(
        "This needs the token: Authorization: Bearer TOKEN.\n",
        status_code=401,
        headers={"WWW-Authenticate": "Bearer"},
    )


def host_name(host: str) -> str:
    """Take the port off a Host header."""
    name, colon, port = host.rpartition(":")
    return (name if colon and (port.isdigit() or not port) else host).strip("[]").lower()


def _cookie(header: str, name: str) -> str | None:
    try:
        found = SimpleCookie(header).get(name)
    except CookieError:
        return None
    return None if found is None else found.value


def _with_headers(send: Send) -> Send:
    async def send_guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.update(HEADERS)
            headers.setdefault("Cache-Control", "no-store")
        await send(message)

    return send_guarded
