"""A chat from the agent's side: the log of the centre as chat events, commands back to it.

It is what the driver plays a script against: the agent's own lines are ``own``, the customer's are
not, and all attached user data are there, for an agent sees what the customer does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import trio

from botkit import chat as vocabulary
from botkit.chat import Command, EndedBy, Event, Party, PartyKind
from botkit.errors import ChatError, SessionClosed
from botkit.simulator.centre import Centre, CentreError
from botkit.simulator.chats import Chat, Entry, EntryKind

__all__ = ["AgentSide"]


class AgentSide:
    """One agent in one chat.

    Args:
        centre: where commands go.
        chat: it is followed from the agent's joining on, until :meth:`close`.
        party: the agent.
    """

    __slots__ = (
        "_centre",
        "_chat",
        "_party",
        "_position",
        "_reader",
        "_seq",
        "_told",
        "_unread_from",
    )

    def __init__(self, centre: Centre, chat: Chat, party: Party) -> None:
        self._centre = centre
        self._chat = chat
        self._party = party
        self._reader: Callable[[Event], None] | None = None
        self._seq = 0
        self._told = False
        self._position = 0
        self._unread_from = first_unread(chat, party)
        chat.followers.append(self._follow)

    def close(self) -> None:
        """Follow the chat no more."""
        if self._follow in self._chat.followers:
            self._chat.followers.remove(self._follow)

    # --- driver.Driven ---

    def subscribe(self, reader: Callable[[Event], None]) -> None:
        """Call the reader with every event, from the first on."""
        self._reader = reader
        self._follow(self._chat)

    def _follow(self, chat: Chat) -> None:
        if self._reader is not None:
            for event in self._take():
                self._reader(event)

    def _take(self) -> list[Event]:
        log = self._chat.log
        events: list[Event] = []
        if not self._told:
            self._told = True
            self._add(events, vocabulary.SessionStarted, None, session_id=self._chat.id)
            changes = dict(self._chat.userdata)
            if changes:
                self._add(events, vocabulary.Userdata, None, changes=changes)
        for position in range(self._position, len(log)):
            entry = log[position]
            translated = TRANSLATIONS[entry.kind](self, entry)
            if translated is not None:
                kind, members = translated
                history = position < self._unread_from
                self._add(events, kind, entry, history=history, **members)
        self._position = len(log)
        return events

    def _add(
        self, events: list[Event], kind: type[Event], entry: Entry | None, /, **members: Any
    ) -> None:
        self._seq += 1
        stamps: dict[str, Any] = {"at": trio.current_time(), "seq": self._seq}
        if entry is not None:
            stamps.update(at=entry.at, utc=entry.utc, index=entry.index, party=entry.party)
        events.append(kind(**stamps, **members))

    def is_own(self, entry: Entry) -> bool:
        """Tell whether this agent did it."""
        return entry.party.id == self._party.id

    def ended_by(self) -> EndedBy:
        """Tell who ended the chat."""
        return self._chat.ended_by or EndedBy.SERVICE

    async def perform(self, command: Command) -> None:
        """Do what the script wants.

        Raises:
            SessionClosed: the chat has ended.
            ChatError: it cannot be done.
        """
        await trio.lowlevel.checkpoint()
        chat, party, now = self._chat, self._party, trio.current_time()
        if not chat.is_open:
            raise SessionClosed("the chat has ended")
        try:
            match command:
                case vocabulary.SetUserdata():
                    self._centre.attach(chat, command.userdata, party, now=now, visible=False)
                case vocabulary.DeleteUserdata():
                    self._centre.attach(chat, {command.key: ""}, party, now=now, visible=False)
                case vocabulary.OfferButtons():
                    text, buttons = command.text, command.buttons
                    line = EntryKind.MESSAGE
                    self._centre.write(chat, line, party, now=now, text=text, buttons=buttons)
                case vocabulary.SendFile():
                    self._centre.upload(
                        chat,
                        party,
                        name=command.name,
                        media_type=command.media_type,
                        content=command.content,
                        now=now,
                    )
                case vocabulary.DeleteFile():
                    self._centre.delete_file(chat, party, command.file_id, now=now)
                case vocabulary.Leave():
                    self._centre.end(chat, EndedBy.SERVICE, now=now)
                case _:
                    kind, text = written(command)
                    self._centre.write(chat, kind, party, now=now, text=text)
        except CentreError as error:
            raise ChatError(None, str(error)) from error


def first_unread(chat: Chat, party: Party) -> int:
    """Find where an agent who joins begins to read.

    The first agent begins with what the customer said in the queue, any other with their own
    joining: what was said before is history then.
    """
    joins = (
        position
        for position, entry in enumerate(chat.log)
        if entry.kind is EntryKind.JOINED and entry.party.kind is not PartyKind.CUSTOMER
    )
    first = next(joins)
    return 0 if chat.log[first].party.id == party.id else len(chat.log) - 1


def written(command: Command) -> tuple[EntryKind, str]:
    """Say what a command writes into the log.

    Raises:
        ChatError: agents do no such thing here.
    """
    match command:
        case vocabulary.SendMessage():
            return EntryKind.MESSAGE, command.text
        case vocabulary.SendTyping(is_typing=True):
            return EntryKind.TYPING_STARTED, command.preview
        case vocabulary.SendTyping():
            return EntryKind.TYPING_STOPPED, command.preview
        case vocabulary.SendNotice():
            return EntryKind.NOTICE, command.text
        case vocabulary.PushUrl():
            return EntryKind.PUSHED_URL, command.url
        case _:
            name = type(command).__name__
            raise ChatError(None, f"an agent of the simulator cannot do {name}")


# --- entries as events ---------------------------------------------------------------------------

Translated = tuple[type[Event], dict[str, Any]]


def joined(side: AgentSide, entry: Entry) -> Translated:
    if entry.party.kind is PartyKind.CUSTOMER:
        return vocabulary.Other, {"kind": "customer_joined"}
    return vocabulary.AgentConnected, {"userdata": entry.userdata}


def left(side: AgentSide, entry: Entry) -> Translated:
    if entry.party.kind is PartyKind.CUSTOMER:
        return vocabulary.Other, {"kind": "customer_left"}
    return vocabulary.AgentDisconnected, {}


def message(side: AgentSide, entry: Entry) -> Translated:
    return vocabulary.Message, {
        "text": entry.text,
        "content_type": entry.content_type or "text",
        "content": entry.content,
        "buttons": entry.buttons,
        "own": side.is_own(entry),
    }


def typing(side: AgentSide, entry: Entry) -> Translated | None:
    """The customer's typing is what a script may wait for; the event is called after agents."""
    if side.is_own(entry):
        return None
    is_typing = entry.kind is EntryKind.TYPING_STARTED
    return vocabulary.AgentTyping, {"is_typing": is_typing, "preview": entry.text}


