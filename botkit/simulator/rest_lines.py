"""What a customer over REST is shown: the log from a position on, as faults would have it. Pure.

Theory of operation. Nobody pushes here; the customer asks, and gets what is there. So a fault on a
push strikes what an answer shows. Each entry is judged once, when the first answer after it is
made. What is lost is left out of that answer alone, though its ``nextPosition`` says that it was
there; what is late is left out until its time, and ``nextPosition`` waits for it; what is out of
order comes behind its successor, or late if there is none.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from botkit.bayeux.messages import JSON
from botkit.genesys import gms_v2
from botkit.genesys.gms_v2 import Push
from botkit.simulator import gms
from botkit.simulator.chats import Chat, Entry, EntryKind
from botkit.simulator.desk import is_pushed, words_for
from botkit.simulator.faults import REST, Fault, Faults, Point

__all__ = ["RestLine"]


@dataclass(slots=True, kw_only=True, eq=False)
class RestLine:
    """How far one customer was served.

    Attributes:
        seen_at: when the customer called last.
        former_alias: it counts until the present one was used, for the answer that told of the
            change may be lost.
        judged: how far faults had their say in the log.
        marks: what they said, by the place in the log; until when, or how, is the fault's.
    """

    chat: Chat
    seen_at: float
    former_alias: str = ""
    judged: int = 0
    marks: dict[int, tuple[Fault, float]] = field(default_factory=dict)

    def reply(
        self, index: int, faults: Faults, *, now: float, userdata: Mapping[str, str] | None = None
    ) -> dict[str, JSON]:
        """Write the answer to a call.

        Args:
            index: from where the customer wants to see the transcript; 0 for nothing of it.
            userdata: what the call asked for.
        """
        chat = self.chat
        self._judge(faults, now)
        start = chat.position_of(index) if index else len(chat.log)
        entries, next_index = self._shown(start, now)
        ended = not chat.is_open and not self._hides_end(now)
        data = gms_v2.encode_push(
            Push(
                chat_ended=ended,
                chat_id=chat.id,
                user_id=chat.user_id,
                secure_key=chat.secure_key,
                alias=chat.alias,
                next_position=next_index,
                events=tuple(gms.event_of(entry) for entry in entries if entry.index is not None),
            )
        )
        if userdata is not None:
            data["userData"] = dict(userdata)
        return data

    def _judge(self, faults: Faults, now: float) -> None:
        chat = self.chat
        if faults.any_at(Point.PUSH):
            for place in range(self.judged, len(chat.log)):
                entry = chat.log[place]
                fault = is_pushed(entry) and faults.strike(
                    Point.PUSH,
                    words_for(entry),
                    service=chat.service,
                    customer=chat.id,
                    wire=REST,
                )
                if fault:
                    self.marks[place] = (fault, now + fault.seconds)
        self.judged = len(chat.log)

    def _shown(self, start: int, now: float) -> tuple[list[Entry], int]:
        """Give the entries to be shown, and the index to ask from next time."""
        log, next_index = self.chat.log, self.chat.next_index
        if not self.marks:
            return log[start:], next_index
        shown: list[Entry] = []
        behind: list[tuple[int, Entry]] = []
        for place in range(start, len(log)):
            entry = log[place]
            if entry.index is None:
                continue
            fault, until = self.marks.get(place, (None, 0.0))
            name = fault.name if fault is not None else ""
            if name == "reorder_messages" and now < until:
                behind.append((place, entry))
                continue
            if name == "delay_message" and now < until:
                next_index = min(next_index, entry.index)
                continue
            self.marks.pop(place, None)
            if name == "lost_message":
                continue
            shown += [entry, entry] if name == "duplicate_message" else [entry]
            for earlier, kept in behind:
                del self.marks[earlier]
                shown.append(kept)
            behind = []
        return shown, min([next_index, *(kept.index or 0 for _, kept in behind)])

    def _hides_end(self, now: float) -> bool:
        """Tell whether a fault keeps the end of the chat from this answer."""
        place = len(self.chat.log) - 1
        fault, until = self.marks.get(place, (None, 0.0))
        if fault is None or self.chat.log[place].kind is not EntryKind.ENDED:
            return False
        if fault.name in ("lost_message", "duplicate_message") or now >= until:
            del self.marks[place]
            return fault.name == "lost_message"
        return True
