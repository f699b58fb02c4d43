"""What guests say, and what they are sent; time is made up."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from botkit.chat import Button, EndedBy, PartyKind
from botkit.simulator.centre import CentreSettings
from botkit.simulator.chats import SERVICE_PARTY, EntryKind

New = Any
ATTRIBUTES = {"metadata": {"customAttributes": {"Segment": "gold", "nickname": "Ada"}}}


def refusal_of(frames: list[Any]) -> tuple[int, str]:
    [frame] = frames
    assert (frame["type"], frame["class"], frame["tracingId"]) == ("response", "string", "t-1")
    return frame["code"], frame["body"]


# --- lines ---------------------------------------------------------------------------------------


def test_the_copy_of_a_line_acknowledges_it(new_world: New) -> None:
    world = new_world()
    socket = world.configured()
    [copy] = socket.say("hello")
    assert (copy["type"], copy["class"], copy["code"]) == ("message", "StructuredMessage", 200)
    assert copy["tracingId"] == "t-1"
    body = copy["body"]
    assert (body["type"], body["text"], body["direction"]) == ("Text", "hello", "Inbound")
    assert body["channel"]["time"] == "2023-11-14T22:15:00.000Z"
    assert body["channel"]["messageId"] == body["id"]
    assert "originatingEntity" not in body


def test_the_first_line_opens_the_chat(new_world: New) -> None:
    world = new_world(deployments={"11111111-2222-3333-4444-555555555555": "support"})
    socket = world.configured()
    assert world.centre.total == 0
    socket.say("hello")
    chat = world.chat
    assert (chat.service, chat.customer.name) == ("support", "Guest")
    assert [entry.kind for entry in chat.log] == [EntryKind.JOINED, EntryKind.MESSAGE]
    assert [assigned for assigned, _ in world.assigned] == [chat]


@pytest.mark.parametrize("inside", [True, False])
def test_custom_attributes_are_the_user_data(inside: bool, new_world: New) -> None:
    world = new_world()
    socket = world.configured()
    if inside:
        socket.say("hello", channel=ATTRIBUTES)
    else:
        socket.ask("onMessage", message={"type": "Text", "text": "hello"}, channel=ATTRIBUTES)
    assert world.chat.userdata == {"Segment": "gold", "nickname": "Ada"}
    assert world.chat.customer.name == "Ada"


def test_attributes_that_come_later_are_added(new_world: New) -> None:
    world = new_world()
    socket = world.configured()
    socket.say("hello", channel=ATTRIBUTES)
    changed = {"metadata": {"customAttributes": {"Segment": "gold", "Order": "A17"}}}
    socket.say("again", channel=changed)
    socket.say("and again", channel=changed)
    changes = [e.userdata for e in world.chat.log if e.kind is EntryKind.USERDATA]
    assert changes == [{"Order": "A17"}]


def test_attributes_are_counted_in_bytes(new_world: New) -> None:
    world = new_world(max_custom_data_bytes=6)
    socket = world.configured()
    fits = {"metadata": {"customAttributes": {"ab": "ää"}}}
    assert socket.say("hello", channel=fits)[0]["code"] == 200
    too_long = {"metadata": {"customAttributes": {"ab": "äää"}}}
    code, text = refusal_of(socket.say("hello", channel=too_long))
    assert (code, text) == (
        4013,
        "Custom Attributes in channel metadata is larger than 6 bytes",
    )
    assert socket.texts == ["hello"]


def test_a_text_that_is_too_long(new_world: New) -> None:
    socket = new_world(max_message=5).configured()
    assert socket.say("hello")[0]["code"] == 200
    assert refusal_of(socket.say("hello!")) == (4011, "message too long")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (None, 4020),
        ("hello", 400),
        ({}, 4020),
        ({"type": "Song", "text": "la"}, 400),
        ({"type": "Text"}, 4020),
        ({"type": "Text", "text": ""}, 4020),
        ({"type": "Text", "text": 7}, 400),
        ({"type": "Text", "text": "a", "content": "b"}, 400),
        ({"type": "Text", "text": "a", "content": ["b"]}, 400),
        ({"type": "Text", "text": "a", "content": [{}] * 101}, 400),
        ({"type": "Text", "text": "a", "content": [{"contentType": "ButtonResponse"}]}, 400),
        ({"type": "Text", "text": "a", "channel": {"metadata": []}}, 400),
        ({"type": "Text", "text": "a", "channel": {"metadata": {"customAttributes": [1]}}}, 400),
        ({"type": "Event"}, 400),
        ({"type": "Event", "events": [{"eventType": "Applause"}]}, 400),
        ({"type": "Event", "events": [{"eventType": "Typing"}]}, 400),
        ({"type": "Event", "events": [{"eventType": "Typing", "typing": {"type": "Up"}}]}, 400),
        ({"type": "Event", "events": [{"eventType": "Presence", "presence": {"type": "X"}}]}, 400),
    ],
)  # fmt: skip
def test_what_is_no_message(message: Any, code: int, new_world: New) -> None:
    world = new_world()
    assert refusal_of(world.configured().ask("onMessage", message=message))[0] == code
    assert world.centre.total == 0


def test_a_chat_that_is_full_is_an_error(new_world: New) -> None:
    world = new_world(centre=CentreSettings(max_log=3))
    socket = world.configured()
    socket.say("one")
    socket.say("two")
    assert refusal_of(socket.say("three"))[0] == 5000
    assert refusal_of(socket.typing())[0] == 5000


def test_a_centre_that_is_full_has_no_chat_for_anybody(new_world: New) -> None:
    world = new_world(centre=CentreSettings(max_open=0))
    assert refusal_of(world.configured().say("hello"))[0] == 4000


# --- the rate ------------------------------------------------------------------------------------


def test_two_messages_a_second_and_no_more(new_world: New) -> None:
    world = new_world(rate=2)
    socket = world.configured()
    socket.say("one")
    world.now += 0.4
    socket.typing()
    [frame] = socket.say("three")
    assert (frame["type"], frame["class"], frame["code"]) == (
        "response",
        "TooManyRequestsErrorMessage",
        429,
    )
    assert frame["body"] == {
        "retryAfter": 1,
        "errorCode": 4029,
        "errorMessage": "Message rate too high for this session",
    }
    world.now += 0.6
    assert socket.say("three")[0]["code"] == 200
    assert socket.say("four")[0]["code"] == 429
    assert socket.ask("echo", message={"type": "Text", "text": "ping"})[0]["code"] == 200


def test_the_rate_is_of_the_session_not_of_the_socket(new_world: New) -> None:
    world = new_world(rate=2)
    first, second = world.configured(), world.configured()
    first.say("one")
    second.say("two")
    assert first.say("three")[0]["code"] == 429
    assert world.configured("guest-2").say("one")[0]["code"] == 200


# --- buttons -------------------------------------------------------------------------------------


def test_the_buttons_of_an_agent_are_quick_replies(new_world: New) -> None:
    world = new_world()
    socket = world.configured()
    socket.say("hello")
    buttons = (Button(text="Yes", payload="y"), Button(text="No"))
    world.agent_says("Shall I?", buttons=buttons)
    body = socket.frames[-1]["body"]
    assert (body["type"], body["text"]) == ("Structured", "Shall I?")
    assert (body["direction"], body["originatingEntity"]) == ("Outbound", "Human")
    assert body["channel"]["from"] == {"nickname": "Grace"}
    assert [item["contentType"] for item in body["content"]] == ["QuickReply", "QuickReply"]
    assert [item["quickReply"] for item in body["content"]] == [
        {"text": "Yes", "payload": "y", "action": "Message"},
        {"text": "No", "payload": "No", "action": "Message"},
    ]


@pytest.mark.parametrize(
    ("kind", "button", "text"), [("Text", "QuickReply", ""), ("Structured", "Button", "Yes")]
)
def test_a_pressed_button_is_a_line(kind: str, button: str, text: str, new_world: New) -> None:
    world = new_world()
    socket = world.configured()
    press = {"text": "Yes", "payload": "y", "type": button, "originatingMessageId": "m-1"}
    content = [{"contentType": "ButtonResponse", "buttonResponse": press}]
    [copy] = socket.message(type=kind, text=text, content=content)
    assert (copy["body"]["type"], copy["body"]["content"]) == (kind, content)
    entry = world.chat.log[-1]
    assert (entry.text, orjson.loads(entry.content)) == ("Yes", content)


# --- events --------------------------------------------------------------------------------------


def test_join_begins_a_conversation(new_world: New) -> None:
    world = new_world()
    socket = world.configured()
    [copy] = socket.presence("Join", channel=ATTRIBUTES)
    assert (copy["class"], copy["tracingId"]) == ("StructuredMessage", "t-1")
    assert copy["body"]["direction"] == "Inbound"
    assert copy["body"]["events"] == [{"eventType": "Presence", "presence": {"type": "Join"}}]
    assert (world.chat.customer.name, world.chat.userdata["Segment"]) == ("Ada", "gold")


def test_a_second_join_is_confirmed_and_changes_nothing(new_world: New) -> None:
    world = new_world()
    socket = world.configured()
    socket.presence("Join")
    [copy] = socket.presence("Join")
    assert copy["body"]["events"][0]["presence"] == {"type": "Join"}
    assert world.centre.total == 1


@pytest.mark.parametrize(
    ("kind", "entry"), [("On", EntryKind.TYPING_STARTED), ("Off", EntryKind.TYPING_STOPPED)]
)
def test_typing_is_seen_by_agents_and_confirmed(
    kind: str, entry: EntryKind, new_world: New
) -> None:
    world = new_world()
    socket = world.configured()
    socket.say("hello")
    [copy] = socket.typing(kind)
    assert copy["body"]["events"] == [{"eventType": "Typing", "typing": {"type": kind}}]
    assert (copy["body"]["direction"], copy["tracingId"]) == ("Inbound", "t-1")
    assert world.chat.log[-1].kind is entry


def test_typing_alone_opens_no_chat(new_world: New) -> None:
    world = new_world()
    [copy] = world.configured().typing()
    assert (copy["code"], copy["body"]["direction"]) == (200, "Inbound")
    assert world.centre.total == 0


def test_typing_must_be_enabled(new_world: New) -> None:
    text = "Turn on the Feature Toggle or fix the configuration."
    assert refusal_of(new_world(user_typing=False).configured().typing()) == (403, text)


def test_an_agent_types(new_world: New) -> None:
    world = new_world()
    socket = world.configured()
    socket.say("hello")
    party = world.centre.join(world.chat, "Grace", now=world.now, kind=PartyKind.AGENT)
    for kind in (EntryKind.TYPING_STARTED, EntryKind.TYPING_STOPPED):
        world.centre.write(world.chat, kind, party, now=world.now)
    typing = [f["body"]["events"][0]["typing"] for f in socket.frames if "events" in f["body"]]
    assert typing == [{"type": "On", "duration": 5000}, {"type": "Off"}]


def test_nothing_tells_that_agents_come_and_go(new_world: New) -> None:
    world = new_world()
    socket = world.configured()
    socket.say("hello")
    before = len(socket.frames)
    party = world.centre.join(world.chat, "Grace", now=world.now, kind=PartyKind.AGENT)
    world.centre.attach(world.chat, {"Skill": "x"}, party, now=world.now, visible=False)
    world.centre.leave(world.chat, party, now=world.now)
    assert len(socket.frames) == before


@pytest.mark.parametrize("kind", [EntryKind.NOTICE, EntryKind.PUSHED_URL])
def test_notices_and_pages_come_as_text(kind: EntryKind, new_world: New) -> None:
    world = new_world()
    socket = world.configured()
    socket.say("hello")
    world.centre.write(world.chat, kind, SERVICE_PARTY, now=world.now, text="https://example.com")
    body = socket.frames[-1]["body"]
    assert (body["type"], body["text"]) == ("Text", "https://example.com")
    assert body["originatingEntity"] == "Bot"


def test_silence_in_the_centre_is_told_as_its_end_alone(new_world: New) -> None:
    world = new_world(centre=CentreSettings(idle_alert=10.0, idle_close=5.0))
    socket = world.configured()
    socket.say("hello")
    before = len(socket.frames)
    world.centre.expire(now=world.now + 10)
    assert len(socket.frames) == before
    world.centre.expire(now=world.now + 15)
    assert world.centre.ended[EndedBy.SERVICE] == 1
    assert [f["body"]["type"] for f in socket.frames[before:]] == ["Event"]


# --- faults --------------------------------------------------------------------------------------


def test_lost_doubled_and_late_frames(new_world: New) -> None:
    world = new_world(
        ("lost_message", {"times": 1}),
        ("duplicate_message", {"times": 1}),
        ("delay_message", {"times": 1, "seconds": 9.0}),
    )
    socket = world.configured()
    socket.say("hello")
    for text in ("lost", "doubled", "late", "normal"):
        world.agent_says(text)
    assert socket.texts == ["hello", "doubled", "doubled", "normal"]
    [(seconds, do)] = world.later
    do()
    assert (seconds, socket.texts[-1]) == (9.0, "late")
    doubled = [f["body"]["id"] for f in socket.frames if f["body"].get("text") == "doubled"]
    assert len(set(doubled)) == 1


def test_frames_change_places(new_world: New) -> None:
    world = new_world(("reorder_messages", {"times": 1, "seconds": 9.0}))
    socket = world.configured()
    socket.say("hello")
    for text in ("first", "second", "third"):
        world.agent_says(text)
    assert socket.texts == ["hello", "second", "first", "third"]
    [(_, do)] = world.later
    do()
    assert len(socket.texts) == 4


def test_an_acknowledgement_may_be_lost(new_world: New) -> None:
    world = new_world(("lost_message", {"on": "own", "times": 1}))
    socket = world.configured()
    assert socket.say("hello") == []
    assert world.chat.log[-1].text == "hello"


def test_a_lost_frame_is_in_the_history(new_world: New) -> None:
    world = new_world(("lost_message", {}))
    socket = world.configured()
    socket.say("hello")
    world.agent_says("lost")
    jwt = socket.ask("getJwt")[0]["body"]["jwt"]
    texts = [entity["text"] for entity in world.desk.history(jwt, 1, 25)["entities"]]
    assert texts == ["lost", "hello"]


def test_a_chat_may_be_refused(new_world: New) -> None:
    world = new_world(("refuse_chat", {"times": 1}))
    socket = world.configured()
    assert refusal_of(socket.presence("Join"))[0] == 4000
    assert socket.presence("Join")[0]["code"] == 200


@pytest.mark.parametrize("how", ["close", "clear"])
def test_a_goodbye_may_go_unheard(how: str, new_world: New) -> None:
    world = new_world(("no_chat_end", {"times": 1}))
    socket = world.configured()
    socket.say("hello")

    def leave() -> list[Any]:
        if how == "close":
            return socket.ask("closeSession", closeAllConnections=True)  # type: ignore[no-any-return]
        return socket.presence("Clear")  # type: ignore[no-any-return]

    assert leave() == []
    assert world.centre.open_chats == 1
    assert leave() != []
    assert world.centre.open_chats == 0


def test_an_agent_may_stay_away(new_world: New) -> None:
    world = new_world(("agent_never_joins", {}))
    world.configured().say("hello")
    assert [assignment.after for _, assignment in world.assigned] == [None]


def test_faults_of_other_wires_do_not_strike(new_world: New) -> None:
    world = new_world(("advice_none", {"on": "any"}), ("duplicate_connect", {}))
    world.configured().say("hello")
    assert world.faults.struck == {}
