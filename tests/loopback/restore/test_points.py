"""Whatever is cut or killed, and when: the same chat, nothing lost, nothing twice.

Each run is one chat over real sockets. At a named point of the protocol the network stands still;
then all connections are cut, or the customer's process is killed and a second process restores the
chat from what the first one has stored. In the end the customer's transcript has to be
the server's.

``RUNS=50 pytest tests/loopback/restore`` has fifty runs of each point, in a minute or two; else
there are the first twelve of them. The wires beside the first one have a tenth, and four at least.

What nobody can avoid is counted: a chat whose key never came, or came and was not stored, is an
*orphan*; and what a process was told and did not live to store is *told twice*, once to each of
the two.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
import trio

from botkit.bayeux.personality import COMETD as COMETD_SERVER
from botkit.bayeux.personality import Personality
from botkit.chat import EndedBy, PartyKind
from botkit.errors import ungrouped
from botkit.simulator import Simulator, SimulatorAddress, SimulatorSettings
from botkit.simulator.centre import CentreSettings
from botkit.simulator.chats import Chat, EntryKind
from botkit.simulator.faults import make_fault
from botkit.storage import FileStorage, SQLiteStorage

RUNS = int(os.environ.get("RUNS", "12"))
AT_ONCE = 25
LIMIT = 40.0
SURELY = 10.0
LINES = ("one", "two", "three", "four")
AWAY = ("Are you still there?", "I will wait.")
"""What the agent says while nobody listens."""
STORAGES: Mapping[str, Any] = {"file": FileStorage, "sqlite": SQLiteStorage}


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A point of the protocol, and what follows from it.

    Attributes:
        name: what has just happened, for the customer or for the server.
        trap: what stops the network there; None if the customer tells.
        counts: how-manieth of the trap's word it may be; not the last line's, for then the
            customer would leave at once.
        gate: where the customer stops by themselves: ``storing``, ``stored`` or ``idle``.
        forgets: the server forgets the session first, so that there is a second handshake.
        interruptions: how often a session that is cut there may be interrupted.
        opens_within: what a session that is cut there may take; it need not open if that is short.
        finds: what a second process finds: ``restored``, ``nothing`` or ``over``.
        may_find_nothing: the state may have been stored by then, or not.
        orphans: chats that may stay open for ever where nothing was stored.
    """

    name: str
    trap: Mapping[str, str | bytes] | None = None
    counts: tuple[int, ...] = (1,)
    gate: str | None = None
    forgets: bool = False
    interruptions: tuple[int, ...] = (1,)
    opens_within: float = SURELY
    finds: str = "restored"
    may_find_nothing: bool = False
    orphans: int = 0

    @property
    def waits(self) -> bool:
        """The customer waits at the point until they are told to go on."""
        return self.gate is not None or self.forgets


def up(word: str, passes: str = "nothing") -> Mapping[str, str | bytes]:
    return {"way": "up", "word": word.encode(), "passes": passes}


def down(word: str, passes: str = "nothing") -> Mapping[str, str | bytes]:
    return {"way": "down", "word": word.encode(), "passes": passes}


# Who is killed when the agent joins may not have stored the state yet, which takes a thread; on a
# WebSocket, and with acknowledgements, the key of the chat may not have come before the agent.
AGENT_JOINS = Point(name="agent_joins", may_find_nothing=True, orphans=1)

