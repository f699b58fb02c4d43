"""What web messaging does over plain HTTP: configuration, history, sign-in, and files.

These requests are few and go to several hosts, so each has a connection of its own, which is
closed after it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import trio

from botkit.bayeux.messages import JSON
from botkit.connectors import codec
from botkit.connectors.chat_network import network_of
from botkit.connectors.http.contract import HttpReply
from botkit.connectors.http.excerpt import shown_status
from botkit.connectors.http.patience import patience
from botkit.connectors.http.proxies import proxy_for
from botkit.connectors.http.replies import decode_body
from botkit.connectors.http.target import Target, parse_target, request_headers
from botkit.connectors.traced import followed
from botkit.connectors.wiretapped import answered, show
from botkit.errors import ConnectorError, RemoteProtocolError
from botkit.genesys.guest_failures import refusal_of
from botkit.genesys.web_messaging import decode_history
from botkit.genesys.web_records import History
from botkit.interfaces import Opening

if TYPE_CHECKING:
    import httpx

__all__ = ["PAGE_SIZE", "GuestWeb"]

REQUEST_LIMIT = 30.0
"""Seconds for one request with its reply."""
CLOSE_LIMIT = 0.1
PAGE_SIZE = 25
MAX_TEXT = 200
"""Characters of an error's text that are told."""


class GuestWeb:
    """The HTTP of one chat.

    Args:
        opening: how to reach the hosts, and who looks on.
        origin: the Origin header, if one is wanted.
    """

    __slots__ = ("_network", "_origin", "_tracer", "_transport", "_wiretap")

    def __init__(self, opening: Opening, origin: str) -> None:
        self._network = network_of(opening)
        self._transport = opening.transport
        self._origin = origin
        self._wiretap = opening.wiretap
        self._tracer = opening.tracer

    async def get_json(self, url: str) -> JSON:
        """Fetch JSON; errors as :meth:`request`."""
        return read_json(await self.request("GET", url, self._headers(url)), url)

    async def post_json(self, url: str, value: JSON) -> JSON:
        """Post JSON and read JSON; errors as :meth:`request`."""
        body = codec.dumps(value)
        return read_json(await self.request("POST", url, self._headers(url), body), url)

    async def history(self, url: str, jwt: str, page: int) -> History:
        """Fetch a page of what was said; errors as :meth:`request`."""
        whole = f"{url}?pageNumber={page}&pageSize={PAGE_SIZE}"
        headers = self._headers(whole) | {"Authorization": f"bearer {jwt}"}
        return decode_history(read_json(await self.request("GET", whole, headers), url))

    async def put(self, url: str, headers: Mapping[str, str], body: bytes) -> None:
        """Put a file where the service wants it, with exactly the headers that it named."""
        headers = {"Host": parse_target(url).netloc, **headers}
        await self.request("PUT", url, headers, body, signed=True)

    async def download(self, url: str, headers: Mapping[str, str]) -> bytes:
        """Fetch a file from where the service keeps it."""
        headers = {"Host": parse_target(url).netloc, **headers}
        return await self.request("GET", url, headers, signed=True)

    async def request(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes = b"",
        *,
        signed: bool = False,
    ) -> bytes:
        """Do one request.

        Args:
            signed: the URL allows these headers and no other.

        Returns:
            The body of a reply of success.

        Raises:
            ChatError: the reply says something else; the code is the HTTP status.
            ConnectorError: there was no reply, or none in time.
            RemoteProtocolError: what came is not HTTP, or larger than allowed.
            ConfigError: the URL or the settings are unusable.
        """
        target = parse_target(url)

        async def ask() -> bytes:
            reply = await self._traced(method, target, headers, body, signed=signed)
            return body_of(reply, target)

        if self._wiretap is None:
            return await ask()
        what = f"{method} {target.path}"
        show(self._wiretap, sent=True, what=what, data=body)
        reply = await answered(self._wiretap, what, ask)
        show(self._wiretap, sent=False, what=f"success of {what}", data=reply)
        return reply

    async def _traced(
        self,
        method: str,
        target: Target,
        headers: Mapping[str, str],
        body: bytes,
        *,
        signed: bool,
    ) -> HttpReply:
        if self._tracer is None:
            return await self._in_time(method, target, headers, body)
        exchange = self._tracer.request(method, target.url)
        more = headers if signed else {**headers, **exchange.headers}
        return await followed(exchange, lambda: self._in_time(method, target, more, body))

    async def _in_time(
        self, method: str, target: Target, headers: Mapping[str, str], body: bytes
    ) -> HttpReply:
        with trio.move_on_after(REQUEST_LIMIT):
            return await self._exchange(method, target, headers, body)
        raise ConnectorError(f"{target.url} did not answer in time", kind="timeout")

    def _headers(self, url: str) -> dict[str, str]:
        headers = dict(request_headers(parse_target(url), self._network, "application/json"))
        if self._origin:
            headers["Origin"] = self._origin
        return headers

    async def _exchange(
        self, method: str, target: Target, headers: Mapping[str, str], body: bytes
    ) -> HttpReply:
        # httpx is imported where it is needed alone: it costs a command 50 ms of start-up.
        import httpx

        from botkit.connectors.http.over_httpx import NO_LIMITS, httpx_failure, own_transport

        proxy = None if self._transport is not None else proxy_for(target, self._network)
        transport = self._transport or own_transport(proxy, self._network)
        request = httpx.Request(
            method, target.url, headers=dict(headers), content=body, extensions=NO_LIMITS
        )
        try:
            return await self._reply(transport, request)
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            raise httpx_failure(error, target.origin, proxy) from error
        except RemoteProtocolError as error:
            raise RemoteProtocolError(f"{target.origin}: {error}") from error
        finally:
            if self._transport is None:
                with trio.CancelScope(shield=True, deadline=trio.current_time() + CLOSE_LIMIT):
                    await transport.aclose()

    async def _reply(
        self, transport: httpx.AsyncBaseTransport, request: httpx.Request
    ) -> HttpReply:
        from botkit.connectors.http.bodies import read_body

        reply = await transport.handle_async_request(request)
        body = await read_body(reply, self._network.max_reply_bytes)
        encoding = reply.headers.get("content-encoding", "")
        body = decode_body(body, encoding, self._network.max_reply_bytes)
        return HttpReply(status=reply.status_code, headers=reply.headers, body=body)


def body_of(reply: HttpReply, target: Target) -> bytes:
    """Give the body of a reply of success.

    Raises:
        ChatError: it is none.
    """
    if 200 <= reply.status < 300:
        return reply.body
    text = reply.body[:MAX_TEXT].decode("utf-8", "replace")
    where = target.origin + target.path
    status = shown_status(reply.status, reply.headers)
    raise refusal_of(
        reply.status,
        f"{where} answered with {status}: {text}".rstrip(": "),
        wait=patience(reply.headers),
    )


def read_json(body: bytes, url: str) -> JSON:
    """Read the body of a reply.

    Raises:
        RemoteProtocolError: it is no JSON.
    """
    try:
        value: JSON = codec.loads(body)
    except ValueError as error:
        raise RemoteProtocolError(f"{url} answered with something else than JSON") from error
    return value
