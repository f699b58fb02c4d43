"""Whole chats over the guest API, spoken by hand, in memory, on virtual time."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import trio
from trio.testing import MockClock

from botkit.errors import ConnectorError
from botkit.simulator import Simulator
from botkit.simulator.centre import CentreSettings
from botkit.simulator.guest_settings import GuestSettings

Start = Callable[..., Awaitable[Simulator]]
NewGuest = Any
GREETING = "Hello, how can I help you?"


async def test_a_whole_chat(
    start_simulator: Start, new_guest: NewGuest, autojump_clock: MockClock
) -> None:
    simulator = await start_simulator()
    guest = new_guest(simulator)
    answer = await guest.configure(startNew=False)
    assert answer["body"]["newSession"] is True
    join = await guest.presence("Join")
    assert join["body"]["events"][0]["presence"]["type"] == "Join"
    greeting = await guest.hear(GREETING)
    assert greeting["body"]["originatingEntity"] == "Human"
    assert greeting["body"]["channel"]["from"] == {"nickname": "Alex"}
    copy = await guest.say("my order is A17")
    assert copy["body"]["direction"] == "Inbound"
    await guest.hear("You said: my order is A17")
    status = simulator.status()
    assert (status["open"], status["guests"]) == (1, 1)
    closed = await guest.ask("closeSession", closeAllConnections=True)
    assert closed["body"]["connected"] is False
    status = simulator.status()
    assert (status["open"], status["ended"]) == (0, {"customer": 1, "service": 0})
    await guest.socket.aclose()
    await trio.testing.wait_all_tasks_blocked()
    assert simulator.status()["guests"] == 0


AGENTS = """\
botkit-agents: 1
routing:
  - when: {service: support, nickname: Ada, userdata: {Segment: gold}}
    attach: {SurveyURL: "https://survey.example.com"}
    to: [Grace]
agents:
  Grace:
    - expect_userdata: {Segment: gold}
    - say: Welcome, Ada
    - show_typing: 1s
    - expect: {matches: 'order (?P<order>\\w+)'}
    - say: I close ${order}
    - leave
"""


async def test_a_scripted_agent_sees_the_attributes_and_ends_the_chat(
    start_simulator: Start, new_guest: NewGuest, tmp_path: Path, autojump_clock: MockClock
) -> None:
    agents = tmp_path / "agents.yaml"
    agents.write_text(AGENTS, encoding="utf-8")
    settings = GuestSettings(deployments={new_guest.deployment: "support"})
    simulator = await start_simulator(agents=agents, guests=settings)
    guest = new_guest(simulator)
    await guest.configure()
    attributes = {"nickname": "Ada", "Segment": "gold"}
    await guest.say("hi", channel={"metadata": {"customAttributes": attributes}})
    await guest.hear("Welcome, Ada")
    typing = await guest.receive()
    assert typing["body"]["events"] == [
        {"eventType": "Typing", "typing": {"type": "On", "duration": 5000}}
    ]
    await guest.say("order A17")
    await guest.hear("I close A17")
    end = await guest.receive()
    assert end["body"]["events"][0]["presence"] == {"type": "Disconnect"}
    assert end["body"]["metadata"] == {"readOnly": "true"}
    assert (await guest.say("thanks"))["code"] == 409
    assert simulator.status()["agents_failed"] == 0
    assert "SurveyURL" not in str(guest.frames)


OFFERING = """\
botkit-agents: 1
agents:
  Grace:
    - say: {text: Shall I close it?, buttons: ['Yes', 'No']}
    - expect: {equals: 'Yes'}
    - say: Closed
