"""One chat of the GMS Chat API v2 over REST: opening, serving, goodbye.

How a chat is polled, and what answers demand, is in ``rest_stream``; what becomes of commands in
``rest_requests``.

The request for a chat brings the key in its answer, and only who has the key can leave. So it is
never cut off, and when the chat is given up meanwhile its answer is awaited for :data:`KEY_LIMIT`
seconds. If that answer is lost, nobody can say whether there is a chat now; it is not requested a
second time, and a chat that was opened ends when the service misses its polls.

A chat that is *restored* is refreshed from the first position. Until that has succeeded it stays as
it is when this ends with an error, for another attempt may win it back; who is cancelled leaves it.

Source: GMS Chat API v2 over REST.
"""

from __future__ import annotations

import logging
import math
import random
from collections.abc import AsyncIterator, Callable

import trio

from botkit import chat
from botkit.chat import EndedBy
from botkit.connectors.gms_outlet import Outlet
from botkit.connectors.http import Http
from botkit.connectors.http.patience import asked_of
from botkit.connectors.http.proxies import way_to
from botkit.connectors.polling import RestTimes
from botkit.connectors.rest_answers import temporary
from botkit.connectors.rest_link import Answer, RestLink, in_doubt
from botkit.connectors.rest_requests import RestRequests
from botkit.connectors.rest_stream import RestStream
from botkit.connectors.waiting import Waiting
from botkit.errors import (
    BotkitError,
    ChatError,
    ChatRefused,
    ConnectorError,
    LocalProtocolError,
    RemoteProtocolError,
    RestoreFailed,
)
from botkit.genesys import gms_rest
from botkit.genesys.gms_chat import GmsChat, failure_of
from botkit.genesys.gms_rest import Call, Identity, RestNames
from botkit.genesys.gms_state import GmsState
from botkit.genesys.gms_v2 import GIVE_UP, RETRY, Push
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
        times: the pace of polls and retries.
        rng: spreads them over many chats.
        restored: the chat to win back instead of opening one.
        keep: puts a state into the form that can be stored.
    """

    __slots__ = (
        "_asked",
        "_asked_for",
        "_asking",
        "_chat",
        "_detached",
        "_keep",
        "_leaving",
        "_link",
        "_names",
        "_nursery",
        "_open_error",
        "_opening",
        "_outlet",
        "_over",
        "_requesting",
        "_requests",
        "_restored",
        "_stream",
        "_waiting",
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
        self._restored = restored
        self._keep = keep
        self._waiting = Waiting()
        path = gms_rest.path_of_service(opening.service)
        self._link = RestLink(http, path=path, reply_within=times.reply_within)
        self._chat = GmsChat(
            userdata=opening.userdata, nickname=opening.nickname, restored=restored
        )
        self._outlet = Outlet(
            self._chat,
            deliver,
            keep=keep if opening.keep_state else None,
            on_end=self._stop_serving,
        )
        self._stream = RestStream(
            self._link,
            self._chat,
            self._outlet,
            self._waiting,
            times=times,
            rng=rng,
            on_stop=self._stop_serving,
        )
        self._requests = RestRequests(
            self._link,
            self._stream,
            self._outlet,
            self._waiting,
            names=names,
            max_file=opening.network.max_reply_bytes,
        )
        self._nursery: trio.Nursery
        # Opening: its task, whether that came to an end, whether it awaits the chat's key.
        self._asking = trio.CancelScope(shield=True)
        self._asked = False
        self._asked_for = 0.0
        self._requesting = False
        self._open_error: BotkitError | None = None
        # Ends the service of requests.
        self._over = trio.CancelScope()
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
                self._nursery.start_soon(self._stream.run, name="poll")
                with self._over:
                    await self._serve(requests)
            finally:
                await self._leave()
        if self._outlet.crash is not None:
            raise self._outlet.crash

    async def _serve(self, requests: AsyncIterator[Request]) -> None:
        async for request in requests:
            if type(request.command) is chat.Leave:
                return
            if type(request.command) is chat.Detach:
                self._detach(request)
                return
            if await self._requests.perform(request):
                now = trio.current_time()
                self._outlet.tell(self._chat.confirm(request.command, now=now))

    def _detach(self, request: Request) -> None:
        """Let the chat go on without us."""
        self._detached = True
        state = self._keep(self._chat.state).state
        self._outlet.hand_on(Outcome(number=request.number, at=trio.current_time(), value=state))

    def _stop_serving(self) -> None:
        self._over.cancel()

    # --- opening ---

    async def _open(self) -> None:
        with trio.move_on_after(self._opening.open_within) as limit:
            self._nursery.start_soon(self._ask, name="request chat")
            await self._waiting.until(lambda: self._asked)
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
                await trio.sleep(self._stream.backoff(failures, self._asked_for))
        self._asked = True
        self._waiting.wake()

    async def _ask_once(self, failures: int) -> bool:
        """Ask for the chat; True if that has decided."""
        self._requesting = self._restored is None
        self._asked_for = 0.0
        try:
            # Who waits for it, and for how long, is decided elsewhere.
            answer = await self._link.call(self._request(), within=math.inf)
        except (ConnectorError, RemoteProtocolError, LocalProtocolError) as error:
            self._open_error = error
            self._asked_for = asked_of(error)
            return self._is_decided(error, failures + 1)
        finally:
            self._requesting = False
            self._waiting.wake()
        if answer.push.status_code == RETRY:
            self._open_error = temporary(answer.push)
            self._asked_for = answer.retry_after
            return False
        self._stream.take(answer.push)
        if not self._chat.started and self._chat.refusal is None:
            text = f"{self._link.url} answered the request for a chat without a secureKey"
            self._open_error = RemoteProtocolError(text)
        return True

    def _request(self) -> Call:
        if self._restored is not None:
            return gms_rest.refresh(self._stream.identity())
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
            f"{way_to(self._link.url, self._opening.network)} did not answer the request"
            f" for a chat within {self._opening.open_within:g} s",
            kind="timeout",
        )

    # --- leaving ---

    async def _leave(self) -> None:
        """Say goodbye; bounded and not to be cancelled."""
        self._leaving = True
        self._stream.stop()
        if not self._detached:
            began = trio.current_time()
            with trio.CancelScope(shield=True, deadline=began + LEAVE_LIMIT):
                with trio.CancelScope(deadline=began + KEY_LIMIT):
                    await self._waiting.until(lambda: not self._requesting)
                self._asking.cancel()
                await self._leave_chat()
            if self._chat.started or self._restored is not None:
                if self._stream.stopped is not None:
                    self._outlet.end(EndedBy.SERVICE, self._stream.stopped)
                text = "the service did not confirm that the chat was left"
                self._outlet.end(EndedBy.UNCONFIRMED, text)
        self._asking.cancel()

    async def _leave_chat(self) -> None:
        """Leave, and have it confirmed, for as long as there is time."""
        self._chat.leaving = self._stream.stopped is None
        accepted = False
        while self._is_to_be_left():
            answer = None
            with trio.move_on_after(GOODBYE_LIMIT):
                answer = await self._try_to_leave(again=accepted)
            if answer is not None and answer.push.status_code != RETRY:
                if self._stream.stopped is not None:
                    # It was to do all that can be done; nothing that is told now counts.
                    return
                if answer.push.status_code == GIVE_UP:
                    self._on_goodbye_refused(answer.push)
                    return
                accepted = True
                self._stream.take(answer.push)
            if self._is_to_be_left():
                await trio.sleep(PAUSE)

    def _on_goodbye_refused(self, push: Push) -> None:
        """Take what a service says that knows nothing of the chat any more."""
        _, description = failure_of(push)
        by = EndedBy.SERVICE if push.chat_ended else EndedBy.UNCONFIRMED
        self._outlet.end(by, description)

    async def _try_to_leave(self, *, again: bool) -> Answer | None:
        """Leave the chat, or ask whether that has ended it; None if that failed."""

        def make(identity: Identity) -> Call:
            if again:
                return gms_rest.refresh(identity)
            return gms_rest.call_for(chat.Leave(), identity, self._names)

        try:
            return await self._stream.call(make)
        except BotkitError as error:
            # To leave twice does no harm, so it is tried for as long as there is time.
            log.debug("leaving the chat failed: %s", error)
            return None

    def _is_to_be_left(self) -> bool:
        known = self._chat.started or self._restored is not None
        return known and not self._chat.ended
