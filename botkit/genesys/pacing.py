"""How often something may be sent. Pure.

Source: web messaging takes 2 messages a second of a session, since December 2023; typing and
other events are messages, too.
"""

from __future__ import annotations

from collections import deque

MARGIN = 0.05
"""Part of the time that is waited beyond what is asked for: a network is not even."""


class Pace:
    """Spreads what is sent: no more than ``rate`` in any second.

    A burst is allowed as far as the rate allows it: of 2 a second, two go at once.

    Args:
        rate: sends a second.
    """

    __slots__ = ("_not_before", "_sent", "_span")

    def __init__(self, rate: float) -> None:
        burst = max(1, int(rate))
        self._span = burst / rate * (1 + MARGIN)
        self._sent: deque[float] = deque(maxlen=burst)
        self._not_before = 0.0

    def next_at(self) -> float:
        """Say when the next one may go."""
        full = len(self._sent) == self._sent.maxlen
        return max(self._not_before, self._sent[0] + self._span if full else 0.0)

    def sent(self, now: float) -> None:
        """Take note that one goes."""
        self._sent.append(now)

    def hold_until(self, when: float) -> None:
        """Let none go before that: the service has asked for it."""
        self._not_before = max(self._not_before, when)
