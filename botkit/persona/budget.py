"""What a persona has used up, and when that is enough. Pure."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from botkit.persona.completion import ModelError, Usage
from botkit.persona.settings import Settings

__all__ = ["Budget", "Stop"]


class Stop(enum.Enum):
    """Why a persona has stopped; its value is what ``as: NAME`` gives."""

    DONE = "done"
    """The model said that the customer has nothing more to say."""
    TURNS = "turns"
    """It has written as many lines as it may."""
    TOKENS = "tokens"
    """It has used up its tokens."""
    COST = "cost"
    """It has used up its money."""
    NO_REPLY = "no_reply"
    """Nobody answered in time."""
    ENDED = "ended"
    """The chat is over."""


@dataclass(slots=True, kw_only=True)
class Budget:
    """Counts; a cap is noticed after the reply that went over it.

    Attributes:
        tokens: used so far, as the endpoint counts them.
        cost: run up so far; 0 without prices.
    """

    settings: Settings
    tokens: int = 0
    cost: float = 0.0

    def spend(self, usage: Usage | None) -> None:
        """Count a reply.

        Raises:
            ModelError: there is a cap, and the endpoint does not tell what it counts.
        """
        settings = self.settings
        if usage is None:
            if settings.tokens is not None or settings.cost is not None:
                raise ModelError(
                    "the endpoint does not tell its usage, so the caps on tokens and cost cannot"
                    " be kept: take them away and rely on turns, or use another endpoint"
                )
            return
        self.tokens += usage.read + usage.written
        self.cost += usage.read * (settings.price_in or 0.0) / 1e6
        self.cost += usage.written * (settings.price_out or 0.0) / 1e6

    @property
    def spent(self) -> Stop | None:
        """Tell which cap was reached; None if there is something left."""
        settings = self.settings
        if settings.tokens is not None and self.tokens >= settings.tokens:
            return Stop.TOKENS
        if settings.cost is not None and self.cost >= settings.cost:
            return Stop.COST
        return None
