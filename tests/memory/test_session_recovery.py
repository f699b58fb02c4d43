"""Sessions through bad weather, on virtual time: nothing is lost, repeated or said twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import orjson
import pytest
import trio
from trio.testing import MockClock

from botkit.bayeux.messages import CONNECT, HANDSHAKE
from botkit.bayeux.personality import COMETD, FAYE, Personality
from botkit.bot.matchers import contains
from botkit.chat import (
    AgentConnected,
    Continued,
    EndedBy,
    Error,
    Event,
    Interrupted,
    Message,
    SessionEnded,
)
from botkit.errors import (
    BotkitError,
    ConnectorError,
    RemoteProtocolError,
    SessionClosed,
    ungrouped,
)
from botkit.interfaces import Opening
from botkit.session import ChatSession
from botkit.simulator import SimulatorSettings, gms
from botkit.simulator.chats import EntryKind
from botkit.simulator.faults import Fault, make_fault
from botkit.simulator.http import Reply, Request
from botkit.testing import MemoryNetwork, SimulatorInMemory, simulator_in

META = (HANDSHAKE, CONNECT)
LATENCY = 0.01
GREETING = "Hello, how can I help you?"


class Weather:
    """One chat of a session, with everything that went over the wire.

    Attributes:
        posted: every message that reached the simulator, faults or not.
        pushed: everything that the simulator delivered to it, as it was written.
        events: everything that the session was told.
    """

    def __init__(self, connector: SimulatorInMemory) -> None:
        self.posted: list[dict[str, Any]] = []
        self.pushed: list[bytes] = []
        self.events: list[Event] = []
        self.connector = connector
        self.simulator = connector.simulator
        connector.network = MemoryNetwork(self._handle, latency=LATENCY)
        self.session: ChatSession

    async def _handle(self, request: Request) -> Reply:
        self.posted += orjson.loads(request.body)
        reply = await self.simulator.handle(request)
        if reply.status == 200 and reply.truncate_to is None and reply.body.startswith(b"["):
            messages = orjson.loads(reply.body)
            self.pushed += [orjson.dumps(m) for m in messages if "successful" not in m]
        return reply

    async def open(self, nursery: trio.Nursery, **opening: Any) -> ChatSession:
        self.session = ChatSession(nursery, Opening(**opening), listener=self.events.append)
        await self.session.open(self.connector)
        return self.session

    async def meet(self, nursery: trio.Nursery) -> ChatSession:
        """Open the chat, be greeted, and let it become quiet: a poll is held."""
        session = await self.open(nursery)
        await session.wait_for(AgentConnected)
        await session.expect(contains("Hello"))
        await trio.sleep(1)
        return session

    async def talk(self, *texts: str) -> None:
        for text in texts:
            await self.session.send_message(text)
            await self.session.expect(contains(f"You said: {text}"), within=100)

    def all_of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if type(event) is kind]

    def operations(self, name: str) -> list[dict[str, Any]]:
        data = (message.get("data") for message in self.posted)
        return [d for d in data if d is not None and d["operation"] == name]

    def channels(self, channel: str) -> int:
        return sum(message["channel"] == channel for message in self.posted)

    def assert_nothing_lost(self) -> None:
        """The transcript is the server's, and so are the events."""
        (chat,) = self.simulator.centre.chats()
        there = [(entry.index, entry.text) for entry in chat.log if entry.index is not None]
        rows = [row for row in self.session.transcript.rows() if row.index is not None]
        assert sorted((row.index, row.text) for row in rows) == there
        indexes = [event.index for event in self.events if event.index is not None]
        assert sorted(indexes) == [index for index, _ in there]
        assert [event.seq for event in self.events] == [*range(1, len(self.events) + 1)]


@asynccontextmanager
async def patience() -> AsyncIterator[trio.Nursery]:
    """Owns a chat; what hangs for an hour, hangs."""
    with trio.fail_after(3600), ungrouped():
        async with trio.open_nursery() as nursery:
            yield nursery


async def weather_in(nursery: trio.Nursery, **settings: Any) -> Weather:
    return Weather(await simulator_in(nursery, SimulatorSettings(seed=1, **settings)))


