"""What a model wrote, kept in a file of JSON lines, and taken from there instead of a model.

A recording holds the turns of all personas of a journey, each under the hash of what was asked;
nothing that is masked in evidence stands in it, and no key. Whoever replays a journey asks for the
same, as long as the conversation goes the same way, and is given the same.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botkit.errors import ConfigError
from botkit.persona.completion import Completion, ModelError, Usage
from botkit.persona.conversation import Prompt

__all__ = ["Recording", "Replay"]

VERSION = 1
SHOWN = 200
"""Characters that a message shows of what was heard."""
ITSELF = getattr(os, "O_NOFOLLOW", 0)
"""A recording is no link to somewhere else; not every system can tell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Writes turns down; a file that is there grows.

    Attributes:
        path: nobody but its owner may read it, if it is made here.
        journey: the id of the journey.
        hide: takes out of a text what must not be shown.
    """

    path: Path
    journey: str
    hide: Callable[[str], str]

    def begin(self) -> None:
        """Make sure that it can be written, before anything is paid for.

        Raises:
            ConfigError: it cannot.
        """
        self._append("")

    def add(self, turn: int, prompt: Prompt, completion: Completion) -> None:
        """Write a turn down.

        Raises:
            ConfigError: the file cannot be written.
        """
        text, usage = self.hide(completion.text), completion.usage
        entry = {
            "botkit_persona": VERSION,
            "journey": self.journey,
            "part": prompt.part,
            "turn": turn,
            "request": prompt.digest,
            "heard": list(map(self.hide, prompt.heard)),
            "reply": text,
            "hidden": text != completion.text,
            "model": self.hide(completion.model),
            "finish": self.hide(completion.finish),
            "usage": None if usage is None else {"read": usage.read, "written": usage.written},
        }
        self._append(json.dumps(entry) + "\n")

    def _append(self, text: str) -> None:
        # In place: a line is written within microseconds, and a thread would take longer.
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | ITSELF
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with os.fdopen(os.open(self.path, flags, 0o600), "a", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise ConfigError(
                f"persona: record cannot be written: {error.strerror} ({self.path})", key="record"
            ) from error


class Replay:
    """Gives turns as they were recorded.

    Args:
        path: a recording.
        go_on: a conversation that goes another way is given the line of the same turn.

    Raises:
        ConfigError: it is no recording.
    """

    __slots__ = ("_by_request", "_by_turn", "_go_on", "path")

    def __init__(self, path: Path, *, go_on: bool) -> None:
        self.path = path
        self._go_on = go_on
        # Of what was recorded twice the later holds.
        entries = _entries(path)
        self._by_request = {entry["request"]: entry for entry in entries}
        self._by_turn = {(entry["part"], entry["turn"]): entry for entry in entries}

    def take(self, turn: int, prompt: Prompt) -> tuple[Completion, str]:
        """Give what was written in this turn.

        Returns:
            The same as then; and in words how the conversation differs, empty if it does not.

        Raises:
            ModelError: the conversation goes another way than then, or the line has something in
                it that was masked.
        """
        entry, drift = self._by_request.get(prompt.digest), ""
        if entry is None:
            entry, drift = self._by_turn.get((prompt.part, turn)), self._difference(turn, prompt)
            if entry is None or not self._go_on:
                raise ModelError(f"{drift}: record it anew{self._way_out(entry)}")
        if entry["hidden"]:
            raise ModelError(
                f"the recorded line of turn {turn} has something masked in it, so it cannot be said"
                f" again ({self.path}): tell the persona nothing that is masked"
            )
        usage = entry["usage"]
        completion = Completion(
            text=entry["reply"],
            model=entry["model"],
            usage=usage and Usage(read=usage["read"], written=usage["written"]),
            finish=entry["finish"],
        )
        return completion, drift

    def _difference(self, turn: int, prompt: Prompt) -> str:
        """Say how the conversation differs from what was recorded."""
        entry = self._by_turn.get((prompt.part, turn))
        if entry is None and any(part == prompt.part for part, _ in self._by_turn):
            return f"the recording has no turn {turn} of this persona ({self.path})"
        if entry is None:
            return f"the recording is of another persona, goal or length of lines ({self.path})"
        then, now = entry["heard"], list(prompt.heard)
        if then != now:
            return f"turn {turn} answers {_shown(now)}, and in the recording {_shown(then)}"
        return f"before turn {turn} the conversation went another way than in the recording"

    @staticmethod
    def _way_out(entry: Mapping[str, Any] | None) -> str:
        return "" if entry is None else ", or write drift: go_on to say the recorded line anyway"


def _entries(path: Path) -> list[dict[str, Any]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no text"
        raise ConfigError(f"persona: replay cannot be read: {why} ({path})", key="replay") from None
    entries = []
    for number, line in enumerate(lines, 1):
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            entry = None
        if not _is_turn(entry):
            raise ConfigError(
                "this is no turn of a persona", file=str(path), line=number, key="replay"
            )
        entries.append(entry)
    return entries


_KINDS: Mapping[str, Any] = {
    "part": str,
    "turn": int,
    "request": str,
    "heard": list,
    "reply": str,
    "hidden": bool,
    "model": str,
    "finish": str,
    "usage": dict | None,
}


def _is_turn(entry: Any) -> bool:
    if not isinstance(entry, dict) or entry.get("botkit_persona") != VERSION:
        return False
    if not all(name in entry and isinstance(entry[name], kind) for name, kind in _KINDS.items()):
        return False
    usage = entry["usage"]
    return usage is None or all(type(usage.get(name)) is int for name in ("read", "written"))


def _shown(heard: list[str]) -> str:
    text = " / ".join(map(str, heard))
    if not text:
        return "nothing"
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "…")
