"""What decided a journey, in the words that a reader looks for first.

Mostly it is a step. A chat that was not opened, or that broke between its steps, has no such step;
then it is said what botkit was about, and what the verdict's message says stands for what came.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from botkit.report.evidence import place
from botkit.results import Frame, JourneyResult, Reason, Verdict

OUTSIDE_OF_STEPS = {
    Reason.REFUSED: ("opening the chat", "the service opens the chat"),
    Reason.UNREACHABLE: ("opening the chat", "a service that answers"),
    Reason.NOT_LEFT: ("leaving the chat", "the service confirms that the chat was left"),
    Reason.WHOLE_CHAT: ("the whole chat", "the chat is over within its limit"),
    Reason.GUARD: ("the whole chat", "what must never be said is not said"),
    Reason.LOST: ("keeping the connection", "a connection that lasts, or can be won back"),
    Reason.PROTOCOL: ("reading what the service says", "answers that follow the protocol"),
    Reason.CHAT_ERROR: ("giving a command", "the service does what it is told"),
    Reason.CHAT_ENDED: ("the whole chat", "the chat goes on until the bot has done its steps"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisive:
    """What decided; ``expected`` may be empty, ``received`` says ``nothing`` if nothing came."""

    step: str
    expected: str
    received: tuple[str, ...]


def decisive_of(journey: JourneyResult) -> Decisive | None:
    """Say what decided a journey; None if nothing went wrong that could be named."""
    step = journey.step
    if step is None:
        if journey.verdict is not Verdict.FAILED or journey.reason not in OUTSIDE_OF_STEPS:
            return None
        doing, expected = OUTSIDE_OF_STEPS[journey.reason]
        return Decisive(step=doing, expected=expected, received=(journey.message or "nothing",))
    received = step.received or (("nothing",) if step.expected else ())
    return Decisive(step=f"{place(step)}: {step.text}", expected=step.expected, received=received)


def decisive_frame(journey: JourneyResult) -> Frame | None:
    """Find what went over the wire when the verdict fell; None if no frames were kept.

    It is the latest frame that holds the last thing said while the step waited. Where nothing was
    said, it is the latest that was received then, and where none was, the latest of all until then.
    """
    step = journey.step
    ended = journey.duration if step is None else step.started + step.duration
    until = [frame for frame in journey.frames if frame.at <= ended]
    since = 0.0 if step is None else step.started
    said = [
        row.text
        for row in journey.transcript
        if row.text and since <= row.at - journey.began <= ended
    ]
    came = [frame for frame in until if frame.direction == "received" and frame.at >= since]
    telling = (frame for frame in reversed(came) if said and _holds(frame, said[-1]))
    latest = came or until
    return next(telling, latest[-1] if latest else None)


def _holds(frame: Frame, text: str) -> bool:
    """Tell whether a frame has a text in it, as JSON spells it in either way."""
    spelled = (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
    return any(words in frame.text for words in spelled)
