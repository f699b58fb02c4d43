"""A simulator that is met in memory, over any of its wires."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import trio

from botkit.connectors.genesys_cloud import GenesysCloud
from botkit.connectors.gms_cometd import GmsCometd
from botkit.connectors.gms_rest import GmsRest
from botkit.interfaces import (
    Connector,
    Deliver,
    Opening,
    Request,
)
from botkit.simulator import Simulator, SimulatorSettings
from botkit.simulator.app import BAYEUX_PATH, REST_PATH
from botkit.simulator.guest_web import SOCKET_PATH
from botkit.testing.network import MemoryNetwork

__all__ = ["SimulatorInMemory", "simulator_in"]

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
