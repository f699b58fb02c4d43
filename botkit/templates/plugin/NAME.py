"""A plugin: notes who came, and adds a matcher."""

from __future__ import annotations

from collections.abc import Callable

from botkit import AgentConnected, JourneyInfo, hookimpl
from botkit.interfaces import Match, Miss


class AtLeast:
    """Fits a message of so many words.

    Args:
        value: what stands behind the matcher's key in a bot.
    """

    def __init__(self, value: object) -> None:
        self._words = int(str(value))

    def match(self, text: str) -> Match | Miss:
        count = len(text.split())
        return Match() if count >= self._words else Miss(why=f"it has {count} words")

    def __str__(self) -> str:
        return f"a message of at least {self._words} words"


@hookimpl
def register_matchers(register: Callable[[str, object], None]) -> None:
    register("NAME_words", AtLeast)


@hookimpl
def on_agent_connected(journey: JourneyInfo, event: AgentConnected) -> None:
    journey.note(f"{event.party.name if event.party else 'somebody'} came")
