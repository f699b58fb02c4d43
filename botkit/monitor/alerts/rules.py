"""When people are paged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Share(NamedTuple):
    """So many ``times`` within so many checks: two of three."""

    times: int
    of: int

    def __str__(self) -> str:
        return f"{self.times} of {self.of}"


TWO_OF_THREE, THREE_OF_FIVE = Share(2, 3), Share(3, 5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """When a trouble begins, and when it is over.

    A chat that fails one time in three never fails twice within three checks; it is found by how
    often it changes. The second failure is the third change within five checks, so people are paged
    at the fourth check, counted from the first failure (the fifth, if nothing was known before
    that). A failure in four checks, or fewer, is a blip; ``flapping=Share(3, 6)`` pages for one in
    four.

    Attributes:
        fail: so many checks failed: the chat is down.
        degraded: so many checks were slow, or worse; None pages for no slowness.
        flapping: so often it began to fail, or to work: it is unstable; None pages for no changes.
        broken: so many checks were errors of botkit, the bot or the set-up: nobody watches.
        recover: so many checks in a row must be good until a trouble is over. An unstable chat is
            so after as many good checks as ``flapping`` looks at.
    """

    fail: Share = TWO_OF_THREE
    degraded: Share | None = THREE_OF_FIVE
    flapping: Share | None = THREE_OF_FIVE
    broken: Share = TWO_OF_THREE
    recover: int = 2

    @property
    def longest(self) -> int:
        """Tell how many checks must be remembered."""
        shares = (self.fail, self.degraded, self.flapping, self.broken)
        return max(self.recover, *(share.of for share in shares if share is not None))
