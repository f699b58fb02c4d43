"""Waiting for what was promised: the expectations of a session."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import TypeVar, cast

import trio

from botkit import chat
from botkit.chat import AgentConnected, Event, Inbox, Message, SessionEnded, Taken, Transcript
from botkit.errors import ExpectationFailed, LocalProtocolError
from botkit.interfaces import Matcher
from botkit.session.expectations import Expectation, Recorder, tried
from botkit.session.standing import Standing

__all__ = ["Expecting"]

E = TypeVar("E", bound=Event)
Listener = Callable[[Event], None]


class Expecting(ABC):
    """The expectations of a session: ``expect`` scans on, ``expect_next`` takes the next message.

    Attributes:
        transcript: what happened so far.
    """

    __slots__ = ()

    transcript: Transcript
    _inbox: Inbox
    _reader: Listener | None
    _recorder: Recorder
    _standing: Standing

    @abstractmethod
    async def _wait_for_event(self) -> None:
        """Wait until the next event has been read."""

    @property
    def ended(self) -> SessionEnded | None:
        """The last event of the session; None while it runs."""
        return self._standing.ended

    async def wait_for(
        self, kind: type[E], *, within: float = 30.0, slow_after: float | None = None
    ) -> E:
        """Wait for an event that is not a message.

        AgentConnected and SessionEnded are states: true at once if they hold.

        Args:
            kind: the class of the event.
            within: the promise under test, seconds; breaking it is a verdict.
            slow_after: later than this is degraded.

        Raises:
            StepTimeout: it did not come in time.
            ExpectationFailed: the chat ended first.
        """
        step = self._expectation(
            "wait_for", chat.events.snake_case(kind.__name__), within, slow_after
        )
        if kind is AgentConnected:
            poll = self._agent_state
        elif kind is SessionEnded:
            poll = self._ended_state
        else:
            poll = self._inbox.wait(lambda _: True, kinds=(kind,), until=step.deadline).poll
        taken = await self._until(poll, step.deadline)
        if taken is None or taken.event.at > step.deadline:
            raise self._broken(step, (), ended=self.ended)
        step.passed(taken)
        return cast("E", taken.event)

    async def expect(
        self,
        matcher: Matcher,
        *,
        within: float = 30.0,
        slow_after: float | None = None,
        from_: str | None = None,
    ) -> Message:
        """Scan on from the read position to the first message that fits, and take it.

        Args:
            matcher: what is expected, such as ``botkit.contains("hello")``.
            within: the promise under test, seconds; breaking it is a verdict.
            slow_after: later than this is degraded.
            from_: ``agent``, ``supervisor``, ``external`` or a nickname; None is anybody else.

        Raises:
            StepTimeout: nothing came in time.
            ExpectationFailed: only other messages came, or the chat ended.
        """
        step = self._expectation("expect", str(matcher), within, slow_after)
        trial = tried(matcher, from_)
        wait = self._inbox.wait(trial, until=step.deadline)
        taken = await self._until(wait.poll, step.deadline)
        if taken is None:
            raise self._broken(step, trial.misses, ended=self.ended)
        step.passed(taken, trial.misses)
        return cast("Message", taken.event)

    async def expect_next(
        self,
        matcher: Matcher,
        *,
        within: float = 30.0,
        slow_after: float | None = None,
        from_: str | None = None,
    ) -> Message:
        """Take the very next message, which must fit; arguments as in :meth:`expect`."""
        step = self._expectation("expect_next", str(matcher), within, slow_after)
        trial = tried(matcher, from_)
        wait = self._inbox.wait(trial.is_candidate, until=step.deadline)
        taken = await self._until(wait.poll, step.deadline)
        if taken is None or not trial(taken.event):
            raise self._broken(step, trial.misses, ended=None if taken else self.ended)
        step.passed(taken, trial.misses)
        return cast("Message", taken.event)

    def _expectation(
        self, verb: str, expected: str, within: float, slow_after: float | None
    ) -> Expectation:
        if self._reader is not None:
            raise LocalProtocolError(f"{verb}: this session is read through subscribe()")
        return Expectation(
            recorder=self._recorder,
            verb=verb,
            expected=expected,
            within=within,
            slow_after=slow_after,
            started=trio.current_time(),
        )

    def _broken(
        self, step: Expectation, received: Sequence[str], *, ended: SessionEnded | None
    ) -> ExpectationFailed:
        return step.failed(received, [str(row) for row in self.transcript.rows()], ended)

    async def _until(self, poll: Callable[[], Taken | None], deadline: float) -> Taken | None:
        """Ask until there is an answer, the deadline has passed or the chat is over."""
        await trio.lowlevel.checkpoint()
        with trio.move_on_at(deadline) as limit:
            while (taken := poll()) is None and self.ended is None:
                await self._wait_for_event()
        if limit.cancelled_caught:
            # An event stamped at the deadline beats it: let whoever brings one come first.
            await trio.lowlevel.checkpoint()
        return taken if taken is not None else poll()

    def _agent_state(self) -> Taken | None:
        standing = self._standing
        present = standing.arrival if standing.agents else None
        return None if present is None else Taken(event=present)

    def _ended_state(self) -> Taken | None:
        return Taken(event=self.ended) if self.ended is not None else None
