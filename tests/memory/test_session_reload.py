"""A session that lets go of its connection and comes back, on virtual time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
from trio.testing import MockClock

import botkit
from botkit import chat
from botkit.bot.matchers import contains
from botkit.chat import (
    AgentConnected,
    EndedBy,
    Event,
    Message,
    RestoreOutcome,
    Row,
    SessionEnded,
    SessionRestored,
    SessionStarted,
)
from botkit.errors import SessionClosed
from botkit.session import ChatSession
from botkit.simulator import SimulatorSettings
from botkit.simulator.chats import Chat, EntryKind
from botkit.simulator.faults import Fault, make_fault
from botkit.testing import SimulatorInMemory, simulator_in

Start = Callable[..., Awaitable[SimulatorInMemory]]


@pytest.fixture(params=["gms-cometd", "gms-rest"])
def connector_in(request: pytest.FixtureRequest) -> Start:
    """Starts a simulator that is reached over each wire in turn."""

    async def start(nursery: trio.Nursery, *faults: Fault) -> SimulatorInMemory:
        settings = SimulatorSettings(seed=1, faults=faults)
        return await simulator_in(nursery, settings, latency=0.01, wire=request.param)

    return start


def only_chat(connector: SimulatorInMemory) -> Chat:
    (one,) = connector.simulator.centre.chats()
    return one


def numbered(session: ChatSession) -> list[int]:
    return [row.index for row in session.transcript.rows() if row.index is not None]


def of_server(connector: SimulatorInMemory) -> list[int]:
    return [entry.index for entry in only_chat(connector).log if entry.index is not None]


async def listen(session: ChatSession, events: list[Event]) -> None:
    async for event in session.events():
        events += [event]


async def say_hello(session: ChatSession) -> None:
    await session.wait_for(AgentConnected)
    await session.expect(contains("how can I help"))
    await session.send_message("Hi")
    await session.expect(contains("You said: Hi"))


async def test_a_reload_wins_the_same_chat_back(
    connector_in: Start, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await connector_in(nursery)
    events: list[Event] = []
    async with botkit.start_session(connector=connector) as session:
        nursery.start_soon(listen, session, events)
        await say_hello(session)
        before, session_id = numbered(session), session.id

        restoration = await session.reload(away_for=8)

        assert restoration.outcome is RestoreOutcome.RESTORED
        assert restoration.session_id == session_id == session.id
        assert [party.name for party in session.agents] == ["Alex"]
        await session.send_message("Here I am again")
        await session.expect(contains("You said: Here I am again"))
        assert numbered(session)[: len(before)] == before
    assert sorted(numbered(session)) == of_server(connector)
    assert len(set(numbered(session))) == len(numbered(session))
    kinds = [type(event) for event in events]
    assert kinds.count(SessionStarted) == kinds.count(SessionRestored) == 1
    assert {event.index for event in events if event.history} == set(before)
    seqs = [event.seq for event in events]
    assert seqs == sorted(set(seqs))
    assert only_chat(connector).ended_by is EndedBy.CUSTOMER
    assert connector.network.under_way == 0


async def test_what_was_said_meanwhile_is_new(
    connector_in: Start, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await connector_in(nursery)
    async with botkit.start_session(connector=connector) as session:
        await say_hello(session)
        async with trio.open_nursery() as beside:
            beside.start_soon(session.reload, 5)
            await trio.sleep(2)
            assert connector.network.under_way == 0
            centre, one = connector.simulator.centre, only_chat(connector)
            agent = next(iter(one.agents.values()))
            centre.write(
                one, EntryKind.MESSAGE, agent, now=trio.current_time(), text="Still there?"
            )
        message = await session.expect(contains("Still there?"))
        assert not message.history


async def test_a_command_given_meanwhile_is_done_after_it(
    connector_in: Start, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await connector_in(nursery)
    async with botkit.start_session(connector=connector) as session:
        await say_hello(session)
        async with trio.open_nursery() as beside:
            beside.start_soon(session.reload, 5)
            await trio.sleep(1)
            await session.send_message("One moment")
        await session.expect(contains("You said: One moment"))
    own = [row for row in session.transcript.rows() if row.text == "One moment"]
    assert len(own) == 1


async def test_a_chat_that_ended_meanwhile_is_not_given_back(
    connector_in: Start, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await connector_in(nursery)
    async with botkit.start_session(connector=connector) as session:
        await say_hello(session)
        async with trio.open_nursery() as beside:
            results: list[Any] = []

            async def reload() -> None:
                results.append(await session.reload(5))

            beside.start_soon(reload)
            await trio.sleep(2)
            one = only_chat(connector)
            connector.simulator.centre.end(one, EndedBy.SERVICE, now=trio.current_time())
        (restoration,) = results
        assert restoration.outcome is RestoreOutcome.FAILED
        assert restoration.description == "the chat has ended meanwhile"
        assert session.ended is not None
        assert session.ended.by is EndedBy.SERVICE
        with pytest.raises(SessionClosed):
            await session.send_message("Hello?")
    assert connector.simulator.centre.total == 1


async def test_a_chat_that_was_left_is_not_stored(
    connector_in: Start, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await connector_in(nursery)
    async with botkit.start_session(connector=connector) as session:
        await say_hello(session)
        await session.leave()
        restoration = await session.reload(1)
    assert restoration == chat.Restoration(outcome=RestoreOutcome.NO_SESSION)


async def test_a_server_that_has_gone_is_told(
    connector_in: Start, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await connector_in(nursery)
    async with botkit.start_session(connector=connector) as session:
        await say_hello(session)
        async with trio.open_nursery() as beside:
            results: list[Any] = []

            async def reload() -> None:
                results.append(await session.reload(5))

            beside.start_soon(reload)
            await trio.sleep(2)
            connector.network.cut(ConnectionRefusedError("nobody listens"))
        (restoration,) = results
        assert restoration.outcome is RestoreOutcome.FAILED
        assert "refuses connections" in restoration.description
        assert session.ended is not None
        assert session.ended.by is EndedBy.LOST


@pytest.mark.parametrize("at", [0.0, 0.005, 0.015, 1.0, 5.02, 5.035, 5.05, 5.07, 5.09, 5.2])
async def test_who_is_cancelled_while_reloading_leaves_the_chat(
    connector_in: Start, nursery: trio.Nursery, autojump_clock: MockClock, at: float
) -> None:
    connector = await connector_in(nursery)
    ended: list[SessionEnded] = []
    async with botkit.start_session(connector=connector) as session:
        await say_hello(session)
        with trio.move_on_after(at):
            await session.reload(5)
            await trio.sleep_forever()
        await session.leave()
        assert session.ended is not None
        ended.append(session.ended)
    assert ended[0].by is EndedBy.CUSTOMER
    assert only_chat(connector).ended_by is EndedBy.CUSTOMER
    assert connector.network.under_way == 0


async def test_who_breaks_out_of_the_block_while_away_leaves_the_chat(
    connector_in: Start, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await connector_in(nursery)
    with trio.move_on_after(4):
        async with botkit.start_session(connector=connector) as session:
            await session.wait_for(AgentConnected)
            await session.reload(30)
    assert only_chat(connector).ended_by is EndedBy.CUSTOMER


async def test_a_detached_chat_goes_on_without_us(
    connector_in: Start, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await connector_in(nursery)
    async with botkit.start_session(connector=connector) as session:
        await say_hello(session)
        await session.detach()
        assert session.ended is not None
        assert session.ended.by is EndedBy.DETACHED
        assert not session.left
    assert only_chat(connector).is_open
    assert session.state is not None
    assert session.state["session_id"] == session.id
    assert not any(cookie["name"] == "BAYEUX_BROWSER" for cookie in session.state["cookies"])


async def test_a_reload_survives_a_forgotten_bayeux_session(
    connector_in: Start, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    fault = make_fault("unknown_session", on="requestNotifications", times=1)
    connector = await connector_in(nursery, fault)
    async with botkit.start_session(connector=connector) as session:
        await say_hello(session)
        restoration = await session.reload(1)
        assert restoration.outcome is RestoreOutcome.RESTORED
        await session.send_message("Hi again")
        await session.expect(contains("You said: Hi again"))
    assert sorted(numbered(session)) == of_server(connector)


async def test_reloading_is_a_step_in_the_evidence(
    connector_in: Start, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await connector_in(nursery)
    texts: list[str] = []
    async with trio.open_nursery() as inner:
        opening = connector.opening()
        session = ChatSession(inner, opening, observer=lambda step: texts.append(step.text))
        await session.open(connector)
        await session.reload(2)
        assert isinstance(session.transcript.rows()[0], Row)
        await session.leave()
        inner.cancel_scope.cancel()
    assert texts == ["reload: away for 2 s"]


async def test_messages_of_before_satisfy_nothing(
    connector_in: Start, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await connector_in(nursery)
    async with botkit.start_session(connector=connector) as session:
        await say_hello(session)
        await session.reload(1)
        with pytest.raises(botkit.StepTimeout):
            await session.expect(contains("how can I help"), within=2)
        assert [m.text for m in session.transcript.recorded() if isinstance(m, Message)]


@pytest.mark.parametrize("name", ["http_500", "html", "truncated_json", "kill_connection", "stall"])
async def test_a_stored_chat_is_asked_for_until_there_is_an_answer(
    name: str, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    # Who has waited ten seconds in vain has no time for a second such wait.
    times = 1 if name == "stall" else 2
    fault = make_fault(name, on="requestNotifications", times=times)
    settings = SimulatorSettings(seed=1, faults=(fault,))
    connector = await simulator_in(nursery, settings, latency=0.01)
    async with botkit.start_session(connector=connector) as session:
        await say_hello(session)
        restoration = await session.reload(1)
        assert restoration.outcome is RestoreOutcome.RESTORED
        await session.send_message("Hi again")
        await session.expect(contains("You said: Hi again"))
    assert connector.simulator.faults.struck[name] == times
    assert sorted(numbered(session)) == of_server(connector)
