"""One chat of web messaging, from the customer's side: frames in, chat events out. Pure.

Theory of operation. A :class:`GuestChat` lives as long as the chat, over any number of WebSockets.
It remembers which messages were seen, and it is the one object that stamps and numbers the events
of its session.

The order of messages is not guaranteed, so what comes is held for a moment and told by
``channel.time`` (``reorder``); ask :attr:`GuestChat.due_at` when to call :meth:`release`. What was
said while no WebSocket was open is a *gap*: from its beginning nothing is told, until :meth:`fill`
brings the history. A message that was told is never told again, whichever way it comes.

A chat that is *restored* begins from a :class:`GuestState` and with a gap. What the state has seen
is told as history, what it missed as new.

The platform tells nobody that an agent joined: the first word of a human, or the first sign that
one is typing, is taken for it (inferred). A bot's words are those of a machine.

Source: official Kotlin SDK; the reference's sections 3 and 5.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from botkit import chat
from botkit.chat import EndedBy, Event, Party, PartyKind
from botkit.errors import ChatError
from botkit.genesys.guest_attributes import GuestAttributes
from botkit.genesys.guest_failures import EXPIRED, GuestRefusal, failure_of
from botkit.genesys.guest_lines import GuestLines
from botkit.genesys.guest_state import GuestState, SeenMessages, name_of
from botkit.genesys.reorder import Held, ReorderWindow
from botkit.genesys.web_content import (
    Attachment,
    attachments_in,
    content_as_text,
    offers_in,
    titles_in,
)
from botkit.genesys.web_records import (
    AttachmentDeleted,
    ConnectionClosed,
    Frame,
    GuestMessage,
    Jwt,
    MessageEvent,
    PresignedUrl,
    SessionInfo,
    Uploaded,
)

INBOUND = "Inbound"
HUMAN, BOT = "Human", "Bot"
LINES = ("Text", "Structured", "Message")
MAX_PARTIES = 100
SIGNED_IN = "signedIn"
ENDINGS: Mapping[str, str] = {
    "SessionExpiredEvent": "the session has expired",
    "SessionClearedEvent": "the conversation was cleared",
    "LogoutEvent": "the customer was signed out",
}
"""Classes that end a chat."""


class GuestChat:
    """Turns the frames of one chat into its events.

    Args:
        token: the guest's identity.
        attributes: what is told of the customer from the beginning.
        nickname: the customer's name, for the transcript alone.
        attributes_on_top: put the attributes beside the message instead of inside of it.
        patience: seconds that messages are held to put them in order.
        restored: the chat to be won back.

    Attributes:
        attributes: what is told of the customer.
        lines: writes what the customer says.
        started: the service opened the chat, or gave it back.
        ended: SessionEnded was made; nothing comes after it.
        has_joined: the service has heard the Join of the customer.
        is_cut_off: the service closed the connection, and perhaps not the conversation.
        leaving: the customer asked to leave, so that the end is the customer's.
        refusal: why there is no chat; None if there is, or if nothing was said yet.
        info: what the service said of the session.
        refresh_token: of an authenticated session.
    """

    __slots__ = (
        "_agent",
        "_at",
        "_came",
        "_customer",
        "_over",
        "_parties",
        "_restored",
        "_seq",
        "_told",
        "_window",
        "attributes",
        "ended",
        "has_joined",
        "info",
        "is_cut_off",
        "leaving",
        "lines",
        "refresh_token",
        "refusal",
        "started",
        "token",
    )

    def __init__(
        self,
        *,
        token: str,
        attributes: Mapping[str, str],
        nickname: str,
        patience: float,
        attributes_on_top: bool = False,
        restored: GuestState | None = None,
    ) -> None:
        self.token = restored.token if restored else token
        self.attributes = GuestAttributes(restored.attributes if restored else attributes)
        self.lines = GuestLines(self.attributes, on_top=attributes_on_top)
        self.started = False
        self.ended = False
        self.has_joined = False
        self.is_cut_off = False
        self.leaving = False
        self.refusal: ChatError | None = None
        self.info = SessionInfo()
        self.refresh_token = restored.refresh_token if restored else ""
        self._restored = restored
        self._customer = Party(
            name=(restored.nickname if restored else "") or nickname, kind=PartyKind.CUSTOMER
        )
        # What was told, to whomever, and what has come to this object.
        seen, floor = (dict(restored.seen), restored.floor) if restored else ({}, 0.0)
        self._told = SeenMessages(seen, floor=floor)
        self._came = SeenMessages()
        self._window: ReorderWindow[GuestMessage] = ReorderWindow(patience)
        # Nothing is told before the chat has begun.
        self._window.is_paused = True
        self._parties: dict[tuple[str, PartyKind], Party] = {}
        self._agent: Party | None = None
        self._over = ""
        self._at = 0.0
        self._seq = 0

    # --- what the connector asks ---

    @property
    def due_at(self) -> float | None:
        """When to call :meth:`release`; None if nothing is held."""
        return self._window.due_at

    @property
    def has_gap(self) -> bool:
        """The history is needed before anything more is told."""
        return self._window.is_paused

    @property
    def state(self) -> GuestState:
        """What another process needs to go on from here."""
        return GuestState(
            token=self.token,
            seen=self._told.stamps,
            floor=self._told.floor,
            nickname=self._customer.name,
            attributes=self.attributes.values,
            refresh_token=self.refresh_token,
        )

    def configured(self, info: SessionInfo, *, now: float) -> list[Event]:
        """Take what the service says of the session, on each new WebSocket."""
        self.info = info
        self.attributes.limit = info.max_custom_data_bytes
        closed = info.read_only or not info.connected
        if not self.started and self._restored is None:
            return self._opened(info, closed, now)
        if info.new_session:
            why = "the service began a new session: it does not know the chat any more"
            return self._gone(why, now)
        if closed and not self.started:
            return self._gone("the conversation has ended: the session is read-only", now)
        if closed:
            self._over = "the conversation has ended: the session is read-only"
        self._window.is_paused = True
        return []

    def receive(self, frame: Frame, *, now: float) -> list[Event]:
        """Take what the service says on its own.

        Returns:
            The events that can be told now.
        """
        if self.ended:
            return []
        if (failure := failure_of(frame)) is not None:
            return self._failed(failure, now)
        match frame.body:
            case GuestMessage() as message:
                self._hold(message, now)
                return self.release(now=now)
            case AttachmentDeleted(attachment_id=id):
                file = chat.File(
                    at=now, seq=self._number(), party=self._customer,
                    file_id=id, deleted=True, own=True,
                )  # fmt: skip
                return [file]
            case ConnectionClosed(reason=reason):
                # The agent may still be there; a session that was signed in is another's.
                self.is_cut_off = not self.leaving and reason != SIGNED_IN
                text = "the service closed the connection"
                return self._end_of_chat(f"{text}: {reason}" if reason else text, now)
            case PresignedUrl() | Uploaded() | Jwt() | SessionInfo():
                # The answer to a request that was given up meanwhile.
                return []
            case _ if frame.name in ENDINGS:
                return self._end_of_chat(ENDINGS[frame.name], now)
            case _:
                return [chat.Other(at=now, seq=self._number(), kind=frame.name)]

    def release(self, *, now: float) -> list[Event]:
        """Tell what has waited long enough."""
        return self._tell(self._window.take(now))

    def open_gap(self) -> None:
        """Tell nothing more before the history is there."""
        self._window.is_paused = True

    def fill(self, messages: Iterable[GuestMessage], *, now: float) -> list[Event]:
        """Take the history, and tell what was missed; a chat that is restored begins with it.

        Args:
            messages: oldest first, where the stamps say nothing.
        """
        events: list[Event] = []
        if self._restored is not None and not self.started:
            self.started = True
            events.append(
                chat.SessionRestored(at=now, seq=self._number(), session_id=name_of(self.token))
            )
        latest = -math.inf
        for message in sorted(messages, key=lambda one: (one.utc is None, one.utc or 0.0)):
            # Without an id only the stamp tells what was seen.
            if message.id or (message.id, message.utc) not in self._came:
                self._hold(message, now)
            latest = max(latest, message.utc or latest)
        self._window.is_paused = False
        events += self._tell(self._window.take_through(latest))
        events += self.release(now=now)
        if self._over:
            events += self._end_of_chat(self._over, now)
        return events

    def interrupted(self, description: str, *, now: float) -> Event:
        """Tell that the connection was lost; there is a gap from here on."""
        self.open_gap()
        return chat.Interrupted(at=now, seq=self._number(), description=description)

    def continued(self, *, now: float) -> Event:
        """Tell that the connection is back."""
        return chat.Continued(at=now, seq=self._number())

    def error(self, code: int | None, description: str, *, now: float) -> Event:
        """Tell of an error that no command is answered by."""
        return chat.Error(at=now, seq=self._number(), code=code, description=description)

    def end(self, by: EndedBy, description: str, *, now: float) -> list[Event]:
        """Tell that the chat is over; empty if that was told before."""
        if self.ended:
            return []
        events = self._tell(self._window.take_all())
        if not self.ended:
            self.ended = True
            events.append(
                chat.SessionEnded(at=now, seq=self._number(), by=by, description=description)
            )
        return events

    def set_userdata(self, userdata: Mapping[str, str], *, now: float) -> list[Event]:
        """Change the attributes; they travel with the next message.

        The wire never confirms them, so they count as set from here on.

        Raises:
            ChatError: they would be too large.
        """
        before = self.attributes.values
        self.attributes.update(userdata)
        changes = {key: value for key, value in userdata.items() if before.get(key) != value}
        return [chat.Userdata(at=now, seq=self._number(), changes=changes)] if changes else []

    # --- beginning and end ---

    def _opened(self, info: SessionInfo, closed: bool, now: float) -> list[Event]:
        if closed:
            self.refusal = ChatError(None, "the service gave a session that takes no messages")
            return []
        self.refusal = None
        self.started = True
        self._window.is_paused = False
        events: list[Event] = [
            chat.SessionStarted(at=now, seq=self._number(), session_id=name_of(self.token))
        ]
        if info.cleared_existing_session:
            kind = "clearedExistingSession"
            events.append(chat.Other(at=now, seq=self._number(), kind=kind))
        return events + self.release(now=now)

    def _gone(self, why: str, now: float) -> list[Event]:
        if not self.started:
            self.refusal = ChatError(None, why)
            return []
        return self.end(EndedBy.SERVICE, why, now=now)

    def _failed(self, failure: GuestRefusal, now: float) -> list[Event]:
        events = [self.error(failure.code, failure.description, now=now)]
        if failure.kind is EXPIRED:
            events += self._end_of_chat(str(failure), now)
        return events

    def _end_of_chat(self, description: str, now: float) -> list[Event]:
        return self.end(EndedBy.CUSTOMER if self.leaving else EndedBy.SERVICE, description, now=now)

    # --- messages ---

    def _hold(self, message: GuestMessage, now: float) -> None:
        if _is_passing(message):
            self._window.add(message, stamp=message.utc, now=now)
            return
        key = (message.id, message.utc)
        if message.id and key in self._came:
            return
        # One that overtook everything else would end the chat before its last words.
        self._window.add(message, stamp=message.utc, now=now, last=message.type == "Event")
        self._came.add(*key)
        if message.direction == INBOUND and any(e.value == "Join" for e in message.events):
            self.has_joined = True

    def _tell(self, held: Sequence[Held[GuestMessage]]) -> list[Event]:
        events: list[Event] = []
        for one in held:
            if self.ended:
                break
            # What was put behind another one could not be read before it.
            self._at = max(self._at, one.at)
            self._tell_one(one.item, self._at, events)
        return events

    def _tell_one(self, message: GuestMessage, at: float, events: list[Event]) -> None:
        key = (message.id, message.utc)
        history = self._restored is not None and key in self._told
        if not _is_passing(message):
            self._told.add(*key)
        if message.direction != INBOUND:
            self._meet_agent(message, at, history, events)
        stamp: dict[str, Any] = {"at": at, "utc": message.utc, "history": history}
        if message.type == "Event":
            for event in message.events:
                self._tell_event(event, message, stamp, events)
        elif message.type in LINES:
            self._tell_line(message, stamp, events)
        else:
            party = self._party_of(message)
            seq = self._number()
            events.append(
                chat.Other(seq=seq, party=party, kind=message.type, text=message.text, **stamp)
            )

    def _tell_line(self, message: GuestMessage, stamp: dict[str, Any], events: list[Event]) -> None:
        own, party = message.direction == INBOUND, self._party_of(message)
        files = attachments_in(message.content)
        text = message.text or titles_in(message.content)
        offers = offers_in(message.content)
        if offers and message.id:
            self.lines.offered(message.id, offers)
        if text or not files:
            events.append(
                chat.Message(
                    seq=self._number(), party=party, own=own, text=text,
                    content_type="text" if message.type == "Text" else "structured",
                    content=content_as_text(message.content),
                    buttons=tuple(chat.Button(text=o.text, payload=o.payload) for o in offers),
                    message_id=message.id,
                    **stamp,
                )
            )  # fmt: skip
        events += [self._file(file, own=own, party=party, stamp=stamp) for file in files]

    def _file(self, file: Attachment, *, own: bool, party: Party, stamp: dict[str, Any]) -> Event:
        return chat.File(
            seq=self._number(), party=party, own=own,
            file_id=file.id, name=file.name, size=file.size,
            **stamp,
        )  # fmt: skip

    def _tell_event(
        self,
        event: MessageEvent,
        message: GuestMessage,
        stamp: dict[str, Any],
        events: list[Event],
    ) -> None:
        own, party = message.direction == INBOUND, self._party_of(message)
        match (event.type, event.value):
            case ("Typing", value):
                if not own:
                    is_typing = value != "Off"
                    events.append(
                        chat.AgentTyping(
                            seq=self._number(), party=party, is_typing=is_typing, **stamp
                        )
                    )
            case ("Presence", "Disconnect"):
                self._disconnected(message, stamp, events)
            case ("Presence", "SessionExpired") if not stamp["history"]:
                events += self._end_of_chat(ENDINGS["SessionExpiredEvent"], stamp["at"])
            case (type, value):
                kind = value if type == "Presence" else type
                events.append(chat.Other(seq=self._number(), party=party, kind=kind, **stamp))

    def _disconnected(
        self, message: GuestMessage, stamp: dict[str, Any], events: list[Event]
    ) -> None:
        """The contact centre hung up: for good, or until the customer writes again."""
        if message.metadata.get("readOnly", "").lower() == "true" and not stamp["history"]:
            events += self._end_of_chat("the contact centre ended the conversation", stamp["at"])
            return
        if self._agent is None:
            events.append(chat.Other(seq=self._number(), kind="Disconnect", **stamp))
            return
        agent, self._agent = self._agent, None
        events.append(chat.AgentDisconnected(seq=self._number(), party=agent, **stamp))

    def _meet_agent(
        self, message: GuestMessage, at: float, history: bool, events: list[Event]
    ) -> None:
        party = self._party_of(message)
        speaks = message.type in LINES or any(one.type == "Typing" for one in message.events)
        if not speaks or party.kind is not PartyKind.AGENT or party == self._agent:
            return
        self._agent = party
        events.append(
            chat.AgentConnected(
                at=at, seq=self._number(), utc=message.utc, history=history, party=party
            )
        )

    def _party_of(self, message: GuestMessage) -> Party:
        if message.direction == INBOUND:
            return self._customer
        # Only people are shown typing, where the platform does not say who it is (inferred).
        is_human = message.entity == HUMAN or (not message.entity and _is_passing(message))
        kind = PartyKind.AGENT if is_human else PartyKind.EXTERNAL
        sender = message.sender
        name = sender.nickname or f"{sender.first_name} {sender.last_name}".strip()
        if not name and is_human and self._agent is not None:
            return self._agent
        name = name or (message.entity or "Agent" if is_human else BOT)
        party = self._parties.get((name, kind))
        if party is None:
            if len(self._parties) > MAX_PARTIES:
                self._parties.clear()
            party = self._parties[name, kind] = Party(name=name, kind=kind)
        return party

    def _number(self) -> int:
        self._seq += 1
        return self._seq


def _is_passing(message: GuestMessage) -> bool:
    """Typing is for the moment; no history repeats it."""
    return bool(message.events) and all(event.type == "Typing" for event in message.events)
