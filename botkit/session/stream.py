"""Events on their way from a connector to somebody who reads them at leisure."""

from __future__ import annotations

from collections.abc import Iterable

import trio

from botkit.chat import Event
from botkit.chat.inbox import MAX_EVENTS
from botkit.errors import InboxOverflow


class Stream:
    """A bounded queue of events for one reader; filled without waiting."""

    __slots__ = ("_lot", "_waiting")

    def __init__(self, events: Iterable[Event] = ()) -> None:
        self._waiting: list[Event] = list(events)
        self._lot = trio.lowlevel.ParkingLot()

    def push(self, event: Event) -> None:
        """Add an event.

        Raises:
            InboxOverflow: nobody reads, and too much has come.
        """
        self._waiting.append(event)
        if len(self._waiting) > MAX_EVENTS:
            raise InboxOverflow(f"{len(self._waiting)} events arrived and were not read")
        if self._lot:
            self._lot.unpark_all()

    async def next_events(self) -> list[Event]:
        """Wait until there is at least one event; give all there are, in order."""
        if self._waiting:
            await trio.lowlevel.checkpoint()
        while not self._waiting:
            await self._lot.park()
        events, self._waiting = self._waiting, []
        return events
