"""One chat over web messaging, from its opening to its goodbye.

Theory of operation. The connection runs as a task of its own, which is shielded from cancellation
and ends last, for the goodbye needs it. The task that carries the chat waits until it is open,
performs the requests of the session one after another, and leaves.

Leaving: the service thinks of a socket that is closed as of a visitor who has gone elsewhere, and
keeps the conversation, and an agent, until it expires. So the session is closed, even where the
chat is given up while it is being opened: the token is the customer's own, thus known from the
beginning. The deployment may allow to *clear* the conversation instead, which erases it.

A chat that is *restored* stays as it is when that fails, for another attempt may win it back; who
is cancelled leaves it.
"""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator, Callable

import trio

from botkit import chat
from botkit.chat import EndedBy
from botkit.connectors.chat_network import sockets_of
from botkit.connectors.guest_connection import GuestConnection
from botkit.connectors.guest_deployments import Deployments
from botkit.connectors.guest_files import GuestFiles
from botkit.connectors.guest_history import GuestHistory
from botkit.connectors.guest_link import GuestLink, new_id
from botkit.connectors.guest_login import GuestLogin
from botkit.connectors.guest_options import Endpoints, GuestOptions
from botkit.connectors.guest_outlet import GuestOutlet
from botkit.connectors.guest_speech import GuestSpeech
from botkit.connectors.guest_web import GuestWeb
from botkit.connectors.http.proxies import way_to
from botkit.connectors.waiting import Waiting
from botkit.connectors.websocket import WebSocket
from botkit.errors import (
    BotkitError,
    ChatError,
    ChatRefused,
    ConnectorError,
    LocalProtocolError,
    RemoteProtocolError,
    RestoreFailed,
)
from botkit.genesys.guest_chat import ENDINGS, GuestChat
from botkit.genesys.guest_failures import FailureKind, GuestRefusal, failure_of
from botkit.genesys.guest_state import GuestState
from botkit.genesys.pacing import Pace
from botkit.genesys.web_records import HEALTH_CHECK, ConnectionClosed, Frame, GuestMessage, Request
from botkit.interfaces import Deliver, Opening, Outcome, State
from botkit.interfaces import Request as SessionRequest

__all__ = ["GuestSession"]

log = logging.getLogger(__name__)

LEAVE_LIMIT = 3.6
"""Seconds for the whole goodbye."""
CONFIGURE_LIMIT = 1.5
"""Seconds of the goodbye in which a session that is being configured may become so."""
CLEAR_LIMIT = 1.5
"""Seconds in which the service may confirm that the conversation was erased."""
CLOSE_LIMIT = 1.2
"""Seconds in which the service may confirm that the session was closed, for each attempt."""
PAUSE = 0.2
"""Seconds before the next attempt to say goodbye."""