LOST_SESSIONS = [
    make_fault("unknown_session", times=1),
    make_fault("unknown_session", times=1, option="402::Unknown client"),
    make_fault("unknown_session", times=1, on="sendMessage", option="402::Unknown client"),
    make_fault("unknown_session", times=1, on="sendMessage", option="402::session_unknown"),
    make_fault("session_expiry", times=1),
    make_fault("session_expiry", times=1, on="sendMessage"),
]
LOST_CONNECTIONS = [
    make_fault("kill_connection", times=1),
    make_fault("kill_connection", times=4),
    make_fault("truncated_json", times=1),
    make_fault("http_500", times=1, on="connect"),
    make_fault("html", times=3, on="connect"),
    make_fault("stall", times=1, on="connect", seconds=300.0),
    make_fault("duplicate_connect", times=1, seconds=0.001),
]


def name_of(fault: Fault | Personality) -> str:
    if isinstance(fault, Personality):
        return fault.name
    return f"{fault.name}-{fault.on}-{fault.option}-{fault.times}"


ACKNOWLEDGING = replace(COMETD, name="acknowledging", ack=True, timesync=True)


ACKNOWLEDGED_WEATHERS = [
    *LOST_SESSIONS,
    *LOST_CONNECTIONS[:-1],
    # Events come by connects, so the first of them is not held.
    make_fault("duplicate_connect", times=1, after=1, seconds=0.001),
]


@pytest.mark.parametrize(
    ("fault", "personality"),
    [
        *((fault, COMETD) for fault in (*LOST_SESSIONS, *LOST_CONNECTIONS)),
        *((fault, ACKNOWLEDGING) for fault in ACKNOWLEDGED_WEATHERS),
    ],
    ids=name_of,
)
async def test_an_interruption_is_told_once_and_costs_nothing(
    fault: Fault, personality: Personality, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery, personality=personality)
    async with patience() as chats:
        session = await weather.meet(chats)
        weather.simulator.faults.change([fault])
        await weather.talk("one")
        await trio.sleep(1)
        await weather.talk("two", "three")
        await trio.sleep(100)
        await weather.talk("four")
        await session.leave()
    (interrupted,), (continued,) = weather.all_of(Interrupted), weather.all_of(Continued)
    assert interrupted.at < continued.at
    assert weather.simulator.faults.struck == {fault.name: fault.times}
    weather.assert_nothing_lost()
    # What a lost session refused was sent again, and said once all the same.
    heard = [e.text for e in weather.all_of(Message) if isinstance(e, Message) and e.own]
    assert heard == ["one", "two", "three", "four"]
    assert session.ended is not None
    assert session.ended.by is EndedBy.CUSTOMER
    assert weather.simulator.centre.open_chats == 0


@pytest.mark.parametrize("option", ["unnumbered", "ignored"])
async def test_what_the_server_delivers_again_is_told_once(
    option: str, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery, personality=ACKNOWLEDGING)
    async with patience() as chats:
        session = await weather.meet(chats)
        weather.simulator.faults.change([make_fault("redeliver", option=option, times=5)])
        await weather.talk("one", "two", "three")
        await session.leave()
    assert weather.simulator.faults.struck == {"redeliver": 5}
    repeated = len(weather.pushed) - len(set(weather.pushed))
    assert repeated > 5
    weather.assert_nothing_lost()
    assert weather.all_of(Interrupted) == []


