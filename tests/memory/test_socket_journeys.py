"""Whole chats over WebSocket on virtual time: opened, lost, taken up again, or fallen back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import orjson
import pytest
import trio
from trio.testing import MockClock

from botkit.bayeux.personality import COMETD, COMETD_NODE, FAYE, Personality
from botkit.bot.matchers import contains
from botkit.chat import AgentConnected, Continued, EndedBy, Event, Interrupted, Message
from botkit.errors import BotkitError, ConnectorError, RemoteProtocolError, ungrouped
from botkit.interfaces import Opening
from botkit.session import ChatSession
from botkit.simulator import Simulator, SimulatorSettings
from botkit.simulator.chats import EntryKind
from botkit.simulator.faults import Fault, make_fault
from botkit.simulator.http import Reply, Request
from botkit.simulator.websocket import ServerSocket
from botkit.testing import MemoryNetwork, SimulatorInMemory, simulator_in

LATENCY = 0.01
URL = "/genesys/cometd"


class Overheard:
    """A socket of the simulator, with what went over it.

    Args:
        journey: keeps it.
    """

    def __init__(self, socket: ServerSocket, journey: Journey) -> None:
        self._socket = socket
        self._journey = journey
        self.close = socket.close
        self.abort = socket.abort

    async def receive(self) -> str:
        text = await self._socket.receive()
        self._journey.sent += orjson.loads(text)
        return text

    async def send(self, text: str) -> None:
        self._journey.frames.append(text)
        await self._socket.send(text)


class Journey:
    """One chat with a simulator, over a network that is listened to.

    Attributes:
        requests: how each HTTP request was made, upgrades included.
        sent: all messages that came over sockets and HTTP.
        frames: what the simulator sent over sockets.
        events: everything that the session was told.
    """

    def __init__(self, connector: SimulatorInMemory, latency: float) -> None:
        self.requests: list[str] = []
        self.sent: list[dict[str, Any]] = []
        self.frames: list[str] = []
        self.events: list[Event] = []
        self.connector = connector
        self.simulator: Simulator = connector.simulator
        self.network = connector.network = MemoryNetwork(self._handle, latency=latency)
        self.session: ChatSession

    async def _handle(self, request: Request) -> Reply:
        self.requests.append(request.method)
        if request.body:
            self.sent += orjson.loads(request.body)
        reply = await self.simulator.handle(request)
        if reply.upgrade is None:
            return reply
        serve = reply.upgrade

        async def overhear(socket: ServerSocket) -> None:
            await serve(Overheard(socket, self))

        return replace(reply, upgrade=overhear)

    async def open(self, nursery: trio.Nursery, transport: str = "websocket") -> ChatSession:
        opening = Opening(options={"transport": transport})
        self.session = ChatSession(nursery, opening, listener=self.events.append)
        await self.session.open(self.connector)
        return self.session

    async def meet(self, nursery: trio.Nursery, transport: str = "websocket") -> ChatSession:
        """Open the chat, be greeted, and let it become quiet: a connect is held."""
        session = await self.open(nursery, transport)
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
        data = (message.get("data") for message in self.sent)
        return [d for d in data if d is not None and d["operation"] == name]

    def channels(self, channel: str) -> int:
        return sum(message["channel"] == channel for message in self.sent)

    def heard(self) -> list[str]:
        """The customer's own lines, as they came back."""
        return [e.text for e in self.all_of(Message) if isinstance(e, Message) and e.own]

    def assert_nothing_lost(self) -> None:
        """The transcript is the server's, and so are the events."""
        (chat,) = self.simulator.centre.chats()
        there = [(entry.index, entry.text) for entry in chat.log if entry.index is not None]
        rows = [row for row in self.session.transcript.rows() if row.index is not None]
        assert sorted((row.index, row.text) for row in rows) == there
        assert [event.seq for event in self.events] == [*range(1, len(self.events) + 1)]

    def assert_left(self) -> None:
        """Nobody waits, and nothing is open."""
        assert self.session.ended is not None
        assert self.session.ended.by is EndedBy.CUSTOMER
        status = self.simulator.status()
        assert (status["open"], status["sessions"]) == (0, 0)
        assert self.network.under_way == 0


