"""One journey: one bot, played once through one session, to its verdict.

Theory of operation. A journey has a life (the nursery of its session and of its hooks) and in it a
script, in a scope of its own. Whatever ends the script early (the limit of the whole chat, a hook
that raised, a signal) cancels that scope alone; then the chat is left, the hooks hear of it, and
the verdict is decided from how the script ended and whether the goodbye was confirmed. Only when
the life itself is cancelled does the connector say goodbye without us.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Protocol, runtime_checkable

import trio

from botkit.chat import Continued, Event, Interrupted, SessionEnded
from botkit.chat.transcript import text_of
from botkit.errors import FOREIGN, BotkitError, SessionClosed, ungrouped
from botkit.interfaces import Action, Connector, JourneyInfo, JourneyPlan, Reporter
from botkit.journey.frames import Frames
from botkit.journey.openings import Resolved
from botkit.journey.pump import Dispatch, Pump
from botkit.journey.record import Record
from botkit.journey.shown import shown_result
from botkit.journey.stepping import Steppable, Stepper, Stepping
from botkit.journey.verdicts import (
    Ending,
    conclude,
    in_view_of,
    of_mistake,
    of_opening,
    of_script,
)
from botkit.log_masking import keep_out_of_logs
from botkit.results import Frame, JourneyResult, Reason, StepResult, Verdict
from botkit.session import ChatSession, utc_now

log = logging.getLogger(__name__)


@runtime_checkable
class NeedsJourney(Protocol):
    """A script that writes its own steps down, as a bot file's does."""

    def attach(
        self,
        *,
        journey: JourneyInfo,
        observer: Callable[[StepResult], None],
        actions: Mapping[str, Action],
    ) -> None: ...


Tell = Callable[[Callable[[Reporter], None]], None]


