"""Sessions of guests: how they begin, go on, and end."""

from __future__ import annotations

from typing import Any

import pytest

from botkit.chat import EndedBy
from botkit.simulator.guest_settings import AtChatEnd, SameToken

New = Any


def code_of(frames: list[Any]) -> int:
    [frame] = frames
    assert frame["class"] == "string"
    assert frame["type"] == "response"
    assert isinstance(frame["body"], str)
    code: int = frame["code"]
    return code


# --- beginning -----------------------------------------------------------------------------------


def test_a_fresh_token_begins_a_session(new_world: New) -> None:
    answer = new_world(duration=60.0).socket().configure()
    assert (answer["type"], answer["class"], answer["code"]) == ("response", "SessionResponse", 200)
    assert answer["tracingId"] == "t-1"
    body = answer["body"]
    assert (body["connected"], body["newSession"], body["readOnly"]) == (True, True, False)
    assert (body["durationSeconds"], body["expirationDate"]) == (60, 1_700_000_160)
    assert body["maxCustomDataBytes"] == 2048
    inbound = body["allowedMedia"]["inbound"]
    assert {"type": "image/png"} in inbound["fileTypes"]
    assert inbound["maxFileSizeKB"] == 10_240
    assert ".exe" in body["blockedExtensions"]


def test_the_same_token_takes_its_session_up_again(new_world: New) -> None:
    world = new_world()
    first = world.configured()
    first.say("hello")
    world.desk.leave(first)
    assert world.centre.open_chats == 1
    second = world.socket()
    assert second.configure()["body"]["newSession"] is False
    world.agent_says("welcome back")
    assert second.texts == ["welcome back"]
    assert "welcome back" not in first.texts


def test_nothing_is_done_before_a_session_is_configured(new_world: New) -> None:
    world = new_world()
    world.configured()
    assert code_of(world.socket().say("hello")) == 4007
    assert code_of(world.socket("guest-2").ask("getJwt")) == 4007


def test_a_socket_speaks_for_one_token(new_world: New) -> None:
    world = new_world()
    socket = world.configured("guest-1")
    socket.token = "guest-2"
    assert code_of(socket.say("hello")) == 4007
    socket.configure()
    assert socket.say("hello")[0]["code"] == 200
    assert world.desk.sockets == 1


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"deploymentId": None}, 4020),
        ({"deploymentId": "somebody-else's"}, 404),
        ({"startNew": "yes"}, 400),
        ({"token": "x" * 2049}, 400),
        ({"token": ""}, 4020),
    ],
)
def test_what_makes_no_session(members: dict[str, Any], code: int, new_world: New) -> None:
    world = new_world(deployments={"11111111-2222-3333-4444-555555555555": "support"})
    answer = world.socket().configure(**members)
    assert (answer["class"], answer["code"]) == ("string", code)


@pytest.mark.parametrize("action", ["resumeToken", "disconnectCustomer", "getConfiguration"])
def test_what_the_sources_do_not_explain_is_not_there(action: str, new_world: New) -> None:
    assert code_of(new_world().configured().ask(action)) == 4000


def test_an_unknown_action_is_a_bad_request(new_world: New) -> None:
    assert code_of(new_world().configured().ask("fly")) == 400


def test_two_sockets_of_a_token_both_live(new_world: New) -> None:
    world = new_world()
    first, second = world.configured(), world.configured()
    [copy] = first.say("hello")
    assert copy["tracingId"] == "t-1"
    assert second.frames[-1]["body"] == copy["body"]
    assert "tracingId" not in second.frames[-1]


def test_a_second_socket_may_close_the_older_one(new_world: New) -> None:
    world = new_world(same_token=SameToken.CLOSE_OLDER)
    first = world.configured()
    second = world.configured()
    assert first.classes == ["SessionResponse", "ConnectionClosedEvent"]
    assert (first.closed, second.closed, world.desk.sockets) == (1000, None, 1)


