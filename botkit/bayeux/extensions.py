"""What a client has agreed on with its server beyond the protocol itself."""

from __future__ import annotations

from collections.abc import Sequence

from botkit.bayeux.acknowledging import ACK, ReceivedBatches, answers
from botkit.bayeux.advice import JSON
from botkit.bayeux.config import ClientConfig
from botkit.bayeux.messages import HANDSHAKE, Message
from botkit.bayeux.timesync import ClockSamples

__all__ = ["ClientExtensions"]


class ClientExtensions:
    """The extensions of one client: offered with each handshake, used where they are accepted.

    Args:
        config: which of them are offered.
        batch: the last batch that was read of a session that is resumed; None if it has none.

    Attributes:
        batches: what the present session has read; None where the server acknowledges nothing.
        clock: the server's, as far as it tells.
    """

    __slots__ = ("_config", "_syncs", "batches", "clock")

    def __init__(self, config: ClientConfig, batch: int | None) -> None:
        self._config = config
        self.batches = None if batch is None else ReceivedBatches(batch)
        self.clock = ClockSamples() if config.timesync else None
        # Who has told the time once is asked again; an answer may be missing.
        self._syncs = False

    def offer(self, now: float) -> dict[str, JSON] | None:
        """Return the ``ext`` of a handshake."""
        ext = dict(self._config.ext or {})
        if self._config.ack:
            ext[ACK] = True
        if self.clock is not None:
            ext |= self.clock.ask(now)
        return ext or None

    def connect(self, now: float) -> dict[str, JSON] | None:
        """Return the ``ext`` of a connect."""
        ext = self.batches.tell() if self.batches is not None else None
        if self._syncs and self.clock is not None:
            ext = {**(ext or {}), **self.clock.ask(now)}
        return ext

    def answered(self, reply: Message, now: float) -> None:
        """Take the reply to a handshake or connect."""
        if reply.ext is not None and self.clock is not None and self.clock.take(reply.ext, now):
            self._syncs = True
        if reply.channel == HANDSHAKE and reply.successful and self._config.ack:
            self.batches = ReceivedBatches.agreed(reply.ext)

    def begin(self, messages: Sequence[Message], asked: Message | None) -> None:
        """Look at a body or frame before its messages are taken one by one.

        Args:
            messages: what is in it.
            asked: the connect loop's request that is under way.
        """
        if self.batches is not None:
            self.batches.begin(messages, asked)

    def repeats(self, channel: str, data: JSON) -> bool:
        """Whether a message that was delivered is one that was read before."""
        return self.batches is not None and self.batches.repeats(channel, data)

    def end(self, messages: Sequence[Message], asked: Message | None) -> None:
        """Finish a body or frame, whose beginning was told in the same words."""
        if self.batches is not None and asked is not None:
            self.batches.end(next((m for m in messages if answers(m, asked)), None))

    def end_session(self) -> None:
        """Forget what the session that is over has read."""
        self.batches = None