def notice(side: AgentSide, entry: Entry) -> Translated:
    return vocabulary.Notice, {"text": entry.text, "own": side.is_own(entry)}


def idle(side: AgentSide, entry: Entry) -> Translated:
    kind = "IdleAlert" if entry.kind is EntryKind.IDLE_ALERT else "IdleClose"
    return vocabulary.Notice, {"text": entry.text, "kind": kind}


def pushed_url(side: AgentSide, entry: Entry) -> Translated:
    return vocabulary.PushedUrl, {"url": entry.text, "own": side.is_own(entry)}


def file(side: AgentSide, entry: Entry) -> Translated:
    about = entry.userdata
    return vocabulary.File, {
        "file_id": about["file-id"],
        "name": about["file-name"],
        "size": int(about["file-size"]),
        "deleted": entry.kind is EntryKind.FILE_DELETED,
        "own": side.is_own(entry),
    }


def nickname(side: AgentSide, entry: Entry) -> Translated:
    return vocabulary.Nickname, {"nickname": entry.text}


def userdata(side: AgentSide, entry: Entry) -> Translated:
    return vocabulary.Userdata, {"changes": {k: v or None for k, v in entry.userdata.items()}}


def read(side: AgentSide, entry: Entry) -> Translated:
    return vocabulary.Other, {"kind": "read", "text": entry.text}


def ended(side: AgentSide, entry: Entry) -> Translated:
    return vocabulary.SessionEnded, {"by": side.ended_by()}


TRANSLATIONS: Mapping[EntryKind, Callable[[AgentSide, Entry], Translated | None]] = (
    MappingProxyType(
        {
            EntryKind.JOINED: joined,
            EntryKind.LEFT: left,
            EntryKind.MESSAGE: message,
            EntryKind.TYPING_STARTED: typing,
            EntryKind.TYPING_STOPPED: typing,
            EntryKind.NOTICE: notice,
            EntryKind.IDLE_ALERT: idle,
            EntryKind.IDLE_CLOSE: idle,
            EntryKind.PUSHED_URL: pushed_url,
            EntryKind.FILE_UPLOADED: file,
            EntryKind.FILE_DELETED: file,
            EntryKind.NICKNAME: nickname,
            EntryKind.USERDATA: userdata,
            EntryKind.READ: read,
            EntryKind.ENDED: ended,
        }
    )
)
