"""A connector in the hands of a test."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from typing import Any

import trio

from botkit import chat
from botkit.chat import (
    EndedBy,
    Event,
    Message,
    Party,
    PartyKind,
    SessionEnded,
    SessionRestored,
    SessionStarted,
)
from botkit.errors import BotkitError
from botkit.interfaces import (
    Deliver,
    Opening,
    Outcome,
    Request,
)

__all__ = ["AGENT", "ScriptedConnector"]

AGENT = Party(name="Ada", kind=PartyKind.AGENT)
"""Whose lines :meth:`ScriptedConnector.say` delivers."""

Play = Callable[["ScriptedConnector"], Awaitable[None]]


class ScriptedConnector:
    """A connector in the hands of a test: no server, no bytes, any clock.

    It opens at once, records every command, and delivers what the test tells it to. A chat that is
    restored goes on at once too, and what was pushed comes again as history.

    Args:
        play: runs beside the chat from its opening on, such as an agent's part.
        resume: the same for a chat that was restored.
        answer: gives the error that a request gets; None (the default) accepts all.
        value: gives what a request asks for, such as a file's name.
        refusal: raised instead of opening.
        restore_refusal: raised instead of restoring.
        confirms_leaving: False for a service that never confirms the goodbye.

    Attributes:
        commands: what the customer did, in order.
        session_id: the name of the chat; a test that changes it lets another chat come back.
        past: what was pushed, to be repeated as history; a test may take from it.
    """

    on_simulator = False
    lacks: Mapping[type[chat.Command], str] = {}

    def __init__(
        self,
        play: Play | None = None,
        *,
        resume: Play | None = None,
        answer: Callable[[chat.Command], BotkitError | None] | None = None,
        value: Callable[[chat.Command], object] | None = None,
        refusal: Exception | None = None,
        restore_refusal: Exception | None = None,
        confirms_leaving: bool = True,
    ) -> None:
        self.commands: list[chat.Command] = []
        self.session_id = "scripted-1"
        self.past: list[Event] = []
        self._play = play
        self._resume = resume
        self._answer = answer
        self._value = value
        self._refusal = refusal
        self._restore_refusal = restore_refusal
        self._confirms_leaving = confirms_leaving
        self._deliver: Deliver
        self._ended = False
        self._seq = 0

    def push(self, kind: type[Event], /, **members: Any) -> None:
        """Deliver an event, stamped and numbered."""
        self._seq += 1
        event = kind(at=trio.current_time(), seq=self._seq, **members)
        self.past.append(event)
        self._deliver(event)

    def say(self, text: str, **members: Any) -> None:
        """Deliver a line of the agent."""
        self.push(Message, **{"text": text, "party": AGENT, **members})

    def end(self, by: EndedBy = EndedBy.SERVICE) -> None:
        """Let the service end the chat."""
        self._ended = True
        self.push(SessionEnded, by=by)

    # --- interfaces.Connector ---

    def check(self, opening: Opening) -> None:
        """Take any opening."""

    def running(self) -> AbstractAsyncContextManager[None]:
        """Share nothing."""
        return nullcontext()

    def server_of(self, opening: Opening) -> str:
        """Name no server, for there is none."""
        return "scripted"

    async def connect(
        self,
        opening: Opening,
        requests: AsyncIterator[Request],
        deliver: Deliver,
        *,
        task_status: trio.TaskStatus[None],
    ) -> None:
        """Carry the chat as the test wants it."""
        await trio.lowlevel.checkpoint()
        refusal = self._refusal if opening.restore is None else self._restore_refusal
        if refusal is not None:
            raise refusal
        self._deliver = deliver
        detached = False
        try:
            async with self._opened(restored=opening.restore is not None):
                task_status.started()
                async for request in requests:
                    self.commands.append(request.command)
                    detached = isinstance(request.command, chat.Detach)
                    if isinstance(request.command, chat.Leave):
                        break
                    deliver(self._outcome(request))
                    if detached:
                        break
        finally:
            if not self._ended and not detached:
                by = EndedBy.CUSTOMER if self._confirms_leaving else EndedBy.UNCONFIRMED
                self.push(SessionEnded, by=by)

    def _repeat_past(self) -> None:
        """Tell that the chat is back, and what was said in it before."""
        openings = SessionStarted | SessionRestored
        past = [event for event in self.past if not isinstance(event, openings)]
        self.past = []
        self.push(SessionRestored, session_id=self.session_id)
        for event in past:
            self._seq += 1
            now = trio.current_time()
            self.past.append(replace(event, at=now, seq=self._seq, history=True))
            self._deliver(self.past[-1])

    def _outcome(self, request: Request) -> Outcome:
        """Say what becomes of a request."""
        command = request.command
        value: object = (
            {"session_id": self.session_id} if isinstance(command, chat.Detach) else None
        )
        return Outcome(
            number=request.number,
            at=trio.current_time(),
            error=self._answer(command) if self._answer else None,
            value=self._value(command) if value is None and self._value else value,
        )

    @asynccontextmanager
    async def _opened(self, *, restored: bool) -> AsyncIterator[None]:
        if restored:
            self._repeat_past()
        else:
            self.push(SessionStarted, session_id=self.session_id)
        beside = self._resume if restored else self._play
        async with trio.open_nursery() as nursery:
            if beside is not None:
                nursery.start_soon(beside, self)
            yield
            nursery.cancel_scope.cancel()


# --- a simulator without sockets -----------------------------------------------------------------
