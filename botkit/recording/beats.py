"""What happened in a chat, in the verbs of the bot language and in the order of time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

NOTHING: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Beat:
    """One thing that happened.

    Attributes:
        at: seconds, on any clock that is the same for all beats of a recording.
        verb: the verb of the step that does it, or that waits for it.
        value: what stands behind the verb; for ``expect`` and ``expect_userdata`` the texts as they
            came, of which matchers are made.
        marked: the part of the text that a person wants to be expected; empty for all of it.
    """

    at: float
    verb: str
    value: Any
    marked: str = ""

    @property
    def is_press(self) -> bool:
        """A button was pressed, which not every wire can do."""
        return self.verb == "say" and isinstance(self.value, Mapping)

    @property
    def awaited(self) -> bool:
        """It came from the other side: a bot waits for it."""
        return self.verb == "wait_for" or self.verb.startswith("expect")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """A chat to be played again.

    Attributes:
        name: of the bot.
        about: sentences for the head of the file: when, against what.
        agents: the names of those who were there; another one may be there next time.
        connector: the wire, which the bot names if it did what others cannot do.
        script: the agent scripts that answered, as the bot's file shall name them.
        left_out: what happened and no step can do again, a line each.
        began: when the chat was asked for, on the clock of the beats.
        ended: when it was over.
    """

    name: str
    beats: tuple[Beat, ...]
    began: float
    ended: float
    about: tuple[str, ...] = ()
    service: str = ""
    nickname: str = ""
    userdata: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    agents: frozenset[str] = frozenset()
    connector: str = ""
    script: str = ""
    left_out: tuple[str, ...] = ()
