"""What a person who steps through a bot is shown of a moment, in lines fit for a terminal. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from botkit.journey.scene import Reading, Scene, State
from botkit.report.evidence import place
from botkit.report.text import one_line

MAX_VALUE = 200
"""Characters of a value that are shown."""
NOTHING = "(nothing)"
STATES = frozenset({"session_started", "agent_connected", "agent_typing", "userdata"})
"""Events that change a state which is shown besides."""


def chat_line(scene: Scene) -> str:
    """Say in what state the chat is."""
    if scene.ended:
        return one_line(f"the chat has ended {scene.ended}")
    who = ", ".join(one_line(name, MAX_VALUE) for name in scene.agents)
    here = f"{who} is here" if who else "nobody is here yet"
    return f"{here}, {one_line(scene.typing, MAX_VALUE)} is typing" if scene.typing else here


def state_lines(scene: Scene) -> Iterator[str]:
    """Say in what state the chat is, and which user data the session may see."""
    yield f"   {chat_line(scene)}"
    yield "   user data:"
    yield from pair_lines(scene.userdata)


def pair_lines(pairs: Mapping[str, str]) -> Iterator[str]:
    """List names with their values."""
    for name, value in pairs.items():
        yield f"     {one_line(name, MAX_VALUE)} = {one_line(value, MAX_VALUE)}"
    if not pairs:
        yield f"     {NOTHING}"


def variables_line(scene: Scene) -> str:
    """List the variables on one line."""
    pairs = (f"{name}={one_line(value, 40)}" for name, value in scene.variables.items())
    return one_line(", ".join(pairs))


def inbox_lines(scene: Scene, *, newest: int | None = None) -> Iterator[str]:
    """List what came, each with what became of it.

    Args:
        newest: show so many, and none that tells what the state of the chat tells; None shows all.
    """
    shown = scene.inbox
    if newest is not None:
        shown = tuple(r for r in shown if r.row.kind not in STATES)[-newest:]
    yield from (f"     {reading_line(reading)}" for reading in shown)
    if more := len(scene.inbox) - len(shown):
        yield f"     ({more} more: inbox shows all)"
    elif not shown:
        yield f"     {NOTHING}"


def reading_line(reading: Reading) -> str:
    """Say what became of an event; one that waits unread has an arrow."""
    row, by = reading.row, reading.by
    arrow = "->" if reading.state is State.UNREAD else "  "
    where = f"  (by {place(by)})" if by is not None else ""
    return f"{arrow} {reading.state.value:11}  #{row.seq} {one_line(str(row))}{where}"