async def test_a_refusal_that_is_delivered_again_is_told_once(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    # It has no index; that it is a repetition can be seen by the batches alone.
    weather = await weather_in(nursery, personality=ACKNOWLEDGING)
    async with patience() as chats:
        session = await weather.meet(chats)
        weather.simulator.faults.change([make_fault("redeliver", times=1)])
        # Until the next connect is held, whose reply lacks its number.
        await trio.sleep(ACKNOWLEDGING.timeout)
        [bayeux] = weather.simulator.bayeux.sessions
        [chat] = weather.simulator.centre.chats()
        refusal = gms.failure(gms.BAD_REQUEST, "no", chat=chat)
        assert weather.simulator.bayeux.deliver(bayeux, "/service/chatV2/demo", refusal)
        await trio.sleep(100)
        await weather.talk("one")
        await session.leave()
    assert sum(b'"statusCode":2' in push for push in weather.pushed) == 2
    assert len(weather.all_of(Error)) == 1


async def test_nothing_is_acknowledged_that_nobody_asked_for(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery)
    async with patience() as chats:
        session = await weather.meet(chats)
        await session.leave()
    handshake, *connects = [m for m in weather.posted if m["channel"] in META]
    assert handshake["ext"]["ack"] is True
    assert connects
    assert not any("ext" in connect for connect in connects)


@pytest.mark.parametrize("fault", LOST_SESSIONS, ids=name_of)
async def test_a_new_session_subscribes_and_binds_from_the_last_index(
    fault: Fault, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery)
    async with patience() as chats:
        session = await weather.meet(chats)
        known = max(event.index or 0 for event in weather.events)
        weather.simulator.faults.change([fault])
        await weather.talk("one")
        await trio.sleep(100)
        await session.leave()
    assert weather.channels("/meta/handshake") == 2
    assert weather.channels("/meta/subscribe") == 2
    assert len(weather.operations("requestChat")) == 1
    (binding,) = weather.operations("requestNotifications")
    # Not a repetition: of what was known before nothing is asked for again.
    assert known < binding["transcriptPosition"] <= known + 3
    sessions = {m["clientId"] for m in weather.posted if "clientId" in m}
    assert len(sessions) == 2


async def test_a_line_waits_for_a_server_that_is_gone_for_a_while(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery)
    async with patience() as chats:
        session = await weather.meet(chats)
        weather.connector.network.cut(ConnectionRefusedError("gone for a while"))
        chats.start_soon(weather.talk, "are you back?")
        await trio.sleep(40)
        assert weather.operations("sendMessage") == []
        weather.connector.network.mend()
        await session.wait_for(Continued, within=60)
        await weather.talk("good")
        await session.leave()
    assert len(weather.all_of(Interrupted)) == len(weather.all_of(Continued)) == 1
    assert [d["message"] for d in weather.operations("sendMessage")] == ["are you back?", "good"]
    weather.assert_nothing_lost()


@pytest.mark.parametrize(
    "faults",
    [
        [make_fault("duplicate_message", on="any")],
        [make_fault("delay_message", times=1, seconds=3.0)],
        [make_fault("reorder_messages", times=2)],
        [make_fault("duplicate_message", on="any"), make_fault("unknown_session", times=3)],
        # The push is lost for good, until a new session asks for all that it has not seen.
        [make_fault("lost_message", times=1, on="own"), make_fault("session_expiry", times=1)],
    ],
    ids=lambda faults: "+".join(fault.name for fault in faults),
)
async def test_pushes_that_come_twice_late_or_never(
    faults: list[Fault], nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery)
    async with patience() as chats:
        session = await weather.meet(chats)
        weather.simulator.faults.change(faults)
        await weather.talk("one", "two")
        await trio.sleep(100)
        weather.simulator.faults.change(())
        await weather.talk("three")
        await session.leave()
    weather.assert_nothing_lost()


async def test_a_lost_line_of_the_agent_is_missed_until_the_session_is_new(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery)
    async with patience() as chats:
        session = await weather.meet(chats)
        weather.simulator.faults.change([make_fault("lost_message", times=1)])
        await session.send_message("one")
        with pytest.raises(AssertionError):
            await session.expect(contains("You said: one"), within=20)
        weather.simulator.faults.change([make_fault("session_expiry", times=1)])
        await session.expect(contains("You said: one"), within=100)
        await session.leave()
    weather.assert_nothing_lost()


@pytest.mark.parametrize("name", ["kill_connection", "truncated_json"])
async def test_what_was_said_has_come_even_if_its_reply_was_lost(
    name: str, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery)
    async with patience() as chats:
        session = await weather.meet(chats)
        weather.simulator.faults.change([make_fault(name, on="sendMessage", times=1)])
        await session.send_message("once")
        await session.expect(contains("You said: once"))
        await weather.talk("after")
        await session.leave()
    assert [d["message"] for d in weather.operations("sendMessage")] == ["once", "after"]
    weather.assert_nothing_lost()


@pytest.mark.parametrize("name", ["http_500", "html", "stall"])
async def test_what_may_have_been_said_is_not_said_again(
    name: str, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery)
    async with patience() as chats:
        session = await weather.meet(chats)
        weather.simulator.faults.change([make_fault(name, on="sendMessage", times=1)])
        with pytest.raises(BotkitError) as caught:
            await session.send_message("once")
        await weather.talk("after")
        await session.leave()
    assert isinstance(caught.value, ConnectorError | RemoteProtocolError)
    assert [d["message"] for d in weather.operations("sendMessage")] == ["once", "after"]
    weather.assert_nothing_lost()


async def test_the_advice_to_stop_ends_the_session(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery)
    async with patience() as chats:
        session = await weather.meet(chats)
        weather.simulator.faults.change([make_fault("advice_none")])
        ended = await session.wait_for(SessionEnded, within=100)
        assert ended.by is EndedBy.LOST
        with pytest.raises(SessionClosed, match="the server forbade to go on"):
            await session.send_message("anybody?")
    assert weather.events[-1] is ended
    assert not session.left


async def test_faye_refuses_the_subscription_and_serves_the_chat(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery, personality=FAYE)
    async with patience() as chats:
        session = await weather.meet(chats)
        weather.simulator.faults.change([make_fault("unknown_session", times=1)])
        # While a session is gone unnoticed, faye takes messages and drops them.
        await session.wait_for(Continued, within=200)
        await weather.talk("one")
        await trio.sleep(200)
        await weather.talk("two")
        await session.leave()
    assert len(weather.all_of(Interrupted)) == len(weather.all_of(Continued)) == 1
    weather.assert_nothing_lost()
    assert weather.simulator.status()["sessions"] == 0


async def test_the_chat_is_left_although_the_next_session_is_put_off(
    autojump_clock: MockClock,
) -> None:
    async with patience() as nursery:
        weather = await weather_in(nursery)
        session = await weather.meet(nursery)
        weather.simulator.faults.change([make_fault("unknown_session", on="connect")])
        # Each session was lost at birth, so by now the next one is put off for many seconds.
        await trio.sleep(200)
        before, began = weather.channels(HANDSHAKE), trio.current_time()
        weather.simulator.faults.change(())
        await trio.sleep(1)
        assert weather.channels(HANDSHAKE) == before
        await session.leave()
        assert trio.current_time() - began < 1 + 1
        assert weather.channels(HANDSHAKE) == before + 1
        assert [chat.ended_by for chat in weather.simulator.centre.chats()] == [EndedBy.CUSTOMER]
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize("ack", [False, True], ids=["plain", "acknowledged"])
@pytest.mark.parametrize("late", [0.0, 0.3])
async def test_continued_is_told_after_what_was_missed(
    ack: bool, late: float, autojump_clock: MockClock
) -> None:
    async with patience() as nursery:
        weather = await weather_in(nursery, personality=replace(COMETD, ack=ack))
        session = await weather.meet(nursery)
        # That a request is accepted says nothing of its result, which may be pushed later.
        lateness = [make_fault("delay_message", seconds=late)] if late else []
        lost = make_fault("unknown_session", on="connect", times=1)
        weather.simulator.faults.change([lost, *lateness])
        (there,) = weather.simulator.centre.chats()
        (agent,) = there.agents.values()

        def speak(text: str) -> None:
            now = trio.current_time()
            weather.simulator.centre.write(there, EntryKind.MESSAGE, agent, now=now, text=text)

        session.on(Interrupted, lambda _: speak("I will wait."))
        speak("Are you still there?")
        await session.expect(contains("I will wait."), within=100)
        await trio.sleep(5)
        told = [event.text if type(event) is Message else type(event) for event in weather.events]
        assert told.count(Continued) == 1
        assert told.index(Interrupted) < told.index("I will wait.") < told.index(Continued)
        await session.leave()
        weather.assert_nothing_lost()
        nursery.cancel_scope.cancel()
