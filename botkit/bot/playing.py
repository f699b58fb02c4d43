"""What the verbs of the language are made of: waiting, breaking, and what is written down."""

from __future__ import annotations

import enum
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import Any

from botkit.bot.matchers import MatcherError, in_words
from botkit.bot.turn import Finished
from botkit.chat import Message
from botkit.errors import FOREIGN
from botkit.interfaces import Match, Matcher, Miss, match_message
from botkit.masking import shortened_repr
from botkit.results import Reason, Verdict, blame


class Unmet(enum.Enum):
    """The answers to a need that was not met."""

    TIMEOUT = "timeout"
    ENDED = "ended"
    """The chat ended."""


@dataclass(slots=True)
class Need:
    """What a step waits for.

    Attributes:
        poll: asked after every input; anything but None is the answer.
        deadline: on the loop's clock; None waits for ever.
        in_chat: the end of the chat ends the waiting too.
    """

    poll: Callable[[], Any]
    deadline: float | None = None
    in_chat: bool = True


Play = Generator[Need, Any, Any]
"""A verb on its way: it yields what it needs, and is sent the answer or an :class:`Unmet`."""


@dataclass(slots=True)
class Log:
    """What is written down about a step while it runs; see ``results.StepResult``."""

    started: float
    expected: str = ""
    received: Sequence[str] = ()
    took: str | None = None
    passed_over: Sequence[str] = ()
    asserts: bool = False
    slow: str = ""
    seq: int | None = None


class Broken(Exception):
    """A step ends without success."""

    def __init__(self, reason: Reason, message: str, *, verdict: Verdict = Verdict.FAILED) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.verdict = verdict


class Over(Exception):
    """The script ends.

    Args:
        finished: how.
        at_once: what reactions still have to say is not waited for.
    """

    def __init__(self, finished: Finished, *, at_once: bool) -> None:
        super().__init__(finished)
        self.finished = finished
        self.at_once = at_once


def judge(matcher: Matcher, said: Message | str) -> Match | Miss:
    """Ask a matcher about a message, or about any other text.

    Raises:
        Broken: it cannot decide. That is neither a match nor a miss.
    """
    try:
        answer: object = (
            match_message(matcher, said) if isinstance(said, Message) else matcher.match(said)
        )
    except MatcherError as error:
        raise Broken(Reason.BOT, str(error), verdict=Verdict.ERROR) from error
    except FOREIGN as error:  # The boundary to plugins' code.
        raise _bad_matcher(matcher, f"raised {type(error).__name__}: {error}") from error
    if isinstance(answer, Match | Miss):
        return answer
    raise _bad_matcher(matcher, f"gave {shortened_repr(answer, 40)}, and neither Match nor Miss")


def _bad_matcher(matcher: Matcher, what: str) -> Broken:
    message = f"the matcher {in_words(matcher)!r} {what}"
    return Broken(Reason.PLUGIN, message, verdict=Verdict.ERROR)


def broken_by(error: BaseException) -> Broken:
    """Break a step because its command could not be done."""
    verdict, reason = blame(error)
    return Broken(reason, str(error) or type(error).__name__, verdict=verdict)
