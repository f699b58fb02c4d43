"""What plugins implement, and what hooks and bots are given.

Implemented by plugins: :class:`Connector`, :class:`Matcher`, :class:`Action`, :class:`Reporter`,
:class:`AlertSink`, :class:`StateStorage`, :class:`Bot`. Given to hooks and bots: :class:`Session`
and :class:`JourneyInfo`. It is one page, though a long one, for authors look
things up in it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol, TypeVar, runtime_checkable

import trio

from botkit.chat import Button, Command, Event, FileLimits, Message, Restoration, Row
from botkit.errors import BotkitError
from botkit.masking import Masker
from botkit.records import quickly_made
from botkit.results import Alert, JourneyResult, RunResult, StepResult

__all__ = [
    "SIMULATOR",
    "Action",
    "ActionContext",
    "AlertSink",
    "Bot",
    "ConnectOptions",
    "Connector",
    "Deliver",
    "Exchange",
    "JourneyInfo",
    "JourneyPlan",
    "Limits",
    "Match",
    "Matcher",
    "Miss",
    "NetworkSettings",
    "Opening",
    "Outcome",
    "Reporter",
    "Request",
    "Script",
    "Session",
    "State",
    "StateStorage",
    "Tracer",
    "Wiretap",
    "connector_for",
    "match_message",
]

NOTHING: Mapping[str, str] = MappingProxyType({})
E = TypeVar("E", bound=Event)


# --- opening a session ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """How to reach a server.

    Attributes:
        verify: check TLS certificates.
        ca_file: certificates to trust instead of the system's, PEM.
        client_cert: a client certificate with its key, PEM.
        proxy: URL of a proxy; None lets the environment decide, as in httpx.
        trust_env: heed HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE and their like.
        headers: sent with every request; may replace the User-Agent.
        auth: user and password for HTTP basic authentication.
        user_agent: None stands for ``botkit/<version> (+synthetic)``.
        max_reply_bytes: a larger reply is refused.
    """

    verify: bool = True
    ca_file: Path | None = None
    client_cert: Path | None = None
    proxy: str | None = None
    trust_env: bool = True
    headers: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    auth: tuple[str, str] | None = None
    user_agent: str | None = None
    max_reply_bytes: int = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectOptions:
    """What a bot, a command or a program says about the session to open; None is "not said".

    Attributes:
        connector: name of a wire; None lets the URL decide.
        server: what the Chat Service calls ``serverUrl``.
        options: of the connector, by name (``channel``, say); unknown ones are refused by it.
        agents: agent scripts of the embedded simulator.
        faults: its faults, a file.
        seed: of its ids and of its chance.
        open_within: limit of opening, seconds.
    """

    connector: str | None = None
    server: str | None = None
    service: str | None = None
    nickname: str | None = None
    subject: str | None = None
    userdata: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    options: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    network: NetworkSettings | None = None
    agents: Path | None = None
    faults: Path | None = None
    seed: int | None = None
    open_within: float | None = None


class Wiretap(Protocol):
    """Sees what goes over the wire of one chat."""

    def __call__(self, *, sent: bool, what: str, text: str, cut: bool) -> None:
        """Take one frame; called in the middle of the exchange, so it neither waits nor raises.

        Args:
            sent: it went to the service; else it came from there.
            what: one line that says what it is, such as ``POST /connect`` or ``frame``.
            text: what stood in it, without headers and without credentials.
            cut: more stood in it.
        """


class Exchange(Protocol):
    """A request of a chat that is under way, as a :class:`Tracer` follows it.

    Its methods are called in the middle of the exchange, so they neither wait nor raise.
    """

    @property
    def headers(self) -> Mapping[str, str]:
        """What tells the server of it: sent with the request, in place of what the chat's settings
        say under these names."""

    def answered(self, status: int) -> None:
        """Hear that the reply is here, whole."""

    def broke(self, error: BaseException) -> None:
        """Hear that there is none: what was raised instead, cancellation included."""

    def frame(self, *, sent: bool, size: int) -> None:
        """Hear of a message on the WebSocket that it opened.

        Args:
            sent: it goes to the service; else it came from there.
            size: characters.
        """


class Tracer(Protocol):
    """Follows the requests of one chat."""

    def request(self, method: str, url: str) -> Exchange:
        """Follow a request, from now on; called where it is sent, so it neither waits nor raises.

        Args:
            url: may hold what nobody is to be shown.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """All that a connector needs to open one chat; every field is decided."""

    url: str = ""
    service: str = "demo"
    nickname: str = "Customer"
    subject: str | None = None
    userdata: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    options: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    agents: Path | None = None
    faults: Path | None = None
    seed: int | None = None
    open_within: float = 15.0
    transport: Any = None
    """An ``httpx.AsyncBaseTransport`` to use instead of sockets."""
    restore: Mapping[str, Any] | None = None
    """The state of a chat to win back, instead of opening one."""
    keep_state: bool = False
    """Deliver a :class:`State` whenever it has changed."""
    wiretap: Wiretap | None = None
    """Sees all that goes over the wire; None costs nothing."""
    tracer: Tracer | None = None
    """Follows each request; None costs nothing."""


