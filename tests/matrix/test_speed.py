"""What recoveries cost: how customers who were lost together return, and what many leave."""

from __future__ import annotations

import gc
import random
import tracemalloc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from matrix_model import COMETD, GUEST, REST, SOCKET, Column
from trio.testing import MockClock

from botkit.bot.matchers import contains
from botkit.chat import Continued, Event, Interrupted
from botkit.connectors.genesys_cloud import GenesysCloud
from botkit.connectors.gms_cometd import GmsCometd
from botkit.connectors.gms_rest import GmsRest
from botkit.errors import ungrouped
from botkit.interfaces import Connector
from botkit.session import ChatSession
from botkit.simulator import SimulatorSettings
from botkit.simulator.centre import CentreSettings
from botkit.testing import SimulatorInMemory, simulator_in

TENTH = 0.1
"""Seconds."""
EVIDENCE = 600
"""Bytes of the two events with which an interruption stands in the transcript, which is bounded."""


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
        self._heard = trio.Event()
        self._connector = client_of(column)

    def listen(self, event: Event) -> None:
        if isinstance(event, Interrupted):
            self.lost.append(event.at)
        elif isinstance(event, Continued):
            self.back.append(event.at)
        self._heard.set()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds of what customers were told."""
        while not holds():
            self._heard = trio.Event()
            await self._heard.wait()

    async def join(self, nursery: trio.Nursery) -> ChatSession:
        """Open a chat, and be greeted."""
        opening = self.simulator.opening(options=self._column.options)
        session = ChatSession(nursery, opening, listener=self.listen)
        await session.open(self._connector)
        await session.expect(contains("how can I help"), within=100)
        return session

    async def gather(self, many: int, chats: trio.Nursery) -> None:
        """Let so many join at once, and become quiet."""
        async with trio.open_nursery() as joining:
            for _ in range(many):
                joining.start_soon(self.join, chats)
        await trio.sleep(1)

    async def all_back(self, many: int) -> None:
        """Wait until all have come back, each once."""
        await self.until(lambda: len(self.back) >= many)
        assert len(self.back) == len(self.lost) == many

    async def be_interrupted(self, times: int) -> None:
        """Lose the network so many times, each time until that is noticed."""
        for _ in range(times):
            self.simulator.network.cut(ConnectionRefusedError("nobody listens"))
            await self.until(lambda: len(self.lost) > len(self.back))
            self.simulator.network.mend()
            await self.until(lambda: len(self.lost) == len(self.back))
            await trio.sleep(1)

    async def lose_the_network(self, seconds: float) -> float:
        """Cut every connection at once; gives the time when they can be had again."""
        self.simulator.network.cut(ConnectionRefusedError("nobody listens"))
        await trio.sleep(seconds)
        self.simulator.network.mend()
        return trio.current_time()


@asynccontextmanager
async def crowd_on(column: Column) -> AsyncIterator[tuple[Crowd, trio.Nursery]]:
    # These chats live longer than idle ones may.
    patient = SimulatorSettings(seed=1, centre=CentreSettings(idle_alert=1e6))
    with trio.fail_after(1e6), ungrouped():
        async with trio.open_nursery() as nursery:
            simulator = await simulator_in(nursery, patient, wire=column.connector, latency=0.01)
            async with trio.open_nursery() as chats:
                yield Crowd(simulator, column), chats
                chats.cancel_scope.cancel()
            nursery.cancel_scope.cancel()


def busiest(times: list[float]) -> int:
    """Count how many fall into one tenth of a second, at most."""
    times = sorted(times)
    return max(sum(at <= t < at + TENTH for t in times[i:]) for i, at in enumerate(times))


@pytest.mark.parametrize(
    ("column", "many"),
    [(COMETD, 1000), (SOCKET, 250), (REST, 250), (GUEST, 250)],
    ids=lambda value: getattr(value, "key", value),
)
async def test_customers_who_were_lost_at_once_do_not_return_in_one_instant(
    column: Column, many: int, autojump_clock: MockClock
) -> None:
    async with crowd_on(column) as (crowd, chats):
        await crowd.gather(many, chats)
        mended = await crowd.lose_the_network(20.0)
        await crowd.all_back(many)
        assert busiest(crowd.back) < many / 10
        # Nor does anybody wait for much longer than the loss has lasted.
        assert max(crowd.back) - mended < 15


async def test_sessions_that_are_dropped_at_once_are_not_renewed_in_one_instant(
    autojump_clock: MockClock,
) -> None:
    many = 250
    async with crowd_on(COMETD) as (crowd, chats):
        await crowd.gather(many, chats)
        server = crowd.simulator.simulator.bayeux
        dropped = trio.current_time()
        for session in list(server.sessions):
            server.forget(session)
        await crowd.all_back(many)
        assert busiest(crowd.back) < many / 3
        assert max(crowd.back) - dropped < 2


@pytest.mark.parametrize("column", [COMETD, SOCKET, REST, GUEST], ids=lambda column: column.key)
async def test_interruptions_leave_nothing_behind_but_their_evidence(
    column: Column, autojump_clock: MockClock
) -> None:
    async with crowd_on(column) as (crowd, chats):
        await crowd.join(chats)
        tracemalloc.start()
        try:
            # Whatever is made once, and caches of a fixed size, have been filled by then.
            await crowd.be_interrupted(400)
            gc.collect()
            before, _ = tracemalloc.get_traced_memory()
            await crowd.be_interrupted(600)
            gc.collect()
            after, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert after - before < 600 * EVIDENCE
