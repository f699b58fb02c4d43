"""The simulator over raw Bayeux messages, in memory, on virtual time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import orjson
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from botkit.bayeux.personality import FAYE
from botkit.errors import LocalProtocolError
from botkit.simulator import Simulator
from botkit.simulator.centre import CentreSettings
from botkit.simulator.http import Request

Start = Callable[..., Awaitable[Simulator]]
NewPeer = Callable[[Simulator], Any]


async def get(simulator: Simulator, path: str) -> Any:
    reply = await simulator.handle(Request(method="GET", path=path))
    assert reply.status == 200, reply
    return orjson.loads(reply.body)


# --- the demo service ----------------------------------------------------------------------------


async def test_an_agent_joins_greets_and_answers_every_line(
    start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer
) -> None:
    peer = new_peer(await start_simulator())
    await peer.open_chat()
    await peer.poll_until(lambda: peer.texts)
    assert trio.current_time() == pytest.approx(0.05)
    assert peer.texts == ["Hello, how can I help you?"]
    for line in ("one", "two"):
        await peer.publish("sendMessage", message=line)
        await peer.poll_until(lambda line=line: peer.texts[-1] == f"You said: {line}")
    await peer.publish("disconnect")
    assert peer.pushes[-1]["chatEnded"] is True
    assert [event["index"] for event in peer.events] == list(range(1, len(peer.events) + 1))


@pytest.mark.parametrize("service", ["demo", "customer-support", "anything"])
async def test_every_name_of_a_service_works(
    service: str, start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer
) -> None:
    peer = new_peer(await start_simulator())
    await peer.open_chat(service)
    await peer.poll_until(lambda: peer.texts)
    assert peer.texts == ["Hello, how can I help you?"]


async def test_the_customers_own_lines_are_echoed_with_the_ack(
    start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer
) -> None:
    peer = new_peer(await start_simulator())
    await peer.open_chat()
    before = len(peer.events)
    ack = await peer.publish("sendMessage", message="hi", messageType="text")
    assert ack["successful"] is True
    (echo,) = peer.events[before:]
    assert (echo["type"], echo["text"], echo["from"]["type"]) == ("Message", "hi", "Client")


@pytest.mark.parametrize(
    ("operation", "data", "kind", "text"),
    [
        ("startTyping", {"message": "I am"}, "TypingStarted", "I am"),
        ("stopTyping", {}, "TypingStopped", None),
        ("customNotice", {"message": "beacon"}, "CustomNotice", "beacon"),
        ("updateNickname", {"nickname": "Eve"}, "NicknameUpdated", "Eve"),
        ("pushUrl", {"pushUrl": "https://a.example"}, "PushUrl", "https://a.example"),
    ],
)
async def test_operations_are_pushed_back(
    operation: str,
    data: dict[str, str],
    kind: str,
    text: str | None,
    start_simulator: Start,
    autojump_clock: MockClock,
    new_peer: NewPeer,
) -> None:
    peer = new_peer(await start_simulator())
    await peer.open_chat()
    await peer.publish(operation, **data)
    assert (peer.events[-1]["type"], peer.events[-1].get("text")) == (kind, text)


async def test_user_data_and_receipts_are_kept_and_not_pushed(
    start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer
) -> None:
    simulator = await start_simulator()
    peer = new_peer(simulator)
    await peer.open_chat()
    before = len(peer.pushes)
    await peer.publish("updateData", userData={"CaseNumber": "CAS-1"})
    await peer.publish("readReceipt", transcriptPosition=1)
    assert len(peer.pushes) == before
    detail = await get(simulator, f"/simulator/chats/{peer.pushes[0]['chatId']}")
    assert detail["userdata"] == {"CaseNumber": "CAS-1"}
    assert detail["read_up_to"] == 1


@pytest.mark.parametrize(
    ("operation", "data"),
    [
        ("sendMessage", {}),
        ("customNotice", {}),
        ("pushUrl", {}),
        ("updateNickname", {}),
        ("updateData", {}),
        ("readReceipt", {}),
        ("fly", {}),
    ],
)
async def test_what_cannot_be_done_fails_and_the_chat_goes_on(
    operation: str,
    data: dict[str, str],
    start_simulator: Start,
    autojump_clock: MockClock,
    new_peer: NewPeer,
) -> None:
    peer = new_peer(await start_simulator())
    await peer.open_chat()
    await peer.publish(operation, **data)
    failure = peer.pushes[-1]
    assert (failure["statusCode"], failure["chatEnded"]) == (2, False)
    assert failure["errors"][0]["message"]
    await peer.publish("sendMessage", message="still here")
    assert peer.events[-1]["text"] == "still here"


@pytest.mark.parametrize("key", ["", "guessed"])
async def test_an_unknown_key_fails_for_good(
    key: str, start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer
) -> None:
    peer = new_peer(await start_simulator())
    await peer.open_chat()
    await peer.publish("sendMessage", message="hi", secureKey=key)
    failure = peer.pushes[-1]
    assert (failure["statusCode"], failure["chatEnded"]) == (2, True)
    assert failure["errors"][0]["code"] == 8210


@pytest.mark.parametrize("data", [None, "text", [], {}, {"operation": 1.5}, {"operation": []}])
async def test_malformed_operations_fail_and_break_nothing(
    data: Any, start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer
) -> None:
    simulator = await start_simulator()
    peer = new_peer(simulator)
    await peer.open_chat()
    before = len(peer.pushes)
    await peer.post(peer.message(peer.channel, data=data))
    assert [push["statusCode"] for push in peer.pushes[before:]] in ([2], [])
    assert simulator.centre.open_chats == 1


async def test_a_chat_without_a_nickname_is_refused(
    start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer
) -> None:
    simulator = await start_simulator()
    peer = new_peer(simulator)
    await peer.open_chat(nickname="")
    assert (peer.pushes[-1]["statusCode"], peer.pushes[-1]["chatEnded"]) == (2, True)
    assert simulator.centre.total == 0


async def test_first_and_last_name_make_a_nickname(
    start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer
) -> None:
    peer = new_peer(await start_simulator())
    await peer.open_chat(nickname="", firstName="Ada", lastName="Byron")
    assert peer.events[0]["from"]["nickname"] == "Ada Byron"


# --- connections come and go ---------------------------------------------------------------------


async def test_a_chat_stays_open_when_its_connection_is_lost(
    start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer
) -> None:
    simulator = await start_simulator()
    peer = new_peer(simulator)
    await peer.open_chat()
    await trio.sleep(60)
    status = await get(simulator, "/simulator/status")
    assert (status["sessions"], status["open"]) == (0, 1)


async def test_a_chat_stays_open_when_the_bayeux_session_is_ended(
    start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer
) -> None:
    simulator = await start_simulator()
    peer = new_peer(simulator)
    await peer.open_chat()
    await peer.post(peer.message("/meta/disconnect"))
    await trio.sleep(1)
    assert (simulator.centre.open_chats, len(simulator.bayeux.sessions)) == (1, 0)


async def test_idle_time_ends_a_chat(
    start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer
) -> None:
    centre = CentreSettings(idle_alert=20.0, idle_close=10.0)
    simulator = await start_simulator(centre=centre)
    peer = new_peer(simulator)
    await peer.open_chat()
    await peer.poll_until(lambda: peer.pushes[-1]["chatEnded"])
    assert [event["type"] for event in peer.events[-3:]] == [
        "IdleAlert",
        "IdleClose",
        "ParticipantLeft",
    ]
    assert trio.current_time() == pytest.approx(30.05)
    assert simulator.centre.open_chats == 0


async def test_a_new_session_takes_the_chat_up_from_a_position(
    start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer
) -> None:
    simulator = await start_simulator()
    first = new_peer(simulator)
    await first.open_chat()
    await first.poll_until(lambda: first.texts)
    second = new_peer(simulator)
    second.key, second.channel = first.key, first.channel
    await second.handshake()
    await first.publish("sendMessage", message="from the first")
    await second.publish("requestNotifications", transcriptPosition=3)
    assert [event["index"] for event in second.events] == [3, 4]
    # From now on the second has the line, whoever speaks.
    before = len(first.pushes)
    await first.publish("sendMessage", message="again")
    await second.connect(timeout=0)
    assert second.events[-1]["index"] >= 5
    assert len(first.pushes) == before


@pytest.mark.parametrize("position", [{}, {"transcriptPosition": 0}, {"transcriptPosition": "1"}])
async def test_without_a_position_all_is_replayed(
    position: dict[str, Any], start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer
) -> None:
    peer = new_peer(await start_simulator())
    await peer.open_chat()
    await peer.poll_until(lambda: peer.texts)
    await peer.handshake()
    del peer.pushes[:]
    await peer.publish("requestNotifications", **position)
    assert [event["index"] for event in peer.events] == [1, 2, 3]


async def test_what_was_missed_between_two_sessions_is_replayed(
    start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer
) -> None:
    simulator = await start_simulator()
    peer = new_peer(simulator)
    await peer.open_chat()
    simulator.bayeux.forget(peer.client_id)
    await trio.sleep(1)  # the agent joins and greets, and nobody hears it
    reply = await peer.connect()
    assert reply["advice"]["reconnect"] == "handshake"
    await peer.handshake()
    await peer.publish("requestNotifications", transcriptPosition=peer.pushes[-1]["nextPosition"])
    assert [event["index"] for event in peer.events] == [1, 2, 3]


async def test_a_chat_that_has_ended_tells_so_again(
    start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer
) -> None:
    peer = new_peer(await start_simulator())
    await peer.open_chat()
    await peer.publish("disconnect")
    await peer.publish("requestNotifications", transcriptPosition=99)
    assert peer.pushes[-1]["chatEnded"] is True
    assert peer.pushes[-1]["messages"] == []
    await peer.publish("sendMessage", message="hello?")
    assert (peer.pushes[-1]["statusCode"], peer.pushes[-1]["chatEnded"]) == (2, True)


async def test_two_sessions_of_one_browser_share_one_held_connect(
    start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer, nursery: trio.Nursery
) -> None:
    simulator = await start_simulator()
    first, second = new_peer(simulator), new_peer(simulator)
    await first.handshake()
    second.cookies = first.cookies
    await second.handshake()
    await first.connect()
    nursery.start_soon(first.connect)
    await wait_all_tasks_blocked()
    reply = await second.connect()
    assert trio.current_time() == 0
    assert reply["advice"]["multiple-clients"] is True
    assert reply["advice"]["interval"] == 2000


async def test_a_session_without_its_cookie_is_unknown(
    start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer
) -> None:
    peer = new_peer(await start_simulator())
    await peer.handshake()
    assert list(peer.cookies) == ["BAYEUX_BROWSER"]
    peer.cookies.clear()
    reply = await peer.connect()
    assert reply["error"] == "402::session_unknown"


async def test_a_second_connect_ends_the_older_one(
    start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer, nursery: trio.Nursery
) -> None:
    peer = new_peer(await start_simulator())
    await peer.handshake()
    await peer.connect()
    connect = orjson.dumps([peer.message("/meta/connect", connectionType="long-polling")])
    statuses = []

    async def hold() -> None:
        statuses.append((await peer.send(connect)).status)

    nursery.start_soon(hold)
    await wait_all_tasks_blocked()
    await peer.connect(timeout=0)
    await wait_all_tasks_blocked()
    assert statuses == [500]


async def test_what_waits_is_not_lost_with_a_client_who_goes(
    start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer
) -> None:
    peer = new_peer(await start_simulator())
    await peer.open_chat()
    with trio.move_on_after(0.01):
        await peer.connect()
    await trio.sleep(1)
    await peer.connect()
    assert peer.texts == ["Hello, how can I help you?"]


async def test_faye_refuses_the_subscribe_and_serves_the_chat(
    start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer
) -> None:
    peer = new_peer(await start_simulator(personality=FAYE))
    await peer.handshake()
    assert peer.cookies == {}
    (reply,) = await peer.post(peer.message("/meta/subscribe", subscription=peer.channel))
    assert reply["successful"] is False
    await peer.publish("requestChat", nickname="Ada")
    await peer.poll_until(lambda: peer.texts)
    assert peer.texts == ["Hello, how can I help you?"]


# --- routing and scripted agents -----------------------------------------------------------------

AGENTS = """\
botkit-agents: 1
routing:
  - when: {service: support, userdata: {Segment: gold}}
    attach: {SurveyURL: "https://survey.example.com/${unique.uuid}"}
    to: [Grace]
    after: 200ms
  - when: {service: turns}
    to: [Linus, Margaret]
