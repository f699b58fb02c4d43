"""Helpers for testing bots, plugins and botkit itself."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import httpx
import trio

from botkit import chat
from botkit.bot.diagnostics import format_text
from botkit.bot.fields import Vocabulary
from botkit.bot.loader import Settings, load_paths
from botkit.bot.matchers import MatcherRegistry
from botkit.bot.yaml_bot import Surroundings
from botkit.chat import (
    EndedBy,
    Event,
    Message,
    Party,
    PartyKind,
    SessionEnded,
    SessionRestored,
    SessionStarted,
)
from botkit.connectors.genesys_cloud import GenesysCloud
from botkit.connectors.gms_cometd import GmsCometd
from botkit.connectors.gms_rest import GmsRest
from botkit.driver import ScriptedBot
from botkit.errors import BotkitError, ConfigError, ungrouped
from botkit.interfaces import (
    ConnectOptions,
    Connector,
    Deliver,
    JourneyPlan,
    Opening,
    Outcome,
    Request,
)
from botkit.journey import Run, RunSettings
from botkit.plugins import Plugins, load_plugins
from botkit.results import JourneyResult
from botkit.session import utc_now
from botkit.simulator import Simulator, SimulatorSettings
from botkit.simulator.app import BAYEUX_PATH, REST_PATH
from botkit.simulator.guest_web import SOCKET_PATH
from botkit.simulator.http import Handler, Reply
from botkit.simulator.http import Request as HttpRequest
from botkit.simulator.in_memory import MemorySocket
from botkit.simulator.upgrade import shake_hands
from botkit.simulator.websocket import Serve

__all__ = [
    "AGENT",
    "MemoryNetwork",
    "ScriptedConnector",
    "SimulatorInMemory",
    "play",
    "simulator_in",
]

AGENT = Party(name="Ada", kind=PartyKind.AGENT)
"""Whose lines :meth:`ScriptedConnector.say` delivers."""

Play = Callable[["ScriptedConnector"], Awaitable[None]]


class ScriptedConnector:
    """A connector in the hands of a test: no server, no bytes, any clock.

    It opens at once, records every command, and delivers what the test tells it to. A chat that is
    restored goes on at once too, and what was pushed comes again as history.

    Args:
        play: runs beside the chat from its opening on, such as an agent's part.
        resume: the same for a chat that was restored.
        answer: gives the error that a request gets; None (the default) accepts all.
        value: gives what a request asks for, such as a file's name.
        refusal: raised instead of opening.
        restore_refusal: raised instead of restoring.
        confirms_leaving: False for a service that never confirms the goodbye.

    Attributes:
        commands: what the customer did, in order.
        session_id: the name of the chat; a test that changes it lets another chat come back.
        past: what was pushed, to be repeated as history; a test may take from it.
    """

    on_simulator = False
    lacks: Mapping[type[chat.Command], str] = {}

    def __init__(
        self,
        play: Play | None = None,
        *,
        resume: Play | None = None,
        answer: Callable[[chat.Command], BotkitError | None] | None = None,
        value: Callable[[chat.Command], object] | None = None,
        refusal: Exception | None = None,
        restore_refusal: Exception | None = None,
        confirms_leaving: bool = True,
    ) -> None:
        self.commands: list[chat.Command] = []
        self.session_id = "scripted-1"
        self.past: list[Event] = []
        self._play = play
        self._resume = resume
        self._answer = answer
        self._value = value
        self._refusal = refusal
        self._restore_refusal = restore_refusal
        self._confirms_leaving = confirms_leaving
        self._deliver: Deliver
        self._ended = False
        self._seq = 0

    def push(self, kind: type[Event], /, **members: Any) -> None:
        """Deliver an event, stamped and numbered."""
        self._seq += 1
        event = kind(at=trio.current_time(), seq=self._seq, **members)
        self.past.append(event)
        self._deliver(event)

    def say(self, text: str, **members: Any) -> None:
        """Deliver a line of the agent."""
        self.push(Message, **{"text": text, "party": AGENT, **members})

    def end(self, by: EndedBy = EndedBy.SERVICE) -> None:
        """Let the service end the chat."""
        self._ended = True
        self.push(SessionEnded, by=by)

    # --- interfaces.Connector ---

    def check(self, opening: Opening) -> None:
        """Take any opening."""

    def running(self) -> AbstractAsyncContextManager[None]:
        """Share nothing."""
        return nullcontext()

    def server_of(self, opening: Opening) -> str:
        """Name no server, for there is none."""
        return "scripted"

    async def connect(
        self,
        opening: Opening,
        requests: AsyncIterator[Request],
        deliver: Deliver,
        *,
        task_status: trio.TaskStatus[None],
    ) -> None:
        """Carry the chat as the test wants it."""
        await trio.lowlevel.checkpoint()
        refusal = self._refusal if opening.restore is None else self._restore_refusal
        if refusal is not None:
            raise refusal
        self._deliver = deliver
        detached = False
        try:
            async with self._opened(restored=opening.restore is not None):
                task_status.started()
                async for request in requests:
                    self.commands.append(request.command)
                    detached = isinstance(request.command, chat.Detach)
                    if isinstance(request.command, chat.Leave):
                        break
                    deliver(self._outcome(request))
                    if detached:
                        break
        finally:
            if not self._ended and not detached:
                by = EndedBy.CUSTOMER if self._confirms_leaving else EndedBy.UNCONFIRMED
                self.push(SessionEnded, by=by)

    def _repeat_past(self) -> None:
        """Tell that the chat is back, and what was said in it before."""
        openings = SessionStarted | SessionRestored
        past = [event for event in self.past if not isinstance(event, openings)]
        self.past = []
        self.push(SessionRestored, session_id=self.session_id)
        for event in past:
            self._seq += 1
            now = trio.current_time()
            self.past.append(replace(event, at=now, seq=self._seq, history=True))
            self._deliver(self.past[-1])

    def _outcome(self, request: Request) -> Outcome:
        """Say what becomes of a request."""
        command = request.command
        value: object = (
            {"session_id": self.session_id} if isinstance(command, chat.Detach) else None
        )
        return Outcome(
            number=request.number,
            at=trio.current_time(),
            error=self._answer(command) if self._answer else None,
            value=self._value(command) if value is None and self._value else value,
        )

    @asynccontextmanager
    async def _opened(self, *, restored: bool) -> AsyncIterator[None]:
        if restored:
            self._repeat_past()
        else:
            self.push(SessionStarted, session_id=self.session_id)
        beside = self._resume if restored else self._play
        async with trio.open_nursery() as nursery:
            if beside is not None:
                nursery.start_soon(beside, self)
            yield
            nursery.cancel_scope.cancel()


# --- a simulator without sockets -----------------------------------------------------------------


class MemoryNetwork(httpx.AsyncBaseTransport):
    """A network with one server at its end, on any clock; to be given as ``Opening.transport``.

    Requests are answered in the task that makes them: a poll is held there, and who is cancelled
    is, for the server, a client that has gone. A request may become a WebSocket, whose stream
    comes as the extension ``network_stream`` of the response.

    Args:
        handler: answers requests, such as ``Simulator.handle``.
        latency: how long a request takes to the server and a reply from it, seconds.

    Attributes:
        exchanges: how many exchanges were begun.
    """

    def __init__(self, handler: Handler, *, latency: float = 0.0) -> None:
        self.exchanges = 0
        self._handler = handler
        self._latency = latency
        self._unreachable: OSError | None = None
        self._under_way: set[trio.CancelScope] = set()
        self._sockets: set[MemorySocket] = set()

    @property
    def under_way(self) -> int:
        """How many exchanges were begun and have not ended; an open WebSocket is one."""
        return len(self._under_way) + len(self._sockets)

    def cut(self, reason: OSError) -> None:
        """Cut all connections, and let none be made, for this reason, until :meth:`mend`."""
        self._unreachable = reason
        for scope in self._under_way:
            scope.cancel()
        for socket in tuple(self._sockets):
            socket.cut()

    def mend(self) -> None:
        """Let connections be made again."""
        self._unreachable = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one exchange; the body of the reply is still to come."""
        self.exchanges += 1
        scope = trio.CancelScope()
        self._under_way.add(scope)
        try:
            with scope:
                return await self._exchange(request)
        finally:
            self._under_way.discard(scope)
        raise httpx.ReadError("the network was cut")

    async def _exchange(self, request: httpx.Request) -> httpx.Response:
        if self._unreachable is not None:
            await trio.lowlevel.checkpoint()
            raise httpx.ConnectError(str(self._unreachable)) from self._unreachable
        await trio.sleep(self._latency)
        asked = HttpRequest(
            method=request.method,
            path=request.url.path,
            query=request.url.query.decode(),
            headers=dict(request.headers),
            body=await request.aread(),
            peer="memory",
        )
        reply = await self._handler(asked)
        await trio.sleep(self._latency)
        if reply.abort:
            raise httpx.ReadError("the connection was cut")
        if reply.upgrade is not None:
            reply = shake_hands(asked, reply)
        if reply.upgrade is not None:
            return self._upgraded(reply, reply.upgrade)
        return httpx.Response(reply.status, headers=list(reply.headers), stream=_Body(reply))

    def _upgraded(self, reply: Reply, serve: Serve) -> httpx.Response:
        socket = MemorySocket(latency=self._latency, on_close=self._sockets.discard)
        self._sockets.add(socket)
        socket.serve(serve)
        return httpx.Response(
            reply.status, headers=list(reply.headers), extensions={"network_stream": socket}
        )