COMETD = (
    Point(name="handshaken", trap=up('"requestChat"'), opens_within=1.0, finds="nothing"),
    Point(
        name="chat_requested",
        trap=down('"secureKey"'),
        opens_within=5.0,
        finds="nothing",
        orphans=1,
        interruptions=(0, 1),
    ),
    Point(name="key_received", gate="storing", finds="nothing", orphans=1),
    Point(name="state_stored", gate="stored"),
    replace(AGENT_JOINS, trap=down('"type":"Agent"', "half")),
    Point(name="connect_held", gate="idle"),
    Point(name="line_not_sent", trap=up('"sendMessage"'), counts=(1, 2, 3)),
    Point(name="line_sent_ack_lost", trap=up('"sendMessage"', "all"), counts=(1, 2, 3)),
    Point(name="push_lost", trap=down("You said:"), counts=(1, 2, 3)),
    Point(name="push_half_read", trap=down("You said:", "half"), counts=(1, 2, 3)),
    # Between two polls nobody notices, and nothing is lost.
    Point(
        name="push_read",
        trap=down("You said:", "all"),
        counts=(1, 2, 3),
        interruptions=(0, 1),
    ),
    Point(name="second_handshake", trap=up("/meta/handshake", "all"), forgets=True),
    Point(name="handshaken_again", trap=up('"requestNotifications"'), forgets=True),
    Point(name="bound_again", trap=up('"requestNotifications"', "all"), forgets=True),
    Point(name="leaving", trap=up('"operation":"disconnect"'), interruptions=(0, 1)),
    Point(
        name="left",
        trap=up('"operation":"disconnect"', "all"),
        interruptions=(0, 1),
        finds="over",
    ),
)


REST = (
    Point(name="chat_not_requested", trap=up("nickname=Ada"), opens_within=1.0, finds="nothing"),
    Point(
        name="chat_requested",
        trap=down('"secureKey"'),
        opens_within=5.0,
        finds="nothing",
        orphans=1,
    ),
    Point(name="key_received", gate="storing", finds="nothing", orphans=1, interruptions=(0, 1)),
    Point(name="state_stored", gate="stored", interruptions=(0, 1)),
    replace(AGENT_JOINS, trap=down('"type":"Agent"', "half")),
    Point(name="between_polls", gate="idle", interruptions=(0, 1)),
    Point(name="poll_not_sent", trap=up("/refresh "), counts=(1, 2, 3)),
    Point(name="poll_answer_lost", trap=up("/refresh ", "all"), counts=(1, 2, 3)),
    # That one call failed is no interruption: the next poll may well succeed.
    Point(name="line_not_sent", trap=up("/send "), counts=(1, 2, 3), interruptions=(0, 1)),
    Point(
        name="line_sent_answer_lost",
        trap=up("/send ", "all"),
        counts=(1, 2, 3),
        interruptions=(0, 1),
    ),
    Point(name="answer_half_read", trap=down("You said:", "half"), counts=(1, 2, 3)),
    Point(
        name="answer_read",
        trap=down("You said:", "all"),
        counts=(1, 2, 3),
        interruptions=(0, 1),
    ),
    Point(name="leaving", trap=up("/disconnect "), interruptions=(0, 1)),
    Point(name="left", trap=up("/disconnect ", "all"), interruptions=(0, 1), finds="over"),
)