agents:
  Grace:
    - expect_userdata: {CoBrowseSessionId: {matches: '.+'}}
      within: 5s
    - say: Welcome, how can I help?
    - expect: {matches: 'order (?P<order>\\w+)'}
      within: 5s
    - say: Order ${order} is closed
    - leave
  Linus:
    - say: I am Linus
  Margaret:
    - say: I am Margaret
"""


@pytest.fixture
def agents(tmp_path: Path) -> Path:
    path = tmp_path / "agents.yaml"
    path.write_text(AGENTS)
    return path


async def test_routing_attaches_user_data_and_sends_the_agent(
    agents: Path, start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer
) -> None:
    simulator = await start_simulator(agents=agents)
    peer = new_peer(simulator)
    await peer.open_chat("support", userData={"Segment": "gold"})
    await peer.poll_until(lambda: len(peer.events) == 2)
    assert trio.current_time() == pytest.approx(0.2)
    join = peer.events[-1]
    assert (join["type"], join["from"]["nickname"]) == ("ParticipantJoined", "Grace")
    assert set(join["userData"]) == {"Segment", "SurveyURL"}
    assert join["userData"]["SurveyURL"].startswith("https://survey.example.com/")


async def test_a_scripted_agent_holds_the_chat_to_its_end(
    agents: Path, start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer
) -> None:
    simulator = await start_simulator(agents=agents)
    peer = new_peer(simulator)
    await peer.open_chat("support", userData={"Segment": "gold"})
    await peer.publish("updateData", userData={"CoBrowseSessionId": "123-456"})
    await peer.poll_until(lambda: peer.texts)
    await peer.publish("sendMessage", message="please close order A17")
    await peer.poll_until(lambda: peer.pushes[-1]["chatEnded"])
    assert peer.texts == ["Welcome, how can I help?", "Order A17 is closed"]
    await wait_all_tasks_blocked()
    (chat,) = (await get(simulator, "/simulator/status"))["chats"]
    assert chat["ended_by"] == "service"
    assert [report["verdict"] for report in chat["reports"]] == ["passed"]


async def test_a_broken_promise_to_the_agent_is_seen(
    agents: Path,
    start_simulator: Start,
    autojump_clock: MockClock,
    new_peer: NewPeer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    simulator = await start_simulator(agents=agents)
    peer = new_peer(simulator)
    await peer.open_chat("support", userData={"Segment": "gold"})
    await trio.sleep(10)
    status = await get(simulator, "/simulator/status")
    assert status["agents_failed"] == 1
    (report,) = status["chats"][0]["reports"]
    assert (report["agent"], report["verdict"]) == ("Grace", "failed")
    assert "CoBrowseSessionId" in report["message"]
    assert "CoBrowseSessionId" in caplog.text


async def test_a_customer_who_leaves_early_breaks_the_promise_too(
    agents: Path,
    start_simulator: Start,
    autojump_clock: MockClock,
    new_peer: NewPeer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    simulator = await start_simulator(agents=agents)
    peer = new_peer(simulator)
    await peer.open_chat("support", userData={"Segment": "gold"})
    await trio.sleep(1)
    await peer.publish("disconnect")
    await wait_all_tasks_blocked()
    assert simulator.agents.failed == 1


async def test_agents_take_turns_and_others_get_the_built_in_one(
    agents: Path, start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer
) -> None:
    simulator = await start_simulator(agents=agents)
    said = []
    for service in ("turns", "turns", "turns", "other"):
        peer = new_peer(simulator)
        await peer.open_chat(service)
        await peer.poll_until(lambda peer=peer: peer.texts)
        said += peer.texts
    assert said == [
        "I am Linus",
        "I am Margaret",
        "I am Linus",
        "Hello, how can I help you?",
    ]


# --- other doors ---------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/genesys/cometd", "/genesys/cometd/", "/genesys/cometd/connect"])
async def test_the_bayeux_path_may_have_an_ending(
    path: str, start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer
) -> None:
    peer = new_peer(await start_simulator())
    reply = await peer.send(b"[]", path=path)
    assert (reply.status, reply.body) == (200, b"[]")


async def test_a_form_is_as_good_as_json(
    start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer
) -> None:
    peer = new_peer(await start_simulator())
    handshake = peer.message(
        "/meta/handshake", version="1.0", supportedConnectionTypes=["long-polling"]
    )
    body = urlencode({"message": orjson.dumps([handshake]).decode()}).encode()
    reply = await peer.send(body, kind="application/x-www-form-urlencoded; charset=UTF-8")
    assert orjson.loads(reply.body)[0]["successful"] is True


async def test_several_fields_of_a_form_are_several_messages(
    start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer
) -> None:
    peer = new_peer(await start_simulator())
    one, two = (orjson.dumps(peer.message("/meta/nothing")).decode() for _ in range(2))
    body = urlencode([("message", one), ("message", f"[{two}]")]).encode()
    reply = await peer.send(body, kind="application/x-www-form-urlencoded")
    assert len(orjson.loads(reply.body)) == 2


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "application/json"),
        (b"[1]", "application/json"),
        (b"\xff", "application/json"),
        (b"[]", "text/plain"),
        (b"other=1", "application/x-www-form-urlencoded"),
        (b"\xff=%FF", "application/x-www-form-urlencoded"),
    ],
)
async def test_rubbish_is_a_bad_request(
    body: bytes, kind: str, start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer
) -> None:
    peer = new_peer(await start_simulator())
    reply = await peer.send(body, kind=kind)
    assert reply.status == 400
    assert reply.body


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 404),
        ("POST", "/genesys/2/callback/demo", 404),
        ("POST", "/genesys/cometdx", 404),
        ("GET", "/genesys/cometd", 405),
        ("POST", "/simulator/status", 405),
        ("GET", "/simulator/chats/none", 404),
    ],
)
async def test_what_is_not_here_is_said_with_help(
    method: str, path: str, status: int, start_simulator: Start, autojump_clock: MockClock
) -> None:
    simulator = await start_simulator()
    reply = await simulator.handle(Request(method=method, path=path))
    assert reply.status == status
    assert reply.body


async def test_the_status_counts_and_tells_no_secret(
    start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer
) -> None:
    simulator = await start_simulator()
    peer, other = new_peer(simulator), new_peer(simulator)
    await peer.open_chat()
    status = await get(simulator, "/simulator/status/")
    assert (status["open"], status["queued"], status["sessions"]) == (1, 1, 1)
    await peer.poll_until(lambda: peer.texts)
    await peer.publish("disconnect")
    await other.open_chat()
    status = await get(simulator, "/simulator/status")
    assert (status["open"], status["active"], status["total"]) == (1, 0, 2)
    assert status["ended"] == {"customer": 1, "service": 0}
    reply = await simulator.handle(Request(method="GET", path="/simulator/status"))
    assert peer.key.encode() not in reply.body
    detail = await get(simulator, f"/simulator/chats/{peer.pushes[0]['chatId']}")
    assert detail["transcript"][0]["kind"] == "joined"


async def test_a_base_path_stands_before_the_bayeux_path(
    start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer
) -> None:
    peer = new_peer(await start_simulator(base="/gms-chat/"))
    assert (await peer.send(b"[]", path="/gms-chat/genesys/cometd")).status == 200
    assert (await peer.send(b"[]")).status == 404


async def test_the_same_seed_gives_the_same_ids(
    start_simulator: Start, autojump_clock: MockClock, new_peer: NewPeer
) -> None:
    keys = []
    for _ in range(2):
        peer = new_peer(await start_simulator(seed=5))
        await peer.open_chat()
        keys.append(peer.key)
    assert keys[0] == keys[1]


async def test_a_simulator_that_does_not_run_opens_no_chat(new_peer: NewPeer) -> None:
    peer = new_peer(Simulator())
    with pytest.raises(LocalProtocolError, match="must run"):
        await peer.open_chat()