class GuestSession:
    """Carries one chat.

    Args:
        opening: whom to call.
        endpoints: where that is.
        deliver: takes events, outcomes and states; must not wait.
        keep: puts a state into the form that can be stored.
        deployments: knows how chats are to begin.
        rng: spreads the attempts of many chats.
        restored: the chat to win back instead of opening one.
    """

    __slots__ = (
        "_chat",
        "_connection",
        "_deployments",
        "_detached",
        "_endpoints",
        "_joins",
        "_keep",
        "_life",
        "_link",
        "_opening",
        "_options",
        "_outlet",
        "_over",
        "_speech",
        "_waiting",
        "_web",
    )

    def __init__(
        self,
        opening: Opening,
        options: GuestOptions,
        endpoints: Endpoints,
        deliver: Deliver,
        *,
        keep: Callable[[GuestState], State],
        deployments: Deployments,
        rng: random.Random,
        restored: GuestState | None = None,
    ) -> None:
        self._opening = opening
        self._options = options
        self._endpoints = endpoints
        self._deployments = deployments
        self._keep = keep
        self._joins = False
        # Ends the service of requests.
        self._over = trio.CancelScope()
        # Of the tasks that the goodbye needs.
        self._life = trio.CancelScope(shield=True)
        # The chat is to stay as it is when the connection is given up.
        self._detached = False
        self._waiting = waiting = Waiting()
        self._chat = guest_chat = GuestChat(
            token=new_id(),
            attributes=attributes_of(opening, options),
            nickname=opening.nickname,
            patience=options.reorder,
            attributes_on_top=options.custom_attributes_at == "top",
            restored=restored,
        )
        self._outlet = GuestOutlet(
            guest_chat,
            deliver,
            keep=keep if opening.keep_state else None,
            on_end=self._over.cancel,
        )
        self._link = link = GuestLink(self._on_frame, self._on_rubbish)
        self._web = web = GuestWeb(opening, options.origin)
        token = restored.refresh_token if restored else ""
        self._connection = connection = GuestConnection(
            guest_chat,
            self._outlet,
            link,
            waiting,
            options=options,
            endpoints=endpoints,
            history=GuestHistory(guest_chat, link, web, endpoints.history),
            login=GuestLogin(web, endpoints, options, token),
            connect=self._connect,
            prepare=self._prepare,
            greet=self._greet,
            restoring=restored is not None,
            rng=rng,
        )
        self._speech = GuestSpeech(
            guest_chat,
            connection,
            link,
            waiting,
            files=GuestFiles(guest_chat, connection, link, waiting, web),
            pace=Pace(options.rate),
        )

    async def carry(
        self, requests: AsyncIterator[SessionRequest], task_status: trio.TaskStatus[None]
    ) -> None:
        """Open the chat, perform requests, leave."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._live, name="web messaging")
            try:
                await self._open()
                task_status.started()
                with self._over:
                    await self._serve(requests)
            finally:
                await self._leave()
        if self._outlet.crash is not None:
            raise self._outlet.crash

    async def _live(self) -> None:
        """Keep the connection until the goodbye is over, whatever is cancelled before."""
        with self._life:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._outlet.release_held)
                nursery.start_soon(self._connection.run)
                # Where the connection is given up, so is the chat.
                await self._waiting.until(lambda: self._connection.lost is not None)
                self._over.cancel()

    async def _serve(self, requests: AsyncIterator[SessionRequest]) -> None:
        async for request in requests:
            if type(request.command) is chat.Leave:
                return
            if type(request.command) is chat.Detach:
                self._detach(request)
                return
            await self._perform(request)

    # --- what the connection asks, and brings ---

    async def _connect(self) -> WebSocket:
        origin, url = self._options.origin, self._endpoints.socket
        headers = {"Origin": origin} if origin else {}
        return await sockets_of(self._opening, url, headers=headers)()

    async def _prepare(self) -> None:
        """Find out how the chat is to begin."""
        if self._opening.restore is None:
            self._joins = await self._deployments.wants_join(
                self._web, self._endpoints, self._options
            )

    async def _greet(self) -> None:
        """Send the Join, if it is wanted.

        Raises:
            ChatError: the service refused it, and the chat with it.
        """
        if self._joins:
            await self._speech.join()

    def _on_frame(self, frame: Frame, answers: bool) -> None:
        """Take what the service says; never waits."""
        failure = failure_of(frame)
        if answers and failure is not None:
            if failure.kind is FailureKind.SIGN_IN and self._options.is_authenticated:
                self._connection.take_refusal(failure)
        elif isinstance(frame.body, GuestMessage):
            if frame.tracing_id != HEALTH_CHECK:
                self._outlet.tell(self._chat.receive(frame, now=trio.current_time()))
        elif self._outlet.has_begun:
            self._outlet.tell(self._chat.receive(frame, now=trio.current_time()))
        elif (refusal := failure or early_end(frame)) is not None:
            self._connection.is_asked = frame.name not in ENDINGS
            self._connection.take_refusal(refusal)
        else:
            log.debug("the service said %s before the chat began", frame.name)
        self._waiting.wake()

    def _on_rubbish(self, error: RemoteProtocolError) -> None:
        if not self._outlet.has_begun:
            raise RemoteProtocolError(f"{self._opening.url}: {error}") from error
        # No command is answered by that, whichever is under way.
        self._connection.miss()
        text = f"the service sent what is no frame: {error}"
        self._outlet.tell([self._chat.error(None, text, now=trio.current_time())])

    # --- opening ---

    async def _open(self) -> None:
        with trio.move_on_after(self._opening.open_within):
            await self._waiting.until(lambda: self._is_open() or self._connection.is_decided)
        if not self._is_open():
            self._detached = self._opening.restore is not None
            raise self._not_opened()

    def _is_open(self) -> bool:
        """Whether the chat has begun; it may be over already."""
        return self._connection.is_online or (self._outlet.has_begun and self._chat.ended)

    def _not_opened(self) -> BotkitError:
        """Say why there is no chat, by what is known best."""
        refusal = self._connection.refusal
        if refusal is not None:
            kind = RestoreFailed if self._opening.restore is not None else ChatRefused
            return kind(refusal.code, refusal.description)
        error = self._connection.error
        if isinstance(error, ChatError):
            return ChatRefused(error.code, error.description)
        if error is not None:
            return error
        within = f"{self._opening.open_within:g} s"
        way = way_to(self._opening.url, self._opening.network)
        return ConnectorError(f"{way}: no session within {within}", kind="timeout")

    # --- requests ---

    async def _perform(self, request: SessionRequest) -> None:
        error: BotkitError | None = None
        value: object = None
        events: list[chat.Event] = []
        try:
            if isinstance(request.command, chat.SetUserdata):
                await trio.lowlevel.checkpoint()
                userdata = request.command.userdata
                events = self._chat.set_userdata(userdata, now=trio.current_time())
            else:
                value = await self._speech.perform(request.command)
        except (ChatError, ConnectorError, RemoteProtocolError, LocalProtocolError) as caught:
            error = caught
        now = trio.current_time()
        self._outlet.hand_on(Outcome(number=request.number, at=now, error=error, value=value))
        self._outlet.tell(events)
        if isinstance(error, GuestRefusal) and error.kind is FailureKind.EXPIRED:
            self._outlet.end(EndedBy.SERVICE, str(error))

    def _detach(self, request: SessionRequest) -> None:
        """Let the chat go on without us."""
        self._detached = True
        state = self._keep(self._chat.state).state
        now = trio.current_time()
        self._outlet.hand_on(Outcome(number=request.number, at=now, value=state))

    # --- leaving ---

    async def _leave(self) -> None:
        """Say goodbye; bounded and not to be cancelled."""
        try:
            if not self._detached:
                await self._leave_chat()
        finally:
            self._life.cancel()

    async def _leave_chat(self) -> None:
        self._chat.leaving = True
        with trio.CancelScope(shield=True, deadline=trio.current_time() + LEAVE_LIMIT):
            await self._say_goodbye()
        if self._connection.lost is not None:
            self._outlet.end(EndedBy.LOST, self._connection.lost)
        self._outlet.end(EndedBy.UNCONFIRMED, self._unconfirmed())

    def _unconfirmed(self) -> str:
        if self._options.leave_by == "close":
            return "the connection was closed, and the conversation stays open until it expires"
        return "the service did not confirm that the chat was left"

    async def _say_goodbye(self) -> None:
        if self._options.leave_by == "close" or not self._connection.is_asked:
            return
        self._connection.leave()
        while not self._chat.ended or self._chat.is_cut_off:
            with trio.move_on_after(CONFIGURE_LIMIT):
                await self._waiting.until(lambda: self._connection.is_configured)
            try:
                if await self._leave_once():
                    if self._connection.lost is None:
                        self._outlet.end(EndedBy.CUSTOMER, "")
                    return
            except (ChatError, ConnectorError, RemoteProtocolError) as error:
                log.debug("leaving the chat failed: %s", error)
                if isinstance(error, GuestRefusal) and error.kind is FailureKind.EXPIRED:
                    return
            # To leave twice does no harm, so it is tried for as long as there is time.
            await trio.sleep(PAUSE)

    async def _leave_once(self) -> bool:
        if self._options.leave_by == "clear" and self._outlet.has_begun:
            with trio.move_on_after(CLEAR_LIMIT):
                await self._clear()
                await self._waiting.until(lambda: self._chat.ended)
                return True
        with trio.move_on_after(CLOSE_LIMIT):
            await self._connection.close_session()
            return True
        # This connection may be dead without anybody having noticed.
        self._connection.drop()
        return False

    async def _clear(self) -> None:
        """Erase the conversation; where that is not allowed, its session is closed instead."""
        request = Request(
            action="onMessage",
            token=self._chat.token,
            tracing_id=new_id(),
            message=self._chat.lines.clear(),
        )
        frame = await self._link.call(request, is_cleared)
        failure = failure_of(frame)
        if failure is not None:
            log.info("the conversation cannot be cleared: %s", failure)
            await self._connection.close_session()
            self._outlet.end(EndedBy.CUSTOMER, "")


def attributes_of(opening: Opening, options: GuestOptions) -> dict[str, str]:
    """What is told of the customer; what the user attached wins over the names."""
    names = {options.nickname_as: opening.nickname, options.subject_as: opening.subject or ""}
    return {key: value for key, value in names.items() if key and value} | dict(opening.userdata)


def early_end(frame: Frame) -> ChatError | None:
    """Say why there will be no chat, if that is what a frame says."""
    text = ENDINGS.get(frame.name)
    if isinstance(frame.body, ConnectionClosed):
        text = "the service closed the connection"
    return None if text is None else ChatError(None, text)


def is_cleared(frame: Frame) -> bool:
    """Tell whether a frame confirms that the conversation was erased."""
    return frame.name == "SessionClearedEvent"
