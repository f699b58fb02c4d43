"""Bytes in, the answer to an upgrade or to a proxy's CONNECT out; no I/O.

httptools does the grammar. A server that means to refuse may answer with a page of any length, of
which nobody wants more than the beginning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

import httptools

from botkit.errors import RemoteProtocolError

__all__ = ["Answer", "AnswerReader"]

HEAD_LIMIT = 64 * 1024
BODY_WANTED = 512
"""Bytes of a refusal's body that are waited for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A head, and what came behind it.

    Attributes:
        headers: names in lower case; repeated ones joined by ``", "``, Set-Cookie left out.
        body: its beginning, if the answer has one.
        rest: bytes after the answer, which belong to the protocol that was switched to.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    set_cookies: tuple[str, ...] = ()
    body: bytes = b""
    rest: bytes = b""


class AnswerReader:
    """Reads one answer.

    Args:
        to_connect: it answers a CONNECT, so that success ends with its head.
    """

    def __init__(self, *, to_connect: bool = False) -> None:
        self._to_connect = to_connect
        self._parser = httptools.HttpResponseParser(self)
        self._received = 0
        self._status = 0
        self._body = b""
        self._ended = False
        self.on_message_begin()

    def receive(self, data: bytes) -> Answer | None:
        """Take what arrived.

        Returns:
            The answer, if there is enough of it.

        Raises:
            RemoteProtocolError: this is not HTTP, or its head is too large.
        """
        self._received += len(data)
        rest = b""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            rest = data[upgrade.args[0] :]
        except httptools.HttpParserError as error:
            # Without the headers of an upgrade, the parser stumbles over the status alone.
            if self._status != 101:
                raise RemoteProtocolError(f"the answer is not HTTP: {error}") from error
        if self._received - len(self._body) > HEAD_LIMIT:
            raise RemoteProtocolError(f"the head of the answer exceeds {HEAD_LIMIT} bytes")
        return self._answer(rest) if self._is_enough() else None

    @property
    def has_begun(self) -> bool:
        """Whether anything has come of the answer."""
        return self._received > 0

    def receive_end(self) -> Answer | None:
        """Take the end of the connection.

        Returns:
            The answer, if its head is whole.
        """
        return self._answer(b"") if self._status else None

    def release(self) -> None:
        """Let go of the parser, which points back here, so that no garbage collector is needed."""
        del self._parser

    def _is_enough(self) -> bool:
        if self._to_connect and 200 <= self._status < 300:
            return True
        return self._ended or len(self._body) >= BODY_WANTED

    def _answer(self, rest: bytes) -> Answer:
        return Answer(
            status=self._status,
            headers=self._headers,
            set_cookies=tuple(self._set_cookies),
            body=self._body,
            rest=rest,
        )

    # --- called by the parser ---------------------------------------------------------------------

    def on_message_begin(self) -> None:
        self._headers: dict[str, str] = {}
        self._set_cookies: list[str] = []

    def on_header(self, name: bytes, value: bytes) -> None:
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        if self._status:  # a trailer
            return
        if key == "set-cookie":
            self._set_cookies.append(text)
        elif key in self._headers:
            self._headers[key] += f", {text}"
        else:
            self._headers[key] = text

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status >= 200 or status == 101:
            self._status = status

    def on_body(self, data: bytes) -> None:
        self._body += data[: BODY_WANTED - len(self._body)]

    def on_message_complete(self) -> None:
        # Otherwise it was one of those that only announce another one.
        self._ended = self._status != 0
