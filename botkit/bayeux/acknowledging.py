"""The acknowledgement extension, both halves: what a server delivers is lost only with its session.

Theory of operation
-------------------
Where client and server agree on it at the handshake, everything is delivered with the replies to
connects, and the server numbers these: the number of a reply is its *batch*. Each connect tells
the last batch that was read, and the server keeps what it has sent until it is told so. What it
was not told of, it sends again, before anything new and under the number of the next reply.

So a client may see a message again if it has read it without its batch: the reply of a connect
failed or came without a number, or its connection broke between the frame of a message and the
frame of the reply. From then on the client says the same batch once more, and knows what will
come: that which it has read since, in the same order. As far as it comes like this it is a
repetition. A number says more, that of the batch which was read last: nothing in it is new; nor is
anything that comes with a second reply to a connect.

The extension promises nothing about what a client sends.

Source: CometD, "Message Acknowledgment Extension"; its ``AckExtension``,
``AcknowledgedMessagesSessionExtension`` and ``BatchArrayQueue``; the same in its Node server.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence

from botkit.bayeux.advice import JSON
from botkit.bayeux.messages import CONNECT, Message

__all__ = ["ACK", "ReceivedBatches", "SentBatches", "answers"]

ACK = "ack"
"""The member of ``ext``: true in the handshake, a batch in connects."""

Ext = Mapping[str, JSON] | None

MAX_UNCONFIRMED = 10_000
"""Messages since the last batch; a server that numbers none of its replies is not kept up with."""


def batch_in(ext: Ext) -> int | None:
    """Read the batch of a connect or of its reply; None if there is none."""
    batch = ext.get(ACK) if ext is not None else None
    return batch if type(batch) is int else None


def answers(reply: Message, asked: Message) -> bool:
    """Whether this is the reply to a handshake or connect; some servers repeat no id."""
    return reply.channel == asked.channel and reply.id in (asked.id, None)


class ReceivedBatches:
    """What one session has read, for the client.

    Args:
        batch: the last one; 0 for none.

    Attributes:
        batch: the last one that was read, to be told with the next connect.
    """

    __slots__ = ("_awaited", "_is_read", "_unconfirmed", "batch")

    def __init__(self, batch: int = 0) -> None:
        self.batch = batch
        # What was read since then, and what of it will be repeated first, from the end.
        self._unconfirmed: list[tuple[str, JSON]] = []
        self._awaited: list[tuple[str, JSON]] = []
        # The body or frame at hand holds nothing new.
        self._is_read = False

    @classmethod
    def agreed(cls, ext: Ext) -> ReceivedBatches | None:
        """Read the server's part of the agreement in its handshake reply; None if there is none.

        Args:
            ext: has ``ack``: true, or an object with "enabled" (boolean) and "batch" (number of
                what was delivered together with the handshake reply).
        """
        answer = ext.get(ACK) if ext is not None else None
        if type(answer) is dict and answer.get("enabled") is True:
            batch = answer.get("batch")
            return cls(batch if type(batch) is int else 0)
        return cls() if answer is True else None

    def tell(self) -> dict[str, JSON]:
        """Return what a connect says in its ``ext``; what was not told before will be repeated."""
        self._awaited = self._unconfirmed[::-1]
        return {ACK: self.batch}

    def begin(self, messages: Sequence[Message], asked: Message | None) -> None:
        """Look at a body or frame before its messages are taken one by one.

        Args:
            messages: what is in it.
            asked: the connect that is under way. A reply to any other is a second one, and since
                its batch will not be told, what comes with it comes again if it is new.
        """
        self._is_read = any(
            message.channel == CONNECT
            and (batch := batch_in(message.ext)) is not None
            and (batch == self.batch > 0 or asked is None or not answers(message, asked))
            for message in messages
        )

    def repeats(self, channel: str, data: JSON) -> bool:
        """Whether a message that was delivered is one that was read before."""
        if self._is_read:
            return True
        message = (channel, data)
        if self._awaited:
            if self._awaited[-1] == message:
                self._awaited.pop()
                return True
            # The server does not repeat, so what follows is new whatever it looks like.
            self._awaited.clear()
        if len(self._unconfirmed) >= MAX_UNCONFIRMED:
            self._unconfirmed.clear()
        self._unconfirmed.append(message)
        return False

    def end(self, reply: Message | None) -> None:
        """Finish a body or frame; all that was in it belongs to the batch of the reply.

        Args:
            reply: to the connect that was under way, if it was in there. Only the batches of
                successful ones count.
        """
        batch = batch_in(reply.ext) if reply is not None and reply.successful else None
        if batch is not None:
            self.batch = batch
            self._unconfirmed.clear()
            self._awaited.clear()


class SentBatches:
    """What one session was sent, for the server.

    Attributes:
        batch: the last one.
    """

    __slots__ = ("_kept", "batch")

    def __init__(self) -> None:
        self.batch = 0
        # With the batch in which each was sent for the first time.
        self._kept: deque[tuple[int, Message]] = deque()

    def __len__(self) -> int:
        """Tell how many messages were not confirmed."""
        return len(self._kept)

    @classmethod
    def asked(cls, ext: Ext) -> SentBatches | None:
        """Read whether a handshake asks for it."""
        return cls() if ext is not None and ext.get(ACK) is True else None

    def confirm(self, ext: Ext) -> None:
        """Take what a connect tells; it may tell nothing."""
        batch = batch_in(ext)
        while batch is not None and self._kept and self._kept[0][0] <= batch:
            self._kept.popleft()

    def send(self, messages: Sequence[Message]) -> list[Message]:
        """Begin the next batch; returns its messages, those first that were not confirmed."""
        self.batch += 1
        self._kept.extend((self.batch, message) for message in messages)
        return [message for _, message in self._kept]