# --- going on ------------------------------------------------------------------------------------


def test_an_echo_tells_how_long_the_session_lasts(new_world: New) -> None:
    world = new_world(duration=60.0)
    socket = world.configured()
    world.now += 10
    message = {"type": "Text", "text": "ping"}
    [answer] = socket.ask("echo", message=message)
    assert (answer["type"], answer["class"]) == ("response", "StructuredMessage")
    body = answer["body"]
    assert (body["text"], body["type"], body["direction"]) == ("ping", "Text", "Inbound")
    assert body["metadata"] == {"durationSeconds": "60", "expirationDate": "1700000170"}
    assert world.centre.total == 0


def test_a_jwt_opens_the_history(new_world: New) -> None:
    world = new_world(jwt_lifetime=100.0)
    socket = world.configured()
    socket.presence("Join")
    socket.say("one")
    socket.typing()
    world.agent_says("two")
    [answer] = socket.ask("getJwt")
    assert (answer["class"], answer["body"]["exp"]) == ("JwtResponse", 1_700_000_200)
    history = world.desk.history(answer["body"]["jwt"], 1, 2)
    told = [
        entity.get("text") or entity["events"][0]["eventType"] for entity in history["entities"]
    ]
    assert told == ["two", "one"]
    assert [history[k] for k in ("pageNumber", "pageSize", "total", "pageCount")] == [1, 2, 3, 2]
    [join] = world.desk.history(answer["body"]["jwt"], 2, 2)["entities"]
    assert join["events"][0]["presence"] == {"type": "Join"}
    sent = {f["body"]["id"] for f in socket.frames if f["class"] == "StructuredMessage"}
    assert {entity["id"] for entity in history["entities"]} <= sent


def test_a_history_without_a_session_is_empty(new_world: New) -> None:
    world = new_world()
    socket = world.configured()
    jwt = socket.ask("getJwt")[0]["body"]["jwt"]
    socket.presence("Clear")
    assert world.desk.history(jwt, 1, 25) == {
        "entities": [],
        "pageSize": 25,
        "pageNumber": 1,
        "total": 0,
        "pageCount": 0,
    }


# --- ending --------------------------------------------------------------------------------------


def test_closing_all_connections_ends_the_conversation(new_world: New) -> None:
    world = new_world()
    first, second = world.configured(), world.configured()
    first.say("hello")
    [answer] = first.ask("closeSession", closeAllConnections=True)
    assert answer["class"] == "SessionResponse"
    assert (answer["body"]["connected"], answer["body"]["readOnly"]) == (False, True)
    assert second.classes[-1] == "ConnectionClosedEvent"
    assert (first.closed, second.closed) == (None, 1000)
    assert world.centre.ended[EndedBy.CUSTOMER] == 1


def test_after_a_close_only_a_new_start_helps(new_world: New) -> None:
    world = new_world()
    socket = world.configured()
    socket.ask("closeSession", closeAllConnections=True)
    again = socket.configure()["body"]
    assert (again["connected"], again["newSession"], again["readOnly"]) == (False, False, True)
    assert code_of(socket.say("hello")) == 409
    new = socket.configure(startNew=True)["body"]
    assert (new["connected"], new["newSession"], new["readOnly"]) == (True, True, False)
    assert socket.say("hello")[0]["code"] == 200


def test_closing_one_connection_leaves_the_conversation_open(new_world: New) -> None:
    world = new_world()
    first, second = world.configured(), world.configured()
    first.say("hello")
    [answer] = first.ask("closeSession", closeAllConnections=False)
    assert (answer["body"]["connected"], answer["body"]["readOnly"]) == (False, False)
    assert world.centre.open_chats == 1
    assert code_of(first.say("still there?")) == 4007
    assert second.say("yes")[0]["code"] == 200


