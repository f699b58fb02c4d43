"""Bytes of one connection in, requests out; no I/O.

httptools does the grammar. What it leaves open is decided here: bounds, 100-continue, what to
answer to rubbish.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from urllib.parse import unquote

import httptools

from botkit.simulator.http import Reply, Request

__all__ = ["CONTINUE", "Incoming", "Limits", "Refusal", "RequestReader"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds on what a client may send, in bytes.

    Attributes:
        head: of everything in a request that is not body.
        waiting: of requests that came before the earlier ones were answered; no more is read.
    """

    head: int = 64 * 1024
    body: int = 16 * 1024 * 1024
    waiting: int = 1024 * 1024


class Signal(Enum):
    CONTINUE = "the client waits for leave to send its body"


CONTINUE = Signal.CONTINUE


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer to what is no request; nothing after it is read."""

    reply: Reply


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request, and what its reply has to do with the connection.

    Attributes:
        keep_alive: it may live on.
        holds: it may become a WebSocket, so nothing is read behind this request until that is
            granted (``RequestReader.switch``) or not (``resume``).
    """

    request: Request
    keep_alive: bool
    holds: bool = False


class RequestReader:
    """Reads the requests of one connection.

    Args:
        deliver: takes each request, permission and refusal in the order to answer them.
        peer: who sends.
    """

    __slots__ = (
        "_chunks",
        "_deliver",
        "_framing",
        "_headers",
        "_held",
        "_in_body",
        "_limits",
        "_parser",
        "_peer",
        "_refused",
        "_size",
        "_url",
    )

    def __init__(
        self,
        deliver: Callable[[Incoming | Refusal | Signal], None],
        *,
        peer: str,
        limits: Limits,
    ) -> None:
        self._deliver = deliver
        self._peer = peer
        self._limits = limits
        self._refused = False
        # What comes behind a request for a WebSocket, until that is granted or refused.
        self._held: bytearray | None = None
        self._framing = 0
        self._parser = httptools.HttpRequestParser(self)
        self.on_message_begin()

    def receive(self, data: bytes | bytearray) -> None:
        """Take what arrived; after a refusal it is thrown away."""
        if self._refused:
            return
        if self._held is not None:
            self._held += data
            return
        before = self._size
        self._framing += len(data)
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self._refuse(400, "this is not HTTP")
            return
        # A request that ended in these bytes has set both counts back.
        self._framing -= max(0, self._size - before)
        if self._framing > self._limits.head + 8 * self._size:
            # A chunk may hold one byte of body, hence the allowance.
            self._refuse(431, f"more than {self._limits.head} bytes of head")

    @property
    def held(self) -> int:
        """Bytes that wait for the answer to a request for a WebSocket."""
        return len(self._held or b"")

    def switch(self) -> bytes:
        """Stop reading, since the connection becomes a WebSocket; give what came for that."""
        held, self._held = bytes(self._held or b""), bytearray()
        return held

    def resume(self) -> None:
        """Read on, if a request for a WebSocket has stopped it, for that was refused."""
        if self._held is not None:
            held, self._held = self._held, None
            self.receive(held)

    def release(self) -> None:
        """Let go of what points back here, so that no garbage collector is needed."""
        del self._parser, self._deliver

    def _feed(self, data: bytes | bytearray) -> None:
        """Parse; of all wishes to upgrade only the one to WebSocket is taken notice of."""
        while data:
            try:
                self._parser.feed_data(data)
                return
            except httptools.HttpParserUpgrade as upgrade:
                data = data[upgrade.args[0] :]
                self._parser = httptools.HttpRequestParser(self)
                if self._wants_socket():
                    self._held = bytearray(data)
                    return

    def _wants_socket(self) -> bool:
        return self._headers.get("upgrade", "").lower() == "websocket"

    def _refuse(self, status: int, reason: str) -> None:
        if not self._refused:
            self._refused = True
            body = reason.encode()
            headers = (("Content-Type", "text/plain"),)
            self._deliver(Refusal(Reply(status=status, headers=headers, body=body, close=True)))

    def _refuse_body(self) -> None:
        self._refuse(413, f"more than {self._limits.body} bytes of body")

    # --- called by the parser ---------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._url = b""
        self._headers: dict[str, str] = {}
        self._chunks: list[bytes] = []
        self._size = 0
        self._in_body = False

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        if self._in_body:  # a trailer
            return
        if key in self._headers:
            self._headers[key] += f"; {text}" if key == "cookie" else f", {text}"
        else:
            self._headers[key] = text

    def on_headers_complete(self) -> None:
        self._in_body = True
        announced = self._headers.get("content-length", "0")
        if len(announced) > 18 or int(announced) > self._limits.body:
            self._refuse_body()
        elif not self._refused and self._headers.get("expect", "").lower() == "100-continue":
            self._deliver(CONTINUE)

    def on_body(self, data: bytes) -> None:
        self._size += len(data)
        if self._size <= self._limits.body:
            self._chunks.append(data)
        else:
            self._refuse_body()

    def on_message_complete(self) -> None:
        if self._refused:
            return
        self._framing = 0
        path, _, query = path_and_query(self._url)
        request = Request(
            method=self._parser.get_method().decode("latin-1"),
            path=path,
            query=query,
            headers=self._headers,
            body=b"".join(self._chunks),
            peer=self._peer,
        )
        keep_alive = self._parser.get_http_version() == "1.1" and self._parser.should_keep_alive()
        holds = self._parser.should_upgrade() and self._wants_socket()
        self._deliver(Incoming(request, keep_alive, holds))
        self._size = 0
        self._chunks = []


def path_and_query(url: bytes) -> tuple[str, str, str]:
    text = url.decode("latin-1")
    if "://" in text.partition("?")[0]:  # as a proxy is asked
        text = "/" + text.partition("://")[2].partition("/")[2]
    path, mark, query = text.partition("?")
    return (unquote(path) if "%" in path else path), mark, query
