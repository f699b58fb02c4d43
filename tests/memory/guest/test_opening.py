"""How chats over web messaging are opened, refused, restored and left."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import trio
import trio.testing

from botkit import chat
from botkit.bot.matchers import contains
from botkit.chat import EndedBy, RestoreOutcome
from botkit.errors import (
    ChatRefused,
    ConfigError,
    ConnectorError,
    RemoteProtocolError,
    RestoreFailed,
    StateError,
    ungrouped,
)
from botkit.genesys.web_records import ConnectionClosed, Opaque
from botkit.session import ChatSession

# --- opening -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["refused", "unknown_host", "tls", "proxy"])
async def test_a_server_that_is_not_there_is_believed_after_one_retry(
    kit: Any, kind: str, autojump_clock: trio.testing.MockClock
) -> None:
    kit.peer.refusals = [ConnectorError("no way", kind=kind, sent=False) for _ in range(9)]
    with pytest.raises(ConnectorError, match="no way"):
        async with kit.client.session():
            pass
    assert len(kit.peer.headers) == 2


async def test_nonsense_is_borne_until_the_limit(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    kit.peer.refusals = [RemoteProtocolError("HTML") for _ in range(999)]
    began = trio.current_time()
    with pytest.raises(RemoteProtocolError, match="HTML"):
        async with kit.client.session():
            pass
    assert trio.current_time() - began == pytest.approx(15.0)


async def test_a_bad_setting_is_told_at_once(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    kit.peer.refusals = [ConfigError("no such file", key="ca_file")]
    with pytest.raises(ConfigError, match="no such file"):
        async with kit.client.session():
            pass
    assert trio.current_time() < 1


async def test_a_service_that_says_nothing_is_given_up_at_the_limit(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    kit.peer.rules.append(lambda socket, request: request.action == "configureSession")
    began = trio.current_time()
    with pytest.raises(ConnectorError, match="did not configure") as caught:
        async with kit.client.session():
            pass
    assert caught.value.kind == "timeout"
    assert trio.current_time() - began < 15 + 4
    assert kit.peer.open_sockets == 0


@pytest.mark.parametrize("code", [400, 403, 404, 4000, 4007, 4020])
async def test_a_refused_session_is_no_chat(
    kit: Any, code: int, autojump_clock: trio.testing.MockClock
) -> None:
    kit.peer.rules.append(kit.rejecting("configureSession", code, "no")[0])
    with pytest.raises(ChatRefused) as caught:
        async with kit.client.session():
            pass
    assert (caught.value.code, caught.value.description) == (code, "no")
    assert kit.peer.asked("closeSession") == []


async def test_a_token_of_somebody_else_is_replaced(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    kit.peer.rules.append(kit.rejecting("configureSession", 4017, "no downgrade")[0])
    async with kit.client.session() as session:
        await session.send_message("Hi")
    first, second = kit.peer.asked("configureSession")
    assert first.token != second.token


async def test_a_busy_service_is_asked_again(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    kit.peer.rules.append(kit.rejecting("configureSession", 429, "busy", times=2)[0])
    began = trio.current_time()
    async with kit.client.session():
        assert 6.0 <= trio.current_time() - began < 7.0


async def test_an_ended_conversation_is_followed_by_a_new_one(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    def closed(socket: Any, request: Any) -> bool:
        if request.action != "configureSession" or request.start_new:
            return False
        info = replace(kit.peer.info, connected=False, read_only=True, new_session=False)
        socket.answer(request, "SessionResponse", info)
        return True

    kit.peer.rules.append(closed)
    async with kit.client.session() as session:
        await session.send_message("Hi")


async def test_attributes_that_are_too_large_are_no_chat(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    with pytest.raises(ChatRefused) as caught:
        async with kit.client.session(userdata={"A": "x" * 3000}):
            pass
    assert caught.value.code == 4013
    assert kit.peer.open_sessions == 0


async def test_a_configuration_that_is_missing_is_no_chat(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    url = "https://elsewhere.example.com/nothing"
    with pytest.raises(ChatRefused, match="elsewhere") as caught:
        async with kit.client.session(options={"config_url": url}):
            pass
    assert caught.value.code == 404
    assert kit.peer.sockets == []


# --- leaving -------------------------------------------------------------------------------------


async def test_clearing_erases_the_conversation(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session(options={"leave_by": "clear"}) as session:
        pass
    assert session.ended is not None
    assert session.ended.by is EndedBy.CUSTOMER
    assert kit.peer.lines[-1].events[0].value == "Clear"
    assert kit.peer.asked("closeSession") == []


async def test_where_clearing_is_not_allowed_the_session_is_closed(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    text = "Presence events Conversation Clear are not supported"
    kit.peer.rules.append(kit.rejecting("onMessage", 403, text)[0])
    async with kit.client.session(options={"leave_by": "clear"}) as session:
        pass
    assert session.ended is not None
    assert session.ended.by is EndedBy.CUSTOMER
    assert kit.peer.open_sessions == 0


async def test_a_connection_that_is_only_closed_leaves_the_conversation_open(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session(options={"leave_by": "close"}) as session:
        pass
    assert session.ended is not None
    assert session.ended.by is EndedBy.UNCONFIRMED
    assert not session.left
    assert (kit.peer.open_sockets, kit.peer.open_sessions) == (0, 1)


async def test_a_goodbye_that_is_lost_is_said_again(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    def breaks(socket: Any, request: Any) -> bool:
        if request.action != "closeSession":
            return False
        kit.peer.rules.clear()
        socket.cut()
        return True

    async with kit.client.session() as session:
        kit.peer.rules.append(breaks)
    assert session.ended is not None
    assert session.ended.by is EndedBy.CUSTOMER
    assert kit.peer.open_sessions == 0


async def test_a_goodbye_without_an_answer_is_bounded(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session() as session:
        kit.peer.rules.append(lambda socket, request: request.action == "closeSession")
        began = trio.current_time()
        await session.leave()
        assert trio.current_time() - began < 4
    assert session.ended is not None
    assert session.ended.by is EndedBy.UNCONFIRMED


async def test_a_chat_that_is_left_while_the_connection_is_down(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session() as session:
        kit.peer.is_down = True
        kit.peer.cut()
        await session.wait_for(chat.Interrupted)
        await trio.sleep(10)
        kit.peer.is_down = False
        began = trio.current_time()
        await session.leave()
        assert trio.current_time() - began < 1
    assert session.ended is not None
    assert session.ended.by is EndedBy.CUSTOMER


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


async def a_bit_of_everything(kit: Any, state: Any = None) -> None:
    options = {"join": "on"}
    async with kit.client.session(options=options, restore=state) as session:
        kit.peer.say("Welcome")
        await session.expect(contains("welcome"))
        await session.send_message("Hi")
        kit.peer.cut()
        await session.send_typing()
        await session.wait_for(chat.Continued)
        await session.perform(chat.SendFile(name="a.png", content=b"1", media_type="image/png"))
        await session.set_userdata({"A": "1"})


async def test_a_chat_is_cancelled_after_each_step(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    steps = 0
    while True:
        steps += 1
        with trio.CancelScope() as scope, trio.fail_after(600):
            instrument = CancelAfter(steps, scope)
            trio.lowlevel.add_instrument(instrument)
            try:
                await a_bit_of_everything(kit)
            finally:
                trio.lowlevel.remove_instrument(instrument)
        if instrument.cancelled_at is None:
            break
        assert trio.current_time() - instrument.cancelled_at < 4
        left = (kit.peer.open_sockets, kit.peer.open_sessions)
        assert left == (0, 0), f"cancelled after {steps} steps"
        kit.peer.sockets.clear()
        kit.peer.sessions.clear()
    assert steps > 100


# --- restoring -----------------------------------------------------------------------------------


async def detached(kit: Any, *said: str) -> dict[str, Any]:
    """Leave a chat as a process does that is killed; gives what was stored of it."""
    states: list[Any] = []
    with ungrouped():
        async with trio.open_nursery() as nursery:
            opening = kit.client.opening(userdata={"A": "1"}, keep_state=True)
            session = ChatSession(nursery, opening, keep=states.append)
            await session.open(kit.client.connector)
            for text in said:
                kit.peer.say(text)
                await session.expect(contains(text))
            await session.send_message("Hi")
            await trio.sleep(1.0)
            await session.detach()
    assert states[-1]["session_id"] == session.id
    assert kit.peer.open_sockets == 0
    return dict(states[-1])


async def test_a_stored_chat_is_won_back(kit: Any, autojump_clock: trio.testing.MockClock) -> None:
    state = await detached(kit, "1", "2")
    kit.peer.say("3")
    async with kit.client.session(restore=state) as session:
        await session.expect(contains("3"))
        kit.peer.say("4")
        await session.expect(contains("4"))
        messages = kit.of(session, chat.Message)
        assert [(m.text, m.history) for m in messages] == [
            ("1", True),
            ("2", True),
            ("Hi", True),
            ("3", False),
            ("4", False),
        ]
        assert session.id == state["session_id"]
        assert session.agents
        assert isinstance(session.transcript.recorded()[0], chat.SessionRestored)
        await session.send_message("Back")
    assert kit.peer.open_sessions == 0
    assert kit.peer.session.attributes == {"nickname": "Bob", "A": "1"}


async def test_a_session_reloads(kit: Any, autojump_clock: trio.testing.MockClock) -> None:
    async with kit.client.session() as session:
        kit.peer.say("1")
        await session.expect(contains("1"))
        restoration = await session.reload(8.0)
        assert restoration.outcome is RestoreOutcome.RESTORED
        await session.send_message("Back")
    assert session.ended is not None
    assert session.ended.by is EndedBy.CUSTOMER


@pytest.mark.parametrize("why", ["forgotten", "closed", 4006, 4007, 4017])
async def test_a_chat_that_is_gone_is_not_replaced(
    kit: Any, why: Any, autojump_clock: trio.testing.MockClock
) -> None:
    state = await detached(kit)
    if why == "forgotten":
        kit.peer.sessions.clear()
    elif why == "closed":
        kit.peer.session.read_only = True
    else:
        kit.peer.rules.append(kit.rejecting("configureSession", why, "gone")[0])
    with pytest.raises(RestoreFailed) as caught:
        async with kit.client.session(restore=state):
            pass
    assert caught.value.code == (why if isinstance(why, int) else None)
    assert kit.peer.open_sockets == 0
    assert kit.peer.open_sessions == (0 if why == "forgotten" else 1)


async def test_a_chat_that_cannot_be_reached_stays_as_it_is(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    state = await detached(kit)
    kit.peer.refusals = [ConnectorError("no way", kind="refused") for _ in range(2)]
    with pytest.raises(ConnectorError):
        async with kit.client.session(restore=state):
            pass
    assert kit.peer.open_sessions == 1
    async with kit.client.session(restore=state) as session:
        await session.send_message("Back")


async def test_a_chat_of_another_server_is_refused(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    state = await detached(kit)
    for key, value in {"server": "wss://other", "connector": "gms-rest", "token": ""}.items():
        with pytest.raises(StateError):
            async with kit.client.session(restore=state | {key: value}):
                pass


async def test_a_restored_chat_that_is_cancelled_is_left(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    state = await detached(kit)
    for steps in range(1, 200):
        kit.peer.session.is_open = True
        with trio.CancelScope() as scope:
            instrument = CancelAfter(steps, scope)
            trio.lowlevel.add_instrument(instrument)
            try:
                async with kit.client.session(restore=state):
                    pass
            finally:
                trio.lowlevel.remove_instrument(instrument)
        assert (kit.peer.open_sockets, kit.peer.open_sessions) == (0, 0), steps
        if instrument.cancelled_at is None:
            break
    assert 10 < steps < 199


@pytest.mark.parametrize("code", [403, 4000, 409])
async def test_a_refused_join_is_no_chat(
    kit: Any, code: int, autojump_clock: trio.testing.MockClock
) -> None:
    kit.peer.rules.append(kit.rejecting("onMessage", code, "not now")[0])
    with pytest.raises(ChatRefused) as caught:
        async with kit.client.session(options={"join": "on"}):
            pass
    assert caught.value.code == code
    assert kit.peer.open_sessions == 0


async def test_a_join_that_came_too_soon_is_sent_again(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    kit.peer.rules.append(kit.rejecting("onMessage", 429, "too fast")[0])
    async with kit.client.session(options={"join": "on"}):
        assert len(kit.peer.lines) == 2


async def test_a_goodbye_takes_another_connection_if_this_one_is_dead(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session() as session:
        dead = kit.peer.sockets[0]
        kit.peer.rules.append(lambda socket, request: socket is dead)
    assert session.ended is not None
    assert session.ended.by is EndedBy.CUSTOMER
    assert (len(kit.peer.sockets), kit.peer.open_sessions) == (2, 0)


@pytest.mark.parametrize(("reason", "left"), [("", 0), ("signedIn", 1)])
async def test_a_connection_that_the_service_closes_is_no_goodbye(
    kit: Any, reason: str, left: int, autojump_clock: trio.testing.MockClock
) -> None:
    async with kit.client.session() as session:
        kit.peer.push("ConnectionClosedEvent", ConnectionClosed(reason=reason))
        kit.peer.cut()
        ended = await session.wait_for(chat.SessionEnded)
        assert ended.by is EndedBy.SERVICE
    assert (kit.peer.open_sockets, kit.peer.open_sessions) == (0, left)


async def test_a_session_that_expires_at_once_is_no_chat(
    kit: Any, autojump_clock: trio.testing.MockClock
) -> None:
    def expires(socket: Any, request: Any) -> bool:
        if request.action == "onMessage":
            socket.push("SessionExpiredEvent", Opaque(value={}))
        return bool(request.action == "onMessage")

    kit.peer.rules.append(expires)
    with pytest.raises(ChatRefused, match="expired"):
        async with kit.client.session(options={"join": "on"}):
            pass
