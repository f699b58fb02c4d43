"""The written record of a chat, as the customer's side saw it.

A line of the customer is written down when it is sent. Its echo, if the server sends one, adds
the server's index to that line instead of writing it twice.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, replace

from botkit.chat import events
from botkit.chat.events import Event, PartyKind
from botkit.masking import shortened
from botkit.records import quickly_made

MAX_ROWS = 10_000
MAX_LINE = 500
"""Characters of an event that evidence shows."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a transcript.

    Attributes:
        at: the loop's clock, seconds.
        who: the name to show; empty for what happened to the session itself.
        kind: the event's name (``message``, ``agent_connected``), or the server's word for it.
        party: what the one who did it is; None for the session itself.
        text: what to show.
        index: the server's index; None if it gave none (yet).
        utc: the server's stamp, epoch seconds; None if it gave none.
        history: it was there before this session was (re)opened.
        seq: the number of the event within its session; None for a line without an echo (yet).
    """

    at: float
    who: str
    kind: str
    text: str
    party: PartyKind | None = None
    index: int | None = None
    utc: float | None = None
    history: bool = False
    seq: int | None = None

    def __str__(self) -> str:
        if self.kind == "message":
            return f"{self.who}: {self.text}"
        return " ".join(part for part in (f"[{self.kind}]", self.who, self.text) if part)


class Transcript:
    """Collects what happened in one chat; past ``max_rows`` the oldest go, and are counted.

    Events are put into words when somebody asks, so that writing them down costs little.

    Attributes:
        dropped: how many entries were dropped.
    """

    __slots__ = ("_entries", "_known", "_max_rows", "_unechoed", "dropped")

    def __init__(self, *, max_rows: int = MAX_ROWS) -> None:
        self._entries: list[Event | Row] = []
        self._max_rows = max_rows
        self._unechoed: list[str] = []
        # What was written down, for history to be compared with; None until some comes.
        self._known: set[Hashable] | None = None
        self.dropped = 0

    def add(self, event: Event) -> None:
        """Write an event down; history only if it is not there already."""
        if event.history and self._is_known(event):
            return
        if type(event) is events.Message and event.own and self._settle_echo(event):
            return
        self._append(event)

    def add_sent(self, text: str, *, at: float, nickname: str) -> None:
        """Write down a line that the customer is sending."""
        self._unechoed.append(text)
        self._append(Row(at=at, who=nickname, kind="message", party=PartyKind.CUSTOMER, text=text))

    def rows(self, from_index: int = 0) -> tuple[Row, ...]:
        """Give the rows, oldest first.

        Args:
            from_index: leave out what the server numbered lower; rows without a number are given
                only from 0 on, where they are part of the whole.
        """
        rows = tuple(e if isinstance(e, Row) else row_of(e) for e in self._entries)
        if from_index <= 0:
            return rows
        return tuple(row for row in rows if row.index is not None and row.index >= from_index)

    def recorded(self) -> list[Event]:
        """Give the events written down so far, without the customer's own lines."""
        return [entry for entry in self._entries if not isinstance(entry, Row)]

    def _append(self, entry: Event | Row) -> None:
        self._entries.append(entry)
        if self._known is not None:
            self._known.add(_identity_of(entry))
        if len(self._entries) > self._max_rows:
            # A tenth at a time, so that the rest is not moved for every entry.
            excess = max(self._max_rows // 10, 1)
            del self._entries[:excess]
            self.dropped += excess

    def _is_known(self, event: Event) -> bool:
        if self._known is None:
            self._known = {_identity_of(entry) for entry in self._entries}
        return _identity_of(event) in self._known

    def _settle_echo(self, event: events.Message) -> bool:
        if event.text not in self._unechoed:
            return False
        self._unechoed.remove(event.text)
        for position, entry in enumerate(self._entries):
            if isinstance(entry, Row) and entry.index is None and entry.text == event.text:
                settled = replace(entry, index=event.index, utc=event.utc, seq=event.seq)
                self._entries[position] = settled
                if self._known is not None:
                    self._known.add(_identity_of(settled))
                return True
        return False


def _identity_of(entry: Event | Row) -> Hashable:
    """Give what tells an entry from all others: the server's number, or else its stamp."""
    if entry.index is not None:
        return entry.index
    row = entry if isinstance(entry, Row) else row_of(entry)
    return (row.kind, row.utc, row.who, row.text)


def row_of(event: Event) -> Row:
    """Put an event into words."""
    party = event.party
    kind = event.kind if type(event) is events.Other else events.snake_case(type(event).__name__)
    return Row(
        at=event.at,
        who=party.name if party else "",
        kind=kind,
        party=party.kind if party else None,
        text=text_of(event),
        index=event.index,
        utc=event.utc,
        history=event.history,
        seq=event.seq,
    )


def text_of(event: Event) -> str:
    """Say in words what an event tells besides its kind and its party."""
    match event:
        case events.Message(buttons=()) | events.Other():
            return event.text
        case events.Message():
            return " ".join((event.text, *(f"[{button.text}]" for button in event.buttons)))
        case events.Notice():
            return f"{event.kind}: {event.text}" if event.text else event.kind
        case events.PushedUrl():
            return event.url
        case events.File():
            return f"{event.name or event.file_id}{' deleted' if event.deleted else ''}"
        case events.Userdata():
            pairs = (f"{k}={'(deleted)' if v is None else v}" for k, v in event.changes.items())
            return ", ".join(pairs)
        case events.Nickname():
            return event.nickname
        case events.AgentTyping():
            return "started" if event.is_typing else "stopped"
        case events.Interrupted():
            return event.description
        case events.SessionEnded():
            by = f"by {event.by.value}" if event.by is not events.EndedBy.LOST else "lost"
            return f"{by}: {event.description}" if event.description else by
        case events.Error():
            return event.description if event.code is None else f"{event.code} {event.description}"
        case events.SessionStarted() | events.SessionRestored():
            return event.session_id
        case _:
            return ""


def describe(event: Event) -> str:
    """Say an event in a line of bounded length, as evidence shows it."""
    return shortened(str(row_of(event)), MAX_LINE)
