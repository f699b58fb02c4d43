"""What holds in a chat at one moment, for somebody who steps through it. Pure."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from botkit.chat import AgentTyping, Event, Message, Other, Row
from botkit.chat.events import is_own
from botkit.chat.transcript import row_of
from botkit.results import StepResult

__all__ = ["Reading", "Scene", "State", "readings_of", "typing_in"]


class State(enum.Enum):
    """What became of an event of the inbox."""

    READ = "read"
    PASSED_OVER = "passed over"
    UNREAD = "unread"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """An event of the inbox, and what became of it.

    Attributes:
        row: the event in words.
        state: what became of it.
        by: the step that read it, or passed over it; None while it is unread.
    """

    row: Row
    state: State
    by: StepResult | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One moment of a journey; nothing in it says what is masked.

    Attributes:
        agents: the names of those who are in the chat.
        typing: who types right now; empty if nobody does.
        ended: how the chat ended, in words; empty while it runs.
        userdata: all that this session may see.
        variables: what ``${...}`` stands for: of the row, and captured.
        inbox: all that came and that a step could read, oldest first.
    """

    agents: tuple[str, ...] = ()
    typing: str = ""
    ended: str = ""
    userdata: Mapping[str, str]
    variables: Mapping[str, str]
    inbox: tuple[Reading, ...] = ()


def readings_of(
    events: Iterable[Event],
    *,
    unread: Iterable[Event],
    steps: Iterable[StepResult],
    row: Callable[[Row], Row],
) -> tuple[Reading, ...]:
    """Say what became of each event that a step can read.

    An event that is gone from the inbox was read by the step that took it, or else passed over by
    the one that took the next of its kind: each kind has a read position of its own.

    Args:
        events: all that came, oldest first.
        unread: those that are still in the inbox.
        steps: that have finished.
        row: makes a row fit to be shown.
    """
    waiting = {event.seq for event in unread}
    takers = {step.seq: step for step in steps if step.seq is not None}
    next_taker: dict[type[Event], StepResult] = {}
    readings = []
    for event in reversed([e for e in events if not (e.history or is_own(e) or type(e) is Other)]):
        if event.seq in takers:
            state, by = State.READ, takers[event.seq]
            next_taker[type(event)] = by
        elif event.seq in waiting:
            state, by = State.UNREAD, None
        else:
            state, by = State.PASSED_OVER, next_taker.get(type(event))
        readings.append(Reading(row=row(row_of(event)), state=state, by=by))
    return tuple(reversed(readings))


def typing_in(events: Sequence[Event]) -> str:
    """Name who types after these events; empty if nobody does."""
    for event in reversed(events):
        if isinstance(event, Message) and not is_own(event):
            return ""
        if isinstance(event, AgentTyping):
            who = event.party.name if event.party else "somebody"
            return who if event.is_typing else ""
    return ""
