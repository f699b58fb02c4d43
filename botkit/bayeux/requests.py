"""The requests of a client: how they are built, and which of them a reply answers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count

from botkit.bayeux.advice import JSON, Advice
from botkit.bayeux.messages import CONNECT, HANDSHAKE, Message, is_meta
from botkit.errors import LocalProtocolError

__all__ = ["Pending", "Requests"]

Ext = dict[str, JSON] | None


@dataclass(frozen=True, slots=True)
class Pending:
    """A message beside the connect loop that waits for its reply."""

    channel: str
    client_id: str


class Requests:
    """Builds messages, each with an id of its own, and remembers those beside the connect loop.

    Args:
        limit: so many may wait for their replies; beyond it the oldest is forgotten.
    """

    __slots__ = ("_ids", "_limit", "_pending")

    def __init__(self, limit: int) -> None:
        self._ids = count(1)
        self._limit = limit
        self._pending: dict[str, Pending] = {}

    def handshake(self, connection_types: tuple[str, ...], ext: Ext) -> Message:
        """Build a handshake."""
        return Message(
            channel=HANDSHAKE,
            id=str(next(self._ids)),
            version="1.0",
            minimum_version="1.0",
            supported_connection_types=connection_types,
            ext=ext,
        )

    def connect(
        self, client_id: str | None, connection_type: str, ext: Ext, *, held: bool
    ) -> Message:
        """Build a connect; one that is not to be held returns at once."""
        return Message(
            channel=CONNECT,
            id=str(next(self._ids)),
            client_id=client_id,
            connection_type=connection_type,
            advice=None if held else Advice(timeout=0.0),
            ext=ext,
        )

    def publish(self, client_id: str | None, channel: str, data: JSON) -> Message:
        """Build a publish.

        Raises:
            LocalProtocolError: there is no session, or nobody may publish to this channel.
        """
        if not channel.startswith("/") or is_meta(channel):
            raise LocalProtocolError(f"nobody can publish to the channel {channel!r}")
        if data is None:
            raise LocalProtocolError("a publish carries data")
        return self.beside(client_id, channel, data=data)

    def beside(
        self,
        client_id: str | None,
        channel: str,
        *,
        data: JSON = None,
        subscription: tuple[str, ...] | None = None,
    ) -> Message:
        """Build a message that goes beside the connect loop, and wait for its reply.

        Raises:
            LocalProtocolError: there is no session, or nothing is subscribed to.
        """
        if client_id is None:
            raise LocalProtocolError("there is no session")
        if subscription == ():
            raise LocalProtocolError("a subscription names at least one channel")
        if len(self._pending) >= self._limit:
            del self._pending[next(iter(self._pending))]
        id = str(next(self._ids))
        self._pending[id] = Pending(channel, client_id)
        return Message(
            channel=channel, id=id, client_id=client_id, data=data, subscription=subscription
        )

    def forget(self, message: Message) -> None:
        """Stop waiting for a reply."""
        self._pending.pop(str(message.id), None)

    def take(self, reply: Message) -> tuple[str, Pending] | None:
        """Return what a reply answers, with its id, and stop waiting for it; None for nothing."""
        id = self._find(reply)
        return None if id is None else (id, self._pending.pop(id))

    def _find(self, reply: Message) -> str | None:
        """Find it by id, or by channel where the server repeats no id."""
        if reply.id is not None:
            known = self._pending.get(reply.id)
            return reply.id if known is not None and known.channel == reply.channel else None
        return next(
            (id for id, pending in self._pending.items() if pending.channel == reply.channel), None
        )
