"""HTTP for one chat over any httpx transport: proxies, custom authentication, given transports.

A request is built and handed to the transport directly; the client layer of httpx, which costs
87 us a request and brings a shared pool and a read limit of 5 s, is left out.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping

import httpx
import trio

from botkit.connectors.http.bodies import read_body
from botkit.connectors.http.contract import NO_HEADERS, HttpReply, Lane, StoredCookie
from botkit.connectors.http.cookies import CookieStore
from botkit.connectors.http.failures import causes_of, connect_failure, exchange_failure
from botkit.connectors.http.replies import decode_body
from botkit.connectors.http.target import no_url, parse_target, request_headers
from botkit.connectors.http.tls import tls_context
from botkit.errors import (
    BotkitError,
    ConfigError,
    ConnectorError,
    LocalProtocolError,
    RemoteProtocolError,
)
from botkit.interfaces import NetworkSettings
from botkit.masking import without_password

__all__ = ["HttpxHttp", "own_transport"]

NO_LIMITS = {"timeout": httpx.Timeout(None).as_dict()}
# Of a body that is here whole and decoded these are no longer true.
DONE_WITH = frozenset({b"content-encoding", b"content-length", b"transfer-encoding"})


class HttpxHttp:
    """The :class:`~botkit.connectors.http.contract.Http` of one chat over an httpx transport.

    Args:
        transport: stays open when this object is closed, unless ``owned``.
        auth: an authentication scheme of httpx, such as digest, instead of the settings' own.
        proxy: the proxy the transport goes through, for messages.

    Raises:
        ConfigError: the URL or the settings are unusable.
    """

    def __init__(
        self,
        url: str,
        settings: NetworkSettings,
        *,
        transport: httpx.AsyncBaseTransport,
        auth: httpx.Auth | None = None,
        content_type: str = "application/json;charset=UTF-8",
        owned: bool = False,
        proxy: str | None = None,
    ) -> None:
        self._target = parse_target(url)
        self._settings = settings
        self._headers = request_headers(self._target, settings, content_type)
        self._limit = settings.max_reply_bytes
        self._cookies = CookieStore(self._target.origin)
        self._transport = transport
        self._auth = auth or httpx.Auth()
        self._owned = owned
        self._proxy = proxy
        self._closed = False
        # Indexed by lane.
        self._locks = tuple(trio.Lock() for _ in Lane)

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
        path = self._target.path_with(suffix)
        lines = self._headers
        if content_type is not None:
            lines = request_headers(self._target, self._settings, content_type)
        lines += tuple(headers.items())
        async with self._locks[lane]:
            if self._closed:
                raise LocalProtocolError(f"the connection to {self._target.origin} was closed")
            return await self._authenticated(self._request(path, body, lines), path)

    def cookies(self) -> tuple[StoredCookie, ...]:
        return self._cookies.export()

    def add_cookies(self, cookies: Iterable[StoredCookie]) -> None:
        self._cookies.add(cookies)

    async def aclose(self) -> None:
        self._closed = True
        if self._owned:
            await self._transport.aclose()

    def _request(
        self, path: str, body: bytes, headers: tuple[tuple[str, str], ...]
    ) -> httpx.Request:
        url = f"{self._target.origin}{path}{self._target.query}"
        cookie = self._cookies.header(path)
        if cookie is not None:
            headers += (("Cookie", cookie),)
        return httpx.Request("POST", url, headers=headers, content=body, extensions=NO_LIMITS)

    async def _authenticated(self, request: httpx.Request, path: str) -> HttpReply:
        """Play the scheme's exchange of requests to its end."""
        flow = self._auth.async_auth_flow(request)
        try:
            request = await anext(flow)
            while True:
                response = await self._exchange(request)
                self._cookies.receive(path, response.headers.get_list("set-cookie"))
                try:
                    request = await flow.asend(response)
                except StopAsyncIteration:
                    return as_reply(response)
        finally:
            await flow.aclose()

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        """One request and its whole reply, decoded, bounded and fit for an auth scheme."""
        try:
            raw = await self._transport.handle_async_request(request)
            body = await read_body(raw, self._limit)
            body = decode_body(body, raw.headers.get("content-encoding", ""), self._limit)
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            raise httpx_failure(error, self._target.origin, self._proxy) from error
        except RemoteProtocolError as error:
            raise RemoteProtocolError(f"{self._target.origin}: {error}") from error
        headers = [(k, v) for k, v in raw.headers.raw if k.lower() not in DONE_WITH]
        return httpx.Response(raw.status_code, headers=headers, content=body, request=request)


