"""Chats over web messaging against the simulator, on virtual time, in any weather."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from botkit import chat
from botkit.bot.matchers import contains
from botkit.chat import AgentConnected, EndedBy, RestoreOutcome, SessionEnded
from botkit.errors import BotkitError, ChatError, ConnectorError, ungrouped
from botkit.interfaces import Opening
from botkit.session import ChatSession
from botkit.simulator import SimulatorSettings
from botkit.simulator.faults import Fault, make_fault
from botkit.testing import SimulatorInMemory, simulator_in

LATENCY = 0.01
GREETING = "Hello, how can I help you?"


@asynccontextmanager
async def session_with(connector: SimulatorInMemory, **members: Any) -> AsyncIterator[ChatSession]:
    """Open a chat, and leave it at the end of the block."""
    with ungrouped():
        async with trio.open_nursery() as nursery:
            session = ChatSession(nursery, Opening(**members))
            await session.open(connector)
            yield session
            await session.leave()


async def start(nursery: trio.Nursery, *faults: Fault, **settings: Any) -> SimulatorInMemory:
    settings = {"seed": 1, "faults": faults, **settings}
    return await simulator_in(
        nursery, SimulatorSettings(**settings), latency=LATENCY, wire="genesys-cloud"
    )


def status_of(connector: SimulatorInMemory) -> Any:
    return connector.simulator.status()


def lines(session: ChatSession) -> list[str]:
    return [row.text for row in session.transcript.rows() if row.kind == "message"]


def count(session: ChatSession, kind: type[chat.Event]) -> int:
    return sum(type(event) is kind for event in session.transcript.recorded())


async def talk(session: ChatSession, number: int) -> None:
    await session.send_message(f"line {number}")
    await session.expect(contains(f"You said: line {number}"))


async def test_a_whole_chat(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    connector = await start(nursery)
    async with session_with(connector, userdata={"A": "1"}) as session:
        agent = await session.wait_for(AgentConnected)
        await session.expect(contains(GREETING))
        for number in range(5):
            await talk(session, number)
    assert agent.party is not None
    assert session.ended is not None
    assert session.ended.by is EndedBy.CUSTOMER
    assert lines(session) == [GREETING] + [
        text for n in range(5) for text in (f"line {n}", f"You said: line {n}")
    ]
    status = status_of(connector)
    assert (status["open"], status["guests"]) == (0, 0)
    assert status["chats"][0]["ended_by"] == "customer"
    assert connector.network.under_way == 0


WEATHER = {
    "killed": make_fault("kill_connection", on="onMessage", after=1, times=3),
    "twice": make_fault("duplicate_message"),
    "reordered": make_fault("reorder_messages", seconds=0.2, probability=0.5),
    "late": make_fault("delay_message", seconds=0.5, probability=0.5),
    "too fast": make_fault("rate_limited", after=1, times=2),
}


@pytest.mark.parametrize("fault", WEATHER.values(), ids=WEATHER)
async def test_nothing_is_lost_repeated_or_said_twice(
    fault: Fault, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await start(nursery, fault)
    said = []
    async with session_with(connector) as session:
        await session.expect(contains(GREETING), within=60)
        for number in range(8):
            try:
                await session.send_message(f"line {number}")
                said.append(number)
            except ConnectorError:
                continue
            await session.expect(contains(f"You said: line {number}"), within=60)
    told = [text for text in lines(session) if text.startswith("You said")]
    assert told == sorted(set(told))
    assert {f"You said: line {number}" for number in said} <= set(told)
    assert count(session, chat.Interrupted) == count(session, chat.Continued)
    assert session.ended is not None
    assert session.ended.by is EndedBy.CUSTOMER
    assert status_of(connector)["open"] == 0


@pytest.mark.parametrize("seed", range(10))
async def test_connections_that_break_anywhere(
    seed: int, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    """The network is cut again and again; the transcript is the service's own in the end."""
    connector = await start(nursery, seed=seed)

    async def storm() -> None:
        for cut in range(6):
            await trio.sleep(0.37 * (seed + 1) + cut)
            connector.network.cut(ConnectionResetError("storm"))
            await trio.sleep(0.2)
            connector.network.mend()

    async with session_with(connector) as session:
        async with trio.open_nursery() as weather:
            weather.start_soon(storm)
            for number in range(8):
                try:
                    await session.send_message(f"line {number}")
                except ConnectorError:
                    continue
                await trio.sleep(0.5)
        await trio.sleep(15)
    shown = [text for text in lines(session) if text.startswith(("You said", "Hello"))]
    assert shown.count(GREETING) == 1
    assert len(shown) == len(set(shown))
    entries = status_of(connector)["chats"][0]["entries"]
    assert entries >= len(shown)
    assert count(session, chat.Interrupted) == count(session, chat.Continued) > 0
    assert status_of(connector)["open"] == 0


