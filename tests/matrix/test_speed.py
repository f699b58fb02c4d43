"""What recoveries cost: how customers who were lost together return, and what many of them leave."""

from __future__ import annotations

import gc
import random
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from matrix_model import COLUMNS, COMETD, REST, SOCKET, Column
from trio.testing import MockClock

from botkit.bot.matchers import contains
from botkit.chat import Continued, Interrupted
from botkit.connectors.genesys_cloud import GenesysCloud
from botkit.connectors.gms_cometd import GmsCometd
from botkit.connectors.gms_rest import GmsRest
from botkit.errors import ungrouped
from botkit.interfaces import Connector, Opening
from botkit.session import ChatSession
from botkit.simulator import SimulatorSettings
from botkit.simulator.centre import CentreSettings
from botkit.testing import SimulatorInMemory, simulator_in

MANY = 1000
TENTH = 0.1
"""Seconds."""


def client_of(column: Column) -> Connector:
    rng = random.Random(7)
    if column is REST:
        return GmsRest(rng=rng)
    return GmsCometd(rng=rng) if column in (COMETD, SOCKET) else GenesysCloud(rng=rng)


class Crowd:
    """Customers of one simulator, who share a network.

    Attributes:
        lost, back: when customers were told so.
    """

    def __init__(self, simulator: SimulatorInMemory, column: Column) -> None:
        self.simulator = simulator
        self.lost: list[float] = []
        self.back: list[float] = []
        self._column = column
        self._connector = client_of(column)

    async def join(self, nursery: trio.Nursery) -> ChatSession:
        """Open a chat, and be greeted."""
        opening = self.simulator.opening(options=self._column.options)
        session = ChatSession(nursery, opening)
        session.on(Interrupted, lambda event: self.lost.append(event.at))
        session.on(Continued, lambda event: self.back.append(event.at))
        await session.open(self._connector)
        await session.expect(contains("how can I help"), within=100)
        return session

    async def lose_the_network(self, seconds: float) -> float:
        """Cut every connection at once; gives the time when they can be had again."""
        self.simulator.network.cut(ConnectionRefusedError("nobody listens"))
        await trio.sleep(seconds)
        self.simulator.network.mend()
        return trio.current_time()


@asynccontextmanager
async def crowd_on(column: Column) -> AsyncIterator[tuple[Crowd, trio.Nursery]]:
    # The chats of this test live longer than idle ones may.
    patient = SimulatorSettings(seed=1, centre=CentreSettings(idle_alert=None, idle_close=None))
    with trio.fail_after(100_000), ungrouped():
        async with trio.open_nursery() as nursery:
            simulator = await simulator_in(nursery, patient, wire=column.connector, latency=0.01)
            async with trio.open_nursery() as chats:
                yield Crowd(simulator, column), chats
            nursery.cancel_scope.cancel()
