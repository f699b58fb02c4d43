"""Helpers for testing bots, plugins and botkit itself."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import httpx
import trio

from botkit import chat
from botkit.chat import EndedBy, Event, Message, Party, PartyKind, SessionEnded, SessionStarted
from botkit.connectors.gms_cometd import GmsCometd
from botkit.connectors.gms_rest import GmsRest
from botkit.errors import BotkitError
from botkit.interfaces import Connector, Deliver, Opening, Outcome, Request
from botkit.simulator import Simulator, SimulatorSettings
from botkit.simulator.app import BAYEUX_PATH, REST_PATH
from botkit.simulator.http import Handler, Reply
from botkit.simulator.http import Request as HttpRequest

__all__ = ["AGENT", "MemoryNetwork", "ScriptedConnector", "SimulatorInMemory", "simulator_in"]

AGENT = Party(name="Ada", kind=PartyKind.AGENT)
"""Whose lines :meth:`ScriptedConnector.say` delivers."""

Play = Callable[["ScriptedConnector"], Awaitable[None]]


class ScriptedConnector:
    """A connector in the hands of a test: no server, no bytes, any clock.

    It opens at once, records every command, and delivers what the test tells it to.

    Args:
        play: runs beside the chat from its opening on, such as an agent's part.
        answer: gives the error that a request gets; None (the default) accepts all.
        refusal: raised instead of opening.
        confirms_leaving: False for a service that never confirms the goodbye.

    Attributes:
        commands: what the customer did, in order.
    """

    on_simulator = False
    lacks: Mapping[type[chat.Command], str] = {}

    def __init__(
        self,
        play: Play | None = None,
        *,
        answer: Callable[[chat.Command], BotkitError | None] | None = None,
        refusal: Exception | None = None,
        confirms_leaving: bool = True,
    ) -> None:
        self.commands: list[chat.Command] = []
        self._play = play
        self._answer = answer
        self._refusal = refusal
        self._confirms_leaving = confirms_leaving
        self._deliver: Deliver
        self._ended = False
        self._seq = 0

    def push(self, kind: type[Event], /, **members: Any) -> None:
        """Deliver an event, stamped and numbered."""
        self._seq += 1
        self._deliver(kind(at=trio.current_time(), seq=self._seq, **members))

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
        if self._refusal is not None:
            raise self._refusal
        self._deliver = deliver
        self.push(SessionStarted, session_id="scripted-1")
        try:
            async with self._beside():
                task_status.started()
                async for request in requests:
                    self.commands.append(request.command)
                    if isinstance(request.command, chat.Leave):
                        break
                    error = self._answer(request.command) if self._answer else None
                    deliver(Outcome(number=request.number, at=trio.current_time(), error=error))
        finally:
            if not self._ended:
                by = EndedBy.CUSTOMER if self._confirms_leaving else EndedBy.UNCONFIRMED
                self.push(SessionEnded, by=by)

    @asynccontextmanager
    async def _beside(self) -> AsyncIterator[None]:
        async with trio.open_nursery() as nursery:
            if self._play is not None:
                nursery.start_soon(self._play, self)
            yield
            nursery.cancel_scope.cancel()


# --- a simulator without sockets -----------------------------------------------------------------


class MemoryNetwork(httpx.AsyncBaseTransport):
    """A network with one server at its end, on any clock; to be given as ``Opening.transport``.

    Requests are answered in the task that makes them: a poll is held there, and who is cancelled
    is, for the server, a client that has gone.

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

    @property
    def under_way(self) -> int:
        """How many exchanges were begun and have not ended."""
        return len(self._under_way)

    def cut(self, reason: OSError) -> None:
        """Cut all connections, and let none be made, for this reason, until :meth:`mend`."""
        self._unreachable = reason
        for scope in self._under_way:
            scope.cancel()

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
        reply = await self._handler(
            HttpRequest(
                method=request.method,
                path=request.url.path,
                query=request.url.query.decode(),
                headers=dict(request.headers),
                body=await request.aread(),
                peer="memory",
            )
        )
        await trio.sleep(self._latency)
        if reply.abort:
            raise httpx.ReadError("the connection was cut")
        return httpx.Response(reply.status, headers=list(reply.headers), stream=_Body(reply))


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
        "gms-cometd": (lambda rng: GmsCometd(rng=rng), BAYEUX_PATH),
        "gms-rest": (lambda rng: GmsRest(rng=rng), REST_PATH),
    }
)
"""The wires that lead to a simulator in memory: what speaks them, and the path of the URL."""


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
        new_client, path = WIRES[wire]
        self.simulator = simulator
        self.network = MemoryNetwork(simulator.handle, latency=latency)
        self.url = f"http://simulator{path}"
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
