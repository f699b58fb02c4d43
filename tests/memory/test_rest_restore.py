"""Chats over REST that are won back from what was stored, on virtual time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from botkit.chat import (
    AgentConnected,
    Detach,
    EndedBy,
    Event,
    Leave,
    Message,
    SendMessage,
    SessionEnded,
    SessionRestored,
    SessionStarted,
)
from botkit.connectors.gms_rest import GmsRest
from botkit.errors import BotkitError, ConnectorError, RestoreFailed, StateError, ungrouped
from botkit.interfaces import Opening, Outcome, Request, State
from botkit.simulator import SimulatorSettings
from botkit.simulator.chats import EntryKind
from botkit.simulator.faults import make_fault
from botkit.testing import SimulatorInMemory, simulator_in


class Customer:
    """One connection of a customer, in the hands of a test.

    Attributes:
        told: all that was delivered.
    """

    def __init__(self, connector: SimulatorInMemory, **opening: Any) -> None:
        self.told: list[Event | Outcome | State] = []
        self._opening = Opening(
            url=connector.url, transport=connector.network, keep_state=True, **opening
        )
        self._send, self._requests = trio.open_memory_channel[Request](10)
        self._number = 0

    async def live(self, *, task_status: trio.TaskStatus[None]) -> None:
        await GmsRest().connect(
            self._opening, self._requests, self.told.append, task_status=task_status
        )

    async def do(self, command: Any) -> Outcome:
        self._number += 1
        await self._send.send(Request(number=self._number, command=command))
        while True:
            for item in self.told:
                if isinstance(item, Outcome) and item.number == self._number:
                    return item
            await trio.sleep(0.1)

    def leave(self) -> None:
        self._send.send_nowait(Request(number=999, command=Leave()))

    @property
    def state(self) -> Mapping[str, Any]:
        return [item for item in self.told if isinstance(item, State)][-1].state

    def events(self, kind: type[Event] = Event) -> list[Any]:
        return [item for item in self.told if isinstance(item, kind)]


async def centre_in(nursery: trio.Nursery, **settings: Any) -> SimulatorInMemory:
    return await simulator_in(nursery, SimulatorSettings(seed=1, **settings), wire="gms-rest")


async def stored(nursery: trio.Nursery, connector: SimulatorInMemory) -> Mapping[str, Any]:
    """Hold a chat for a while and let go of it."""
    first = Customer(connector, nickname="Ada", userdata={"Tier": "gold"})
    await nursery.start(first.live)
    await first.do(SendMessage(text="hi"))
    await trio.sleep(5)
    outcome = await first.do(Detach())
    assert first.events(SessionEnded) == []
    assert outcome.value == first.state
    return first.state


async def failure_of(connector: SimulatorInMemory, state: Mapping[str, Any]) -> BotkitError:
    with pytest.raises(BotkitError) as caught, trio.fail_after(60), ungrouped():
        async with trio.open_nursery() as nursery:
            await nursery.start(Customer(connector, restore=state).live)
    error = caught.value
    assert connector.network.under_way == 0
    return error


async def test_a_chat_goes_on_in_another_process(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await centre_in(nursery)
    state = await stored(nursery, connector)
    (there,) = connector.simulator.centre.chats()
    (agent,) = there.agents.values()
    now = trio.current_time()
    connector.simulator.centre.write(there, EntryKind.MESSAGE, agent, now=now, text="Hello?")
    assert state["connector"] == "gms-rest"
    assert (state["session_id"], state["user_id"]) == (there.id, there.user_id)
    assert (state["secure_key"], state["alias"]) == (there.secure_key, there.alias)
    assert (state["nickname"], state["userdata"]) == ("Ada", {"Tier": "gold"})
    assert state["position"] == there.next_index - 2

    second = Customer(connector, restore=state)
    await nursery.start(second.live)
    await second.do(SendMessage(text="I am back"))
    await trio.sleep(2)
    second.leave()
    await trio.sleep(2)
    assert second.events(SessionStarted) == []
    assert second.events()[0] == second.events(SessionRestored)[0]
    told = [event for event in second.events() if event.index is not None]
    assert [event.index for event in told] == [*range(1, there.next_index)]
    assert [event.index for event in told if event.history] == [*range(1, state["position"] + 1)]
    new = [event.text for event in second.events(Message) if not event.history]
    assert new == ["Hello?", "I am back", "You said: I am back"]
    assert second.events(AgentConnected)[0].history
    assert second.events()[-1].by is EndedBy.CUSTOMER
    assert connector.simulator.status()["open"] == 0


async def test_a_chat_that_was_dropped_meanwhile_is_not_given_back(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await centre_in(nursery, poll_within=30.0)
    state = await stored(nursery, connector)
    await trio.sleep(40)
    error = await failure_of(connector, state)
    assert isinstance(error, RestoreFailed)
    assert error.code == 8209


async def test_a_chat_that_ended_meanwhile_is_not_given_back(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await centre_in(nursery)
    state = await stored(nursery, connector)
    (there,) = connector.simulator.centre.chats()
    connector.simulator.centre.end(there, EndedBy.SERVICE, now=trio.current_time())
    error = await failure_of(connector, state)
    assert isinstance(error, RestoreFailed)
    assert "ended" in error.description


@pytest.mark.parametrize(
    "change",
    [{"connector": "gms-cometd"}, {"service": "x"}, {"cookies": 7}, {"session_id": ""}],
)
async def test_a_state_of_another_kind_is_refused_unused(
    change: dict[str, Any], nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await centre_in(nursery)
    state = await stored(nursery, connector)
    exchanges = connector.network.exchanges
    assert isinstance(await failure_of(connector, {**state, **change}), StateError)
    assert connector.network.exchanges == exchanges


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"secure_key": "guessed"}, 8210),
        ({"user_id": "0"}, 8201),
        ({"session_id": "0"}, 1),
        ({"alias": "0"}, 1),
    ],
)
async def test_a_state_that_does_not_fit(
    change: dict[str, Any], code: int, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await centre_in(nursery)
    state = await stored(nursery, connector)
    error = await failure_of(connector, {**state, **change})
    assert isinstance(error, RestoreFailed)
    assert error.code == code


@pytest.mark.parametrize("name", ["http_500", "html", "status_code_1", "kill_connection"])
async def test_a_failure_keeps_the_chat_for_another_attempt(
    name: str, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await centre_in(nursery)
    state = await stored(nursery, connector)
    fault = make_fault(name, on="refresh")
    connector.simulator.faults.change([fault])
    error = await failure_of(connector, state)
    assert not isinstance(error, RestoreFailed)
    assert name == "html" or isinstance(error, ConnectorError)
    assert connector.simulator.status()["open"] == 1
    connector.simulator.faults.change([replace(fault, times=2)])
    second = Customer(connector, restore=state)
    await nursery.start(second.live)
    second.leave()
    await trio.sleep(1)
    assert connector.simulator.status()["open"] == 0
