"""Stepping through a journey by hand: somebody decides when each step begins.

Theory of operation. The interpreter asks before each step; whoever steps is asked here whether to
stop at it, and if so holds it as long as they like. The chat goes on meanwhile. What bounds the
whole chat stands still, for that a person thinks is no fault of the service. That it was done by
hand goes into the evidence.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol, runtime_checkable

import trio

from botkit.bot.script import Step
from botkit.chat import Event, Row, SendMessage
from botkit.chat.transcript import text_of
from botkit.journey.record import Record
from botkit.journey.scene import Scene, readings_of, typing_in
from botkit.journey.verdicts import Ending
from botkit.results import Reason, Verdict
from botkit.session import ChatSession

__all__ = ["Steppable", "Stepper", "Stepping"]


@runtime_checkable
class Steppable(Protocol):
    """A script that knows steps, as a bot file's does."""

    @property
    def unread(self) -> tuple[Event, ...]: ...
    @property
    def variables(self) -> Mapping[str, str]: ...
    def hold_steps(self, before: Callable[[Step], Awaitable[None]]) -> None: ...


class Stepper(Protocol):
    """Who steps through journeys: a person at a terminal, or a test."""

    async def attend(self, stepping: Stepping, play: Callable[[], Awaitable[None]]) -> None:
        """Be there while a script is played: await ``play()``, and come to an end with it."""

    def stops_at(self, step: Step) -> bool:
        """Tell whether to stop before this step."""

    async def pause(self, step: Step) -> None:
        """Wait; the step begins when this returns."""


class Stepping:
    """A journey in the hands of somebody who steps through it.

    Args:
        stepper: who decides.
        script: what is stepped through.
        session: its chat.
        record: its evidence.
        limit: ends the journey when it has taken too long; stands still during pauses.
        end: ends the journey.
    """

    def __init__(
        self,
        stepper: Stepper,
        script: Steppable,
        *,
        session: ChatSession,
        record: Record,
        limit: trio.CancelScope,
        end: Callable[[Ending], None],
    ) -> None:
        self._stepper = stepper
        self._script = script
        self._session = session
        self._record = record
        self._limit = limit
        self._end = end
        self._next: Step | None = None
        self._pauses = 0
        self._paused = 0.0
        self._said = 0

    async def play(self, play: Callable[[], Awaitable[None]]) -> None:
        """Play the script, with somebody attending."""
        self._script.hold_steps(self._before)
        try:
            await self._stepper.attend(self, play)
        finally:
            self._record.warnings.append(self._summary())

    # --- for who steps ---

    @property
    def name(self) -> str:
        """The name of the journey."""
        return self._record.name

    def look(self) -> Scene:
        """Say what holds right now."""
        session, record, mask = self._session, self._record, self._record.mask_now
        events = session.transcript.recorded()
        ended = session.ended
        return Scene(
            agents=tuple(mask(party.name) for party in session.agents),
            typing=mask(typing_in(events)),
            ended="" if ended is None else mask(text_of(ended)),
            userdata={k: mask(v) for k, v in session.userdata.items()},
            variables=self._script.variables,
            inbox=readings_of(
                events, unread=self._script.unread, steps=record.steps, row=record.masked
            ),
        )

    def transcript(self) -> tuple[Row, ...]:
        """Give all that was said and happened so far, as it may be shown."""
        return tuple(map(self._record.masked, self._session.transcript.rows()))

    def mask(self, text: str) -> str:
        """Write ``***`` for everything in a text that must not be shown."""
        return self._record.mask_now(text)

    async def say(self, text: str) -> None:
        """Say a line as the customer, beside what the bot says.

        Raises:
            BotkitError: it could not be said.
        """
        if self._session.is_open:
            # Before it is tried: what becomes of a line may stay unknown.
            self._said += 1
            self._record.note(f"said by hand{self._where()}: {text}")
        await self._session.perform(SendMessage(text=text))

    def quit(self) -> None:
        """End the journey: the chat is left, and the verdict is ``cancelled``."""
        message = f"it was quit by hand{self._where()}"
        ending = Ending(verdict=Verdict.CANCELLED, reason=Reason.CANCELLED, message=message)
        self._end(ending)

    # --- for the script ---

    async def _before(self, step: Step) -> None:
        await trio.lowlevel.checkpoint()
        if not self._stepper.stops_at(step):
            return
        self._pauses += 1
        self._next = step
        with self._standing_still():
            await self._stepper.pause(step)
        self._next = None

    @contextmanager
    def _standing_still(self) -> Iterator[None]:
        """Take no time of the whole chat for what is done in here."""
        began, deadline = trio.current_time(), self._limit.deadline
        self._limit.deadline = float("inf")
        try:
            yield
        finally:
            took = trio.current_time() - began
            self._paused += took
            self._limit.deadline = deadline + took

    def _where(self) -> str:
        step = self._next
        return "" if step is None else f" before {step.place.file}:{step.place.line}"

    def _summary(self) -> str:
        times = "once" if self._pauses == 1 else f"{self._pauses} times"
        said = f"{self._said} line{'' if self._said == 1 else 's'}"
        return (
            f"stepped by hand: paused {times} for {self._paused:.1f} s, which did not count in the"
            f" limit of the whole chat; {said} said by a person"
        )
