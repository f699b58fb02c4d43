"""Files of bots, and their journeys as items of pytest."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from botkit.bot.diagnostics import Problem, Severity, format_text
from botkit.cli.connecting import misfits_of
from botkit.cli.loading import load_bots
from botkit.errors import BotkitError
from botkit.interfaces import JourneyPlan
from botkit.pytest_plugin import PLAYED
from botkit.pytest_plugin.playing import JourneyFailed, Stage, play, stage_of
from botkit.report.evidence import because, evidence
from botkit.results import JourneyResult, Verdict


class BotWarning(pytest.PytestWarning):
    """Something in a file of bots that is no reason to refuse it."""


class BotFile(pytest.File):
    """A file of bots; what is wrong with it is one error of the collection."""

    def collect(self) -> Iterable[pytest.Item]:
        """Give an item for each row of each bot.

        Raises:
            CollectError: with all that is wrong, each with its line and a caret.
        """
        try:
            stage = stage_of(self.config)
            plans = self._plans(stage)
        except BotkitError as error:
            raise self.CollectError(str(error)) from error
        return [BotItem.from_parent(self, name=plan.name, plan=plan) for plan in plans]

    def _plans(self, stage: Stage) -> list[JourneyPlan]:
        path = Path(os.path.relpath(self.path))
        bots, loaded = load_bots([path], stage.plugins, variables=stage.variables)
        self._refuse(loaded.problems, [p for p in loaded.problems if p in loaded.errors])
        planned = [(bot, bot.plans()) for bot in bots]
        misfits = misfits_of(planned, stage.connect, stage.plugins)
        self._refuse(misfits, misfits)
        for problem in loaded.problems:
            if problem.severity is Severity.WARNING:
                self.warn(BotWarning(str(problem)))
        return [plan for _, of_bot in planned for plan in of_bot]

    def _refuse(self, told: Iterable[Problem], errors: list[Problem]) -> None:
        if errors:
            raise self.CollectError("\n".join(format_text(problem) for problem in told))


class BotItem(pytest.Item):
    """One journey: a bot with one row of its data."""

    obj = None
    """No function is behind it; pytest-trio, in its trio_mode, asks every item."""

    def __init__(self, *, plan: JourneyPlan, **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type]
        self.plan = plan
        for tag in plan.tags:
            self._mark(tag)

    def runtest(self) -> None:
        """Play the journey.

        Raises:
            JourneyFailed: with its evidence, if it did not pass.
        """
        result = play(self.plan, stage_of(self.config))
        where = "on the simulator" if result.on_simulator else f"at {result.server or 'no server'}"
        self.user_properties.append((PLAYED, where))
        self.add_report_section("call", "botkit", shown(result))
        if result.verdict is Verdict.SKIPPED:
            # The journey said so itself, of this run alone; its own words are the reason.
            pytest.skip(because(result))
        if result.verdict not in {Verdict.PASSED, Verdict.DEGRADED}:
            raise JourneyFailed(result)

    def repr_failure(  # type: ignore[override]
        self, excinfo: pytest.ExceptionInfo[BaseException]
    ) -> object:
        """Show the evidence; what broke outside of the journey as pytest shows it."""
        match excinfo.value:
            case JourneyFailed() as failed:
                # The section of the same text would say it twice.
                self._report_sections.clear()
                return shown(failed.result)
            case BotkitError() as error:
                return str(error)
        return super().repr_failure(excinfo)

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Tell the file and the line where the row is written, or where the bot begins."""
        plan = self.plan
        if plan.row_file is not None and plan.row_line is not None:
            return Path(plan.row_file), plan.row_line - 1, self.name
        return self.path, None if plan.line is None else plan.line - 1, self.name

    def _mark(self, tag: str) -> None:
        # Tags are the words of bots: nobody should have to declare them once more.
        known = {line.partition(":")[0].strip() for line in self.config.getini("markers")}
        if tag not in known:
            self.config.addinivalue_line("markers", f"{tag}: bots with this tag")
        self.add_marker(tag)


def shown(result: JourneyResult) -> str:
    """Write the evidence of a journey as ``botkit run`` does."""
    return "\n".join(line.text for line in evidence(result))
