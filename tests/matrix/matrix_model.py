"""What the fault matrix is made of: columns, rows, cells.

A row is a fault with what matters about it: where it strikes, how often, in which part of a chat.
A column is a wire. A cell says how a journey of ``talker.yaml`` ends and what the recovery costs.

What a fault strikes on is called differently on each wire, so a row names it by its part in the
chat: ``OPEN``, ``REQUEST``, ``POLL``, ``SAY``.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botkit.results import ExitCode, Reason, Verdict
from botkit.simulator.faults import KINDS, Fault, make_fault


class Part(enum.Enum):
    """The exchanges that every chat has, whatever its wire calls them."""

    OPEN = "the first request"
    REQUEST = "the request for a chat"
    POLL = "a poll"
    SAY = "a line"
    ANY = "any request"


OPEN, REQUEST, POLL, SAY, ANY = Part


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A wire, and how a test gets it.

    Attributes:
        key: what rows call it.
        title: for people.
        connector: its name.
        options: of the connector.
        words: what faults call the exchanges of a chat on it.
        wires: what faults call the wire itself.
    """

    key: str
    title: str
    connector: str
    options: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[Part, str]
    wires: frozenset[str]


BAYEUX_WORDS = {
    OPEN: "handshake",
    REQUEST: "requestChat",
    POLL: "connect",
    SAY: "sendMessage",
    ANY: "any",
}
COMETD = Column(
    key="cometd",
    title="`gms-cometd`, long polling",
    connector="gms-cometd",
    words=BAYEUX_WORDS,
    wires=frozenset({"gms-cometd"}),
)
SOCKET = Column(
    key="socket",
    title="`gms-cometd`, WebSocket",
    connector="gms-cometd",
    options={"transport": "websocket"},
    words=BAYEUX_WORDS,
    wires=frozenset({"gms-cometd", "gms-cometd-upgrade"}),
)
REST = Column(
    key="rest",
    title="`gms-rest`",
    connector="gms-rest",
    words={**BAYEUX_WORDS, OPEN: "requestChat", POLL: "refresh"},
    wires=frozenset({"gms-rest"}),
)
GUEST = Column(
    key="guest",
    title="`genesys-cloud`",
    connector="genesys-cloud",
    words={**BAYEUX_WORDS, OPEN: "configureSession", REQUEST: "onMessage", POLL: "echo"},
    wires=frozenset({"genesys-cloud", "genesys-cloud-http"}),
)
COLUMNS = (COMETD, SOCKET, REST, GUEST)

LINES = ("one", "two", "three", "four")
"""What the talker says."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """How a journey ends under one fault on one wire.

    Attributes:
        interrupted, continued: how often these hooks are called; None for again and again.
        reached: the customer's lines that the service has, each once; None for any number of
            them, each once at most.
        chats: how many chats the service has seen.
        not_left: how many of them the customer did not leave; None where that depends.
        complete: botkit's transcript is the service's.
        handshakes: Bayeux handshakes besides the first; None where there are none to count.
        rebinds: how often the chat was bound again to a session; None likewise.
        words: in the message of a verdict that is not passed.
        why: what is to be known about it.
    """

    verdict: Verdict = Verdict.PASSED
    reason: Reason = Reason.OK
    interrupted: int | None = 0
    continued: int | None = 0
    reached: tuple[str, ...] | None = LINES
    chats: int = 1
    not_left: int | None = 0
    complete: bool = True
    handshakes: int | None = None
    rebinds: int | None = None
    words: str = ""
    why: str = ""

    @property
    def code(self) -> ExitCode:
        """The exit code of a run with this journey alone."""
        if self.reason is Reason.UNREACHABLE:
            return ExitCode.UNREACHABLE
        return {
            Verdict.PASSED: ExitCode.PASSED,
            Verdict.FAILED: ExitCode.FAILED,
            Verdict.ERROR: ExitCode.ERROR,
        }[self.verdict]


@dataclass(frozen=True, slots=True)
class NotHere:
    """Why a fault does not exist on a wire."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """The network is gone: no connection stays, and none can be made.

    Attributes:
        seconds: until it is back; None for ever.
    """

    seconds: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Strike:
    """A fault of the simulator, and what it strikes in words of any wire."""

    name: str
    on: Part | str | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    def on_wire(self, column: Column) -> Fault:
        """Give the fault in the words of a wire."""
        on = column.words[self.on] if isinstance(self.on, Part) else self.on
        return make_fault(self.name, **({"on": on} if on else {}), **self.settings)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One fault.

    Attributes:
        what: for people, one line; also the name of the row.
        from_the_start: it waits from the beginning, or else comes in mid-chat.
        causes: what goes wrong.
        cells: by the key of the column.
    """

    what: str
    from_the_start: bool
    causes: tuple[Strike | Outage, ...]
    cells: Mapping[str, Cell | NotHere]


# --- how journeys end ----------------------------------------------------------------------------


def passed(**members: Any) -> Cell:
    return Cell(**members)


def back(times: int | None = 1, **members: Any) -> Cell:
    """It passes, after the connection was lost and won back."""
    return Cell(**{"interrupted": times, "continued": times, **members})


def failed(reason: Reason, **members: Any) -> Cell:
    given = {"verdict": Verdict.FAILED, "reason": reason, "reached": None, **members}
    return Cell(**given)


def not_opened(reason: Reason, words: str, **members: Any) -> Cell:
    """No chat came about, and none was left behind."""
    return failed(reason, words=words, **{"reached": (), "chats": 0, **members})


def strike(name: str, on: Part | str | None = None, **settings: Any) -> Strike:
    assert name in KINDS, name
    return Strike(name=name, on=on, settings=settings)


def opening(what: str, *causes: Strike, **cells: Cell | NotHere) -> Row:
    return Row(what=what, from_the_start=True, causes=causes, cells=by_column(cells))


def in_chat(what: str, *causes: Strike | Outage, **cells: Cell | NotHere) -> Row:
    return Row(what=what, from_the_start=False, causes=causes, cells=by_column(cells))


def by_column(cells: Mapping[str, Cell | NotHere]) -> Mapping[str, Cell | NotHere]:
    """Spread what holds for all wires, and what holds for both transports of Bayeux."""
    spread: dict[str, Cell | NotHere] = {}
    if "all" in cells:
        spread |= {column.key: cells["all"] for column in COLUMNS}
    if "bayeux" in cells:
        spread |= {COMETD.key: cells["bayeux"], SOCKET.key: cells["bayeux"]}
    return spread | {key: cell for key, cell in cells.items() if key not in ("all", "bayeux")}