@asynccontextmanager
async def patience() -> AsyncIterator[trio.Nursery]:
    """Owns a chat; what hangs for an hour, hangs."""
    with trio.fail_after(3600), ungrouped():
        async with trio.open_nursery() as nursery:
            yield nursery


async def journey_in(
    nursery: trio.Nursery, *, latency: float = LATENCY, **settings: Any
) -> Journey:
    return Journey(await simulator_in(nursery, SimulatorSettings(seed=1, **settings)), latency)


@pytest.mark.parametrize("transport", ["websocket", "auto"])
@pytest.mark.parametrize("personality", [COMETD, FAYE, replace(COMETD, ack=True, timesync=True)])
async def test_a_chat_over_one_socket(
    personality: Personality, transport: str, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    journey = await journey_in(nursery, personality=personality)
    async with patience() as chats:
        session = await journey.meet(chats, transport)
        await journey.talk("one", "two")
        await trio.sleep(200)
        await journey.talk("three")
        await session.leave()
    assert journey.requests == ["GET"]
    assert journey.channels("/meta/connect") > 4
    assert journey.all_of(Interrupted) == []
    journey.assert_nothing_lost()
    journey.assert_left()


async def test_pushes_come_in_frames_of_their_own_beside_the_connect(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    journey = await journey_in(nursery)
    async with patience() as chats:
        session = await journey.meet(chats)
        connects, frames = journey.channels("/meta/connect"), len(journey.frames)
        await journey.talk("one", "two", "three")
        assert journey.channels("/meta/connect") == connects
        pushes = [orjson.loads(frame) for frame in journey.frames[frames:]]
        answers = [p for p in pushes if len(p) == 1 and "successful" not in p[0]]
        assert len(answers) >= 3
        await session.leave()


LOSSES = [
    make_fault("kill_connection", times=1),
    make_fault("kill_connection", times=4),
    make_fault("kill_connection", times=1, on="stopTyping", seconds=0.001),
    make_fault("truncated_json", times=1),
    make_fault("http_500", times=1, on="connect"),
    make_fault("html", times=3, on="connect"),
    make_fault("stall", times=1, on="connect", seconds=300.0),
    make_fault("slow_drip", times=1, on="connect", seconds=1.0),
    make_fault("duplicate_connect", times=1, seconds=0.001),
    make_fault("unknown_session", times=1),
    make_fault("unknown_session", times=1, option="402::Unknown client"),
    make_fault("session_expiry", times=1),
]


def name_of(fault: Fault) -> str:
    return f"{fault.name}-{fault.on}-{fault.option}-{fault.times}"


@pytest.mark.parametrize("ack", [False, True], ids=["", "ack"])
@pytest.mark.parametrize("fault", LOSSES, ids=name_of)
async def test_an_interruption_is_told_once_and_costs_nothing(
    fault: Fault, ack: bool, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    if ack and fault.name == "duplicate_connect":
        # Where events travel with the connects, none is held for as long as that takes.
        fault = make_fault("kill_connection", times=2, seconds=0.001)
    journey = await journey_in(nursery, personality=replace(COMETD, ack=ack))
    async with patience() as chats:
        session = await journey.meet(chats)
        journey.simulator.faults.change([fault])
        await journey.talk("one")
        if fault.on == "stopTyping":
            with pytest.raises(ConnectorError):
                await session.send_typing(False)
        await trio.sleep(100)
        await journey.talk("two", "three")
        await trio.sleep(100)
        await journey.talk("four")
        await session.leave()
    (interrupted,), (continued,) = journey.all_of(Interrupted), journey.all_of(Continued)
    assert interrupted.at < continued.at
    assert journey.simulator.faults.struck == {fault.name: fault.times}
    journey.assert_nothing_lost()
    assert journey.heard() == ["one", "two", "three", "four"]
    assert set(journey.requests) == {"GET"}
    journey.assert_left()


async def test_a_loss_within_the_servers_patience_keeps_the_session(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    journey = await journey_in(nursery)
    async with patience() as chats:
        session = await journey.meet(chats)
        journey.network.cut(ConnectionRefusedError("for a moment"))
        await trio.sleep(2)
        journey.network.mend()
        await session.wait_for(Continued, within=20)
        await journey.talk("one")
        await session.leave()
    assert journey.channels("/meta/handshake") == 1
    (binding,) = journey.operations("requestNotifications")
    assert binding["transcriptPosition"] > 1
    assert len({m["clientId"] for m in journey.sent if "clientId" in m}) == 1
    journey.assert_nothing_lost()
    journey.assert_left()


async def test_a_loss_beyond_the_servers_patience_takes_a_new_session(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    journey = await journey_in(nursery)
    async with patience() as chats:
        session = await journey.meet(chats)
        journey.network.cut(ConnectionRefusedError("for long"))
        await trio.sleep(60)
        assert journey.simulator.status()["sessions"] == 0
        journey.network.mend()
        await session.wait_for(Continued, within=60)
        await journey.talk("one")
        await session.leave()
    assert journey.channels("/meta/handshake") == 2
    assert len(journey.operations("requestChat")) == 1
    assert len(journey.all_of(Interrupted)) == 1
    journey.assert_nothing_lost()
    journey.assert_left()


async def test_what_was_pushed_into_a_socket_that_broke_is_asked_for_again(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    journey = await journey_in(nursery)
    async with patience() as chats:
        session = await journey.meet(chats)
        await session.send_message("lost?")
        # The server has answered, and its frames are on their way.
        await trio.sleep(LATENCY / 2)
        journey.network.cut(ConnectionResetError("in the middle"))
        journey.network.mend()
        await session.expect(contains("You said: lost?"), within=60)
        await session.leave()
    journey.assert_nothing_lost()
    journey.assert_left()


@pytest.mark.parametrize("latency", [LATENCY, 0.1])
async def test_what_comes_on_a_socket_that_a_call_has_opened_waits_for_what_was_missed(
    latency: float, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    """The service pushes there before the connect loop is back, which asks for what was missed."""
    journey = await journey_in(nursery, latency=latency)
    async with patience() as chats:
        session = await journey.meet(chats)
        (there,) = journey.simulator.centre.chats()
        (agent,) = there.agents.values()
        now = trio.current_time()
        journey.simulator.centre.write(there, EntryKind.MESSAGE, agent, now=now, text="Missed")
        # It is on its way, so for the service it has arrived.
        await trio.sleep(latency / 2)
        journey.network.cut(ConnectionResetError("in the middle"))
        journey.network.mend()
        await trio.sleep(latency / 2)
        await journey.talk("here I am")
        back = (await session.wait_for(Continued, within=60)).at
        await session.leave()
    indexes = [event.index for event in journey.events if event.index is not None]
    assert indexes == sorted(indexes)
    assert back - now < 10 * latency + 0.2
    journey.assert_nothing_lost()
    journey.assert_left()


async def test_what_may_have_been_said_is_not_said_again(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    journey = await journey_in(nursery)
    async with patience() as chats:
        session = await journey.meet(chats)
        journey.simulator.faults.change([make_fault("http_500", on="sendMessage", times=1)])
        with pytest.raises(BotkitError) as caught:
            await session.send_message("once")
        assert isinstance(caught.value, ConnectorError | RemoteProtocolError)
        await journey.talk("after")
        await session.leave()
    assert [d["message"] for d in journey.operations("sendMessage")] == ["once", "after"]
    assert journey.heard() == ["after"]
    journey.assert_left()


async def test_a_line_waits_for_a_server_that_is_gone_for_a_while(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    journey = await journey_in(nursery)
    async with patience() as chats:
        session = await journey.meet(chats)
        journey.network.cut(ConnectionRefusedError("gone for a while"))
        chats.start_soon(journey.talk, "are you back?")
        await trio.sleep(40)
        assert journey.operations("sendMessage") == []
        journey.network.mend()
        await session.wait_for(Continued, within=60)
        await journey.talk("good")
        await session.leave()
    assert journey.heard() == ["are you back?", "good"]
    journey.assert_nothing_lost()


# --- fallback ------------------------------------------------------------------------------------


BARRED = [
    make_fault("http_500", on="upgrade"),
    make_fault("html", on="upgrade"),
    make_fault("kill_connection", on="upgrade"),
    make_fault("truncated_json", on="upgrade"),
    make_fault("stall", on="upgrade"),
    make_fault("slow_drip", on="upgrade", seconds=1.0),
    # It opens, and is of no use.
    make_fault("stall", on="handshake", times=1),
    make_fault("http_500", on="handshake", times=1),
    make_fault("html", on="handshake", times=1),
    make_fault("kill_connection", on="handshake", times=1),
]


@pytest.mark.parametrize("fault", BARRED, ids=name_of)
async def test_without_a_socket_long_polling_does(
    fault: Fault, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    journey = await journey_in(nursery, faults=(fault,))
    began = trio.current_time()
    async with patience() as chats:
        session = await journey.open(chats, "auto")
        assert trio.current_time() - began < 6
        await session.wait_for(AgentConnected)
        await journey.talk("one", "two")
        # It stays there, and does not try again.
        journey.simulator.faults.change([make_fault("kill_connection", times=2)])
        await trio.sleep(100)
        await journey.talk("three")
        await session.leave()
    assert journey.requests.count("GET") == 1
    assert journey.heard() == ["one", "two", "three"]
    journey.assert_nothing_lost()
    assert journey.network.under_way == 0


async def test_without_a_socket_there_is_no_chat_for_who_insists(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    journey = await journey_in(nursery, faults=(make_fault("http_500", on="upgrade"),))
    with pytest.raises(ConnectorError, match=r"HTTP 500.* instead of a WebSocket"):
        async with patience() as chats:
            await journey.open(chats)
    assert set(journey.requests) == {"GET"}


@pytest.mark.parametrize("transport", ["websocket", "auto"])
async def test_a_server_without_sockets(
    transport: str, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    journey = await journey_in(nursery, personality=COMETD_NODE)
    if transport == "websocket":
        with pytest.raises(ConnectorError, match=r"HTTP 405.* instead of a WebSocket"):
            async with patience() as chats:
                await journey.open(chats, transport)
        return
    async with patience() as chats:
        session = await journey.meet(chats, transport)
        await journey.talk("one")
        await session.leave()
    journey.assert_left()


async def test_a_socket_that_has_worked_is_what_is_tried_ever_after(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    journey = await journey_in(nursery)
    async with patience() as chats:
        session = await journey.meet(chats, "auto")
        journey.simulator.faults.change(
            [make_fault("http_500", on="upgrade", times=3), make_fault("kill_connection", times=1)]
        )
        await trio.sleep(100)
        await journey.talk("one")
        await session.leave()
    assert journey.requests == ["GET"] * 5
    journey.assert_nothing_lost()
    journey.assert_left()


async def test_a_server_that_is_not_there_is_told_after_one_retry(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    journey = await journey_in(nursery)
    journey.network.cut(ConnectionRefusedError("nobody"))
    began = trio.current_time()
    with pytest.raises(ConnectorError) as caught:
        async with patience() as chats:
            await journey.open(chats)
    assert caught.value.kind == "refused"
    assert trio.current_time() - began < 2


# --- leaving -------------------------------------------------------------------------------------


async def test_who_is_cut_off_still_leaves(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    journey = await journey_in(nursery)
    async with patience() as chats:
        session = await journey.meet(chats)
        journey.network.cut(ConnectionResetError("at the worst moment"))
        journey.network.mend()
        await session.leave()
    journey.assert_left()