"""


async def test_an_offer_of_an_agent_is_answered_by_its_button(
    start_simulator: Start, new_guest: NewGuest, tmp_path: Path, autojump_clock: MockClock
) -> None:
    agents = tmp_path / "agents.yaml"
    agents.write_text(OFFERING, encoding="utf-8")
    guest = new_guest(await start_simulator(agents=agents))
    await guest.configure()
    await guest.presence("Join")
    body = (await guest.hear("Shall I close it?"))["body"]
    assert [item["quickReply"]["text"] for item in body["content"]] == ["Yes", "No"]
    reply = body["content"][0]["quickReply"]
    press = {**reply, "type": "QuickReply", "originatingMessageId": body["id"]}
    del press["action"]
    await guest.say("", content=[{"contentType": "ButtonResponse", "buttonResponse": press}])
    await guest.hear("Closed")


async def test_who_comes_back_finds_the_gap_in_the_history(
    start_simulator: Start, new_guest: NewGuest, autojump_clock: MockClock
) -> None:
    simulator = await start_simulator()
    guest = new_guest(simulator)
    await guest.configure()
    await guest.presence("Join")
    guest.network.cut(OSError("cable"))
    with pytest.raises(ConnectorError):
        await guest.receive()
    await trio.sleep(1.0)
    guest.network.mend()
    answer = await guest.configure()
    assert (answer["body"]["newSession"], answer["body"]["readOnly"]) == (False, False)
    page = await guest.history(pageNumber=1, pageSize=1)
    assert [entity["text"] for entity in page["entities"]] == [GREETING]
    assert (page["total"], page["pageCount"]) == (2, 2)
    await guest.say("back")
    await guest.hear("You said: back")
    assert simulator.status()["total"] == 1


async def test_a_session_expires_by_itself(
    start_simulator: Start, new_guest: NewGuest, autojump_clock: MockClock
) -> None:
    simulator = await start_simulator(guests=GuestSettings(duration=600.0))
    guest = new_guest(simulator)
    await guest.configure()
    with trio.fail_after(601):
        frame = await guest.receive()
    assert frame["class"] == "SessionExpiredEvent"
    assert trio.current_time() == pytest.approx(600.0)
    assert (await guest.say("hello?"))["code"] == 4006


async def test_silence_ends_the_chat(
    start_simulator: Start, new_guest: NewGuest, autojump_clock: MockClock
) -> None:
    simulator = await start_simulator(centre=CentreSettings(idle_alert=20.0, idle_close=10.0))
    guest = new_guest(simulator)
    await guest.configure()
    await guest.presence("Join")
    await guest.hear(GREETING)
    end = await guest.receive()
    assert end["body"]["events"][0]["presence"] == {"type": "Disconnect"}
    assert trio.current_time() == pytest.approx(30.05)


async def test_two_messages_a_second(
    start_simulator: Start, new_guest: NewGuest, autojump_clock: MockClock
) -> None:
    guest = new_guest(await start_simulator())
    await guest.configure()
    codes = [(await guest.say(str(number)))["code"] for number in range(4)]
    assert codes == [200, 200, 429, 429]
    for number in range(10):
        await trio.sleep(0.5)
        assert (await guest.say(str(number)))["code"] in (200, 429)
        guest.frames.clear()
    await trio.sleep(1.0)
    assert (await guest.say("last"))["code"] == 200


async def test_an_older_socket_is_closed_politely(
    start_simulator: Start, new_guest: NewGuest, autojump_clock: MockClock
) -> None:
    simulator = await start_simulator()
    older, newer = new_guest(simulator), new_guest(simulator)
    await older.configure()
    await newer.configure()
    await newer.ask("closeSession", closeAllConnections=True)
    assert (await older.receive())["class"] == "ConnectionClosedEvent"
    with pytest.raises(ConnectorError):
        await older.receive()
    assert older.socket.close_code == 1000


# --- files ---------------------------------------------------------------------------------------


async def test_a_file_is_uploaded_sent_and_fetched(
    start_simulator: Start, new_guest: NewGuest, autojump_clock: MockClock
) -> None:
    guest = new_guest(await start_simulator())
    await guest.configure()
    named = {"attachmentId": "a-1", "fileName": "a.png", "fileType": "image/png"}
    place = (await guest.ask("onAttachment", **named, errorsAsJson=True))["body"]
    reply = await guest.web.put(place["url"], content=b"png")
    assert reply.status_code == 403
    reply = await guest.web.put(place["url"], content=b"png", headers=place["headers"])
    assert reply.status_code == 200
    told = await guest.receive()
    assert told["class"] == "UploadSuccessEvent"
    content = [{"contentType": "Attachment", "attachment": {"id": "a-1"}}]
    copy = await guest.say("", content=content)
    url = copy["body"]["content"][0]["attachment"]["url"]
    assert url == told["body"]["downloadUrl"]
    reply = await guest.web.get(url)
    assert (reply.status_code, reply.content) == (200, b"png")
    assert reply.headers["content-type"] == "application/octet-stream"
    await guest.ask("deleteAttachment", attachmentId="a-1")
    assert (await guest.web.get(url)).status_code == 403


# --- HTTP ----------------------------------------------------------------------------------------


async def test_the_configuration_says_what_the_settings_say(
    start_simulator: Start, new_guest: NewGuest, autojump_clock: MockClock
) -> None:
    settings = GuestSettings(autostart=False, user_typing=False, clear=False, auth=False)
    guest = new_guest(await start_simulator(guests=settings))
    path = f"/webdeployments/v1/deployments/{guest.deployment}/config.json"
    config = (await guest.web.get(path)).json()
    conversations = config["messenger"]["apps"]["conversations"]
    assert conversations["autoStart"] == {"enabled": False}
    assert conversations["showUserTypingIndicator"] is False
    assert conversations["conversationClear"] == {"enabled": False}
    assert conversations["conversationDisconnect"] == {"enabled": True, "type": "ReadOnly"}
    assert config["auth"] == {"enabled": False, "allowSessionUpgrade": False}
    assert (config["id"], config["status"]) == (guest.deployment, "Active")


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/v1", {}, 426),
        ("POST", "/v1", {}, 405),
        ("GET", "/webdeployments/v1/deployments/other/config.json", {}, 404),
        ("POST", "/webdeployments/v1/deployments/other/config.json", {}, 405),
        ("GET", "/api/v2/webmessaging/messages", {}, 401),
        ("GET", "/api/v2/webmessaging/messages", {"Authorization": "bearer x"}, 401),
        ("GET", "/api/v2/webmessaging/messages", {"Authorization": "Basic x"}, 401),
        ("GET", "/api/v2/webmessaging/messages?pageSize=0", {}, 400),
        ("GET", "/api/v2/webmessaging/messages?pageNumber=x", {}, 400),
        ("GET", "/api/v2/webmessaging/messages?pageNumber=9999999", {}, 400),
        ("PUT", "/simulator/guest/uploads/x", {}, 403),
        ("GET", "/simulator/guest/downloads/x", {}, 403),
        ("POST", "/api/v2/webdeployments/token/refresh", {}, 400),
        ("POST", "/api/v2/webdeployments/token/oauthcodegrantjwtexchange", {}, 400),
        ("DELETE", "/api/v2/webdeployments/token/revoke", {}, 401),
        ("GET", "/api/v2/webdeployments/token/revoke", {}, 405),
    ],
)
async def test_requests_that_are_refused(
    method: str,
    path: str,
    headers: dict[str, str],
    status: int,
    start_simulator: Start,
    new_guest: NewGuest,
    autojump_clock: MockClock,
) -> None:
    settings = GuestSettings(deployments={new_guest.deployment: "support"})
    guest = new_guest(await start_simulator(guests=settings))
    reply = await guest.web.request(method, path, headers=headers)
    assert reply.status_code == status
    assert set(reply.json()) == {"status", "message"}


async def test_deployments_and_origins_may_be_restricted(
    start_simulator: Start, new_guest: NewGuest, autojump_clock: MockClock
) -> None:
    settings = GuestSettings(
        deployments={new_guest.deployment: "support"}, origins=("https://shop.example.com",)
    )
    simulator = await start_simulator(guests=settings)
    guest = new_guest(simulator)
    await guest.open(Origin="https://shop.example.com")
    stranger = new_guest(simulator)
    with pytest.raises(ConnectorError, match="403"):
        await stranger.open(Origin="https://evil.example.com")
    stranger.deployment = "99999999-2222-3333-4444-555555555555"
    with pytest.raises(ConnectorError, match="403"):
        await stranger.open(Origin="https://shop.example.com")


async def test_a_body_that_lacks_what_it_needs(
    start_simulator: Start, new_guest: NewGuest, autojump_clock: MockClock
) -> None:
    guest = new_guest(await start_simulator())
    reply = await guest.web.post("/api/v2/webdeployments/token/refresh", json={})
    assert (reply.status_code, reply.json()["message"]) == (400, "refreshToken is missing")


async def test_signing_in_and_out(
    start_simulator: Start, new_guest: NewGuest, autojump_clock: MockClock
) -> None:
    simulator = await start_simulator(guests=GuestSettings(refused_codes=("bad",)))
    guest = new_guest(simulator)
    exchange = "/api/v2/webdeployments/token/oauthcodegrantjwtexchange"

    async def sign_in(**oauth: str) -> Any:
        body = {"deploymentId": guest.deployment, "oauth": oauth}
        return await guest.web.post(exchange, json=body)

    assert (await sign_in(code="bad")).status_code == 401
    assert (await sign_in()).status_code == 400
    assert set((await sign_in(idToken="x", nonce="n")).json()) == {"jwt"}
    tokens = (await sign_in(code="good", redirectUri="u", codeVerifier="v")).json()
    await guest.open()

    async def configure(jwt: str) -> Any:
        members = {"deploymentId": guest.deployment, "startNew": False, "data": {"code": jwt}}
        return await guest.ask("configureAuthenticatedSession", **members)

    assert (await configure(tokens["jwt"]))["body"]["newSession"] is True
    await trio.sleep(900.0)
    assert (await configure(tokens["jwt"]))["code"] == 401
    refresh = "/api/v2/webdeployments/token/refresh"
    renewed = await guest.web.post(refresh, json={"refreshToken": tokens["refreshToken"]})
    jwt = renewed.json()["jwt"]
    assert (await configure(jwt))["body"]["newSession"] is False
    await guest.say("hello")
    headers = {"Authorization": f"bearer {jwt}"}
    history = await guest.web.get("/api/v2/webmessaging/messages", headers=headers)
    assert history.json()["total"] == 1
    revoke = "/api/v2/webdeployments/token/revoke"
    assert (await guest.web.delete(revoke, headers=headers)).status_code == 204
    assert (await guest.receive())["class"] == "LogoutEvent"
    assert (await configure(jwt))["code"] == 403
    again = await guest.web.post(refresh, json={"refreshToken": tokens["refreshToken"]})
    assert again.status_code == 403


async def test_a_deployment_id_that_is_no_uuid_names_its_service(
    start_simulator: Start, new_guest: NewGuest, autojump_clock: MockClock
) -> None:
    simulator = await start_simulator()
    guest = new_guest(simulator)
    guest.deployment = "sales"
    await guest.configure()
    await guest.say("hello")
    [chat] = simulator.centre.open_chat_list()
    assert chat.service == "sales"


# --- who does not behave -------------------------------------------------------------------------


async def test_a_guest_who_does_not_read_is_cut_off(
    start_simulator: Start, new_guest: NewGuest, autojump_clock: MockClock
) -> None:
    simulator = await start_simulator(guests=GuestSettings(max_waiting=0))
    guest = new_guest(simulator)
    with pytest.raises(ConnectorError):
        await guest.configure()
    assert simulator.status()["guests"] == 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", 400),
        ("nonsense", 400),
        ("[]", 400),
        ("7", 400),
        ("{}", 4020),
        ('{"action": "echo"}', 4020),
        ('{"action": 7, "token": "x"}', 400),
        ('{"action": "echo", "token": "\\ud800"}', 400),
        ("[" * 100_000, 400),
    ],
)
async def test_rubbish_is_refused_and_the_socket_lives_on(
    text: str,
    code: int,
    start_simulator: Start,
    new_guest: NewGuest,
    autojump_clock: MockClock,
) -> None:
    guest = new_guest(await start_simulator())
    await guest.open()
    await guest.socket.send(text)
    frame = await guest.receive()
    assert (frame["type"], frame["class"], frame["code"]) == ("response", "string", code)
    await guest.socket.send(orjson.dumps({"tracingId": "t-9"}).decode())
    assert (await guest.receive())["tracingId"] == "t-9"
