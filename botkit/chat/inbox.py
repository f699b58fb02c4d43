"""Order and read position of what arrives in a chat.

Theory of operation. Events are appended when they are read off the wire, whether or not anybody
waits, so nothing is missed between two steps. There is one read position for messages and one
for each other kind of event (a *lane*): an expectation of a message passes over messages, never
over a notice that a later step waits for. Taking an event moves the read position of its lane
behind it; what lay before it was passed over and is handed out with it, for the evidence.

The echo of the customer's own lines and history are never kept: they satisfy no expectation.

A :class:`Wait` remembers how far it has looked, so that each event is tried once against it, and
an event stamped after its deadline never fits: an event stamped at or before the deadline beats
the deadline, whoever noticed what first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from botkit.chat.events import Event, Message, Other, is_own
from botkit.errors import InboxOverflow

Predicate = Callable[[Event], bool]

MAX_EVENTS = 10_000
MAX_BYTES = 8_000_000
EVENT_OVERHEAD = 200
"""What an event costs besides its text, in bytes, roughly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """An event that was consumed, and the events of its lane that were passed over for it."""

    event: Event
    passed_over: tuple[Event, ...] = ()


class _Lane:
    """The unread events of one kind; ``base`` is the absolute number of ``unread[0]``."""

    __slots__ = ("base", "unread")

    def __init__(self) -> None:
        self.base = 0
        self.unread: list[Event] = []

    def cut(self, number: int) -> list[Event]:
        """Move the read position behind the event of this absolute number."""
        count = number - self.base + 1
        gone, self.unread = self.unread[:count], self.unread[count:]
        self.base += count
        return gone


class Inbox:
    """Keeps what arrived and was not read yet, in order.

    Args:
        max_events: how many unread events it may hold.
        max_bytes: how much text they may hold together, roughly.
    """

    __slots__ = ("_bytes", "_events", "_lanes", "_max_bytes", "_max_events")

    def __init__(self, *, max_events: int = MAX_EVENTS, max_bytes: int = MAX_BYTES) -> None:
        self._lanes: dict[type[Event], _Lane] = {}
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._events = 0
        self._bytes = 0

    def append(self, event: Event) -> bool:
        """Keep an event, unless it can satisfy no expectation.

        Returns:
            True if it was kept.

        Raises:
            InboxOverflow: more is unread than the inbox may hold.
        """
        if event.history or type(event) is Other or is_own(event):
            return False
        self._events += 1
        self._bytes += size_of(event)
        if self._events > self._max_events or self._bytes > self._max_bytes:
            raise InboxOverflow(
                f"{self._events} events ({self._bytes} bytes) arrived and were not read;"
                f" the limit is {self._max_events} events or {self._max_bytes} bytes"
            )
        self._lane(type(event)).unread.append(event)
        return True

    def wait(
        self,
        fits: Predicate,
        *,
        kinds: Iterable[type[Event]] = (Message,),
        until: float | None = None,
    ) -> Wait:
        """Begin to wait for the first unread event of these kinds that fits.

        Args:
            fits: called once for each event, in order; it must not change the inbox.
            kinds: the kinds of event to look at.
            until: the deadline on the loop's clock; later events never fit.
        """
        return Wait(self, fits, tuple(kinds), until)

    def unread(self, kind: type[Event] = Message) -> tuple[Event, ...]:
        """Show what is unread of one kind, oldest first."""
        lane = self._lanes.get(kind)
        return tuple(lane.unread) if lane else ()

    def all_unread(self) -> tuple[Event, ...]:
        """Show what is unread of all kinds, oldest first."""
        unread = (event for lane in self._lanes.values() for event in lane.unread)
        return tuple(sorted(unread, key=lambda event: event.seq))

    def skip(self, kind: type[Event], seq: int) -> tuple[Event, ...]:
        """Count all events of a kind up to this number as read; returns them."""
        lane = self._lanes.get(kind)
        if lane is None:
            return ()
        count = sum(1 for event in lane.unread if event.seq <= seq)
        return tuple(self._cut(lane, lane.base + count - 1)) if count else ()

    def _lane(self, kind: type[Event]) -> _Lane:
        lane = self._lanes.get(kind)
        if lane is None:
            lane = self._lanes[kind] = _Lane()
        return lane

    def _cut(self, lane: _Lane, number: int) -> list[Event]:
        gone = lane.cut(number)
        self._events -= len(gone)
        self._bytes -= sum(size_of(event) for event in gone)
        return gone


class Wait:
    """One expectation on an inbox: ask it again whenever something has arrived."""

    __slots__ = ("_fits", "_inbox", "_looked", "_until")

    def __init__(
        self, inbox: Inbox, fits: Predicate, kinds: tuple[type[Event], ...], until: float | None
    ) -> None:
        self._inbox = inbox
        self._fits = fits
        self._until = until
        # Absolute number of the next event to look at, for each lane.
        self._looked = {kind: inbox._lane(kind).base for kind in kinds}

    def poll(self) -> Taken | None:
        """Take the first event that fits; None if there is none yet."""
        found = self._first()
        if found is None:
            return None
        kind, number, event = found
        *passed_over, _ = self._inbox._cut(self._inbox._lane(kind), number)
        return Taken(event=event, passed_over=tuple(passed_over))

    def peek(self) -> Event | None:
        """Find the first event that fits, and leave it unread; None if there is none yet."""
        found = self._first()
        return None if found is None else found[2]

    def _first(self) -> tuple[type[Event], int, Event] | None:
        while (found := self._next()) is not None:
            kind, number, event = found
            self._looked[kind] = number + 1
            if self._fits(event):
                return found
        return None

    def _next(self) -> tuple[type[Event], int, Event] | None:
        """Find the oldest event that was not looked at yet, over all lanes."""
        best: tuple[type[Event], int, Event] | None = None
        for kind, looked in self._looked.items():
            lane = self._inbox._lane(kind)
            number = max(looked, lane.base)
            if number - lane.base >= len(lane.unread):
                continue
            event = lane.unread[number - lane.base]
            if self._until is not None and event.at > self._until:
                continue
            if best is None or event.seq < best[2].seq:
                best = (kind, number, event)
        return best


def size_of(event: Event) -> int:
    """Estimate the memory of an event, in bytes."""
    text = getattr(event, "text", None) or getattr(event, "url", None)
    return EVENT_OVERHEAD + (len(text) if text else 0)
