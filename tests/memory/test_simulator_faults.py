"""Each fault caused and seen, in memory, on virtual time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import pytest
import trio
from trio.testing import MockClock

from botkit.bayeux.personality import FAYE
from botkit.simulator import Simulator
from botkit.simulator.faults import KINDS, make_fault
from botkit.simulator.http import Request

Start = Callable[..., Awaitable[Simulator]]
NewPeer = Callable[[Simulator], Any]


async def with_fault(start: Start, name: str, **settings: Any) -> Simulator:
    return await start(faults=(make_fault(name, **settings),))


async def send_connect(peer: Any, **members: Any) -> Any:
    connect = peer.message("/meta/connect", connectionType="long-polling", **members)
    return await peer.send(orjson.dumps([connect]))


# --- requests ------------------------------------------------------------------------------------


async def test_http_500_strikes_as_often_as_it_was_told_to(
    start_simulator: Start, new_peer: NewPeer, autojump_clock: MockClock
) -> None:
    simulator = await with_fault(start_simulator, "http_500", on="connect", after=1, times=2)
    peer = new_peer(simulator)
    await peer.handshake()
    no_wait = {"advice": {"timeout": 0}}
    statuses = [(await send_connect(peer, **no_wait)).status for _ in range(4)]
    assert statuses == [200, 500, 500, 200]
    assert simulator.faults.struck == {"http_500": 2}


async def test_html_instead_of_json(
    start_simulator: Start, new_peer: NewPeer, autojump_clock: MockClock
) -> None:
    peer = new_peer(await with_fault(start_simulator, "html", on="handshake"))
    reply = await peer.send(orjson.dumps([peer.message("/meta/handshake")]))
    assert reply.status == 200
    assert dict(reply.headers)["Content-Type"].startswith("text/html")
    assert reply.body.startswith(b"<!DOCTYPE html>")


async def test_truncated_json_promises_more_than_it_sends(
    start_simulator: Start, new_peer: NewPeer, autojump_clock: MockClock
) -> None:
    peer = new_peer(await with_fault(start_simulator, "truncated_json"))
    await peer.handshake()
    reply = await send_connect(peer, advice={"timeout": 0})
    assert reply.truncate_to is not None
    assert 0 < reply.truncate_to < len(reply.body)


async def test_a_slow_drip_has_its_rate(
    start_simulator: Start, new_peer: NewPeer, autojump_clock: MockClock
) -> None:
    peer = new_peer(await with_fault(start_simulator, "slow_drip", on="connect", seconds=0.5))
    await peer.handshake()
    assert (await send_connect(peer, advice={"timeout": 0})).drip == 2.0


async def test_a_stall_delays_the_answer(
    start_simulator: Start, new_peer: NewPeer, autojump_clock: MockClock
) -> None:
    peer = new_peer(await with_fault(start_simulator, "stall", on="connect", seconds=20.0))
    await peer.handshake()
    await peer.connect(timeout=0)
    # The session has expired meanwhile: a server that stalls keeps its other clocks.
    assert trio.current_time() == 20.0


async def test_a_killed_connection_takes_no_event_with_it(
    start_simulator: Start, new_peer: NewPeer, autojump_clock: MockClock
) -> None:
    simulator = await with_fault(start_simulator, "kill_connection", after=1, times=1, seconds=0.3)
    peer = new_peer(simulator)
    await peer.open_chat()
    assert (await send_connect(peer)).abort
    assert trio.current_time() == pytest.approx(0.05)
    await peer.connect()
    assert peer.texts == ["Hello, how can I help you?"]


async def test_a_publish_on_a_killed_connection_has_arrived(
    start_simulator: Start, new_peer: NewPeer, autojump_clock: MockClock
) -> None:
    simulator = await with_fault(start_simulator, "kill_connection", on="sendMessage")
    peer = new_peer(simulator)
    await peer.open_chat()
    data = {"operation": "sendMessage", "secureKey": peer.key, "message": "hi"}
    reply = await peer.send(orjson.dumps([peer.message(peer.channel, data=data)]))
    assert reply.abort
    await peer.connect(timeout=0)
    assert peer.events[-1]["text"] == "hi"


@pytest.mark.parametrize(
    ("option", "error"),
    [
        ("default", "402::session_unknown"),
        ("402::Unknown client", "402::Unknown client"),
        ("402::session_unknown", "402::session_unknown"),
    ],
)
async def test_an_unknown_session_in_either_spelling(
    option: str, error: str, start_simulator: Start, new_peer: NewPeer, autojump_clock: MockClock
) -> None:
    simulator = await with_fault(start_simulator, "unknown_session", option=option, after=1)
    peer = new_peer(simulator)
    await peer.handshake()
    await peer.connect(timeout=0)
    reply = await peer.connect()
    assert (reply["successful"], reply["error"]) == (False, error)
    assert reply["advice"] == {"reconnect": "handshake", "interval": 0}
    assert simulator.bayeux.sessions == ()


async def test_an_unknown_session_of_a_publish_has_no_advice(
    start_simulator: Start, new_peer: NewPeer, autojump_clock: MockClock
) -> None:
    simulator = await with_fault(start_simulator, "unknown_session", on="sendMessage")
    peer = new_peer(simulator)
    await peer.open_chat()
    reply = await peer.publish("sendMessage", message="hi")
    assert reply["error"] == "402::session_unknown"
    assert "advice" not in reply
    assert len(simulator.centre.open_chat_list()[0].log) == 1


async def test_an_unknown_session_as_faye_says_it(
    start_simulator: Start, new_peer: NewPeer, autojump_clock: MockClock
) -> None:
    fault = make_fault("unknown_session")
    peer = new_peer(await start_simulator(faults=(fault,), personality=FAYE))
    await peer.handshake()
    reply = await peer.connect()
    assert reply["error"] == f"401:{peer.client_id}:Unknown client"


@pytest.mark.parametrize("option", ["none", "handshake"])
async def test_a_refused_handshake(
    option: str, start_simulator: Start, new_peer: NewPeer, autojump_clock: MockClock
) -> None:
    peer = new_peer(await with_fault(start_simulator, "refused_handshake", option=option, times=1))
    reply = await peer.handshake()
    assert (reply["successful"], reply["error"]) == (False, "403::handshake_denied")
    assert reply["advice"]["reconnect"] == option
    assert (await peer.handshake())["successful"] is True


async def test_the_advice_to_stop(
    start_simulator: Start, new_peer: NewPeer, autojump_clock: MockClock
) -> None:
    peer = new_peer(await with_fault(start_simulator, "advice_none"))
    await peer.handshake()
    reply = await peer.connect()
    assert (reply["successful"], reply["advice"]["reconnect"]) == (False, "none")


async def test_a_session_expires_after_its_answer(
    start_simulator: Start, new_peer: NewPeer, autojump_clock: MockClock
) -> None:
    simulator = await with_fault(start_simulator, "session_expiry", times=1)
    peer = new_peer(simulator)
    await peer.handshake()
    assert (await peer.connect(timeout=0))["successful"] is True
    assert (await peer.connect())["error"] == "402::session_unknown"


async def test_a_duplicate_connect_ends_the_held_one(
    start_simulator: Start, new_peer: NewPeer, autojump_clock: MockClock
) -> None:
    simulator = await with_fault(
        start_simulator, "duplicate_connect", after=1, times=1, seconds=2.0
    )
    peer = new_peer(simulator)
    await peer.handshake()
    await peer.connect()
    assert (await send_connect(peer)).status == 500
    assert trio.current_time() == 2.0
    assert (await peer.connect(timeout=0))["successful"] is True


async def test_a_duplicate_connect_waits_for_one_that_is_held(
    start_simulator: Start, new_peer: NewPeer, autojump_clock: MockClock
) -> None:
    simulator = await with_fault(start_simulator, "duplicate_connect", times=1, seconds=2.0)
    peer = new_peer(simulator)
    await peer.handshake()
    # The first one is answered at once, as clients ask for it.
    assert (await peer.connect(timeout=0))["successful"] is True
    assert simulator.faults.struck == {}
    assert (await send_connect(peer)).status == 500
    assert simulator.faults.struck == {"duplicate_connect": 1}
    assert (await peer.connect(timeout=0))["successful"] is True


# --- pushes --------------------------------------------------------------------------------------


async def said(start: Start, new_peer: NewPeer, name: str, **settings: Any) -> Any:
    """Let one line be said, and another one a second later."""
    peer = new_peer(await with_fault(start, name, **settings))
    await peer.open_chat()
    await peer.publish("sendMessage", message="one")
    await trio.sleep(1.5)
    await peer.publish("sendMessage", message="two")
    for _ in range(3):
        await peer.connect()
    return peer


async def test_a_lost_message_is_lost_until_it_is_asked_for(
    start_simulator: Start, new_peer: NewPeer, autojump_clock: MockClock
) -> None:
    peer = await said(start_simulator, new_peer, "lost_message", times=1)
    assert peer.texts == ["You said: one", "You said: two"]
    await peer.publish("requestNotifications")
    assert peer.texts[2:] == ["Hello, how can I help you?", "You said: one", "You said: two"]


async def test_a_duplicate_message_comes_twice(
    start_simulator: Start, new_peer: NewPeer, autojump_clock: MockClock
) -> None:
    peer = await said(start_simulator, new_peer, "duplicate_message", times=1)
    assert peer.texts == ["Hello, how can I help you?"] * 2 + ["You said: one", "You said: two"]
    greetings = [e["index"] for e in peer.events if e.get("text", "").startswith("Hello")]
    assert len(set(greetings)) == 1


async def test_a_delayed_message_comes_late(
    start_simulator: Start, new_peer: NewPeer, autojump_clock: MockClock
) -> None:
    peer = await said(start_simulator, new_peer, "delay_message", times=1, seconds=40.0)
    assert peer.texts == ["You said: one", "You said: two", "Hello, how can I help you?"]


async def test_reordered_messages_change_places(
    start_simulator: Start, new_peer: NewPeer, autojump_clock: MockClock
) -> None:
    peer = await said(start_simulator, new_peer, "reorder_messages", times=1, seconds=40.0)
    assert peer.texts == ["You said: one", "Hello, how can I help you?", "You said: two"]


async def test_the_echo_of_the_customer_can_be_lost(
    start_simulator: Start, new_peer: NewPeer, autojump_clock: MockClock
) -> None:
    peer = new_peer(await with_fault(start_simulator, "lost_message", on="own", after=1))
    await peer.open_chat()
    before = len(peer.events)
    await peer.publish("sendMessage", message="hi")
    assert len(peer.events) == before


# --- chats ---------------------------------------------------------------------------------------


async def test_a_chat_is_refused(
    start_simulator: Start, new_peer: NewPeer, autojump_clock: MockClock
) -> None:
    simulator = await with_fault(start_simulator, "refuse_chat", service="closed")
    peer = new_peer(simulator)
    await peer.open_chat("closed")
    assert (peer.pushes[-1]["statusCode"], peer.pushes[-1]["chatEnded"]) == (2, True)
    assert peer.pushes[-1]["errors"]
    assert simulator.centre.total == 0
    await peer.open_chat("open")
    assert simulator.centre.total == 1


async def test_a_goodbye_is_not_heard(
    start_simulator: Start, new_peer: NewPeer, autojump_clock: MockClock
) -> None:
    simulator = await with_fault(start_simulator, "no_chat_end")
    peer = new_peer(simulator)
    await peer.open_chat()
    ack = await peer.publish("disconnect")
    assert ack["successful"] is True
    assert peer.pushes[-1]["chatEnded"] is False
    assert simulator.centre.open_chats == 1


async def test_no_agent_ever_joins(
    start_simulator: Start, new_peer: NewPeer, autojump_clock: MockClock
) -> None:
    simulator = await with_fault(start_simulator, "agent_never_joins", session=1)
    first, second = new_peer(simulator), new_peer(simulator)
    await first.open_chat()
    await second.open_chat()
    await trio.sleep(5)
    assert [chat.state for chat in simulator.centre.open_chat_list()] == ["queued", "active"]


async def test_an_agent_leaves_and_the_chat_stays_open(
    start_simulator: Start, new_peer: NewPeer, autojump_clock: MockClock
) -> None:
    simulator = await with_fault(start_simulator, "agent_leaves", seconds=2.0)
    peer = new_peer(simulator)
    await peer.open_chat()
    await peer.poll_until(lambda: peer.events[-1]["type"] == "ParticipantLeft")
    assert trio.current_time() == pytest.approx(2.05)
    await peer.publish("sendMessage", message="anybody?")
    await peer.connect()
    assert peer.texts == ["Hello, how can I help you?"]
    assert simulator.centre.open_chats == 1


async def test_a_transfer_brings_a_second_agent(
    start_simulator: Start, new_peer: NewPeer, autojump_clock: MockClock
) -> None:
    simulator = await with_fault(start_simulator, "transfer", seconds=2.0)
    peer = new_peer(simulator)
    await peer.open_chat()
    await peer.poll_until(lambda: len(peer.texts) == 2)
    comings = [
        (event["type"], event["from"]["nickname"])
        for event in peer.events
        if event["type"].startswith("Participant") and event["from"]["type"] == "Agent"
    ]
    assert comings == [
        ("ParticipantJoined", "Alex"),
        ("ParticipantLeft", "Alex"),
        ("ParticipantJoined", "Sam"),
    ]
    await peer.publish("sendMessage", message="hi")
    await peer.poll_until(lambda: peer.texts[-1] == "You said: hi")


# --- changing them -------------------------------------------------------------------------------


async def test_faults_are_changed_while_the_simulator_runs(
    start_simulator: Start, new_peer: NewPeer, autojump_clock: MockClock
) -> None:
    simulator = await start_simulator()
    body = b"seed: 3\nfaults:\n  - {name: http_500, on: handshake, times: 1}\n  - stall\n"
    reply = await simulator.handle(Request(path="/simulator/faults", body=body))
    assert orjson.loads(reply.body)["active"] == [
        {"name": "http_500", "on": "handshake", "times": 1},
        {"name": "stall"},
    ]
    peer = new_peer(simulator)
    handshake = orjson.dumps([peer.message("/meta/handshake")])
    assert (await peer.send(handshake)).status == 500
    reply = await simulator.handle(Request(path="/simulator/faults", body=b"[]"))
    assert orjson.loads(reply.body)["active"] == []
    assert (await peer.handshake())["successful"] is True


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"- http_501\n", "faults:1:3: there is no fault 'http_501'; did you mean 'http_500'?"),
        (b"\xff", "faults: this is no UTF-8"),
        (b"[", "faults:1:"),
    ],
)
async def test_wrong_faults_are_refused_and_change_nothing(
    body: bytes, error: str, start_simulator: Start, autojump_clock: MockClock
) -> None:
    simulator = await with_fault(start_simulator, "html")
    reply = await simulator.handle(Request(path="/simulator/faults", body=body))
    assert reply.status == 400
    assert reply.body.decode().startswith(error)
    assert [fault.name for fault in simulator.faults.active] == ["html"]


async def test_every_fault_can_be_posted_with_its_defaults(
    start_simulator: Start, autojump_clock: MockClock
) -> None:
    simulator = await start_simulator()
    reply = await simulator.handle(
        Request(path="/simulator/faults", body=orjson.dumps([{"name": name} for name in KINDS]))
    )
    assert orjson.loads(reply.body)["active"] == [{"name": name} for name in KINDS]