class Journey:
    """Plays one plan.

    Args:
        plan: what to play.
        resolved: how its session is opened.
        connector: the wire.
        dispatcher: makes the dispatch of hooks for a script: plugins first, the bot last.
        run_id, journey_id: names for the evidence.
        tell: reaches the reporters.
        actions: what ``call`` may name.
        stepper: steps through it by hand, if its script knows steps; None lets it run.
        record_frames: what goes over the wire belongs to the evidence.
    """

    __slots__ = (
        "_actions",
        "_connection",
        "_connector",
        "_dispatch",
        "_dispatcher",
        "_ending",
        "_frames",
        "_journey_id",
        "_plan",
        "_pump",
        "_record",
        "_record_frames",
        "_resolved",
        "_run_id",
        "_scope",
        "_script",
        "_session",
        "_stepper",
        "_stepping",
        "_tell",
    )

    def __init__(
        self,
        plan: JourneyPlan,
        *,
        resolved: Resolved,
        connector: Connector,
        dispatcher: Callable[[object, str], Dispatch],
        run_id: str,
        journey_id: str,
        tell: Tell,
        actions: Mapping[str, Action],
        stepper: Stepper | None = None,
        record_frames: bool = False,
    ) -> None:
        self._plan = plan
        self._resolved = resolved
        self._connector = connector
        self._dispatcher = dispatcher
        self._tell = tell
        self._actions = actions
        self._stepper = stepper
        self._stepping: Stepping | None = None
        self._record_frames = record_frames
        self._frames: Frames | None = None
        self._run_id = run_id
        self._journey_id = journey_id
        self._scope = trio.CancelScope()
        self._ending: Ending | None = None
        self._script: object = None
        self._session: ChatSession | None = None
        self._dispatch: Dispatch | None = None
        # What was heard last of the connection.
        self._connection: Event | None = None
        # Set when the journey begins: they are stamped with its clock.
        self._record: Record
        self._pump: Pump

    def stop(self, reason: Reason) -> None:
        """End the script now; the chat is left and the verdict is ``cancelled``."""
        self._end(Ending(verdict=Verdict.CANCELLED, reason=reason, message="it was stopped"))

    async def play(self) -> JourneyResult:
        """Play it to its end.

        Returns:
            The verdict with its evidence, whatever happened: nothing but cancellation comes out.
        """
        began, started_utc = trio.current_time(), utc_now()
        record = self._record = Record(
            self._plan,
            run_id=self._run_id,
            journey_id=self._journey_id,
            on_simulator=self._connector.on_simulator,
            began=began,
            tell=self._tell,
        )
        if self._record_frames:
            self._frames = Frames(began)
        self._make_script()
        self._tell(lambda reporter: reporter.journey_started(record.shown))
        await self._guarded(self._live)
        result = self._result(started_utc)
        if self._dispatch is not None:
            told = partial(self._dispatch.dispatch, journey=record, result=result)
            if not await self._guarded(lambda: told("on_journey_finished")):
                result = self._result(started_utc)
        self._tell(lambda reporter: reporter.journey_finished(result))
        return result

    async def _guarded(self, work: Callable[[], Awaitable[None]]) -> bool:
        """Do a part of the journey; whatever breaks in it becomes its verdict."""
        try:
            with ungrouped():
                await work()
        except FOREIGN as error:  # The boundary: whatever broke, the run gets its verdict.
            self._break(error)
            return False
        return True

    # --- the life ---

    async def _live(self) -> None:
        dispatch = self._dispatch = self._dispatcher(self._script, self._plan.bot)
        if self._ending is not None:
            return
        async with trio.open_nursery() as nursery:
            session = self._session = ChatSession(
                nursery,
                replace(self._resolved.opening, wiretap=self._frames),
                observer=self._on_step,
                listener=self._on_event,
                began=self._record.began,
                callback_failed=self._on_callback_error,
            )
            self._pump = Pump(dispatch, self._on_hook_error, journey=self._record, session=session)
            self._pump.put("on_journey_started")
            nursery.start_soon(self._pump.run, name="hooks")
            await self._play_script(session)
            await self._pump.aclose()
            # What listens to the session has heard its end by now.
            nursery.cancel_scope.cancel()

    def _make_script(self) -> None:
        """Make the journey's own copy of the bot; that it cannot be made is an ending, too."""
        try:
            self._script = self._plan.new_script()
        except FOREIGN as error:  # The boundary to bots' code.
            self._ending = of_script(error)
        masker = getattr(self._script, "masker", None)
        if masker is None:
            masker = self._plan.masker.copy()
        keep_out_of_logs(masker)
        keep_out_of_logs(self._record.foreseen)
        self._record.masker = masker
        self._record.foresee = getattr(self._script, "foresee", self._record.foresee)

    async def _play_script(self, session: ChatSession) -> None:
        """Open, run the script, leave; how it went is in ``_ending``."""
        limit = self._plan.limits.whole_chat
        self._scope.deadline = self._record.began + limit
        judge = of_opening
        with self._scope:
            try:
                with ungrouped():
                    await session.open(self._connector)
                    judge = of_script
                    await self._run_script(session)
            except FOREIGN as error:  # The boundary to bots' code.
                ending = judge(error)
                if ending.verdict is Verdict.ERROR:
                    log.debug("journey %s broke", self._journey_id, exc_info=error)
                self._end(ending)
        # Asked of the deadline itself: a bot may have swallowed what the deadline raised in it.
        if self._scope.cancel_called and self._ending is None:
            self._ending = Ending(
                verdict=Verdict.FAILED,
                reason=Reason.WHOLE_CHAT,
                message=f"the chat took longer than {limit:g} s",
            )
        if self._ending is not None:
            began = self._record.began
            self._ending = in_view_of(self._ending, self._connection, began=began)
        await session.leave()

    async def _run_script(self, session: ChatSession) -> None:
        script = self._script
        if isinstance(script, NeedsJourney):
            script.attach(journey=self._record, observer=self._on_step, actions=self._actions)
        run = getattr(script, "run", None)
        if run is not None and self._stepper is not None and isinstance(script, Steppable):
            self._stepping = Stepping(
                self._stepper,
                script,
                session=session,
                record=self._record,
                limit=self._scope,
                end=self._end,
            )
            await self._stepping.play(lambda: run(session))
        elif run is not None:
            await run(session)
        else:
            # All that this bot does it does in hooks, so it is over when the chat is.
            async for _ in session.events():
                pass
        finished = getattr(script, "finished", None)
        if finished is not None:
            self._end(
                Ending(
                    verdict=finished.verdict,
                    reason=finished.reason,
                    message=finished.message,
                    step=finished.step,
                )
            )

    # --- what happens meanwhile ---

    def _on_event(self, event: Event) -> None:
        if event.history:
            # It was told when it happened.
            return
        if isinstance(event, Interrupted | Continued | SessionEnded):
            self._connection = event
        self._record.add_event(event)
        self._pump.put_event(event)

    def _on_step(self, step: StepResult) -> None:
        number = len(self._record.steps) + 1
        if step.number != number:
            step = replace(step, number=number)
        self._record.add_step(step)
        self._pump.put("on_step_finished", step=self._record.steps[-1])

    def _on_hook_error(self, error: Exception) -> None:
        if isinstance(error.__cause__, SessionClosed):
            # As with reactions of a script: the chat ended while the hook had yet to speak. Whose
            # fault that is, if anybody's, is told by the script.
            self._record.warnings.append(f"too late: {error}")
            return
        log.debug("a hook ended journey %s", self._journey_id, exc_info=error)
        if self._ending is not None and self._ending.verdict is not Verdict.PASSED:
            self._record.warnings.append(str(error))
        self._end(of_script(error), over_passed=True)

    def _on_callback_error(self, error: BaseException) -> None:
        """Take in what a callback of the bot raised; as with its hooks, it may come too late."""
        if isinstance(error, SessionClosed):
            self._record.warnings.append(f"too late: a callback: {error}")
            return
        self._end(of_script(error), over_passed=True)

    def _end(self, ending: Ending, *, over_passed: bool = False) -> None:
        """End the script; the first ending stands, but that a hook broke goes before a pass."""
        stands = self._ending
        if stands is None or (over_passed and stands.verdict is Verdict.PASSED):
            self._ending = ending
        self._scope.cancel()

    # --- the verdict ---

    def _break(self, error: BaseException) -> None:
        """Take in what came out of the life itself, or of its last hook."""
        ending = of_script(error)
        if not isinstance(error, BotkitError):
            log.error("journey %s broke", self._journey_id, exc_info=error)
            ending = of_mistake(error)
        if self._ending is not None and self._ending.verdict is Verdict.ERROR:
            self._record.warnings.append(ending.message)
        else:
            self._ending = ending

    def _result(self, started_utc: float) -> JourneyResult:
        record, session, plan = self._record, self._session, self._plan
        ended = session.ended if session is not None else None
        asserted = max(record.asserted, getattr(self._script, "asserted", 0))
        ending = conclude(
            self._ending or Ending(),
            steps=record.steps,
            asserted=asserted,
            left=session is None or session.left,
            goodbye=text_of(ended) if ended is not None else "it was never ended",
        )
        rows = session.transcript.rows() if session is not None else ()
        record.join(rows)
        result = JourneyResult(
            run_id=self._run_id,
            journey_id=self._journey_id,
            bot=plan.bot,
            name=plan.name,
            title=plan.title,
            file=plan.file,
            tags=plan.tags,
            verdict=ending.verdict,
            reason=ending.reason,
            message=ending.message,
            step=ending.step or self._last_broken_step(ending),
            started_utc=started_utc,
            began=record.began,
            duration=trio.current_time() - record.began,
            steps=tuple(record.steps),
            transcript=rows,
            connector=self._resolved.connector,
            server=self._connector.server_of(self._resolved.opening),
            on_simulator=record.on_simulator,
            session_id=session.id if session is not None else None,
            left=session is None or session.left,
            asserted=asserted,
            notes=tuple(record.notes),
            measurements=dict(record.measurements),
            captured=dict(getattr(self._script, "captured", {})),
            warnings=(*record.warnings, *self._lost_frames()),
            by_hand=self._stepping is not None,
            frames=self._masked_frames(),
        )
        return shown_result(result, record.masker)

    def _masked_frames(self) -> tuple[Frame, ...]:
        if self._frames is None:
            return ()
        return self._frames.masked(self._record.masker)

    def _lost_frames(self) -> tuple[str, ...]:
        return () if self._frames is None else self._frames.warnings

    def _last_broken_step(self, ending: Ending) -> StepResult | None:
        """Find the step that a failure came out of, if it came out of one."""
        if not self._record.steps or ending.verdict in (Verdict.PASSED, Verdict.DEGRADED):
            return None
        last = self._record.steps[-1]
        broken = (Verdict.FAILED, Verdict.ERROR, Verdict.CANCELLED)
        return last if last.verdict in broken else None
