"""What goes over the wire of a chat, shown to whoever wants to see it.

All bytes of a chat go through an ``Http``, a ``WebSocket`` or ``GuestWeb``, whatever the wire, so
these are looked at. A chat that nobody looks at has none of this in it: :func:`tapped_http` and
:func:`tapped_opener` then give back what they were given.

Headers are never shown, cookies and authorization with them. What opens other people's chats or
accounts is not shown either, wherever the protocols put it: keys, tokens, signatures of URLs.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar
from urllib.parse import urlsplit

from botkit.connectors.around import AroundHttp, AroundSocket
from botkit.connectors.http.contract import NO_HEADERS, Http, HttpReply, Lane
from botkit.connectors.websocket.contract import WebSocket
from botkit.errors import BotkitError
from botkit.interfaces import Wiretap

__all__ = ["FRAME", "MAX_SHOWN", "answered", "show", "tapped_http", "tapped_opener"]

T = TypeVar("T")
OpenSocket = Callable[[], Awaitable[WebSocket]]

FRAME = "frame"
"""A message of a WebSocket."""
MAX_SHOWN = 8 * 1024
"""Characters of one frame that are shown."""

CREDENTIALS: Final = (
    "codeVerifier",
    "code",
    "idToken",
    "jwt",
    "nonce",
    "password",
    "refreshToken",
    "secureKey",
    "token",
)
"""Members that prove who somebody is. Source: GMS Chat API v2; Genesys Cloud guest API."""

_NAMES = "|".join(CREDENTIALS)
# The value may lack its end, where the text was cut.
_IN_JSON = re.compile(rf'("(?:{_NAMES})"\s*:\s*")(?:[^"\\]|\\.?)+')
_IN_FORM = re.compile(rf"((?:^|[?&])(?:{_NAMES})=)[^&\s\"\\]+")
_IN_URL = re.compile(r"((?:X-Amz-\w[\w-]*|Signature|sig)=)[^&\s\"\\]+")


def show(wiretap: Wiretap, *, sent: bool, what: str, data: str | bytes) -> None:
    """Show something, bounded and without credentials."""
    beginning = data[: MAX_SHOWN * 4] if isinstance(data, bytes) else data[:MAX_SHOWN]
    text = beginning.decode("utf-8", "replace") if isinstance(beginning, bytes) else beginning
    cut = len(beginning) < len(data) or len(text) > MAX_SHOWN
    text = text[:MAX_SHOWN]
    for pattern in (_IN_JSON, _IN_FORM, _IN_URL):
        text = pattern.sub(r"\1***", text)
    wiretap(sent=sent, what=what, text=text, cut=cut)


async def answered(wiretap: Wiretap, what: str, work: Callable[[], Awaitable[T]]) -> T:
    """Await an answer; that there was none is shown, too.

    Args:
        what: the request.
    """
    try:
        return await work()
    except BotkitError as error:
        show(wiretap, sent=False, what=f"no answer to {what}", data=str(error))
        raise


def tapped_http(http: Http, wiretap: Wiretap | None) -> Http:
    """Give connections whose requests and replies are shown."""
    return http if wiretap is None else TappedHttp(http, wiretap)


def tapped_opener(open_socket: OpenSocket, url: str, wiretap: Wiretap | None) -> OpenSocket:
    """Give what opens WebSockets whose messages are shown.

    Args:
        url: where they lead to.
    """
    if wiretap is None:
        return open_socket
    what = f"GET {urlsplit(url).path or '/'} (WebSocket)"

    async def open_tapped() -> WebSocket:
        show(wiretap, sent=True, what=what, data="")
        socket = await answered(wiretap, what, open_socket)
        show(wiretap, sent=False, what=f"101 to {what}", data="")
        return TappedSocket(socket, wiretap)

    return open_tapped


class TappedHttp(AroundHttp):
    """The :class:`~botkit.connectors.http.contract.Http` that it is made of, looked at."""

    __slots__ = ("_path", "_wiretap")

    def __init__(self, http: Http, wiretap: Wiretap) -> None:
        super().__init__(http)
        self._wiretap = wiretap
        self._path = urlsplit(http.url).path

    async def post(
        self,
        suffix: str,
        body: bytes,
        *,
        lane: Lane,
        content_type: str | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> HttpReply:
        what = f"POST {self._path.rstrip('/')}{suffix}" if suffix else f"POST {self._path}"
        show(self._wiretap, sent=True, what=what, data=body)
        reply = await answered(
            self._wiretap,
            what,
            lambda: self._http.post(
                suffix, body, lane=lane, content_type=content_type, headers=headers
            ),
        )
        show(self._wiretap, sent=False, what=f"{reply.status} to {what}", data=reply.body)
        return reply


class TappedSocket(AroundSocket):
    """The :class:`~botkit.connectors.websocket.contract.WebSocket` that it is made of, looked at.

    Pings, pongs and the bytes of the grammar are not shown.
    """

    __slots__ = ("_wiretap",)

    def __init__(self, socket: WebSocket, wiretap: Wiretap) -> None:
        super().__init__(socket)
        self._wiretap = wiretap

    async def send(self, text: str) -> None:
        show(self._wiretap, sent=True, what=FRAME, data=text)
        await self._socket.send(text)

    async def receive(self) -> str:
        try:
            text = await self._socket.receive()
        except BotkitError as error:
            show(self._wiretap, sent=False, what="the end of the WebSocket", data=str(error))
            raise
        show(self._wiretap, sent=False, what=FRAME, data=text)
        return text
