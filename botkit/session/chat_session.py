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
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from inspect import isawaitable
from typing import Any, TypeVar, cast

import trio

from botkit import chat
from botkit.chat import (
    AgentConnected,
    Command,
    EndedBy,
    Event,
    Inbox,
    Message,
    Party,
    Row,
    SessionEnded,
    Taken,
    Transcript,
)
from botkit.errors import (
    BotkitError,
    ChatError,
    ExpectationFailed,
    LocalProtocolError,
    SessionClosed,
)
from botkit.interfaces import Connector, Matcher, Opening, Outcome, Request, State
from botkit.results import blame
from botkit.session.expectations import Expectation, Observer, Recorder, tried
from botkit.session.outcomes import Pending, utc_now
from botkit.session.requests import RequestQueue
from botkit.session.standing import Standing
from botkit.session.stream import Stream

__all__ = ["ChatSession"]

E = TypeVar("E", bound=Event)
Listener = Callable[[Event], None]

PATIENCE = 0.3
"""Seconds that leaving grants the commands before it, for a service that has stopped to answer."""


class ChatSession:
    """The customer's side of one chat.

    Args:
        nursery: owns the connection; cancelling it leaves the chat.
        opening: whom to call and how.
        observer: told of every expectation and command that ends.
        listener: told of every event when it is read; must not wait.
        began: the loop's clock from which steps are counted; None is now.

    Attributes:
        transcript: what happened so far.
        state: what is needed to win the chat back; None until the connector has told.
    """

    __slots__ = (
        "_carrying",
        "_inbox",
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
        "state",
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
        self._lot = trio.lowlevel.ParkingLot()
        self._pending: dict[int, Pending] = {}
        self._sequence = 0
        self._unsettled = 0
        self._leaving = False
        self._requests = RequestQueue()
        self._carrying = trio.CancelScope()

    # --- what holds ---

    @property
    def id(self) -> str | None:
        """The service's name of the chat; None before it is opened."""
        return self._standing.session_id

    @property
    def ended(self) -> SessionEnded | None:
        """The last event of the session; None while it runs."""
        return self._standing.ended

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
            ChatRefused, ConnectorError, RemoteProtocolError, ConfigError: as the connector says.
        """
        await self._nursery.start(self._carry, connector)

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
            return
        event = cast("Event", item)
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
        connector: Connector,
        *,
        task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Run the connector, and see to it that a chat that was started has an end."""
        try:
            with self._carrying:
                await connector.connect(
                    self.opening, self._requests, self.deliver, task_status=task_status
                )
        finally:
            self._requests.close()
            if self.id is not None and self.ended is None:
                self.deliver(
                    SessionEnded(
                        at=trio.current_time(),
                        seq=sys.maxsize,
                        by=EndedBy.LOST,
                        description="the connector stopped without saying why",
                    )
                )
            self._fail_pending("the chat is over")

    def _settle(self, outcome: Outcome) -> None:
        pending = self._pending.pop(outcome.number, None)
        if pending is not None:
            pending.outcome = outcome
            pending.done.set()

    def _fail_pending(self, why: str) -> None:
        for number, pending in list(self._pending.items()):
            error = None if type(pending.command) is chat.Leave else SessionClosed(why)
            self._settle(Outcome(number=number, at=trio.current_time(), error=error))

    # --- commands ---

    async def perform(self, command: Command) -> None:
        """Do a command and wait until the service has accepted it.

        Raises:
            ChatError: the service answered with an error.
            ConnectorError: the connection broke, and what became of the command is unknown.
            SessionClosed: the chat has ended.
        """
        await self._perform(command)

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
                await self._await_goodbye(pending)
            else:
                self._unsettled += 1
                await pending.done.wait()
        finally:
            self._pending.pop(number, None)
        outcome = cast("Outcome", pending.outcome)
        if outcome.error is not None:
            raise outcome.error
        if type(command) is chat.UpdateNickname:
            self.nickname = command.nickname
        return outcome

    async def _await_goodbye(self, leaving: Pending) -> None:
        """Wait until the chat is left; commands that get no answer must not hold that up."""
        with trio.move_on_after(PATIENCE):
            await leaving.done.wait()
        if self._unsettled > 0 and not leaving.done.is_set():
            # A connector that is cancelled leaves at once, whatever it is at.
            self._carrying.cancel()
        await leaving.done.wait()

    def _closed_text(self, command: Command) -> str:
        what = chat.events.snake_case(type(command).__name__)
        if self.ended is not None:
            return f"{what}: the chat has ended ({chat.transcript.text_of(self.ended)})"
        return f"{what}: the chat is being left" if self._leaving else f"{what}: there is no chat"

    async def send_message(self, text: str, *, content_type: str = "text") -> None:
        """Say a line; returns when the service has accepted it. See :meth:`perform`."""
        await self._do(chat.SendMessage(text=text, content_type=content_type), text)

    async def send_typing(self, is_typing: bool = True, *, preview: str = "") -> None:
        """Show that the customer started (or stopped) typing. See :meth:`perform`."""
        await self._do(chat.SendTyping(is_typing=is_typing, preview=preview))

    async def send_notice(self, text: str) -> None:
        """Send a machine-readable note. See :meth:`perform`."""
        await self._do(chat.SendNotice(text=text), text)

    async def push_url(self, url: str) -> None:
        """Push a page to the agent. See :meth:`perform`."""
        await self._do(chat.PushUrl(url=url), url)

    async def update_nickname(self, nickname: str) -> None:
        """Go by another name. See :meth:`perform`."""
        await self._do(chat.UpdateNickname(nickname=nickname), nickname)

    async def read_receipt(self, index: int) -> None:
        """Tell that everything up to this transcript index was read. See :meth:`perform`."""
        await self._do(chat.ReadReceipt(index=index), str(index))

    async def set_userdata(self, userdata: Mapping[str, str]) -> None:
        """Attach user data. See :meth:`perform`.

        On GMS that the service accepted it is taken as its confirmation (inferred).
        """
        for key, value in cast("Mapping[str, object]", userdata).items():
            if not isinstance(value, str):
                raise LocalProtocolError(f"user data are texts; {key}={value!r:.40} is not")
        await self._do(chat.SetUserdata(userdata=dict(userdata)), ", ".join(userdata))

    async def delete_userdata(self, key: str) -> float:
        """Take one key of user data away. See :meth:`perform`.

        On GMS this sets an empty value, since there is no delete (inferred).

        Returns:
            When it was confirmed, epoch seconds.
        """
        await self._do(chat.DeleteUserdata(key=key), key)
        return utc_now()

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

    async def _do(self, command: Command, text: str = "") -> None:
        started = trio.current_time()
        verb = chat.events.snake_case(type(command).__name__)
        shown = f"{verb}: {text}" if text else verb
        try:
            await self._perform(command)
        except BotkitError as error:
            failed, reason = blame(error)
            self._recorder.record(
                verb=verb, text=shown, started=started, verdict=failed, reason=reason,
                message=str(error),
            )  # fmt: skip
            raise
        self._recorder.record(verb=verb, text=shown, started=started)

    # --- listening ---

    def on(self, kind: type[E], callback: Callable[[E], Awaitable[None] | None]) -> None:
        """Call back for every event of a kind from now on, in order, one after another.

        An exception of the callback ends the session and comes out of its block.
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
                result = callback(cast("E", event))
                if isawaitable(result):
                    await result
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

    # --- expectations ---

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
        step.passed(taken)
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
        step.passed(taken)
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
                await self._lot.park()
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
