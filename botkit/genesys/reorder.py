"""A moment of patience with messages that overtake each other. Pure.

Theory of operation. What comes is held for a moment and handed out in the order of its stamps:
when one has waited long enough, everything with an earlier stamp goes before it. What comes later
than that cannot be put right any more and is handed out as it comes. A window that is *paused*
hands out nothing: somebody is looking for what has to go before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held(Generic[T]):
    """Something that waits.

    Attributes:
        stamp: where it belongs.
        number: what came first goes first, if the stamps say nothing.
        at: when it was read, seconds.
    """

    stamp: float
    number: int
    at: float
    item: T

    @property
    def key(self) -> tuple[float, int]:
        """Its place in the order."""
        return self.stamp, self.number


class ReorderWindow(Generic[T]):
    """Holds what comes for a moment.

    Args:
        patience: seconds; 0 hands out everything as it comes.

    Attributes:
        is_paused: nothing is handed out.
    """

    __slots__ = ("_held", "_latest", "_number", "_patience", "is_paused")

    def __init__(self, patience: float) -> None:
        self.is_paused = False
        self._patience = patience
        self._held: list[Held[T]] = []
        self._number = 0
        self._latest = -math.inf

    @property
    def due_at(self) -> float | None:
        """When something will have waited long enough; None if nothing does."""
        if self.is_paused or not self._held:
            return None
        return min(held.at for held in self._held) + self._patience

    def add(self, item: T, *, stamp: float | None, now: float, last: bool = False) -> None:
        """Hold something.

        Args:
            stamp: where it belongs; None puts it behind what has come so far.
            last: with no stamp, put it behind all that comes within its time, too.
        """
        if stamp is None:
            stamp = math.inf if last else self._latest
        elif stamp > self._latest:
            self._latest = stamp
        self._number += 1
        self._held.append(Held(stamp=stamp, number=self._number, at=now, item=item))

    def take(self, now: float) -> list[Held[T]]:
        """Hand out what has waited long enough, and whatever goes before it."""
        if self.is_paused:
            return []
        due = [held.key for held in self._held if held.at + self._patience <= now]
        return self._take_through(max(due)) if due else []

    def take_through(self, stamp: float) -> list[Held[T]]:
        """Hand out everything up to a stamp: what goes before it is known to be here."""
        return self._take_through((stamp, self._number))

    def take_all(self) -> list[Held[T]]:
        """Hand out everything."""
        return self._take_through((math.inf, self._number))

    def _take_through(self, key: tuple[float, int]) -> list[Held[T]]:
        taken = sorted((held for held in self._held if held.key <= key), key=lambda held: held.key)
        if taken:
            self._held = [held for held in self._held if held.key > key]
        return taken
