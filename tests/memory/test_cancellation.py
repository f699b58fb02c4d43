"""A chat that is cancelled at any of its awaits: nobody waits for it, and nothing stays open."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import pytest
import trio
import trio.testing

from botkit.bot.matchers import contains
from botkit.chat import AgentConnected
from botkit.connectors import chat_network
from botkit.connectors.gms_cometd import GmsCometd
from botkit.connectors.http import LeanHttp
from botkit.errors import ungrouped
from botkit.interfaces import Connector, Opening
from botkit.session import ChatSession
from botkit.simulator import Simulator, SimulatorSettings
from botkit.simulator.faults import Fault, make_fault
from botkit.simulator.server import serve_stream
from botkit.testing import simulator_in

LATENCY = 0.01
GOODBYE_LIMIT = 4.0
ENOUGH = 50
NO_OPTIONS: Mapping[str, str] = MappingProxyType({})
EXPIRY = 15.0
"""Seconds after which the simulator forgets a Bayeux session that was silent, and a bit."""


class CancelAfter(trio.abc.Instrument):
    """Cancels a scope after so many steps of whatever task.

    Attributes:
        cancelled_at: when; None if there were not so many.
    """

    def __init__(self, steps: int, scope: trio.CancelScope) -> None:
        self.cancelled_at: float | None = None
        self._steps_to_go = steps
        self._scope = scope

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        self._steps_to_go -= 1
        if self._steps_to_go == 0:
            self.cancelled_at = trio.current_time()
            self._scope.cancel()


async def chat(
    connector: Connector, *, reloads: bool = False, options: Mapping[str, str] = NO_OPTIONS
) -> None:
    """A bit of everything that a session does."""
    opening = Opening(url="http://simulator/genesys/cometd", options=options)
    with ungrouped():
        async with trio.open_nursery() as nursery:
            session = ChatSession(nursery, opening)
            await session.open(connector)
            await session.wait_for(AgentConnected)
            await session.send_message("hi")
            await session.expect(contains("You said: hi"))
            await session.set_userdata({"A": "1"})
            if reloads:
                await session.reload(1)
                await session.send_message("back")
                await session.expect(contains("You said: back"))
            await session.leave()


async def cancelled_after(
    steps: int,
    connector: Connector,
    simulator: Simulator,
    *,
    reloads: bool,
    options: Mapping[str, str],
) -> bool:
    """Cancel a chat, and look what is left of it; False if it was over before."""
    with trio.CancelScope() as scope, trio.fail_after(600):
        instrument = CancelAfter(steps, scope)
        trio.lowlevel.add_instrument(instrument)
        try:
            await chat(connector, reloads=reloads, options=options)
        finally:
            trio.lowlevel.remove_instrument(instrument)
    if instrument.cancelled_at is not None:
        assert trio.current_time() - instrument.cancelled_at < GOODBYE_LIMIT
    assert simulator.status()["open"] == 0, f"cancelled after {steps} steps"
    if reloads:
        # The Bayeux session that a reload lets go of without a word has to expire.
        await trio.sleep(EXPIRY)
    status = simulator.status()
    assert (status["open"], status["sessions"]) == (0, 0), f"cancelled after {steps} steps"
    return instrument.cancelled_at is not None


async def cancel_everywhere(
    connector: Connector,
    simulator: Simulator,
    *,
    reloads: bool = False,
    options: Mapping[str, str] = NO_OPTIONS,
    faults: tuple[Fault, ...] | None = None,
) -> int:
    """Cancel chat after chat, each a step later than the one before.

    Args:
        faults: put in place for each chat anew.
    """
    steps = 0
    going_on = True
    while going_on:
        steps += 1
        if faults is not None:
            simulator.faults.change(faults)
        going_on = await cancelled_after(
            steps, connector, simulator, reloads=reloads, options=options
        )
    return steps


LOST_CONNECTION = make_fault("kill_connection", each_session=True, after=2, times=1)
WEATHERS: dict[tuple[str, str], tuple[Fault, ...]] = {
    ("gms-cometd", "calm"): (),
    ("gms-cometd", "lost session"): (
        make_fault("unknown_session", each_session=True, after=3, times=1),
    ),
    ("gms-cometd", "lost connection"): (LOST_CONNECTION,),
    ("gms-cometd", "late key"): (make_fault("delay_message", on="any", seconds=1.0),),
    ("gms-rest", "calm"): (),
    ("gms-rest", "lost connection"): (LOST_CONNECTION,),
    ("gms-rest", "late key"): (make_fault("slow_drip", on="requestChat", seconds=0.002),),
    ("gms-rest", "come again"): (
        make_fault("status_code_1", on="any", each_session=True, after=1, times=2),
    ),
}


@pytest.mark.parametrize(
    ("wire", "faults"),
    [(wire, faults) for (wire, _), faults in WEATHERS.items()],
    ids=map("-".join, WEATHERS),
)
async def test_a_chat_is_cancelled_after_each_step(
    wire: str,
    faults: tuple[Fault, ...],
    nursery: trio.Nursery,
    autojump_clock: trio.testing.MockClock,
) -> None:
    settings = SimulatorSettings(seed=1, faults=faults)
    connector = await simulator_in(nursery, settings, latency=LATENCY, wire=wire)
    assert await cancel_everywhere(connector, connector.simulator) > ENOUGH
    assert connector.network.under_way == 0


@pytest.mark.parametrize("wire", ["gms-cometd", "gms-rest"])
async def test_a_chat_that_reloads_is_cancelled_after_each_step(
    wire: str, nursery: trio.Nursery, autojump_clock: trio.testing.MockClock
) -> None:
    settings = SimulatorSettings(seed=1)
    connector = await simulator_in(nursery, settings, latency=LATENCY, wire=wire)
    steps = await cancel_everywhere(connector, connector.simulator, reloads=True)
    assert steps > ENOUGH
    assert connector.network.under_way == 0


SOCKET_WEATHERS: dict[tuple[str, str], tuple[Fault, ...]] = {
    ("websocket", "calm"): (),
    ("websocket", "lost session"): (make_fault("unknown_session", after=3, times=1),),
    ("websocket", "lost connection"): (make_fault("kill_connection", after=2, times=1),),
    ("websocket", "late key"): (make_fault("delay_message", on="any", seconds=1.0),),
    ("auto", "calm"): (),
    ("auto", "no socket"): (make_fault("http_500", on="upgrade"),),
    ("auto", "a useless socket"): (make_fault("stall", on="upgrade"),),
}


@pytest.mark.parametrize(
    ("transport", "faults"),
    [(transport, faults) for (transport, _), faults in SOCKET_WEATHERS.items()],
    ids=map("-".join, SOCKET_WEATHERS),
)
async def test_a_chat_over_a_socket_is_cancelled_after_each_step(
    transport: str,
    faults: tuple[Fault, ...],
    nursery: trio.Nursery,
    autojump_clock: trio.testing.MockClock,
) -> None:
    connector = await simulator_in(nursery, SimulatorSettings(seed=1), latency=LATENCY)
    steps = await cancel_everywhere(
        connector, connector.simulator, options={"transport": transport}, faults=faults
    )
    assert steps > ENOUGH
    assert connector.network.under_way == 0


class Streams:
    """Memory streams to a simulator, in place of sockets, and whether they were closed."""

    def __init__(self, simulator: Simulator, nursery: trio.Nursery) -> None:
        self.opened: list[trio.abc.Stream] = []
        self._simulator = simulator
        self._nursery = nursery

    async def open(self, host: str, port: int) -> trio.abc.Stream:
        await trio.sleep(LATENCY)
        ours, theirs = trio.testing.memory_stream_pair()
        self._nursery.start_soon(serve_stream, self._simulator.handle, theirs)
        self.opened.append(ours)
        return ours

    async def assert_closed(self) -> None:
        for stream in self.opened:
            with pytest.raises(trio.ClosedResourceError):
                await stream.send_all(b"x")


async def test_no_connection_is_left_open(
    nursery: trio.Nursery,
    monkeypatch: pytest.MonkeyPatch,
    autojump_clock: trio.testing.MockClock,
) -> None:
    simulator = Simulator(SimulatorSettings(seed=1))
    await nursery.start(simulator.run)
    streams = Streams(simulator, nursery)
    monkeypatch.setattr(
        chat_network,
        "open_http",
        lambda url, network, **_: LeanHttp(url, network, open_stream=streams.open),
    )
    assert await cancel_everywhere(GmsCometd(), simulator) > ENOUGH
    assert len(streams.opened) > ENOUGH
    await streams.assert_closed()
