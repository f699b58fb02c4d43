"""Writes down what became of steps, with everything hidden that must not be shown."""

from __future__ import annotations

from botkit.bot.playing import Broken, Log
from botkit.bot.script import Place, Step
from botkit.bot.turn import Finished
from botkit.bot.values import Values
from botkit.results import Reason, StepResult, Verdict


class Ledger:
    """The results of one script, as its steps, reactions and guards finish.

    Args:
        values: knows what must not be shown.
        began: the loop's clock from which steps are counted.

    Attributes:
        asserting: how many results are assertions.
        slow: the first result that was degraded.
    """

    __slots__ = ("_began", "_count", "_results", "_values", "asserting", "slow")

    def __init__(self, values: Values, began: float) -> None:
        self.asserting = 0
        self.slow: StepResult | None = None
        self._values = values
        self._began = began
        self._count = 0
        self._results: list[StepResult] = []

    def write_step(
        self, step: Step, log: Log, now: float, broken: Broken | None = None
    ) -> Finished:
        """Write down that a step is over; see :meth:`write`."""
        return self.write(
            path=step.path,
            verb=step.verb,
            text=step.text,
            place=step.place,
            log=log,
            now=now,
            broken=broken,
        )

    def write(
        self,
        *,
        path: str,
        verb: str,
        text: str,
        place: Place,
        log: Log,
        now: float,
        broken: Broken | None = None,
    ) -> Finished:
        """Write down that something is over.

        Returns:
            How the script ends if it ends with this.
        """
        mask = self._values.mask
        verdict, reason, message = Verdict.PASSED, Reason.OK, ""
        if broken is not None:
            verdict, reason, message = broken.verdict, broken.reason, mask(broken.message)
        elif log.slow:
            verdict, reason, message = Verdict.DEGRADED, Reason.SLOW, log.slow
        self._count += 1
        result = StepResult(
            number=self._count,
            path=path,
            verb=verb,
            text=mask(text),
            file=place.file,
            line=place.line,
            verdict=verdict,
            reason=reason,
            started=log.started - self._began,
            duration=now - log.started,
            expected=mask(log.expected),
            received=tuple(map(mask, log.received)),
            took=None if log.took is None else mask(log.took),
            passed_over=tuple(map(mask, log.passed_over)),
            message=message,
            asserts=log.asserts,
            seq=log.seq,
        )
        self.asserting += log.asserts
        if verdict is Verdict.DEGRADED and self.slow is None:
            self.slow = result
        self._results.append(result)
        return Finished(verdict=verdict, reason=reason, message=message, step=result)

    def take(self) -> tuple[StepResult, ...]:
        """Give the results since the last time."""
        if not self._results:
            return ()
        results, self._results = tuple(self._results), []
        return results

    def conclude(self) -> Finished:
        """Say how a script ends whose steps are all done."""
        slow = self.slow
        if slow is None:
            return Finished(verdict=Verdict.PASSED, reason=Reason.OK)
        return Finished(verdict=slow.verdict, reason=slow.reason, message=slow.message, step=slow)
