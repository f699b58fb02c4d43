"""Results in words: the lines that a person reads, on a console and in a JUnit file."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from botkit.chat import Row
from botkit.report.passing import (
    NEVER_COUNT,
    OTHER_SENDER,
    Account,
    Closest,
    Passed,
    account_of_miss,
)
from botkit.report.text import MAX_LINE, one_line
from botkit.results import JourneyResult, Reason, RunResult, StepResult, Verdict

MAX_ROWS = 40
"""Rows of a transcript that are shown; the newest tell most."""

MAX_ITEMS = 20
"""Items of any other list."""

MAX_WORDS = 120
"""Characters of an event that is named beside others."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of evidence; ``style`` is a verdict's value, ``head``, ``dim`` or empty."""

    text: str
    style: str = ""


def headline(result: JourneyResult) -> Line:
    """Say the outcome of a journey in one line."""
    parts = [f"{result.verdict.value.upper():9}", one_line(result.name), seconds(result.duration)]
    if result.on_simulator:
        parts.append("on the simulator")
    if result.by_hand:
        parts.append("stepped by hand")
    why = because(result)
    return Line("  ".join([*parts, why] if why else parts), result.verdict.value)


def because(result: JourneyResult) -> str:
    """Say why a verdict is what it is; empty if there is nothing to say."""
    message = one_line(result.message)
    if result.reason in {Reason.OK, Reason.FINISHED}:
        return message
    return f"{result.reason.value}: {message}" if message else result.reason.value


def seconds(duration: float) -> str:
    """Write a duration for people."""
    return f"{duration:.2f} s" if duration < 10 else f"{duration:.1f} s"


def evidence(result: JourneyResult, *, max_rows: int = MAX_ROWS) -> Iterator[Line]:
    """Say all that a person needs to see why a journey ended as it did."""
    yield headline(result)
    if result.title:
        yield Line(f"  {one_line(result.title)}", "dim")
    if result.step is not None:
        yield from _step(account_of_miss(result, result.step))
    if result.verdict is Verdict.DEGRADED:
        slow = (step for step in result.steps if step.verdict is Verdict.DEGRADED)
        yield from (Line(f"  slow: {step_line(step)}") for step in slow if step != result.step)
    yield from _transcript(result, max_rows)
    yield from _listed("warnings", result.warnings)
    yield from _listed("notes", result.notes)
    yield from _listed("measured", [f"{k}: {seconds(v)}" for k, v in result.measurements.items()])
    yield Line(f"  {whereabouts(result)}", "dim")
    if not result.left:
        yield Line("  the service did not confirm that this chat was left", "warning")


def whereabouts(result: JourneyResult) -> str:
    """Say which chat it was, so that it can be found in the logs of the service."""
    chat = f"chat {one_line(result.session_id)}" if result.session_id else "no chat was opened"
    parts = [chat]
    if result.server:
        parts.append(f"at {one_line(result.server)}")
    if result.connector:
        parts.append(f"by {one_line(result.connector)}")
    if result.journey_id:
        # Read from a file it may be anything.
        parts.append(f"journey {one_line(result.journey_id)}")
    return ", ".join(parts)


def place(step: StepResult) -> str:
    """Name where a step stands: ``bots/smoke.yaml:12``; its path if it is in no file."""
    if step.file is None:
        return one_line(step.path)
    return one_line(step.file if step.line is None else f"{step.file}:{step.line}")


def row_line(row: Row, began: float) -> str:
    """Write a row of a transcript, with the time since the journey began."""
    when = "   before" if row.history else f"{row.at - began:+8.2f}s"
    return f"{when}  {one_line(str(row))}"


