"""What came of an attempt to win a chat back."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class RestoreOutcome(enum.Enum):
    """The three outcomes that are never taken for each other."""

    RESTORED = "restored"
    """The stored chat goes on."""
    NO_SESSION = "no_session"
    """Nothing was stored, for the chat was over before."""
    FAILED = "failed"
    """A chat was stored and the service did not give it back."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Restoration:
    """How an attempt ended.

    Attributes:
        session_id: the service's name of the chat that was asked for; None if nothing was stored.
        code: of a failure, the service's own number; None if it gave none.
        description: of a failure, in words.
    """

    outcome: RestoreOutcome
    session_id: str | None = None
    code: int | None = None
    description: str = ""
