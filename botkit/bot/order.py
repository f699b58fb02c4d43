"""Whether the steps of a script make sense in the order in which they stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from botkit.bot import script
from botkit.bot.diagnostics import Problems
from botkit.bot.parts import Part
from botkit.bot.script import Step
from botkit.bot.source import Node, find_key
from botkit.bot.step_models import VERBS_AFTER_LEAVE
from botkit.chat import SessionEnded

USED = ".steps["
"""What follows in a path on that of a step that uses another file."""


def with_judges(steps: Sequence[Step]) -> tuple[Step, ...]:
    """Let each reload know whether the step behind it says which outcome is right."""
    return tuple(
        _judged(step) if isinstance(_first(following), script.ExpectRestored) else step
        for step, following in zip_longest(steps, steps[1:])
        if step is not None
    )


def _judged(step: Step) -> Step:
    """Tell a reload that its outcome is judged; it may be the last step of a file."""
    if isinstance(step, script.Reload):
        return replace(step, judged=True)
    if isinstance(step, script.Use) and step.do:
        return replace(step, do=(*step.do[:-1], _judged(step.do[-1])))
    return step


def _first(step: Step | None) -> Step | None:
    """Give the step that is played first, where one stands for those of a file."""
    while isinstance(step, script.Use):
        step = next(iter(step.do), None)
    return step


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Checks the order of the steps of a script, along all branches.

    Attributes:
        nodes: the node of each step by its path.
        parts: the files of steps that are used, by the path of the step that does.
        problems: takes all that is wrong.
    """

    nodes: Mapping[str, Node]
    parts: Mapping[str, Part]
    problems: Problems

    def check(self, steps: tuple[Step, ...], *, is_part: bool) -> None:
        """Check a whole script; ``is_part`` if there may be others before its steps."""
        self._check_after_leave(steps, left=False)
        self._check_reloads(steps, reloaded=is_part)
        self._check_reached(steps)

    def _check_after_leave(self, steps: tuple[Step, ...], *, left: bool) -> bool:
        """Refuse what needs an open chat once it was surely left; tells whether it was."""
        for step in steps:
            if left and not isinstance(step, script.Use) and not _fits_after_leave(step):
                message = (
                    f"{step.verb!r} comes after 'leave', when the chat is over; only"
                    " 'wait_for: ended', 'reload', 'expect_restored', 'note' and 'finish'"
                    " make sense there"
                )
                self._refuse(step, message)
            elif isinstance(step, script.Leave):
                left = True
            elif isinstance(step, script.Repeat | script.Use):
                left = self._check_after_leave(step.do, left=left)
            elif isinstance(step, script.Choose):
                ends = [self._check_after_leave(branch, left=left) for branch in _branches(step)]
                left = all(ends if step.otherwise is not None else ends[:-1])
        return left

    def _check_reloads(self, steps: tuple[Step, ...], *, reloaded: bool) -> bool:
        """Refuse what judges a reload where there was none; tells whether there may be one."""
        for step in steps:
            if isinstance(step, script.Reload):
                reloaded = True
            elif isinstance(step, script.ExpectRestored) and not reloaded:
                self._refuse(step, f"{step.verb!r} judges a 'reload', and none comes before it")
            elif isinstance(step, script.Repeat | script.Use):
                reloaded = self._check_reloads(step.do, reloaded=reloaded)
            elif isinstance(step, script.Choose):
                ends = [
                    self._check_reloads(branch, reloaded=reloaded) for branch in _branches(step)
                ]
                reloaded = any(ends)
        return reloaded

    def _check_reached(self, steps: tuple[Step, ...]) -> bool:
        """Warn of steps that no journey comes to; tells whether the script surely ends in these."""
        ended = False
        for step in steps:
            if ended:
                mark = find_key(self.nodes[step.path], (step.verb,))
                message = f"no journey comes to this {step.verb!r}: 'finish' always ends it before"
                hint = "take it out, or let the 'finish' stand in a 'choose'"
                self.problems.warn(mark, message, hint=hint)
                return True
            if isinstance(step, script.Finish):
                ended = True
            elif isinstance(step, script.Repeat):
                ended = self._check_reached(step.do)
            elif isinstance(step, script.Use):
                # What nobody comes to within its file was told there.
                ended = self.parts[step.path].certain is None
            elif isinstance(step, script.Choose):
                # Where nothing fits and nothing is said for that, the journey fails there.
                ways = _branches(step) if step.otherwise is not None else _branches(step)[:-1]
                ends = [self._check_reached(way) for way in ways]
                ended = all(ends)
        return ended

    def _refuse(self, step: Step, message: str) -> None:
        path, elsewhere, _ = step.path.partition(USED)
        if elsewhere:
            # It is right in its own file and wrong where that is used.
            message = f"{step.place.file}:{step.place.line}: {message}"
        mark = find_key(self.nodes[path], ("use" if elsewhere else step.verb,))
        self.problems.add(mark, message)


def _branches(step: script.Choose) -> list[tuple[Step, ...]]:
    """Give all ways that a choice may go; the last is that nothing fits."""
    return [*(case.do for case in step.cases), step.otherwise or ()]


def _fits_after_leave(step: Step) -> bool:
    if isinstance(step, script.WaitFor):
        return step.kind is SessionEnded
    return step.verb in VERBS_AFTER_LEAVE
