"""The sessions of guests: who has which token, whose sockets, and for how long. Pure.

Theory of operation. A session begins with the first ``configureSession`` of its token, and holds
the conversations that its guest has had: a conversation is a chat of the centre. Sessions are kept
in the order of their last activity, so the one to expire next is always the first. A session that
has neither a socket nor an open chat is *idle*, and remembered only while there are not too many.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from botkit.simulator.chats import Chat
from botkit.simulator.guest_settings import GuestSettings
from botkit.simulator.guest_wire import Frame

__all__ = ["Conversation", "GuestSession", "GuestSessions", "GuestSocket", "Send"]

Send = Callable[[], None]
"""Sends something that was made ready."""

MAX_CONVERSATIONS = 10
"""Conversations of one session whose history is kept."""


class GuestSocket(Protocol):
    """One connection of a guest; nothing that it does waits or raises."""

    @property
    def deployment(self) -> str:
        """The deployment id of its URL."""
        ...

    @property
    def root(self) -> str:
        """The URL by which its guest reaches the simulator over HTTP, without a path."""
        ...

    def send(self, frame: Frame) -> None:
        """Send a frame behind all others; nothing happens if it is closed."""
        ...

    def close(self, code: int = 1000, reason: str = "") -> None:
        """Close it behind all frames."""
        ...


@dataclass(slots=True, kw_only=True, eq=False)
class Conversation:
    """A chat of a guest.

    Attributes:
        joined: it began with ``Join``.
        position: how far the log was sent.
        kept_back: what waits to be sent behind its successor.
    """

    chat: Chat
    joined: bool
    position: int = 0
    kept_back: list[Send] = field(default_factory=list)


@dataclass(slots=True, kw_only=True, eq=False)
class GuestSession:
    """One session.

    Attributes:
        subject: who has signed in; None for a guest.
        root: how the guest, whose last socket knew it, reaches the simulator over HTTP.
        read_only: nothing may be sent until ``startNew``.
        closed: ``closeSession`` has closed all its connections.
        conversations: the latest one is the last.
        sent_at: when the messages of the last window came, for the rate.
    """

    token: str
    deployment: str
    subject: str | None = None
    root: str = ""
    read_only: bool = False
    closed: bool = False
    last_active: float = 0.0
    conversations: deque[Conversation] = field(
        default_factory=lambda: deque(maxlen=MAX_CONVERSATIONS)
    )
    sockets: list[GuestSocket] = field(default_factory=list)
    sent_at: deque[float] = field(default_factory=deque)

    @property
    def open_conversation(self) -> Conversation | None:
        """The conversation that goes on, if there is one."""
        last = self.conversations[-1] if self.conversations else None
        return last if last is not None and last.chat.is_open else None

    def wait_for_rate(self, settings: GuestSettings, now: float) -> float:
        """Count a message; returns how long the guest must wait if there are too many, or 0."""
        while self.sent_at and self.sent_at[0] + settings.rate_window <= now:
            self.sent_at.popleft()
        if len(self.sent_at) >= settings.rate:
            return self.sent_at[0] + settings.rate_window - now
        self.sent_at.append(now)
        return 0.0


class GuestSessions:
    """Keeps all sessions of one simulator, and which tokens have expired lately."""

    def __init__(self, settings: GuestSettings) -> None:
        self._settings = settings
        self._by_token: OrderedDict[str, GuestSession] = OrderedDict()
        self._idle: OrderedDict[str, GuestSession] = OrderedDict()
        self._by_subject: dict[str, GuestSession] = {}
        self._expired: OrderedDict[str, None] = OrderedDict()

    def __len__(self) -> int:
        return len(self._by_token)

    def __iter__(self) -> Iterator[GuestSession]:
        return iter(self._by_token.values())

    def get(self, token: str) -> GuestSession | None:
        """Find a session."""
        return self._by_token.get(token)

    def has_expired(self, token: str) -> bool:
        """Tell whether the session of a token has expired, and none was begun since."""
        return token in self._expired

    def by_subject(self, subject: str) -> GuestSession | None:
        """Find the session of somebody who has signed in."""
        return self._by_subject.get(subject)

    def begin(
        self, token: str, deployment: str, subject: str | None, *, now: float
    ) -> GuestSession:
        """Begin a session, in place of the one that had the token."""
        self.drop(token)
        self._expired.pop(token, None)
        session = GuestSession(token=token, deployment=deployment, last_active=now)
        self._by_token[token] = session
        if subject is not None:
            self.sign_in(session, subject)
        self.settle(session)
        return session

    def sign_in(self, session: GuestSession, subject: str) -> None:
        """Say whose session it is from now on."""
        session.subject = subject
        self._by_subject[subject] = session

    def drop(self, token: str) -> None:
        """Forget a session; its sockets are the caller's."""
        session = self._by_token.pop(token, None)
        self._idle.pop(token, None)
        if session is None or session.subject is None:
            return
        if self._by_subject.get(session.subject) is session:
            del self._by_subject[session.subject]

    def touch(self, session: GuestSession, now: float) -> None:
        """Begin the time of idleness again."""
        if self._by_token.get(session.token) is session:
            session.last_active = now
            self._by_token.move_to_end(session.token)

    def settle(self, session: GuestSession) -> None:
        """Take note that sockets or chats of a session came or went."""
        if self._by_token.get(session.token) is not session:
            return
        if session.sockets or session.open_conversation:
            self._idle.pop(session.token, None)
            return
        self._idle[session.token] = session
        while len(self._idle) > self._settings.keep_sessions:
            self.drop(next(iter(self._idle)))

    # --- expiry ---

    def next_deadline(self) -> float | None:
        """Tell when the next session expires; None if there is none."""
        for session in self._by_token.values():
            return session.last_active + self._settings.duration
        return None

    def take_expired(self, now: float) -> list[GuestSession]:
        """Give the sessions whose time is up; they are forgotten but for their having been."""
        expired: list[GuestSession] = []
        while self._by_token:
            session = next(iter(self._by_token.values()))
            if session.last_active + self._settings.duration > now:
                break
            self.expire(session)
            expired.append(session)
        return expired

    def expire(self, session: GuestSession) -> None:
        """Forget a session, but for its having been."""
        self.drop(session.token)
        self._expired[session.token] = None
        while len(self._expired) > self._settings.keep_sessions:
            self._expired.popitem(last=False)
