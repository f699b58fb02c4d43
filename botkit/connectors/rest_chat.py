"""One chat of the GMS Chat API v2 over REST: opening, requests, polling, goodbye.

Theory of operation. The service says nothing unasked. Every answer brings what is new since the
position that the call named, so a command is as good as a poll; when none is due soon, a task of
its own refreshes. Calls go one after another, with the latest alias and position, hence answers
never overtake each other; files alone travel beside them. An answer that is lost costs nothing: the
position has not moved, and the next call asks for the same again.

What an answer demands (``statusCode``, ``chatEnded``):

==========  ==========  ====================================================================
statusCode  chatEnded   what is done
==========  ==========  ====================================================================
0           false       go on
0           true        the chat is over
1           any         nothing else in the answer counts; repeated with backoff
2           true        the chat is over
2           false       of a command: it failed. Of a poll: the service does not go on
==========  ==========  ====================================================================

A command that was answered with 1 has failed, as the service says, so it is repeated, up to
:data:`ATTEMPTS` times. But a line said twice is worse than a line not said: before a message is
repeated, the transcript is asked for, and if the line is in it, it was said. Of notices, pages and
files it is not documented that they come back in the transcript: they count as done if they do, and
are not repeated if they do not. Where the answer itself is lost nothing is repeated at all.

The request for a chat brings the key in its answer, and only who has the key can leave. So it is
never cut off, and when the chat is given up meanwhile its answer is awaited for :data:`KEY_LIMIT`
seconds. If that answer is lost, nobody can say whether there is a chat now; it is not requested a
second time, and a chat that was opened ends when the service misses its polls.

A chat that is *restored* is refreshed from the first position. Until that has succeeded it stays as
it is when this ends with an error, for another attempt may win it back; who is cancelled leaves it.

Source: GMS Chat API v2 over REST, API responses; the table is that of the eServices Web API.
"""

from __future__ import annotations

import logging
import math
import random
from collections.abc import AsyncIterator, Callable

import trio

from botkit import chat
from botkit.chat import Command, EndedBy, Event
from botkit.chat.events import is_own
from botkit.connectors.gms_outlet import Outlet
from botkit.connectors.http import Http
from botkit.connectors.polling import RestTimes
from botkit.connectors.rest_answers import (
    in_order,
    is_awaited_gap,
    is_echo,
    leaves_trace,
    moves_on,
    position_after,
    temporary,
    value_of,
)
from botkit.connectors.rest_link import Answer, RestLink, in_doubt
from botkit.errors import (
    BotkitError,
    ChatError,
    ChatRefused,
    ConnectorError,
    LocalProtocolError,
    RemoteProtocolError,
    RestoreFailed,
)
from botkit.genesys import gms_files, gms_rest
from botkit.genesys.gms_chat import GmsChat, failure_of
from botkit.genesys.gms_rest import Call, Identity, RestNames
from botkit.genesys.gms_state import GmsState
from botkit.genesys.gms_v2 import GIVE_UP, OK, RETRY, Push
from botkit.interfaces import Deliver, Opening, Outcome, Request, State

__all__ = ["RestChat"]

log = logging.getLogger(__name__)

LEAVE_LIMIT = 3.6
"""Seconds for the whole goodbye."""
KEY_LIMIT = 2.6
"""Seconds of waiting for the key of a chat that was requested, in order to leave it."""
GOODBYE_LIMIT = 1.6
"""Seconds that one attempt at leaving may take, so that there can be another one."""
PAUSE = 0.2
"""Seconds between attempts at leaving."""
ATTEMPTS = 5
"""How often a command is sent that was not done before."""
DECIDED_AFTER = 2
"""Failures in a row after which these kinds of failure are believed."""
DECIDED_KINDS = ("refused", "unknown_host", "tls", "proxy")


