"""What a chat was like before it was reloaded, and how much of that has come back. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from botkit.bot.script import ExpectRestored
from botkit.chat import (
    AgentConnected,
    AgentTyping,
    Event,
    Message,
    Restoration,
    SessionRestored,
    SessionStarted,
)
from botkit.chat.transcript import MAX_ROWS

Seen = int | str
"""What tells an event from all others: the server's index, or else its name of the message."""


class Comeback:
    """Remembers what was seen, so that it can be told what is missing after a reload.

    Events without a number and without a name of their own cannot be told apart and do not count;
    nor does typing, which no service keeps. Past :data:`MAX_ROWS` the oldest are forgotten.

    Attributes:
        restoration: of the latest reload; None before there was one.
        missing: of what was seen before the chat came back, what was not repeated yet.
        expected: how much was to be repeated.
        before: the agents who were there before the chat came back.
    """

    __slots__ = (
        "_came_back",
        "_id",
        "_id_before",
        "_seen",
        "before",
        "expected",
        "missing",
        "restoration",
    )

    def __init__(self) -> None:
        self.restoration: Restoration | None = None
        self.missing: dict[Seen, Event] = {}
        self.expected = 0
        self.before: Mapping[str, AgentConnected] = {}
        self._seen: dict[Seen, Event] = {}
        self._id = self._id_before = ""
        self._came_back = False

    def begin(self) -> None:
        """Get ready for a reload: what came back from an earlier one does not count."""
        self._came_back = False

    def note(self, event: Event, agents: Mapping[str, AgentConnected]) -> None:
        """Take an event in.

        Args:
            agents: who is in the chat before it.
        """
        match event:
            case SessionStarted():
                self._id = event.session_id
            case SessionRestored():
                self._restore(event, agents)
            case AgentTyping():
                pass
            case _:
                self._see(event)

    def _restore(self, event: SessionRestored, agents: Mapping[str, AgentConnected]) -> None:
        self._came_back = True
        self._id_before, self._id = self._id or event.session_id, event.session_id
        self.before = dict(agents)
        self.missing = dict(self._seen)
        self.expected = len(self.missing)

    def _see(self, event: Event) -> None:
        key: Seen | None = event.index
        if key is None and isinstance(event, Message):
            key = event.message_id or None
        if key is None:
            return
        if event.history:
            self.missing.pop(key, None)
        self._seen.setdefault(key, event)
        if len(self._seen) > MAX_ROWS:
            del self._seen[next(iter(self._seen))]

    def wrong(self, step: ExpectRestored) -> Iterator[str]:
        """Say what cannot come right any more, however long one waits."""
        if step.same_chat and self._came_back and self._id != self._id_before:
            yield f"it is another chat: {self._id}, and was {self._id_before}"
        if step.same_agent and self._came_back and not self.before:
            yield "no agent was there before"

    def lacking(self, step: ExpectRestored, agents: Mapping[str, AgentConnected]) -> Iterator[str]:
        """Say what is not as it was yet.

        Args:
            step: what must come back.
            agents: who is in the chat now.
        """
        if not self._came_back:
            yield "the chat did not come back"
        gone = [joined for key, joined in self.before.items() if key not in agents]
        if step.same_agent and gone:
            names = (joined.party.name if joined.party else "somebody" for joined in gone)
            yield f"not there again: {', '.join(names)}"
        if step.whole_history and self.missing:
            yield f"{len(self.missing)} of {self.expected} entries of the history were not repeated"
