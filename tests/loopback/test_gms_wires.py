"""Whole chats over real sockets on both wires of GMS: files, faults, and one centre for all."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from botkit.api import start_session
from botkit.bot.matchers import contains
from botkit.chat import AgentConnected
from botkit.errors import ungrouped
from botkit.simulator import Simulator, SimulatorAddress, SimulatorSettings
from botkit.simulator.faults import Fault, make_fault

SMOKE = Path(__file__).parents[2] / "bots" / "smoke.yaml"
WIRES = ("gms-cometd", "gms-rest")
FILE = bytes(range(256)) * 12_000
POLLS_BREAK = (
    make_fault("kill_connection", on="connect", after=1, times=2),
    make_fault("truncated_json", on="connect", after=3, times=1),
)


@asynccontextmanager
async def served(*faults: Fault) -> AsyncIterator[tuple[Simulator, SimulatorAddress]]:
    with trio.fail_after(30), ungrouped():
        async with trio.open_nursery() as nursery:
            simulator = Simulator(SimulatorSettings(seed=1, faults=faults))
            yield simulator, await nursery.start(simulator.serve)
            nursery.cancel_scope.cancel()


def url_of(address: SimulatorAddress, wire: str) -> str:
    return address.url if wire == "gms-cometd" else address.rest_url


@pytest.mark.parametrize(
    ("wire", "options"),
    [*((wire, {}) for wire in WIRES), ("gms-cometd", {"transport": "websocket"})],
    ids=[*WIRES, "gms-cometd over WebSocket"],
)
async def test_a_large_file_goes_there_and_back(wire: str, options: dict[str, str]) -> None:
    """Over a WebSocket alone, without falling back, the file has a way of its own beside it."""
    async with (
        served() as (_, address),
        start_session(url_of(address, wire), connector=wire, options=options) as session,
    ):
        await session.wait_for(AgentConnected)
        file_id = await session.send_file("all.png", FILE)
        assert await session.download_file(file_id) == FILE
        assert (await session.get_file_limits()).used_total_bytes == len(FILE)


@pytest.mark.parametrize("wire", WIRES)
async def test_broken_polls_cost_no_line(wire: str) -> None:
    async with served(*POLLS_BREAK) as (simulator, address):
        async with start_session(url_of(address, wire), connector=wire) as session:
            await session.wait_for(AgentConnected)
            for text in ("one", "two", "three"):
                await session.send_message(text)
                await session.expect(contains(f"You said: {text}"))
        assert simulator.faults.struck == {"kill_connection": 2, "truncated_json": 1}
        assert simulator.status()["open"] == 0


@pytest.mark.parametrize("wire", WIRES)
async def test_the_smoke_bot_passes(wire: str) -> None:
    async with served() as (simulator, address):
        command = [sys.executable, "-m", "botkit", "run", str(SMOKE)]
        command += ["--connector", wire, "--server", url_of(address, wire)]
        await trio.run_process(command, capture_stderr=True)
        assert simulator.status()["ended"] == {"customer": 1, "service": 0}
