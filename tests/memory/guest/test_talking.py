"""Whole chats over web messaging, on virtual time."""

from __future__ import annotations

from typing import Any

import pytest
import trio
import trio.testing

from botkit import chat
from botkit.bot.matchers import contains
from botkit.chat import AgentConnected, EndedBy, PartyKind
from botkit.errors import ChatError
from botkit.genesys.web_content import pressed_in, quick_reply_content


async def test_a_chat_from_hello_to_goodbye(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    userdata = {"Segment": "gold"}
    async with kit.client.session(subject="Bill", userdata=userdata) as session:
        kit.peer.say("Welcome")
        await session.wait_for(AgentConnected)
        await session.expect(contains("welcome"))
        await session.send_message("Hello")
        assert kit.peer.session.attributes == {
            "nickname": "Bob",
            "subject": "Bill",
            "Segment": "gold",
        }
        kit.peer.say("Bye")
        await session.expect(contains("bye"))
        assert session.id is not None
        assert kit.peer.asked("configureSession")[0].token not in session.id
    assert session.ended is not None
    assert session.ended.by is EndedBy.CUSTOMER
    assert (kit.peer.open_sockets, kit.peer.open_sessions) == (0, 0)
    rows = [row for row in session.transcript.rows() if row.kind == "message"]
    assert [(row.party, row.text) for row in rows] == [
        (PartyKind.AGENT, "Welcome"),
        (PartyKind.CUSTOMER, "Hello"),
        (PartyKind.AGENT, "Bye"),
    ]


async def test_an_answer_is_a_button(kit: Any, autojump_clock: trio.testing.MockClock) -> None:
    async with kit.client.session() as session:
        kit.peer.say("Sure?", quick_reply_content("Yes", "y"), entity="Bot")
        message = await session.expect(contains("sure"))
        assert message.party is not None
        assert message.party.kind is PartyKind.EXTERNAL
        await session.perform(chat.PressButton(text="Yes", message_id=message.message_id))
    pressed = pressed_in(kit.peer.lines[0].content)
    assert pressed is not None
    assert (pressed.payload, pressed.originating_message_id) == ("y", message.message_id)


async def test_lines_keep_the_pace(kit: Any, autojump_clock: trio.testing.MockClock) -> None:
    async with kit.client.session() as session:
        began = trio.current_time()
        for number in range(5):
            await session.send_message(str(number))
        assert 2.0 < trio.current_time() - began < 2.5
    assert [line.text for line in kit.peer.lines] == ["0", "1", "2", "3", "4"]
    # The attributes have arrived with the first.
    assert [bool(line.attributes) for line in kit.peer.lines] == [True] + [False] * 4


async def test_a_line_that_came_too_soon_is_sent_again_when_it_may(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    rule, refused = kit.rejecting("onMessage", 429, "too fast", traced=False)
    kit.peer.rules.append(rule)
    async with kit.client.session() as session:
        began = trio.current_time()
        await session.send_message("Hello")
        assert 3.0 <= trio.current_time() - began < 3.5
    assert len(refused) == 1
    assert [line.text for line in kit.peer.lines] == ["Hello", "Hello"]
    assert [message.text for message in kit.peer.session.said] == ["Hello"]


async def test_too_many_requests_are_believed_in_the_end(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    rule, refused = kit.rejecting("onMessage", 429, "too fast", times=99)
    kit.peer.rules.append(rule)
    async with kit.client.session() as session:
        with pytest.raises(ChatError) as caught:
            await session.send_message("Hello")
    assert caught.value.code == 4029
    assert len(refused) == 5


@pytest.mark.parametrize("traced", [True, False])
@pytest.mark.parametrize("code", [409, 4011, 4013, 403, 5000, 4012])
async def test_a_refused_line_is_an_error_with_its_code(
    kit: Any, code: int, traced: bool, autojump_clock: trio.testing.MockClock
) -> None:
    rule, _ = kit.rejecting("onMessage", code, "not this", traced=traced)
    kit.peer.rules.append(rule)
    async with kit.client.session() as session:
        with pytest.raises(ChatError) as caught:
            await session.send_message("Hello")
        assert (caught.value.code, caught.value.description) == (code, "not this")
        await session.send_message("Hello again")
    assert [message.text for message in kit.peer.session.said] == ["Hello again"]
    # What is too large is lost, everything else travels on.
    assert kit.peer.session.attributes == ({} if code == 4013 else {"nickname": "Bob"})
    assert kit.of(session, chat.Error) == []


@pytest.mark.parametrize("code", [4006, 4007])
async def test_a_session_that_expired_ends_the_chat(
    kit: Any, code: int, autojump_clock: trio.testing.MockClock
) -> None:
    rule, _ = kit.rejecting("onMessage", code, "session is gone")
    kit.peer.rules.append(rule)
    async with kit.client.session() as session:
        with pytest.raises(ChatError) as caught:
            await session.send_message("Hello")
        assert caught.value.code == code
        ended = await session.wait_for(chat.SessionEnded)
        assert ended.by is EndedBy.SERVICE


async def test_a_session_that_expired_in_silence_is_noticed(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session() as session:
        kit.peer.rules.append(kit.rejecting("echo", 4006, "expired", times=9)[0])
        ended = await session.wait_for(chat.SessionEnded, within=60)
        assert (ended.by, ended.description) == (EndedBy.SERVICE, "expired (code 4006)")


async def test_typing_is_shown_now_and_then(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session() as session:
        for _ in range(12):
            await session.send_typing()
            await trio.sleep(1.0)
        await session.send_typing(False)
        await session.send_message("Hi")
        await session.send_typing()
    events = [line.events[0].value for line in kit.peer.lines if line.events]
    # Every 5 s, and again once a line was sent.
    assert len(events) in (3, 4, 5)
    assert set(events) == {"On"}


async def test_typing_that_is_not_allowed_is_an_error(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    rule, _ = kit.rejecting("onMessage", 403, "no typing")
    kit.peer.rules.append(rule)
    async with kit.client.session() as session:
        with pytest.raises(ChatError, match="no typing"):
            await session.send_typing()


async def test_what_the_agent_types_is_told(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session() as session:
        kit.peer.event("Typing", "On")
        assert (await session.wait_for(chat.AgentTyping)).is_typing
        assert session.agents


async def test_messages_that_overtook_each_other_are_put_in_order(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session() as session:
        kit.peer.say("second")
        await trio.sleep(0.2)
        kit.peer.say("first", late=0.5)
        first = await session.expect_next(contains("first"))
        second = await session.expect_next(contains("second"))
        assert first.at <= second.at <= trio.current_time()


@pytest.mark.parametrize(
    ("options", "config", "joins"),
    [
        ({}, {"autoStart": {"enabled": True}}, 1),
        ({}, {}, 0),
        ({"join": "off"}, {"autoStart": {"enabled": True}}, 0),
        ({"fetch_config": "off"}, {"autoStart": {"enabled": True}}, 0),
        ({"join": "on", "fetch_config": "off"}, {}, 1),
    ],
)
async def test_a_join_is_sent_where_it_is_wanted(
    kit: Any,
    options: dict[str, str],
    config: Any,
    joins: int,
    autojump_clock: trio.testing.MockClock,
) -> None:
    kit.peer.config = {"messenger": {"apps": {"conversations": config}}}
    async with kit.client.session(options=options) as session:
        await session.send_message("Hi")
    assert len([line for line in kit.peer.lines if line.events]) == joins
    assert kit.peer.session.attributes == {"nickname": "Bob"}
    # It carried the attributes already.
    assert bool(kit.peer.lines[-1].attributes) is (joins == 0)


async def test_a_configuration_is_fetched_once_for_many_chats(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    for _ in range(3):
        async with kit.client.session():
            pass
    urls = [str(request.url) for request in kit.peer.fetched]
    assert urls == ["https://api-cdn.example.com/webdeployments/v1/deployments/d-1/config.json"]
    await trio.sleep(301)
    async with kit.client.session():
        pass
    assert len(kit.peer.fetched) == 2


async def test_attributes_travel_again_when_they_change(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session(userdata={"A": "1"}) as session:
        await session.send_message("one")
        await session.set_userdata({"B": "2"})
        assert await session.get_userdata("B") == {"B": "2"}
        await session.send_message("two")
        await session.send_message("three")
        with pytest.raises(ChatError) as caught:
            await session.set_userdata({"C": "x" * 3000})
        assert caught.value.code == 4013
    assert [dict(line.attributes) for line in kit.peer.lines] == [
        {"nickname": "Bob", "A": "1"},
        {"nickname": "Bob", "A": "1", "B": "2"},
        {},
    ]


async def test_attributes_can_go_on_top(kit: Any, autojump_clock: trio.testing.MockClock) -> None:
    options = {"custom_attributes_at": "top", "nickname_as": "", "origin": "https://shop"}
    async with kit.client.session(options=options, userdata={"A": "1"}) as session:
        await session.send_message("one")
    (line,) = kit.peer.lines
    assert (dict(line.attributes), line.attributes_on_top) == ({"A": "1"}, True)
    assert kit.peer.headers == [{"Origin": "https://shop"}]


async def test_an_idle_connection_is_checked(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session() as session:
        await trio.sleep(100)
        assert len(kit.peer.asked("echo")) == 3
        assert kit.of(session, chat.Message) == []
        kit.peer.rules.append(lambda socket, request: request.action == "echo")
        await kit.until(lambda: kit.of(session, chat.Continued))
    assert "health" in kit.of(session, chat.Interrupted)[0].description


async def test_a_chat_that_the_contact_centre_ends(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session() as session:
        kit.peer.event("Presence", "Disconnect", metadata={"readOnly": "true"})
        ended = await session.wait_for(chat.SessionEnded)
    assert ended.by is EndedBy.SERVICE
    assert kit.peer.open_sockets == 0


async def test_what_is_no_frame_is_an_error_and_no_more(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session() as session:
        kit.peer.sockets[0].push_text("<html>")
        kit.peer.sockets[0].push_text("[1]")
        await kit.until(lambda: len(kit.of(session, chat.Error)) == 2)
        await session.send_message("Still here")
    assert len(kit.peer.sockets) == 1


async def test_a_service_that_never_confirms_is_not_waited_for(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    kit.peer.confirms = False
    async with kit.client.session() as session:
        with pytest.raises(Exception, match="did not answer in time"):
            await session.send_message("Hello")
    assert len(kit.peer.lines) == 1


async def test_the_journey_context_is_sent_if_there_is_a_customer(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session(options={"customer_id": "c-1"}):
        pass
    (request,) = kit.peer.asked("configureSession")
    assert request.journey is not None
    assert request.journey.customer_id == "c-1"
    assert (request.deployment_id, request.start_new) == ("d-1", False)