GUEST = (
    Point(
        name="configured",
        trap=down('"SessionResponse"'),
        interruptions=(0, 1),
        finds="nothing",
    ),
    Point(name="session_opened", gate="storing", finds="nothing", orphans=1),
    Point(name="state_stored", gate="stored"),
    replace(AGENT_JOINS, trap=down("how can I help", "half")),
    Point(name="nothing_said", gate="idle"),
    Point(name="line_sent_echo_lost", trap=down('"text":"two"')),
    Point(name="line_sent_echo_half_read", trap=down('"text":"two"', "half")),
    Point(name="answer_lost", trap=down("You said:"), counts=(1, 2)),
    Point(name="answer_half_read", trap=down("You said:", "half"), counts=(1, 2)),
    Point(name="answer_read", trap=down("You said:", "all"), counts=(1, 2)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """What chats go over.

    Attributes:
        name: tells it from the others.
        server: what the simulator offers.
        is_numbered: everything that happens has an index; or else only what is said is compared.
        url: gives the address of a simulator.
        runs: of each point.
    """

    name: str
    connector: str
    points: tuple[Point, ...]
    url: Callable[[SimulatorAddress], str]
    runs: int
    options: Mapping[str, str] = field(default_factory=dict)
    server: Personality = COMETD_SERVER
    is_numbered: bool = True
    lines: tuple[str, ...] = LINES

    def marks(self, events: Iterable[Mapping[str, Any]]) -> list[Any]:
        """Tell events by what the server tells them by, in order."""
        if self.is_numbered:
            return [event["index"] for event in events if event["index"] is not None]
        return [event["text"] for event in events if event["event"] == "Message"]

    def marks_of(self, chat: Chat) -> list[Any]:
        """Do the same with the server's log."""
        if self.is_numbered:
            return [entry.index for entry in chat.log if entry.index is not None]
        return [entry.text for entry in chat.log if entry.kind is EntryKind.MESSAGE]


WIRES = (
    Wire(
        name="gms-cometd",
        connector="gms-cometd",
        points=COMETD,
        url=lambda address: address.url,
        runs=RUNS,
    ),
    Wire(
        name="gms-cometd with acknowledgements",
        connector="gms-cometd",
        points=COMETD,
        url=lambda address: address.url,
        runs=max(RUNS // 10, 4),
        server=replace(COMETD_SERVER, ack=True),
    ),
    Wire(
        name="gms-cometd over WebSocket",
        connector="gms-cometd",
        points=COMETD,
        url=lambda address: address.url,
        runs=max(RUNS // 10, 4),
        options={"transport": "websocket"},
        # Nothing else ends a poll here, which is what a forgotten session is told by.
        server=replace(COMETD_SERVER, timeout=0.5),
    ),
    Wire(
        name="gms-rest",
        connector="gms-rest",
        points=REST,
        url=lambda address: address.rest_url,
        runs=max(RUNS // 10, 4),
        options={"poll_shortest": "50ms", "poll_longest": "200ms"},
    ),
    Wire(
        name="genesys-cloud",
        connector="genesys-cloud",
        points=GUEST,
        url=lambda address: address.guest_url,
        runs=max(RUNS // 10, 4),
        is_numbered=False,
        # Two lines a second are allowed.
        lines=("one", "two", "three"),
    ),
)


@dataclass(kw_only=True)
class Run:
    """One chat with one accident."""

    wire: Wire
    point: Point
    number: int
    simulator: Simulator
    relay: Any
    customers: Any
    url: str
    place: Path
    new_trap: Callable[..., Any]
    counts: Counter[str]
    rng: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(f"{self.wire.name} {self.point.name} {self.number}")
        self.storage = ("file", "sqlite")[self.number // 2 % 2]

    # --- the course of it ---

    async def play(self) -> None:
        """Cut every second run, kill the others."""
        customer = await self.come_to_the_point()
        # Something may happen meanwhile, at the server.
        await trio.sleep(self.rng.uniform(0, 0.02))
        if self.number % 2 == 0:
            await self.cut(customer)
        else:
            await self.kill(customer)

    async def start(self, mode: str, *lines: str, **more: object) -> Any:
        return await self.customers.start(
            mode=mode,
            url=self.url,
            connector=self.wire.connector,
            options=self.wire.options,
            storage=self.storage,
            path=str(self.place),
            lines=lines,
            open_within=self.point.opens_within,
            **more,
        )

    async def come_to_the_point(self) -> Any:
        point = self.point
        if point.trap is not None and not point.forgets:
            self.set_trap()
        gate = "idle" if point.forgets else point.gate
        customer = await self.start("start", *self.wire.lines, gate=gate)
        if gate is not None:
            await customer.wait_told(at=gate)
        if point.forgets:
            self.set_trap()
            self.simulator.faults.change([make_fault("unknown_session", on="connect", times=1)])
            # Wakes the poll.
            self.speak_to_nobody()
        elif gate is not None:
            self.relay.stop()
        await self.relay.sprung.wait()
        return customer

    def set_trap(self) -> None:
        assert self.point.trap is not None
        count = self.rng.choice(self.point.counts)
        self.relay.set_trap(self.new_trap(**self.point.trap, count=count))

    def speak_to_nobody(self) -> None:
        """Let the agent, if there is one yet, say something that the customer cannot hear now."""
        for chat in self.simulator.centre.open_chat_list():
            for agent in chat.agents.values():
                for text in AWAY:
                    now = trio.current_time()
                    self.simulator.centre.write(chat, EntryKind.MESSAGE, agent, now=now, text=text)

    async def cut(self, customer: Any) -> None:
        self.relay.cut(resets=self.rng.random() < 0.5)
        if self.point.waits:
            if self.point.gate not in ("storing", "stored") and 0 not in self.point.interruptions:
                await customer.wait_told(event="Continued")
            await customer.go_on()
        await customer.gone.wait()
        self.check_cut(customer)

    async def kill(self, first: Any) -> None:
        await first.kill()
        self.relay.cut(resets=False)
        self.speak_to_nobody()
        state = STORAGES[self.storage](self.place).read()
        second = await self.start("restore", "five", "six")
        await second.gone.wait()
        self.check_killed(first, second, state)

    # --- what has to be true ---

    def check_cut(self, customer: Any) -> None:
        centre, told = self.simulator.centre, customer.told
        if self.point.opens_within < SURELY and customer.last("error") is not None:
            assert customer.last("error") == "ConnectorError", told
            assert centre.open_chats <= centre.total <= self.point.orphans, told
            self.count("cut: not opened", orphans=centre.open_chats)
            return
        assert customer.last("error") is None, told
        assert customer.last("at") == "end", told
        kinds = ("SessionStarted", "SessionRestored")
        assert [len(customer.events(kind)) for kind in kinds] == [1, 0], told
        times = len(customer.events("Interrupted"))
        assert times in self.point.interruptions, told
        # Who is leaving is not told that it could go on; they tell the transcript before they do.
        staying = told[: next(n for n, line in enumerate(told) if "transcript" in line)]
        kinds = Counter(line.get("event") for line in staying)
        assert kinds["Continued"] == kinds["Interrupted"], told
        assert len(customer.events("Continued")) <= times, told
        self.check_whole(customer)
        self.count("cut: went on")

    def check_killed(self, first: Any, second: Any, state: Mapping[str, Any] | None) -> None:
        centre, told = self.simulator.centre, (first.told, second.told)
        error = second.last("error")
        if self.point.finds == "nothing" or (self.point.may_find_nothing and state is None):
            assert state is None
            assert error == "NoStoredSession", told
            assert (centre.total, centre.open_chats) == (self.point.orphans, self.point.orphans)
            self.count("killed: nothing stored", orphans=self.point.orphans)
            return
        assert state is not None
        assert centre.total == 1
        if self.point.finds == "over":
            assert error == "RestoreFailed", told
            self.count("killed: was over")
            return
        assert error is None, told
        assert second.last("at") == "end", told
        kinds = ("SessionRestored", "SessionStarted", "Interrupted", "Continued")
        assert [len(second.events(kind)) for kind in kinds] == [1, 0, 0, 0], told
        self.check_whole(second)
        self.check_history(first, second, state)

    def check_whole(self, customer: Any) -> None:
        """See that the customer's events and transcript are the server's log, in its order."""
        centre = self.simulator.centre
        assert (centre.total, centre.open_chats) == (1, 0)
        [chat] = centre.chats()
        said = [entry.text for entry in chat.log if entry.kind is EntryKind.MESSAGE]
        assert self.wire.marks(customer.events()) == self.wire.marks_of(chat), customer.told
        assert [event["text"] for event in customer.events("Message")] == said
        own = [e.text for e in chat.log if e.party.kind is PartyKind.CUSTOMER and e.text]
        assert len(own) == len(set(own)), "a line was said again"
        [opened] = customer.events("SessionStarted", "SessionRestored")
        assert opened["session_id"] == chat.id or not self.wire.is_numbered
        [ended] = customer.events("SessionEnded")
        assert ended["by"] == "customer"
        assert customer.events()[-1] == ended
        self.check_transcript(customer, said)

    def check_transcript(self, customer: Any, said: list[str]) -> None:
        """See that the transcript has what was said, and besides only what was never heard."""
        rows = [text for _, kind, text in customer.last("transcript") if kind == "message"]
        unknown = [told["unknown"] for told in customer.told if "unknown" in told]
        never_heard = [text for text in unknown if text not in said]
        assert sorted(rows) == sorted([*said, *never_heard])

    def check_history(self, first: Any, second: Any, state: Mapping[str, Any]) -> None:
        """See that what was stored as seen is history, and that everything else is new.

        What is history to the second process was read by the first, or nobody heard of it.
        """
        marks = self.wire.marks
        history = set(marks(event for event in second.events() if event["history"]))
        new = set(marks(event for event in second.events() if not event["history"]))
        assert second.last("session_id") == state["session_id"]
        assert history <= set(marks(first.read())), (first.told, second.told)
        if self.wire.is_numbered:
            assert history == {*range(1, state["position"] + 1), *state["beyond"]}
        heard = set(marks(first.events()))
        self.count("killed: restored", **{"told twice": len(new & heard)})

    def count(self, what: str, **more: int) -> None:
        self.counts.update({what: 1, **{key: number for key, number in more.items() if number}})


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.name)
async def test_a_chat_outlives_every_point(
    wire: Wire,
    customers: Any,
    contact_centre: Callable[[SimulatorSettings], Any],
    new_trap: Callable[..., Any],
    tmp_path: Path,
    counts: Callable[[str], Counter[str]],
) -> None:
    slots = trio.CapacityLimiter(AT_ONCE)

    async def play(point: Point, number: int) -> None:
        settings = SimulatorSettings(seed=number, personality=wire.server)
        async with slots, contact_centre(settings) as (simulator, relay, address):
            run = Run(
                wire=wire,
                point=point,
                number=number,
                simulator=simulator,
                relay=relay,
                customers=customers,
                url=wire.url(address),
                place=tmp_path / f"{point.name}-{number}",
                new_trap=new_trap,
                counts=counts(f"{wire.name} {point.name}"),
            )
            try:
                with trio.fail_after(LIMIT):
                    await run.play()
            except Exception as error:
                error.add_note(f"at the point {point.name}, run {number}")
                raise

    with ungrouped():
        async with trio.open_nursery() as nursery:
            for point in wire.points:
                counts(f"{wire.name} {point.name}")
                for number in range(wire.runs):
                    nursery.start_soon(play, point, number)


# --- chats that cannot be restored ---------------------------------------------------------------


def end(simulator: Simulator, chat: Chat) -> None:
    simulator.centre.end(chat, EndedBy.SERVICE, now=trio.current_time())


@pytest.mark.parametrize(("remembered", "code"), [(1, None), (0, 8210)])
async def test_a_chat_that_is_over_is_failed_and_never_a_new_one(
    customers: Any,
    contact_centre: Callable[[SimulatorSettings], Any],
    tmp_path: Path,
    remembered: int,
    code: int | None,
) -> None:
    """Whether the service still knows that there was such a chat, or not."""
    settings = SimulatorSettings(seed=1, centre=CentreSettings(keep_finished=remembered))
    with trio.fail_after(LIMIT):
        async with contact_centre(settings) as (simulator, _, address):
            order = {
                "url": address.url,
                "storage": "file",
                "path": str(tmp_path / "ada.json"),
                "open_within": 5.0,
            }
            first = await customers.start(mode="start", lines=["one"], gate="idle", **order)
            await first.wait_told(at="idle")
            await first.kill()
            end(simulator, *simulator.centre.open_chat_list())
            outcomes = []
            for _ in range(2):
                later = await customers.start(mode="restore", lines=[], **order)
                await later.gone.wait()
                outcomes.append((later.last("error"), later.last("code"), later.events()))
            assert outcomes == [("RestoreFailed", code, []), ("NoStoredSession", None, [])]
            assert simulator.centre.total == 1
