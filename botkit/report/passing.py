"""Which event each step took, and which it passed over and why.

All of it is read from what evidence holds anyway: the number of the event that a step took, the
numbered rows of the transcript, and the lines in which a step says what did not fit. A step that
waits for one kind of event passes over the unread events of that kind, as the inbox does. What
can satisfy no expectation (the echo of the customer's own lines, and history) never gets into the
inbox; it is listed because it is what people stumble over.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from botkit.chat import PartyKind, Row
from botkit.chat.transcript import MAX_LINE
from botkit.chat.tried import MAX_SHOWN
from botkit.masking import CUT
from botkit.report.closeness import Likeness, likeness, quoted_in, wanted_in
from botkit.results import JourneyResult, StepResult, Verdict

OWN_LINE = "the customer's own line"
HISTORY = "history: it was there before"
OTHER_SENDER = "from another sender"
NO_FIT = "it did not fit"

NEVER_COUNT = frozenset({OWN_LINE, HISTORY})
"""Why an event could not have satisfied any expectation."""

EXPECTATIONS = frozenset({"expect", "expect_next", "expect_userdata", "choose"})
"""The verbs whose misses are explained."""

ROUNDING = 1e-6
"""Seconds by which sums of floats may be off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """One event that a step passed over.

    Attributes:
        line: the event in words.
        why: why it was passed over.
        text: what it said.
        seq: its number within the session; None if it is not known.
    """

    line: str
    why: str
    text: str
    seq: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Closest:
    """The event passed over that was most like what was wanted."""

    passed: Passed
    likeness: Likeness


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """What one step did with the events that came.

    Attributes:
        missed: it is an expectation that was not met.
        took: the row of the event that it took; None if it took none, or that is not known.
        passed: what it passed over, oldest first.
    """

    step: StepResult
    missed: bool
    took: Row | None
    passed: tuple[Passed, ...]

    def closest(self) -> Closest | None:
        """Find what came closest to a miss; None if nothing can be compared.

        What could never count is only named where nothing else came.
        """
        if not self.missed:
            return None
        counting = [passed for passed in self.passed if passed.why not in NEVER_COUNT]
        wanted = wanted_in(self.step.expected)
        best: Closest | None = None
        for passed in counting or self.passed:
            found = likeness(_wanted_of(self.step, passed, wanted), passed.text)
            least = best.likeness.percent if best else 0
            if found and found.percent > least:
                best = Closest(passed=passed, likeness=found)
        return best


def account_of_miss(result: JourneyResult, step: StepResult) -> Account:
    """Give the account of a miss; that of any other step is empty here, for it costs the most."""
    unknown = Account(step=step, missed=False, took=None, passed=())
    if not is_missed(step):
        return unknown
    place = (step.path, step.started)
    found = (known for known in accounts(result) if (known.step.path, known.step.started) == place)
    return next(found, unknown)


def accounts(result: JourneyResult) -> Iterator[Account]:
    """Give the account of every step of a journey, in the order in which they finished."""
    numbered = {row.seq: row for row in result.transcript if row.seq is not None}
    unread = _Unread(numbered.values())
    for step in result.steps:
        took = None if step.seq is None else numbered.get(step.seq)
        missed = took is None and is_missed(step)
        passed: tuple[Passed, ...] = ()
        if took is not None:
            passed = tuple(_explained(unread.take(took), step.passed_over))
        elif missed and step.verb == "expect_userdata":
            passed = tuple(_of_userdata(step.received))
        elif missed:
            over = result.began + step.started + step.duration + ROUNDING
            came = [row for row in unread.of("message") if row.at <= over]
            passed = tuple(_explained(came, step.received))
            if step.verb == "expect_next":
                unread.take_first(came, passed)
        yield Account(step=step, missed=missed, took=took, passed=passed)


class _Unread:
    """The numbered rows of a transcript by kind, from the read position of each kind on."""

    def __init__(self, rows: Iterable[Row]) -> None:
        self._lanes: dict[str, list[Row]] = {}
        self._read: dict[str, int] = {}
        # A line of the customer stands where it was sent, and has the number of its echo.
        for row in sorted(rows, key=_number_of):
            self._lanes.setdefault(row.kind, []).append(row)

    def of(self, kind: str) -> Sequence[Row]:
        """Give what is unread of a kind."""
        return self._lanes.get(kind, [])[self._read.get(kind, 0) :]

    def take(self, row: Row) -> Sequence[Row]:
        """Move the read position behind a row; gives what was unread before it."""
        lane, read = self._lanes[row.kind], self._read.get(row.kind, 0)
        at = bisect_left(lane, _number_of(row), key=_number_of)
        self._read[row.kind] = max(read, at + 1)
        return lane[read:at]

    def take_first(self, rows: Iterable[Row], passed: Iterable[Passed]) -> None:
        """Take the message that an ``expect_next`` read, though it did not fit."""
        for row, one in zip(rows, passed, strict=True):
            if one.why not in NEVER_COUNT and one.why != OTHER_SENDER:
                self.take(row)
                return


def _number_of(row: Row) -> int:
    return row.seq or 0


def is_missed(step: StepResult) -> bool:
    """Tell whether a step is an expectation of something said that was not met."""
    broken = step.verdict in (Verdict.FAILED, Verdict.CANCELLED)
    return broken and step.verb in EXPECTATIONS and bool(step.expected)


def _explained(rows: Sequence[Row], misses: Sequence[str]) -> Iterator[Passed]:
    """Find for each row why it was passed over: the lines of a step come in the rows' order."""
    tried = sum(row.party is not PartyKind.CUSTOMER and not row.history for row in rows)
    lines = deque(misses)
    for row in rows:
        words = str(row)[:MAX_LINE]
        if row.party is PartyKind.CUSTOMER:
            why = OWN_LINE
        elif row.history:
            why = HISTORY
        elif lines and (tried == len(misses) or _is_of(lines[0], words)):
            # Where each was tried the words need not be the same: more may be hidden by now.
            why = _why_of(lines.popleft(), words)
        else:
            # A step writes down no more than so many lines; what came after them is not known.
            why = NO_FIT if not lines and len(misses) >= MAX_SHOWN else OTHER_SENDER
        yield Passed(seq=row.seq, line=words, why=why, text=row.text)


def _why_of(line: str, words: str) -> str:
    """Give what a line of a step says behind the words of its event."""
    if _is_of(line, words):
        return line[len(words) :].removeprefix(CUT).removeprefix(" - ") or NO_FIT
    return NO_FIT


def _is_of(line: str, words: str) -> bool:
    """Tell whether a line of a step is about the event with these words."""
    return line == words or line.startswith((f"{words} - ", f"{words}{CUT}"))


def _of_userdata(misses: Iterable[str]) -> Iterator[Passed]:
    for miss in misses:
        key, _, why = miss.partition(": ")
        value = next((text for text, _ in quoted_in(why)), "")
        yield Passed(line=f"{key}={value}" if value else key, why=why, text=value)


def _wanted_of(step: StepResult, passed: Passed, wanted: tuple[str, ...]) -> tuple[str, ...]:
    """Give what one event is compared with; of user data each key wants something else."""
    if step.verb != "expect_userdata":
        return wanted
    _, *rest = (text for text, _ in quoted_in(passed.why)) if passed.text else ("",)
    return tuple(rest) or wanted_in(passed.why)[1:]
