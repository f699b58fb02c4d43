"""The contact centre: chats, positions, visibility, silence; time is made up."""

import random

import pytest

from botkit.chat import EndedBy, PartyKind
from botkit.simulator.centre import Centre, CentreError, CentreSettings
from botkit.simulator.chats import SERVICE_PARTY, Chat, ChatRequest, EntryKind


def make_centre(**settings: float) -> Centre:
    made = CentreSettings(**settings)  # type: ignore[arg-type]
    return Centre(settings=made, rng=random.Random(1), epoch=1_000_000.0)


def open_chat(centre: Centre, *, now: float = 0.0, **attach: str) -> Chat:
    request = ChatRequest(service="demo", nickname="Ada", userdata={"Own": "1"})
    return centre.open(request, attach=attach, now=now)


def kinds(chat: Chat) -> list[EntryKind]:
    return [entry.kind for entry in chat.log]


def test_a_new_chat_is_queued_and_its_customer_is_in_it() -> None:
    centre = make_centre()
    chat = open_chat(centre, now=5.0)
    assert chat.state == "queued"
    assert (centre.open_chats, centre.total) == (1, 1)
    assert [(e.kind, e.index, e.utc, e.party.name) for e in chat.log] == [
        (EntryKind.JOINED, 1, 1_000_005.0, "Ada")
    ]
    assert centre.by_key(chat.secure_key) is chat
    assert centre.by_id(chat.id) is chat


def test_ids_and_keys_of_chats_differ_and_repeat_with_the_seed() -> None:
    first, second = make_centre(), make_centre()
    chats = [open_chat(first) for _ in range(50)]
    assert len({chat.secure_key for chat in chats}) == 50
    assert len({chat.id for chat in chats}) == 50
    assert open_chat(second).secure_key == chats[0].secure_key


def test_a_chat_without_a_nickname_is_refused() -> None:
    with pytest.raises(CentreError, match="nickname"):
        make_centre().open(ChatRequest(service="demo", nickname=""), attach={}, now=0.0)


def test_too_many_chats_are_refused() -> None:
    centre = make_centre(max_open=1)
    open_chat(centre)
    with pytest.raises(CentreError, match="1 chats are open"):
        open_chat(centre)


def test_the_join_of_an_agent_tells_only_what_the_customer_may_see() -> None:
    centre = make_centre()
    chat = open_chat(centre, SurveyURL="https://survey.example.com")
    first = centre.join(chat, "Grace", now=1.0, kind=PartyKind.AGENT)
    centre.attach(chat, {"Skill": "billing"}, first, now=1.0, visible=False)
    centre.join(chat, "Bob", now=1.0, kind=PartyKind.SUPERVISOR)
    assert chat.state == "active"
    assert chat.userdata["Skill"] == "billing"
    assert dict(chat.log[-1].userdata) == {"Own": "1", "SurveyURL": "https://survey.example.com"}


def test_a_key_that_the_customer_sets_later_becomes_visible() -> None:
    centre = make_centre()
    chat = open_chat(centre)
    agent = centre.join(chat, "Grace", now=1.0, kind=PartyKind.AGENT)
    centre.attach(chat, {"Skill": "billing"}, agent, now=1.0, visible=False)
    centre.attach(chat, {"Skill": "sales"}, chat.customer, now=2.0, visible=True)
    assert chat.visible_userdata() == {"Own": "1", "Skill": "sales"}


def test_an_empty_value_takes_a_key_away() -> None:
    centre = make_centre()
    chat = open_chat(centre)
    centre.attach(chat, {"Own": ""}, chat.customer, now=1.0, visible=True)
    assert (chat.userdata, chat.visible_userdata()) == ({}, {})


def test_entries_for_agents_alone_have_no_index() -> None:
    centre = make_centre()
    chat = open_chat(centre)
    centre.attach(chat, {"A": "1"}, chat.customer, now=1.0, visible=True)
    centre.write(chat, EntryKind.MESSAGE, chat.customer, now=2.0, text="hi")
    assert [entry.index for entry in chat.log] == [1, None, 2]
    assert chat.next_index == 3


@pytest.mark.parametrize(("index", "position"), [(-1, 0), (0, 0), (1, 0), (2, 2), (3, 3), (9, 3)])
def test_a_transcript_index_leads_to_its_place_in_the_log(index: int, position: int) -> None:
    centre = make_centre()
    chat = open_chat(centre)
    centre.attach(chat, {"A": "1"}, chat.customer, now=1.0, visible=True)
    centre.write(chat, EntryKind.MESSAGE, chat.customer, now=2.0, text="hi")
    assert chat.position_of(index) == position


