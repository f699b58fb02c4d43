"""A predicate for the inbox that remembers what did not fit, and why."""

from __future__ import annotations

from collections.abc import Callable

from botkit.chat.events import Event, Message
from botkit.chat.transcript import describe

MAX_SHOWN = 20
"""How many messages a broken expectation shows."""


def is_from(event: Event, sender: str | None) -> bool:
    """Tell whether an event is from this kind of party or from somebody of this name.

    Args:
        sender: ``agent``, ``supervisor``, ``external``, ``customer`` or a nickname; None is anyone.
    """
    if sender is None:
        return True
    party = event.party
    return party is not None and sender in (party.kind.value, party.name)


class Tried:
    """Tries messages of one sender, one after another.

    Args:
        why_not: says why a message does not fit; None if it fits.
        sender: see :func:`is_from`.

    Attributes:
        misses: what did not fit, a line each, up to :data:`MAX_SHOWN`.
    """

    __slots__ = ("_sender", "_why_not", "misses")

    def __init__(self, why_not: Callable[[Message], str | None], sender: str | None) -> None:
        self._why_not = why_not
        self._sender = sender
        self.misses: list[str] = []

    def is_candidate(self, event: Event) -> bool:
        """Tell whether the event is a message of the sender, whatever it says."""
        return isinstance(event, Message) and is_from(event, self._sender)

    def __call__(self, event: Event) -> bool:
        if not isinstance(event, Message) or not is_from(event, self._sender):
            return False
        why = self._why_not(event)
        if why is None:
            return True
        if len(self.misses) < MAX_SHOWN:
            self.misses.append(f"{describe(event)} - {why}")
        return False
