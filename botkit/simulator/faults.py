"""Faults on demand: which of them strikes here and now. Pure.

Theory of operation. The simulator asks at fixed *points*: before it answers a request, before it
pushes something to a customer, when a chat is given to an agent. A :class:`Fault` says at which
points it waits (``on``, ``service``, ``session``), how many it lets pass (``after``), how often it
strikes (``times``) and how likely (``probability``). The first fault that strikes decides; the
others do not count that point as theirs.

Counting is over all customers together, unless ``each_session`` is set: then every customer has
counts of their own. A customer is known by the browser cookie, which outlives a Bayeux session; on
a server without cookies by the session.
"""

from __future__ import annotations

import enum
import random
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeVar

V = TypeVar("V")

MAX_COUNTED = 100_000
"""Customers whose counts are kept; past that the oldest are forgotten."""


class Point(enum.Enum):
    """Where faults are asked for."""

    REQUEST = "request"
    """A request has arrived and was not looked into by the Bayeux server."""
    PUSH = "push"
    """Something that happened in a chat is about to be pushed to its customer."""
    ASSIGNMENT = "assignment"
    """A chat is about to be given to its agent."""
    OPERATION = "operation"
    """The chat service is about to do what a customer asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultKind:
    """What faults of one name have in common.

    Attributes:
        point: where they strike.
        on: where exactly, unless the fault says so itself.
        seconds: their duration, unless the fault says so itself; None if they have none.
        options: what ``option`` may be; the first is the default.
        only_on: what ``on`` may be, if that is less than the point offers.
        wires: the wires that it can strike on; empty for all of them.
        about: one line for people.
    """

    point: Point
    on: str
    about: str
    seconds: float | None = None
    options: tuple[str, ...] = ()
    only_on: tuple[str, ...] = ()
    wires: tuple[str, ...] = ()


COMETD = "gms-cometd"
COMETD_UPGRADE = "gms-cometd-upgrade"
"""The request for a WebSocket, which bears no messages; what concerns those strikes on
``COMETD``, in frames as in bodies."""
REST = "gms-rest"
GUEST = "genesys-cloud"
GUEST_HTTP = "genesys-cloud-http"
"""The requests of guests that are no frames; what only concerns frames strikes on ``GUEST``."""
ANY = "any"
REQUESTS = ("handshake", "connect", "subscribe", "unsubscribe", "publish", "meta_disconnect")
OPERATIONS = (
    "requestChat",
    "sendMessage",
    "startTyping",
    "stopTyping",
    "customNotice",
    "updateNickname",
    "updateData",
    "pushUrl",
    "readReceipt",
    "requestNotifications",
    "refresh",
    "fileUpload",
    "fileGetLimits",
    "fileDownload",
    "fileDelete",
    "disconnect",
)
ACTIONS = (
    "configureSession",
    "configureAuthenticatedSession",
    "onMessage",
    "echo",
    "onAttachment",
    "getAttachment",
    "deleteAttachment",
    "getJwt",
    "closeSession",
)
GUEST_REQUESTS = ("upgrade", "config", "history", "upload", "download", "token")
"""The frames of guests, and their other requests. Frames go by the words of the other wires, too:
what configures a session is a ``handshake``, any other frame a ``connect``, and ``onMessage`` is a
``publish`` of the operation that comes nearest to it."""
PUSHES = (
    "joined",
    "left",
    "message",
    "typing",
    "notice",
    "pushed_url",
    "nickname",
    "file",
    "own",
    "ended",
)
"""What is pushed; ``own`` is the echo of anything that the customer did."""

ON: Mapping[Point, tuple[str, ...]] = MappingProxyType(
    {
        Point.REQUEST: (ANY, *REQUESTS, *OPERATIONS, *ACTIONS, *GUEST_REQUESTS),
        Point.PUSH: (ANY, *PUSHES),
        Point.ASSIGNMENT: (ANY,),
        Point.OPERATION: (ANY, *OPERATIONS),
    }
)
"""What ``on`` may say at each point."""

KINDS: Mapping[str, FaultKind] = MappingProxyType(
    {
        "unknown_session": FaultKind(
            point=Point.REQUEST,
            on="connect",
            options=("default", "402::Unknown client", "402::session_unknown"),
            wires=(COMETD, GUEST),
            about="the server forgets the session: 402 in the spelling of `option`; a guest: 4007",
        ),
        "refused_handshake": FaultKind(
            point=Point.REQUEST,
            on="handshake",
            only_on=("handshake",),
            options=("none", "handshake"),
            wires=(COMETD, GUEST),
            about="403, with the advice in `option`; a guest: 4000, or 5000 for `handshake`",
        ),
        "advice_none": FaultKind(
            point=Point.REQUEST,
            on="connect",
            wires=(COMETD,),
            about="the connect fails with advice none",
        ),
        "session_expiry": FaultKind(
            point=Point.REQUEST,
            on="connect",
            wires=(COMETD, GUEST),
            about="the request is answered, then the session is dropped as if it had expired",
        ),
        "duplicate_connect": FaultKind(
            point=Point.REQUEST,
            on="connect",
            only_on=("connect",),
            seconds=0.05,
            wires=(COMETD,),
            about="the held connect ends after `seconds` as if a second one had come;"
            " a WebSocket is closed",
        ),
        "redeliver": FaultKind(
            point=Point.REQUEST,
            on="connect",
            only_on=("connect",),
            options=("unnumbered", "ignored"),
            wires=(COMETD,),
            about="with acknowledgement: its number is not told, or the client's is `ignored`,"
            " so that what was delivered is delivered again",
        ),
        "kill_connection": FaultKind(
            point=Point.REQUEST,
            on="connect",
            seconds=0.05,
            about="the connection is cut after `seconds`, in the middle of the request",
        ),
        "http_500": FaultKind(
            point=Point.REQUEST,
            on=ANY,
            about="HTTP status 500 instead of an answer, the one to an upgrade included; in a frame"
            " of a guest: code 500, of Bayeux: the socket is closed with 1011",
        ),
        "html": FaultKind(
            point=Point.REQUEST,
            on=ANY,
            about="HTTP status 200 with a page of HTML; in a frame: the page alone",
        ),
        "truncated_json": FaultKind(
            point=Point.REQUEST,
            on="connect",
            about="the request is done, and half of its answer is sent",
        ),
        "stall": FaultKind(
            point=Point.REQUEST,
            on=ANY,
            seconds=3600.0,
            about="the server does nothing for `seconds`, then goes on",
        ),
        "slow_drip": FaultKind(
            point=Point.REQUEST,
            on=ANY,
            seconds=0.02,
            about="the answer comes byte by byte, one each `seconds`; a frame whole, but as late",
        ),
        "status_code_1": FaultKind(
            point=Point.REQUEST,
            on="refresh",
            options=("not_done", "done"),
            wires=(REST,),
            about="statusCode 1: come again; `option` says whether it was done all the same",
        ),
        "alias_change": FaultKind(
            point=Point.REQUEST,
            on=ANY,
            wires=(REST,),
            about="another server takes the chat over: its alias counts from this answer on",
        ),
        "session_dropped": FaultKind(
            point=Point.REQUEST,
            on="refresh",
            options=("chat_goes_on", "chat_ended"),
            wires=(REST,),
            about="8209, as if the customer had not polled; `option` says what chatEnded says",
        ),
        "rate_limited": FaultKind(
            point=Point.REQUEST,
            on="onMessage",
            seconds=3.0,
            wires=(GUEST,),
            about="429 with `seconds` as retryAfter, and nothing is done",
        ),
        "read_only": FaultKind(
            point=Point.REQUEST,
            on="onMessage",
            wires=(GUEST,),
            about="409: the session is read-only from now on, and the chat stays open",
        ),
        "expired": FaultKind(
            point=Point.REQUEST,
            on="onMessage",
            wires=(GUEST,),
            about="4006, and nothing is done: the session has expired, and its chat is over",
        ),
        "connection_closed": FaultKind(
            point=Point.REQUEST,
            on="onMessage",
            wires=(GUEST,),
            about="the request is done, then a ConnectionClosedEvent comes and the socket closes",
        ),
        "lost_message": FaultKind(
            point=Point.PUSH, on="message", about="what should be pushed is not"
        ),
        "duplicate_message": FaultKind(
            point=Point.PUSH, on="message", about="what is pushed is pushed twice"
        ),
        "delay_message": FaultKind(
            point=Point.PUSH, on="message", seconds=1.0, about="it is pushed `seconds` later"
        ),
        "reorder_messages": FaultKind(
            point=Point.PUSH,
            on="message",
            seconds=1.0,
            about="it is pushed after the next one, or `seconds` later",
        ),
        "refuse_chat": FaultKind(
            point=Point.OPERATION,
            on="requestChat",
            only_on=("requestChat",),
            about="statusCode 2 instead of a chat; a guest: 4000",
        ),
        "no_chat_end": FaultKind(
            point=Point.OPERATION,
            on="disconnect",
            only_on=("disconnect",),
            about="disconnect is neither done nor confirmed: the chat stays open",
        ),
        "agent_never_joins": FaultKind(
            point=Point.ASSIGNMENT, on=ANY, about="the chat stays in the queue"
        ),
        "agent_leaves": FaultKind(
            point=Point.ASSIGNMENT,
            on=ANY,
            seconds=1.0,
            about="the agent leaves `seconds` after joining, and nobody comes instead",
        ),
        "transfer": FaultKind(
            point=Point.ASSIGNMENT,
            on=ANY,
            seconds=1.0,
            about="a second agent takes over `seconds` after the first has joined",
        ),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault, ready to strike; what is None or missing is as its kind says.

    Attributes:
        name: a key of ``KINDS``.
        on: one of ``ON`` for the kind's point.
        service: only chats of this service; requests without a chat never fit.
        session: only the n-th customer, from 1.
        after: how many fitting points pass before it may strike.
        times: how often it strikes; None for ever.
        probability: of striking at a point that it may strike at.
        each_session: count ``after`` and ``times`` for every customer apart.
        seconds: a duration, for the kinds that have one.
        option: for the kinds that have options.
    """

    name: str
    on: str = ""
    service: str | None = None
    session: int | None = None
    after: int = 0
    times: int | None = None
    probability: float = 1.0
    each_session: bool = False
    seconds: float = 0.0
    option: str = ""