SIMULATOR = "simulator"
"""The connector that needs no server, for it starts one."""


def connector_for(server: str | None) -> str:
    """Choose the wire by the server's URL, where nobody named one."""
    if server is None:
        return SIMULATOR
    if server.startswith("wss://webmessaging."):
        return "genesys-cloud"
    return "gms-cometd"


# --- connectors ----------------------------------------------------------------------------------


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A command on its way to a connector; the outcome comes back under its number."""

    number: int
    command: Command


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a request: ``error`` is None if the service accepted it."""

    number: int
    at: float
    error: BotkitError | None = None
    value: object = None
    """What the command asked for: a file's name, its bytes, ``FileLimits``; else None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What is needed to win the chat back, as it is now; JSON can hold it.

    ``connector``, ``server``, ``service`` and ``session_id`` are always in it; what else there is
    belongs to the connector.
    """

    state: Mapping[str, Any]


Deliver = Callable[[Event | Outcome | State], None]
"""Takes what a connector has read; never waits, may raise InboxOverflow."""


class Connector(Protocol):
    """Speaks one wire; one object serves all chats of a process."""

    on_simulator: bool
    """The contact centre behind it is botkit's own."""

    lacks: Mapping[type[Command], str]
    """The commands that this wire has no way to do, each with the reason, for people."""

    def check(self, opening: Opening) -> None:
        """Refuse what this wire cannot do, before anything is opened.

        Raises:
            ConfigError: naming the option.
        """

    def running(self) -> AbstractAsyncContextManager[None]:
        """Hold what all chats share (an embedded server, say); entered once around them."""

    def server_of(self, opening: Opening) -> str:
        """Name the server that a chat with this opening goes to, for evidence."""

    async def connect(
        self,
        opening: Opening,
        requests: AsyncIterator[Request],
        deliver: Deliver,
        *,
        task_status: trio.TaskStatus[None],
    ) -> None:
        """Open a chat, carry it, and leave it; started with ``nursery.start``.

        Calls ``task_status.started()`` when the chat is open, after delivering SessionStarted.
        Then it performs each request, delivers every event, and an Outcome for each request. A
        ``Leave`` command or the end of the requests makes it leave the chat and return; so does
        being cancelled, in a shielded scope with a short deadline of its own. The last event is
        always SessionEnded, once the chat was started. What ends the chat from outside is an
        event and not an exception.

        A ``Detach`` command makes it close its connections without a word, leave the chat open
        and return. It delivers an Outcome whose value is the mapping of the present State, at once
        and without waiting, and no SessionEnded then.

        With ``opening.restore`` it wins that chat back instead of opening one: it delivers
        SessionRestored in place of SessionStarted, then what the service repeats, in order and
        marked as ``history`` if it is not later than the state's position, then what is new.

        Raises:
            ChatRefused: the service did not open the chat (before ``started``).
            RestoreFailed: the service does not know the chat any more, or it has ended (before
                ``started``).
            StateError: the state to restore is not one of this connector, server and service, or
                cannot be read (before ``started``).
            ConnectorError: the server could not be reached (before ``started``).
            RemoteProtocolError: the server talks nonsense (before ``started``).
            ConfigError: the settings do not work.
        """


# --- what hooks and bots are given ---------------------------------------------------------------


