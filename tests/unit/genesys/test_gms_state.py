"""What is kept of a GMS chat, and a chat that goes on from it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit import chat
from botkit.chat import Event
from botkit.errors import StateError
from botkit.genesys.gms_chat import GmsChat
from botkit.genesys.gms_state import GmsState, read_state

HERE = {"connector": "gms-cometd", "server": "http://h/cometd", "service": "demo"}
AGENT = {"nickname": "Ada", "participantId": 2, "type": "Agent"}
CUSTOMER = {"nickname": "Bill", "participantId": 1, "type": "Client"}


def push(*indexes: int, **members: Any) -> dict[str, Any]:
    lines = [
        {"index": index, "type": "Message", "from": AGENT, "text": f"line {index}"}
        for index in indexes
    ]
    base = {"statusCode": 0, "chatId": "C", "userId": "U", "alias": "7", "secureKey": "K"}
    return base | {"messages": lines} | members


def restored(one: GmsChat) -> GmsChat:
    """Go on from a chat as another process would."""
    written = one.state.as_json(**HERE)
    return GmsChat(userdata={}, restored=read_state(written, **HERE))


def of_indexes(events: list[Event], *, history: bool) -> list[int | None]:
    return [e.index for e in events if isinstance(e, chat.Message) and e.history is history]


def test_a_state_survives_its_json() -> None:
    state = GmsState(
        session_id="C", secure_key="K", user_id="U", alias="7", position=4, beyond=(6, 7),
        own_id="1", nickname="Bill", userdata={"Segment": "gold"},
    )  # fmt: skip
    assert read_state(state.as_json(**HERE), **HERE) == state


@pytest.mark.parametrize("key", HERE)
def test_a_state_of_another_place_is_refused(key: str) -> None:
    written = GmsState(session_id="C", secure_key="K").as_json(**HERE)
    with pytest.raises(StateError, match=f"belongs to the {key} 'elsewhere'"):
        read_state(written | {key: "elsewhere"}, **HERE)


def test_an_error_about_a_state_tells_no_password() -> None:
    written = GmsState(session_id="C", secure_key="K").as_json(**HERE)
    with pytest.raises(StateError, match="server 'http://there', not to 'http://here'") as caught:
        read_state(
            written | {"server": "http://ada:pass/w@rd@there"},
            **(HERE | {"server": "http://ada:other@here"}),
        )
    assert "ada" not in str(caught.value)


@given(
    st.dictionaries(
        st.sampled_from(["session_id", "secure_key", "position", "beyond", "userdata", "own_id"]),
        st.none() | st.integers() | st.text() | st.lists(st.text()) | st.booleans(),
    )
)
def test_whatever_is_stored_only_a_state_error_comes_out(members: dict[str, Any]) -> None:
    try:
        read_state(HERE | {"secure_key": "K"} | members, **HERE)
    except StateError as error:
        assert "stored chat" in str(error)  # noqa: PT017 - whether it raises depends on the data


def test_what_was_seen_is_history_and_what_was_missed_is_new() -> None:
    one = GmsChat(userdata={})
    one.receive(push(1, 2), now=0.0)
    one.receive(push(4), now=0.0)
    one.release(now=0.1)
    assert (one.state.position, one.state.beyond) == (2, (4,))

    again = restored(one)
    events = again.receive(push(1, 2, 3, 4, 5), now=1.0)
    assert isinstance(events[0], chat.SessionRestored)
    assert of_indexes(events, history=True) == [1, 2, 4]
    assert of_indexes(events, history=False) == [3, 5]
    assert again.receive(push(1, 2, 3, 4, 5), now=2.0) == []


def test_a_state_taken_before_everything_was_repeated_forgets_nothing() -> None:
    one = GmsChat(userdata={})
    one.receive(push(1, 2, 3), now=0.0)
    again = restored(one)
    again.receive(push(1), now=1.0)
    third = restored(again)
    events = third.receive(push(1, 2, 3, 4), now=2.0)
    assert of_indexes(events, history=True) == [1, 2, 3]
    assert of_indexes(events, history=False) == [4]


@given(st.lists(st.integers(1, 30), unique=True), st.lists(st.integers(1, 30), unique=True))
def test_over_any_two_processes_each_line_is_new_once(first: list[int], second: list[int]) -> None:
    one = GmsChat(userdata={})
    told = []
    for index in first:
        told += of_indexes(one.receive(push(index), now=0.0), history=False)
    told += of_indexes(one.release(now=0.1), history=False)
    again = restored(one) if one.started else GmsChat(userdata={})
    for index in [*sorted(first), *second]:
        told += of_indexes(again.receive(push(index), now=1.0), history=False)
    told += of_indexes(again.release(now=1.1), history=False)
    assert sorted(told, key=str) == sorted({*first, *second}, key=str)


def test_old_user_data_does_not_come_back() -> None:
    one = GmsChat(userdata={})
    joined = {"index": 1, "type": "ParticipantJoined", "from": AGENT, "userData": {"a": "old"}}
    one.receive(push() | {"messages": [joined]}, now=0.0)
    one.confirm(chat.SetUserdata(userdata={"a": "new"}), now=1.0)
    again = restored(one)
    events = again.receive(push() | {"messages": [joined]}, now=2.0)
    assert again.userdata.get("a") == "new"
    assert not any(isinstance(event, chat.Userdata) for event in events)


def test_another_chat_and_a_chat_that_ended_are_refused() -> None:
    one = GmsChat(userdata={})
    one.receive(push(1), now=0.0)
    other = restored(one)
    assert other.receive(push(1, chatId="D"), now=1.0) == []
    assert str(other.refusal) == "the service answered for the chat D instead of C"
    over = restored(one)
    assert over.receive(push(1, chatEnded=True), now=1.0) == []
    assert str(over.refusal) == "the chat has ended meanwhile"
    gone = restored(one)
    gone.receive({"statusCode": 2, "errors": [{"code": 8210, "message": "no"}]}, now=1.0)
    assert gone.refusal is not None
    assert gone.refusal.code == 8210


def test_the_nickname_of_now_is_kept() -> None:
    one = GmsChat(userdata={}, nickname="Bill")
    one.receive(push(1), now=0.0)
    one.confirm(chat.UpdateNickname(nickname="William"), now=1.0)
    assert restored(one).nickname == "William"