def test_clear_erases_the_conversation(new_world: New) -> None:
    world = new_world()
    socket = world.configured()
    socket.say("hello")
    told = socket.presence("Clear")
    assert [frame["class"] for frame in told] == ["SessionClearedEvent", "ConnectionClosedEvent"]
    assert socket.closed == 1000
    assert world.centre.ended[EndedBy.CUSTOMER] == 1
    assert world.socket().configure()["body"]["newSession"] is True


def test_clear_must_be_enabled(new_world: New) -> None:
    world = new_world(clear=False)
    socket = world.configured()
    socket.say("hello")
    [answer] = socket.presence("Clear")
    assert answer["code"] == 403
    assert answer["body"] == "Presence events Conversation Clear are not supported"
    assert world.centre.open_chats == 1


def test_an_agent_who_ends_the_chat_makes_the_session_read_only(new_world: New) -> None:
    world = new_world()
    socket = world.configured()
    socket.say("hello")
    world.agent_says("bye")
    world.centre.end(world.chat, EndedBy.SERVICE, now=world.now)
    body = socket.frames[-1]["body"]
    assert (body["type"], body["direction"]) == ("Event", "Outbound")
    assert body["events"] == [{"eventType": "Presence", "presence": {"type": "Disconnect"}}]
    assert body["metadata"] == {"readOnly": "true"}
    [refused] = socket.say("wait!")
    assert refused["code"] == 409
    assert refused["body"] == "Session is read-only, no new messages allowed"
    assert world.socket().configure()["body"]["readOnly"] is True


def test_a_guest_may_go_on_where_the_deployment_lets_them(new_world: New) -> None:
    world = new_world(at_chat_end=AtChatEnd.SEND)
    socket = world.configured()
    socket.say("hello")
    world.centre.end(world.chat, EndedBy.SERVICE, now=world.now)
    assert socket.frames[-1]["body"]["metadata"] == {}
    assert socket.say("one more thing")[0]["code"] == 200
    assert (world.centre.total, world.centre.open_chats) == (2, 1)


def test_the_end_may_go_untold(new_world: New) -> None:
    world = new_world(at_chat_end=AtChatEnd.UNTOLD)
    socket = world.configured()
    socket.say("hello")
    before = len(socket.frames)
    world.centre.end(world.chat, EndedBy.SERVICE, now=world.now)
    assert len(socket.frames) == before


def test_a_lost_socket_ends_nothing(new_world: New) -> None:
    world = new_world()
    socket = world.configured()
    socket.say("hello")
    world.desk.leave(socket)
    world.agent_says("anybody?")
    assert world.centre.open_chats == 1
    assert "anybody?" not in socket.texts


# --- silence -------------------------------------------------------------------------------------


def test_a_silent_session_expires(new_world: New) -> None:
    world = new_world(duration=60.0)
    socket = world.configured()
    socket.say("hello")
    world.now += 30
    socket.typing()
    assert world.desk.next_deadline() == 190.0
    world.now += 60
    world.desk.expire(now=world.now)
    assert socket.frames[-1]["class"] == "SessionExpiredEvent"
    assert world.centre.ended[EndedBy.SERVICE] == 1
    assert world.desk.next_deadline() is None
    assert code_of(socket.say("wait!")) == 4006
    assert socket.configure()["code"] == 4006
    assert socket.configure(startNew=True)["body"]["newSession"] is True


def test_what_agents_say_does_not_reach_an_expired_session(new_world: New) -> None:
    world = new_world(duration=60.0)
    socket = world.configured()
    world.now += 60
    world.desk.expire(now=world.now)
    assert socket.classes == ["SessionResponse", "SessionExpiredEvent"]


# --- those who sign in ---------------------------------------------------------------------------


def signed_in(world: Any, token: str = "guest-1", *, subject: str = "ada") -> tuple[Any, Any]:
    jwt, _ = world.guests.tokens.write(subject, "customer", lifetime=60.0)
    socket = world.socket(token)
    members = {"deploymentId": socket.deployment, "data": {"code": jwt}}
    return socket, socket.ask("configureAuthenticatedSession", **members)[-1]


