"""The whole API of a session over the wire, against the simulator in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from botkit.api import start_session
from botkit.bot.matchers import contains
from botkit.chat import (
    AgentConnected,
    AgentDisconnected,
    AgentTyping,
    EndedBy,
    Error,
    Event,
    Message,
    Nickname,
    Notice,
    PartyKind,
    PressButton,
    PushedUrl,
    SessionEnded,
    SessionStarted,
    Userdata,
)
from botkit.errors import BotkitError, ChatError, LocalProtocolError, SessionClosed, ungrouped
from botkit.session import ChatSession
from botkit.simulator import SimulatorSettings
from botkit.simulator.centre import Centre
from botkit.simulator.chats import EntryKind
from botkit.simulator.faults import make_fault
from botkit.testing import SimulatorInMemory, simulator_in

LATENCY = 0.01


class Desk:
    """An agent's desk, in the hands of a test."""

    def __init__(self, connector: SimulatorInMemory) -> None:
        self.centre: Centre = connector.simulator.centre
        (self.chat,) = self.centre.open_chat_list()
        self.party = self.centre.join(
            self.chat, "Ada", now=trio.current_time(), kind=PartyKind.AGENT
        )

    def write(self, kind: EntryKind, text: str = "") -> None:
        self.centre.write(self.chat, kind, self.party, now=trio.current_time(), text=text)

    def say(self, text: str) -> None:
        self.write(EntryKind.MESSAGE, text)

    def written(self, kind: EntryKind) -> list[str]:
        """What the customer has written of a kind."""
        return [e.text for e in self.chat.log if e.kind is kind and e.party.name != "Ada"]


@asynccontextmanager
async def chatting(
    nursery: trio.Nursery, **options: Any
) -> AsyncIterator[tuple[ChatSession, Desk]]:
    """A chat with an agent who does what the test says."""
    faults = (make_fault("agent_never_joins"),)
    settings = SimulatorSettings(seed=1, faults=faults)
    connector = await simulator_in(nursery, settings, latency=LATENCY)
    with trio.fail_after(600):
        async with start_session(connector=connector, nickname="Bill", **options) as session:
            desk = Desk(connector)
            await session.wait_for(AgentConnected)
            yield session, desk
    assert not desk.chat.is_open
    assert connector.simulator.status()["sessions"] == 0
    assert connector.network.under_way == 0