class _Body(httpx.AsyncByteStream):
    """The body of a reply, as slow and as broken as the reply says."""

    def __init__(self, reply: Reply) -> None:
        self._reply = reply

    async def __aiter__(self) -> AsyncIterator[bytes]:
        body, cut, drip = self._reply.body, self._reply.truncate_to, self._reply.drip
        if drip is not None:
            await trio.sleep(len(body) / drip)
        yield body[:cut]
        if cut is not None:
            raise httpx.ReadError("the connection was cut in the middle of a reply")


WIRES: Mapping[str, tuple[Callable[[random.Random], Connector], str]] = MappingProxyType(
    {
        "genesys-cloud": (
            lambda rng: GenesysCloud(rng=rng),
            f"ws://simulator{SOCKET_PATH}?deploymentId=demo",
        ),
        "gms-cometd": (lambda rng: GmsCometd(rng=rng), f"http://simulator{BAYEUX_PATH}"),
        "gms-rest": (lambda rng: GmsRest(rng=rng), f"http://simulator{REST_PATH}"),
    }
)
"""The wires that lead to a simulator in memory: what speaks them, and the URL."""


class SimulatorInMemory:
    """The connector ``simulator`` without sockets: any wire of it over a :class:`MemoryNetwork`.

    Args:
        simulator: runs somewhere else; see :func:`simulator_in`.
        latency: of the network.
        wire: the name of the connector that is used.

    Attributes:
        simulator: the contact centre, to be looked into.
        network: the way to it, to be broken.
    """

    on_simulator = True

    def __init__(
        self, simulator: Simulator, *, latency: float = 0.0, wire: str = "gms-cometd"
    ) -> None:
        new_client, self.url = WIRES[wire]
        self.simulator = simulator
        self.network = MemoryNetwork(simulator.handle, latency=latency)
        self._client = new_client(random.Random(1))
        self.lacks = self._client.lacks

    def opening(self, **members: Any) -> Opening:
        """Make an opening that leads here, for other connectors and ``start_session``."""
        return Opening(url=self.url, transport=self.network, **members)

    # --- interfaces.Connector ---

    def check(self, opening: Opening) -> None:
        """Refuse what the wire cannot do; the server is always this one."""
        self._client.check(self._inside(opening))

    def running(self) -> AbstractAsyncContextManager[None]:
        """Start nothing: the simulator runs already."""
        return nullcontext()

    def server_of(self, opening: Opening) -> str:
        """The URL, which leads nowhere outside of this network."""
        return self.url

    async def connect(
        self,
        opening: Opening,
        requests: AsyncIterator[Request],
        deliver: Deliver,
        *,
        task_status: trio.TaskStatus[None],
    ) -> None:
        """Carry one chat; see ``interfaces.Connector``."""
        inside = self._inside(opening)
        await self._client.connect(inside, requests, deliver, task_status=task_status)

    def _inside(self, opening: Opening) -> Opening:
        return replace(opening, url=self.url, transport=self.network)


