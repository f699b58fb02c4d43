"""Where steps stand in their files, and what is written there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from botkit.bot.script import Place, Step
from botkit.errors import ConfigError

MAX_SOURCE = 8
"""Lines of a step that are shown."""

At = tuple[str | None, int]
"""A file and a line, from 1."""


def at(step: Step) -> At:
    """Say where a step begins."""
    return step.place.file, step.place.line


def source_of(lines: Sequence[str], place: Place) -> Iterator[tuple[int, str]]:
    """Give a step as its author wrote it: its lines, each with its number.

    What belongs to a step stands at least as far to the right as its verb.
    """
    for number in range(place.line, min(place.line + MAX_SOURCE, len(lines) + 1)):
        text = lines[number - 1]
        indent = len(text) - len(text.lstrip())
        if number > place.line and (not text.strip() or indent < place.column - 1):
            return
        yield number, text


class Listing:
    """All steps that a person may name by their lines.

    Args:
        steps: of all bots that are played.
    """

    def __init__(self, steps: Iterable[Step]) -> None:
        self._steps = sorted(steps, key=lambda step: step.place.line)

    def find(self, named: str, file: str | None) -> Step:
        """Find the first step at a line or behind it.

        Args:
            named: ``12``, or ``FILE:12`` for another file; the end of its name will do.
            file: the one that is meant without a name; None takes the first.

        Raises:
            ConfigError: it is no line, or no step follows.
        """
        name, _, number = named.rpartition(":")
        if not number.isdecimal():
            raise ConfigError(f"{named!r} is no line: write 12, or FILE:12")
        for step in self._steps:
            if step.place.line >= int(number) and self._is_in(step, name, file):
                return step
        raise ConfigError(f"there is no step at line {number} or behind it")

    def _is_in(self, step: Step, name: str, file: str | None) -> bool:
        stands_in = step.place.file or ""
        if name:
            return f"/{stands_in}".endswith(f"/{name}")
        return file is None or stands_in == file
