"""HTTP/1.1 for one chat on two connections of its own, as cheap as trio's streams allow.

A chat posts small bodies to one URL thousands of times, so the head of a request is bytes made
once, and a reply is read by httptools: a fifth of the CPU that a general client takes.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping
from types import TracebackType

import trio

from botkit.connectors.http.contract import NO_HEADERS, HttpReply, Lane, StoredCookie
from botkit.connectors.http.cookies import CookieStore
from botkit.connectors.http.failures import connect_failure, ended_early, exchange_failure
from botkit.connectors.http.replies import ReplyReader
from botkit.connectors.http.target import Target, parse_target, request_headers
from botkit.connectors.http.tcp import TcpStream, open_tcp_stream
from botkit.connectors.http.tls import tls_context
from botkit.errors import LocalProtocolError, RemoteProtocolError
from botkit.interfaces import NetworkSettings

__all__ = ["LeanHttp", "OpenStream"]

OpenStream = Callable[[str, int], Awaitable[trio.abc.Stream]]
"""Opens a connection to a host and port, without TLS."""

RECEIVE_SIZE = 16 * 1024
# Cookies expire on whole seconds, so a head that holds one may be used for one.
HEAD_LIFETIME = 1.0


class LeanHttp:
    """The :class:`~botkit.connectors.http.contract.Http` of one chat over trio streams.

    Args:
        open_stream: what to use instead of TCP; TLS comes on top for https.

    Raises:
        ConfigError: the URL or the settings are unusable.
    """

    __slots__ = (
        "_cookies",
        "_fresh_until",
        "_heads",
        "_lanes",
        "_lines",
        "_settings",
        "_target",
    )

    def __init__(
        self,
        url: str,
        settings: NetworkSettings,
        *,
        content_type: str = "application/json;charset=UTF-8",
        open_stream: OpenStream | None = None,
    ) -> None:
        self._target = parse_target(url)
        self._settings = settings
        # One text for all the chats with a server.
        self._lines = sys.intern(self._make_lines(content_type))
        self._cookies = CookieStore(self._target.origin)
        self._heads: dict[str, bytes] = {}
        self._fresh_until = math.inf
        open_stream = open_stream or open_tcp_stream
        if self._target.scheme == "https":
            open_stream = with_tls(open_stream, settings)
        limit = settings.max_reply_bytes
        # Indexed by lane.
        self._lanes = tuple(LaneConnection(self._target, open_stream, limit) for _ in Lane)

    @property
    def url(self) -> str:
        return self._target.url

    async def post(
        self,
        suffix: str,
        body: bytes,
        *,
        lane: Lane,
        content_type: str | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
    ) -> HttpReply:
        connection = self._lanes[lane]
        async with connection:
            if content_type is None:
                head = self._head(suffix)
            else:
                # Seldom wanted twice, so it is not kept.
                head = self._make_head(suffix, self._make_lines(content_type))
            more = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
            request = b"%b%d\r\n%b\r\n%b" % (head, len(body), more.encode("latin-1"), body)
            reply, set_cookies = await connection.exchange(request)
        if set_cookies:
            self._cookies.receive(self._target.path_with(suffix), set_cookies)
            self._forget_heads()
        return reply

    def cookies(self) -> tuple[StoredCookie, ...]:
        return self._cookies.export()

    def add_cookies(self, cookies: Iterable[StoredCookie]) -> None:
        self._cookies.add(cookies)
        self._forget_heads()

    async def aclose(self) -> None:
        poll, call = self._lanes
        try:
            await poll.aclose()
        finally:
            # Who is in too much of a hurry for the one must not leave the other open.
            await call.aclose()

    def _head(self, suffix: str) -> bytes:
        """All of the request before the number of its bytes."""
        if trio.current_time() >= self._fresh_until:
            self._forget_heads()
        head = self._heads.get(suffix)
        if head is None:
            head = self._heads[suffix] = self._make_head(suffix, self._lines)
        return head

    def _make_lines(self, content_type: str) -> str:
        headers = request_headers(self._target, self._settings, content_type)
        return "".join(f"{name}: {value}\r\n" for name, value in headers)

    def _make_head(self, suffix: str, lines: str) -> bytes:
        path = self._target.path_with(suffix)
        cookie = self._cookies.header(path)
        if cookie:
            lines = f"{lines}Cookie: {cookie}\r\n"
        start = f"POST {path}{self._target.query} HTTP/1.1\r\n"
        return f"{start}{lines}Content-Length: ".encode("latin-1")

    def _forget_heads(self) -> None:
        self._heads.clear()
        expires = self._cookies.any_expires
        self._fresh_until = trio.current_time() + HEAD_LIFETIME if expires else math.inf


class LaneConnection:
    """One kept-alive connection and the right to use it; replaced when it is gone.

    As a context manager it is the lane's queue: exchanges wait for each other in order.
    """

    __slots__ = (
        "_closed",
        "_is_taken",
        "_limit",
        "_open_stream",
        "_queue",
        "_reader",
        "_stream",
        "_target",
    )

    def __init__(self, target: Target, open_stream: OpenStream, limit: int) -> None:
        self._target = target
        self._open_stream = open_stream
        self._limit = limit
        self._is_taken = False
        self._queue: trio.lowlevel.ParkingLot | None = None
        self._closed = False
        self._stream: trio.abc.Stream | None = None
        self._reader: ReplyReader | None = None

    async def __aenter__(self) -> None:
        # The exchange itself checkpoints, so a free lane is taken without a turn of the loop. There
        # are two lanes to a chat and next to never somebody who waits for one: no lock until then.
        if not self._is_taken:
            self._is_taken = True
            return
        self._queue = self._queue or trio.lowlevel.ParkingLot()
        await self._queue.park()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._queue:
            # The lane goes over to who waited longest, without being free in between.
            self._queue.unpark()
        else:
            self._is_taken = False

    async def exchange(self, request: bytes) -> tuple[HttpReply, list[str]]:
        """Send a request and await its reply and the Set-Cookie lines in it."""
        try:
            stream, reader = await self._ready_stream()
            reader.expect_reply()
            reply = await self._transfer(stream, reader, request)
        except BaseException:
            # Half an exchange, cancelled ones included, leaves nothing to build on.
            await self._abandon()
            raise
        set_cookies = reader.set_cookies
        reader.forget_reply()
        if self._closed or not reader.keep_alive:
            await self._abandon()
        return reply, set_cookies

    async def aclose(self) -> None:
        """Close politely; an exchange under way fails with LocalProtocolError."""
        self._closed = True
        if self._stream is not None:
            await self._stream.aclose()
        if not self._is_taken:
            self._let_go()

    async def _ready_stream(self) -> tuple[trio.abc.Stream, ReplyReader]:
        self._refuse_if_closed()
        if self._stream is not None and has_input(self._stream):
            # While idle only the end of the connection can come, or what nobody asked for.
            await self._abandon()
        if self._stream is None or self._reader is None:
            try:
                self._stream = await self._open_stream(self._target.host, self._target.port)
            except (OSError, trio.BrokenResourceError) as error:
                raise connect_failure(error, self._target.origin) from error
            self._refuse_if_closed()
            self._reader = ReplyReader(self._limit)
        return self._stream, self._reader

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise LocalProtocolError(f"the connection to {self._target.origin} was closed")

    async def _transfer(
        self, stream: trio.abc.Stream, reader: ReplyReader, request: bytes
    ) -> HttpReply:
        try:
            await stream.send_all(request)
            while data := await stream.receive_some(RECEIVE_SIZE):
                reply = reader.receive(data)
                if reply is not None:
                    return reply
            reply = reader.receive_end()
        except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise exchange_failure(error, self._target.origin) from error
        except RemoteProtocolError as error:
            raise RemoteProtocolError(f"{self._target.origin}: {error}") from error
        if reply is None:
            raise ended_early(self._target.origin, has_begun=reader.has_begun)
        return reply

    async def _abandon(self) -> None:
        stream = self._let_go()
        if stream is not None:
            await trio.aclose_forcefully(stream)

    def _let_go(self) -> trio.abc.Stream | None:
        stream, self._stream = self._stream, None
        if self._reader is not None:
            self._reader.release()
            self._reader = None
        return stream


def has_input(stream: trio.abc.Stream) -> bool:
    """Whether an idle connection has bytes or its end to read; unknown counts as no."""
    if isinstance(stream, trio.SSLStream):
        stream = stream.transport_stream
    return isinstance(stream, TcpStream) and stream.has_input()


def with_tls(open_stream: OpenStream, settings: NetworkSettings) -> OpenStream:
    context = tls_context(settings)

    async def open_tls_stream(host: str, port: int) -> trio.abc.Stream:
        plain = await open_stream(host, port)
        # Few HTTP servers answer the closing alert.
        stream = trio.SSLStream(plain, context, server_hostname=host, https_compatible=True)
        try:
            await stream.do_handshake()
        except BaseException:
            await trio.aclose_forcefully(plain)
            raise
        return stream

    return open_tls_stream
