"""When a client's connect loop may ask again: the server's advice, and our own backoff."""

from __future__ import annotations

from collections.abc import Callable

from botkit.bayeux.advice import Advice, Reconnect
from botkit.bayeux.config import ClientConfig

__all__ = ["Pace"]

COURTESY = 0.1
"""Seconds that the first connect of a hurried session leaves to who has hurried it."""
STEADY = 10.0
"""Seconds after which a session that is lost was none that died young."""


class Pace:
    """Counts failures and keeps the advice of one client.

    Args:
        config: times, and what holds where the server advises nothing.
        jitter: returns a number from 0 to 1; it spreads the backoff.

    Attributes:
        advice: what is in force, complete.
        not_before: the next request is not due earlier.
    """

    __slots__ = (
        "_began",
        "_config",
        "_earliest",
        "_failures",
        "_hurried",
        "_jitter",
        "_short_lives",
        "_told",
        "_unconnected_since",
        "advice",
        "not_before",
    )

    def __init__(self, config: ClientConfig, jitter: Callable[[], float]) -> None:
        self._config = config
        self._jitter = jitter
        self._told: Advice | None = None
        self._failures = 0
        # When the session began, and how many in a row have died young.
        self._began = float("-inf")
        self._short_lives = 0
        self._unconnected_since: float | None = None
        self.advice = config.advice
        self.not_before = float("-inf")
        # The same without what is waited of our own accord.
        self._earliest = float("-inf")
        self._hurried = False

    @property
    def interval(self) -> float:
        """The wait between requests that the server asked for."""
        return max(0.0, self.advice.interval or 0.0)

    @property
    def must_stop(self) -> bool:
        """Whether the server forbids the next connect; a negative interval does so as well."""
        return self.advice.reconnect is Reconnect.NONE or (self.advice.interval or 0.0) < 0

    @property
    def asks_for_handshake(self) -> bool:
        """Whether the server wants a new session."""
        return self.advice.reconnect is Reconnect.HANDSHAKE

    def heed(self, advice: Advice | None, connection_type: str) -> None:
        """Let new advice replace the old; what it leaves open falls back to our configuration."""
        if advice is not None:
            self._told = advice
            self.switch(connection_type)

    def switch(self, connection_type: str) -> None:
        """Let the advice for another connection type hold."""
        if self._told is not None:
            self.advice = self._told.on(connection_type).over(self._config.advice)

    def begin(self, now: float) -> None:
        """Go on with a new session."""
        # Without this, a server that gives no advice here would be asked for handshakes forever.
        if self.asks_for_handshake:
            self._told = None
            self.advice = Advice(reconnect=Reconnect.RETRY).over(self.advice)
        self._unconnected_since = None
        self._began = now
        self.rest(now)
        if self._hurried:
            self._hurried = False
            self.not_before += COURTESY

    def succeed(self, now: float) -> None:
        """Go on after a connect that succeeded."""
        self._failures = 0
        self._unconnected_since = None
        self._hurried = False
        self.rest(now)

    def rest(self, now: float) -> None:
        """Wait for as long as the server wants, which is mostly not at all."""
        self.not_before = self._earliest = now + self.interval

    def hurry(self) -> None:
        """Wait no longer than the server wants: somebody has no time left for backing off.

        Where sessions die young their first connect is what kills them, so who has hurried a new
        session may say their word before it.
        """
        self._hurried = True
        self.not_before = min(self.not_before, self._earliest)

    def back_off(self, now: float, asked: float = 0.0) -> None:
        """Wait the longer, the more has failed in a row.

        Args:
            asked: seconds that the server asked to be left alone for. All its clients were asked
                for the same, so the backoff comes on top. A goodbye does not wait for it: a chat
                that is left open would cost the server more.
        """
        self._failures += 1
        config = self._config
        backoff = min(self._failures * config.backoff_increment, config.max_backoff)
        self._earliest = now + self.interval
        self.not_before = self._earliest + asked + backoff * (0.5 + 0.5 * self._jitter())

    def begin_again(self, now: float) -> None:
        """Wait before the handshake that follows on the loss of a session that was in use.

        A server that drops all its sessions does so in one instant, and its clients must not come
        back in one; and a server that forgets each session soon must not be asked in a tight loop.
        """
        self._short_lives = 0 if now - self._began >= STEADY else self._short_lives + 1
        config = self._config
        backoff = min(max(0.5, self._short_lives) * config.backoff_increment, config.max_backoff)
        self._earliest = now + self.interval
        self.not_before = self._earliest + backoff * self._jitter()

    def is_overdue(self, now: float) -> bool:
        """Whether the server will have dropped the session before the next attempt."""
        if self._unconnected_since is None:
            self._unconnected_since = now
        advice = self.advice
        if not advice.max_interval or advice.max_interval < 0:
            return False
        patience = (advice.timeout or 0.0) + (advice.interval or 0.0) + advice.max_interval
        return self.not_before - self._unconnected_since > patience
