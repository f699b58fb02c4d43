"""Expectations of a session: what was tried, what came of it, and how it is written down."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import trio

from botkit.chat import EndedBy, Message, SessionEnded, Taken, describe
from botkit.chat.transcript import text_of
from botkit.chat.tried import Tried
from botkit.errors import ExpectationFailed, StepTimeout
from botkit.interfaces import Matcher, Miss, match_message
from botkit.results import Reason, StepResult, Verdict

BOTKIT_FOLDER = str(Path(__file__).parent.parent)

Observer = Callable[[StepResult], None]


class Recorder:
    """Numbers the steps of a session and tells an observer of them, if there is one."""

    __slots__ = ("_began", "_count", "_observer")

    def __init__(self, observer: Observer | None, began: float) -> None:
        self._observer = observer
        self._began = began
        self._count = 0

    def record(
        self,
        *,
        verb: str,
        text: str,
        started: float,
        verdict: Verdict = Verdict.PASSED,
        reason: Reason = Reason.OK,
        expected: str = "",
        received: tuple[str, ...] = (),
        took: str | None = None,
        passed_over: tuple[str, ...] = (),
        message: str = "",
        asserts: bool = False,
        seq: int | None = None,
    ) -> None:
        """Write down that a step is over."""
        if self._observer is None:
            return
        self._count += 1
        file, line = _caller()
        self._observer(
            StepResult(
                number=self._count,
                path=f"run:{line}" if line else "run",
                verb=verb,
                text=text,
                file=file,
                line=line,
                verdict=verdict,
                reason=reason,
                started=started - self._began,
                duration=trio.current_time() - started,
                expected=expected,
                received=received,
                took=took,
                passed_over=passed_over,
                message=message,
                asserts=asserts,
                seq=seq,
            )
        )


def tried(matcher: Matcher, sender: str | None) -> Tried:
    """Make the predicate of an expectation."""

    def why_not(message: Message) -> str | None:
        answer = match_message(matcher, message)
        return answer.why if isinstance(answer, Miss) else None

    return Tried(why_not, sender)


@dataclass(slots=True)
class Expectation:
    """One expectation while it is open; tells the recorder how it ended."""

    recorder: Recorder
    verb: str
    expected: str
    within: float
    slow_after: float | None
    started: float

    @property
    def deadline(self) -> float:
        """The loop's clock until which it may come, seconds."""
        return self.started + self.within

    def passed(self, taken: Taken, misses: Sequence[str] = ()) -> None:
        """It came; later than ``slow_after`` is degraded.

        Args:
            taken: what came.
            misses: what was passed over for it, a line each, with why it did not fit.
        """
        took = max(taken.event.at - self.started, 0.0)
        slow = self.slow_after is not None and took > self.slow_after
        self._record(
            verdict=Verdict.DEGRADED if slow else Verdict.PASSED,
            reason=Reason.SLOW if slow else Reason.OK,
            message=f"took {took:.1f} s, slow after {self.slow_after:g} s" if slow else "",
            took=describe(taken.event),
            seq=taken.event.seq,
            passed_over=tuple(misses) if taken.passed_over else (),
        )

    def failed(
        self, received: Sequence[str], transcript: Sequence[str], ended: SessionEnded | None
    ) -> ExpectationFailed:
        """It did not come; gives the error to raise."""
        if ended is not None:
            reason = Reason.LOST if ended.by is EndedBy.LOST else Reason.CHAT_ENDED
            message = f"the chat ended ({text_of(ended)}) before {self.expected} came"
        elif received:
            reason = Reason.EXPECTATION
            message = f"expected {self.expected} within {self.within:g} s; other messages came"
        else:
            reason = Reason.TIMEOUT
            message = f"expected {self.expected} within {self.within:g} s; nothing came"
        self._record(
            verdict=Verdict.FAILED, reason=reason, message=message, received=tuple(received)
        )
        kind = StepTimeout if reason is Reason.TIMEOUT else ExpectationFailed
        return kind(self.expected, received=received, transcript=transcript, reason=reason.value)

    def _record(
        self,
        *,
        verdict: Verdict,
        reason: Reason,
        message: str,
        received: tuple[str, ...] = (),
        took: str | None = None,
        passed_over: tuple[str, ...] = (),
        seq: int | None = None,
    ) -> None:
        self.recorder.record(
            verb=self.verb,
            text=f"{self.verb}: {self.expected}",
            started=self.started,
            verdict=verdict,
            reason=reason,
            expected=self.expected,
            received=received,
            took=took,
            passed_over=passed_over,
            message=message,
            asserts=True,
            seq=seq,
        )


def _caller() -> tuple[str | None, int | None]:
    """Find the line outside botkit that is waiting: where the author wrote the step."""
    frame = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith(BOTKIT_FOLDER):
            return name, frame.f_lineno
        if frame.f_back is None:
            break
        frame = frame.f_back
    return None, None