class RestChat:
    """One chat from its request to its goodbye.

    Args:
        opening: whom to call.
        http: its connections; closing them stays with the caller.
        deliver: takes events and outcomes; must not wait.
        names: what the wire calls things.
        rng: spreads polls and retries of many chats.
        restored: the chat to win back instead of opening one.
        keep: puts a state into the form that can be stored.
    """

    __slots__ = (
        "_asked",
        "_asking",
        "_chat",
        "_detached",
        "_due",
        "_echoes",
        "_failures",
        "_keep",
        "_leaving",
        "_link",
        "_lively_at",
        "_lot",
        "_names",
        "_nap",
        "_nursery",
        "_open_error",
        "_opening",
        "_outlet",
        "_over",
        "_polling",
        "_position",
        "_requesting",
        "_restored",
        "_rng",
        "_stopped",
        "_times",
        "_turn",
    )

    def __init__(
        self,
        opening: Opening,
        http: Http,
        deliver: Deliver,
        *,
        names: RestNames,
        times: RestTimes,
        rng: random.Random,
        restored: GmsState | None = None,
        keep: Callable[[GmsState], State],
    ) -> None:
        self._opening = opening
        self._names = names
        self._times = times
        self._rng = rng
        self._restored = restored
        self._keep = keep
        self._link = RestLink(http, service=opening.service, reply_within=times.reply_within)
        self._chat = GmsChat(
            userdata=opening.userdata, nickname=opening.nickname, restored=restored
        )
        self._outlet = Outlet(
            self._chat,
            deliver,
            keep=keep if opening.keep_state else None,
            on_end=self._stop_serving,
        )
        self._position = gms_rest.FIRST
        # Calls take turns, except those that carry files.
        self._turn = trio.Lock()
        self._lot = trio.lowlevel.ParkingLot()
        self._nursery: trio.Nursery
        # Opening: its task, whether that came to an end, whether it awaits the chat's key.
        self._asking = trio.CancelScope(shield=True)
        self._asked = False
        self._requesting = False
        self._open_error: BotkitError | None = None
        # Ends the service of requests.
        self._over = trio.CancelScope()
        # Polling: when the next is due, failures in a row, when something happened last.
        self._polling = trio.CancelScope()
        self._nap: trio.CancelScope | None = None
        self._due = math.inf
        self._failures = 0
        self._lively_at = trio.current_time()
        # The customer's own events, while somebody looks for one of them.
        self._echoes: list[Event] | None = None
        # Why the service does not go on, though it did not end the chat.
        self._stopped: str | None = None
        self._leaving = False
        # The chat is to stay as it is when the connection is given up.
        self._detached = False

    async def carry(
        self, requests: AsyncIterator[Request], task_status: trio.TaskStatus[None]
    ) -> None:
        """Open the chat, perform requests, leave."""
        async with trio.open_nursery() as self._nursery:
            try:
                await self._open()
                task_status.started()
                self._nursery.start_soon(self._poll, name="poll")
                with self._over:
                    async for request in requests:
                        if type(request.command) is chat.Leave:
                            break
                        if type(request.command) is chat.Detach:
                            self._detach(request)
                            break
                        await self._perform(request)
            finally:
                await self._leave()
        if self._outlet.crash is not None:
            raise self._outlet.crash

    # --- opening ---

    async def _open(self) -> None:
        with trio.move_on_after(self._opening.open_within) as limit:
            self._nursery.start_soon(self._ask, name="request chat")
            await self._until(lambda: self._asked)
            self._raise_if_refused()
        if limit.cancelled_caught:
            self._detached = self._restored is not None
            raise self._not_opened()

    async def _ask(self) -> None:
        """Ask for the chat, again and again where that does no harm."""
        with self._asking:
            failures = 0
            while not self._leaving and not await self._ask_once(failures):
                failures += 1
                await trio.sleep(self._times.backoff.wait(failures, self._rng.random()))
        self._asked = True
        self._wake()

    async def _ask_once(self, failures: int) -> bool:
        """Ask for the chat; True if that has decided."""
        self._requesting = self._restored is None
        try:
            # Who waits for it, and for how long, is decided elsewhere.
            answer = await self._link.call(self._request(), within=math.inf)
        except (ConnectorError, RemoteProtocolError, LocalProtocolError) as error:
            self._open_error = error
            return self._is_decided(error, failures + 1)
        finally:
            self._requesting = False
            self._wake()
        if answer.push.status_code == RETRY:
            self._open_error = temporary(answer.push)
            return False
        self._take(answer.push)
        if not self._chat.started and self._chat.refusal is None:
            text = f"{self._link.url} answered the request for a chat without a secureKey"
            self._open_error = RemoteProtocolError(text)
        return True

    def _request(self) -> Call:
        if self._restored is not None:
            return gms_rest.refresh(self._identity())
        opening = self._opening
        return gms_rest.request_chat(
            nickname=opening.nickname, subject=opening.subject, userdata=opening.userdata
        )

    def _is_decided(self, error: BotkitError, failures: int) -> bool:
        """Whether asking again would tell nothing new, or might open a second chat."""
        if isinstance(error, LocalProtocolError):
            return True
        if self._restored is None and in_doubt(error):
            return True
        believed = isinstance(error, ConnectorError) and error.kind in DECIDED_KINDS
        return believed and failures >= DECIDED_AFTER

    def _raise_if_refused(self) -> None:
        if self._chat.started:
            return
        self._detached = self._restored is not None
        refusal = self._chat.refusal
        if refusal is not None:
            kind = RestoreFailed if self._restored is not None else ChatRefused
            raise kind(refusal.code, refusal.description)
        raise self._not_opened()

    def _not_opened(self) -> BotkitError:
        """Say why there is no chat, by what is known best."""
        error = self._open_error
        if isinstance(error, ChatError):
            if self._restored is not None:
                # It is still there, and another attempt may win it back.
                return ConnectorError(f"{self._link.url}: {error}", kind="http")
            return ChatRefused(error.code, error.description)
        if error is not None:
            return error
        return ConnectorError(
            f"{self._link.url} did not answer the request for a chat"
            f" within {self._opening.open_within:g} s",
            kind="timeout",
        )

    # --- requests ---

    async def _perform(self, request: Request) -> None:
        error: BotkitError | None = None
        value: object = None
        try:
            value = await self._send(request.command)
        except (ChatError, ConnectorError, RemoteProtocolError, LocalProtocolError) as caught:
            error = caught
        now = trio.current_time()
        self._outlet.hand_on(Outcome(number=request.number, at=now, error=error, value=value))
        if error is None:
            self._outlet.tell(self._chat.confirm(request.command, now=now))

    def _detach(self, request: Request) -> None:
        """Let the chat go on without us."""
        self._detached = True
        state = self._keep(self._chat.state).state
        self._outlet.hand_on(Outcome(number=request.number, at=trio.current_time(), value=state))

    async def _send(self, command: Command) -> object:
        """Do a command; again only if it surely was not done.

        Returns:
            What it asked for.
        """
        answer: Answer | None = None
        for attempt in range(1, ATTEMPTS + 1):
            await self._until(lambda: not self._outlet.is_interrupted)
            self._echoes = []
            try:
                answer = await self._send_once(command)
            except (ConnectorError, RemoteProtocolError) as error:
                # Whether the service can be reached at all, the next poll will tell.
                self._poll_now()
                surely_not_sent = isinstance(error, ConnectorError) and not error.sent
                if not surely_not_sent or attempt == ATTEMPTS:
                    raise
                await trio.sleep(self._times.backoff.wait(attempt, self._rng.random()))
                continue
            if answer.push.status_code != RETRY:
                return value_of(command, answer)
            await trio.sleep(self._times.backoff.wait(attempt, self._rng.random()))
            if leaves_trace(command) and (trace := await self._find_trace(command)) is not None:
                return trace.file_id if isinstance(trace, chat.File) else None
        assert answer is not None
        raise temporary(answer.push)

    async def _send_once(self, command: Command) -> Answer:
        """Do a command.

        Returns:
            The answer: done, or to be repeated.

        Raises:
            ChatError: the service refused it.
            ConnectorError, RemoteProtocolError, LocalProtocolError: as :class:`RestLink`.
        """
        if isinstance(command, gms_files.FileCommand):
            answer = await self._send_about_file(command)
        else:
            async with self._turn:
                answer = await self._link.call(self._call_for(command))
        push = answer.push
        if push.status_code == RETRY:
            return answer
        self._lively()
        self._outlet.failure = None
        self._take(push, moves_on=moves_on(command))
        if self._outlet.failure is not None:
            raise self._outlet.failure
        return answer

    async def _send_about_file(self, command: gms_files.FileCommand) -> Answer:
        call = self._call_for(command)
        if isinstance(command, chat.DownloadFile):
            size = self._opening.network.max_reply_bytes
            return await self._link.fetch_file(call, size=size)
        return await self._link.send_file(call)

    async def _find_trace(self, command: Command) -> Event | None:
        """Look for a command in the transcript, after the service said that it failed.

        Returns:
            What came of it; None if it surely was not done.

        Raises:
            ChatError: that cannot be found out, or it may not be concluded from.
        """
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with self._turn:
                    is_known = await self._refresh()
            except (ConnectorError, RemoteProtocolError) as error:
                log.debug("the transcript cannot be asked for: %s", error)
                is_known = False
            if is_known:
                break
            await trio.sleep(self._times.backoff.wait(attempt, self._rng.random()))
        else:
            raise ChatError(None, "the service failed, and does not tell what came of the command")
        trace = next((event for event in self._echoes or () if is_echo(command, event)), None)
        if trace is not None or isinstance(command, chat.SendMessage):
            return trace
        raise ChatError(None, "the service failed, and may have done the command all the same")

    def _call_for(self, command: Command) -> Call:
        return gms_rest.call_for(command, self._identity(), self._names)

    def _identity(self) -> Identity:
        gms_chat = self._chat
        return Identity(
            chat_id=gms_chat.chat_id,
            user_id=gms_chat.user_id,
            secure_key=gms_chat.secure_key,
            alias=gms_chat.alias,
            position=self._position,
        )

    # --- what comes ---

    def _take(self, push: Push, *, moves_on: bool = True) -> None:
        """Take an answer that counts.

        Args:
            moves_on: what is before its next position does not come any more.
        """
        now = trio.current_time()
        push = in_order(push)
        events = self._chat.receive_push(push, now=now)
        if push.status_code == OK and moves_on:
            self._position = max(self._position, position_after(push))
        if self._chat.is_holding and not is_awaited_gap(push):
            # The service has numbered something that customers do not see.
            events += self._chat.release(now=now)
        if events:
            self._lively()
        if self._echoes is not None:
            self._echoes += filter(is_own, events)
        self._outlet.tell(events)
        self._plan_poll()
        self._wake()

    def _stop_serving(self) -> None:
        self._over.cancel()

    # --- polling ---

    async def _poll(self) -> None:
        with self._polling:
            self._plan_poll()
            while not self._chat.ended and self._stopped is None:
                await self._wait_for_poll()
                async with self._turn:
                    # A command may have been the poll.
                    if trio.current_time() >= self._due:
                        await self._poll_once()

    async def _wait_for_poll(self) -> None:
        while trio.current_time() < self._due:
            with trio.CancelScope(deadline=self._due) as self._nap:
                await trio.sleep_forever()
        self._nap = None

    async def _poll_once(self) -> None:
        try:
            is_known = await self._refresh()
        except (ConnectorError, RemoteProtocolError) as error:
            self._poll_failed(str(error))
            return
        if is_known:
            self._failures = 0
            self._outlet.resume()
            self._wake()
        self._plan_poll()

    async def _refresh(self) -> bool:
        """Ask what is new; whoever calls has the turn.

        Returns:
            The service knows; False if it asks to come again.

        Raises:
            ConnectorError, RemoteProtocolError: as :class:`RestLink`.
        """
        answer = await self._link.call(gms_rest.refresh(self._identity()))
        push = answer.push
        if push.status_code == RETRY:
            self._poll_failed(str(temporary(push)))
            return False
        self._take(push)
        if push.status_code == GIVE_UP and not self._chat.ended:
            _, self._stopped = failure_of(push)
            self._over.cancel()
        return True

    def _poll_failed(self, reason: str) -> None:
        self._failures += 1
        self._outlet.interrupt(reason)
        self._plan_poll()

    def _plan_poll(self) -> None:
        """Decide when to poll next, seen from now."""
        now, jitter = trio.current_time(), self._rng.random()
        if self._failures:
            wait = self._times.backoff.wait(self._failures, jitter)
        else:
            wait = self._times.pace.interval(now - self._lively_at, jitter)
        self._poll_at(now + wait)

    def _poll_now(self) -> None:
        self._poll_at(trio.current_time())

    def _poll_at(self, due: float) -> None:
        self._due = due
        if self._nap is not None:
            self._nap.deadline = due

    def _lively(self) -> None:
        self._lively_at = trio.current_time()

    # --- leaving ---

    async def _leave(self) -> None:
        """Say goodbye; bounded and not to be cancelled."""
        self._leaving = True
        self._polling.cancel()
        if not self._detached:
            began = trio.current_time()
            with trio.CancelScope(shield=True, deadline=began + LEAVE_LIMIT):
                with trio.CancelScope(deadline=began + KEY_LIMIT):
                    await self._until(lambda: not self._requesting)
                self._asking.cancel()
                await self._leave_chat()
            if self._chat.started or self._restored is not None:
                if self._stopped is not None:
                    self._outlet.end(EndedBy.SERVICE, self._stopped)
                text = "the service did not confirm that the chat was left"
                self._outlet.end(EndedBy.UNCONFIRMED, text)
        self._asking.cancel()

    async def _leave_chat(self) -> None:
        """Leave, and have it confirmed, for as long as there is time."""
        self._chat.leaving = self._stopped is None
        accepted = False
        while self._is_to_be_left():
            answer = None
            with trio.move_on_after(GOODBYE_LIMIT):
                answer = await self._try_to_leave(again=accepted)
            if answer is not None and answer.push.status_code != RETRY:
                if self._stopped is not None:
                    # It was to do all that can be done; nothing that is told now counts.
                    return
                if answer.push.status_code == GIVE_UP:
                    self._on_goodbye_refused(answer.push)
                    return
                accepted = True
                self._take(answer.push)
            if self._is_to_be_left():
                await trio.sleep(PAUSE)

    def _on_goodbye_refused(self, push: Push) -> None:
        """Take what a service says that knows nothing of the chat any more."""
        _, description = failure_of(push)
        by = EndedBy.SERVICE if push.chat_ended else EndedBy.UNCONFIRMED
        self._outlet.end(by, description)

    async def _try_to_leave(self, *, again: bool) -> Answer | None:
        """Leave the chat, or ask whether that has ended it; None if that failed."""
        identity = self._identity()
        call = gms_rest.refresh(identity) if again else self._call_for(chat.Leave())
        try:
            async with self._turn:
                return await self._link.call(call)
        except BotkitError as error:
            # To leave twice does no harm, so it is tried for as long as there is time.
            log.debug("leaving the chat failed: %s", error)
            return None

    def _is_to_be_left(self) -> bool:
        known = self._chat.started or self._restored is not None
        return known and not self._chat.ended

    # --- waiting ---

    async def _until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds; asked again after whatever happened."""
        while not holds():
            await self._lot.park()

    def _wake(self) -> None:
        if self._lot:
            self._lot.unpark_all()