def totals(run: RunResult) -> Line:
    """Count the journeys of a run."""
    worst = next((v for v in WORST_FIRST if any(j.verdict is v for j in run.journeys)), None)
    counted = count_verdicts(run)
    if not counted:
        return Line(f"no journey was run, {seconds(run.duration)}", Verdict.ERROR.value)
    on_simulator = sum(journey.on_simulator for journey in run.journeys)
    where = ""
    if on_simulator:
        everywhere = on_simulator == len(run.journeys)
        where = ", on the simulator" if everywhere else f", {on_simulator} on the simulator"
    stopped = ", stopped by a signal" if run.interrupted else ""
    text = f"{counted} in {seconds(run.duration)}{where}{stopped}"
    return Line(text, worst.value if worst else "")


WORST_FIRST = (
    Verdict.ERROR,
    Verdict.FAILED,
    Verdict.CANCELLED,
    Verdict.DEGRADED,
    Verdict.SKIPPED,
    Verdict.PASSED,
)


def count_verdicts(run: RunResult) -> str:
    """Count the verdicts of a run: ``3 passed, 1 failed``; empty without journeys."""
    counts = Counter(journey.verdict for journey in run.journeys)
    return ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict])


def _step(account: Account) -> Iterator[Line]:
    step = account.step
    yield Line(f"  {step_line(step)}", "head")
    if step.expected:
        yield Line(f"    expected: {one_line(step.expected)}")
        yield from _listed("received", step.received or ("nothing",), indent="    ")
    elif step.received:
        yield from _listed("received", step.received, indent="    ")
    yield from closest_lines(account.closest(), indent="    ")
    ignored = [passed_line(p) for p in account.passed if p.why in IGNORED]
    yield from _listed("came too, and did not count", ignored, indent="    ")
    yield from _listed("passed over before", step.passed_over, indent="    ")
    if step.took:
        yield Line(f"    took: {one_line(step.took)}")


IGNORED = NEVER_COUNT | {OTHER_SENDER}
"""Why an event was not even tried."""


def closest_lines(closest: Closest | None, *, indent: str) -> Iterator[Line]:
    """Say what came closest to what was wanted, and where the two part."""
    if closest is None:
        return
    near = closest.likeness
    passed = closest.passed
    words = passed_line(passed) if passed.why in IGNORED else numbered(passed)
    yield Line(f"{indent}closest: {words} ({near.percent} % alike)", "head")
    yield Line(f"{indent}  wanted: {one_line(near.wanted)}")
    yield Line(f"{indent}  differs: {one_line(near.marked, 2 * MAX_LINE)}")


def passed_line(passed: Passed) -> str:
    """Say what was passed over, and why."""
    # Most reasons begin with the text, which stands there already.
    said = json.dumps(passed.text, ensure_ascii=False)
    why = passed.why.removeprefix(f"{said} ")
    return f"{numbered(passed)} - {one_line(why)}"


def numbered(passed: Passed) -> str:
    """Name an event by its number and its words, cut."""
    words = one_line(passed.line, MAX_WORDS)
    return words if passed.seq is None else f"#{passed.seq} {words}"


def step_line(step: StepResult) -> str:
    """Say a step in one line: where it stands, what it is, how long it took."""
    return f"{place(step)}: {one_line(step.text)} ({seconds(step.duration)})"


def _transcript(result: JourneyResult, max_rows: int) -> Iterator[Line]:
    rows = result.transcript[-max_rows:]
    if not rows:
        return
    yield Line("  transcript:", "head")
    if earlier := len(result.transcript) - len(rows):
        yield Line(f"    ... {earlier} earlier lines", "dim")
    yield from (Line(f"    {row_line(row, result.began)}") for row in rows)


def _listed(title: str, items: Sequence[str], *, indent: str = "  ") -> Iterator[Line]:
    if not items:
        return
    yield Line(f"{indent}{title}:", "head")
    yield from (Line(f"{indent}  {one_line(item)}") for item in items[:MAX_ITEMS])
    if len(items) > MAX_ITEMS:
        yield Line(f"{indent}  ... and {len(items) - MAX_ITEMS} more", "dim")
