"""Chats over REST through bad weather, on virtual time: nothing is lost, repeated or said twice."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs

import orjson
import pytest
import trio
from trio.testing import MockClock

from botkit.bot.matchers import contains
from botkit.chat import (
    AgentConnected,
    AgentDisconnected,
    AgentTyping,
    Continued,
    EndedBy,
    Error,
    Event,
    Interrupted,
    SessionEnded,
)
from botkit.errors import (
    BotkitError,
    ChatError,
    ConnectorError,
    RemoteProtocolError,
    ungrouped,
)
from botkit.interfaces import Opening
from botkit.session import ChatSession
from botkit.simulator import SimulatorSettings
from botkit.simulator.chats import EntryKind
from botkit.simulator.faults import Fault, make_fault
from botkit.simulator.http import Reply, Request
from botkit.testing import MemoryNetwork, SimulatorInMemory, simulator_in

LATENCY = 0.01


class Weather:
    """One chat of a session, with everything that went over the wire.

    Attributes:
        calls: the last segment of each call that reached the simulator, with its form and its time.
        events: everything that the session was told.
        replies: given instead of the simulator's, one after another.
    """

    def __init__(self, connector: SimulatorInMemory) -> None:
        self.calls: list[tuple[str, dict[str, str], float]] = []
        self.events: list[Event] = []
        self.replies: list[Reply] = []
        self.connector = connector
        self.simulator = connector.simulator
        connector.network = MemoryNetwork(self._handle, latency=LATENCY)
        self.session: ChatSession
        self.under_way = 0
        self.most_under_way = 0

    async def _handle(self, request: Request) -> Reply:
        form = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        self.calls.append((request.path.rpartition("/")[2], form, trio.current_time()))
        self.under_way += 1
        self.most_under_way = max(self.under_way, self.most_under_way)
        try:
            if self.replies:
                return self.replies.pop(0)
            return await self.simulator.handle(request)
        finally:
            self.under_way -= 1

    async def open(self, nursery: trio.Nursery, **opening: Any) -> ChatSession:
        self.session = ChatSession(nursery, Opening(**opening), listener=self.events.append)
        await self.session.open(self.connector)
        return self.session

    async def meet(self, nursery: trio.Nursery, **opening: Any) -> ChatSession:
        """Open the chat, be greeted, and let it become quiet."""
        session = await self.open(nursery, **opening)
        await session.wait_for(AgentConnected)
        await session.expect(contains("Hello"))
        await trio.sleep(1)
        return session

    async def talk(self, *texts: str) -> None:
        for text in texts:
            await self.session.send_message(text)
            await self.session.expect(contains(f"You said: {text}"), within=100)

    def strike(self, name: str, **settings: Any) -> None:
        self.simulator.faults.change([make_fault(name, **settings)])

    def all_of(self, kind: type[Event]) -> list[Event]:
        return [event for event in self.events if type(event) is kind]

    def forms(self, segment: str) -> list[dict[str, str]]:
        return [form for name, form, _ in self.calls if name == segment]

    def times(self, segment: str) -> list[float]:
        return [at for name, _, at in self.calls if name == segment]

    def assert_nothing_lost(self) -> None:
        """The transcript is the server's, and so are the events."""
        (chat,) = self.simulator.centre.chats()
        there = [(entry.index, entry.text) for entry in chat.log if entry.index is not None]
        rows = [row for row in self.session.transcript.rows() if row.index is not None]
        texts = [(row.index, row.text.removeprefix("CustomNotice: ")) for row in rows]
        assert sorted(texts) == there
        indexes = [event.index for event in self.events if event.index is not None]
        assert indexes == [index for index, _ in there]
        assert [event.seq for event in self.events] == [*range(1, len(self.events) + 1)]
        assert self.most_under_way == 1


@asynccontextmanager
async def patience() -> AsyncIterator[trio.Nursery]:
    """Owns a chat; what hangs for an hour, hangs."""
    with trio.fail_after(3600), ungrouped():
        async with trio.open_nursery() as nursery:
            yield nursery


async def weather_in(nursery: trio.Nursery, *faults: Fault, **settings: Any) -> Weather:
    given = SimulatorSettings(seed=1, faults=faults, **settings)
    return Weather(await simulator_in(nursery, given, wire="gms-rest"))


