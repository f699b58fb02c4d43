"""Which journeys to play, by the tags of their bots. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol


class Tagged(Protocol):
    """A bot, as far as this is concerned."""

    @property
    def tags(self) -> tuple[str, ...]: ...


@dataclass(frozen=True, slots=True)
class Selection:
    """Tags that are wanted (any of them will do; none means all) and tags that are not."""

    wanted: frozenset[str] = frozenset()
    unwanted: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, tags: Iterable[str], not_tags: Iterable[str] = ()) -> Selection:
        """Read what the command line says; ``!TAG`` is a tag that is not wanted."""
        given = list(tags)
        refused = {tag[1:] for tag in given if tag.startswith("!")}
        return cls(
            frozenset(tag for tag in given if not tag.startswith("!")),
            frozenset(refused | set(not_tags)),
        )

    def takes(self, tags: Iterable[str]) -> bool:
        """Tell whether a bot with these tags is to be played."""
        has = frozenset(tags)
        return not has & self.unwanted and (not self.wanted or bool(has & self.wanted))

    def unknown(self, bots: Iterable[Tagged]) -> list[str]:
        """Name the tags that no bot has: they were misspelled, most likely."""
        known = {tag for bot in bots for tag in bot.tags}
        return sorted((self.wanted | self.unwanted) - known)
