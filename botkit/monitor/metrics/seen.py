"""What a journey shows in numbers; pure."""

from __future__ import annotations

from dataclasses import dataclass

from botkit.chat import PartyKind
from botkit.results import JourneyResult, StepResult

HUMANS = frozenset({PartyKind.AGENT, PartyKind.SUPERVISOR})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A chat in numbers.

    Attributes:
        losses: connections that were lost.
        regained: of these, those that were won back.
        agent_wait: seconds until an agent came; None if none did.
        first_reply: seconds from the customer's first line to an agent's next one; None if there
            was no such line.
    """

    losses: int
    regained: int
    agent_wait: float | None
    first_reply: float | None


def seen_in(result: JourneyResult) -> Seen:
    """Look at the chat of a journey."""
    rows = result.transcript
    joined = next((row.at for row in rows if row.kind == "agent_connected"), None)
    lines = [row for row in rows if row.kind == "message"]
    asked = next((row.at for row in lines if row.party is PartyKind.CUSTOMER), None)
    answers = (row.at for row in lines if row.party in HUMANS)
    answered = None if asked is None else next((at for at in answers if at >= asked), None)
    return Seen(
        losses=sum(row.kind == "interrupted" for row in rows),
        regained=sum(row.kind == "continued" for row in rows),
        agent_wait=None if joined is None else max(0.0, joined - result.began),
        first_reply=None if asked is None or answered is None else answered - asked,
    )


def step_name(step: StepResult) -> str:
    """Name a step by its place and its verb: never by its text, nor by what a row holds."""
    return f"{step.path}:{step.verb}"
