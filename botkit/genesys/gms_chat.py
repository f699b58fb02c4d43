"""One chat of the GMS Chat API v2, from the customer's side: pushes in, chat events out.

Theory of operation. A :class:`GmsChat` lives as long as the chat, over any number of Bayeux
sessions. It keeps what identifies the chat (the latest non-empty secure key and alias), which
transcript indexes it has seen, and the view of the user data; and it is the one object that
stamps and numbers the events of its session.

Every push may repeat events: after ``requestNotifications`` the service replays from a position.
An index that was seen is dropped; one that was not is new, whatever order it comes in. Which
indexes were seen is remembered for the last :data:`REMEMBERED`, and everything lower counts as
seen.

Pushes come over two connections, so one may overtake another: the reply to a line of the customer
a poll that was answered just before. A push that leaves a gap behind what was told is *held* until
the gap is closed, or until the caller, who waits a moment, releases it: a gap may also be there for
good, where the service numbers what customers do not see.

A chat that is *restored* begins from a :class:`~botkit.genesys.gms_state.GmsState`. Everything is
asked for again then; what the state has seen comes as history, whatever it missed comes as new.

Source: GMS Chat API v2, "Common response object" and event types; public CometD clients.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace

from botkit import chat
from botkit.bayeux.messages import JSON
from botkit.chat import EndedBy, Event, Party, PartyKind
from botkit.errors import ChatError
from botkit.genesys import gms_v2
from botkit.genesys.gms_state import GmsState
from botkit.genesys.gms_v2 import GmsEvent, Push

REMEMBERED = 1000
MAX_PARTIES = 100
MAX_HELD = 100

PARTY_KINDS: Mapping[str, PartyKind] = {
    "Client": PartyKind.CUSTOMER,
    "Agent": PartyKind.AGENT,
    "Supervisor": PartyKind.SUPERVISOR,
    "External": PartyKind.EXTERNAL,
}
HUMANS = (PartyKind.AGENT, PartyKind.SUPERVISOR)
NOTICES = ("CustomNotice", "Notice", "IdleAlert", "IdleClose")
FILES = ("FileUploaded", "FileDeleted")


class GmsChat:
    """Turns the pushes of one chat into its events.

    Args:
        userdata: what was attached when the chat was requested.
        nickname: the customer's.
        restored: the chat to be won back; its user data count then.

    Attributes:
        started: the service opened the chat, or gave it back.
        secure_key: the latest key; empty until the service opened the chat.
        chat_id, user_id, alias: the service's latest names of the chat, of this party, and of the
            server that keeps them.
        nickname: the customer's, as the service knows it.
        ended: SessionEnded was made; nothing comes after it.
        leaving: the customer asked to leave, so that the end is the customer's.
        refusal: why the service did not open the chat; None if it did, or did not answer yet.
    """

    __slots__ = (
        "_floor",
        "_held",
        "_own_id",
        "_parties",
        "_restored",
        "_seen",
        "_seq",
        "_told",
        "_top",
        "alias",
        "chat_id",
        "ended",
        "leaving",
        "nickname",
        "refusal",
        "secure_key",
        "started",
        "user_id",
        "userdata",
    )

    def __init__(
        self,
        *,
        userdata: Mapping[str, str],
        nickname: str = "",
        restored: GmsState | None = None,
    ) -> None:
        self.started = False
        self.secure_key = restored.secure_key if restored else ""
        self.chat_id = restored.session_id if restored else ""
        self.user_id = restored.user_id if restored else ""
        self.alias = restored.alias if restored else ""
        self.nickname = (restored.nickname if restored else "") or nickname
        self.ended = False
        self.leaving = False
        self.refusal: ChatError | None = None
        self.userdata = chat.UserdataView(restored.userdata if restored else userdata)
        self._restored = restored
        self._own_id: str | None = restored.own_id if restored else None
        self._parties: dict[tuple[str, str | None], Party] = {}
        self._seq = 0
        # Every index up to _floor was seen, and those above it that are in _seen.
        self._floor = 0
        self._top = 0
        # The highest index that was told, and the pushes that came too early to be told.
        self._told = 0
        self._held: list[Push] = []
        self._seen: frozenset[int] = frozenset()

    # --- what the connector asks ---

    @property
    def state(self) -> GmsState:
        """What another process needs to go on from here."""
        before = self._restored
        floor, beyond = self._floor, self._seen
        if before is not None and floor < before.position:
            # The service has not repeated everything yet: what was history before still is.
            beyond |= frozenset(before.beyond)
            beyond = frozenset(index for index in beyond if index > before.position)
            floor = before.position
        return GmsState(
            session_id=self.chat_id,
            secure_key=self.secure_key,
            user_id=self.user_id,
            alias=self.alias,
            position=floor,
            beyond=tuple(sorted(beyond)),
            own_id=self._own_id,
            nickname=self.nickname,
            userdata=self.userdata.snapshot(),
        )

    @property
    def resume_from(self) -> int | None:
        """The position to ask from after a loss; None asks for everything."""
        return self._floor + 1 if self._floor else None

    @property
    def is_holding(self) -> bool:
        """Something is held; :meth:`release` it in a moment."""
        return bool(self._held)

    def receive(self, data: JSON, *, now: float) -> list[Event]:
        """Take the data of one push.

        Returns:
            The new events, in order; none of a push that is held. Errors of the service are Error
            events once the chat is open; before, they are the ``refusal``.

        Raises:
            RemoteProtocolError: the push is malformed; nothing of it was taken.
        """
        return [] if self.ended else self.receive_push(gms_v2.decode_push(data), now=now)

    def receive_push(self, push: Push, *, now: float) -> list[Event]:
        """Take a push that was decoded before; see :meth:`receive`."""
        if self.ended:
            return []
        if not self.started and self._restored is not None:
            self._refuse_another(push, self._restored)
            if self.refusal is not None:
                return []
        if push.status_code != gms_v2.OK or push.errors:
            return self._receive_failure(push, now)
        events: list[Event] = []
        self._adopt(push, events, now)
        self._held.append(push)
        while (ready := self._next_ready()) is not None:
            self._held.remove(ready)
            self._take(ready, events, now)
        return events

    def release(self, *, now: float) -> list[Event]:
        """Take what is held: what is missing before it does not come any more."""
        events: list[Event] = []
        held, self._held = sorted(self._held, key=_begins_at), []
        for push in held:
            self._take(push, events, now)
        return events

    def interrupted(self, description: str, *, now: float) -> Event:
        """Tell that the connection was lost."""
        return chat.Interrupted(at=now, seq=self._number(), description=description)

    def continued(self, *, now: float) -> Event:
        """Tell that the connection is back."""
        return chat.Continued(at=now, seq=self._number())

    def error(self, code: int | None, description: str, *, now: float) -> Event:
        """Tell of an error that is not the chat's own (a refused publish, say)."""
        return chat.Error(at=now, seq=self._number(), code=code, description=description)

    def end(self, by: EndedBy, description: str, *, now: float) -> list[Event]:
        """Tell that the chat is over; empty if that was told before."""
        if self.ended:
            return []
        events = self.release(now=now)
        if not self.ended:
            self.ended = True
            events.append(
                chat.SessionEnded(at=now, seq=self._number(), by=by, description=description)
            )
        return events

    def confirm(self, command: chat.Command, *, now: float) -> list[Event]:
        """Take note that the service accepted a command.

        Source: GMS has no confirmation of user data; that the accepted publish is one is inferred.
        """
        match command:
            case chat.SetUserdata():
                return self._userdata_changed(self.userdata.merge(command.userdata), now)
            case chat.UpdateNickname():
                self.nickname = command.nickname
                return []
            case chat.DeleteUserdata():
                gone = self.userdata.forget(command.key)
                return self._userdata_changed({command.key: None} if gone else {}, now)
            case _:
                return []

    # --- pushes ---

    def _adopt(self, push: Push, events: list[Event], now: float) -> None:
        """Keep the latest identity; the first key opens the chat."""
        self.secure_key = push.secure_key or self.secure_key
        self.chat_id = push.chat_id or self.chat_id
        self.user_id = push.user_id or self.user_id
        self.alias = push.alias or self.alias
        if self.secure_key and not self.started:
            self.started = True
            kind = chat.SessionRestored if self._restored else chat.SessionStarted
            events.append(kind(at=now, seq=self._number(), session_id=self.chat_id))

    def _refuse_another(self, push: Push, restored: GmsState) -> None:
        """Take only the chat that was stored, and only while it runs, as won back."""
        if push.status_code != gms_v2.OK or push.errors:
            return
        if push.chat_id and restored.session_id not in ("", push.chat_id):
            self.refusal = ChatError(
                None,
                f"the service answered for the chat {push.chat_id}"
                f" instead of {restored.session_id}",
            )
        elif push.chat_ended and not self.leaving:
            self.refusal = ChatError(None, "the chat has ended meanwhile")

    def _next_ready(self) -> Push | None:
        """Find a push with no gap before it; with too many held, any will do."""
        if len(self._held) > MAX_HELD:
            return min(self._held, key=_begins_at)
        return next((push for push in self._held if _begins_at(push) <= self._told + 1), None)

    def _take(self, push: Push, events: list[Event], now: float) -> None:
        for wire_event in push.events:
            if not self.ended:
                self._receive_event(wire_event, events, now)
        if push.chat_ended:
            self._end(events, now, "")

    def _receive_failure(self, push: Push, now: float) -> list[Event]:
        code, description = failure_of(push)
        if not self.started:
            self.refusal = ChatError(code, description)
            return []
        events: list[Event] = [self.error(code, description, now=now)]
        if push.chat_ended:
            self._end(events, now, description)
        return events

    def _end(self, events: list[Event], now: float, description: str) -> None:
        by = EndedBy.CUSTOMER if self.leaving else EndedBy.SERVICE
        events.extend(self.end(by, description, now=now))

    def _receive_event(self, raw: GmsEvent, events: list[Event], now: float) -> None:
        if raw.index is not None and not self._is_new(raw.index):
            return
        made = self._translate(raw, now)
        if self._is_history(raw.index):
            # What it says of user data is older than what was stored.
            events.append(replace(made, history=True))
            return
        events.append(made)
        if raw.userdata and raw.type not in FILES:
            events.extend(self._userdata_changed(self.userdata.merge(raw.userdata), now))
        if raw.type == "ParticipantLeft" and self._is_me(raw):
            self._end(events, now, raw.text)

    def _is_new(self, index: int) -> bool:
        if index <= self._floor or index in self._seen:
            return False
        self._told = max(self._told, index)
        self._top = max(self._top, index)
        if index > self._floor + 1:
            self._seen |= {index}
        else:
            self._floor = index
            while self._floor + 1 in self._seen:
                self._floor += 1
                self._seen -= {self._floor}
        if self._top - self._floor > REMEMBERED:
            # A numbering with holes: forget the oldest instead of remembering without end.
            self._floor = self._top - REMEMBERED
            self._seen = frozenset(seen for seen in self._seen if seen > self._floor)
        return True

    def _is_history(self, index: int | None) -> bool:
        return self._restored is not None and index is not None and self._restored.was_seen(index)

    def _is_me(self, raw: GmsEvent) -> bool:
        if PARTY_KINDS.get(raw.sender.type) is not PartyKind.CUSTOMER:
            return False
        return self._own_id is None or raw.sender.participant_id in (None, self._own_id)

    def _userdata_changed(self, changes: Mapping[str, str | None], now: float) -> list[Event]:
        if not changes:
            return []
        return [chat.Userdata(at=now, seq=self._number(), changes=changes)]

    def _party(self, name: str, kind: PartyKind, id: str | None) -> Party:
        """Give the one record of a party: it comes with every event of theirs."""
        party = self._parties.get((name, id))
        if party is None or party.kind is not kind:
            if len(self._parties) > MAX_PARTIES:
                self._parties.clear()
            party = self._parties[name, id] = Party(name=name, kind=kind, id=id)
        return party

    def _number(self) -> int:
        self._seq += 1
        return self._seq

    def _translate(self, raw: GmsEvent, now: float) -> Event:
        sender = raw.sender
        kind = PARTY_KINDS.get(sender.type, PartyKind.EXTERNAL)
        party = self._party(sender.nickname, kind, sender.participant_id)
        own = kind is PartyKind.CUSTOMER
        at, seq, index, utc = now, self._number(), raw.index, raw.utc
        match raw.type:
            case "Message":
                return chat.Message(
                    at=at, seq=seq, index=index, utc=utc, party=party, own=own,
                    text=raw.text, content_type=sys.intern(raw.message_type or "text"),
                )  # fmt: skip
            case "ParticipantJoined" if kind in HUMANS:
                return chat.AgentConnected(
                    at=at, seq=seq, index=index, utc=utc, party=party, userdata=raw.userdata
                )
            case "ParticipantLeft" if kind in HUMANS:
                return chat.AgentDisconnected(at=at, seq=seq, index=index, utc=utc, party=party)
            case "TypingStarted" | "TypingStopped" if kind in HUMANS:
                is_typing = raw.type == "TypingStarted"
                return chat.AgentTyping(
                    at=at, seq=seq, index=index, utc=utc, party=party,
                    is_typing=is_typing, preview=raw.text,
                )  # fmt: skip
            case "PushUrl":
                return chat.PushedUrl(
                    at=at, seq=seq, index=index, utc=utc, party=party, own=own, url=raw.text
                )
            case "NicknameUpdated":
                nickname = raw.text or sender.nickname
                return chat.Nickname(
                    at=at, seq=seq, index=index, utc=utc, party=party, own=own, nickname=nickname
                )
            case "FileUploaded" | "FileDeleted":
                return chat.File(
                    at=at, seq=seq, index=index, utc=utc, party=party, own=own,
                    file_id=raw.userdata.get("file-id", raw.text),
                    name=raw.userdata.get("file-name", ""),
                    size=_size(raw.userdata.get("file-size")),
                    deleted=raw.type == "FileDeleted",
                )  # fmt: skip
            case notice if notice in NOTICES:
                return chat.Notice(
                    at=at, seq=seq, index=index, utc=utc, party=party, own=own,
                    text=raw.text, kind=notice,
                )  # fmt: skip
            case other:
                if other == "ParticipantJoined" and own and self._own_id is None:
                    self._own_id = sender.participant_id
                return chat.Other(
                    at=at, seq=seq, index=index, utc=utc, party=party, kind=other, text=raw.text
                )


def _begins_at(push: Push) -> int:
    """Give the index that a push begins with; 0 if it can come at any time."""
    for event in push.events:
        if event.index is not None:
            return event.index
    return (push.next_position or 0) if push.chat_ended else 0


def failure_of(push: Push) -> tuple[int | None, str]:
    """Put a failure into a code and a text; the numbers are the server's own."""
    if push.errors:
        first = push.errors[0]
        texts = [" ".join(filter(None, (e.message, e.advice))) for e in push.errors]
        return first.code, "; ".join(filter(None, texts)) or "an error without a text"
    return None, f"the service answered with statusCode {push.status_code}"


def _size(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None