async def simulator_in(
    nursery: trio.Nursery,
    settings: SimulatorSettings | None = None,
    *,
    latency: float = 0.0,
    wire: str = "gms-cometd",
) -> SimulatorInMemory:
    """Start a simulator in memory; it runs until the nursery is cancelled.

    Example, with pytest-trio, whose ``autojump_clock`` makes any wait instant::

        async def test_my_bot(nursery, autojump_clock):
            connector = await simulator_in(nursery, SimulatorSettings(seed=1))
            async with botkit.start_session(connector=connector) as session:
                await session.wait_for(AgentConnected)

    Args:
        nursery: owns it.
        settings: how it behaves.
        latency: of the network to it, seconds each way.
        wire: the name of the connector that is used.
    """
    simulator = Simulator(settings)
    await nursery.start(simulator.run)
    return SimulatorInMemory(simulator, latency=latency, wire=wire)


# --- whole journeys ------------------------------------------------------------------------------

IN_MEMORY = "in-memory"
"""The name of the connector under which :func:`play` plays."""


async def play(
    bot: Path | str,
    *,
    connector: Connector | None = None,
    agents: Path | None = None,
    plugins: Mapping[str, object] = MappingProxyType({}),
    variables: Mapping[str, str] = MappingProxyType({}),
) -> tuple[JourneyResult, ...]:
    """Play the bots of a file to their verdicts, without sockets and on any clock.

    Example, with pytest-trio, whose ``autojump_clock`` makes any wait instant::

        async def test_my_bot(autojump_clock):
            (result,) = await play("bots/smoke.yaml")
            assert result.verdict is Verdict.PASSED, result.message

    What the bot says about its server is put aside. Each journey has its simulator to itself, so
    that one never depends on another, and the random choices are the same each time.

    Args:
        bot: a file in YAML or Python, or a folder of them.
        connector: whom to chat with; None for a simulator in memory.
        agents: scripted agents for the simulator; None for those that the bot names.
        plugins: objects with hooks, by name; botkit's own are there besides, no others.
        variables: what ``${env.X}`` gives before the environment does.

    Returns:
        A result for each row of each bot, in order.

    Raises:
        ConfigError: a file is wrong or holds no bot; with all that is wrong in it.
        PluginError: a plugin does not fit.
    """
    own = Plugins()
    try:
        for name, plugin in plugins.items():
            own.register(plugin, name=name)
        load_plugins(environ={"BOTKIT_LOAD_PLUGINS": ""}, into=own)
        plans = plans_of(Path(bot), own, variables)
        return tuple([await play_one(plan, own, connector, agents) for plan in plans])
    finally:
        own.close()


