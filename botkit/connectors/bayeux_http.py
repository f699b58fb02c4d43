"""Bayeux messages over HTTP long polling: a request for a reply."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import trio

from botkit.bayeux.messages import Codec, Message, decode, encode
from botkit.connectors.bayeux_line import Take
from botkit.connectors.http import Http, HttpReply, Lane
from botkit.connectors.http.excerpt import shown, shown_status
from botkit.connectors.http.patience import patience
from botkit.errors import BotkitError, ConnectorError, RemoteProtocolError

__all__ = ["HttpLine"]

PROXY_REFUSES = 407
"""A status that only proxies give."""


class HttpLine:
    """The :class:`~botkit.connectors.bayeux_line.Line` over the two connections of a chat.

    Args:
        http: the connections; closing them stays with the caller.
        codec: reads and writes JSON.
        take: takes what comes.
    """

    __slots__ = ("_codec", "_http", "_take")

    is_open = True

    def __init__(self, http: Http, codec: Codec, take: Take) -> None:
        self._http = http
        self._codec = codec
        self._take = take

    @property
    def url(self) -> str:
        return self._http.url

    async def exchange(
        self, messages: Sequence[Message], answered: Callable[[], bool], *, lane: Lane
    ) -> None:
        reply = await self._http.post("", encode(messages, self._codec), lane=lane)
        self._take(self._read(reply))
        if lane is Lane.POLL and not answered():
            what = messages[0].channel.removeprefix("/meta/")
            raise RemoteProtocolError(f"{self.url} did not answer the {what}: {shown(reply.body)}")

    async def listen(self) -> None:
        await trio.sleep_forever()

    async def give_up(self, error: BotkitError) -> None:
        # The exchange was cancelled, and so gave up its connection already.
        await trio.lowlevel.checkpoint()

    def _read(self, reply: HttpReply) -> list[Message]:
        """Read a reply; whatever is not 200 with Bayeux in it is a failure of the transport.

        Source: CometD clients treat HTTP errors and invalid JSON as transport failures.
        """
        if reply.status != 200:
            raise ConnectorError(
                f"{self.url} answered with {shown_status(reply.status, reply.headers)}:"
                f" {shown(reply.body)}",
                kind="proxy" if reply.status == PROXY_REFUSES else "http",
                retry_after=patience(reply.headers),
            )
        try:
            return decode(reply.body, self._codec)
        except RemoteProtocolError as error:
            raise RemoteProtocolError(
                f"{self.url} answered with something that is not Bayeux ({error}):"
                f" {shown(reply.body)}"
            ) from error
