"""What a GMS server over REST has to tell: asked for in time, taken whoever asked.

Theory of operation. The service says nothing unasked. Every answer brings what is new since the
position that its call named, so a command is as good as a poll; when none is due soon, a task of
its own refreshes. Calls go one after another, with the latest alias and position, hence answers
never overtake each other; files alone travel beside them. An answer that is lost costs nothing: the
position has not moved, and the next call asks for the same again.

What an answer demands (``statusCode``, ``chatEnded``):

==========  ==========  ====================================================================
statusCode  chatEnded   what is done
==========  ==========  ====================================================================
0           false       go on
0           true        the chat is over
1           any         nothing else in the answer counts; the call is repeated with backoff
2           true        the chat is over
2           false       of a command: it failed. Of a poll: the service does not go on
==========  ==========  ====================================================================

Source: GMS Chat API v2 over REST, API responses; the table is that of the eServices Web API.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import replace

import trio

from botkit.chat import Event
from botkit.connectors.echo import Echo
from botkit.connectors.gms_outlet import Outlet
from botkit.connectors.http.patience import asked_of
from botkit.connectors.polling import RestTimes
from botkit.connectors.rest_answers import in_order, is_awaited_gap, position_after, temporary
from botkit.connectors.rest_link import Answer, RestLink
from botkit.connectors.waiting import Waiting
from botkit.errors import ConnectorError, RemoteProtocolError
from botkit.genesys import gms_rest
from botkit.genesys.gms_chat import GmsChat, failure_of
from botkit.genesys.gms_rest import Call, Identity
from botkit.genesys.gms_v2 import GIVE_UP, OK, RETRY, Push

__all__ = ["RestStream"]


class RestStream:
    """Polls one chat, and takes what its answers bring.

    Args:
        link: makes the calls.
        chat: turns answers into events.
        outlet: takes the events.
        waiting: woken whenever anything has changed.
        times: the pace of polls and retries.
        rng: spreads them over many chats.
        on_stop: called when the service does not go on.

    Attributes:
        stopped: why the service does not go on, though it did not end the chat; None if it does.
        polls: how many refreshes were answered.
        echo: looks at all events, while a command is under way.
    """

    __slots__ = (
        "_asked",
        "_chat",
        "_due",
        "_failures",
        "_link",
        "_lively_at",
        "_nap",
        "_on_stop",
        "_outlet",
        "_position",
        "_rng",
        "_scope",
        "_times",
        "_turn",
        "_waiting",
        "echo",
        "polls",
        "stopped",
    )

    def __init__(
        self,
        link: RestLink,
        chat: GmsChat,
        outlet: Outlet,
        waiting: Waiting,
        *,
        times: RestTimes,
        rng: random.Random,
        on_stop: Callable[[], None],
    ) -> None:
        self.stopped: str | None = None
        self.polls = 0
        self.echo: Echo | None = None
        self._link = link
        self._chat = chat
        self._outlet = outlet
        self._waiting = waiting
        self._times = times
        self._rng = rng
        self._on_stop = on_stop
        self._position = gms_rest.FIRST
        self._turn = trio.Lock()
        # When the next poll is due, failures in a row, what the service asked for at the latest of
        # them, and when something happened last.
        self._scope = trio.CancelScope()
        self._nap: trio.CancelScope | None = None
        self._due = math.inf
        self._failures = 0
        self._asked = 0.0
        self._lively_at = trio.current_time()

    # --- calls ---

    def identity(self) -> Identity:
        """Tell who calls, as the service knows it by now."""
        gms_chat = self._chat
        return Identity(
            chat_id=gms_chat.chat_id,
            user_id=gms_chat.user_id,
            secure_key=gms_chat.secure_key,
            alias=gms_chat.alias,
            position=self._position,
        )

    async def call(self, make: Callable[[Identity], Call]) -> Answer:
        """Make a call when its turn has come; raises as :meth:`RestLink.call`."""
        async with self._turn:
            return await self._link.call(make(self.identity()))

    def take(self, push: Push, *, moves_on: bool = True) -> None:
        """Take an answer that counts.

        Args:
            moves_on: what is before its next position does not come any more.
        """
        now = trio.current_time()
        push = in_order(push)
        events: list[Event] = []
        if push.status_code == OK and push.errors and self._chat.started:
            # Errors beside a success: the rest of the answer is valid, as its status says.
            events.append(self._chat.error(*failure_of(push), now=now))
            push = replace(push, errors=())
        events += self._chat.receive_push(push, now=now)
        if push.status_code == OK and moves_on:
            self._position = max(self._position, position_after(push))
        if self._chat.is_holding and not is_awaited_gap(push):
            # The service has numbered something that customers do not see.
            events += self._chat.release(now=now)
        if events:
            self.enliven()
        if self.echo is not None:
            for event in events:
                self.echo.look(event)
        self._outlet.tell(events)
        self._plan_poll()
        self._waiting.wake()

    def backoff(self, failures: int, asked: float = 0.0) -> float:
        """Give the wait after so many failures in a row.

        Args:
            asked: what the service asked for, seconds. Everybody was asked for the same, so the
                backoff is added to it, and they do not come back together.
        """
        return asked + self._times.backoff.wait(failures, self._rng.random())

    # --- polling ---

    async def run(self) -> None:
        """Poll until the chat is over, or until :meth:`stop`."""
        with self._scope:
            self._plan_poll()
            while not self._chat.ended and self.stopped is None:
                await self._wait_for_poll()
                async with self._turn:
                    # A command may have been the poll.
                    if trio.current_time() >= self._due:
                        await self._poll()

    def stop(self) -> None:
        """Poll no more."""
        self._scope.cancel()

    def poll_soon(self) -> None:
        """Poll as soon as possible: something may have been lost."""
        self._poll_at(trio.current_time())

    def enliven(self) -> None:
        """Note that something goes on, so that polls come faster."""
        self._lively_at = trio.current_time()

    async def _wait_for_poll(self) -> None:
        while trio.current_time() < self._due:
            with trio.CancelScope(deadline=self._due) as self._nap:
                await trio.sleep_forever()
        self._nap = None

    async def _poll(self) -> None:
        try:
            answer = await self._link.call(gms_rest.refresh(self.identity()))
        except (ConnectorError, RemoteProtocolError) as error:
            self._poll_failed(str(error), asked_of(error))
            return
        push = answer.push
        if push.status_code == RETRY:
            self._poll_failed(str(temporary(push)), answer.retry_after)
            return
        self._failures = 0
        self.polls += 1
        self.take(push)
        if push.status_code == GIVE_UP and not self._chat.ended:
            _, self.stopped = failure_of(push)
            self._on_stop()
        else:
            self._outlet.resume()

    def _poll_failed(self, reason: str, asked: float) -> None:
        self._failures += 1
        self._asked = asked
        self._outlet.interrupt(reason)
        self._plan_poll()

    def _plan_poll(self) -> None:
        """Decide when to poll next, seen from now."""
        now = trio.current_time()
        if self._failures:
            wait = self.backoff(self._failures, self._asked)
        else:
            wait = self._times.pace.interval(now - self._lively_at, self._rng.random())
        self._poll_at(now + wait)

    def _poll_at(self, due: float) -> None:
        self._due = due
        if self._nap is not None:
            self._nap.deadline = due
