"""The contact centre itself: chats, who is in them, what was said, and how they end. Pure.

Theory of operation. Everything that happens in a chat is appended to its *log*, and nothing is
ever taken out. Whoever follows a chat (the customer's Bayeux session, an agent) keeps a position
in the log and reads on from there, so that nothing is missed and a replay is a position set back.
Followers are told after each change that there is something to read; one change may make several
entries.

What the customer may see carries an index, counted from 1; user data and the end of the chat are
entries without one, for agents alone.

A chat ends because the customer asked for it, because an agent or the service ended it, or
because nobody did anything for too long: never because a connection was lost. Open chats are
kept in the order of their last activity, so the one to time out next is always the first.

Time is the loop's clock and is passed in; ``epoch`` is the calendar time of its zero.
"""

from __future__ import annotations

import base64
import random
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from botkit.chat import Button, EndedBy, FileLimits, Party, PartyKind
from botkit.errors import BotkitError
from botkit.simulator.chats import (
    FOR_AGENTS,
    NO_ACTIVITY,
    NOTHING,
    SERVICE_PARTY,
    Chat,
    ChatRequest,
    Entry,
    EntryKind,
    tell_followers,
)
from botkit.simulator.files import (
    FileRoom,
    FileRules,
    StoredFile,
    describe,
    limits_of,
    why_not,
)

__all__ = ["Centre", "CentreError", "CentreSettings"]


