"""What is known of services where nobody is paged: the last check says it."""

from __future__ import annotations

from botkit.monitor.contract import Check, Health
from botkit.results import Verdict

HEALTH = {
    Verdict.PASSED: Health.UP,
    Verdict.DEGRADED: Health.DEGRADED,
    Verdict.FAILED: Health.DOWN,
}


class LatestDecides:
    """Goes by the last check that says anything about the service."""

    def __init__(self) -> None:
        self._health: dict[str, Health] = {}

    def decide(self, check: Check) -> Health:
        """Say what is known; what is no verdict on the service changes nothing."""
        before = self._health.get(check.monitor, Health.UNKNOWN)
        health = self._health[check.monitor] = HEALTH.get(check.result.verdict, before)
        return health

    def forget(self, monitor: str) -> None:
        """Know a monitor no more."""
        self._health.pop(monitor, None)

    def state(self) -> None:
        """Remember nothing: the next check tells it anew."""
