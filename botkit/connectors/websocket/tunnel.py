"""A way through an HTTP proxy: CONNECT, then whatever the two ends like.

Source: RFC 6455, section 4.1 (a client behind a proxy asks for a connection to the server's host
and port, without TLS too); RFC 9110, section 9.3.6.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

import trio

from botkit.connectors.http.excerpt import shown
from botkit.connectors.http.failures import connect_failure, ended_early, exchange_failure
from botkit.connectors.http.lean import OpenStream, with_tls
from botkit.connectors.http.target import basic_auth, no_url
from botkit.connectors.http.tcp import open_tcp_stream
from botkit.connectors.websocket.answers import Answer, AnswerReader
from botkit.errors import BotkitError, ConfigError, ConnectorError, RemoteProtocolError
from botkit.interfaces import NetworkSettings
from botkit.masking import without_password

__all__ = ["Tunnel", "is_tunnelled", "receive_answer"]

PORTS: Mapping[str, int] = {"http": 80, "https": 443}
RECEIVE_SIZE = 16 * 1024


def is_tunnelled(proxy: str) -> bool:
    """Whether a proxy is asked with CONNECT; the others speak SOCKS."""
    return proxy.partition("://")[0].lower() in PORTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Tunnel:
    """Opens streams through one proxy; an ``OpenStream`` of the lean transport.

    Attributes:
        url: of the proxy, fit for a log.
        authorization: the value of Proxy-Authorization, if the URL had a user.
        open_stream: opens the connection to the proxy.
    """

    url: str
    host: str
    port: int
    authorization: str | None
    open_stream: OpenStream

    @classmethod
    def through(cls, proxy: str, settings: NetworkSettings) -> Tunnel:
        """Read the URL of a proxy.

        Raises:
            ConfigError: it is unusable.
        """
        url = without_password(proxy)
        try:
            parts = urlsplit(proxy)
            port = parts.port
        except ValueError as error:
            raise no_url(proxy, "URL of a proxy", error, key="proxy") from None
        if not parts.hostname:
            raise ConfigError(f"{url!r} is no URL of a proxy: it names no host", key="proxy")
        auth = None
        if parts.username:
            auth = basic_auth(unquote(parts.username), unquote(parts.password or ""))
        return cls(
            url=url,
            host=parts.hostname,
            port=PORTS[parts.scheme] if port is None else port,
            authorization=auth,
            open_stream=with_tls(open_tcp_stream, settings)
            if parts.scheme == "https"
            else open_tcp_stream,
        )

    async def __call__(self, host: str, port: int) -> trio.abc.Stream:
        """Open a connection to a host and port by way of the proxy.

        Raises:
            ConnectorError: there is no way to the proxy, or through it.
        """
        try:
            stream = await self.open_stream(self.host, self.port)
        except (OSError, trio.BrokenResourceError) as error:
            reason = connect_failure(error, self.url).message
            text = f"no way to the proxy: {reason}"
            raise ConnectorError(text, kind="proxy", sent=False) from error
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            await self._connect(stream, address)
        except BaseException:
            await trio.aclose_forcefully(stream)
            raise
        return stream

    async def _connect(self, stream: trio.abc.Stream, address: str) -> None:
        lines = f"CONNECT {address} HTTP/1.1\r\nHost: {address}\r\n"
        if self.authorization is not None:
            lines += f"Proxy-Authorization: {self.authorization}\r\n"
        try:
            answer = await receive_answer(
                stream, f"{lines}\r\n".encode("latin-1"), self.url, to_connect=True
            )
        except BotkitError as error:
            raise self._no_way(address, str(error)) from error
        if not 200 <= answer.status < 300:
            raise self._no_way(address, f"HTTP {answer.status}: {shown(answer.body)}")

    def _no_way(self, address: str, reason: str) -> ConnectorError:
        text = f"the proxy {self.url} does not lead to {address}: {reason}"
        return ConnectorError(text, kind="proxy", sent=False)


async def receive_answer(
    stream: trio.abc.Stream, request: bytes, address: str, *, to_connect: bool = False
) -> Answer:
    """Send a request on a new connection and await its answer.

    Args:
        address: of the peer, for messages.
        to_connect: the request is a CONNECT.

    Raises:
        ConnectorError: the connection was lost before the answer was whole.
        RemoteProtocolError: the answer is not HTTP.
    """
    reader = AnswerReader(to_connect=to_connect)
    try:
        await stream.send_all(request)
        while data := await stream.receive_some(RECEIVE_SIZE):
            answer = reader.receive(bytes(data))
            if answer is not None:
                return answer
        answer = reader.receive_end()
    except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
        failure = exchange_failure(error, address)
        if isinstance(failure, ConnectorError):
            failure.sent = False
        raise failure from error
    except RemoteProtocolError as error:
        raise RemoteProtocolError(f"{address}: {error}") from error
    finally:
        reader.release()
    if answer is None:
        raise ended_early(address, has_begun=reader.has_begun, sent=False)
    return answer