def plans_of(path: Path, plugins: Plugins, variables: Mapping[str, str]) -> list[JourneyPlan]:
    """Load a file for :func:`play`."""
    env, rng = {**os.environ, **variables}, random.Random(1)
    loaded = load_paths(
        [path],
        Settings(
            vocabulary=Vocabulary(
                matchers=MatcherRegistry(plugins.matchers), actions=frozenset(plugins.actions)
            ),
            surroundings=Surroundings(env=env, secrets=env, today=today, rng=rng),
            make_script=partial(ScriptedBot, rng=rng),
        ),
    )
    if loaded.errors:
        raise ConfigError("\n".join(format_text(problem) for problem in loaded.errors))
    if not loaded.bots:
        raise ConfigError(f"there is no bot in {str(path)!r}")
    return [plan for bot in loaded.bots for plan in bot.plans()]


def today() -> date:
    """Tell the date, the same all over the world."""
    return datetime.fromtimestamp(utc_now(), UTC).date()


async def play_one(
    plan: JourneyPlan, plugins: Plugins, connector: Connector | None, agents: Path | None
) -> JourneyResult:
    """Play one journey for :func:`play`."""
    plan = replace(plan, connect=replace(plan.connect, connector=None, server=None))
    with ungrouped():
        async with trio.open_nursery() as nursery:
            if connector is None:
                settings = SimulatorSettings(agents=agents or plan.connect.agents, seed=1)
                connector = await simulator_in(nursery, settings)
            run = Run(
                [plan],
                RunSettings(override=ConnectOptions(connector=IN_MEMORY)),
                connectors={IN_MEMORY: lambda: connector},
                dispatcher=plugins.dispatcher,
                actions=plugins.actions,
            )
            (result,) = (await run.play()).journeys
            nursery.cancel_scope.cancel()
    return result