async def test_a_session_reloads(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    connector = await start(nursery)
    async with session_with(connector) as session:
        await session.expect(contains(GREETING))
        await talk(session, 1)
        restoration = await session.reload(30.0)
        assert restoration.outcome is RestoreOutcome.RESTORED
        await talk(session, 2)
        assert session.agents
    assert lines(session) == [
        GREETING,
        *(text for n in (1, 2) for text in (f"line {n}", f"You said: line {n}")),
    ]
    status = status_of(connector)
    assert (status["open"], status["total"]) == (0, 1)


async def test_files(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    connector = await start(nursery)
    async with session_with(connector) as session:
        await session.expect(contains(GREETING))
        limits = await session.get_file_limits()
        assert "image/png" in limits.file_types
        file_id = await session.send_file("a.png", b"\x89PNG", media_type="image/png")
        await session.expect(contains("You said"))
        (file,) = (event for event in session.transcript.recorded() if type(event) is chat.File)
        assert (file.file_id, file.own) == (file_id, True)
        assert await session.download_file(file_id) == b"\x89PNG"
        with pytest.raises(ChatError) as caught:
            await session.send_file("a.exe", b"MZ", media_type="application/x-msdownload")
        assert caught.value.code in (4001, 4004)


@pytest.mark.parametrize(
    ("fault", "code"), [("read_only", 409), ("expired", 4006), ("connection_closed", None)]
)
async def test_what_ends_talking(
    fault: str, code: int | None, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    # The Join is a message, too.
    connector = await start(nursery, make_fault(fault, after=1, times=1))
    async with session_with(connector) as session:
        await session.expect(contains(GREETING))
        failure: BotkitError | None = None
        try:
            await session.send_message("Hi")
        except BotkitError as error:
            failure = error
        if fault == "read_only":
            assert isinstance(failure, ChatError)
            assert failure.code == code
        else:
            await session.wait_for(SessionEnded)
    assert session.ended is not None
    assert session.ended.by is (EndedBy.CUSTOMER if code == 409 else EndedBy.SERVICE)


@pytest.mark.parametrize("leave_by", ["close_session", "clear"])
async def test_nobody_keeps_waiting_when_the_chat_was_left(
    leave_by: str, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await start(nursery)
    async with session_with(connector, options={"leave_by": leave_by}) as session:
        await session.wait_for(AgentConnected)
    assert session.left
    assert status_of(connector)["open"] == 0


class CancelAfter(trio.abc.Instrument):
    """Cancels a scope after so many steps of whatever task."""

    def __init__(self, steps: int, scope: trio.CancelScope) -> None:
        self.cancelled_at: float | None = None
        self._steps_to_go = steps
        self._scope = scope

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        self._steps_to_go -= 1
        if self._steps_to_go == 0:
            self.cancelled_at = trio.current_time()
            self._scope.cancel()


async def cancelled_after(steps: int, connector: SimulatorInMemory) -> bool:
    """Cancel a chat, and look what is left of it; False if it was over before."""
    with trio.CancelScope() as scope, trio.fail_after(600):
        instrument = CancelAfter(steps, scope)
        trio.lowlevel.add_instrument(instrument)
        try:
            async with session_with(connector) as session:
                await session.wait_for(AgentConnected)
                await session.send_message("hi")
                await session.expect(contains("You said: hi"))
                await session.set_userdata({"A": "1"})
        finally:
            trio.lowlevel.remove_instrument(instrument)
    if instrument.cancelled_at is not None:
        assert trio.current_time() - instrument.cancelled_at < 4.0
    status = status_of(connector)
    assert (status["open"], connector.network.under_way) == (0, 0), f"after {steps} steps"
    return instrument.cancelled_at is not None


WEATHERS: dict[str, tuple[Fault, ...]] = {
    "calm": (),
    "lost connection": (make_fault("kill_connection", each_session=True, after=1, times=1),),
}


@pytest.mark.parametrize("faults", WEATHERS.values(), ids=WEATHERS)
async def test_a_chat_is_cancelled_after_each_step(
    faults: tuple[Fault, ...], nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await start(nursery, *faults)
    steps = 1
    while await cancelled_after(steps, connector):
        steps += 1
    assert steps > 50
