"""When to ask again: fast while something goes on, slower while nothing does. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["Backoff", "Pace", "RestTimes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often a service is polled; times in seconds.

    Attributes:
        shortest: between two polls of a lively chat.
        longest: between two polls of a quiet one; far below the time after which the service drops
            who does not ask.
        patience: the interval is this part of how long it has been quiet.
        spread: intervals are shortened by up to this part, so that chats do not poll in step.
    """

    shortest: float = 0.3
    longest: float = 5.0
    patience: float = 0.25
    spread: float = 0.1

    def interval(self, quiet: float, jitter: float) -> float:
        """Give the time to the next poll.

        Args:
            quiet: how long nothing has happened: no event, no command.
            jitter: from 0 to 1.
        """
        plain = min(max(self.shortest, quiet * self.patience), self.longest)
        return plain * (1.0 - self.spread * jitter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """How long to wait after failures in a row; times in seconds.

    Half of each wait is left to chance: who was lost together does not come back together.
    """

    first: float = 0.25
    longest: float = 10.0

    def wait(self, failures: int, jitter: float) -> float:
        """Give the wait after so many failures (1 or more)."""
        # The exponent is bounded, or an outage of days would overflow.
        plain = min(self.first * 2.0 ** min(failures - 1, 30), self.longest)
        return plain * (0.5 + 0.5 * jitter)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestTimes:
    """The times of a chat that polls.

    Attributes:
        reply_within: how long an answer may take, seconds.
    """

    pace: Pace = field(default_factory=Pace)
    backoff: Backoff = field(default_factory=Backoff)
    reply_within: float = 10.0
