"""Plays one journey through bad weather, in memory, and tells how it went on both sides."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import trio

from botkit.bot.fields import Vocabulary
from botkit.bot.loader import Settings, load_file
from botkit.bot.yaml_bot import Surroundings
from botkit.chat import Continued, EndedBy, Interrupted, PartyKind
from botkit.driver import ScriptedBot
from botkit.hookspecs import hookimpl
from botkit.interfaces import ActionContext, ConnectOptions, JourneyPlan
from botkit.journey import Run, RunSettings
from botkit.plugins import Plugins
from botkit.results import ExitCode, JourneyResult, exit_code
from botkit.simulator import Simulator, SimulatorSettings
from botkit.simulator.chats import Chat, Entry, EntryKind
from botkit.simulator.faults import Fault
from botkit.simulator.http import Reply, Request
from botkit.simulator.websocket import ServerSocket
from botkit.testing import MemoryNetwork, simulator_in

LATENCY = 0.01
TALKER = Path(__file__).with_name("talker.yaml")


class Counting:
    """A plugin that counts what it is told.

    Attributes:
        interrupted, continued: how often these hooks were called.
    """

    def __init__(self) -> None:
        self.interrupted: list[Interrupted] = []
        self.continued: list[Continued] = []

    @hookimpl
    def on_interrupted(self, event: Interrupted) -> None:
        self.interrupted.append(event)

    @hookimpl
    def on_continued(self, event: Continued) -> None:
        self.continued.append(event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What came of a journey.

    Attributes:
        result: botkit's side of it.
        code: of a run with this journey alone.
        simulator: the service's side of it.
        hooks: how often ``on_interrupted`` and ``on_continued`` were called.
        requests: when each request or frame came to the server, and what was in it.
        under_way: exchanges that nobody ended.
        has_indexes: the wire numbers what happens in a chat.
    """

    result: JourneyResult
    code: ExitCode
    simulator: Simulator
    hooks: Counting
    requests: tuple[tuple[float, str], ...]
    under_way: int
    has_indexes: bool

    @property
    def chats(self) -> list[Chat]:
        """The chats that were opened."""
        return list(self.simulator.centre.chats())

    @property
    def busiest_second(self) -> int:
        """The most requests that came within one second."""
        times = [at for at, _ in self.requests]
        return max((sum(at <= t < at + 1 for t in times) for at in times), default=0)

    def count(self, word: str) -> int:
        """Count the requests that a word is in."""
        return sum(word in text for _, text in self.requests)

    @property
    def not_left(self) -> int:
        """How many chats the customer did not leave, whatever ended them."""
        return sum(chat.ended_by is not EndedBy.CUSTOMER for chat in self.chats)

    def said(self) -> Counter[str]:
        """Count the customer's lines, as the service has them."""
        return Counter(
            entry.text
            for chat in self.chats
            for entry in chat.log
            if entry.kind is EntryKind.MESSAGE and entry.party.kind is PartyKind.CUSTOMER
        )

    def there(self) -> Counter[tuple[int | None, str]]:
        """What the service has in its transcript, by index where the wire has one."""
        return Counter(
            (entry.index if self.has_indexes else None, entry.text)
            for chat in self.chats
            for entry in chat.log
            if self.is_compared(entry)
        )

    def here(self) -> Counter[tuple[int | None, str]]:
        """The same from botkit's side; of the customer's goodbye it need not hear."""
        rows = self.result.transcript
        if not self.has_indexes:
            return Counter((None, row.text) for row in rows if row.kind == "message")
        gone = {entry.index for chat in self.chats for entry in chat.log if is_goodbye(entry)}
        indexed = (row for row in rows if row.index is not None and row.index not in gone)
        return Counter((row.index, row.text) for row in indexed)

    def is_compared(self, entry: Entry) -> bool:
        """Tell whether an entry has to be in botkit's transcript, too."""
        if not self.has_indexes:
            return entry.kind is EntryKind.MESSAGE
        return entry.index is not None and not is_goodbye(entry)


def is_goodbye(entry: Entry) -> bool:
    """Tell whether an entry is that the customer has left."""
    return entry.kind is EntryKind.LEFT and entry.party.kind is PartyKind.CUSTOMER


class Overheard:
    """A socket of the simulator whose frames are written down.

    Args:
        heard: called with each frame that comes.
    """

    def __init__(self, socket: ServerSocket, heard: Callable[[str], None]) -> None:
        self._socket = socket
        self._heard = heard
        self.send = socket.send
        self.close = socket.close
        self.abort = socket.abort

    async def receive(self) -> str:
        text = await self._socket.receive()
        self._heard(text)
        return text


async def play(
    nursery: trio.Nursery,
    wire: str,
    *,
    options: Mapping[str, str] | None = None,
    from_the_start: Iterable[Fault] = (),
    in_mid_chat: Iterable[Fault] = (),
    outage: float = 0.0,
    **settings: Any,
) -> Evidence:
    """Play the talker on one wire of a simulator.

    Args:
        nursery: owns the simulator.
        wire: the name of a connector.
        options: of that connector.
        from_the_start: faults that wait from the beginning.
        in_mid_chat: faults that come when the chat has become quiet.
        outage: for how long the network is gone then, seconds.
        settings: of the simulator.
    """
    given = SimulatorSettings(seed=1, faults=tuple(from_the_start), **settings)
    connector = await simulator_in(nursery, given, latency=LATENCY, wire=wire)
    simulator = connector.simulator
    requests: list[tuple[float, str]] = []

    def heard(text: str) -> None:
        requests.append((trio.current_time(), text))

    async def handle(request: Request) -> Reply:
        heard(f"{request.path} {request.body.decode()}")
        reply = await simulator.handle(request)
        if reply.upgrade is None:
            return reply
        serve = reply.upgrade
        return replace(reply, upgrade=lambda socket: serve(Overheard(socket, heard)))

    network = connector.network = MemoryNetwork(handle, latency=LATENCY)

    async def mend() -> None:
        await trio.sleep(outage)
        network.mend()

    def change_the_weather(_: ActionContext, /, **arguments: str) -> None:
        if in_mid_chat:
            simulator.faults.change(in_mid_chat)
        if outage:
            network.cut(ConnectionRefusedError("nobody listens"))
            nursery.start_soon(mend)

    hooks, plugins = Counting(), Plugins()
    plugins.register(hooks, "counting")
    plugins.freeze()
    try:
        run = Run(
            [talker(options or {})],
            RunSettings(run_id="matrix"),
            connectors={"matrix": lambda: connector},
            dispatcher=plugins.dispatcher,
            actions={"change_the_weather": change_the_weather},
        )
        with trio.fail_after(3600):
            result = await run.play()
    finally:
        plugins.close()
    return Evidence(
        result=result.journeys[0],
        code=exit_code(result),
        simulator=simulator,
        hooks=hooks,
        requests=tuple(requests),
        under_way=network.under_way,
        has_indexes=wire != "genesys-cloud",
    )


def talker(options: Mapping[str, str]) -> JourneyPlan:
    """Load the bot, to be played on a connector ``matrix``."""
    rng = random.Random(1)
    settings = Settings(
        vocabulary=Vocabulary(actions=frozenset({"change_the_weather"})),
        surroundings=Surroundings(rng=rng),
        make_script=partial(ScriptedBot, rng=rng),
    )
    loaded = load_file(TALKER, settings)
    assert not loaded.problems, loaded.problems
    (plan,) = loaded.bots[0].plans()
    return replace(plan, connect=ConnectOptions(connector="matrix", options=options))