class Session(Protocol):
    """One chat, from the customer's side."""

    @property
    def id(self) -> str | None:
        """The service's name of the chat; None before it is opened."""

    @property
    def is_open(self) -> bool:
        """Commands are still accepted."""

    @property
    def nickname(self) -> str:
        """The customer's name in this chat."""

    @property
    def userdata(self) -> Mapping[str, str]:
        """All user data that this session may see now."""

    async def send_message(self, text: str, *, content_type: str = "text") -> None: ...
    async def send_typing(self, is_typing: bool = True, *, preview: str = "") -> None: ...
    async def send_notice(self, text: str) -> None: ...
    async def push_url(self, url: str) -> None: ...
    async def update_nickname(self, nickname: str) -> None: ...
    async def set_userdata(self, userdata: Mapping[str, str]) -> None: ...
    async def get_userdata(self, key: str) -> dict[str, str]: ...
    async def delete_userdata(self, key: str) -> float: ...
    async def read_receipt(self, index: int) -> None: ...
    async def get_transcript(self, from_index: int = 0) -> tuple[Row, ...]: ...
    async def press_button(self, button: Button, *, message_id: str = "") -> None: ...
    async def send_file(
        self, name: str, content: bytes, *, media_type: str = "application/octet-stream"
    ) -> str:
        """Put a file into the chat; returns the service's name of it."""

    async def get_file_limits(self) -> FileLimits: ...
    async def download_file(self, file_id: str) -> bytes: ...
    async def delete_file(self, file_id: str) -> None: ...
    async def reload(self, away_for: float = 0.0) -> Restoration:
        """Let go of the connection, stay away for so many seconds, and come back."""

    async def detach(self) -> None:
        """Let go of the connection and leave the chat open, to be restored later."""

    async def perform(self, command: Command) -> Any:
        """Do any command; what the methods above are made of.

        Returns:
            What the command asked for: a file's name, its bytes, ``FileLimits``, a
            ``Restoration``; None for all the others.
        """

    def subscribe(self, reader: Callable[[Event], None]) -> None:
        """Make a function the one reader of this session.

        It is called with every event from the beginning of the session on, the moment it is read;
        it must not wait. ``expect`` and ``wait_for`` see nothing more.
        """

    async def leave(self) -> None: ...
    async def wait_for(
        self, kind: type[E], *, within: float = 30.0, slow_after: float | None = None
    ) -> E: ...
    async def expect(
        self,
        matcher: Matcher,
        *,
        within: float = 30.0,
        slow_after: float | None = None,
        from_: str | None = None,
    ) -> Message: ...
    async def expect_next(
        self,
        matcher: Matcher,
        *,
        within: float = 30.0,
        slow_after: float | None = None,
        from_: str | None = None,
    ) -> Message: ...
    def on(self, kind: type[E], callback: Callable[[E], Awaitable[None] | None]) -> None: ...
    def events(self) -> AsyncIterator[Event]: ...


class JourneyInfo(Protocol):
    """The journey that a hook runs in."""

    @property
    def run_id(self) -> str: ...
    @property
    def journey_id(self) -> str: ...
    @property
    def bot(self) -> str: ...
    @property
    def name(self) -> str: ...
    @property
    def row(self) -> Mapping[str, str]: ...
    @property
    def on_simulator(self) -> bool: ...
    @property
    def began(self) -> float:
        """The loop's clock when the journey began, seconds."""

    @property
    def deadline(self) -> float:
        """The loop's clock when ``limits.whole_chat`` ends the journey, seconds."""

    def note(self, text: str) -> None:
        """Write something down for the evidence."""

    def measure(self, name: str, seconds: float) -> None:
        """Record a named duration for the evidence."""

    def mask(self, text: str) -> str:
        """Write ``***`` for everything in a text that evidence must not show."""


# --- bots ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Times that bound a journey, seconds."""

    whole_chat: float = 300.0


class Script(Protocol):
    """One journey's own copy of a bot: any ``on_*`` hooks, and ``run`` if it has a script."""

    async def run(self, session: Session) -> None:
        """Hold the chat from start to end.

        An AssertionError or a broken expectation means ``failed``, any other exception ``error``.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class JourneyPlan:
    """One journey to be played: a bot with one row of its data.

    Attributes:
        bot: the bot's name.
        name: the bot's name, with the row's name in brackets if there is one.
        title: what the bot proves.
        file: as the user named it; None if the bot came from a plugin.
        line: where the bot begins.
        row: the values of ``${row.x}``.
        row_file: where the row is written: a file of data or the bot's own; None without a row.
        row_line: its first line there, from 1.
        masker: hides what of it must not be shown.
        new_script: makes the journey's own copy; called once per journey.
    """

    bot: str
    name: str
    title: str = ""
    file: str | None = None
    line: int | None = None
    tags: tuple[str, ...] = ()
    row: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    row_file: str | None = None
    row_line: int | None = None
    connect: ConnectOptions = field(default_factory=ConnectOptions)
    limits: Limits = field(default_factory=Limits)
    masker: Masker = field(default_factory=Masker)
    new_script: Callable[[], object]


class Bot(Protocol):
    """What the customer does; loaded once, played many times."""

    @property
    def name(self) -> str: ...
    @property
    def tags(self) -> tuple[str, ...]: ...
    def plans(self) -> Sequence[JourneyPlan]:
        """Give the journeys to play: one, or one for each row of its data."""


# --- matchers and actions ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A matcher fits; ``captures`` become variables."""

    captures: Mapping[str, str] = field(default_factory=lambda: NOTHING)


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Miss:
    """A matcher does not fit, and says why in one line."""

    why: str


