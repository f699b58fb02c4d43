"""Has monitors at work until the process is told to stop, and tells of each check."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NoReturn
from urllib.parse import urlsplit

import click
import trio

from botkit.bot.diagnostics import Severity
from botkit.cli.problems import count, show_problems
from botkit.cli.signals import run_until_signalled
from botkit.cli.tracing import tell_of_lost_spans, tracing_to
from botkit.interfaces import ConnectOptions, JourneyPlan
from botkit.journey import Run, RunSettings
from botkit.log_masking import keep_out_of_logs
from botkit.monitor.alerts.alerting import Alerting
from botkit.monitor.alerts.rules import Rules
from botkit.monitor.alerts.undelivered import Undelivered
from botkit.monitor.config import LoadedMonitors
from botkit.monitor.contract import Check, Follower
from botkit.monitor.decided import MonitorsFile, Page
from botkit.monitor.history import History, HistoryKeeper, Spool
from botkit.monitor.memory import Memory
from botkit.monitor.monitoring import Monitoring, Parts
from botkit.plugins import Plugins
from botkit.report.text import one_line
from botkit.results import ExitCode, JourneyResult, Verdict
from botkit.session import utc_now

if TYPE_CHECKING:
    from botkit.monitor.metrics import Metrics
    from botkit.telemetry.sending import SpanSender

COLOURS = {Verdict.PASSED: "green", Verdict.DEGRADED: "yellow"}
MEMORY_ENDING, UNDELIVERED_ENDING = ".state", ".undelivered"
LONGEST_LINE = 300


class Teller:
    """Writes a line for each check; with ``quiet`` only for those that did not pass."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet

    def checked(self, check: Check) -> None:
        """Write the line of a check."""
        result = check.result
        if self._quiet and result.verdict is Verdict.PASSED:
            return
        stamp = datetime.fromtimestamp(result.started_utc, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        verdict = click.style(result.verdict.value.upper(), fg=COLOURS.get(result.verdict, "red"))
        words = [f"{check.monitor}: {result.name}", f"{result.duration:.2f} s"]
        words += ["on the simulator"] if result.on_simulator else []
        words += ["played again"] if check.retest else []
        words += [one_line(result.message, LONGEST_LINE)] if result.message else []
        click.echo(f"{stamp} {verdict} {', '.join(words)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watching:
    """Monitors that are to be at work.

    Attributes:
        file: what they are.
        load: reads the file again.
        plugins: frozen.
        quiet: tell only of what did not pass.
        spans: sends those of the journeys; None for none.
    """

    file: MonitorsFile
    load: Callable[[], LoadedMonitors]
    plugins: Plugins
    quiet: bool = False
    spans: SpanSender | None = None

    async def watch(self) -> None:
        """Watch until a signal.

        Raises:
            ConfigError: nothing can be kept where the file says.
            HistoryError: the spool cannot be used.
        """
        stopped = trio.Event()

        def stop(name: str) -> None:
            click.echo(f"{name}: leaving all chats; once more stops at once", err=True)
            stopped.set()

        await run_until_signalled(lambda: self._until(stopped), first=stop, second=stop_now)

    async def _until(self, stopped: trio.Event) -> None:
        with closing(History(self.file.history)) as history:
            keeper = HistoryKeeper(history, Spool(self.file.spool))
            async with trio.open_nursery() as keeping:
                await keeping.start(keeper.run)
                if self.spans is not None:
                    keeping.start_soon(self.spans.run)
                await self._monitor(keeper, stopped)
                if self.spans is not None:
                    await self.spans.finish()
                keeping.cancel_scope.cancel()
        tell_of_lost_spans(self.spans)

    async def _monitor(self, keeper: HistoryKeeper, stopped: trio.Event) -> None:
        memory = Memory(self.file.path.with_suffix(MEMORY_ENDING))
        remembered = await trio.to_thread.run_sync(memory.load)
        alerting = Alerting(
            self.file.routes,
            rules=rules_of(self.file),
            remind=self.file.remind,
            remembered=remembered.get("decider"),
            undelivered=Undelivered(self.file.path.with_suffix(UNDELIVERED_ENDING), utc_now),
        )
        followers: list[Follower] = [Teller(quiet=self.quiet)]
        parts = Parts(
            play=self._play,
            keeper=keeper,
            memory=memory,
            decider=alerting,
            followers=followers,
            now=utc_now,
            rng=random.Random(),
        )
        monitoring = Monitoring(self.file, parts, remembered)
        async with trio.open_nursery() as nursery:
            await nursery.start(alerting.run)
            metrics = None
            if self.file.page is not None:
                metrics = await self._serve(
                    self.file.page, monitoring, alerting, keeper, followers, nursery
                )
            await nursery.start(monitoring.run)
            if self.file.heartbeat is not None:
                nursery.start_soon(self.file.heartbeat.run, monitoring.stuck, stopped)
            watched = count(len(self.file.monitors), "monitor")
            kept = self.file.masker(self.file.history)
            click.echo(f"{watched} at work; history in {kept}", err=True)
            nursery.start_soon(self._read_again, monitoring, alerting, metrics)
            await stopped.wait()
            nursery.cancel_scope.cancel()

    async def _serve(
        self,
        page: Page,
        monitoring: Monitoring,
        alerting: Alerting,
        keeper: HistoryKeeper,
        followers: list[Follower],
        nursery: trio.Nursery,
    ) -> Metrics:
        """Serve the status page and the metrics, which follow the checks from then on.

        Raises:
            ConfigError: the address cannot be had.
        """
        # Only loaded where something is served.
        from botkit.monitor import metrics as telling
        from botkit.monitor import probe as probing
        from botkit.monitor.web import make_app, serve

        prober = probing.Prober(monitoring, self._play)
        await nursery.start(prober.run)
        metrics = telling.Metrics(
            telling.Sources(
                views=monitoring.monitors,
                location=lambda: monitoring.file.location,
                alarms=alerting,
                history=lambda: keeper.standing,
            )
        )
        reached_by = urlsplit(page.url).hostname
        app = make_app(
            monitoring,
            keeper,
            token=page.token,
            now=utc_now,
            host=page.host,
            hosts=[reached_by] if reached_by else [],
            routes=[
                *telling.routes(metrics),
                *probing.routes(prober, token_needed=page.token is not None),
            ],
        )
        followers += [metrics, app]
        url = await nursery.start(serve, app, page.host, page.port)
        click.echo(f"status page at {url}/, metrics at {url}/metrics", err=True)
        return metrics

    async def _read_again(
        self, monitoring: Monitoring, alerting: Alerting, metrics: Metrics | None
    ) -> None:
        with trio.open_signal_receiver(signal.SIGHUP) as signals:
            async for _ in signals:
                # Reading is a matter of milliseconds, and bots are not made for other threads.
                loaded = self.load()
                keep_out_of_logs(loaded.masker)
                show_problems(loaded.problems, err=True)
                if loaded.file is None:
                    errors = [p for p in loaded.problems if p.severity is Severity.ERROR]
                    what = f"{count(len(errors), 'problem')}; the old file is kept"
                    click.echo(f"SIGHUP: {what}", err=True)
                    continue
                alerting.rules, alerting.remind = rules_of(loaded.file), loaded.file.remind
                await monitoring.change(loaded.file)
                if metrics is not None:
                    metrics.read_again(utc_now())
                watched = count(len(loaded.file.monitors), "monitor")
                click.echo(f"SIGHUP: {watched} at work", err=True)

    async def _play(self, plan: JourneyPlan, override: ConnectOptions) -> JourneyResult:
        tracing = None if self.spans is None else tracing_to(self.spans)
        run = Run(
            [plan],
            RunSettings(jobs=1, override=override),
            connectors=self.plugins.connectors,
            dispatcher=self.plugins.dispatcher,
            actions=self.plugins.actions,
            reporters=() if tracing is None else (tracing,),
            trace=None if tracing is None else tracing.begin,
        )
        (result,) = (await run.play()).journeys
        return result


def rules_of(file: MonitorsFile) -> Callable[[str], Rules]:
    """Say by which rules people are paged about a monitor."""
    rules = {monitor.name: monitor.rules for monitor in file.monitors}
    return lambda name: rules.get(name, Rules())


def stop_now(_: str) -> NoReturn:
    """End the process at once: nothing more is awaited, not even a chat's goodbye."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(ExitCode.SIGNAL)
