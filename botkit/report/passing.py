"""Which event each step took, and which it passed over and why.

All of it is read from what evidence holds anyway: the number of the event that a step took, the
numbered rows of the transcript, and the lines in which a step says what did not fit. A step that
waits for one kind of event passes over the unread events of that kind, as the inbox does. What
can satisfy no expectation (the echo of the customer's own lines, and history) never gets into the
inbox; it is listed because it is what people stumble over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from botkit.chat import PartyKind, Row
from botkit.chat.transcript import CUT, MAX_LINE
from botkit.chat.tried import MAX_SHOWN
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
    numbered = (row for row in result.transcript if row.seq is not None)
    # A line of the customer stands where it was sent, and has the number of its echo.
    rows = sorted(numbered, key=lambda row: row.seq or 0)
    by_seq: dict[int | None, Row] = {row.seq: row for row in rows}
    # The read positions of the inbox, by kind of event.
    read: dict[str, int] = {}
    for step in result.steps:
        took = by_seq.get(step.seq)
        missed = took is None and is_missed(step)
        if took is not None:
            passed = _before(rows, took, read.get(took.kind, 0), step)
            read[took.kind] = max(took.seq or 0, read.get(took.kind, 0))
        elif missed:
            passed = _instead(result, rows, read.get("message", 0), step)
            if step.verb == "expect_next" and step.received:
                # It read the message that did not fit.
                read["message"] = max((p.seq or 0 for p in passed if _counts(p)), default=0)
        else:
            passed = ()
        yield Account(step=step, missed=missed, took=took, passed=passed)


def is_missed(step: StepResult) -> bool:
    """Tell whether a step is an expectation of something said that was not met."""
    broken = step.verdict in (Verdict.FAILED, Verdict.CANCELLED)
    return broken and step.verb in EXPECTATIONS and bool(step.expected)


def _before(rows: Iterable[Row], took: Row, read: int, step: StepResult) -> tuple[Passed, ...]:
    """List what was passed over on the way to the event that was taken."""
    seq = took.seq or 0
    between = (row for row in rows if row.kind == took.kind and read < (row.seq or 0) < seq)
    return tuple(_explained(between, step.passed_over))


def _instead(
    result: JourneyResult, rows: Iterable[Row], read: int, step: StepResult
) -> tuple[Passed, ...]:
    """List what came and did not satisfy a step."""
    if step.verb == "expect_userdata":
        return tuple(_of_userdata(step.received))
    over = result.began + step.started + step.duration + ROUNDING
    since = (row for row in rows if row.kind == "message" and (row.seq or 0) > read)
    return tuple(_explained((row for row in since if row.at <= over), step.received))


def _explained(rows: Iterable[Row], misses: Sequence[str]) -> Iterator[Passed]:
    """Find for each row why it was passed over: the lines of a step come in the rows' order."""
    lines = list(misses)
    for row in rows:
        words = str(row)[:MAX_LINE]
        if row.party is PartyKind.CUSTOMER:
            why = OWN_LINE
        elif row.history:
            why = HISTORY
        elif lines and _is_of(lines[0], words):
            why = lines.pop(0)[len(words) :].removeprefix(CUT).removeprefix(" - ") or NO_FIT
        else:
            # A step writes down no more than so many lines; what came after them is not known.
            why = NO_FIT if not lines and len(misses) >= MAX_SHOWN else OTHER_SENDER
        yield Passed(seq=row.seq, line=words, why=why, text=row.text)


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


def _counts(passed: Passed) -> bool:
    return passed.why not in NEVER_COUNT and passed.why != OTHER_SENDER
