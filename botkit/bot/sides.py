"""What only one side of a chat does: the customer reloads and presses, the agent offers.

A file of steps may be used by both sides, so nothing is said of it until somebody uses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from botkit.bot import script
from botkit.bot.script import Step, all_steps


@dataclass(frozen=True, slots=True)
class Misfit:
    """A step that the side which plays it does not do.

    Attributes:
        message: why not.
        trail: leads from the step's node to what is wrong.
        at_key: the last key of the trail is wrong, and not what stands behind it.
    """

    message: str
    trail: tuple[str, ...]
    at_key: bool = True


CUSTOMER_VERBS = ("reload", "expect_restored")
"""What agents do not do."""
OWN_LINES = "a bot never hears its own customer; leave 'from' out"


def misfit(step: Step, *, plays_agent: bool) -> Misfit | None:
    """Say why a step is not for this side; None if it is."""
    match step:
        case Step(verb=verb) if verb in CUSTOMER_VERBS and plays_agent:
            message = f"{verb!r} is for customers: an agent has no page to reload"
            return Misfit(message, (verb,))
        case script.Press() if plays_agent:
            return Misfit(_buttons("{text: ..., buttons: [...]}"), ("say", "button"))
        case script.Offer() if not plays_agent:
            return Misfit(_buttons("{button: TEXT}"), ("say", "buttons"))
        case script.Expect(sender="customer") if not plays_agent:
            return Misfit(OWN_LINES, ("from",), at_key=False)
        case _:
            return None


def misfits_among(steps: Iterable[Step], *, plays_agent: bool) -> Iterator[str]:
    """Say what is not for this side among steps that stand in other files, each with its place."""
    for step in all_steps(steps):
        found = misfit(step, plays_agent=plays_agent)
        if found is not None:
            yield f"{step.place.file}:{step.place.line}: {found.message}"


def _buttons(instead: str) -> str:
    return f"agents offer buttons and customers press them; write {instead}"