def own_transport(proxy: str | None, settings: NetworkSettings) -> httpx.AsyncBaseTransport:
    """A transport for one chat: its pool holds two connections, so that scanning costs nothing.

    Raises:
        ConfigError: the proxy's URL is unusable.
    """
    context = tls_context(settings)
    try:
        return httpx.AsyncHTTPTransport(
            verify=context,
            proxy=None if proxy is None else named_proxy(proxy, context),
            trust_env=False,
            limits=httpx.Limits(max_connections=len(Lane), keepalive_expiry=None),
        )
    except (ValueError, httpx.InvalidURL) as error:
        raise no_url(proxy or "", "URL of a proxy", error, key="proxy") from None
    except ImportError as error:
        raise ConfigError("a SOCKS proxy needs: pip install httpx[socks]", key="proxy") from error


def named_proxy(url: str, context: ssl.SSLContext) -> httpx.Proxy:
    # For a proxy that is not asked over TLS httpcore refuses a context.
    proxy = httpx.Proxy(url, ssl_context=context if url.startswith("https:") else None)
    if not proxy.url.host:
        raise ValueError("it names no host")
    return proxy


def as_reply(response: httpx.Response) -> HttpReply:
    headers = {k: v for k, v in response.headers.items() if k != "set-cookie"}
    return HttpReply(status=response.status_code, headers=headers, body=response.content)


def httpx_failure(error: Exception, address: str, proxy: str | None) -> BotkitError:
    """Translate what a transport raised.

    Args:
        address: the server as scheme, host and port.
        proxy: the URL of the proxy on the way, if any.
    """
    if isinstance(error, httpx.ConnectError):
        return unreached(error, address, proxy)
    if isinstance(error, httpx.ProxyError):
        message = f"the proxy {shown_proxy(proxy)} does not lead to {address}: {error}"
        return ConnectorError(message, kind="proxy", sent=False)
    if isinstance(error, httpx.TimeoutException):
        sent = not isinstance(error, httpx.ConnectTimeout | httpx.PoolTimeout)
        return ConnectorError(f"{address} did not answer in time", kind="timeout", sent=sent)
    if isinstance(error, httpx.UnsupportedProtocol | httpx.LocalProtocolError):
        return LocalProtocolError(f"the request to {address} cannot be sent: {error}")
    # httpx calls an early end a breach of the protocol; only its words tell the two apart.
    ended = "disconnected" in str(error) or "closed connection" in str(error)
    if isinstance(error, httpx.RemoteProtocolError) and not ended:
        return RemoteProtocolError(f"the reply of {address} is not HTTP: {error}")
    return exchange_failure(error, address if proxy is None else f"{address}, {by_way_of(proxy)},")


def unreached(error: httpx.ConnectError, address: str, proxy: str | None) -> ConnectorError:
    # Inside the proxy's tunnel TLS is spoken with the server itself.
    if proxy is None or any(isinstance(cause, ssl.SSLError) for cause in causes_of(error)):
        return connect_failure(error, address)
    reason = connect_failure(error, shown_proxy(proxy)).message
    return ConnectorError(f"no way to the proxy: {reason}", kind="proxy", sent=False)


def by_way_of(proxy: str) -> str:
    return f"reached through the proxy {shown_proxy(proxy)}"


def shown_proxy(proxy: str | None) -> str:
    return without_password(proxy or "of the transport")
