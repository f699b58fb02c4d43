"""One chat of the GMS Chat API v2 over CometD: opening, requests, recovery, goodbye.

Theory of operation. :class:`CometdChat` runs one chat as two tasks. The connect loop of the Bayeux
link reads whatever comes and hands it on without waiting. The other task opens the chat, performs
the requests of the session one after another, and leaves. The connect loop is shielded from
cancellation and ends last: saying goodbye needs it, for the service confirms by a push.

Requests wait while the chat is not bound to the present Bayeux session (``chat_binding``). A
request is sent again only where it surely was not accepted.

Leaving when the chat was requested and no key has come yet: without the key nobody can leave, so
it is awaited for :data:`KEY_LIMIT` seconds. It may come by a poll or in the reply to the request
itself; therefore the request has a task of its own, which is shielded too.

A chat that is *restored* is not requested: its key is known, and everything that was said is asked
for again. As long as that did not succeed it stays as it is when this ends with an error, for
another attempt may win it back; who is cancelled leaves it.

Opening, requests and goodbye stand together because they ask and change the same few facts about
one chat, and each may come in the middle of another.

Source: GMS Chat API v2 over CometD; public CometD clients; Bayeux notes, sections 3 to 6.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from itertools import count

import trio

from botkit import chat
from botkit.bayeux import client as bayeux
from botkit.bayeux.messages import JSON, parse_error
from botkit.chat import EndedBy, Event
from botkit.connectors import codec
from botkit.connectors.bayeux_link import BayeuxLink
from botkit.connectors.bayeux_socket import OpenSocket
from botkit.connectors.chat_binding import BACKOFF, PAUSE, Binding
from botkit.connectors.chat_channel import ChatChannel
from botkit.connectors.cometd_requests import ATTEMPTS, Requests, forgetful
from botkit.connectors.gms_outlet import Outlet
from botkit.connectors.http import Http
from botkit.connectors.http.proxies import way_to
from botkit.connectors.waiting import Waiting
from botkit.errors import (
    BotkitError,
    ChatError,
    ChatRefused,
    ConnectorError,
    RemoteProtocolError,
    RestoreFailed,
)
from botkit.genesys import gms_v2
from botkit.genesys.gms_chat import GmsChat
from botkit.genesys.gms_files import FileCommand
from botkit.genesys.gms_state import GmsState
from botkit.genesys.gms_v2 import GmsNames
from botkit.interfaces import Deliver, Opening, Outcome, Request, State

__all__ = ["CometdChat"]

log = logging.getLogger(__name__)

LEAVE_LIMIT = 3.6
"""Seconds for the whole goodbye."""
KEY_LIMIT = 2.0
"""Seconds of waiting for the key of a chat that was requested, in order to leave it."""
HANDSHAKE_LIMIT = 1.0
"""Seconds of waiting for the answer to a handshake, in order to end its session."""
DISCONNECT_RESERVE = 0.6
"""Seconds of the goodbye that are kept for the Bayeux disconnect."""
ANSWER_LIMIT = 2.0
"""Seconds after which a stored chat is asked for again, if nothing came back."""
GRACE = 0.05
"""Seconds that a push which was overtaken may be late."""
DECIDED_AFTER = 2
"""Failures in a row after which these kinds of failure are believed."""
DECIDED_KINDS = ("refused", "unknown_host", "tls", "proxy")


class CometdChat:
    """One chat from its request to its goodbye.

    Args:
        opening: whom to call.
        http: its connections; closing them stays with the caller.
        client: its Bayeux sessions.
        deliver: takes events and outcomes; must not wait.
        names: what the wire calls things.
        max_network_delay: how long a reply that is not held may take, seconds.
        send_file: does a command about a file, for the chat of a key.
        open_socket: opens a WebSocket, if the client may use that.
        falls_back: long polling will do as well.
        restored: the chat to win back instead of opening one.
        keep: puts a state into the form that can be stored.
    """

    __slots__ = (
        "_asking",
        "_binding",
        "_channel",
        "_chat",
        "_detached",
        "_is_over",
        "_is_serving",
        "_keep",
        "_leaving",
        "_link",
        "_lost",
        "_names",
        "_nursery",
        "_open_error",
        "_opening",
        "_outlet",
        "_refused",
        "_releasing",
        "_requested",
        "_requests",
        "_restored",
        "_stays",
        "_stopped",
        "_vain",
        "_waiting",
    )

    def __init__(
        self,
        opening: Opening,
        http: Http,
        client: bayeux.Client,
        deliver: Deliver,
        *,
        names: GmsNames,
        max_network_delay: float,
        send_file: Callable[[FileCommand, str], Awaitable[object]],
        open_socket: OpenSocket | None = None,
        falls_back: bool = False,
        restored: GmsState | None = None,
        keep: Callable[[GmsState], State],
    ) -> None:
        self._opening = opening
        self._restored = restored
        self._keep = keep
        self._names = names
        self._chat = GmsChat(
            userdata=opening.userdata, nickname=opening.nickname, restored=restored
        )
        self._outlet = Outlet(
            self._chat,
            deliver,
            keep=keep if opening.keep_state else None,
            on_end=self._stop_serving,
        )
        self._waiting = Waiting()
        self._link = BayeuxLink(
            http,
            client,
            codec,
            self._on_bayeux,
            self._waiting.wake,
            max_network_delay=max_network_delay,
            open_socket=open_socket,
            falls_back=falls_back,
        )
        name = names.channel.format(service=opening.service)
        self._channel = ChatChannel(self._link, name, self._waiting, self._take_up_again)
        self._binding = Binding(
            self._chat,
            client,
            self._channel,
            self._waiting,
            outlet=self._outlet,
            give_up=self._give_up,
        )
        self._requests = Requests(
            self._channel,
            self._binding,
            self._outlet,
            self._waiting,
            encode=self._encode,
            send_file=lambda command: send_file(command, self._chat.secure_key),
            url=opening.url,
        )
        self._nursery: trio.Nursery
        # Of the request for the chat, whose reply the goodbye needs.
        self._asking: trio.CancelScope | None = None
        # The service of requests has begun, has ended.
        self._is_serving = False
        self._is_over = False
        # Opening: the request was sent; asking on is in vain; why it failed.
        self._requested = False
        self._vain = False
        self._open_error: BotkitError | None = None
        self._refused: str | None = None
        self._stopped: str | None = None
        self._lost: str | None = None
        self._releasing = False
        self._leaving = False
        # The chat is to stay as it is; the connection is to be given up without a word, too.
        self._stays = False
        self._detached = False

    async def carry(
        self, requests: AsyncIterator[Request], task_status: trio.TaskStatus[None]
    ) -> None:
        """Open the chat, perform requests, leave."""
        async with trio.open_nursery() as self._nursery:
            self._nursery.start_soon(self._live, name="connect loop")
            try:
                await self._open()
                task_status.started()
                await self._serve(requests)
            finally:
                await self._leave()
        if self._outlet.crash is not None:
            raise self._outlet.crash

    async def _serve(self, requests: AsyncIterator[Request]) -> None:
        """Perform requests until there are no more, or the chat is over."""
        self._is_serving = True
        if self._is_over:
            return
        async for request in requests:
            if type(request.command) is chat.Leave:
                return
            if type(request.command) is chat.Detach:
                self._detach(request)
                return
            await self._perform(request)

    async def _live(self) -> None:
        """Run the connect loop until the goodbye is over, whatever is cancelled before."""
        await self._link.run(shield=True)
        self._waiting.wake()

    # --- opening ---

    async def _open(self) -> None:
        with trio.move_on_after(self._opening.open_within) as limit:
            await self._waiting.until(self._is_handshaken)
            self._start_asking()
            await self._waiting.until(self._is_answered)
            self._raise_if_refused()
        if limit.cancelled_caught:
            self._stays = self._restored is not None
            raise self._not_opened()

    def _is_handshaken(self) -> bool:
        return self._link.client.client_id is not None or self._is_decided()

    def _start_asking(self) -> None:
        self._asking = trio.CancelScope(shield=True)
        ask = self._ask if self._restored is None else self._ask_for_stored
        self._nursery.start_soon(ask, self._asking, name="request chat")

    async def _ask(self, scope: trio.CancelScope) -> None:
        """Ask for the chat; again only if that surely was not heard."""
        with scope:
            for _ in range(ATTEMPTS):
                await self._waiting.until(self._is_handshaken)
                if self._is_decided() or self._leaving or await self._ask_once():
                    return
                await trio.sleep(PAUSE)
            self._vain = True
            self._waiting.wake()

    async def _ask_for_stored(self, scope: trio.CancelScope) -> None:
        """Ask for a stored chat until there is an answer: that may be done any number of times."""
        with scope:
            for attempt in count(1):
                await self._waiting.until(self._is_handshaken)
                if self._is_decided() or self._leaving:
                    return
                await self._ask_once()
                failed = self._open_error is not None
                with trio.move_on_after(BACKOFF.wait(attempt, 1.0) if failed else ANSWER_LIMIT):
                    await self._waiting.until(self._is_answered)
                    return

    async def _ask_once(self) -> bool:
        """Ask for the chat; False if that surely was not heard."""
        data = self._request()
        self._requested = True
        self._open_error = None
        try:
            self._requested = await self._channel.publish(data, subscribing=True)
        except (ConnectorError, RemoteProtocolError) as error:
            # Where it may have arrived, only the push can tell; asking twice opens two chats.
            self._open_error = error
            self._requested = isinstance(error, RemoteProtocolError) or error.sent
        except ChatError as error:
            self._chat.refusal = error
        self._waiting.wake()
        return self._requested

    def _request(self) -> dict[str, JSON]:
        if self._restored is not None:
            # From the beginning: what is history and what is new is told apart here.
            return gms_v2.encode_request_notifications(self._restored.secure_key, None)
        return gms_v2.encode_request_chat(
            nickname=self._opening.nickname,
            subject=self._opening.subject,
            userdata=self._opening.userdata,
        )

    def _is_answered(self) -> bool:
        return self._chat.started or self._chat.refusal is not None or self._is_decided()

    def _is_decided(self) -> bool:
        """Whether more trying would tell nothing new."""
        if self._stopped is not None or self._vain:
            return True
        error = self._link.last_error
        return (
            isinstance(error, ConnectorError)
            and error.kind in DECIDED_KINDS
            and self._link.failures >= DECIDED_AFTER
        )

    def _raise_if_refused(self) -> None:
        if self._chat.started:
            return
        self._stays = self._restored is not None
        refusal = self._chat.refusal
        if refusal is not None:
            kind = RestoreFailed if self._restored is not None else ChatRefused
            raise kind(refusal.code, refusal.description)
        if self._is_decided():
            raise self._not_opened()

    def _not_opened(self) -> BotkitError:
        """Say why there is no chat, by what is known best."""
        if self._refused is not None:
            code = parse_error(self._refused).code
            return ChatRefused(code, f"the server refused the handshake: {self._refused}")
        if self._stopped is not None:
            return ChatRefused(None, f"the server forbade to go on: {self._stopped}")
        if (error := self._link.last_error or self._open_error) is not None:
            return error
        url, limit = self._opening.url, self._opening.open_within
        if self._vain or self._binding.losses:
            return forgetful(url)
        asked = "requested" if self._restored is None else "asked for again"
        what = f"the chat was {asked} and nothing came back" if self._requested else "no handshake"
        way = way_to(url, self._opening.network)
        return ConnectorError(f"{way}: {what} within {limit:g} s", kind="timeout")

    # --- requests ---

    async def _perform(self, request: Request) -> None:
        if await self._requests.perform(request):
            self._tell(self._chat.confirm(request.command, now=trio.current_time()))

    def _encode(self, command: chat.Command) -> dict[str, JSON]:
        return gms_v2.encode_command(command, self._chat.secure_key, self._names)

    def _detach(self, request: Request) -> None:
        """Let the chat go on without us."""
        self._stays = self._detached = True
        state = self._keep(self._chat.state).state
        self._outlet.hand_on(Outcome(number=request.number, at=trio.current_time(), value=state))

    # --- what comes ---

    def _on_bayeux(self, event: bayeux.Event) -> None:
        """Take an event of the link; never waits."""
        match event:
            case bayeux.Delivered():
                if event.channel == self._channel.name:
                    self._on_push(event.data)
            case bayeux.Lost():
                self._binding.lose()
                self._outlet.interrupt(event.reason)
            case bayeux.Regained():
                self._take_up_again()
            case bayeux.SessionUnknown():
                self._binding.unmake()
                self._binding.lose()
                self._outlet.interrupt(event.error or "the server has forgotten the session")
            case bayeux.Handshaken():
                self._refused = None
                self._binding.make_again(self._nursery)
            case bayeux.Refused():
                self._refused = event.error
            case bayeux.Stopped():
                self._stopped = event.reason
                self._give_up(f"the server forbade to go on: {event.reason}")
            case bayeux.Connected():
                self._binding.tell_if_made()
            case bayeux.Acknowledged():
                pass
        self._waiting.wake()

    def _on_push(self, data: JSON) -> None:
        self._binding.heard()
        now = trio.current_time()
        was_started = self._chat.started
        try:
            events = self._chat.receive(data, now=now)
        except RemoteProtocolError as error:
            if not was_started:
                self._chat.refusal = ChatError(None, f"the server sent a malformed push: {error}")
                return
            # No command is answered by that, whichever is under way.
            text = f"the server sent a malformed push: {error}"
            self._outlet.hand_on(self._chat.error(None, text, now=now))
            return
        # Who gets the first push of a chat gets the following ones, too.
        if self._chat.started is not was_started:
            self._binding.make()
            if self._binding.losses:
                # An earlier push may have been lost while there was no key to ask for it.
                self._take_up_again()
        self._tell(events)
        if self._chat.is_holding and not self._releasing:
            self._releasing = True
            self._nursery.start_soon(self._release, name="pushes out of order")

    async def _release(self) -> None:
        """Give the other connection a moment for what was overtaken.

        What was lost with a connection is asked for again and takes as long as that takes.
        """
        with trio.CancelScope(shield=True):
            await trio.sleep(GRACE)
            if not self._binding.is_settled():
                await self._waiting.until(self._binding.is_settled)
                await trio.sleep(GRACE)
        self._releasing = False
        self._tell(self._chat.release(now=trio.current_time()))
        self._waiting.wake()

    def _tell(self, events: list[Event]) -> None:
        self._requests.look(events)
        self._outlet.tell(events)

    def _end(self, by: EndedBy, description: str) -> None:
        if not self._stays and (self._chat.started or self._restored is not None):
            self._outlet.end(by, description)

    def _stop_serving(self) -> None:
        self._is_over = True
        if self._is_serving:
            # All that the goodbye needs is shielded, so this ends the service of requests alone.
            self._nursery.cancel_scope.cancel()

    def _take_up_again(self) -> None:
        """Ask for what the server wrote into a connection that broke: for it, that has come."""
        self._binding.unmake()
        self._binding.make_again(self._nursery)

    def _give_up(self, reason: str) -> None:
        """Count the chat as lost; it is left all the same, for somebody may still sit in it."""
        if self._lost is None:
            self._lost = reason
            self._binding.cancel()
        self._stop_serving()

    # --- leaving ---

    async def _leave(self) -> None:
        """Say goodbye, to the chat and to the Bayeux session; bounded and not to be cancelled."""
        self._leaving = True
        if self._detached:
            self._end_tasks()
            return
        began = trio.current_time()
        with trio.CancelScope(shield=True, deadline=began + LEAVE_LIMIT):
            with trio.CancelScope(deadline=began + LEAVE_LIMIT - DISCONNECT_RESERVE):
                await self._await_handshake(began)
                await self._await_key(began)
                await self._leave_chat()
            try:
                await self._link.disconnect()
            except (ConnectorError, RemoteProtocolError) as error:
                log.debug("the Bayeux session could not be ended, it will expire: %s", error)
        if self._lost is not None:
            self._end(EndedBy.LOST, self._lost)
        self._end(EndedBy.UNCONFIRMED, "the service did not confirm that the chat was left")
        self._end_tasks()

    def _end_tasks(self) -> None:
        self._link.stop()
        self._binding.cancel()
        if self._asking is not None:
            self._asking.cancel()

    async def _await_handshake(self, began: float) -> None:
        """Let a handshake under way be answered: only who knows the session can end it.

        And only who has a session can leave the chat: for that, a handshake that was put off
        because one session after the other was lost is sent now.
        """
        client = self._link.client
        needed = self._is_to_be_left()
        if needed and client.client_id is None:
            self._link.hurry()
        with trio.CancelScope(deadline=began + HANDSHAKE_LIMIT):
            await self._waiting.until(
                lambda: (
                    client.client_id is not None
                    or not (client.is_asking or (needed and client.is_due(trio.current_time())))
                )
            )

    async def _await_key(self, began: float) -> None:
        """Let the chat that was requested begin: only who has its key can leave it."""
        with trio.CancelScope(deadline=began + KEY_LIMIT):
            await self._waiting.until(lambda: not self._requested or self._is_answered())
        if self._asking is not None:
            # It would be in the way of the goodbye.
            self._asking.cancel()

    async def _leave_chat(self) -> None:
        self._chat.leaving = True
        has_session = self._link.client.client_id is not None
        if self._restored is not None and not self._stays and not self._requested and has_session:
            # The end is told to whom the service pushes.
            await self._ask_once()
        while self._is_to_be_left():
            try:
                accepted = await self._channel.publish(self._encode(chat.Leave()))
            except BotkitError as error:
                # To leave twice does no harm, so it is tried for as long as there is time.
                log.debug("leaving the chat failed: %s", error)
                accepted = False
            if accepted and self._lost is not None:
                # Nothing is pushed any more, so nothing will confirm it.
                return
            if accepted:
                await self._waiting.until(lambda: self._chat.ended)
                continue
            if self._link.client.client_id is None:
                self._link.hurry()
            await trio.sleep(PAUSE)

    def _is_to_be_left(self) -> bool:
        known = self._chat.started or self._restored is not None
        return known and not self._stays and not self._chat.ended
