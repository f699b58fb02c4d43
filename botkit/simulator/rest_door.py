"""The door for GMS Chat v2 over REST: forms in, response objects out, faults suffered.

Theory of operation. A chat that is opened here is one like any other; what is the door's own is
kept in a :class:`RestLine`: when its customer called last, and what faults keep from the answers.
Lines are kept in the order of the last calls, so the customer to be dropped next is the first.

Who calls with a wrong key is removed at once, as the Chat Server does; who does not call for too
long is dropped. Either way the simulator ends the chat, for nobody else would.

Source: GMS Chat API v2 over REST; Chat Server codes 8201, 8209 and 8210. The shape of a body whose
status is not 200, and what is answered to a wrong alias, are the simulator's own.
"""

from __future__ import annotations

import logging
from collections import OrderedDict
from collections.abc import Callable

import trio

from botkit.bayeux.messages import JSON
from botkit.chat import EndedBy
from botkit.errors import RemoteProtocolError
from botkit.genesys import gms_rest, gms_v2
from botkit.genesys.gms_rest import Called
from botkit.genesys.gms_v2 import RETRY, GmsError, Push
from botkit.simulator import file_desk, gms
from botkit.simulator.centre import Centre, CentreError
from botkit.simulator.chats import Chat
from botkit.simulator.faults import REST, Fault, Faults, Point
from botkit.simulator.file_desk import FILE_OPERATIONS
from botkit.simulator.files import StoredFile
from botkit.simulator.http import Reply, Request
from botkit.simulator.reception import Reception
from botkit.simulator.rest_lines import RestLine
from botkit.simulator.side_door import file_reply, refusal, write
from botkit.simulator.suffering import suffer

__all__ = ["RestDoor"]

log = logging.getLogger(__name__)

NO_USER = 8201
DROPPED = 8209
"""Source: Genesys community thread on Chat Server codes."""
REMEMBERED = 10_000
"""Dropped customers who are told so when they call again."""


