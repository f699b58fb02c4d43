"""``botkit run --explain``: a journey step by step, with the events that each step went by."""

from __future__ import annotations

from collections.abc import Iterator

from botkit.report.evidence import (
    MAX_ITEMS,
    MAX_WORDS,
    Line,
    closest_lines,
    passed_line,
    step_line,
)
from botkit.report.passing import Account, accounts
from botkit.report.text import one_line
from botkit.results import JourneyResult, Verdict

INDENT = "        "


def explanation(result: JourneyResult) -> Iterator[Line]:
    """Say for each step which event it took, and which it passed over and why."""
    for account in accounts(result):
        yield from _step(account)


def _step(account: Account) -> Iterator[Line]:
    step = account.step
    style = "" if step.verdict is Verdict.PASSED else step.verdict.value
    yield Line(f"  {step.number:3}  {step.verdict.value}  {step_line(step)}", style)
    for passed in account.passed[:MAX_ITEMS]:
        yield Line(f"{INDENT}passed over {passed_line(passed)}", "dim")
    if len(account.passed) > MAX_ITEMS:
        yield Line(f"{INDENT}... and {len(account.passed) - MAX_ITEMS} more", "dim")
    if step.took:
        number = "" if step.seq is None else f"#{step.seq} "
        yield Line(f"{INDENT}took {number}{one_line(step.took, MAX_WORDS)}")
    elif account.missed:
        yield Line(f"{INDENT}took nothing; expected {one_line(step.expected)}")
    yield from closest_lines(account.closest(), indent=INDENT)
