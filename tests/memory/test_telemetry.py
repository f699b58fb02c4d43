"""Whole chats on virtual time: what the server is told of the trace they belong to."""

from __future__ import annotations

import httpx
import pytest
import trio
from trio.testing import MockClock

import botkit
from botkit.chat import AgentConnected
from botkit.interfaces import Opening
from botkit.simulator import SimulatorSettings
from botkit.telemetry import TraceContext, traced
from botkit.testing import simulator_in


@pytest.mark.parametrize(
    ("wire", "options"),
    [
        ("gms-cometd", {}),
        ("gms-cometd", {"transport": "websocket"}),
        ("gms-rest", {}),
        ("genesys-cloud", {}),
    ],
)
async def test_each_request_of_a_chat_names_its_trace(
    wire: str,
    options: dict[str, str],
    nursery: trio.Nursery,
    autojump_clock: MockClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    simulator = await simulator_in(nursery, SimulatorSettings(seed=1), wire=wire)
    seen: list[str | None] = []
    carry = simulator.network.handle_async_request

    async def listen(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("traceparent"))
        return await carry(request)

    monkeypatch.setattr(simulator.network, "handle_async_request", listen)
    context = TraceContext.new()
    network = traced(Opening(), context).network
    async with botkit.start_session(
        connector=simulator, network=network, options=options
    ) as session:
        await session.wait_for(AgentConnected)
    nursery.cancel_scope.cancel()
    assert seen
    assert set(seen) == {context.traceparent}