async def test_what_the_customer_does_reaches_the_agent(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    async with chatting(nursery, subject="Bill") as (session, desk):
        await session.send_typing(preview="I am wr")
        await session.send_typing(False)
        await session.send_message("I am writing", content_type="text")
        await session.send_notice('{"page": 3}')
        await session.push_url("https://example.com/basket")
        await session.read_receipt(2)
        await session.update_nickname("William")
        assert session.nickname == "William"
        assert desk.chat.subject == "Bill"
        assert desk.written(EntryKind.TYPING_STARTED) == ["I am wr"]
        assert desk.written(EntryKind.TYPING_STOPPED) == [""]
        assert desk.written(EntryKind.MESSAGE) == ["I am writing"]
        assert desk.written(EntryKind.NOTICE) == ['{"page": 3}']
        assert desk.written(EntryKind.PUSHED_URL) == ["https://example.com/basket"]
        assert desk.chat.read_up_to == 2
        assert desk.chat.customer.name == "William"


async def test_what_the_agent_does_reaches_the_customer(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    async with chatting(nursery) as (session, desk):
        desk.write(EntryKind.TYPING_STARTED, "well")
        typing = await session.wait_for(AgentTyping)
        assert (typing.is_typing, typing.preview) == (True, "well")
        desk.write(EntryKind.TYPING_STOPPED)
        assert not (await session.wait_for(AgentTyping)).is_typing
        desk.say("well then")
        said = await session.expect(contains("then"))
        assert said.party is not None
        assert (said.party.name, said.party.kind) == ("Ada", PartyKind.AGENT)
        desk.write(EntryKind.NOTICE, "survey")
        assert (await session.wait_for(Notice)).text == "survey"
        desk.write(EntryKind.PUSHED_URL, "https://example.com/survey")
        assert (await session.wait_for(PushedUrl)).url == "https://example.com/survey"
        desk.centre.leave(desk.chat, desk.party, now=trio.current_time())
        await session.wait_for(AgentDisconnected)
        assert session.is_open


async def test_user_data(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    async with chatting(nursery, userdata={"Segment": "gold"}) as (session, desk):
        changes: list[dict[str, str | None]] = []
        session.on(Userdata, lambda event: changes.append(dict(event.changes)))
        await session.set_userdata({"Order": "7", "Colour": "red"})
        assert await session.get_userdata("Order") == {"Order": "7"}
        assert dict(session.userdata) == {"Segment": "gold", "Order": "7", "Colour": "red"}
        assert desk.chat.userdata == {"Segment": "gold", "Order": "7", "Colour": "red"}
        assert await session.delete_userdata("Colour") > 1e9
        assert not desk.chat.userdata.get("Colour")
        with pytest.raises(ChatError, match="'Colour' is not visible"):
            await session.get_userdata("Colour")
        with pytest.raises(ChatError, match="'Secret' is not visible"):
            await session.get_userdata("Secret")
        with pytest.raises(LocalProtocolError, match="Order=7 is not"):
            await session.set_userdata({"Order": 7})  # type: ignore[dict-item]
        assert changes == [{"Order": "7", "Colour": "red"}, {"Colour": None}]


async def test_the_transcript_from_an_index(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    async with chatting(nursery) as (session, desk):
        await session.send_message("one")
        desk.say("two")
        await session.expect(contains("two"))
        whole = await session.get_transcript()
        assert [row.text for row in whole if row.kind == "message"] == ["one", "two"]
        (two,) = (row for row in whole if row.text == "two")
        assert two.index is not None
        assert await session.get_transcript(two.index) == (two,)
        assert [r.text for r in await session.get_transcript(two.index - 1)] == ["one", "two"]
        assert await session.get_transcript(100) == ()


async def test_callbacks_are_called_in_order_sync_and_async(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    slow: list[str] = []
    kinds: list[type[Event]] = []

    async def slowly(event: Message) -> None:
        await trio.sleep(5)
        slow.append(event.text)

    async with chatting(nursery) as (session, desk):
        session.on(Message, slowly)
        session.on(Event, lambda event: kinds.append(type(event)))
        await session.update_nickname("Will")
        desk.say("one")
        desk.say("two")
        await trio.sleep(6)
        assert (slow, kinds) == (["one"], [Nickname, Message, Message])
        await trio.sleep(6)
        assert slow == ["one", "two"]


async def test_a_callback_that_raises_ends_the_block_and_leaves_the_chat(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    def refuse(event: Message) -> None:
        raise LookupError(event.text)

    async def chat() -> None:
        async with chatting(nursery) as (session, desk):
            desks.append(desk)
            session.on(Message, refuse)
            desk.say("one")
            await trio.sleep_forever()

    desks: list[Desk] = []
    with pytest.raises(LookupError, match="one"), ungrouped():
        await chat()
    assert desks[0].chat.ended_by is EndedBy.CUSTOMER


async def test_all_events_from_the_first_to_the_last(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    async with chatting(nursery) as (session, desk):
        desk.say("bye")
        desk.centre.end(desk.chat, EndedBy.SERVICE, now=trio.current_time())
        kinds = [type(event) async for event in session.events()]
        assert session.ended is not None
        assert session.ended.by is EndedBy.SERVICE
        assert not session.is_open
        await session.leave()
    assert (kinds[0], kinds[-1]) == (SessionStarted, SessionEnded)
    assert kinds.count(Message) == 1


Act = Callable[[ChatSession], Any]
ACTS: list[Act] = [
    lambda session: session.send_message("x"),
    lambda session: session.send_typing(),
    lambda session: session.send_notice("x"),
    lambda session: session.push_url("https://example.com"),
    lambda session: session.update_nickname("x"),
    lambda session: session.set_userdata({"A": "1"}),
    lambda session: session.delete_userdata("A"),
    lambda session: session.read_receipt(1),
]


@pytest.mark.parametrize("act", ACTS, ids=range(len(ACTS)))
async def test_after_the_end_nothing_is_done(
    act: Act, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    async with chatting(nursery) as (session, desk):
        desk.centre.end(desk.chat, EndedBy.SERVICE, now=trio.current_time())
        await session.wait_for(SessionEnded)
        with pytest.raises(SessionClosed, match="the chat has ended \\(by service\\)"):
            await act(session)


@pytest.mark.parametrize(
    ("act", "words"),
    [
        (lambda session: session.push_url(""), "pushUrl needs a pushUrl"),
        (lambda session: session.update_nickname(""), "nickname"),
        (lambda session: session.set_userdata({"A": "1"}), "no operation"),
    ],
)
async def test_an_error_of_the_service_has_its_code_and_description(
    act: Act, words: str, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    options = {"update_data": "noSuchOperation"}
    async with chatting(nursery, options=options) as (session, _):
        errors: list[Error] = []
        session.on(Error, errors.append)
        with pytest.raises(ChatError) as caught:
            await act(session)
        assert caught.value.code == 1
        assert words in caught.value.description
        assert not isinstance(caught.value, SessionClosed)
        await session.send_message("we go on")
        assert [(e.code, e.description) for e in errors] == [(1, caught.value.description)]


async def test_what_this_wire_cannot_do_is_refused_here(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    async with chatting(nursery) as (session, _):
        with pytest.raises(BotkitError, match="PressButton"):
            await session.perform(PressButton(text="Yes"))
        await session.send_message("we go on")
