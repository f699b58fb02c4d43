"""Each fault on the wire of guests, caused and seen, on virtual time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import orjson
import pytest
import trio
from trio.testing import MockClock

from botkit.errors import ConnectorError, RemoteProtocolError
from botkit.simulator import Simulator
from botkit.simulator.faults import GUEST, KINDS, Point, make_fault

Start = Callable[..., Awaitable[Simulator]]
NewGuest = Any
GREETING = "Hello, how can I help you?"


@pytest.fixture
def with_fault(start_simulator: Start, new_guest: NewGuest) -> Callable[..., Awaitable[Any]]:
    """Gives a guest of a simulator that suffers from one fault."""

    async def start(name: str, **settings: Any) -> Any:
        return new_guest(await start_simulator(faults=(make_fault(name, **settings),)))

    return start


WithFault = Callable[..., Awaitable[Any]]


def open_chats(guest: Any) -> int:
    count: int = guest.simulator.centre.open_chats
    return count


# --- frames --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("option", "code"), [("none", 4000), ("handshake", 5000)])
async def test_a_refused_handshake(
    option: str, code: int, with_fault: WithFault, autojump_clock: MockClock
) -> None:
    guest = await with_fault("refused_handshake", option=option, times=1)
    answer = await guest.configure()
    assert (answer["type"], answer["class"], answer["code"]) == ("response", "string", code)
    again = await guest.ask("configureSession", deploymentId=guest.deployment)
    assert again["body"]["newSession"] is True


async def test_an_unknown_session(with_fault: WithFault, autojump_clock: MockClock) -> None:
    guest = await with_fault("unknown_session", after=1, times=1)
    await guest.configure()
    await guest.say("one")
    assert (await guest.say("two"))["code"] == 4007
    assert (await guest.say("three"))["code"] == 4007
    assert open_chats(guest) == 1
    answer = await guest.ask("configureSession", deploymentId=guest.deployment)
    assert answer["body"]["newSession"] is True


async def test_an_expiry_after_the_answer(with_fault: WithFault, autojump_clock: MockClock) -> None:
    guest = await with_fault("session_expiry", times=1)
    await guest.configure()
    assert (await guest.say("one"))["code"] == 200
    assert (await guest.receive())["class"] == "SessionExpiredEvent"
    assert (await guest.say("two"))["code"] == 4006
    assert open_chats(guest) == 0


async def test_an_expiry_instead_of_an_answer(
    with_fault: WithFault, autojump_clock: MockClock
) -> None:
    guest = await with_fault("expired", after=1, times=1)
    await guest.configure()
    await guest.say("one")
    assert (await guest.say("two"))["code"] == 4006
    assert "SessionExpiredEvent" not in [frame["class"] for frame in guest.frames]
    assert open_chats(guest) == 0
    answer = await guest.ask("configureSession", deploymentId=guest.deployment)
    assert answer["code"] == 4006
    answer = await guest.ask("configureSession", deploymentId=guest.deployment, startNew=True)
    assert answer["body"]["newSession"] is True


async def test_a_rate_that_is_too_high(with_fault: WithFault, autojump_clock: MockClock) -> None:
    guest = await with_fault("rate_limited", seconds=7.0, times=1)
    await guest.configure()
    refused = await guest.say("one")
    assert (refused["class"], refused["code"]) == ("TooManyRequestsErrorMessage", 429)
    assert refused["body"]["retryAfter"] == 7
    assert guest.simulator.centre.total == 0
    assert (await guest.say("one"))["code"] == 200


async def test_a_session_becomes_read_only(
    with_fault: WithFault, autojump_clock: MockClock
) -> None:
    guest = await with_fault("read_only", after=1, times=1)
    await guest.configure()
    await guest.say("one")
    assert (await guest.say("two"))["code"] == 409
    await trio.sleep(1.0)
    assert (await guest.say("three"))["code"] == 409
    answer = await guest.ask("configureSession", deploymentId=guest.deployment)
    assert answer["body"]["readOnly"] is True
    answer = await guest.ask("configureSession", deploymentId=guest.deployment, startNew=True)
    assert (answer["body"]["readOnly"], answer["body"]["newSession"]) == (False, True)


async def test_a_connection_is_closed(with_fault: WithFault, autojump_clock: MockClock) -> None:
    guest = await with_fault("connection_closed", times=1)
    await guest.configure()
    assert (await guest.say("one"))["code"] == 200
    assert (await guest.receive())["class"] == "ConnectionClosedEvent"
    with pytest.raises(ConnectorError):
        await guest.receive()
    assert guest.socket.close_code == 1000
    assert (await guest.configure())["body"]["newSession"] is False
    assert open_chats(guest) == 1


async def test_a_killed_connection_has_done_what_was_asked(
    with_fault: WithFault, autojump_clock: MockClock
) -> None:
    guest = await with_fault("kill_connection", on="sendMessage", seconds=2.0, times=1)
    await guest.configure()
    with pytest.raises(ConnectorError):
        await guest.say("one")
    assert trio.current_time() == pytest.approx(2.0)
    assert [frame["class"] for frame in guest.frames] == ["SessionResponse"]
    await guest.configure()
    texts = [entity["text"] for entity in (await guest.history())["entities"]]
    assert texts == ["You said: one", GREETING, "one"]


async def test_half_an_answer(with_fault: WithFault, autojump_clock: MockClock) -> None:
    guest = await with_fault("truncated_json", times=1)
    await guest.configure()
    await guest.send("onMessage", message={"type": "Text", "text": "one"})
    half = await guest.socket.receive()
    with pytest.raises(orjson.JSONDecodeError):
        orjson.loads(half)
    assert (await guest.receive())["body"]["text"] == GREETING
    assert (await guest.say("two"))["code"] == 200


async def test_a_page_instead_of_an_answer(
    with_fault: WithFault, autojump_clock: MockClock
) -> None:
    guest = await with_fault("html", on="onMessage", times=1)
    await guest.configure()
    await guest.send("onMessage", message={"type": "Text", "text": "one"})
    assert (await guest.socket.receive()).startswith("<!DOCTYPE html>")
    assert guest.simulator.centre.total == 0


async def test_a_status_500_in_a_frame(with_fault: WithFault, autojump_clock: MockClock) -> None:
    guest = await with_fault("http_500", on="echo")
    await guest.configure()
    answer = await guest.ask("echo", message={"type": "Text", "text": "ping"})
    assert (answer["class"], answer["code"]) == ("string", 500)


async def test_a_stall(with_fault: WithFault, autojump_clock: MockClock) -> None:
    guest = await with_fault("stall", on="onMessage", seconds=30.0, times=1)
    await guest.configure()
    assert (await guest.say("one"))["code"] == 200
    assert trio.current_time() == pytest.approx(30.0)


async def test_a_slow_answer(with_fault: WithFault, autojump_clock: MockClock) -> None:
    guest = await with_fault("slow_drip", on="getJwt", seconds=0.1, times=1)
    await guest.configure()
    answer = await guest.ask("getJwt")
    length = len(orjson.dumps(answer))
    assert trio.current_time() == pytest.approx(length * 0.1)


@pytest.mark.parametrize(
    ("on", "does"),
    [
        ("startTyping", {"events": [{"eventType": "Typing", "typing": {"type": "On"}}]}),
        ("stopTyping", {"events": [{"eventType": "Typing", "typing": {"type": "Off"}}]}),
        ("requestChat", {"events": [{"eventType": "Presence", "presence": {"type": "Join"}}]}),
        ("disconnect", {"events": [{"eventType": "Presence", "presence": {"type": "Clear"}}]}),
        ("publish", {"type": "Text", "text": "one"}),
        ("connect", {"type": "Text", "text": "one"}),
    ],
)
async def test_frames_go_by_the_words_of_other_wires(
    on: str, does: dict[str, Any], with_fault: WithFault, autojump_clock: MockClock
) -> None:
    guest = await with_fault("http_500", on=on)
    await guest.configure()
    answer = await guest.ask("onMessage", message={"type": "Event", **does})
    assert answer["code"] == 500


async def test_each_session_is_a_customer(
    start_simulator: Start, new_guest: NewGuest, autojump_clock: MockClock
) -> None:
    faults = (make_fault("rate_limited", session=2),)
    simulator = await start_simulator(faults=faults)
    codes = []
    for number in (1, 2, 3):
        guest = new_guest(simulator, f"guest-{number}")
        await guest.configure()
        codes.append((await guest.say("one"))["code"])
    assert codes == [200, 429, 200]


# --- what happens in the chat --------------------------------------------------------------------


async def test_a_transfer_changes_the_name_of_who_speaks(
    with_fault: WithFault, autojump_clock: MockClock
) -> None:
    guest = await with_fault("transfer", seconds=1.0)
    await guest.configure()
    await guest.presence("Join")
    names = [(await guest.hear(GREETING))["body"]["channel"]["from"] for _ in range(2)]
    assert names == [{"nickname": "Alex"}, {"nickname": "Sam"}]


async def test_a_late_message(with_fault: WithFault, autojump_clock: MockClock) -> None:
    guest = await with_fault("delay_message", seconds=10.0, times=1)
    await guest.configure()
    await guest.presence("Join")
    await guest.hear(GREETING)
    assert trio.current_time() == pytest.approx(10.05)


# --- HTTP ----------------------------------------------------------------------------------------


async def test_the_upgrade_fails(with_fault: WithFault, autojump_clock: MockClock) -> None:
    guest = await with_fault("http_500", on="upgrade", times=1)
    with pytest.raises(ConnectorError, match="500"):
        await guest.open()
    await guest.configure()


async def test_a_page_instead_of_the_upgrade(
    with_fault: WithFault, autojump_clock: MockClock
) -> None:
    guest = await with_fault("html", on="upgrade", times=1)
    with pytest.raises((ConnectorError, RemoteProtocolError)):
        await guest.open()


async def test_the_upgrade_is_cut(with_fault: WithFault, autojump_clock: MockClock) -> None:
    guest = await with_fault("kill_connection", on="upgrade", times=1)
    with pytest.raises(ConnectorError):
        await guest.open()


async def test_a_fault_of_one_service_spares_the_others(
    start_simulator: Start, new_guest: NewGuest, autojump_clock: MockClock
) -> None:
    simulator = await start_simulator(faults=(make_fault("http_500", service="sales"),))
    seller, other = new_guest(simulator), new_guest(simulator, "other")
    seller.deployment = "sales"
    path = "/webdeployments/v1/deployments/{}/config.json"
    assert (await seller.web.get(path.format("sales"))).status_code == 500
    with pytest.raises(ConnectorError, match="500"):
        await seller.open()
    assert (await other.web.get(path.format(other.deployment))).status_code == 200
    assert (await other.configure())["code"] == 200


CONFIG = "/webdeployments/v1/deployments/d-1/config.json"


@pytest.mark.parametrize(
    ("word", "path"), [("config", CONFIG), ("history", "/api/v2/webmessaging/messages")]
)
async def test_requests_fail(
    word: str, path: str, with_fault: WithFault, autojump_clock: MockClock
) -> None:
    guest = await with_fault("http_500", on=word)
    assert (await guest.web.get(path)).status_code == 500
    guest = await with_fault("html", on=word)
    reply = await guest.web.get(path)
    assert (reply.status_code, reply.headers["content-type"]) == (200, "text/html;charset=UTF-8")
    guest = await with_fault("stall", on=word, seconds=9.0)
    began = trio.current_time()
    await guest.web.get(path)
    assert trio.current_time() - began == pytest.approx(9.0)
    guest = await with_fault("slow_drip", on=word, seconds=0.01)
    began = trio.current_time()
    size = len((await guest.web.get(path)).content)
    assert trio.current_time() - began == pytest.approx(size * 0.01)
    for name in ("kill_connection", "truncated_json"):
        guest = await with_fault(name, on=word)
        with pytest.raises(httpx.ReadError):
            await guest.web.get(path)


# --- all of them ---------------------------------------------------------------------------------

STRIKING = [name for name, kind in KINDS.items() if GUEST in (kind.wires or (GUEST,))]


@pytest.mark.parametrize("name", STRIKING)
async def test_any_fault_on_anything_leaves_the_simulator_alive(
    name: str, start_simulator: Start, new_guest: NewGuest, autojump_clock: MockClock
) -> None:
    kind = KINDS[name]
    on = kind.only_on[0] if kind.only_on else "any"
    seconds = 0.01 if kind.seconds is not None else 0.0
    simulator = await start_simulator(
        faults=(make_fault(name, on=on, probability=0.5, seconds=seconds),)
    )
    for number in range(6):
        await play(new_guest(simulator, f"guest-{number}"))
    assert simulator.faults.struck
    simulator.faults.change(())
    guest = new_guest(simulator, "last")
    await guest.configure()
    await guest.say("hello")
    await guest.hear("You said: hello")


SCRIPT: tuple[tuple[str, dict[str, Any]], ...] = (
    ("configureSession", {"deploymentId": "d-1"}),
    ("onMessage", {"message": {"type": "Text", "text": "one"}}),
    ("getJwt", {}),
    ("onMessage", {"message": {"type": "Text", "text": "two"}}),
    ("closeSession", {"closeAllConnections": True}),
)


async def play(guest: Any) -> None:
    """Go through a chat, whatever comes back, or does not."""
    try:
        await guest.web.get(CONFIG)
        await guest.open()
        for action, members in SCRIPT:
            await guest.send(action, **members)
            with trio.move_on_after(5):
                await guest.socket.receive()
    except (ConnectorError, RemoteProtocolError, httpx.HTTPError):
        return


async def test_chance_repeats_with_its_seed(
    start_simulator: Start, new_guest: NewGuest, autojump_clock: MockClock
) -> None:
    faults = tuple(
        make_fault(name, probability=0.3, seconds=0.1)
        for name in STRIKING
        if KINDS[name].point in (Point.REQUEST, Point.PUSH) and name != "stall"
    )
    runs = []
    for seed in (7, 7, 8):
        simulator = await start_simulator(faults=faults, seed=seed)
        for number in range(4):
            await play(new_guest(simulator, f"guest-{number}"))
        runs.append(dict(simulator.faults.struck))
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]
