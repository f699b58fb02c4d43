"""Bytes of one connection in, replies out; no I/O.

httptools does the grammar. What it leaves open is decided here: bounds on everything, interim
replies, replies that end with the connection, content encodings nobody asked for.
"""

from __future__ import annotations

import zlib
from dataclasses import replace

import httptools

from botkit.connectors.http.contract import HttpReply
from botkit.errors import RemoteProtocolError

__all__ = ["ReplyReader", "decode_body"]

# Of all that is no body: head, interim replies, chunk sizes and extensions, trailers. Beside it,
# eight bytes of framing are granted for each byte of body, since a chunk may hold a single one.
FRAMING_LIMIT = 64 * 1024
FRAMING_PER_BYTE = 8
SWITCHING_PROTOCOLS = 101
SWITCHED = "the server switched protocols unasked"


class ReplyReader:
    """Reads the replies of one connection, one after another.

    Args:
        max_body: a larger body is refused, before and after decoding it.
    """

    __slots__ = (
        "_chunks",
        "_headers",
        "_in_body",
        "_max_body",
        "_parser",
        "_received",
        "_reply",
        "_size",
        "keep_alive",
        "set_cookies",
    )

    def __init__(self, max_body: int) -> None:
        self._max_body = max_body
        # Only while a reply is read: with its callbacks it takes more memory than all the rest.
        self._parser: httptools.HttpResponseParser | None = None
        self._chunks: list[bytes] = []
        self._headers: dict[str, str] = {}
        self._in_body = False
        self.expect_reply()

    def expect_reply(self) -> None:
        """Make ready for the reply to a request that is about to be sent."""
        self._received = 0
        self._size = 0
        self._reply: HttpReply | None = None
        self.keep_alive = False
        """Whether the connection may carry another request, once the reply is there."""
        self.set_cookies: list[str] = []
        """The Set-Cookie lines of the reply."""

    def receive(self, data: bytes | bytearray) -> HttpReply | None:
        """Take what arrived.

        Returns:
            The reply if it is whole.

        Raises:
            RemoteProtocolError: this is not HTTP, or more than allowed.
        """
        self._received += len(data)
        if self._parser is None:
            self._parser = httptools.HttpResponseParser(self)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as error:
            raise RemoteProtocolError(SWITCHED) from error
        except httptools.HttpParserError as error:
            if self._parser.get_status_code() == SWITCHING_PROTOCOLS:
                raise RemoteProtocolError(SWITCHED) from error
            # Rubbish behind a whole reply spoils the connection, not the reply.
            if self._reply is None:
                raise RemoteProtocolError(f"the reply is not HTTP: {error}") from error
            self.keep_alive = False
        self._check_bounds()
        return self._decoded_reply()

    @property
    def has_begun(self) -> bool:
        """Whether anything has come of the reply."""
        return self._received > 0

    def receive_end(self) -> HttpReply | None:
        """Take the end of the connection.

        Returns:
            The reply, if it is one that only the end of the connection could end.
        """
        framed = "content-length" in self._headers or "chunked" in self._headers.get(
            "transfer-encoding", ""
        )
        if not self._in_body or framed:
            return None
        self.on_message_complete()
        return self._decoded_reply()

    def forget_reply(self) -> None:
        """Keep nothing of a reply that was handed out, for the connection may idle for long."""
        self._reply = None
        self._headers = {}
        self._chunks = []
        self.release()

    def release(self) -> None:
        """Let go of the parser, which points back here, so that no garbage collector is needed."""
        self._parser = None

    def _decoded_reply(self) -> HttpReply | None:
        reply = self._reply
        if reply is None or "content-encoding" not in reply.headers:
            return reply
        encoding = reply.headers["content-encoding"]
        return replace(reply, body=decode_body(reply.body, encoding, self._max_body))

    def _check_bounds(self) -> None:
        if self._size > self._max_body:
            raise RemoteProtocolError(f"the reply is larger than {self._max_body} bytes")
        framing = self._received - self._size
        if framing > FRAMING_LIMIT + FRAMING_PER_BYTE * self._size:
            raise RemoteProtocolError(f"the head of the reply exceeds {FRAMING_LIMIT} bytes")
        if self._in_body:
            # Two different lengths never get here: the parser refuses them.
            announced = self._headers.get("content-length", "0")
            if len(announced) > 18 or int(announced) > self._max_body:
                raise RemoteProtocolError(
                    f"the server announced a reply of {announced} bytes; "
                    f"{self._max_body} are allowed"
                )

    # --- called by the parser ---------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._headers = {}
        self._chunks = []
        if self._reply is not None:
            self.keep_alive = False

    def on_header(self, name: bytes, value: bytes) -> None:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        if self._reply is not None or self._in_body:  # of a reply nobody asked for, or a trailer
            return
        if key == "set-cookie":
            self.set_cookies.append(text)
        elif key in self._headers:
            self._headers[key] += f", {text}"
        else:
            self._headers[key] = text

    def on_headers_complete(self) -> None:
        self._in_body = True

    def on_body(self, data: bytes) -> None:
        self._size += len(data)
        if self._size <= self._max_body:
            self._chunks.append(data)

    def on_message_complete(self) -> None:
        self._in_body = False
        assert self._parser is not None
        status = self._parser.get_status_code()
        if self._reply is not None:
            return
        if 100 <= status < 200:
            self.set_cookies.clear()
            return
        self.keep_alive = self._parser.should_keep_alive()
        body = b"".join(self._chunks)
        self._reply = HttpReply(status=status, headers=self._headers, body=body)
        self._chunks = []


def decode_body(body: bytes, encoding: str, limit: int) -> bytes:
    """Undo a content encoding, though botkit asks for none.

    Raises:
        RemoteProtocolError: the encoding is unknown, or the body is broken or larger than allowed.
    """
    for name in reversed(encoding.lower().split(",")):
        if name.strip() in ("gzip", "x-gzip", "deflate"):
            body = inflate(body, limit)
        elif name.strip() not in ("", "identity"):
            raise RemoteProtocolError(f"the reply is encoded as {name.strip()!r} without request")
    return body


def inflate(body: bytes, limit: int) -> bytes:
    # 47 stands for gzip or zlib, whichever the header says. "deflate" should be zlib, but some
    # servers send the bare stream: no zlib header leaves a multiple of 31.
    bare = len(body) > 1 and body[:2] != b"\x1f\x8b" and int.from_bytes(body[:2], "big") % 31 != 0
    decoder = zlib.decompressobj(-zlib.MAX_WBITS if bare else 47)
    try:
        decoded = decoder.decompress(body, limit + 1)
    except zlib.error as error:
        raise RemoteProtocolError(f"the reply cannot be decompressed: {error}") from error
    if len(decoded) > limit:
        raise RemoteProtocolError(f"the reply is larger than {limit} bytes")
    if body and not decoder.eof:
        raise RemoteProtocolError("the compressed reply is cut short")
    return decoded
