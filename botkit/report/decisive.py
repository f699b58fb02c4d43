"""What decided a journey, in the words that a reader looks for first.

Mostly it is a step. A chat that was not opened, or that broke between its steps, has no such step;
then it is said what botkit was about, and what the verdict's message says stands for what came.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice

from botkit.report.closeness import quoted_in
from botkit.report.evidence import place
from botkit.results import Frame, JourneyResult, Reason, StepResult, Verdict

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


TROUBLE = re.compile(r"no answer|[45]\d\d\b")
"""How frames begin that are no answers, or answers with the status of an error."""


BEFORE = 300
"""Characters of a frame that are kept before what tells most in it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decisive:
    """What decided; ``expected`` may be empty, ``received`` says ``nothing`` if nothing came."""

    step: str
    expected: str
    received: tuple[str, ...]


def decisive_of(journey: JourneyResult) -> Decisive | None:
    """Say what decided a journey; None if nothing went wrong that could be named."""
    step = journey.step
    doing, expected = OUTSIDE_OF_STEPS.get(journey.reason, ("", ""))
    message = (journey.message or "nothing",)
    if step is not None:
        # What broke the connection says more than that nothing came over it.
        received = step.received or (message if expected else ("nothing",))
        expected = step.expected or expected
        return Decisive(
            step=f"{place(step)}: {step.text}",
            expected=expected,
            received=received if expected or step.received else (),
        )
    if journey.verdict is not Verdict.FAILED or not expected:
        return None
    if not journey.steps:
        doing, expected = OUTSIDE_OF_STEPS[Reason.REFUSED]
    trouble = _latest_trouble(journey.frames)
    return Decisive(
        step=doing, expected=expected, received=(*message, trouble.what) if trouble else message
    )


def decisive_frame(journey: JourneyResult) -> Frame | None:
    """Find what went over the wire when the verdict fell; None if no frames were kept.

    It is the latest frame that holds what was received instead of what was expected; what stands
    far before that in it is left out. Where nothing was received, it is the latest that came while
    the step waited, and where none came, the latest that was sent until then. Without a step it is
    the latest exchange that went wrong: what comes after it is the goodbye.
    """
    step = journey.step
    if step is None:
        return _latest_trouble(journey.frames) or next(reversed(journey.frames), None)
    ended = step.started + step.duration
    until = [frame for frame in journey.frames if frame.at <= ended]
    came = [frame for frame in until if frame.direction == "received"]
    said = _said(journey, step)
    telling = (told for frame in reversed(came) for text in said if (told := _around(frame, text)))
    latest = [frame for frame in came if frame.at >= step.started] or until
    return next(telling, latest[-1] if latest else None)


def _said(journey: JourneyResult, step: StepResult) -> tuple[str, ...]:
    """Give what the step received: the last row of its time, or the user data that did not fit."""
    if step.verb == "expect_userdata":
        firsts = (next((text for text, _ in quoted_in(line)), "") for line in step.received)
        return tuple(text for text in firsts if text)
    ended = step.started + step.duration
    rows = (
        row.text
        for row in reversed(journey.transcript)
        if row.text and step.started <= row.at - journey.began <= ended
    )
    return tuple(islice(rows, 1))


def _around(frame: Frame, text: str) -> Frame | None:
    """Give a frame from shortly before a text on; None if it is not there in any way of JSON."""
    spelled = (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1])
    at = max(frame.text.find(words) for words in spelled)
    if at <= BEFORE:
        return None if at < 0 else frame
    return replace(frame, text=f"...{frame.text[at - BEFORE :]}")


def _latest_trouble(frames: Sequence[Frame]) -> Frame | None:
    return next((frame for frame in reversed(frames) if TROUBLE.match(frame.what)), None)
