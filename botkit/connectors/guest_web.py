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
from botkit.connectors.http.excerpt import shown_status
from botkit.connectors.http.patience import patience
from botkit.connectors.http.proxies import proxy_for
from botkit.connectors.http.replies import decode_body
from botkit.connectors.http.target import Target, parse_target, request_headers
from botkit.connectors.wiretapped import answered, show
from botkit.errors import ConnectorError, RemoteProtocolError
from botkit.genesys.guest_failures import refusal_of
from botkit.genesys.web_messaging import decode_history
from botkit.genesys.web_records import History
from botkit.interfaces import NetworkSettings, Wiretap

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
        network: how to reach the hosts.
        transport: carries the requests instead of sockets; it stays the caller's to close.
        origin: the Origin header, if one is wanted.
        wiretap: sees requests and replies.
    """

    __slots__ = ("_network", "_origin", "_transport", "_wiretap")

    def __init__(
        self,
        network: NetworkSettings,
        transport: httpx.AsyncBaseTransport | None,
        origin: str,
        wiretap: Wiretap | None = None,
    ) -> None:
        self._network = network
        self._transport = transport
        self._origin = origin
        self._wiretap = wiretap

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
        await self.request("PUT", url, {"Host": parse_target(url).netloc, **headers}, body)

    async def download(self, url: str, headers: Mapping[str, str]) -> bytes:
        """Fetch a file from where the service keeps it."""
        return await self.request("GET", url, {"Host": parse_target(url).netloc, **headers})

    async def request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes = b""
    ) -> bytes:
        """Do one request.

        Returns:
            The body of a reply of success.

        Raises:
            ChatError: the reply says something else; the code is the HTTP status.
            ConnectorError: there was no reply, or none in time.
            RemoteProtocolError: what came is not HTTP, or larger than allowed.
            ConfigError: the URL or the settings are unusable.
        """
        target = parse_target(url)
        if self._wiretap is None:
            return await self._in_time(method, target, headers, body)
        what = f"{method} {target.path}"
        show(self._wiretap, sent=True, what=what, data=body)
        reply = await answered(
            self._wiretap, what, lambda: self._in_time(method, target, headers, body)
        )
        show(self._wiretap, sent=False, what=f"success of {what}", data=reply)
        return reply

    async def _in_time(
        self, method: str, target: Target, headers: Mapping[str, str], body: bytes
    ) -> bytes:
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
    ) -> bytes:
        # httpx is imported where it is needed alone: it costs a command 50 ms of start-up.
        import httpx

        from botkit.connectors.http.over_httpx import NO_LIMITS, httpx_failure, own_transport

        proxy = None if self._transport is not None else proxy_for(target, self._network)
        transport = self._transport or own_transport(proxy, self._network)
        request = httpx.Request(
            method, target.url, headers=dict(headers), content=body, extensions=NO_LIMITS
        )
        try:
            return await self._reply(transport, request, target)
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:
            raise httpx_failure(error, target.origin, proxy) from error
        except RemoteProtocolError as error:
            raise RemoteProtocolError(f"{target.origin}: {error}") from error
        finally:
            if self._transport is None:
                with trio.CancelScope(shield=True, deadline=trio.current_time() + CLOSE_LIMIT):
                    await transport.aclose()

    async def _reply(
        self, transport: httpx.AsyncBaseTransport, request: httpx.Request, target: Target
    ) -> bytes:
        from botkit.connectors.http.bodies import read_body

        reply = await transport.handle_async_request(request)
        body = await read_body(reply, self._network.max_reply_bytes)
        encoding = reply.headers.get("content-encoding", "")
        body = decode_body(body, encoding, self._network.max_reply_bytes)
        if not 200 <= reply.status_code < 300:
            text = body[:MAX_TEXT].decode("utf-8", "replace")
            where = target.origin + target.path
            status = shown_status(reply.status_code, reply.headers)
            raise refusal_of(
                reply.status_code,
                f"{where} answered with {status}: {text}".rstrip(": "),
                wait=patience(reply.headers),
            )
        return body


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
