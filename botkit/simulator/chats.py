"""One chat, as the contact centre keeps it: its log, who is in it, who follows it. Pure."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from botkit.chat import Button, EndedBy, Party, PartyKind
from botkit.simulator.files import FileRoom

NOTHING: Mapping[str, str] = MappingProxyType({})
SERVICE_PARTY = Party(name="system", kind=PartyKind.EXTERNAL, id="0")
"""Who speaks for the contact centre itself."""


class EntryKind(enum.Enum):
    """What an entry of the log tells."""

    JOINED = "joined"
    LEFT = "left"
    MESSAGE = "message"
    TYPING_STARTED = "typing_started"
    TYPING_STOPPED = "typing_stopped"
    NICKNAME = "nickname"
    PUSHED_URL = "pushed_url"
    NOTICE = "notice"
    FILE_UPLOADED = "file_uploaded"
    FILE_DELETED = "file_deleted"
    IDLE_ALERT = "idle_alert"
    IDLE_CLOSE = "idle_close"
    # For agents alone:
    USERDATA = "userdata"
    READ = "read"
    ENDED = "ended"


FOR_AGENTS = frozenset({EntryKind.USERDATA, EntryKind.READ, EntryKind.ENDED})
NO_ACTIVITY = frozenset({EntryKind.IDLE_ALERT, EntryKind.IDLE_CLOSE, EntryKind.ENDED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One thing that happened in a chat.

    Attributes:
        index: position in the transcript that the customer sees; None if it is for agents alone.
        at: the loop's clock, seconds.
        utc: epoch seconds.
        party: who did it.
        text: the line, the page, the new name, the notice.
        content: structured content as JSON text, as the customer's wire brought it.
        buttons: the answers that an agent offers with the line.
        userdata: of a join what the customer is told with it; of ``USERDATA`` what changed; of a
            file what there is to know about it.
    """

    kind: EntryKind
    index: int | None
    at: float
    utc: float
    party: Party
    text: str = ""
    content_type: str = ""
    content: str = ""
    buttons: tuple[Button, ...] = ()
    userdata: Mapping[str, str] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatRequest:
    """What a customer asks for."""

    service: str
    nickname: str
    subject: str | None = None
    userdata: Mapping[str, str] = field(default_factory=lambda: NOTHING)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentReport:
    """How an agent's script ended: an expectation of an agent is a promise under test, too."""

    agent: str
    verdict: str
    message: str = ""


@dataclass(slots=True, kw_only=True, eq=False)
class Chat:
    """One chat; changed by :class:`Centre` alone.

    Attributes:
        number: counts the chats of a centre from 1.
        user_id: the customer, in the service's words.
        secure_key: what the customer proves with that the chat is theirs.
        alias: the machine that serves it.
        userdata: all that is attached.
        visible: the keys that the customer may see: set by the customer, or attached for the
            customer by the routing.
        agents: who is in the chat besides the customer, by participant id.
        had_agent: somebody joined, now or earlier.
        read_up_to: the last index that the customer said was read.
        ended_by: None while it is open.
        room: its files; None until there was one.
        reports: what became of its agents' scripts.
        followers: called after each change, the last time when it has ended; they must not raise.
    """

    number: int
    id: str
    user_id: str
    secure_key: str
    alias: str
    service: str
    subject: str | None
    customer: Party
    opened_at: float
    userdata: dict[str, str]
    visible: set[str]
    log: list[Entry] = field(default_factory=list)
    next_index: int = 1
    agents: dict[str | None, Party] = field(default_factory=dict)
    participants: int = 0
    had_agent: bool = False
    read_up_to: int = 0
    last_active: float = 0.0
    ended_by: EndedBy | None = None
    ended_at: float | None = None
    room: FileRoom | None = None
    reports: list[AgentReport] = field(default_factory=list)
    followers: list[Callable[[Chat], None]] = field(default_factory=list)

    @property
    def is_open(self) -> bool:
        return self.ended_by is None

    @property
    def state(self) -> str:
        """``queued`` until an agent has joined, then ``active``, then ``ended``."""
        if self.ended_by is not None:
            return "ended"
        return "active" if self.had_agent else "queued"

    def visible_userdata(self) -> dict[str, str]:
        """Give what the customer may see."""
        return {key: value for key, value in self.userdata.items() if key in self.visible}

    def position_of(self, index: int) -> int:
        """Find the place in the log of a transcript index; the end if it is yet to come."""
        # Entries without an index only make the place come later, never earlier.
        for position in range(max(0, index - 1), len(self.log)):
            found = self.log[position].index
            if found is not None and found >= index:
                return position
        return len(self.log)


def tell_followers(chat: Chat) -> None:
    """Say that there is something new to read."""
    for follower in tuple(chat.followers):
        follower(chat)
