"""The service desk: GMS operations from Bayeux sessions in, pushes to them out.

Theory of operation. Each chat has a *line*: the Bayeux session that gets its pushes, and how far
it has read in the chat's log. A line begins with ``requestChat``; ``requestNotifications`` lays it
to another session and sets it back. When a session is gone its lines lead nowhere, and the chats
stay open: nothing is pushed, and nothing is lost for whoever takes the chat up again.

What one change of a chat brought goes out as one push, unless faults have a say in it: then every
entry is a push of its own, which may be lost, doubled, late or out of order.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from botkit.bayeux.messages import JSON
from botkit.chat import PartyKind
from botkit.errors import RemoteProtocolError
from botkit.genesys import gms_v2
from botkit.genesys.gms_v2 import GmsNames, Operation
from botkit.simulator import gms
from botkit.simulator.centre import Centre, CentreError
from botkit.simulator.chats import Chat, Entry, EntryKind
from botkit.simulator.faults import Fault, Faults, Point
from botkit.simulator.reception import Reception

__all__ = ["Deliver", "Desk", "Later", "Line"]

log = logging.getLogger(__name__)

Deliver = Callable[[str, str, JSON], bool]
"""Sends something to a Bayeux session on a channel; False if there is no such session."""

Later = Callable[[float, Callable[[], None]], None]
"""Does something after so many seconds."""

PUSH_WORDS = {
    EntryKind.JOINED: "joined",
    EntryKind.LEFT: "left",
    EntryKind.MESSAGE: "message",
    EntryKind.TYPING_STARTED: "typing",
    EntryKind.TYPING_STOPPED: "typing",
    EntryKind.NICKNAME: "nickname",
    EntryKind.PUSHED_URL: "pushed_url",
    EntryKind.NOTICE: "notice",
    EntryKind.FILE_UPLOADED: "file",
    EntryKind.FILE_DELETED: "file",
    EntryKind.IDLE_ALERT: "notice",
    EntryKind.IDLE_CLOSE: "notice",
    EntryKind.ENDED: "ended",
}


@dataclass(slots=True, kw_only=True, eq=False)
class Line:
    """Where the pushes of a chat go.

    Attributes:
        session: the Bayeux session; None since it is gone.
        customer: who it is, for counting faults.
        position: how far the log was pushed.
        kept_back: what waits to be pushed behind its successor.
    """

    chat: Chat
    session: str | None
    channel: str
    customer: str
    position: int = 0
    kept_back: list[tuple[Entry, ...]] = field(default_factory=list)


class Desk:
    """Serves the customers of one contact centre over GMS Chat v2 on Bayeux.

    Args:
        centre: the chats.
        reception: opens them.
        faults: what goes wrong.
        deliver: the Bayeux server.
        clock: the loop's clock.
        later: runs something after a while.
        names: what the wire calls things.
    """

    def __init__(
        self,
        *,
        centre: Centre,
        reception: Reception,
        faults: Faults,
        deliver: Deliver,
        clock: Callable[[], float],
        later: Later,
        names: GmsNames | None = None,
    ) -> None:
        self._centre = centre
        self._reception = reception
        self._faults = faults
        self._deliver = deliver
        self._clock = clock
        self._later = later
        self._prefix, _, self._suffix = (names or GmsNames()).channel.partition("{service}")
        self._lines: dict[str, Line] = {}

    def service_of(self, channel: str) -> str | None:
        """Read the service out of a channel; None if it is no channel of the chat service."""
        if not (channel.startswith(self._prefix) and channel.endswith(self._suffix)):
            return None
        return channel[len(self._prefix) : len(channel) - len(self._suffix)] or None

    def session_of(self, chat: Chat) -> str | None:
        """Give the Bayeux session that a chat is pushed to; None if there is none."""
        line = self._lines.get(chat.id)
        return None if line is None else line.session

    # --- operations ---

    def receive(self, session: str, channel: str, data: JSON, *, customer: str) -> None:
        """Take what a session published; every answer is a push."""
        service = self.service_of(channel)
        if service is None:
            return
        try:
            operation = gms_v2.decode_operation(data)
        except RemoteProtocolError as error:
            self._deliver(session, channel, gms.failure(gms.BAD_REQUEST, str(error), chat=None))
            return
        fault = self._faults.strike(
            Point.OPERATION, (operation.name,), service=service, customer=customer
        )
        if fault is not None and fault.name == "no_chat_end":
            return
        if operation.name != "requestChat":
            self._operate(session, channel, operation)
        elif fault is not None and fault.name == "refuse_chat":
            text = "no chat is opened: the simulator was told to refuse it"
            self._deliver(session, channel, gms.failure(gms.REFUSED, text))
        else:
            self._open(session, channel, operation, service, customer)

    def _open(
        self, session: str, channel: str, operation: Operation, service: str, customer: str
    ) -> None:
        request = gms.chat_request(operation, service)
        try:
            chat = self._reception.admit(request, customer=customer)
        except CentreError as error:
            self._deliver(session, channel, gms.failure(gms.REFUSED, str(error)))
            return
        line = Line(chat=chat, session=session, channel=channel, customer=customer)
        self._lines[chat.id] = line
        chat.followers.append(self._follow)
        self._follow(chat)

    def _operate(self, session: str, channel: str, operation: Operation) -> None:
        chat = self._centre.by_key(operation.secure_key)
        if chat is None:
            text = "no chat has this secureKey" if operation.secure_key else "secureKey is missing"
            self._deliver(session, channel, gms.failure(gms.BAD_KEY, text))
        elif operation.name == "requestNotifications":
            self._bind(session, channel, chat, operation.transcript_position or 0)
        else:
            try:
                gms.perform(self._centre, chat, operation, now=self._clock())
            except CentreError as error:
                failure = gms.failure(gms.BAD_REQUEST, str(error), chat=chat)
                self._deliver(session, channel, failure)

    def _bind(self, session: str, channel: str, chat: Chat, index: int) -> None:
        """Lay the line of a chat to this session, and push from an index on."""
        line = self._lines.get(chat.id)
        if line is None:
            # It has ended, and that was told once; whoever asks is told again.
            line = Line(chat=chat, session=session, channel=channel, customer="")
        line.session, line.channel = session, channel
        line.kept_back.clear()
        start = chat.position_of(index)
        # The last entry of a chat that has ended is its end, and that is always told.
        line.position = start if chat.is_open else min(start, len(chat.log) - 1)
        entries, line.position = tuple(chat.log[line.position :]), len(chat.log)
        self._push(line, entries)

    # --- pushes ---

    def _follow(self, chat: Chat) -> None:
        """Push what is new in a chat."""
        line = self._lines[chat.id]
        if not chat.is_open:
            del self._lines[chat.id]
        if line.session is None:
            return
        entries, line.position = tuple(chat.log[line.position :]), len(chat.log)
        if self._faults.any_at(Point.PUSH):
            for entry in entries:
                if is_pushed(entry):
                    self._push_faultily(line, entry)
        elif any(map(is_pushed, entries)):
            self._push(line, entries)

    def _push(self, line: Line, entries: tuple[Entry, ...]) -> None:
        if line.session is None:
            return
        if not self._deliver(line.session, line.channel, gms.push_of(line.chat, entries)):
            log.debug("chat %s has lost its session and stays open", line.chat.id)
            line.session = None

    def _push_faultily(self, line: Line, entry: Entry) -> None:
        fault = self._faults.strike(
            Point.PUSH, words_for(entry), service=line.chat.service, customer=line.customer
        )
        if fault is None:
            self._push(line, (entry,))
            if not is_own(entry):
                # Among echoes of the customer's own nobody would notice.
                self._push_kept_back(line)
        else:
            self._suffer(line, (entry,), fault)

    def _suffer(self, line: Line, entries: tuple[Entry, ...], fault: Fault) -> None:
        match fault.name:
            case "lost_message":
                log.info("chat %s loses a push, as it was told to", line.chat.id)
            case "duplicate_message":
                self._push(line, entries)
                self._push(line, entries)
            case "delay_message":
                self._later(fault.seconds, lambda: self._push(line, entries))
            case "reorder_messages":
                line.kept_back.append(entries)
                self._later(fault.seconds, lambda: self._push_kept_back(line))

    def _push_kept_back(self, line: Line) -> None:
        kept, line.kept_back = line.kept_back, []
        for entries in kept:
            self._push(line, entries)


def is_pushed(entry: Entry) -> bool:
    """Tell whether an entry is for the customer's eyes; the end of the chat is."""
    return entry.index is not None or entry.kind is EntryKind.ENDED


def is_own(entry: Entry) -> bool:
    """Tell whether an entry is what the customer did."""
    return entry.party.kind is PartyKind.CUSTOMER and entry.kind is not EntryKind.ENDED


def words_for(entry: Entry) -> tuple[str, ...]:
    """Say what faults call an entry that is pushed."""
    return ("own",) if is_own(entry) else (PUSH_WORDS[entry.kind],)
