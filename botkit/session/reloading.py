"""Another connection for the same chat: letting go of one, and coming back with another."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import trio

from botkit import chat
from botkit.chat import EndedBy, Restoration, RestoreOutcome, SessionEnded
from botkit.errors import (
    BotkitError,
    ChatError,
    ConnectorError,
    RemoteProtocolError,
    SessionClosed,
)
from botkit.interfaces import Opening, Outcome
from botkit.session.requests import RequestQueue

__all__ = ["Reloading"]

LEAVE_LIMIT = 4.0
"""Seconds for coming back to a chat only to leave it."""


class Reloading(ABC):
    """What a session does between two connections of its chat.

    Attributes:
        opening: whom to call and how.
        state: what is needed to win the chat back; None until the connector has told.
    """

    __slots__ = ("_away", "_told", "_told_before", "state")

    opening: Opening
    state: Mapping[str, Any] | None
    _away: trio.Event | None
    _nursery: trio.Nursery
    _requests: RequestQueue
    _told: int
    _told_before: int

    @property
    @abstractmethod
    def id(self) -> str | None:
        """The service's name of the chat; None before it is opened."""

    @property
    @abstractmethod
    def ended(self) -> SessionEnded | None:
        """The last event of the session; None while it runs."""

    @abstractmethod
    async def _perform(self, command: chat.Command) -> Outcome: ...

    @abstractmethod
    async def _carry(
        self,
        opening: Opening,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None: ...

    @abstractmethod
    def _close(self, by: EndedBy, description: str) -> None: ...

    async def _reload(self, away_for: float) -> Restoration:
        """Let go, stay away, and come back; who is cancelled meanwhile leaves the chat."""
        if self.id is None or self.ended is not None:
            await trio.lowlevel.checkpoint()
            return self._nothing_stored()
        try:
            state = await self._let_go()
        except SessionClosed:
            return self._nothing_stored()
        try:
            await trio.sleep(away_for)
            return await self._come_back(state)
        except BaseException:
            await self._leave_from_afar(state)
            raise

    def _nothing_stored(self) -> Restoration:
        """A chat that is over is not kept; one that was lost may be anything."""
        if self.ended is not None and self.ended.by is EndedBy.LOST:
            return Restoration(
                outcome=RestoreOutcome.FAILED,
                session_id=self.id,
                description=chat.transcript.text_of(self.ended),
            )
        return Restoration(outcome=RestoreOutcome.NO_SESSION)

    async def _detach(self) -> None:
        self.state = await self._let_go()
        self._away = None
        self._close(EndedBy.DETACHED, "the chat goes on at the service")

    async def _let_go(self) -> Mapping[str, Any]:
        """Have the connector give its connection up.

        Returns:
            What is needed to win the chat back.

        Raises:
            SessionClosed: the chat has ended first.
        """
        self._away = trio.Event()
        try:
            outcome = await self._perform(chat.Detach())
        except BaseException:
            self._away = None
            raise
        with trio.CancelScope(shield=True):
            await self._away.wait()
        return cast("Mapping[str, Any]", outcome.value)

    async def _come_back(self, state: Mapping[str, Any]) -> Restoration:
        self._told_before = self._told
        opening = replace(self.opening, restore=state)
        failed: BotkitError | None = None
        try:
            await self._nursery.start(self._carry, opening)
        except (ChatError, ConnectorError, RemoteProtocolError) as error:
            failed = error
        finally:
            self._away = None
        if failed is None:
            return Restoration(outcome=RestoreOutcome.RESTORED, session_id=self.id)
        refused = isinstance(failed, ChatError)
        self._close(EndedBy.SERVICE if refused else EndedBy.LOST, str(failed))
        return Restoration(
            outcome=RestoreOutcome.FAILED,
            session_id=self.id,
            code=failed.code if isinstance(failed, ChatError) else None,
            description=failed.description if isinstance(failed, ChatError) else str(failed),
        )

    async def _leave_from_afar(self, state: Mapping[str, Any]) -> None:
        """Come back only to leave: somebody in the contact centre may still wait."""
        if self.ended is not None:
            return
        why = "there was no time left to leave the chat"
        self._away = trio.Event()
        self._requests.close()
        self._told_before = self._told
        try:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + LEAVE_LIMIT):
                await self._carry(replace(self.opening, restore=state))
        except (ChatError, ConnectorError, RemoteProtocolError) as error:
            why = f"the chat could not be left: {error}"
        finally:
            self._away = None
            self._close(EndedBy.LOST, why)
