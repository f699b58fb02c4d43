"""Several journeys of one command: so many at once, each reported, all left when it is stopped."""

from __future__ import annotations

import gc
import logging
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field, replace

import trio

from botkit.errors import FOREIGN, ConfigError
from botkit.interfaces import Action, ConnectOptions, Connector, JourneyPlan, Opening, Reporter
from botkit.journey.openings import Resolved, resolve
from botkit.journey.play import Journey
from botkit.journey.pump import Dispatch
from botkit.journey.stepping import Stepper
from botkit.log_masking import keep_out_of_logs, masked
from botkit.results import JourneyResult, Reason, RunResult, Verdict
from botkit.session import utc_now

log = logging.getLogger(__name__)

CALM_ABOVE = 100
"""So many journeys at once, and the garbage collector's full collections would stall them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSettings:
    """How to run journeys.

    Attributes:
        jobs: how many journeys at once.
        override: what wins over what a bot says about its session.
        fallback: what a bot wins over.
        run_id: names the run; None makes a new name.
        record_frames: what goes over the wires belongs to the evidence.
    """

    jobs: int = 10
    override: ConnectOptions = field(default_factory=ConnectOptions)
    fallback: ConnectOptions = field(default_factory=ConnectOptions)
    run_id: str | None = None
    record_frames: bool = False


class Run:
    """Plays journeys and collects their results.

    Args:
        plans: what to play, in order.
        settings: how.
        connectors: the wires by name, made once.
        dispatcher: makes the dispatch of hooks for a script.
        actions: what ``call`` may name.
        reporters: told how it goes; one that raises is left out from then on, and counted.
        stepper: steps through the journeys by hand; who quits one of them wants no other.
        trace: given the name of a journey and its opening, gives one that is followed; None follows
            nothing.

    Raises:
        ConfigError: a journey cannot be opened as it is set up; nothing was started.
    """

    def __init__(
        self,
        plans: Sequence[JourneyPlan],
        settings: RunSettings,
        *,
        connectors: Mapping[str, Callable[[], Connector]],
        dispatcher: Callable[[object, str], Dispatch],
        actions: Mapping[str, Action] | None = None,
        reporters: Sequence[Reporter] = (),
        stepper: Stepper | None = None,
        trace: Callable[[str, Opening], Opening] | None = None,
    ) -> None:
        self.run_id = settings.run_id or f"{random.SystemRandom().getrandbits(48):012x}"
        self._settings = settings
        self._dispatcher = dispatcher
        self._actions = actions or {}
        self._reporters = list(reporters)
        self._stepper = stepper
        self._trace = trace
        self._faults: list[str] = []
        self._results: list[JourneyResult | None] = [None] * len(plans)
        self._running: dict[int, Journey] = {}
        self._stopped: Reason | None = None
        self._connectors: dict[str, Connector] = {}
        self._work = [(plan, self._prepare(plan, connectors)) for plan in plans]

    def stop(self, reason: Reason = Reason.SIGNAL) -> None:
        """Start nothing more, and leave all chats that are open."""
        self._stopped = reason
        for journey in list(self._running.values()):
            journey.stop(reason)

    async def play(self) -> RunResult:
        """Play all journeys.

        Returns:
            Their results in the order of the plans; those that were not started are skipped.
        """
        began, started_utc = trio.current_time(), utc_now()
        todo = iter(enumerate(self._work))
        async with AsyncExitStack() as stack:
            for connector in self._connectors.values():
                await stack.enter_async_context(connector.running())
            workers = min(self._settings.jobs, len(self._work))
            with calm_collector(workers):
                async with trio.open_nursery() as nursery:
                    for _ in range(workers):
                        nursery.start_soon(self._work_off, todo)
        result = RunResult(
            run_id=self.run_id,
            started_utc=started_utc,
            duration=trio.current_time() - began,
            journeys=tuple(
                known or self._not_started(plan, started_utc)
                for known, (plan, _) in zip(self._results, self._work, strict=True)
            ),
            interrupted=self._stopped is Reason.SIGNAL,
            faults=tuple(self._faults),
        )
        self._tell(lambda reporter: reporter.run_finished(result))
        return replace(result, faults=tuple(self._faults))

    def _prepare(
        self, plan: JourneyPlan, connectors: Mapping[str, Callable[[], Connector]]
    ) -> Resolved:
        keep_out_of_logs(plan.masker)
        resolved = resolve(
            plan,
            override=self._settings.override,
            fallback=self._settings.fallback,
            run_id=self.run_id,
            connectors=connectors,
        )
        connector = self._connectors.get(resolved.connector)
        if connector is None:
            connector = self._connectors[resolved.connector] = connectors[resolved.connector]()
        try:
            connector.check(resolved.opening)
        except ConfigError as error:
            if error.file is None:
                error.file, error.line = plan.file, plan.line
            error.message = plan.masker(error.message)
            raise
        return resolved

    async def _work_off(self, todo: Iterator[tuple[int, tuple[JourneyPlan, Resolved]]]) -> None:
        for number, (plan, resolved) in todo:
            if self._stopped is not None:
                return
            journey_id = f"{self.run_id}-{number + 1}"
            if self._trace is not None:
                resolved = replace(resolved, opening=self._trace(journey_id, resolved.opening))
            journey = self._running[number] = Journey(
                plan,
                resolved=resolved,
                connector=self._connectors[resolved.connector],
                dispatcher=self._dispatcher,
                run_id=self.run_id,
                journey_id=journey_id,
                tell=self._tell,
                actions=self._actions,
                stepper=self._stepper,
                record_frames=self._settings.record_frames,
            )
            try:
                result = self._results[number] = await journey.play()
            finally:
                del self._running[number]
            if self._stepper is not None and result.verdict is Verdict.CANCELLED:
                self.stop(result.reason)

    def _tell(self, call: Callable[[Reporter], None]) -> None:
        for reporter in list(self._reporters):
            try:
                call(reporter)
            except FOREIGN as error:  # The boundary to reporters; it changes the exit code.
                log.debug("a reporter failed", exc_info=error)
                self._reporters.remove(reporter)
                self._faults.append(
                    f"the reporter {type(reporter).__name__} failed and was left out:"
                    f" {type(error).__name__}: {masked(str(error))}"
                )

    def _not_started(self, plan: JourneyPlan, started_utc: float) -> JourneyResult:
        return JourneyResult(
            run_id=self.run_id,
            journey_id="",
            bot=plan.bot,
            name=plan.name,
            title=plan.title,
            file=plan.file,
            tags=plan.tags,
            verdict=Verdict.SKIPPED,
            reason=Reason.NOT_STARTED,
            message="the run was stopped before it began",
            started_utc=started_utc,
            began=0.0,
            duration=0.0,
        )


@contextmanager
def calm_collector(journeys: int) -> Iterator[None]:
    """Keep full garbage collections from stalling many chats at once.

    A full collection walks every object of every chat: with thousands of them that takes tenths
    of a second, in which nothing is read. What is there at the start is left out of it, and the
    oldest generation is collected far less often; cycles die young, in the first two.
    """
    if journeys < CALM_ABOVE:
        yield
        return
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 1_000)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
