"""Writes down what happens in a chat while it happens."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from botkit.chat import (
    AgentConnected,
    AgentDisconnected,
    EndedBy,
    Event,
    File,
    Message,
    Notice,
    PartyKind,
    PushedUrl,
    SessionEnded,
    Userdata,
)
from botkit.chat.events import is_own
from botkit.recording.beats import Beat

OTHERS = (PartyKind.AGENT, PartyKind.SUPERVISOR, PartyKind.EXTERNAL)


class Recorder:
    """Turns what the customer did and what came into beats.

    What comes by the clock (typing, a warning that nothing was said) is no beat: a bot is quicker
    than a person, and would wait for it in vain.

    Args:
        userdata: what the customer attached when the chat was asked for.
        mask: writes ``***`` for what must not be written down.

    Attributes:
        beats: so far.
        agents: the names of those who came.
    """

    def __init__(self, userdata: Mapping[str, str], mask: Callable[[str], str] = str) -> None:
        self.beats: list[Beat] = []
        self.agents: set[str] = set()
        self._own: dict[str, str | None] = dict(userdata)
        self._here: set[str] = set()
        self._marks: list[str] = []
        self._mask = mask

    def did(self, at: float, verb: str, value: Any) -> None:
        """Write down what the customer does, before its answer can come."""
        if verb == "set_userdata":
            self._own |= value
        elif verb == "delete_userdata":
            self._own[value] = None
        self.beats.append(Beat(at=at, verb=verb, value=value))

    def mark(self, text: str) -> bool:
        """Let this part of a line be what is expected of it.

        Returns:
            Whether such a line was heard already; else it is the next one.
        """
        for position in range(len(self.beats) - 1, -1, -1):
            beat = self.beats[position]
            if beat.verb == "expect" and text.casefold() in beat.value.casefold():
                self.beats[position] = replace(beat, marked=text)
                return True
        self._marks.append(text)
        return False

    def came(self, event: Event) -> None:
        """Write down what comes; what a bot need not wait for is left out."""
        if event.history or is_own(event):
            return
        match event:
            case Message():
                self._heard(event)
            case AgentConnected():
                self._joined(event)
            case AgentDisconnected():
                self._here.discard(event.party.name if event.party else "")
                self._await(event, "agent_left")
            case PushedUrl():
                self._await(event, "pushed_url")
            case File(deleted=False):
                self._await(event, "file")
            case Notice(kind="CustomNotice"):
                self._await(event, "notice")
            case Userdata():
                self._attached(event)
            case SessionEnded(by=EndedBy.SERVICE):
                self._await(event, "ended")
            case _:
                pass

    def _await(self, event: Event, what: str) -> None:
        self.beats.append(Beat(at=event.at, verb="wait_for", value=what))

    def _joined(self, event: AgentConnected) -> None:
        name = event.party.name if event.party else ""
        # "agent" is a state: who joins another agent is not waited for.
        if not self._here:
            self._await(event, "agent")
        self._here.add(name)
        self.agents.add(name)

    def _heard(self, event: Message) -> None:
        if event.party is None or event.party.kind not in OTHERS:
            return
        text = event.text.strip() or next((b.text for b in event.buttons if b.text.strip()), "")
        if not text:
            return
        text = self._mask(text)
        fitting = (mark for mark in self._marks if mark.casefold() in text.casefold())
        marked = next(fitting, "")
        if marked:
            self._marks.remove(marked)
        self.beats.append(Beat(at=event.at, verb="expect", value=text, marked=marked))

    def _attached(self, event: Userdata) -> None:
        new = {
            key: self._mask(value)
            for key, value in event.changes.items()
            if value and value.strip() and self._own.get(key) != value
        }
        if not new:
            return
        # Of two values with nothing done in between, a quick bot may see the later one only.
        for position in range(len(self.beats) - 1, -1, -1):
            beat = self.beats[position]
            if not beat.awaited:
                break
            if beat.verb == "expect_userdata":
                kept = {key: value for key, value in beat.value.items() if key not in new}
                self.beats[position] = replace(beat, value=kept)
        self.beats = [beat for beat in self.beats if beat.value]
        self.beats.append(Beat(at=event.at, verb="expect_userdata", value=new))