def make_fault(name: str, **settings: object) -> Fault:
    """Make a fault, with the defaults of its kind for what is not said.

    Raises:
        KeyError: there is no such fault.
    """
    kind = KINDS[name]
    defaults: dict[str, object] = {
        "on": kind.on,
        "seconds": kind.seconds or 0.0,
        "option": kind.options[0] if kind.options else "",
    }
    return Fault(name=name, **{**defaults, **settings})  # type: ignore[arg-type] # checked by its callers


class Faults:
    """Decides which fault strikes; keeps the counts.

    Args:
        faults: in the order in which they are asked.
        rng: for probabilities; seed it, and a run can be repeated.
    """

    def __init__(self, faults: Iterable[Fault] = (), *, rng: random.Random) -> None:
        self._rng = rng
        self._by_point: dict[Point, list[_Armed]] = {point: [] for point in Point}
        self.struck: dict[str, int] = {}
        self.change(faults)

    @property
    def active(self) -> tuple[Fault, ...]:
        """The faults, in order."""
        return self._faults

    def change(self, faults: Iterable[Fault], *, seed: int | None = None) -> None:
        """Put other faults in place of the present ones; all counts begin again.

        Args:
            seed: chance begins again from it; None goes on with the present chances.
        """
        if seed is not None:
            self._rng = random.Random(seed)
        self._faults = tuple(faults)
        self._numbers: OrderedDict[str, int] = OrderedDict()
        self._counted = 0
        for point in Point:
            self._by_point[point] = [
                _Armed(fault) for fault in self._faults if KINDS[fault.name].point is point
            ]

    def any_at(self, point: Point) -> bool:
        """Tell whether it is worth while to ask at this point."""
        return bool(self._by_point[point])

    def strike(
        self,
        point: Point,
        on: Sequence[str],
        *,
        service: str | None = None,
        customer: str = "",
        wire: str = COMETD,
    ) -> Fault | None:
        """Ask for the fault that strikes here.

        Args:
            on: all words for what is going on here (``publish``, ``sendMessage``).
            customer: who is concerned; empty for one who has no name yet, who is the next one.
            wire: how that customer is served.
        """
        if not self._by_point[point]:
            return None
        number = self._number_of(customer)
        for armed in self._by_point[point]:
            fault = armed.fault
            fits = (
                (fault.on == ANY or fault.on in on)
                and wire in (KINDS[fault.name].wires or (wire,))
                and fault.service in (None, service)
                and fault.session in (None, number)
            )
            if fits and armed.strikes(customer, self._rng):
                self.struck[fault.name] = self.struck.get(fault.name, 0) + 1
                return fault
        return None

    def take_back(self, fault: Fault, *, customer: str) -> None:
        """Let a fault wait on that struck where there turned out to be nothing to strike."""
        for armed in self._by_point[KINDS[fault.name].point]:
            if armed.fault is fault:
                armed.take_back(customer)
                self.struck[fault.name] -= 1
                if not self.struck[fault.name]:
                    del self.struck[fault.name]

    def _number_of(self, customer: str) -> int:
        number = self._numbers.get(customer)
        if number is None:
            self._counted += bool(customer)
            number = self._counted + (not customer)
            if customer:
                remember(self._numbers, customer, number)
        return number


class _Armed:
    """A fault with its counts: how many points were seen, and how often it struck."""

    __slots__ = ("_counts", "fault")

    def __init__(self, fault: Fault) -> None:
        self.fault = fault
        self._counts: OrderedDict[str, list[int]] = OrderedDict()

    def strikes(self, customer: str, rng: random.Random) -> bool:
        fault = self.fault
        counts = self._counts_of(customer if fault.each_session else "")
        counts[0] += 1
        if counts[0] <= fault.after:
            return False
        if fault.times is not None and counts[1] >= fault.times:
            return False
        if fault.probability < 1.0 and rng.random() >= fault.probability:
            return False
        counts[1] += 1
        return True

    def take_back(self, customer: str) -> None:
        self._counts_of(customer if self.fault.each_session else "")[1] -= 1

    def _counts_of(self, customer: str) -> list[int]:
        counts = self._counts.get(customer)
        if counts is None:
            counts = [0, 0]
            remember(self._counts, customer, counts)
        return counts


def remember(kept: OrderedDict[str, V], customer: str, value: V) -> None:
    """Keep a value for a customer, and forget the oldest if there are too many."""
    kept[customer] = value
    if len(kept) > MAX_COUNTED:
        kept.popitem(last=False)
