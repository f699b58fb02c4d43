"""What happens in the conversations of guests, sent to their sockets. Pure.

Theory of operation. Each conversation is followed from its beginning to its end. What is new in it
goes to all sockets of its session at that moment; where there is none it goes nowhere, for whoever
comes back asks for the history. Each thing is a frame of its own, and so a fault may lose, double,
delay or reorder any of them.

The copy of what a guest has sent is the acknowledgement of it: on the socket that it came from it
bears the tracing id, on others it does not.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from botkit.chat import EndedBy, PartyKind
from botkit.simulator.chats import Chat, EntryKind
from botkit.simulator.desk import PUSH_WORDS, Later
from botkit.simulator.faults import GUEST, Fault, Faults, Point
from botkit.simulator.guest_bodies import body_of
from botkit.simulator.guest_sessions import Conversation, GuestSession, GuestSocket, Send
from botkit.simulator.guest_settings import AtChatEnd, GuestSettings
from botkit.simulator.guest_wire import Frame, push

__all__ = ["GuestLines"]

log = logging.getLogger(__name__)

Speaker = tuple[GuestSocket, str | None]


class GuestLines:
    """Sends guests what happens in their conversations.

    Args:
        settings: what follows when a chat ends.
        faults: what goes wrong.
        later: runs something after a while.
        settle: told when the chat of a session has ended.
    """

    def __init__(
        self,
        *,
        settings: GuestSettings,
        faults: Faults,
        later: Later,
        settle: Callable[[GuestSession], None],
    ) -> None:
        self._settings = settings
        self._faults = faults
        self._later = later
        self._settle = settle
        self._lines: dict[str, tuple[GuestSession, Conversation]] = {}
        self._speaker: Speaker | None = None

    @contextmanager
    def answering(self, socket: GuestSocket, tracing_id: str | None) -> Iterator[None]:
        """Send what is the guest's own as the answer to this."""
        self._speaker = (socket, tracing_id)
        try:
            yield
        finally:
            self._speaker = None

    def follow(self, session: GuestSession, conversation: Conversation) -> None:
        """Send what happens in a conversation, from its first entry on."""
        session.conversations.append(conversation)
        self._lines[conversation.chat.id] = (session, conversation)
        conversation.chat.followers.append(self._follow)
        self._follow(conversation.chat)

    def _follow(self, chat: Chat) -> None:
        session, conversation = self._lines[chat.id]
        start, conversation.position = conversation.position, len(chat.log)
        if not chat.is_open:
            del self._lines[chat.id]
            if chat.ended_by is EndedBy.SERVICE:
                session.read_only |= self._settings.at_chat_end is AtChatEnd.READ_ONLY
        for position in range(start, len(chat.log)):
            self._tell(session, conversation, position)
        if not chat.is_open:
            self._settle(session)

    def _tell(self, session: GuestSession, conversation: Conversation, position: int) -> None:
        chat = conversation.chat
        at_end = self._settings.at_chat_end
        body = body_of(chat, position, joined=conversation.joined, at_end=at_end, root=session.root)
        if body is None:
            return
        send = partial(send_body, session, body, self._speaker)
        entry = chat.log[position]
        own = entry.party.kind is PartyKind.CUSTOMER and entry.kind is not EntryKind.ENDED
        words = ("own",) if own else (PUSH_WORDS[entry.kind],)
        fault = self._faults.strike(
            Point.PUSH, words, service=chat.service, customer=session.token, wire=GUEST
        )
        if fault is not None:
            self._suffer(conversation, fault, send)
            return
        send()
        if not own:
            # Among copies of the guest's own nobody would notice.
            send_kept_back(conversation)

    def _suffer(self, conversation: Conversation, fault: Fault, send: Send) -> None:
        match fault.name:
            case "lost_message":
                log.info("chat %s loses a frame, as it was told to", conversation.chat.id)
            case "duplicate_message":
                send()
                send()
            case "delay_message":
                self._later(fault.seconds, send)
            case "reorder_messages":
                conversation.kept_back.append(send)
                self._later(fault.seconds, partial(send_kept_back, conversation))


def send_kept_back(conversation: Conversation) -> None:
    kept, conversation.kept_back = conversation.kept_back, []
    for send in kept:
        send()


def send_body(session: GuestSession, body: Frame, speaker: Speaker | None) -> None:
    """Send a body to all sockets; the one that it answers is told so."""
    for socket in tuple(session.sockets):
        answered = speaker is not None and speaker[0] is socket and body["direction"] == "Inbound"
        tracing_id = speaker[1] if answered and speaker is not None else None
        socket.send(push("StructuredMessage", body, tracing_id))
