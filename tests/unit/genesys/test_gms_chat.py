"""One chat from the customer's side: what becomes of its pushes."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from botkit import chat
from botkit.chat import EndedBy
from botkit.genesys.gms_chat import REMEMBERED, GmsChat

AGENT = {"nickname": "Ada", "participantId": 2, "type": "Agent"}
CUSTOMER = {"nickname": "Bill", "participantId": 1, "type": "Client"}


def push(*events: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"statusCode": 0, "chatId": "C", "secureKey": "K", "messages": list(events)} | members


def event(index: int | None, type: str, sender: dict[str, Any] = AGENT, **members: Any) -> Any:
    return {"index": index, "type": type, "from": sender} | members


def started() -> GmsChat:
    one = GmsChat(userdata={"Segment": "gold"})
    one.receive(push(event(1, "ParticipantJoined", CUSTOMER)), now=0.0)
    return one


def test_the_first_key_opens_the_chat_and_the_latest_is_kept() -> None:
    one = GmsChat(userdata={})
    first, second = one.receive(push(event(1, "ParticipantJoined")), now=5.0)
    assert isinstance(first, chat.SessionStarted)
    assert first.session_id == "C"
    assert isinstance(second, chat.AgentConnected)
    assert (first.seq, second.seq, second.at) == (1, 2, 5.0)
    one.receive(push(secureKey="K2"), now=6.0)
    one.receive(push(secureKey=""), now=7.0)
    assert one.secure_key == "K2"


def test_routing_data_on_the_join_is_user_data() -> None:
    events = started().receive(
        push(event(2, "ParticipantJoined", userData={"SurveyURL": "s", "Segment": "gold"})), now=1.0
    )
    assert [type(e) for e in events] == [chat.AgentConnected, chat.Userdata]
    assert events[1].changes == {"SurveyURL": "s"}  # type: ignore[attr-defined]


def test_the_customers_own_lines_are_marked() -> None:
    (line,) = started().receive(push(event(2, "Message", CUSTOMER, text="hi")), now=1.0)
    assert isinstance(line, chat.Message)
    assert line.own


def test_unknown_types_and_external_joins_are_kept_for_the_record() -> None:
    system = {"nickname": "system", "type": "External"}
    events = started().receive(
        push(event(2, "ParticipantJoined", system), event(3, "Hologram", text="boo")), now=1.0
    )
    assert [(type(e), e.kind) for e in events] == [  # type: ignore[attr-defined]
        (chat.Other, "ParticipantJoined"),
        (chat.Other, "Hologram"),
    ]


def test_the_end_belongs_to_whoever_asked_for_it() -> None:
    by_service = started().receive(push(chatEnded=True), now=1.0)[-1]
    leaving = started()
    leaving.leaving = True
    by_customer = leaving.receive(push(chatEnded=True), now=1.0)[-1]
    assert isinstance(by_service, chat.SessionEnded)
    assert by_service.by is EndedBy.SERVICE
    assert isinstance(by_customer, chat.SessionEnded)
    assert by_customer.by is EndedBy.CUSTOMER
    assert leaving.receive(push(event(9, "Message", text="late")), now=2.0) == []


def test_the_customer_leaving_is_the_end_and_another_client_leaving_is_not() -> None:
    one = started()
    other = {"nickname": "Eve", "participantId": 7, "type": "Client"}
    assert not any(
        isinstance(e, chat.SessionEnded)
        for e in one.receive(push(event(2, "ParticipantLeft", other)), now=1.0)
    )
    assert isinstance(
        one.receive(push(event(3, "ParticipantLeft", CUSTOMER)), now=1.0)[-1], chat.SessionEnded
    )


def test_a_failure_before_the_key_is_a_refusal_and_after_it_an_error() -> None:
    failure = {"statusCode": 2, "errors": [{"code": 240, "message": "no", "advice": "stop"}]}
    fresh = GmsChat(userdata={})
    assert fresh.receive(failure, now=0.0) == []
    assert fresh.refusal is not None
    assert (fresh.refusal.code, fresh.refusal.description) == (240, "no stop")
    (error,) = started().receive(failure, now=0.0)
    assert isinstance(error, chat.Error)
    assert (error.code, error.description) == (240, "no stop")
    ending = started().receive(failure | {"chatEnded": True}, now=0.0)
    assert [type(e) for e in ending] == [chat.Error, chat.SessionEnded]


@given(st.lists(st.integers(1, 30), max_size=60), st.integers(1, 5))
def test_whatever_is_replayed_in_whatever_order_comes_once(order: list[int], size: int) -> None:
    one = started()
    seen: list[int] = []
    for start in range(0, len(order), size):
        batch = [event(i + 1, "Message", text=str(i)) for i in order[start : start + size]]
        told = [*one.receive(push(*batch), now=1.0), *one.release(now=1.0)]
        seen += [int(e.text) for e in told]  # type: ignore[attr-defined]
    assert seen == list(dict.fromkeys(order))
    floor = one.resume_from or 1
    assert set(range(1, floor - 1)) <= set(order)


def test_a_numbering_with_holes_does_not_remember_without_end() -> None:
    one = started()
    for index in range(10, 10 + 4 * REMEMBERED, 2):
        one.receive(push(event(index, "Message", text="x")), now=1.0)
    one.release(now=1.0)
    assert len(one._seen) <= REMEMBERED
    assert one.resume_from is not None
    assert one.resume_from > 3 * REMEMBERED


def texts_of(events: list[chat.Event]) -> list[str]:
    return [e.text if isinstance(e, chat.Message) else type(e).__name__ for e in events]


def lines(*indexes: int) -> list[dict[str, Any]]:
    return [event(index, "Message", text=str(index)) for index in indexes]


@given(st.permutations(range(4)), st.integers(0, 3))
def test_pushes_that_overtake_each_other_are_told_in_order(order: list[int], again: int) -> None:
    end = push(chatEnded=True, nextPosition=6)
    pushes = [push(*lines(2)), push(*lines(3, 4)), push(*lines(5)), end]
    one = started()
    told = [e for i in [*order[:again], *order] for e in one.receive(pushes[i], now=1.0)]
    assert texts_of(told) == ["2", "3", "4", "5", "SessionEnded"]
    assert [e.seq for e in told] == [*range(told[0].seq, told[0].seq + 5)]
    assert not one.is_holding


def test_what_is_missing_is_awaited_until_it_is_given_up() -> None:
    one = started()
    assert texts_of(one.receive(push(*lines(2)), now=1.0)) == ["2"]
    assert one.receive(push(*lines(6)), now=1.0) == []
    assert one.receive(push(*lines(4)), now=1.0) == []
    assert one.is_holding
    assert texts_of(one.release(now=2.0)) == ["4", "6"]
    assert not one.is_holding
    # A gap that was given up holds nothing any more, and can still be asked for.
    assert texts_of(one.receive(push(*lines(7)), now=2.0)) == ["7"]
    assert one.resume_from == 3
    assert texts_of(one.receive(push(*lines(3, 4, 5, 6, 7)), now=3.0)) == ["3", "5"]


def test_the_end_lets_go_what_is_held() -> None:
    one = started()
    assert one.receive(push(*lines(3)), now=1.0) == []
    told = one.end(EndedBy.LOST, "gone", now=1.0)
    assert texts_of(told) == ["3", "SessionEnded"]
    assert one.end(EndedBy.LOST, "gone", now=1.0) == []


def test_a_confirmed_change_of_user_data_is_told_once() -> None:
    one = started()
    (told,) = one.confirm(chat.SetUserdata(userdata={"A": "1"}), now=1.0)
    assert told.changes == {"A": "1"}  # type: ignore[attr-defined]
    assert one.confirm(chat.SetUserdata(userdata={"A": "1"}), now=2.0) == []
    (gone,) = one.confirm(chat.DeleteUserdata(key="A"), now=3.0)
    assert gone.changes == {"A": None}  # type: ignore[attr-defined]
    assert one.confirm(chat.SendMessage(text="x"), now=4.0) == []
