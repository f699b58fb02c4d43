"""Plays a run, shows it, and stops it when it is told to."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NoReturn

import click
import trio

from botkit.cli.reporting import Kept, Wanted, tell_the_end
from botkit.cli.signals import run_until_signalled
from botkit.cli.tracing import tell_of_lost_spans, tracing_to
from botkit.interfaces import JourneyPlan, Reporter
from botkit.journey import Run, RunSettings
from botkit.plugins import Plugins
from botkit.report.console import ConsoleReporter
from botkit.results import RunResult
from botkit.session import utc_now

if TYPE_CHECKING:
    from botkit.cli.stepping import PromptStepper
    from botkit.telemetry.sending import SpanSender

BETWEEN_LOOKS = 0.25
"""Seconds between two drawings of the live view."""


def leave_the_process(code: int) -> NoReturn:
    """End the process at once: nothing more is awaited, not even a chat's goodbye."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Playing:
    """A run that is to be played.

    Attributes:
        plans: the journeys.
        settings: of the run.
        plugins: frozen.
        wanted: what is to be reported.
        stepper: steps through the journeys; None lets them run.
        spans: sends those of the journeys; None for none.
        environ: says what the terminal can do.
        give_up: ends the process with an exit code.
    """

    plans: Sequence[JourneyPlan]
    settings: RunSettings
    plugins: Plugins
    wanted: Wanted
    stepper: PromptStepper | None = None
    spans: SpanSender | None = None
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    give_up: Callable[[int], object] = leave_the_process

    async def play(self) -> int:
        """Play; what broke outside of the journeys is told at the end.

        Returns:
            The exit code.

        Raises:
            ConfigError: a journey cannot be opened as it is set up; nothing was started.
        """
        kept = Kept()
        console = self.wanted.console(
            self.environ,
            clock=trio.current_time,
            limits={plan.name: plan.limits.whole_chat for plan in self.plans},
            total=len(self.plans),
        )
        reporters = [*self.wanted.files(), console]
        # What it shows of a journey stands before the verdict.
        first = [kept] if self.stepper is None else [kept, self.stepper]
        tracing = None if self.spans is None else tracing_to(self.spans)
        run = Run(
            self.plans,
            self.settings,
            connectors=self.plugins.connectors,
            dispatcher=self.plugins.dispatcher,
            actions=self.plugins.actions,
            reporters=[*first, *reporters, *([] if tracing is None else [tracing])],
            stepper=self.stepper,
            trace=None if tracing is None else tracing.begin,
        )
        started_utc, began = utc_now(), trio.current_time()

        def stop(name: str) -> None:
            click.echo(f"{name}: leaving all chats; once more stops at once", err=True)
            run.stop()

        def stop_now(name: str) -> None:
            self._abandon(
                name,
                reporters,
                kept,
                RunResult(
                    run_id=run.run_id,
                    started_utc=started_utc,
                    duration=trio.current_time() - began,
                    journeys=tuple(kept.results),
                    interrupted=True,
                ),
            )

        with console:
            result = await run_until_signalled(
                lambda: self._watched(run, console), first=stop, second=stop_now
            )
        for fault in result.faults:
            click.echo(f"botkit: {fault}", err=True)
        tell_of_lost_spans(self.spans)
        return self.wanted.conclude(result)

    async def _watched(self, run: Run, console: ConsoleReporter) -> RunResult:
        """Play a run while somebody looks on."""
        faults: list[str] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(look_on, console, faults)
            if self.spans is not None:
                nursery.start_soon(self.spans.run)
            result = await run.play()
            if self.spans is not None:
                await self.spans.finish()
            nursery.cancel_scope.cancel()
        return replace(result, faults=(*result.faults, *faults))

    def _abandon(
        self, name: str, reporters: Sequence[Reporter], kept: Kept, so_far: RunResult
    ) -> None:
        """Report what there is and end the process, with chats left open if need be."""
        for fault in tell_the_end(reporters, so_far):
            click.echo(f"botkit: {fault}", err=True)
        running = list(kept.running.values())
        if running:
            left = f"{len(running)} chats may still be open: {', '.join(running[:5])}"
            click.echo(f"{name} again: {left}{', ...' if len(running) > 5 else ''}", err=True)
        tell_of_lost_spans(self.spans)
        self.give_up(self.wanted.conclude(so_far))


async def look_on(console: ConsoleReporter, faults: list[str]) -> None:
    """Draw the live view a few times a second; a terminal that breaks is told, and ends no run."""
    while True:
        try:
            console.tick()
        except OSError as error:
            faults.append(f"the live view failed: {error}")
            return
        await trio.sleep(BETWEEN_LOOKS)
