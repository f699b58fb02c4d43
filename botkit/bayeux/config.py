"""What a client is told once."""

from __future__ import annotations

from dataclasses import dataclass

from botkit.bayeux.advice import DEFAULT_ADVICE, JSON, Advice

__all__ = ["ClientConfig"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientConfig:
    """What a client is told once; times in seconds.

    Args:
        connection_type: what the first requests go over; ``long-polling`` or ``websocket``.
        supported_connection_types: what the handshake offers; ``Client.use`` changes among them.
        max_network_delay: a reply that is not held may take so long.
        backoff_increment: each failure in a row adds so much to the wait before the next attempt.
        max_backoff: and never more than this.
        advice: holds where the server advises nothing.
        ack: offer the acknowledgement extension.
        timesync: offer the time synchronisation extension.
        ext: goes with every handshake as well.
        max_pending: so many publishes may wait for their acknowledgement; the oldest is forgotten.

    Source: the defaults of CometD's Java client.
    """

    connection_type: str = "long-polling"
    supported_connection_types: tuple[str, ...] = ("long-polling",)
    max_network_delay: float = 10.0
    backoff_increment: float = 1.0
    max_backoff: float = 30.0
    advice: Advice = DEFAULT_ADVICE
    ack: bool = True
    timesync: bool = True
    ext: dict[str, JSON] | None = None
    max_pending: int = 1_000
