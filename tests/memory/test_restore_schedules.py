"""A customer who lets go at any moment, again and again, is told everything exactly once.

Unlike a process that is killed, one that lets go stores what it has read to the last event, so that
what is new to the next session is what no session before it was told.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest
import trio
from trio.testing import MockClock

import botkit
from botkit.chat import Event, SessionRestored, SessionStarted
from botkit.errors import ConnectorError, SessionClosed
from botkit.session import ChatSession
from botkit.simulator import SimulatorSettings
from botkit.simulator.chats import EntryKind
from botkit.simulator.faults import make_fault
from botkit.storage import MemoryStorage
from botkit.testing import SimulatorInMemory, simulator_in

VISITS = 5
FAULTS = (
    make_fault("delay_message", on="any", probability=0.2, seconds=0.05),
    make_fault("duplicate_message", on="any", probability=0.2),
    make_fault("reorder_messages", on="any", probability=0.1, seconds=0.05),
    make_fault("kill_connection", on="connect", probability=0.1),
)


@dataclass(kw_only=True)
class Customer:
    """Comes and goes by chance; remembers what was told in each session."""

    connector: SimulatorInMemory
    rng: random.Random
    storage: MemoryStorage = field(default_factory=MemoryStorage)
    new: list[int] = field(default_factory=list)
    openings: list[type[Event]] = field(default_factory=list)

    async def visit(self, number: int, *, stays: bool) -> None:
        open_session = botkit.restore_session if number else botkit.start_session
        before = [*self.new]
        async with open_session(connector=self.connector, storage=self.storage) as session:
            with trio.move_on_after(self.rng.uniform(0, 0.6)):
                await self.talk(session, number)
            if stays:
                # What the server still holds back comes before the end.
                await trio.sleep(1)
            else:
                await session.detach()
        events = session.transcript.recorded()
        self.openings += [
            type(event) for event in events if type(event) in (SessionStarted, SessionRestored)
        ]
        rows = [row for row in session.transcript.rows() if row.index is not None]
        self.new += [row.index for row in rows if not row.history and row.index is not None]
        history = {row.index for row in rows if row.history}
        assert history <= set(before), "what nobody was told comes as history"

    async def talk(self, session: ChatSession, number: int) -> None:
        for line in range(100):
            try:
                await session.send_message(f"{number}.{line}")
            except (ConnectorError, SessionClosed):
                await trio.lowlevel.checkpoint()
            await trio.sleep(self.rng.uniform(0, 0.1))


async def speak(connector: SimulatorInMemory, rng: random.Random) -> None:
    """Let agents speak at any time, to whoever is there or not."""
    centre = connector.simulator.centre
    while True:
        await trio.sleep(rng.uniform(0, 0.2))
        for one in centre.open_chat_list():
            for agent in one.agents.values():
                now = trio.current_time()
                centre.write(one, EntryKind.MESSAGE, agent, now=now, text=f"at {now:.3f}")


@pytest.mark.parametrize("wire", ["gms-cometd", "gms-rest"])
@pytest.mark.parametrize("seed", range(40))
async def test_everything_is_told_exactly_once(
    wire: str, seed: int, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    rng = random.Random(seed)
    settings = SimulatorSettings(seed=seed, faults=FAULTS if seed % 2 else ())
    connector = await simulator_in(nursery, settings, latency=0.01, wire=wire)
    customer = Customer(connector=connector, rng=rng)
    async with trio.open_nursery() as speaking:
        speaking.start_soon(speak, connector, rng)
        for number in range(VISITS):
            await customer.visit(number, stays=False)
            await trio.sleep(rng.uniform(0, 1))
        speaking.cancel_scope.cancel()
    # The last words are as safe as the others, if the network is.
    connector.simulator.faults.change(())
    await customer.visit(VISITS, stays=True)
    assert connector.simulator.centre.total == 1
    assert customer.openings == [SessionStarted] + [SessionRestored] * VISITS
    [one] = connector.simulator.centre.chats()
    assert sorted(customer.new) == [e.index for e in one.log if e.index is not None]