class CentreError(BotkitError):
    """The contact centre does not do what it was asked for; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreSettings:
    """How the contact centre behaves; times in seconds.

    Attributes:
        idle_alert: silence after which everybody is warned.
        idle_close: further silence after which the chat is closed.
        keep_finished: finished chats that are remembered.
        max_open: chats at once; a request for one more is refused.
        max_log: entries of one chat; a customer who goes on is told off.
        files: what may be sent as files.
    """

    idle_alert: float = 255.0
    idle_close: float = 45.0
    keep_finished: int = 1000
    max_open: int = 100_000
    max_log: int = 20_000
    files: FileRules = field(default_factory=FileRules)


class Centre:
    """Keeps all chats of one simulator.

    Args:
        settings: times and limits.
        rng: where ids and keys come from.
        epoch: the calendar time, epoch seconds, at which the loop's clock said 0.
    """

    def __init__(
        self, *, settings: CentreSettings | None = None, rng: random.Random, epoch: float = 0.0
    ) -> None:
        self.settings = settings or CentreSettings()
        self._rng = rng
        self._epoch = epoch
        self._by_key: dict[str, Chat] = {}
        self._by_id: dict[str, Chat] = {}
        self._finished: OrderedDict[str, Chat] = OrderedDict()
        # Open chats by last activity; those that were warned are in the second one.
        self._quiet: OrderedDict[str, Chat] = OrderedDict()
        self._warned: OrderedDict[str, Chat] = OrderedDict()
        self.total = 0
        self.ended = {EndedBy.CUSTOMER: 0, EndedBy.SERVICE: 0}

    # --- looking up ---

    @property
    def open_chats(self) -> int:
        """Count the chats that nobody has ended."""
        return len(self._quiet) + len(self._warned)

    def by_key(self, secure_key: str) -> Chat | None:
        """Find a chat, open or finished lately, by its secret."""
        return self._by_key.get(secure_key)

    def by_id(self, chat_id: str) -> Chat | None:
        """Find a chat, open or finished lately, by its name."""
        return self._by_id.get(chat_id)

    def open_chat_list(self) -> list[Chat]:
        """Give the open chats, the longest silent first."""
        return [*self._warned.values(), *self._quiet.values()]

    def chats(self) -> Iterator[Chat]:
        """Give the open chats, the longest silent first, then the finished, latest first."""
        yield from self.open_chat_list()
        yield from reversed(self._finished.values())

    # --- the life of a chat ---

    def open(self, request: ChatRequest, *, attach: Mapping[str, str], now: float) -> Chat:
        """Open a chat; the customer is in it at once.

        Args:
            attach: user data that the routing attaches, for the customer to see.

        Raises:
            CentreError: no nickname, or too many chats.
        """
        if not request.nickname:
            raise CentreError("a chat needs a nickname, or a first and a last name")
        if self.open_chats >= self.settings.max_open:
            raise CentreError(f"{self.open_chats} chats are open, which is all that may be")
        self.total += 1
        chat = self._new_chat(request, attach, now)
        self._by_key[chat.secure_key] = self._by_id[chat.id] = self._quiet[chat.id] = chat
        self._append(chat, EntryKind.JOINED, chat.customer, now)
        return chat

    def join(self, chat: Chat, nickname: str, *, now: float, kind: PartyKind) -> Party:
        """Let somebody join.

        With the join the customer is told the user data that the customer may see: this is
        where attached data become known on a wire that cannot be asked for them.
        """
        party = self._new_party(chat, nickname, kind)
        chat.agents[party.id] = party
        chat.had_agent = True
        self._append(chat, EntryKind.JOINED, party, now, userdata=chat.visible_userdata())
        tell_followers(chat)
        return party

    def leave(self, chat: Chat, party: Party, *, now: float) -> None:
        """Let an agent leave; the chat stays open."""
        if chat.is_open and party.id in chat.agents:
            del chat.agents[party.id]
            self._append(chat, EntryKind.LEFT, party, now)
            tell_followers(chat)

    def end(self, chat: Chat, by: EndedBy, *, now: float) -> None:
        """End a chat; nothing happens if it has ended."""
        if not chat.is_open:
            return
        if by is EndedBy.CUSTOMER:
            self._append(chat, EntryKind.LEFT, chat.customer, now)
        else:
            for party in chat.agents.values():
                self._append(chat, EntryKind.LEFT, party, now)
        chat.ended_by, chat.ended_at = by, now
        self.ended[by] += 1
        self._quiet.pop(chat.id, None)
        self._warned.pop(chat.id, None)
        self._append(chat, EntryKind.ENDED, chat.customer, now)
        self._finished[chat.id] = chat
        while len(self._finished) > self.settings.keep_finished:
            _, oldest = self._finished.popitem(last=False)
            del self._by_key[oldest.secure_key], self._by_id[oldest.id]
        tell_followers(chat)
        chat.followers.clear()
        # Finished chats are remembered for long; what was sent in them need not be.
        chat.room = None

    # --- what parties do ---

    def write(
        self,
        chat: Chat,
        kind: EntryKind,
        party: Party,
        *,
        now: float,
        text: str = "",
        content_type: str = "",
        content: str = "",
        buttons: tuple[Button, ...] = (),
    ) -> None:
        """Write down what a party does: a line, typing, a notice, a page.

        Raises:
            CentreError: the chat has ended, or its log is full.
        """
        self._check_open(chat)
        self._append(
            chat,
            kind,
            party,
            now,
            text=text,
            content_type=content_type,
            content=content,
            buttons=buttons,
        )
        tell_followers(chat)

    def rename_customer(self, chat: Chat, nickname: str, *, now: float) -> None:
        """Let the customer go by another name.

        Raises:
            CentreError: the name is empty, or the chat has ended.
        """
        self._check_open(chat)
        if not nickname:
            raise CentreError("the nickname is empty")
        chat.customer = replace(chat.customer, name=nickname)
        self._append(chat, EntryKind.NICKNAME, chat.customer, now, text=nickname)
        tell_followers(chat)

    def attach(
        self,
        chat: Chat,
        userdata: Mapping[str, str],
        party: Party,
        *,
        now: float,
        visible: bool,
    ) -> None:
        """Attach user data; an empty value takes the key away.

        Args:
            visible: the customer may see the keys from now on. What an agent attaches is not
                visible, unless the key was before.

        Raises:
            CentreError: the chat has ended, or there is nothing to attach.
        """
        self._check_open(chat)
        if not userdata:
            raise CentreError("there is no user data to attach")
        for key, value in userdata.items():
            if value:
                chat.userdata[key] = value
                if visible:
                    chat.visible.add(key)
            else:
                chat.userdata.pop(key, None)
                chat.visible.discard(key)
        self._append(chat, EntryKind.USERDATA, party, now, userdata=dict(userdata))
        tell_followers(chat)

    def mark_read(self, chat: Chat, index: int, *, now: float) -> None:
        """Note how far the customer has read.

        Raises:
            CentreError: the chat has ended.
        """
        self._check_open(chat)
        chat.read_up_to = max(chat.read_up_to, index)
        self._append(chat, EntryKind.READ, chat.customer, now, text=str(index))
        tell_followers(chat)

    # --- files ---

    def upload(
        self, chat: Chat, party: Party, *, name: str, media_type: str, content: bytes, now: float
    ) -> StoredFile:
        """Put a file into a chat; what limits there are, are the customer's.

        Raises:
            CentreError: the chat has ended, or the file may not be sent.
        """
        self._check_open(chat)
        room = chat.room or FileRoom()
        if party.kind is PartyKind.CUSTOMER:
            rules, size = self.settings.files, len(content)
            reason = why_not(rules, room, name, size, had_agent=chat.had_agent)
            if reason is not None:
                raise CentreError(reason)
            room.sent += 1
            room.sent_bytes += size
        room.number += 1
        file = StoredFile(
            id=f"{chat.id}-{room.number}",
            name=name,
            media_type=media_type,
            content=content,
            party=party,
        )
        room.files[file.id] = file
        chat.room = room
        self._tell_of_file(chat, EntryKind.FILE_UPLOADED, party, file, now)
        return file

    def delete_file(self, chat: Chat, party: Party, file_id: str, *, now: float) -> None:
        """Take a file out of a chat; parties may take out their own.

        Raises:
            CentreError: the chat has ended, there is no such file, or it may not be taken out.
        """
        self._check_open(chat)
        file = self._file(chat, file_id)
        if party.kind is PartyKind.CUSTOMER and not self.settings.files.can_delete:
            raise CentreError("delete-file: files may not be taken out again")
        if file.party.id != party.id:
            raise CentreError("the file is somebody else's")
        assert chat.room is not None
        del chat.room.files[file_id]
        self._tell_of_file(chat, EntryKind.FILE_DELETED, party, file, now)

    def download(self, chat: Chat, file_id: str) -> StoredFile:
        """Give a file to the customer.

        Raises:
            CentreError: the chat has ended, there is no such file, or too many were given.
        """
        self._check_open(chat)
        file = self._file(chat, file_id)
        assert chat.room is not None
        if chat.room.downloads >= self.settings.files.max_downloads:
            raise CentreError(f"download-attempts: {chat.room.downloads} were made, which is all")
        chat.room.downloads += 1
        return file

    def file_limits(self, chat: Chat) -> FileLimits:
        """Tell the customer what may be sent.

        Raises:
            CentreError: the chat has ended.
        """
        self._check_open(chat)
        return limits_of(self.settings.files, chat.room or FileRoom())

    def _file(self, chat: Chat, file_id: str) -> StoredFile:
        file = chat.room.files.get(file_id) if chat.room is not None else None
        if file is None:
            raise CentreError(f"there is no file {file_id!r:.60}")
        return file

    def show_file(self, chat: Chat, file: StoredFile, *, now: float) -> None:
        """Tell of a file that came by a wire with rules of its own, which keeps it, too.

        Raises:
            CentreError: the chat has ended.
        """
        self._check_open(chat)
        self._tell_of_file(chat, EntryKind.FILE_UPLOADED, file.party, file, now)

    def _tell_of_file(
        self, chat: Chat, kind: EntryKind, party: Party, file: StoredFile, now: float
    ) -> None:
        self._append(chat, kind, party, now, text=file.name, userdata=describe(file))
        tell_followers(chat)

    # --- silence ---

    def next_deadline(self) -> float | None:
        """Tell when silence has consequences next; None while no chat is open."""
        alert, close = self.settings.idle_alert, self.settings.idle_close
        deadlines = [chat.last_active + alert for chat in first_of(self._quiet)]
        deadlines += [chat.last_active + alert + close for chat in first_of(self._warned)]
        return min(deadlines, default=None)

    def expire(self, *, now: float) -> list[Chat]:
        """Warn and close the chats that were silent for too long; returns those that changed."""
        changed: list[Chat] = []
        closes = self.settings.idle_alert + self.settings.idle_close
        while any(chat.last_active + closes <= now for chat in first_of(self._warned)):
            changed.append(self._close_idle(next(iter(self._warned.values())), now))
        alert = self.settings.idle_alert
        while any(chat.last_active + alert <= now for chat in first_of(self._quiet)):
            changed.append(self._warn_idle(next(iter(self._quiet.values())), now))
        return changed

    def _warn_idle(self, chat: Chat, now: float) -> Chat:
        del self._quiet[chat.id]
        self._warned[chat.id] = chat
        text = f"the chat will be closed in {self.settings.idle_close:g} s unless somebody speaks"
        self._append(chat, EntryKind.IDLE_ALERT, SERVICE_PARTY, now, text=text)
        tell_followers(chat)
        return chat

    def _close_idle(self, chat: Chat, now: float) -> Chat:
        text = "the chat is closed, for nobody spoke"
        self._append(chat, EntryKind.IDLE_CLOSE, SERVICE_PARTY, now, text=text)
        self.end(chat, EndedBy.SERVICE, now=now)
        return chat

    # --- making ---

    def _new_chat(self, request: ChatRequest, attach: Mapping[str, str], now: float) -> Chat:
        attached = {**request.userdata, **attach}
        return Chat(
            number=self.total,
            id=f"{self.total:06X}{self._rng.getrandbits(24):06X}",
            user_id=f"{self._rng.getrandbits(32):08X}",
            secure_key=base64.b64encode(self._rng.randbytes(30)).decode("ascii"),
            alias=str(self._rng.randrange(100, 1000)),
            service=request.service,
            subject=request.subject,
            customer=Party(name=request.nickname, kind=PartyKind.CUSTOMER, id="1"),
            opened_at=now,
            userdata=attached,
            visible=set(attached),
            participants=1,
        )

    def _new_party(self, chat: Chat, nickname: str, kind: PartyKind) -> Party:
        self._check_open(chat)
        chat.participants += 1
        return Party(name=nickname, kind=kind, id=str(chat.participants))

    def _check_open(self, chat: Chat) -> None:
        if not chat.is_open:
            raise CentreError("the chat has ended")
        if len(chat.log) >= self.settings.max_log:
            raise CentreError(f"the chat has {len(chat.log)} entries, which is all that it may")

    def _append(
        self,
        chat: Chat,
        kind: EntryKind,
        party: Party,
        now: float,
        *,
        text: str = "",
        content_type: str = "",
        content: str = "",
        buttons: tuple[Button, ...] = (),
        userdata: Mapping[str, str] = NOTHING,
    ) -> None:
        index = None
        if kind not in FOR_AGENTS:
            index = chat.next_index
            chat.next_index += 1
        chat.log.append(
            Entry(
                kind=kind,
                index=index,
                at=now,
                utc=self._epoch + now,
                party=party,
                text=text,
                content_type=content_type,
                content=content,
                buttons=buttons,
                userdata=userdata,
            )
        )
        if kind not in NO_ACTIVITY:
            self._touch(chat, now)

    def _touch(self, chat: Chat, now: float) -> None:
        chat.last_active = now
        if self._warned.pop(chat.id, None):
            self._quiet[chat.id] = chat
        elif chat.id in self._quiet:
            self._quiet.move_to_end(chat.id)


def first_of(chats: OrderedDict[str, Chat]) -> list[Chat]:
    """Give the first chat, or none."""
    return [next(iter(chats.values()))] if chats else []
