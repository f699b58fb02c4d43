"""Connections of web messaging that are lost and won back: nothing lost, nothing twice."""

from __future__ import annotations

import random
from typing import Any

import httpx
import pytest
import trio
import trio.testing

from botkit import chat
from botkit.bot.matchers import contains
from botkit.chat import EndedBy
from botkit.connectors.genesys_cloud import GenesysCloud
from botkit.errors import ConnectorError
from botkit.genesys.web_records import MessageEvent


def texts(kit: Any, session: Any) -> list[str]:
    return [event.text for event in kit.of(session, chat.Message)]


async def test_what_was_said_meanwhile_is_told_once(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session() as session:
        kit.peer.say("1")
        await session.expect(contains("1"))
        kit.peer.cut()
        kit.peer.say("2")
        await session.wait_for(chat.Interrupted)
        kit.peer.say("3")
        await session.wait_for(chat.Continued)
        kit.peer.say("4")
        await session.expect(contains("4"))
        assert texts(kit, session) == ["1", "2", "3", "4"]
        kinds = [type(event) for event in session.transcript.recorded()]
    assert kinds.count(chat.Interrupted) == kinds.count(chat.Continued) == 1
    first, second = kit.peer.asked("configureSession")
    assert first.token == second.token
    assert not second.start_new
    assert [line for line in kit.peer.lines if line.events] == []
    assert (kit.peer.open_sockets, kit.peer.open_sessions) == (0, 0)


async def test_a_long_history_is_read_page_by_page(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session() as session:
        await session.send_message("Hi")
        kit.peer.cut()
        for number in range(60):
            kit.peer.say(str(number))
        await session.wait_for(chat.Continued)
        assert texts(kit, session) == [str(number) for number in range(60)]
    pages = [r.url.params["pageNumber"] for r in kit.peer.fetched if "pageNumber" in r.url.params]
    assert pages == ["1", "2", "3"]
    assert kit.peer.fetched[-1].headers["authorization"].startswith("bearer jwt-")


async def test_it_is_tried_for_a_while_and_then_given_up(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session() as session:
        kit.peer.is_down = True
        kit.peer.cut()
        began = trio.current_time()
        ended = await session.wait_for(chat.SessionEnded, within=400)
        assert ended.by is EndedBy.LOST
        assert "300 s" in ended.description
        assert 300 <= trio.current_time() - began < 315
    # About every five seconds.
    assert 50 < len(kit.peer.headers) < 80


async def test_many_clients_do_not_return_in_one_moment(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    kit.client.connector = GenesysCloud(rng=random.Random(1))
    returned: list[float] = []

    async def one(task_status: trio.TaskStatus[None]) -> None:
        async with kit.client.session() as session:
            task_status.started()
            await session.wait_for(chat.Continued)
            returned.append(trio.current_time())

    async with trio.open_nursery() as nursery:
        for _ in range(100):
            await nursery.start(one)
        lost_at = trio.current_time()
        kit.peer.cut()
    assert max(returned) - lost_at < 1.5
    for tenth in range(10):
        within = [at for at in returned if tenth / 10 <= at - lost_at < (tenth + 1) / 10]
        assert len(within) < 30


@pytest.mark.parametrize("arrives", [True, False])
async def test_a_line_in_doubt_is_never_sent_twice(
    kit: Any, arrives: bool, autojump_clock: trio.testing.MockClock
) -> None:
    """The connection breaks when the line is sent; the history shows whether it arrived."""

    def breaks(socket: Any, request: Any) -> bool:
        if request.action != "onMessage":
            return False
        if arrives:
            kit.peer.confirms = False
            kit.peer.on_onMessage(socket, request)
        socket.cut()
        return True

    async with kit.client.session() as session:
        kit.peer.rules.append(breaks)
        if arrives:
            await session.send_message("Hello")
        else:
            with pytest.raises(ConnectorError, match="nobody knows"):
                await session.send_message("Hello")
        kit.peer.rules.clear()
    assert len(kit.peer.lines) == 1
    assert texts(kit, session) == []  # The copy confirmed the line that was written down.
    rows = [row.text for row in session.transcript.rows() if row.kind == "message"]
    assert rows == ["Hello"]


async def test_a_line_waits_for_the_connection(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session() as session:
        kit.peer.is_down = True
        kit.peer.cut()
        await session.wait_for(chat.Interrupted)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(session.send_message, "Hello")
            await trio.sleep(20)
            assert kit.peer.lines == []
            kit.peer.is_down = False
    assert [line.text for line in kit.peer.lines] == ["Hello"]


async def test_a_session_that_is_forgotten_is_over_and_no_new_one_stays(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session() as session:
        kit.peer.sessions.clear()
        kit.peer.cut()
        ended = await session.wait_for(chat.SessionEnded)
        assert ended.by is EndedBy.SERVICE
        assert "new session" in ended.description
    assert kit.peer.open_sessions == 0


async def test_last_words_are_told_before_the_end(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session() as session:
        kit.peer.cut()
        kit.peer.say("Goodbye")
        kit.peer.session.read_only = True
        ended = await session.wait_for(chat.SessionEnded)
        assert ended.by is EndedBy.SERVICE
        assert texts(kit, session) == ["Goodbye"]


@pytest.mark.parametrize(
    ("code", "by"), [(4006, EndedBy.SERVICE), (4007, EndedBy.SERVICE), (404, EndedBy.LOST)]
)
async def test_a_refused_session_is_over(
    kit: Any, code: int, by: EndedBy, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session() as session:
        kit.peer.rules.append(kit.rejecting("configureSession", code, "gone", times=99)[0])
        kit.peer.cut()
        ended = await session.wait_for(chat.SessionEnded)
        assert ended.by is by
        assert "gone" in ended.description


async def test_a_service_that_fails_is_asked_again(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session() as session:
        kit.peer.rules.append(kit.rejecting("configureSession", 5000, "oops", times=2)[0])
        kit.peer.web["GET", "/api/v2/webmessaging/messages"] = failing_once(kit, 503)
        kit.peer.cut()
        kit.peer.say("meanwhile")
        await session.wait_for(chat.Continued)
        assert texts(kit, session) == ["meanwhile"]


def failing_once(kit: Any, status: int) -> Any:
    def answer(request: httpx.Request) -> httpx.Response:
        del kit.peer.web["GET", "/api/v2/webmessaging/messages"]
        return httpx.Response(status, text="<html>")

    return answer


@pytest.mark.parametrize("status", [401, 429])
async def test_a_page_is_asked_for_again(
    kit: Any, status: int, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session() as session:
        kit.peer.web["GET", "/api/v2/webmessaging/messages"] = failing_once(kit, status)
        kit.peer.cut()
        await session.wait_for(chat.Continued)
    assert len(kit.peer.asked("getJwt")) == 2
    assert len(kit.peer.sockets) == 2


async def test_without_a_history_the_gap_is_owned_up_to(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session(options={"history": "off"}) as session:
        kit.peer.cut()
        error = await session.wait_for(chat.Error)
        assert "unknown" in error.description
        await session.send_message("Still here")


async def test_many_interruptions_leave_nothing_behind(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session() as session:
        for number in range(30):
            kit.peer.say(str(number))
            kit.peer.cut()
            await session.wait_for(chat.Continued)
        assert texts(kit, session) == [str(number) for number in range(30)]
    assert kit.peer.open_sockets == 0


@pytest.mark.parametrize("arrives", [True, False])
async def test_a_join_in_doubt_is_looked_up(
    kit: Any, arrives: bool, autojump_clock: trio.testing.MockClock
) -> None:
    def breaks(socket: Any, request: Any) -> bool:
        if request.action != "onMessage":
            return False
        kit.peer.rules.clear()
        if arrives:
            event = MessageEvent(type="Presence", value="Join")
            join = kit.peer.stamped(type="Event", direction="Inbound", events=(event,))
            kit.peer.session.said.append(join)
        socket.cut()
        return True

    kit.peer.rules.append(breaks)
    async with kit.client.session(options={"join": "on"}) as session:
        await session.send_message("Hi")
    assert len([line for line in kit.peer.lines if line.events]) == (1 if arrives else 2)


async def test_what_could_not_be_read_is_looked_up(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    """The copy of a line and an agent's answer come broken."""

    def breaks(socket: Any, request: Any) -> bool:
        if request.action != "onMessage":
            return False
        kit.peer.confirms = False
        kit.peer.on_onMessage(socket, request)
        socket.token, token = "", socket.token
        kit.peer.say("Answer")
        socket.token = token
        socket.push_text('{"class":"StructuredMess')
        return True

    async with kit.client.session() as session:
        kit.peer.rules.append(breaks)
        began = trio.current_time()
        await session.send_message("Hello")
        await session.expect(contains("Answer"))
        assert trio.current_time() - began < 1
    assert len(kit.peer.sockets) == 1
    assert len(kit.of(session, chat.Error)) == 1


async def test_what_nobody_can_tell_is_owned_up_to(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    page = ("GET", "/api/v2/webmessaging/messages")
    kit.peer.web[page] = lambda _: httpx.Response(200, text="<html>")
    async with kit.client.session() as session:
        kit.peer.sockets[0].push_text("<html>")
        await kit.until(lambda: len(kit.of(session, chat.Error)) == 2)
        await session.send_message("Still here")
    assert "not known" in kit.of(session, chat.Error)[1].description


async def test_a_service_that_asks_for_it_is_left_alone(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session() as session:
        busy = ConnectorError("HTTP 503", kind="http", sent=False, retry_after=25.0)
        kit.peer.refusals.append(busy)
        kit.peer.cut()
        began = trio.current_time()
        await session.wait_for(chat.Continued)
        assert 25 <= trio.current_time() - began < 27
