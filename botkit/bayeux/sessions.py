"""The sessions of a server: their queues, their browsers, and when they expire."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from heapq import heappop, heappush

from botkit.bayeux.acknowledging import ACK, SentBatches
from botkit.bayeux.advice import Advice
from botkit.bayeux.events import CloseReason
from botkit.bayeux.messages import CONNECT, Message, is_meta, matching_patterns
from botkit.bayeux.states import SERVER_TABLE, SessionInput, SessionState
from botkit.bayeux.timesync import ClockAnswer

__all__ = ["Exchange", "ServerSession", "Sessions"]


class Exchange:
    """One request on its way to its reply. Made by ``Server.receive``.

    Attributes:
        deadline: while the connect in it is held, when to answer it at the latest; else None.
        on_wake: set by the caller; called once when a held exchange has become due.
        set_cookie: the browser cookie to set with the reply, or None.
        clocks: what replies will tell of the time, by the position of the reply.
    """

    __slots__ = (
        "clocks",
        "deadline",
        "on_wake",
        "replies",
        "session",
        "set_cookie",
        "status",
        "woken",
    )

    def __init__(self) -> None:
        self.deadline: float | None = None
        self.on_wake: Callable[[], None] | None = None
        self.replies: list[Message] = []
        self.clocks: dict[int, ClockAnswer] = {}
        self.session: ServerSession | None = None
        self.set_cookie: str | None = None
        self.status = 200
        self.woken = False

    @property
    def is_held(self) -> bool:
        """Whether the reply has to wait until the deadline or until the exchange is woken."""
        return self.deadline is not None and not self.woken

    def wake(self) -> None:
        """Make a held exchange due."""
        if self.is_held:
            self.woken = True
            if self.on_wake is not None:
                self.on_wake()

    def number(self, sent: SentBatches, events: list[Message]) -> list[Message]:
        """Give the reply to the connect a batch, and return the messages of that."""
        index = next(i for i, reply in enumerate(self.replies) if reply.channel == CONNECT)
        reply = self.replies[index]
        if not reply.successful:
            return events
        messages = sent.send(events)
        self.replies[index] = replace(reply, ext={**(reply.ext or {}), ACK: sent.batch})
        return messages

    def look_at_clock(self, message: Message, now: float) -> None:
        """Note whether the next reply is to tell the time, of the server's clock."""
        clock = ClockAnswer.due(message.ext, now) if is_meta(message.channel) else None
        if clock is not None:
            self.clocks[len(self.replies)] = clock

    def tell_time(self, now: float) -> None:
        """Write the time into the replies that are to tell it."""
        for index, clock in self.clocks.items():
            reply = self.replies[index]
            self.replies[index] = replace(reply, ext={**(reply.ext or {}), **clock.write(now)})


@dataclass(slots=True, kw_only=True, eq=False)
class ServerSession:
    """One client, seen from the server.

    Attributes:
        browser: the cookie it belongs to.
        connected: a connect has come in.
        poll: the exchange whose connect is held.
        open_exchanges: requests that will soon be answered and can carry events away.
        last_advice: what the client was told last.
        expires_at: None while a connect is held.
        scheduled: whether the session stands in the heap of expiries.
        on_push: called when a message waits for a client that can be pushed to.
        sent: what was sent and is to be acknowledged; None where nothing is.
    """

    id: str
    browser: str
    transport: str
    state: SessionState = SessionState.IDLE
    connected: bool = False
    queue: list[Message] = field(default_factory=list)
    subscriptions: dict[str, None] = field(default_factory=dict)
    poll: Exchange | None = None
    open_exchanges: int = 0
    last_advice: Advice | None = None
    expires_at: float | None = None
    scheduled: bool = False
    on_push: Callable[[], None] | None = None
    closed_by: CloseReason | None = None
    sent: SentBatches | None = None

    @property
    def waiting(self) -> int:
        """How many messages wait to be sent, or sent again."""
        return len(self.queue) + (0 if self.sent is None else len(self.sent))

    @property
    def only_resends(self) -> bool:
        """Whether nothing waits but what was sent before; CometD acts as if asked to return."""
        return bool(self.sent) and not self.queue

    def move(self, input: SessionInput) -> None:
        self.state = SERVER_TABLE[self.state][input]

    def take_queue(self) -> list[Message]:
        """Return what waits, and forget it."""
        taken, self.queue = self.queue, []
        return taken


class Sessions:
    """All sessions, by id, by browser, by subscription and by expiry."""

    def __init__(self) -> None:
        self._by_id: dict[str, ServerSession] = {}
        self._by_browser: dict[str, dict[str, ServerSession]] = {}
        self._by_pattern: dict[str, dict[str, ServerSession]] = {}
        # One entry at most for each session. A session whose expiry has moved meanwhile is put
        # back when its entry comes up, which is cheaper than to move it with each connect.
        self._expiries: list[tuple[float, str]] = []

    def __len__(self) -> int:
        return len(self._by_id)

    def __iter__(self) -> Iterator[ServerSession]:
        return iter(list(self._by_id.values()))

    def add(self, session: ServerSession) -> None:
        self._by_id[session.id] = session
        self._by_browser.setdefault(session.browser, {})[session.id] = session

    def remove(self, session: ServerSession) -> None:
        del self._by_id[session.id]
        siblings = self._by_browser[session.browser]
        del siblings[session.id]
        if not siblings:
            del self._by_browser[session.browser]
        for pattern in list(session.subscriptions):
            self.unsubscribe(session, pattern)

    def get(self, id: str) -> ServerSession | None:
        return self._by_id.get(id)

    def of_browser(self, browser: str) -> dict[str, ServerSession]:
        return self._by_browser.get(browser, {})

    def subscribe(self, session: ServerSession, pattern: str) -> None:
        session.subscriptions[pattern] = None
        self._by_pattern.setdefault(pattern, {})[session.id] = session

    def unsubscribe(self, session: ServerSession, pattern: str) -> None:
        if pattern in session.subscriptions:
            del session.subscriptions[pattern]
            subscribers = self._by_pattern[pattern]
            del subscribers[session.id]
            if not subscribers:
                del self._by_pattern[pattern]

    def subscribers(self, channel: str) -> list[ServerSession]:
        """Return every session with a subscription that reaches the channel, each once."""
        found: dict[str, ServerSession] = {}
        for pattern in matching_patterns(channel):
            found.update(self._by_pattern.get(pattern, {}))
        return list(found.values())

    def expire_at(self, session: ServerSession, when: float | None) -> None:
        """Set when the session expires; None for never, while a connect is held."""
        session.expires_at = when
        if when is not None and not session.scheduled:
            session.scheduled = True
            heappush(self._expiries, (when, session.id))

    def next_expiry(self) -> float | None:
        """Return a time not later than the next expiry, or None if nothing can expire."""
        return self._expiries[0][0] if self._expiries else None

    def pop_expired(self, now: float) -> Iterator[ServerSession]:
        """Yield the sessions whose time has come. The caller removes them."""
        while self._expiries and self._expiries[0][0] <= now:
            _, id = heappop(self._expiries)
            session = self._by_id.get(id)
            if session is None:
                continue
            session.scheduled = False
            if session.expires_at is None:
                continue
            if session.expires_at <= now:
                yield session
            else:
                self.expire_at(session, session.expires_at)
