"""The chat service as a channel of a Bayeux session: what is published, and what became of it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from botkit.bayeux import client as bayeux
from botkit.bayeux.messages import JSON, parse_error
from botkit.connectors.bayeux_link import BayeuxLink
from botkit.connectors.waiting import Waiting
from botkit.errors import ChatError, ConnectorError, RemoteProtocolError

__all__ = ["ChatChannel"]

log = logging.getLogger(__name__)


class ChatChannel:
    """Publishes to one channel.

    Args:
        link: runs the Bayeux session.
        name: the channel.
        waiting: woken whenever anything has happened to the Bayeux session.
        on_doubt: called when a message may have arrived and its reply was lost, with whatever was
            pushed in it; must not wait.
    """

    __slots__ = ("_link", "_on_doubt", "_waiting", "name")

    def __init__(
        self, link: BayeuxLink, name: str, waiting: Waiting, on_doubt: Callable[[], None]
    ) -> None:
        self.name = name
        self._link = link
        self._waiting = waiting
        self._on_doubt = on_doubt

    async def publish(self, data: Mapping[str, JSON], *, subscribing: bool = False) -> bool:
        """Publish to the chat service.

        Returns:
            False if it surely was not accepted, for its session was gone. By then it is known
            what follows from that: another session, or none any more.

        Raises:
            ChatError: the server refused it.
            ConnectorError, RemoteProtocolError: as ``BayeuxLink.call``.
            LocalProtocolError: there is no session.
        """
        client = self._link.client
        subscribes = [client.subscribe(self.name)] if subscribing else []
        publish = client.publish(self.name, dict(data))
        try:
            acks = await self._link.call(*subscribes, publish)
        except (ConnectorError, RemoteProtocolError) as error:
            if isinstance(error, RemoteProtocolError) or error.sent:
                self._on_doubt()
            raise
        for subscribe in subscribes:
            self._warn_if_unsubscribed(acks.get(str(subscribe.id)))
        ack = acks.get(str(publish.id))
        if ack is None or ack.successful:
            return True
        if not ack.unknown_session:
            raise ChatError(*_code_and_text(ack))
        await self._waiting.until(lambda: not client.in_doubt)
        return False

    def _warn_if_unsubscribed(self, ack: bayeux.Acknowledged | None) -> None:
        if ack is not None and not ack.successful and not ack.unknown_session:
            # faye refuses it, and serves the chat all the same.
            log.warning("the server refused to subscribe %s: %s", self.name, ack.error)


def _code_and_text(ack: bayeux.Acknowledged) -> tuple[int | None, str]:
    text = ack.error or "the server refused without a reason"
    return parse_error(text).code, text