def test_the_customer_ends_the_chat_once() -> None:
    centre = make_centre()
    chat = open_chat(centre)
    centre.join(chat, "Grace", now=1.0, kind=PartyKind.AGENT)
    centre.end(chat, EndedBy.CUSTOMER, now=2.0)
    centre.end(chat, EndedBy.SERVICE, now=3.0)
    assert kinds(chat)[-2:] == [EntryKind.LEFT, EntryKind.ENDED]
    assert chat.log[-2].party.kind is PartyKind.CUSTOMER
    assert (chat.state, chat.ended_by, chat.ended_at) == ("ended", EndedBy.CUSTOMER, 2.0)
    assert centre.ended == {EndedBy.CUSTOMER: 1, EndedBy.SERVICE: 0}
    assert centre.open_chats == 0


def test_an_agent_who_leaves_does_not_end_the_chat() -> None:
    centre = make_centre()
    chat = open_chat(centre)
    agent = centre.join(chat, "Grace", now=1.0, kind=PartyKind.AGENT)
    centre.leave(chat, agent, now=2.0)
    centre.leave(chat, agent, now=3.0)
    assert kinds(chat) == [EntryKind.JOINED, EntryKind.JOINED, EntryKind.LEFT]
    assert (chat.state, chat.agents) == ("active", {})


def test_nothing_can_be_done_in_a_chat_that_has_ended() -> None:
    centre = make_centre()
    chat = open_chat(centre)
    centre.end(chat, EndedBy.CUSTOMER, now=1.0)
    length = len(chat.log)
    for act in (
        lambda: centre.write(chat, EntryKind.MESSAGE, chat.customer, now=2.0, text="hi"),
        lambda: centre.attach(chat, {"A": "1"}, chat.customer, now=2.0, visible=True),
        lambda: centre.rename_customer(chat, "Eve", now=2.0),
        lambda: centre.mark_read(chat, 1, now=2.0),
        lambda: centre.join(chat, "Grace", now=2.0, kind=PartyKind.AGENT),
    ):
        with pytest.raises(CentreError, match="has ended"):
            act()
    assert len(chat.log) == length


def test_a_log_is_bounded_and_the_chat_can_still_be_left() -> None:
    centre = make_centre(max_log=2)
    chat = open_chat(centre)
    centre.write(chat, EntryKind.MESSAGE, chat.customer, now=1.0, text="one")
    with pytest.raises(CentreError, match="2 entries"):
        centre.write(chat, EntryKind.MESSAGE, chat.customer, now=1.0, text="two")
    centre.end(chat, EndedBy.CUSTOMER, now=2.0)
    assert chat.state == "ended"


def test_finished_chats_are_forgotten_when_there_are_too_many() -> None:
    centre = make_centre(keep_finished=2)
    chats = [open_chat(centre) for _ in range(3)]
    for chat in chats:
        centre.end(chat, EndedBy.CUSTOMER, now=1.0)
    assert centre.by_key(chats[0].secure_key) is None
    assert centre.by_id(chats[0].id) is None
    assert list(centre.chats()) == [chats[2], chats[1]]
    assert centre.total == 3


def test_followers_are_told_after_each_change() -> None:
    centre = make_centre()
    chat = open_chat(centre)
    lengths: list[int] = []
    chat.followers.append(lambda chat: lengths.append(len(chat.log)))
    centre.write(chat, EntryKind.MESSAGE, chat.customer, now=1.0, text="hi")
    centre.end(chat, EndedBy.CUSTOMER, now=2.0)
    assert lengths == [2, 4]


def test_silence_is_warned_of_and_then_ends_the_chat() -> None:
    centre = make_centre(idle_alert=10.0, idle_close=5.0)
    assert centre.next_deadline() is None
    chat = open_chat(centre, now=0.0)
    assert centre.next_deadline() == 10.0
    assert centre.expire(now=9.9) == []
    assert centre.expire(now=10.0) == [chat]
    assert centre.next_deadline() == 15.0
    assert centre.expire(now=15.0) == [chat]
    assert [e.kind for e in chat.log[1:]] == [
        EntryKind.IDLE_ALERT,
        EntryKind.IDLE_CLOSE,
        EntryKind.ENDED,
    ]
    assert chat.log[1].party is SERVICE_PARTY
    assert chat.ended_by is EndedBy.SERVICE
    assert centre.next_deadline() is None


def test_whoever_speaks_after_the_warning_keeps_the_chat() -> None:
    centre = make_centre(idle_alert=10.0, idle_close=5.0)
    chat = open_chat(centre, now=0.0)
    centre.expire(now=10.0)
    centre.write(chat, EntryKind.MESSAGE, chat.customer, now=12.0, text="still here")
    assert centre.expire(now=15.0) == []
    assert centre.next_deadline() == 22.0


def test_the_longest_silent_chat_times_out_first() -> None:
    centre = make_centre(idle_alert=10.0, idle_close=5.0)
    first, second = open_chat(centre, now=0.0), open_chat(centre, now=1.0)
    centre.write(first, EntryKind.MESSAGE, first.customer, now=2.0, text="hi")
    assert centre.expire(now=11.0) == [second]
    assert list(centre.chats()) == [second, first]
