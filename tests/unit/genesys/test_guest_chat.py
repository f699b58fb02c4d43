"""A chat of web messaging as the customer sees it: order, repeats, gaps, agents, ends."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit import chat
from botkit.chat import EndedBy, Event, PartyKind
from botkit.errors import ChatError, LocalProtocolError
from botkit.genesys.guest_chat import GuestChat
from botkit.genesys.guest_state import GuestState, name_of
from botkit.genesys.web_content import (
    BUTTON,
    Attachment,
    Offer,
    Pressed,
    attachment_content,
    card_content,
    pressed_in,
    quick_reply_content,
)
from botkit.genesys.web_records import (
    AttachmentDeleted,
    ConnectionClosed,
    Frame,
    GuestMessage,
    MessageEvent,
    Opaque,
    Sender,
    SessionInfo,
)

PATIENCE = 0.3
ADA = Sender(nickname="Ada")


def new_chat(
    *, patience: float = PATIENCE, restored: GuestState | None = None, **info: Any
) -> GuestChat:
    guest = GuestChat(
        token="secret",
        attributes={"nickname": "Bob"},
        nickname="Bob",
        patience=patience,
        restored=restored,
    )
    guest.configured(SessionInfo(**{"new_session": restored is None, **info}), now=0.0)
    return guest


def said(
    text: str, utc: float | None = 1.0, *, id: str | None = None, **members: Any
) -> GuestMessage:
    members = {"direction": "Outbound", "entity": "Human", "sender": ADA, **members}
    return GuestMessage(id=text if id is None else id, text=text, utc=utc, **members)


def typing(value: str = "On", **members: Any) -> GuestMessage:
    event = MessageEvent(type="Typing", value=value)
    return said("", type="Event", id="", events=(event,), **members)


def presence(value: str, *, id: str = "p", **members: Any) -> GuestMessage:
    event = MessageEvent(type="Presence", value=value)
    return said("", type="Event", id=id, events=(event,), **members)


def frame(message: GuestMessage) -> Frame:
    return Frame(name="StructuredMessage", body=message)


def tell(guest: GuestChat, *messages: GuestMessage, now: float = 1.0) -> list[Event]:
    """Let messages come at one time, and wait until all are told."""
    events: list[Event] = []
    for message in messages:
        events += guest.receive(frame(message), now=now)
    return events + guest.release(now=now + PATIENCE)


def texts(events: Sequence[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, chat.Message)]


def kinds(events: Sequence[Event]) -> list[type[Event]]:
    return [type(event) for event in events]


# --- beginning -----------------------------------------------------------------------------------


def test_a_session_begins_the_chat() -> None:
    guest = GuestChat(token="t", attributes={}, nickname="Bob", patience=0)
    (event,) = guest.configured(SessionInfo(new_session=True), now=5.0)
    assert event == chat.SessionStarted(at=5.0, seq=1, session_id=name_of("t"))
    assert "t" not in name_of("t").removeprefix("guest-").split("-")
    assert guest.started


def test_a_session_that_takes_no_messages_is_none() -> None:
    guest = GuestChat(token="t", attributes={}, nickname="Bob", patience=0)
    assert guest.configured(SessionInfo(connected=False, read_only=True), now=0.0) == []
    assert guest.refusal is not None
    assert guest.configured(SessionInfo(new_session=True), now=0.0)
    assert guest.refusal is None


def test_a_cleared_session_is_told() -> None:
    guest = GuestChat(token="t", attributes={}, nickname="Bob", patience=0)
    events = guest.configured(SessionInfo(cleared_existing_session=True), now=0.0)
    assert isinstance(events[1], chat.Other)
    assert events[1].kind == "clearedExistingSession"


# --- what is said --------------------------------------------------------------------------------


def test_the_first_word_of_a_human_is_an_agent_who_joins() -> None:
    events = tell(new_chat(), said("Hello"), said("Again", 2.0))
    assert kinds(events) == [chat.AgentConnected, chat.Message, chat.Message]
    assert {event.party for event in events} == {chat.Party(name="Ada", kind=PartyKind.AGENT)}


def test_another_name_is_another_agent() -> None:
    guest = new_chat()
    tell(guest, said("Hello"))
    events = tell(guest, said("Hi", 2.0, sender=Sender(first_name="Eve", last_name="Low")))
    assert kinds(events) == [chat.AgentConnected, chat.Message]
    assert events[0].party == chat.Party(name="Eve Low", kind=PartyKind.AGENT)


def test_a_bot_is_a_machine() -> None:
    (event,) = tell(new_chat(), said("Hello", entity="Bot", sender=Sender()))
    assert event.party == chat.Party(name="Bot", kind=PartyKind.EXTERNAL)


def test_who_says_not_what_it_is_is_no_agent() -> None:
    (event,) = tell(new_chat(), said("Welcome", entity=""))
    assert event.party == chat.Party(name="Ada", kind=PartyKind.EXTERNAL)


def test_typing_is_a_sign_of_an_agent() -> None:
    guest = new_chat()
    events = tell(guest, typing(entity="", sender=Sender()))
    assert kinds(events) == [chat.AgentConnected, chat.AgentTyping]
    off = tell(guest, typing("Off"))
    assert [event.is_typing for event in off if isinstance(event, chat.AgentTyping)] == [False]


def test_typing_is_told_each_time_and_never_of_the_customer() -> None:
    guest = new_chat()
    assert len(tell(guest, typing(), typing())) == 3
    assert tell(guest, typing(direction="Inbound")) == []


def test_the_copy_of_an_own_line_is_own() -> None:
    (event,) = tell(new_chat(), said("Hi", direction="Inbound", entity=""))
    assert isinstance(event, chat.Message)
    assert event.own
    assert event.party == chat.Party(name="Bob", kind=PartyKind.CUSTOMER)


def test_quick_replies_are_buttons_and_their_answer_refers_to_them() -> None:
    guest = new_chat()
    offers = (quick_reply_content("Yes", "y"), quick_reply_content("No", "n"))
    _, event = tell(guest, said("Sure?", type="Structured", content=offers))
    assert isinstance(event, chat.Message)
    assert event.buttons == (
        chat.Button(text="Yes", payload="y"),
        chat.Button(text="No", payload="n"),
    )
    assert '"payload": "y"' in event.content
    answer = guest.lines.answer(chat.PressButton(text="No"))
    assert (answer.type, answer.text) == ("Text", "")
    assert pressed_in(answer.content) == Pressed(
        text="No", payload="n", type="QuickReply", originating_message_id="Sure?"
    )


def test_the_button_of_a_card_is_answered_as_one() -> None:
    guest = new_chat()
    card = card_content("Title", "What it is", (Offer(text="Take", payload="1", type=BUTTON),))
    _, event = tell(guest, said("", type="Structured", content=(card,), id="m1"))
    assert isinstance(event, chat.Message)
    assert event.text == "Title\nWhat it is"
    answer = guest.lines.answer(chat.PressButton(text="Take", message_id="m1"))
    assert (answer.type, answer.text) == ("Structured", "Take")
    pressed = pressed_in(answer.content)
    assert pressed is not None
    assert (pressed.type, pressed.payload) == (BUTTON, "1")


def test_what_nobody_offered_is_a_quick_reply() -> None:
    pressed = pressed_in(new_chat().lines.answer(chat.PressButton(text="Maybe")).content)
    assert pressed == Pressed(text="Maybe", payload="Maybe", type="QuickReply")


def test_a_message_with_files_is_its_text_and_its_files() -> None:
    one = attachment_content(Attachment(id="f1", name="a.png", size=3))
    events = tell(new_chat(), said("Look", content=(one,)), said("", 2.0, id="2", content=(one,)))
    assert kinds(events) == [chat.AgentConnected, chat.Message, chat.File, chat.File]
    file = events[2]
    assert isinstance(file, chat.File)
    assert (file.file_id, file.name, file.size, file.own) == ("f1", "a.png", 3, False)


def test_a_file_is_taken_out_again() -> None:
    body = AttachmentDeleted(attachment_id="f1")
    (event,) = new_chat().receive(Frame(name="AttachmentDeletedResponse", body=body), now=1.0)
    assert isinstance(event, chat.File)
    assert (event.file_id, event.deleted) == ("f1", True)


def test_what_botkit_has_no_word_for_is_kept_for_the_record() -> None:
    guest = new_chat()
    (event,) = guest.receive(Frame(name="Brand-New", body=Opaque(value=[1])), now=1.0)
    assert isinstance(event, chat.Other)
    assert event.kind == "Brand-New"
    (receipt,) = tell(guest, said("", type="Receipt", entity="Bot"))
    assert isinstance(receipt, chat.Other)
    assert receipt.kind == "Receipt"
    (join,) = tell(guest, presence("Join", direction="Inbound"))
    assert isinstance(join, chat.Other)
    assert join.kind == "Join"


def test_only_text_can_be_sent() -> None:
    with pytest.raises(LocalProtocolError, match="html"):
        new_chat().lines.text(chat.SendMessage(text="<b>", content_type="html"))


# --- order ---------------------------------------------------------------------------------------


def test_what_overtook_others_is_told_after_them() -> None:
    guest = new_chat()
    assert guest.receive(frame(said("b", 2.0)), now=1.0) == []
    assert guest.receive(frame(said("a", 1.0)), now=1.2) == []
    assert guest.due_at == 1.0 + PATIENCE
    events = guest.release(now=1.0 + PATIENCE)
    assert texts(events) == ["a", "b"]
    # Neither could be told before the other one was read.
    assert [event.at for event in events] == [1.2, 1.2, 1.2]
    assert [event.seq for event in events] == [2, 3, 4]
    assert guest.due_at is None


def test_without_patience_everything_is_told_as_it_comes() -> None:
    guest = new_chat(patience=0.0)
    assert texts(guest.receive(frame(said("b", 2.0)), now=1.0)) == ["b"]
    assert texts(guest.receive(frame(said("a", 1.0)), now=1.0)) == ["a"]


def test_a_message_is_told_once() -> None:
    guest = new_chat()
    assert texts(tell(guest, said("a"), said("a"))) == ["a"]
    assert tell(guest, said("a")) == []


def test_the_end_does_not_overtake_the_last_words() -> None:
    bye = presence("Disconnect", utc=None, metadata={"readOnly": "true"})
    events = tell(new_chat(), bye, said("Bye", 9.0))
    assert kinds(events) == [chat.AgentConnected, chat.Message, chat.SessionEnded]


@given(
    st.lists(st.integers(0, 5), min_size=1, max_size=12),
    st.randoms(use_true_random=False),
)
@settings(max_examples=100)
def test_any_order_within_patience_is_put_right(gaps: list[int], rng: random.Random) -> None:
    """Messages that are late by less than the patience, some of them twice."""
    guest = new_chat()
    sent, arrivals = 0.0, []
    for number, gap in enumerate(gaps):
        sent += gap * 0.1 + 0.001
        for _ in range(rng.choice((1, 1, 2))):
            late = rng.uniform(0, PATIENCE * 0.99)
            arrivals.append((sent + late, said(str(number), sent)))
    events: list[Event] = []
    for at, message in sorted(arrivals, key=lambda arrival: arrival[0]):
        while guest.due_at is not None and guest.due_at < at:
            events += guest.release(now=guest.due_at)
        events += guest.receive(frame(message), now=at)
    while guest.due_at is not None:
        events += guest.release(now=guest.due_at)
    assert texts(events) == [str(number) for number in range(len(gaps))]
    assert [event.seq for event in events] == list(range(2, len(events) + 2))
    assert [event.at for event in events] == sorted(event.at for event in events)


# --- gaps ----------------------------------------------------------------------------------------


def test_nothing_is_told_while_there_is_a_gap() -> None:
    guest = new_chat()
    tell(guest, said("1"))
    guest.interrupted("lost", now=2.0)
    assert guest.has_gap
    assert tell(guest, said("4", 4.0), now=3.0) == []
    guest.configured(SessionInfo(new_session=False), now=3.0)
    history = [said(str(n), float(n)) for n in (1, 2, 3, 4)]
    assert texts(guest.fill(history, now=4.0)) == ["2", "3", "4"]
    assert not guest.has_gap


def test_a_new_session_is_not_the_chat() -> None:
    guest = new_chat()
    guest.interrupted("lost", now=2.0)
    (end,) = guest.configured(SessionInfo(new_session=True), now=3.0)
    assert isinstance(end, chat.SessionEnded)
    assert end.by is EndedBy.SERVICE


def test_a_chat_that_was_closed_meanwhile_tells_its_last_words_first() -> None:
    guest = new_chat()
    guest.interrupted("lost", now=2.0)
    assert guest.configured(SessionInfo(new_session=False, read_only=True), now=3.0) == []
    events = guest.fill([said("Bye", 2.0)], now=4.0)
    assert kinds(events) == [chat.AgentConnected, chat.Message, chat.SessionEnded]


@st.composite
def interruptions(draw: st.DrawFn) -> tuple[list[int], list[tuple[set[int], set[int]]]]:
    """Rounds of a conversation: what comes live in each, and what the history still lacks."""
    count = draw(st.integers(1, 12))
    cuts = sorted(draw(st.lists(st.integers(0, count), max_size=3)))
    rounds = []
    for start, end in zip([0, *cuts], [*cuts, count], strict=True):
        numbers = set(range(start, end))
        live = draw(st.sets(st.sampled_from(sorted(numbers)))) if numbers else set()
        rounds.append((numbers, live))
    return list(range(count)), rounds


@given(interruptions(), st.randoms(use_true_random=False))
@settings(max_examples=100)
def test_any_interruption_loses_and_repeats_nothing(
    schedule: tuple[list[int], list[tuple[set[int], set[int]]]], rng: random.Random
) -> None:
    """After each round the connection is lost; the history has all, live came what came."""
    everything, rounds = schedule
    guest, events, now = new_chat(), list[Event](), 0.0
    for numbers, live in rounds:
        for number in sorted(live, key=lambda _: rng.random()):
            events += guest.receive(frame(said(str(number), number + 1.0)), now=now)
        now += rng.choice((0.0, PATIENCE))
        events += guest.release(now=now)
        guest.open_gap()
        guest.configured(SessionInfo(new_session=False), now=now)
        upto = max(numbers | {-1})
        history = [said(str(n), n + 1.0) for n in everything if n <= upto]
        events += guest.fill(rng.sample(history, len(history)), now=now)
    events += guest.end(EndedBy.CUSTOMER, "", now=now)
    told = texts(events)
    assert sorted(told, key=int) == [str(number) for number in everything]
    assert len(told) == len(set(told))


# --- restoring -----------------------------------------------------------------------------------


def restored_from(guest: GuestChat) -> GuestChat:
    raw = guest.state.as_json(connector="c", server="s", service="d")
    from botkit.genesys.guest_state import read_state

    return new_chat(restored=read_state(raw, connector="c", server="s", service="d"))


def test_a_restored_chat_begins_with_its_history() -> None:
    before = new_chat()
    tell(before, said("1", 1.0), said("2", 2.0))
    guest = restored_from(before)
    assert not guest.started
    events = guest.fill([said(str(n), float(n)) for n in (1, 2, 3)], now=9.0)
    assert kinds(events)[:2] == [chat.SessionRestored, chat.AgentConnected]
    assert texts(events) == ["1", "2", "3"]
    assert [event.history for event in events] == [False, True, True, True, False]
    assert texts(tell(guest, said("3", 3.0), said("4", 4.0), now=10.0)) == ["4"]
    assert guest.state.token == "secret"
    assert dict(guest.state.seen).keys() == {"1", "2", "3", "4"}


def test_what_was_held_when_the_process_died_is_new() -> None:
    before = new_chat()
    before.receive(frame(said("1", 1.0)), now=1.0)
    events = restored_from(before).fill([said("1", 1.0)], now=9.0)
    assert [event.history for event in events if isinstance(event, chat.Message)] == [False]


def test_a_late_message_with_an_early_stamp_is_new() -> None:
    before = new_chat()
    tell(before, said("2", 2.0))
    events = restored_from(before).fill([said("1", 1.0), said("2", 2.0)], now=9.0)
    messages = [event for event in events if isinstance(event, chat.Message)]
    assert [(event.text, event.history) for event in messages] == [("1", False), ("2", True)]


@pytest.mark.parametrize(
    "info",
    [
        {"new_session": True},
        {"new_session": False, "read_only": True},
        {"new_session": False, "connected": False},
    ],
)
def test_what_is_not_the_stored_chat_is_refused(info: dict[str, Any]) -> None:
    guest = new_chat(restored=GuestState(token="t"), **info)
    assert guest.refusal is not None
    assert not guest.started


def test_the_memory_of_messages_is_bounded() -> None:
    guest = new_chat(patience=0.0)
    for number in range(2000):
        guest.receive(frame(said(str(number), float(number))), now=float(number))
    state = guest.state
    assert len(state.seen) <= 400
    assert state.floor >= 1500
    history = [said(str(n), float(n)) for n in range(2000)] + [said("new", 2000.0)]
    events = restored_from(guest).fill(history, now=9.0)
    new = [event for event in events if isinstance(event, chat.Message) and not event.history]
    assert texts(new) == ["new"]


# --- ends ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said_last", "text"),
    [
        (Frame(name="SessionExpiredEvent", body=Opaque(value={})), "expired"),
        (Frame(name="SessionClearedEvent", body=Opaque(value={})), "cleared"),
        (Frame(name="LogoutEvent", body=Opaque(value={})), "signed out"),
        (Frame(name="ConnectionClosedEvent", body=ConnectionClosed()), "closed the connection"),
        (Frame(name="ConnectionClosedEvent", body=ConnectionClosed(reason="signedIn")), "signedIn"),
        (Frame(name="string", code=4006, body="session expired error message"), "expired"),
        (Frame(name="string", code=4007, body="session not found error message"), "not found"),
    ],
)
@pytest.mark.parametrize("leaving", [False, True])
def test_what_ends_a_chat(said_last: Frame, text: str, leaving: bool) -> None:
    guest = new_chat()
    guest.leaving = leaving
    guest.receive(frame(said("held")), now=1.0)
    events = guest.receive(said_last, now=1.0)
    end = events[-1]
    assert isinstance(end, chat.SessionEnded)
    assert end.by is (EndedBy.CUSTOMER if leaving else EndedBy.SERVICE)
    assert text in end.description
    assert texts(events) == ["held"]
    assert guest.receive(frame(said("later", 2.0)), now=2.0) == []
    assert guest.end(EndedBy.LOST, "", now=3.0) == []


def test_a_disconnect_that_is_final_ends_the_chat() -> None:
    (end,) = tell(new_chat(), presence("Disconnect", metadata={"readOnly": "true"}))
    assert isinstance(end, chat.SessionEnded)


def test_after_another_disconnect_the_customer_may_go_on() -> None:
    guest = new_chat()
    (other,) = tell(guest, presence("Disconnect", id="1"))
    assert isinstance(other, chat.Other)
    tell(guest, said("Hello"))
    (gone,) = tell(guest, presence("Disconnect", id="2", utc=2.0))
    assert isinstance(gone, chat.AgentDisconnected)
    assert gone.party == chat.Party(name="Ada", kind=PartyKind.AGENT)
    assert kinds(tell(guest, said("Back", 3.0))) == [chat.AgentConnected, chat.Message]


def test_an_error_that_nobody_asked_for_does_not_end_the_chat() -> None:
    guest = new_chat()
    (error,) = guest.receive(Frame(name="string", code=403, body="no"), now=1.0)
    assert error == chat.Error(at=1.0, seq=2, code=403, description="no")
    assert not guest.ended


# --- attributes ----------------------------------------------------------------------------------


def test_attributes_travel_until_they_have_arrived_and_again_when_they_change() -> None:
    guest = new_chat()
    line = chat.SendMessage(text="hi")
    assert guest.lines.text(line).attributes == {"nickname": "Bob"}
    assert guest.lines.text(line).attributes == {"nickname": "Bob"}
    guest.attributes.arrived({"nickname": "Bob"})
    assert guest.lines.text(line).attributes == {}
    (event,) = guest.set_userdata({"A": "1"}, now=1.0)
    assert isinstance(event, chat.Userdata)
    assert event.changes == {"A": "1"}
    assert guest.lines.text(line).attributes == {"nickname": "Bob", "A": "1"}
    assert guest.set_userdata({"A": "1"}, now=1.0) == []


def test_attributes_that_are_too_large_are_refused_before_they_are_sent() -> None:
    guest = new_chat(max_custom_data_bytes=20)
    guest.set_userdata({"K": "1234"}, now=1.0)
    with pytest.raises(ChatError) as caught:
        guest.set_userdata({"Ü": "12345"}, now=1.0)
    assert caught.value.code == 4013
    assert "23 bytes" in str(caught.value)
    assert guest.attributes.values == {"nickname": "Bob", "K": "1234"}


def test_attributes_that_the_service_refused_are_lost() -> None:
    guest = new_chat()
    guest.attributes.refused()
    assert guest.lines.text(chat.SendMessage(text="hi")).attributes == {}
