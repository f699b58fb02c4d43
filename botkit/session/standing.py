"""What holds in a chat right now, from the events that it brought. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

from botkit import chat
from botkit.chat import AgentConnected, Event, Party, SessionEnded, UserdataView


class Standing:
    """Follows the events of one session.

    Args:
        userdata: what was attached when the chat was requested.

    Attributes:
        session_id: the service's name of the chat; None before it is opened.
        ended: the last event; None while the chat runs.
        agents: the agents and supervisors who are in the chat, by their id or name.
        arrival: the latest arrival of one of them.
        userdata: what this session may see.
    """

    __slots__ = ("agents", "arrival", "ended", "session_id", "userdata")

    def __init__(self, userdata: Mapping[str, str]) -> None:
        self.session_id: str | None = None
        self.ended: SessionEnded | None = None
        self.agents: dict[str, Party] = {}
        self.arrival: AgentConnected | None = None
        self.userdata = UserdataView(userdata)

    def note(self, event: Event) -> None:
        """Take an event in."""
        change = CHANGES.get(type(event))
        if change is not None:
            change(self, event)

    def _started(self, event: Event) -> None:
        self.session_id = cast("chat.SessionStarted", event).session_id

    def _ended(self, event: Event) -> None:
        self.ended = cast("SessionEnded", event)

    def _agent_came(self, event: Event) -> None:
        if event.party is not None:
            self.agents[event.party.id or event.party.name] = event.party
        self.arrival = cast("AgentConnected", event)

    def _agent_went(self, event: Event) -> None:
        if event.party is not None:
            self.agents.pop(event.party.id or event.party.name, None)
        else:
            self.agents.clear()

    def _userdata_changed(self, event: Event) -> None:
        for key, value in cast("chat.Userdata", event).changes.items():
            if value is None:
                self.userdata.forget(key)
            else:
                self.userdata.merge({key: value})


CHANGES: Mapping[type[Event], Callable[[Standing, Event], None]] = {
    chat.SessionStarted: Standing._started,
    chat.SessionRestored: Standing._started,
    chat.SessionEnded: Standing._ended,
    chat.AgentConnected: Standing._agent_came,
    chat.AgentDisconnected: Standing._agent_went,
    chat.Userdata: Standing._userdata_changed,
}
"""What each kind of event changes in what holds."""