class RestDoor:
    """Answers the REST calls of one simulator.

    Args:
        centre: the chats.
        reception: opens them.
        faults: asked before each call.
        idle_limit: seconds after which a customer who does not call is dropped.
        clock: the loop's clock.
        on_change: called when a deadline may have moved.
    """

    def __init__(
        self,
        *,
        centre: Centre,
        reception: Reception,
        faults: Faults,
        idle_limit: float,
        clock: Callable[[], float],
        on_change: Callable[[], None],
    ) -> None:
        self._centre = centre
        self._reception = reception
        self._faults = faults
        self._idle_limit = idle_limit
        self._clock = clock
        self._on_change = on_change
        self._lines: OrderedDict[str, RestLine] = OrderedDict()
        self._dropped: OrderedDict[str, None] = OrderedDict()

    async def handle(self, request: Request, path: str) -> Reply:
        """Answer a request.

        Args:
            path: below the URL of the server: ``/SERVICE``, ``/SERVICE/CHAT/send``.
        """
        content_type = request.headers.get("content-type", "")
        called: Called | Reply | None
        if request.method != "POST":
            called = refusal(405, "the chat API takes POST")
        elif not gms_rest.is_form(content_type):
            called = refusal(415, f"the chat API takes forms, not {content_type!r:.60}")
        else:
            try:
                called = gms_rest.decode_call(path, request.body, content_type)
            except RemoteProtocolError as error:
                called = refusal(400, str(error))
        if called is None:
            called = refusal(404, "there is nothing here; it is /SERVICE/CHAT/OPERATION")
        if isinstance(called, Reply):
            await trio.lowlevel.checkpoint()
            return called
        return await self._serve(called)

    # --- time ---

    def next_deadline(self) -> float | None:
        """Tell when somebody is to be dropped; None while nobody can be."""
        for line in self._lines.values():
            return line.seen_at + self._idle_limit
        return None

    def expire(self, *, now: float) -> None:
        """Drop the customers who have not called for too long."""
        while (deadline := self.next_deadline()) is not None and deadline <= now:
            _, line = self._lines.popitem(last=False)
            if line.chat.is_open:
                log.info("the customer of chat %s does not poll and is dropped", line.chat.id)
                self._drop(line.chat, now)

    def _drop(self, chat: Chat, now: float) -> None:
        self._centre.end(chat, EndedBy.SERVICE, now=now)
        self._dropped[chat.id] = None
        if len(self._dropped) > REMEMBERED:
            self._dropped.popitem(last=False)

    # --- faults ---

    async def _serve(self, called: Called) -> Reply:
        name = called.operation.name
        fault = None
        if self._faults.any_at(Point.REQUEST):
            # A refresh is what a connect is elsewhere: it asks what is new.
            words = (name, "connect") if name == "refresh" else (name,)
            fault = self._faults.strike(
                Point.REQUEST, words, service=called.service, customer=called.chat_id, wire=REST
            )
        if fault is None:
            reply = self._answer(called)
            await trio.lowlevel.checkpoint()
            return reply
        log.info("fault %s strikes %s", fault.name, name)
        return await self._suffer(fault, called)

    async def _suffer(self, fault: Fault, called: Called) -> Reply:
        reply = await suffer(fault, lambda: self._answer(called))
        if reply is not None:
            return reply
        match fault.name:
            case "status_code_1":
                if fault.option == "done":
                    self._answer(called)
                return write(temporary_error())
            case "alias_change":
                return self._answer(called, moving=True)
            case _:
                assert fault.name == "session_dropped"
                return self._drop_caller(called, chat_ended=fault.option == "chat_ended")

    def _drop_caller(self, called: Called, *, chat_ended: bool) -> Reply:
        chat = self._centre.by_id(called.chat_id)
        if chat is None:
            return self._answer(called)
        self._drop(chat, self._clock())
        return write(dropped(chat_ended=chat_ended))

    # --- calls ---

    def _answer(self, called: Called, *, moving: bool = False) -> Reply:
        """Do what is asked for.

        Args:
            moving: another server takes the chat over with this call.
        """
        if called.operation.name == "requestChat":
            return write(self._open(called))
        now = self._clock()
        line = self._line_of(called, now)
        if not isinstance(line, RestLine):
            return write(line)
        if called.alias == line.chat.alias:
            line.former_alias = ""
        if moving:
            line.former_alias = line.chat.alias
            line.chat.alias = str(int(line.chat.alias) + 1)
        line.seen_at = now
        self._lines[line.chat.id] = line
        self._lines.move_to_end(line.chat.id)
        try:
            return self._perform(called, line, now)
        except CentreError as error:
            return write(gms.failure(gms.BAD_REQUEST, str(error), chat=line.chat))

    def _open(self, called: Called) -> dict[str, JSON]:
        fault = self._faults.strike(
            Point.OPERATION, ("requestChat",), service=called.service, wire=REST
        )
        if fault is not None and fault.name == "refuse_chat":
            text = "no chat is opened: the simulator was told to refuse it"
            return gms.failure(gms.REFUSED, text)
        request = gms.chat_request(called.operation, called.service)
        try:
            chat = self._reception.admit(request, wire=REST)
        except CentreError as error:
            return gms.failure(gms.REFUSED, str(error))
        now = self._clock()
        line = self._lines[chat.id] = RestLine(chat=chat, seen_at=now)
        self._on_change()
        return line.reply(gms_rest.FIRST, self._faults, now=now)

    def _line_of(self, called: Called, now: float) -> RestLine | dict[str, JSON]:
        """Find the line of the caller, or the failure that the caller gets."""
        chat = self._centre.by_id(called.chat_id)
        if chat is None or chat.service != called.service:
            return gms.failure(gms.BAD_REQUEST, "there is no such chat, or it is long over")
        if chat.id in self._dropped:
            return dropped(chat_ended=True)
        if called.user_id != chat.user_id:
            return gms.failure(NO_USER, "there is no such user in the chat", chat=chat)
        if called.operation.secure_key != chat.secure_key:
            self._centre.end(chat, EndedBy.SERVICE, now=now)
            text = "the secureKey is wrong: the client is removed from the chat"
            return gms.failure(gms.BAD_KEY, text)
        line = self._lines.get(chat.id) or RestLine(chat=chat, seen_at=now)
        if called.alias not in (chat.alias, line.former_alias) or not called.alias:
            text = f"the alias is {called.alias!r:.20}, and the chat has another one by now"
            return gms.failure(gms.BAD_REQUEST, text, chat=chat)
        return line

    def _perform(self, called: Called, line: RestLine, now: float) -> Reply:
        operation, chat = called.operation, line.chat
        position = operation.transcript_position or 0
        if operation.name in FILE_OPERATIONS:
            done = file_desk.perform(
                self._centre,
                chat,
                operation.name,
                upload=called.file,
                file_id=called.file_id,
                now=now,
            )
            if isinstance(done, StoredFile):
                return file_reply(done)
            return write(line.reply(position, self._faults, now=now, userdata=done))
        fault = self._faults.strike(
            Point.OPERATION, (operation.name,), service=chat.service, customer=chat.id, wire=REST
        )
        is_heard = fault is None or fault.name != "no_chat_end"
        if is_heard and operation.name != "refresh":
            gms.perform(self._centre, chat, operation, now=now)
        # Here the position says what was read, and not what is to be shown.
        index = 0 if operation.name == "readReceipt" else position
        return write(line.reply(index, self._faults, now=now))


def temporary_error() -> dict[str, JSON]:
    """Write statusCode 1; its other fields say nothing."""
    error = GmsError(code=gms.BAD_REQUEST, message="come again: the simulator was told to say so")
    return gms_v2.encode_push(Push(status_code=RETRY, errors=(error,)))


def dropped(*, chat_ended: bool) -> dict[str, JSON]:
    """Write what a customer hears who was dropped."""
    data = gms.failure(DROPPED, "the user was logged out, for the user did not poll")
    data["chatEnded"] = chat_ended
    return data
