"""A chat from the agent's side: entries as events, commands as entries."""

import random

import pytest

from botkit import chat as vocabulary
from botkit.chat import EndedBy, Event, PartyKind
from botkit.errors import ChatError, SessionClosed
from botkit.simulator.agent_side import TRANSLATIONS, AgentSide
from botkit.simulator.centre import Centre
from botkit.simulator.chats import Chat, ChatRequest, EntryKind
from botkit.simulator.gms import event_of


def joined(name: str = "Grace") -> tuple[Centre, Chat, AgentSide]:
    """Open a chat in which the customer has said something, and let an agent join."""
    centre = Centre(rng=random.Random(1))
    request = ChatRequest(service="demo", nickname="Ada", userdata={"Segment": "gold"})
    chat = centre.open(request, attach={"Survey": "url"}, now=0.0)
    centre.write(chat, EntryKind.MESSAGE, chat.customer, now=1.0, text="hello?")
    return centre, chat, join(centre, chat, name)


def join(centre: Centre, chat: Chat, name: str) -> AgentSide:
    return AgentSide(centre, chat, centre.join(chat, name, now=2.0, kind=PartyKind.AGENT))


def listen(side: AgentSide) -> list[Event]:
    """Collect what the agent is told, from the first event on."""
    events: list[Event] = []
    side.subscribe(events.append)
    return events


def names(events: list[Event]) -> list[str]:
    return [type(event).__name__ for event in events]


async def test_an_agent_who_joins_knows_all_user_data_and_what_was_said() -> None:
    _, chat, side = joined()
    events = listen(side)
    assert names(events) == ["SessionStarted", "Userdata", "Other", "Message", "AgentConnected"]
    assert [event.seq for event in events] == [1, 2, 3, 4, 5]
    assert isinstance(events[1], vocabulary.Userdata)
    assert dict(events[1].changes) == {"Segment": "gold", "Survey": "url"}
    message = events[3]
    assert isinstance(message, vocabulary.Message)
    assert (message.text, message.own, message.history) == ("hello?", False, False)
    assert message.party == chat.customer


async def test_for_a_second_agent_the_past_is_history() -> None:
    centre, chat, _ = joined()
    second = join(centre, chat, "Bob")
    assert [event.history for event in listen(second) if event.index] == [
        True,
        True,
        True,
        False,
    ]


async def test_own_lines_are_own_and_the_customers_are_not() -> None:
    centre, chat, side = joined()
    events = listen(side)
    await side.perform(vocabulary.SendMessage(text="Welcome"))
    centre.write(chat, EntryKind.MESSAGE, chat.customer, now=3.0, text="hi")
    assert [(e.text, e.own) for e in events if isinstance(e, vocabulary.Message)] == [
        ("hello?", False),
        ("Welcome", True),
        ("hi", False),
    ]


async def test_everything_that_happens_is_told() -> None:
    centre, chat, side = joined()
    events = listen(side)
    del events[:]
    customer = chat.customer
    for kind in (
        EntryKind.TYPING_STARTED,
        EntryKind.TYPING_STOPPED,
        EntryKind.NOTICE,
        EntryKind.PUSHED_URL,
        EntryKind.IDLE_ALERT,
    ):
        centre.write(chat, kind, customer, now=3.0, text=kind.value)
    centre.rename_customer(chat, "Eve", now=3.0)
    centre.attach(chat, {"Segment": "", "New": "1"}, customer, now=3.0, visible=True)
    centre.mark_read(chat, 2, now=3.0)
    centre.end(chat, EndedBy.CUSTOMER, now=4.0)
    assert names(events) == [
        "AgentTyping",
        "AgentTyping",
        "Notice",
        "PushedUrl",
        "Notice",
        "Nickname",
        "Userdata",
        "Other",
        "Other",
        "SessionEnded",
    ]
    assert isinstance(events[6], vocabulary.Userdata)
    assert dict(events[6].changes) == {"Segment": None, "New": "1"}
    assert isinstance(events[-1], vocabulary.SessionEnded)
    assert events[-1].by is EndedBy.CUSTOMER


async def test_commands_are_written_into_the_log() -> None:
    _, chat, side = joined()
    before = len(chat.log)
    for command in (
        vocabulary.SendTyping(is_typing=True),
        vocabulary.SendTyping(is_typing=False),
        vocabulary.SendNotice(text="note"),
        vocabulary.PushUrl(url="https://a.example"),
        vocabulary.SetUserdata(userdata={"Skill": "billing"}),
        vocabulary.DeleteUserdata(key="Skill"),
    ):
        await side.perform(command)
    assert [entry.kind.value for entry in chat.log[before:]] == [
        "typing_started",
        "typing_stopped",
        "notice",
        "pushed_url",
        "userdata",
        "userdata",
    ]
    assert "Skill" not in chat.visible


async def test_an_offer_carries_its_buttons_and_is_plain_text_where_there_are_none() -> None:
    _, chat, side = joined()
    events = listen(side)
    buttons = (vocabulary.Button(text="Yes", payload="y"), vocabulary.Button(text="No"))
    await side.perform(vocabulary.OfferButtons(text="Shall I?", buttons=buttons))
    assert isinstance(events[-1], vocabulary.Message)
    assert (events[-1].text, events[-1].buttons, events[-1].own) == ("Shall I?", buttons, True)
    assert chat.log[-1].buttons == buttons
    assert event_of(chat.log[-1]).text == "Shall I? [Yes] [No]"


async def test_an_agent_who_leaves_ends_the_chat() -> None:
    _, chat, side = joined()
    await side.perform(vocabulary.Leave())
    assert chat.ended_by is EndedBy.SERVICE
    with pytest.raises(SessionClosed):
        await side.perform(vocabulary.SendMessage(text="anybody?"))


async def test_what_agents_cannot_do_is_an_error() -> None:
    _, _, side = joined()
    with pytest.raises(ChatError, match="PressButton"):
        await side.perform(vocabulary.PressButton(text="Yes"))


async def test_files_of_agents_have_no_limits_and_are_theirs_alone_to_take_out() -> None:
    centre, chat, side = joined()
    events: list[vocabulary.Event] = []
    side.subscribe(events.append)
    await side.perform(vocabulary.SendFile(name="bill.exe", content=b"x" * 6_000_000))
    theirs = centre.upload(
        chat, chat.customer, name="a.png", media_type="image/png", content=b"1234", now=3.0
    )
    with pytest.raises(ChatError, match="somebody else's"):
        await side.perform(vocabulary.DeleteFile(file_id=theirs.id))
    sent, came = (event for event in events if isinstance(event, vocabulary.File))
    await side.perform(vocabulary.DeleteFile(file_id=sent.file_id))
    assert (sent.name, sent.own, sent.deleted) == ("bill.exe", True, False)
    assert (came.name, came.size, came.own) == ("a.png", 4, False)
    assert isinstance(events[-1], vocabulary.File)
    assert events[-1].deleted


async def test_a_full_log_is_an_error_of_the_chat() -> None:
    centre, chat, side = joined()
    for number in range(centre.settings.max_log - len(chat.log)):
        centre.write(chat, EntryKind.MESSAGE, chat.customer, now=3.0, text=str(number))
    with pytest.raises(ChatError, match="entries"):
        await side.perform(vocabulary.SendMessage(text="one more"))


async def test_closing_ends_the_following() -> None:
    _, chat, side = joined()
    side.close()
    side.close()
    assert chat.followers == []


def test_every_kind_of_entry_has_a_translation() -> None:
    assert set(TRANSLATIONS) == set(EntryKind)
