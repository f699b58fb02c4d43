"""Times in which nothing is played and nobody paged: of the file, or begun by hand; pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from botkit.monitor.contract import Maintenance


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A maintenance that the file knows of.

    Attributes:
        begin, end: epoch seconds.
        monitors: the names of those that it is for; empty for all.
        because: what is written beside it.
    """

    begin: float
    end: float
    monitors: frozenset[str] = frozenset()
    because: str = ""


class Maintenances:
    """Knows what is under maintenance.

    Args:
        planned: what the file says; may be changed at any time.
        by_hand: what was begun by hand before.
    """

    def __init__(self, planned: Iterable[Window] = (), by_hand: Iterable[Maintenance] = ()) -> None:
        self.planned = tuple(planned)
        self._by_hand = {maintenance.monitor: maintenance for maintenance in by_hand}

    def begin(self, maintenance: Maintenance) -> None:
        """Begin one by hand, or change the one that goes on."""
        self._by_hand[maintenance.monitor] = maintenance

    def end(self, monitor: str | None) -> None:
        """End one that was begun by hand.

        Raises:
            KeyError: none was.
        """
        del self._by_hand[monitor]

    def by_hand(self, now: float) -> list[Maintenance]:
        """Show those that were begun by hand and go on."""
        self._by_hand = {
            name: maintenance
            for name, maintenance in self._by_hand.items()
            if maintenance.until_utc > now
        }
        return list(self._by_hand.values())

    def going_on(self, now: float) -> list[Maintenance]:
        """Show all that go on; one of the file for several monitors is shown for each."""
        planned = [
            Maintenance(monitor=name, until_utc=window.end, because=window.because)
            for window in self.planned
            if window.begin <= now < window.end
            for name in sorted(window.monitors) or (None,)
        ]
        return [*planned, *self.by_hand(now)]

    def of(self, monitor: str, now: float) -> Maintenance | None:
        """Give the one that a monitor is under, the longest first; None if it is under none."""
        own = [m for m in self.going_on(now) if m.monitor in {None, monitor}]
        return max(own, key=lambda m: m.until_utc, default=None)
