"""Sessions whose state is stored, and what becomes of it, on virtual time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
import trio
from trio.testing import MockClock

import botkit
from botkit.bot.matchers import contains
from botkit.chat import AgentConnected, EndedBy, Message
from botkit.errors import ConnectorError, NoStoredSession, PluginError, RestoreFailed, StateError
from botkit.simulator import SimulatorSettings
from botkit.storage import MemoryStorage
from botkit.testing import SimulatorInMemory, simulator_in


@pytest.fixture
async def connector(nursery: trio.Nursery, autojump_clock: MockClock) -> SimulatorInMemory:
    return await simulator_in(nursery, SimulatorSettings(seed=1), latency=0.01)


async def leave_open(connector: SimulatorInMemory, storage: MemoryStorage) -> str:
    """Have a chat, and go away without leaving it, as a process that was killed."""
    async with botkit.start_session(connector=connector, storage=storage) as session:
        await session.wait_for(AgentConnected)
        await session.expect(contains("how can I help"))
        await session.set_userdata({"order": "A-17"})
        await session.detach()
        return str(session.id)


async def test_a_stored_chat_is_restored(connector: SimulatorInMemory) -> None:
    storage = MemoryStorage()
    session_id = await leave_open(connector, storage)
    async with botkit.restore_session(connector=connector, storage=storage) as session:
        assert session.id == session_id
        await session.wait_for(AgentConnected)
        assert session.userdata["order"] == "A-17"
        history = [row for row in session.transcript.rows() if row.history]
        assert any("how can I help" in row.text for row in history)
        await session.send_message("Back again")
        await session.expect(contains("You said: Back again"))
    (one,) = connector.simulator.centre.chats()
    assert one.ended_by is EndedBy.CUSTOMER
    rows = [row.index for row in session.transcript.rows() if row.index is not None]
    assert sorted(rows) == [entry.index for entry in one.log if entry.index is not None]


async def test_a_chat_that_was_left_is_not_stored(connector: SimulatorInMemory) -> None:
    storage = MemoryStorage()
    async with botkit.start_session(connector=connector, storage=storage) as session:
        await session.wait_for(AgentConnected)
        assert storage.read() is not None
    assert storage.read() is None
    with pytest.raises(NoStoredSession, match="nothing is stored of a chat with the service"):
        async with botkit.restore_session(connector=connector, storage=storage):
            pytest.fail("nothing was stored")


async def test_a_chat_that_is_over_is_failed_and_never_a_new_one(
    connector: SimulatorInMemory,
) -> None:
    storage = MemoryStorage()
    await leave_open(connector, storage)
    centre = connector.simulator.centre
    (one,) = centre.chats()
    centre.end(one, EndedBy.SERVICE, now=trio.current_time())
    with pytest.raises(RestoreFailed, match="has ended meanwhile"):
        async with botkit.restore_session(connector=connector, storage=storage):
            pytest.fail("the chat was over")
    assert centre.total == 1
    assert storage.read() is None


async def test_an_unknown_chat_fails_with_the_servers_code(connector: SimulatorInMemory) -> None:
    storage = MemoryStorage()
    await leave_open(connector, storage)
    state = dict(storage.read() or {})
    storage.write(state | {"secure_key": "another"})
    with pytest.raises(RestoreFailed) as caught:
        async with botkit.restore_session(connector=connector, storage=storage):
            pytest.fail("there is no such chat")
    assert caught.value.code == 8210


async def test_a_server_that_is_away_leaves_the_state_where_it_is(
    connector: SimulatorInMemory,
) -> None:
    storage = MemoryStorage()
    await leave_open(connector, storage)
    connector.network.cut(ConnectionRefusedError("nobody listens"))
    with pytest.raises(ConnectorError):
        async with botkit.restore_session(connector=connector, storage=storage):
            pytest.fail("nobody listens")
    connector.network.mend()
    async with botkit.restore_session(connector=connector, storage=storage) as session:
        assert session.is_open


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"service": "sales"}, "belongs to the service 'sales', not to 'demo'"),
        ({"server": "http://elsewhere"}, "belongs to the server 'http://elsewhere'"),
        ({"connector": "other"}, "belongs to the connector 'other'"),
        ({"secure_key": ""}, "secure_key is missing or is no text"),
        ({"position": -1}, "-1 is no position"),
        ({"cookies": [{"nonsense": 1}]}, "the cookies of the stored chat cannot be read"),
        ({"userdata": 7}, "cannot be read"),
    ],
)
async def test_foreign_state_is_told_and_kept(
    connector: SimulatorInMemory, changes: Mapping[str, Any], says: str
) -> None:
    storage = MemoryStorage()
    await leave_open(connector, storage)
    state = dict(storage.read() or {}) | dict(changes)
    storage.write(state)
    with pytest.raises(StateError, match=says):
        async with botkit.restore_session(connector=connector, storage=storage):
            pytest.fail("it is not of this chat")
    assert storage.read() == state


async def test_a_storage_that_breaks_ends_the_session_and_is_named(
    connector: SimulatorInMemory,
) -> None:
    class Broken(MemoryStorage):
        def write(self, state: Mapping[str, Any]) -> None:
            raise OSError("the disk is full")

    with pytest.raises(PluginError, match="the disk is full"):
        async with botkit.start_session(connector=connector, storage=Broken()) as session:
            await session.wait_for(AgentConnected)
    (one,) = connector.simulator.centre.chats()
    assert one.ended_by is EndedBy.CUSTOMER


async def test_without_a_storage_the_memory_of_the_process_is_used(
    connector: SimulatorInMemory,
) -> None:
    async with botkit.start_session(connector=connector, service="memory") as session:
        await session.wait_for(AgentConnected)
        await session.detach()
    async with botkit.restore_session(connector=connector, service="memory") as again:
        assert again.id == session.id
        events = [event async for event in take(again, 2)]
    assert [type(event).__name__ for event in events] == ["SessionRestored", "Other"]
    assert not any(isinstance(event, Message) and not event.history for event in events)


async def take(session: Any, count: int) -> Any:
    events = session.events()
    for _ in range(count):
        yield await anext(events)
    await events.aclose()