async def test_all_that_a_customer_does(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    weather = await weather_in(nursery)
    async with patience() as chats:
        session = await weather.meet(chats, subject="Bill", userdata={"Tier": "gold & silver"})
        await session.send_message("Grüße & Co = 100 %+", content_type="text/plain")
        await session.expect(contains("Grüße & Co = 100 %+"))
        await session.send_typing(preview="I wa")
        await session.send_typing(False)
        await session.send_notice('{"seen": true}')
        await session.push_url("https://example.com/?a=1&b=2")
        await session.update_nickname("Ada L.")
        await session.set_userdata({"Case": "7", "Gone": "soon"})
        await session.delete_userdata("Gone")
        await session.read_receipt(3)
        await weather.talk("bye")
        await session.leave()
    (chat,) = weather.simulator.centre.chats()
    assert chat.subject == "Bill"
    assert chat.userdata == {"Tier": "gold & silver", "Case": "7"}
    assert chat.read_up_to == 3
    assert chat.customer.name == session.nickname == "Ada L."
    assert chat.ended_by is EndedBy.CUSTOMER
    assert session.userdata == {"Tier": "gold & silver", "Case": "7"}
    assert weather.forms("send")[0]["messageType"] == "text/plain"
    assert type(weather.events[-1]) is SessionEnded
    weather.assert_nothing_lost()


async def test_the_latest_alias_and_the_position_go_with_every_call(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery)
    async with patience() as chats:
        session = await weather.meet(chats)
        weather.strike("alias_change")
        await weather.talk("one", "two", "three")
        weather.simulator.faults.change(())
        await session.leave()
    assert weather.all_of(Interrupted) == weather.all_of(Error) == []
    aliases = [form["alias"] for _, form, _ in weather.calls if "alias" in form]
    assert len(set(aliases)) > 3
    positions = [
        int(form["transcriptPosition"]) for _, form, _ in weather.calls if form.get("alias")
    ]
    assert positions == sorted(positions)
    assert positions[0] >= 1
    weather.assert_nothing_lost()


INTERRUPTIONS = [
    make_fault("kill_connection", times=1),
    make_fault("kill_connection", times=4),
    make_fault("truncated_json", times=1),
    make_fault("http_500", times=1, on="refresh"),
    make_fault("html", times=3, on="refresh"),
    make_fault("stall", times=1, on="refresh", seconds=300.0),
    make_fault("slow_drip", times=1, on="refresh", seconds=1.0),
    make_fault("status_code_1", times=1),
    make_fault("status_code_1", times=3, option="done"),
]


def name_of(fault: Fault) -> str:
    return f"{fault.name}-{fault.times}"


@pytest.mark.parametrize("fault", INTERRUPTIONS, ids=name_of)
async def test_an_interruption_is_told_once_and_costs_nothing(
    fault: Fault, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery)
    async with patience() as chats:
        session = await weather.meet(chats)
        weather.simulator.faults.change([fault])
        await trio.sleep(30)
        await weather.talk("one", "two")
        await session.leave()
    assert len(weather.all_of(Interrupted)) == len(weather.all_of(Continued)) == 1
    assert weather.simulator.faults.struck == {fault.name: fault.times}
    weather.assert_nothing_lost()


async def test_a_line_waits_for_a_server_that_is_gone_for_a_while(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery)
    async with patience() as chats:
        session = await weather.meet(chats)
        weather.connector.network.cut(ConnectionRefusedError("gone for a while"))
        chats.start_soon(weather.talk, "are you back?")
        await trio.sleep(40)
        assert weather.forms("send") == []
        weather.connector.network.mend()
        await session.wait_for(Continued, within=60)
        await weather.talk("good")
        await session.leave()
    assert len(weather.all_of(Interrupted)) == len(weather.all_of(Continued)) == 1
    assert [form["message"] for form in weather.forms("send")] == ["are you back?", "good"]
    weather.assert_nothing_lost()


PUSHES = [
    make_fault("duplicate_message", on="any"),
    make_fault("delay_message", times=1, seconds=3.0),
    make_fault("delay_message", on="any", seconds=0.4),
    make_fault("reorder_messages", times=2),
    make_fault("reorder_messages", on="any", probability=0.5),
]


@pytest.mark.parametrize("fault", PUSHES, ids=lambda fault: f"{fault.name}-{fault.on}")
async def test_events_that_come_twice_late_or_out_of_order(
    fault: Fault, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery)
    async with patience() as chats:
        session = await weather.meet(chats)
        weather.simulator.faults.change([fault])
        await weather.talk("one", "two", "three")
        weather.simulator.faults.change(())
        await trio.sleep(10)
        await session.leave()
    weather.assert_nothing_lost()


@pytest.mark.parametrize("name", ["kill_connection", "truncated_json"])
async def test_what_was_said_has_come_even_if_its_answer_was_lost(
    name: str, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery)
    async with patience() as chats:
        session = await weather.meet(chats)
        weather.strike(name, on="sendMessage", times=1)
        await weather.talk("once", "after")
        await session.leave()
    assert [form["message"] for form in weather.forms("send")] == ["once", "after"]
    weather.assert_nothing_lost()


@pytest.mark.parametrize("name", ["http_500", "html", "stall"])
async def test_what_may_have_been_said_is_not_said_again(
    name: str, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery)
    async with patience() as chats:
        session = await weather.meet(chats)
        weather.strike(name, on="sendMessage", times=1)
        with pytest.raises(BotkitError) as caught:
            await session.send_message("once")
        await weather.talk("after")
        await session.leave()
    assert isinstance(caught.value, ConnectorError | RemoteProtocolError)
    assert [form["message"] for form in weather.forms("send")] == ["once", "after"]
    weather.assert_nothing_lost()


@pytest.mark.parametrize("option", ["not_done", "done"])
async def test_a_line_that_failed_for_now_is_said_once_whatever_came_of_it(
    option: str, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery)
    async with patience() as chats:
        session = await weather.meet(chats)
        weather.strike("status_code_1", on="sendMessage", times=1, option=option)
        await weather.talk("once")
        await session.leave()
    (chat,) = weather.simulator.centre.chats()
    assert [entry.text for entry in chat.log].count("once") == 1
    assert len(weather.forms("send")) == (2 if option == "not_done" else 1)
    weather.assert_nothing_lost()


async def test_what_leaves_no_certain_trace_is_not_repeated(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery)
    async with patience() as chats:
        session = await weather.meet(chats)
        weather.strike("status_code_1", on="pushUrl", times=1)
        with pytest.raises(ChatError, match="may have done the command"):
            await session.push_url("https://example.com")
        weather.strike("status_code_1", on="pushUrl", times=1, option="done")
        await session.push_url("https://example.com/2")
        weather.strike("status_code_1", on="updateData", times=4)
        await session.set_userdata({"A": "1"})
        weather.strike("status_code_1", on="updateData", times=5)
        with pytest.raises(ChatError, match="asks to come again"):
            await session.set_userdata({"A": "2"})
        await session.leave()
    assert len(weather.forms("pushUrl")) == 2
    assert len(weather.forms("updateData")) == 10
    weather.assert_nothing_lost()


@pytest.mark.parametrize("option", ["chat_goes_on", "chat_ended"])
async def test_a_customer_who_was_dropped_has_no_chat_any_more(
    option: str, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery)
    async with patience() as chats:
        session = await weather.meet(chats)
        weather.strike("session_dropped", option=option)
        ended = await session.wait_for(SessionEnded, within=100)
        await session.leave()
    assert ended.by is EndedBy.SERVICE
    (error,) = weather.all_of(Error)
    assert error.code == 8209  # type: ignore[attr-defined]
    assert weather.events[-1] is ended


async def test_the_service_refuses_a_command_and_the_chat_goes_on(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery)
    async with patience() as chats:
        session = await weather.meet(chats)
        with pytest.raises(ChatError, match="the nickname is empty"):
            await session.update_nickname("")
        await weather.talk("still here")
        await session.leave()
    assert session.nickname == "Customer"


async def test_polls_adapt_and_keep_within_the_idle_limit(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery, poll_within=12.0)
    async with patience() as chats:
        options = {"poll_longest": "6s", "idle_limit": "12s"}
        session = await weather.meet(chats, options=options)
        await trio.sleep(200)
        polls = weather.times("refresh")
        quiet = [late - early for early, late in zip(polls[-10:], polls[-9:], strict=False)]
        assert all(5 < interval < 7 for interval in quiet)
        await weather.talk("hi")
        await trio.sleep(2)
        lively = [at for at in weather.times("refresh") if at > polls[-1] + 1]
        assert len(lively) >= 4
        await session.leave()
    assert weather.all_of(Interrupted) == []
    weather.assert_nothing_lost()


@pytest.mark.parametrize(
    ("status", "body"), [(503, b"oops"), (429, b'{"code": 9, "message": "slowly"}')]
)
async def test_a_service_that_asks_for_it_is_left_alone(
    status: int, body: bytes, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery)
    async with patience() as chats:
        session = await weather.meet(chats)
        weather.replies = [Reply(status=status, body=body, headers=(("Retry-After", "8"),))]
        await session.wait_for(Continued)
        before, after = weather.times("refresh")[-2:]
        assert 8 < after - before < 9
        await weather.talk("still here")
        await session.leave()
    weather.assert_nothing_lost()


async def test_a_customer_who_does_not_poll_is_dropped(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery, poll_within=20.0)
    async with patience() as chats:
        session = await weather.meet(chats)
        weather.connector.network.cut(ConnectionRefusedError("gone"))
        await trio.sleep(40)
        weather.connector.network.mend()
        ended = await session.wait_for(SessionEnded, within=100)
        await session.leave()
    assert ended.by is EndedBy.SERVICE
    assert "did not poll" in ended.description
    assert weather.simulator.status()["open"] == 0


async def test_an_agent_who_types_and_ends_the_chat(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery)
    async with patience() as chats:
        session = await weather.meet(chats)
        (chat,) = weather.simulator.centre.chats()
        (agent,) = chat.agents.values()
        now = trio.current_time()
        weather.simulator.centre.write(chat, EntryKind.TYPING_STARTED, agent, now=now, text="We")
        typing = await session.wait_for(AgentTyping)
        assert (typing.is_typing, typing.preview) == (True, "We")
        weather.simulator.centre.end(chat, EndedBy.SERVICE, now=trio.current_time())
        ended = await session.wait_for(SessionEnded)
        await session.leave()
    assert ended.by is EndedBy.SERVICE
    assert type(weather.events[-2]) is AgentDisconnected


async def test_a_lost_event_is_missed_until_everything_is_asked_for_again(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery)
    async with patience() as chats:
        session = await weather.meet(chats)
        weather.strike("lost_message", times=1)
        await session.send_message("one")
        with pytest.raises(AssertionError):
            await session.expect(contains("You said: one"), within=20)
        await session.reload(1)
        found = await session.expect(contains("You said: one"), within=20)
        assert not found.history
        await session.leave()


async def test_errors_beside_a_success_are_told_and_cost_no_event(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery)
    handle = weather.simulator.handle

    async def complaining(request: Request) -> Reply:
        reply = await handle(request)
        if not request.path.endswith("/refresh"):
            return reply
        answer = {**orjson.loads(reply.body), "errors": [{"code": 7, "message": "slow today"}]}
        return Reply(body=orjson.dumps(answer))

    weather.connector.network = MemoryNetwork(complaining)
    async with patience() as chats:
        session = await weather.meet(chats)
        await weather.talk("one")
        await session.leave()
    errors = [event for event in weather.events if isinstance(event, Error)]
    assert {(error.code, error.description) for error in errors} == {(7, "slow today")}
    assert weather.all_of(Interrupted) == []


async def test_who_was_lost_together_does_not_come_back_together(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery)
    network = weather.connector.network
    returns: list[float] = []

    async def live() -> None:
        async with patience() as chats:
            session = ChatSession(chats, Opening())
            await session.open(weather.connector)
            await session.wait_for(Continued, within=100)
            returns.append(trio.current_time())
            await session.leave()

    async with trio.open_nursery() as customers:
        for _ in range(200):
            customers.start_soon(live)
        await trio.sleep(3)
        network.cut(ConnectionRefusedError("gone for a while"))
        await trio.sleep(60)
        exchanges = network.exchanges
        await trio.sleep(10)
        # Nobody hammers on a server that is gone.
        assert network.exchanges - exchanges < 200 * 3
        network.mend()
    spread = max(returns) - min(returns)
    assert spread > 5
    busiest = max(sum(at <= other < at + 0.5 for other in returns) for at in returns)
    assert busiest < 50


async def test_a_goodbye_that_is_not_confirmed_ends_in_time(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery, make_fault("no_chat_end"))
    async with patience() as chats:
        session = await weather.meet(chats)
        began = trio.current_time()
        await session.leave()
        assert trio.current_time() - began < 4
    assert session.ended is not None
    assert session.ended.by is EndedBy.UNCONFIRMED
    # Once it is accepted, it is not asked for again and again.
    assert len(weather.forms("disconnect")) == 1


HARMLESS = (
    "kill_connection",
    "http_500",
    "html",
    "truncated_json",
    "slow_drip",
    "stall",
    "status_code_1",
    "alias_change",
    "duplicate_message",
    "delay_message",
    "reorder_messages",
)


@pytest.mark.parametrize("seed", range(40))
async def test_nothing_is_lost_or_repeated_in_any_weather(
    seed: int, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    weather = await weather_in(nursery)
    faults = [
        make_fault(
            name,
            on="any",
            probability=0.08,
            **({"seconds": 30.0} if name == "stall" else {}),
            **({"option": "done"} if name == "status_code_1" and seed % 2 else {}),
        )
        for name in HARMLESS
    ]
    async with patience() as chats:
        session = await weather.meet(chats)
        weather.simulator.faults.change(faults, seed=seed)
        for number in range(10):
            # Whether it failed is of no matter here, only that it is not said twice.
            with contextlib.suppress(BotkitError):
                await session.send_message(f"line {number}")
            await trio.sleep(seed % 4)
        weather.simulator.faults.change(())
        await trio.sleep(60)
        await weather.talk("over")
        await session.leave()
    (chat,) = weather.simulator.centre.chats()
    there = [(entry.index, entry.text) for entry in chat.log if entry.index is not None]
    told = [(e.index, getattr(e, "text", "")) for e in weather.events if e.index is not None]
    assert sorted(told) == there
    texts = [text for _, text in there if text.startswith("line")]
    assert len(set(texts)) == len(texts)
    interruptions = [e for e in weather.events if isinstance(e, Interrupted | Continued)]
    kinds = [type(event) for event in interruptions]
    assert kinds == [Interrupted, Continued] * (len(kinds) // 2)