def test_a_customer_signs_in(new_world: New) -> None:
    world = new_world()
    socket, answer = signed_in(world)
    assert answer["body"]["newSession"] is True
    assert "clearedExistingSession" not in answer["body"]
    socket.say("hello")
    jwt, _ = world.guests.tokens.write("ada", "customer", lifetime=60.0)
    assert world.desk.history(jwt, 1, 25)["total"] == 1
    assert signed_in(world)[1]["body"]["newSession"] is False


def test_signing_in_replaces_the_session_of_the_guest(new_world: New) -> None:
    world = new_world()
    guest = world.configured()
    guest.say("hello")
    _, answer = signed_in(world)
    assert answer["body"]["clearedExistingSession"] is True
    assert guest.frames[-1]["class"] == "ConnectionClosedEvent"
    assert guest.frames[-1]["body"] == {"reason": "signedIn"}
    assert world.centre.open_chats == 0


def test_signing_in_may_keep_the_session_of_the_guest(new_world: New) -> None:
    world = new_world(session_upgrade=True)
    guest = world.configured()
    guest.say("hello")
    _, answer = signed_in(world)
    assert answer["body"]["newSession"] is False
    assert guest.frames[-1]["body"]["events"][0]["presence"] == {"type": "SignIn"}
    assert world.centre.open_chats == 1


def test_there_is_no_way_back_to_a_guest(new_world: New) -> None:
    world = new_world()
    signed_in(world)
    assert world.socket().configure()["code"] == 4017


def test_signing_in_again_keeps_the_session(new_world: New) -> None:
    world = new_world()
    signed_in(world)
    _, answer = signed_in(world, subject="ada-again")
    assert answer["body"]["newSession"] is False


def test_who_signs_out_is_told_so(new_world: New) -> None:
    world = new_world()
    socket, _ = signed_in(world)
    world.desk.sign_out("ada")
    assert socket.classes[-1] == "LogoutEvent"
    assert code_of(socket.say("hello")) == 4007
    answer = signed_in(world)[1]
    assert answer["code"] == 403
    assert answer["body"].startswith("Session authentication failed")


@pytest.mark.parametrize(
    ("data", "code"), [(None, 4020), ({}, 4020), ({"code": 7}, 4020), ({"code": "a.b.c"}, 401)]
)
def test_who_cannot_sign_in(data: Any, code: int, new_world: New) -> None:
    socket = new_world().socket()
    members = {"deploymentId": socket.deployment, "data": data}
    assert code_of(socket.ask("configureAuthenticatedSession", **members)) == code


def test_a_deployment_without_sign_in(new_world: New) -> None:
    _, answer = signed_in(new_world(auth=False))
    assert (answer["code"], answer["class"]) == (403, "string")


# --- bounds --------------------------------------------------------------------------------------


def test_idle_sessions_are_forgotten_when_there_are_too_many(new_world: New) -> None:
    world = new_world(keep_sessions=3)
    talking = world.configured("talking")
    talking.say("hello")
    world.desk.leave(talking)
    for number in range(20):
        world.desk.leave(world.configured(f"guest-{number}"))
    assert len(world.guests.sessions) == 4
    assert world.socket("talking").configure()["body"]["newSession"] is False
    assert world.socket("guest-0").configure()["body"]["newSession"] is True


def test_only_the_latest_conversations_are_kept(new_world: New) -> None:
    world = new_world(at_chat_end=AtChatEnd.SEND)
    socket = world.configured()
    for number in range(30):
        socket.say(f"chat {number}")
        world.centre.end(world.chat, EndedBy.SERVICE, now=world.now)
    jwt = socket.ask("getJwt")[0]["body"]["jwt"]
    assert world.desk.history(jwt, 1, 500)["total"] == 20