@runtime_checkable
class Matcher(Protocol):
    """Tells whether a text is what was expected.

    That is all a matcher needs to know; of a message that offers buttons it is asked about the
    text, and then about each button. One that is made of others, or looks into structured content,
    may have ``match_message(self, message: Message) -> Match | Miss`` besides, which is asked
    instead; see :func:`match_message`.
    """

    def match(self, text: str) -> Match | Miss: ...
    def __str__(self) -> str:
        """Say in words what is expected: ``a message containing "hello"``."""


def match_message(matcher: Matcher, message: Message) -> Match | Miss:
    """Ask a matcher about a message: its text first, then each of its buttons on its own."""
    if not message.buttons and not message.content:
        return matcher.match(message.text)
    whole: Callable[[Message], Match | Miss] | None = getattr(matcher, "match_message", None)
    if whole is not None:
        return whole(message)
    answer = matcher.match(message.text)
    if not isinstance(answer, Miss) or not message.buttons:
        return answer
    for button in message.buttons:
        of_button = matcher.match(button.text)
        if not isinstance(of_button, Miss):
            return of_button
    shown = ", ".join(button.text for button in message.buttons)
    return Miss(why=f"{answer.why}; nor does any of its buttons ({shown}) fit")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionContext:
    """What an action is given besides its own arguments."""

    journey: JourneyInfo
    session: Session
    variables: Mapping[str, str]


class Action(Protocol):
    """Something a bot may ``call``; sync or async.

    It is called with what stands under ``with``, texts by name; a type checker takes any function
    of named arguments for one.

    Returns None, a value for ``as: NAME`` (turned into text), or commands for the session to
    perform.
    """

    def __call__(
        self, context: ActionContext, /, *args: Any, **arguments: Any
    ) -> str | Sequence[Command] | Awaitable[str | Sequence[Command] | None] | None: ...


# --- reports, alerts, storage --------------------------------------------------------------------


class Reporter(Protocol):
    """Tells the world how a run goes; called in order, from one task.

    Whoever derives from it need only have the methods that matter; the others do nothing. Nothing
    that it is given says what is masked, the row and the name of the journey included.
    """

    def journey_started(self, journey: JourneyInfo) -> None:
        """A journey begins."""
        return

    def event(self, journey: JourneyInfo, row: Row) -> None:
        """Something happened in a chat."""
        return

    def step_finished(self, journey: JourneyInfo, step: StepResult) -> None:
        """A journey has come one step further."""
        return

    def journey_finished(self, result: JourneyResult) -> None:
        """A journey is over."""
        return

    def run_finished(self, run: RunResult) -> None:
        """All are over."""
        return


class AlertSink(Protocol):
    """Takes an alert to where people see it.

    It may be cancelled when it takes too long, and be asked again after anything that it raises but
    ConfigError, which says that asking again is of no use. One that can show several at once may
    have ``deliver_group(self, alerts: Sequence[Alert])`` besides, which is asked instead when
    several begin together, or end.
    """

    async def deliver(self, alert: Alert) -> None: ...


class StateStorage(Protocol):
    """Keeps what is needed to restore a session; methods may be sync or async.

    ``state`` is a mapping that JSON can hold; ``read`` returns what was written last, or None. An
    empty mapping says that the chat is over: nothing is stored then, and ``read`` returns None.

    A ``def`` is called in a thread, so it may wait, unless the object has ``blocks = False``; an
    ``async def`` is called on the loop. What cannot be used is no reason to return None: raise.
    """

    def write(self, state: Mapping[str, Any]) -> Awaitable[None] | None: ...
    def read(self) -> Awaitable[Mapping[str, Any] | None] | Mapping[str, Any] | None: ...
