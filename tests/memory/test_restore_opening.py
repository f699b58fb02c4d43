"""A connection that breaks while a chat is requested, on virtual time."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

import botkit
from botkit.chat import AgentConnected
from botkit.simulator import SimulatorSettings
from botkit.testing import SimulatorInMemory, simulator_in


async def cut_at_the_request(connector: SimulatorInMemory) -> None:
    """Lose the reply to the request for a chat, with the key in it."""
    while not connector.simulator.centre.total:  # noqa: ASYNC110 - the simulator tells nobody
        await trio.sleep(0.001)
    connector.network.cut(ConnectionResetError("cut"))
    connector.network.mend()


@pytest.mark.parametrize("latency", [0.005, 0.01, 0.02])
async def test_what_was_lost_before_the_key_came_is_asked_for(
    latency: float, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await simulator_in(nursery, SimulatorSettings(seed=1), latency=latency)
    nursery.start_soon(cut_at_the_request, connector)
    async with botkit.start_session(connector=connector) as session:
        await session.wait_for(AgentConnected)
        await session.expect(botkit.contains("how can I help"))
        await trio.sleep(1)
    [one] = connector.simulator.centre.chats()
    seen = [event.index for event in session.transcript.recorded() if event.index is not None]
    assert seen == [entry.index for entry in one.log if entry.index is not None]
