"""Helpers for testing bots, plugins and botkit itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any

import trio

from botkit import chat
from botkit.chat import EndedBy, Event, Message, Party, PartyKind, SessionEnded, SessionStarted
from botkit.errors import BotkitError
from botkit.interfaces import Deliver, Opening, Outcome, Request

__all__ = ["AGENT", "ScriptedConnector"]

AGENT = Party(name="Ada", kind=PartyKind.AGENT)
"""Whose lines :meth:`ScriptedConnector.say` delivers."""

Play = Callable[["ScriptedConnector"], Awaitable[None]]


class ScriptedConnector:
    """A connector in the hands of a test: no server, no bytes, any clock.

    It opens at once, records every command, and delivers what the test tells it to.

    Args:
        play: runs beside the chat from its opening on, such as an agent's part.
        answer: gives the error that a request gets; None (the default) accepts all.
        refusal: raised instead of opening.
        confirms_leaving: False for a service that never confirms the goodbye.

    Attributes:
        commands: what the customer did, in order.
    """

    on_simulator = False

    def __init__(
        self,
        play: Play | None = None,
        *,
        answer: Callable[[chat.Command], BotkitError | None] | None = None,
        refusal: Exception | None = None,
        confirms_leaving: bool = True,
    ) -> None:
        self.commands: list[chat.Command] = []
        self._play = play
        self._answer = answer
        self._refusal = refusal
        self._confirms_leaving = confirms_leaving
        self._deliver: Deliver
        self._ended = False
        self._seq = 0

    def push(self, kind: type[Event], /, **members: Any) -> None:
        """Deliver an event, stamped and numbered."""
        self._seq += 1
        self._deliver(kind(at=trio.current_time(), seq=self._seq, **members))

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
        if self._refusal is not None:
            raise self._refusal
        self._deliver = deliver
        self.push(SessionStarted, session_id="scripted-1")
        try:
            async with self._beside():
                task_status.started()
                async for request in requests:
                    self.commands.append(request.command)
                    if isinstance(request.command, chat.Leave):
                        break
                    error = self._answer(request.command) if self._answer else None
                    deliver(Outcome(number=request.number, at=trio.current_time(), error=error))
        finally:
            if not self._ended:
                by = EndedBy.CUSTOMER if self._confirms_leaving else EndedBy.UNCONFIRMED
                self.push(SessionEnded, by=by)

    @asynccontextmanager
    async def _beside(self) -> AsyncIterator[None]:
        async with trio.open_nursery() as nursery:
            if self._play is not None:
                nursery.start_soon(self._play, self)
            yield
            nursery.cancel_scope.cancel()
