"""One chat: sends commands, receives events, pairs replies, keeps the transcript.

Theory of operation. A connector task carries the chat and calls :meth:`ChatSession.deliver` for
everything it reads; ``deliver`` never waits. It writes the event down, updates what holds now
(who is in the chat, what user data is visible, whether it has ended), keeps the event for
whoever reads the session, and wakes the waiting. Reading and waiting happen in other tasks, so
a slow bot never holds the connection.

A session has one reader: the inbox behind ``expect`` and ``wait_for``, or the function that was
given to :meth:`ChatSession.subscribe`. ``on`` and ``events`` listen beside it.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import replace
from inspect import isawaitable
from typing import Any, TypeVar, cast

import trio

from botkit import chat
from botkit.chat import (
    Command,
    EndedBy,
    Event,
    Inbox,
    Party,
    Row,
    SessionEnded,
    Transcript,
)
from botkit.errors import (
    FOREIGN,
    ChatError,
    LocalProtocolError,
    SessionClosed,
)
from botkit.interfaces import Connector, Opening, Outcome, Request, State
from botkit.session.commands import Commands
from botkit.session.expectations import Observer, Recorder
from botkit.session.expecting import Expecting, Listener
from botkit.session.outcomes import Pending
from botkit.session.reloading import Reloading
from botkit.session.requests import RequestQueue
from botkit.session.standing import Standing
from botkit.session.stream import Stream

__all__ = ["ChatSession"]

E = TypeVar("E", bound=Event)

PATIENCE = 0.3
"""Seconds that leaving grants the commands before it, for a service that has stopped to answer."""


class Announcement:
    """Says once that the chat is open.

    trio's own keeps a nursery and a scope alive for as long as anybody holds it, and the tasks of
    a connector hold it for all of a chat: half a kilobyte each.
    """

    __slots__ = ("_status",)

    def __init__(self, status: trio.TaskStatus[None]) -> None:
        self._status: trio.TaskStatus[None] | None = status

    def started(self, value: None = None) -> None:
        """Say it; a second time breaks the connector that does so.

        Raises:
            RuntimeError: it was said before.
        """
        status, self._status = self._status, None
        if status is None:
            raise RuntimeError("a chat is opened once; started() was called before")
        status.started(value)


class ChatSession(Commands, Expecting, Reloading):
    """The customer's side of one chat.

    Args:
        nursery: owns the connection; cancelling it leaves the chat.
        opening: whom to call and how.
        observer: told of every expectation and command that ends.
        listener: told of every event when it is read; must not wait.
        began: the loop's clock from which steps are counted; None is now.
        keep: told of what is needed to win the chat back, if the opening asks for that.
        callback_failed: told of what a callback of :meth:`on` raised; None lets it come out of the
            nursery.

    Attributes:
        transcript: what happened so far.
        state: what is needed to win the chat back; None until the connector has told.
    """

    __slots__ = (
        "_callback_failed",
        "_carrying",
        "_connector",
        "_inbox",
        "_keep",
        "_leaving",
        "_listeners",
        "_lot",
        "_nursery",
        "_pending",
        "_reader",
        "_recorder",
        "_requests",
        "_sequence",
        "_standing",
        "_unsettled",
        "nickname",
        "opening",
        "transcript",
    )

    def __init__(
        self,
        nursery: trio.Nursery,
        opening: Opening,
        *,
        observer: Observer | None = None,
        listener: Listener | None = None,
        began: float | None = None,
        keep: Callable[[Mapping[str, Any]], None] | None = None,
        callback_failed: Callable[[BaseException], None] | None = None,
    ) -> None:
        self.opening = opening
        self.nickname = opening.nickname
        self.transcript = Transcript()
        self.state: Mapping[str, Any] | None = None
        self._standing = Standing(opening.userdata)
        self._nursery = nursery
        self._recorder = Recorder(observer, trio.current_time() if began is None else began)
        self._listeners: list[Listener] = [listener] if listener else []
        self._inbox = Inbox()
        self._reader: Listener | None = None
        # Expectations wait here; most bots have none of this kind, so it is made for the first.
        self._lot: trio.lowlevel.ParkingLot | None = None
        self._pending: dict[int, Pending] = {}
        self._sequence = 0
        self._unsettled = 0
        self._leaving = False
        self._keep = keep
        self._callback_failed = callback_failed
        # How many events were told, by this connection and by those before it.
        self._told = 0
        self._told_before = 0
        # Between two connections of one chat; set when the first has been given up.
        self._away: trio.Event | None = None
        self._requests = RequestQueue()
        self._carrying = trio.CancelScope()

    # --- what holds ---

    @property
    def id(self) -> str | None:
        """The service's name of the chat; None before it is opened."""
        return self._standing.session_id

    @property
    def agents(self) -> tuple[Party, ...]:
        """The agents and supervisors who are in the chat."""
        return tuple(self._standing.agents.values())

    @property
    def is_open(self) -> bool:
        """Commands are still accepted."""
        return self.id is not None and self.ended is None and not self._leaving

    @property
    def userdata(self) -> Mapping[str, str]:
        """All user data that this session may see now."""
        return self._standing.userdata.snapshot()

    @property
    def left(self) -> bool:
        """Nobody in the contact centre still waits for this customer, as far as is known."""
        return self.id is None or (
            self.ended is not None and self.ended.by in (EndedBy.CUSTOMER, EndedBy.SERVICE)
        )

    async def open(self, connector: Connector) -> None:
        """Open the chat.

        Raises:
            ChatRefused, RestoreFailed, ConnectorError, RemoteProtocolError, ConfigError: as the
                connector says.
        """
        self._connector = connector
        await self._nursery.start(self._carry, self.opening)

    # --- the connector's side ---

    def deliver(self, item: Event | Outcome | State) -> None:
        """Take what the connector has read; never waits.

        Raises:
            InboxOverflow: nobody reads, and too much has come.
        """
        if type(item) is Outcome:
            self._unsettled -= 1
            self._settle(item)
            return
        if type(item) is State:
            self.state = item.state
            if self._keep is not None:
                self._keep(item.state)
            return
        event = cast("Event", item)
        if self._told_before:
            event = replace(event, seq=min(event.seq + self._told_before, sys.maxsize))
        self._told = event.seq
        self.transcript.add(event)
        self._standing.note(event)
        if self.ended is not None:
            self._fail_pending(f"the chat has ended ({chat.transcript.text_of(event)})")
        for listener in self._listeners:
            listener(event)
        if self._reader is not None:
            self._reader(event)
        else:
            self._inbox.append(event)
        if self._lot:
            self._lot.unpark_all()

    async def _carry(
        self,
        opening: Opening,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Run the connector, and see to it that a chat that was started has an end."""
        task_status = Announcement(task_status)
        try:
            with trio.CancelScope() as self._carrying:
                await self._connector.connect(
                    opening, self._requests, self.deliver, task_status=task_status
                )
        finally:
            if self._away is None:
                self._close(EndedBy.LOST, "the connector stopped without saying why")
            else:
                self._away.set()

    def _close(self, by: EndedBy, description: str) -> None:
        """End the session, if nothing else has; nobody carries it any more."""
        self._requests.close()
        if self.id is not None and self.ended is None:
            self.deliver(
                SessionEnded(
                    at=trio.current_time(), seq=sys.maxsize, by=by, description=description
                )
            )
        self._fail_pending("the chat is over")

    def _settle(self, outcome: Outcome) -> None:
        pending = self._pending.pop(outcome.number, None)
        if pending is not None:
            pending.settle(outcome)

    def _fail_pending(self, why: str) -> None:
        for number, pending in list(self._pending.items()):
            error = None if type(pending.command) is chat.Leave else SessionClosed(why)
            self._settle(Outcome(number=number, at=trio.current_time(), error=error))

    async def _wait_for_event(self) -> None:
        if self._lot is None:
            self._lot = trio.lowlevel.ParkingLot()
        await self._lot.park()

    # --- commands ---

    async def perform(self, command: Command) -> Any:
        """Do a command and wait until the service has accepted it.

        Returns:
            What the command asked for, if it asks for anything; see ``botkit.chat``.

        Raises:
            ChatError: the service answered with an error.
            ConnectorError: the connection broke, and what became of the command is unknown.
            SessionClosed: the chat has ended.
        """
        if type(command) is chat.Reload:
            return await self._reload(command.away_for)
        if type(command) is chat.Detach:
            return await self._detach()
        return (await self._perform(command)).value

    async def _perform(self, command: Command) -> Outcome:
        if self.ended is not None or self.id is None or self._leaving:
            await trio.lowlevel.checkpoint()
            raise SessionClosed(self._closed_text(command))
        if type(command) is chat.SendMessage:
            self.transcript.add_sent(command.text, at=trio.current_time(), nickname=self.nickname)
        elif type(command) is chat.Leave:
            self._leaving = True
        self._sequence += 1
        number = self._sequence
        pending = self._pending[number] = Pending(command)
        self._requests.put(Request(number=number, command=command))
        try:
            if type(command) is chat.Leave:
                outcome = await self._await_goodbye(pending)
            else:
                self._unsettled += 1
                outcome = await self._await_outcome(pending, number)
        finally:
            self._pending.pop(number, None)
        if outcome.error is not None:
            raise outcome.error
        if type(command) is chat.UpdateNickname:
            self.nickname = command.nickname
        return outcome

    async def _await_outcome(self, pending: Pending, number: int) -> Outcome:
        try:
            return await pending.wait()
        except trio.Cancelled:
            if type(pending.command) is not chat.Detach:
                raise
            if self._requests.withdraw(number):
                # It has not let go yet, and a connector that is cancelled leaves the chat.
                self._carrying.cancel()
                raise
            # It lets go in this very moment, and what it tells then is needed for leaving.
            with trio.CancelScope(shield=True):
                await pending.wait()
        return cast("Outcome", pending.outcome)

    async def _await_goodbye(self, leaving: Pending) -> Outcome:
        """Wait until the chat is left; commands that get no answer must not hold that up."""
        with trio.move_on_after(PATIENCE):
            await leaving.wait()
        if self._unsettled > 0 and leaving.outcome is None:
            # A connector that is cancelled leaves at once, whatever it is at.
            self._carrying.cancel()
        return await leaving.wait()

    def _closed_text(self, command: Command) -> str:
        what = chat.events.snake_case(type(command).__name__)
        if self.ended is not None:
            return f"{what}: the chat has ended ({chat.transcript.text_of(self.ended)})"
        return f"{what}: the chat is being left" if self._leaving else f"{what}: there is no chat"

    async def get_userdata(self, key: str) -> dict[str, str]:
        """Read one key of the user data that this session may see.

        Returns:
            The key with its value. On GMS, which has no request for it, from what this session
            set and what pushes brought (inferred).

        Raises:
            ChatError: the key is not visible to this session; without a code.
        """
        await trio.lowlevel.checkpoint()
        value = self._standing.userdata.get(key)
        if value is None:
            raise ChatError(None, f"user data {key!r} is not visible to this session")
        return {key: value}

    async def get_transcript(self, from_index: int = 0) -> tuple[Row, ...]:
        """Give the transcript, from the server's index on; 0 is the whole of it."""
        await trio.lowlevel.checkpoint()
        return self.transcript.rows(from_index)

    async def leave(self) -> None:
        """End the chat and wait for the goodbye; does nothing if it is over already."""
        if self.is_open:
            try:
                await self._perform(chat.Leave())
            except SessionClosed:
                # It ended in the same moment: what leaving asks for is true.
                return
        else:
            await trio.lowlevel.checkpoint()

    # --- listening ---

    def on(self, kind: type[E], callback: Callable[[E], Awaitable[None] | None]) -> None:
        """Call back for every event of a kind from now on, in order, one after another.

        An exception of the callback ends the session and comes out of its block; that of a bot's
        callback ends its journey.
        """
        stream = Stream([])

        def listen(event: Event) -> None:
            if isinstance(event, kind):
                stream.push(event)

        self._listeners.append(listen)
        self._nursery.start_soon(self._call_back, stream, callback, name="session callbacks")

    async def _call_back(
        self, stream: Stream, callback: Callable[[E], Awaitable[None] | None]
    ) -> None:
        while True:
            for event in await stream.next_events():
                try:
                    result = callback(cast("E", event))
                    if isawaitable(result):
                        await result
                except FOREIGN as error:  # The boundary to the code of programs and bots.
                    if self._callback_failed is None:
                        raise
                    self._callback_failed(error)
                    return
                if type(event) is SessionEnded:
                    return

    async def events(self) -> AsyncIterator[Event]:
        """Give all events from the beginning of the session to its end, as they come."""
        stream = Stream(self.transcript.recorded())
        self._listeners.append(stream.push)
        try:
            while True:
                for event in await stream.next_events():
                    yield event
                    if type(event) is SessionEnded:
                        return
        finally:
            self._listeners.remove(stream.push)

    def subscribe(self, reader: Listener) -> None:
        """Make a function the one reader of this session: ``expect`` sees nothing more.

        Args:
            reader: called with every event from the beginning of the session on, the moment it
                is read; it must not wait.
        """
        if self._reader is not None:
            raise LocalProtocolError("this session has a reader already")
        self._inbox = Inbox()
        so_far = self.transcript.recorded()
        self._reader = reader
        for event in so_far:
            reader(event)
