from __future__ import annotations

from typing import Any

import pytest

from botkit.bayeux.advice import JSON, Advice, Reconnect
from botkit.bayeux.client import (
    Acknowledged,
    Client,
    ClientConfig,
    Connect,
    Connected,
    Delivered,
    Event,
    Handshake,
    Handshaken,
    Lost,
    Refused,
    Regained,
    SessionUnknown,
    Stop,
    Stopped,
    Wait,
)
from botkit.bayeux.messages import (
    CONNECT,
    DISCONNECT,
    HANDSHAKE,
    SUBSCRIBE,
    UNSUBSCRIBE,
    Message,
)
from botkit.bayeux.states import RULES, ClientState, missing, rule_of
from botkit.errors import LocalProtocolError

CHAT = "/service/chatV2/demo"
USUAL = Advice(reconnect=Reconnect.RETRY, interval=0.0, timeout=30.0)
AGAIN = Advice(reconnect=Reconnect.HANDSHAKE, interval=0.0)
UNKNOWN = "402::session_unknown"


def make(**config: Any) -> Client:
    # Without jitter the backoff is the whole of it: 1 s, 2 s, 3 s.
    return Client(ClientConfig(**config), jitter=lambda: 1.0)


def ask(client: Client, now: float = 0.0) -> Message:
    action = client.next_action(now)
    assert isinstance(action, Handshake | Connect)
    (message,) = action.messages
    return message


def answer(client: Client, now: float = 0.0, **members: Any) -> list[Event]:
    """Have the connect loop ask what it has to, and answer that."""
    asked = ask(client, now)
    reply = Message(channel=asked.channel, id=asked.id, **{"successful": True, **members})
    return client.receive([reply], now, ends_request=True)


def greet(client: Client, now: float = 0.0, client_id: str = "c1", **members: Any) -> list[Event]:
    return answer(client, now, client_id=client_id, **{"advice": USUAL, **members})


def connected(**config: Any) -> Client:
    client = make(**config)
    greet(client)
    answer(client)
    return client


def test_handshake_comes_first_and_alone() -> None:
    client = make(ext={"reestablish": True})
    action = client.next_action(5.0)
    assert isinstance(action, Handshake)
    assert action.deadline == 15.0
    (message,) = action.messages
    assert message == Message(
        channel=HANDSHAKE,
        id="1",
        version="1.0",
        minimum_version="1.0",
        supported_connection_types=("long-polling",),
        ext={"reestablish": True, "ack": True, "timesync": {"tc": 5000, "l": 0, "o": 0}},
    )
    assert client.is_asking


def test_extensions_need_not_be_offered() -> None:
    client = make(ack=False, timesync=False)
    assert ask(client).ext is None
    # And what was not asked for is not agreed on.
    ext: dict[str, JSON] = {"ack": True, "timesync": {"tc": 0, "ts": 1, "p": 0}}
    reply = Message(channel=HANDSHAKE, id="1", successful=True, client_id="c1", ext=ext)
    client.receive([reply], 0.0, ends_request=True)
    assert ask(client).ext is None
    assert (client.batch, client.lag, client.clock_offset) == (None, None, None)


def test_first_connect_returns_at_once_and_the_next_is_held() -> None:
    client = make()
    assert greet(client) == [Handshaken(client_id="c1", again=False, ext=None)]
    first = client.next_action(1.0)
    assert isinstance(first, Connect)
    assert first.messages[0].advice == Advice(timeout=0.0)
    assert (first.held, first.deadline) == (False, 11.0)
    reply = Message(channel=CONNECT, id="2", successful=True)
    assert client.receive([reply], 1.0, ends_request=True) == [Connected()]
    second = client.next_action(1.0)
    assert isinstance(second, Connect)
    assert second.messages[0].advice is None
    assert (second.held, second.deadline) == (True, 41.0)


def test_every_element_of_a_reply_is_processed_in_order() -> None:
    client = connected()
    publish = client.publish(CHAT, {"operation": "x"})
    poll = ask(client)
    events = client.receive(
        [
            Message(channel=CHAT, data="one"),
            Message(channel=CHAT, id=publish.id, successful=True),
            Message(channel=CHAT, data="two", id="77"),
            Message(channel=CONNECT, id=poll.id, successful=True),
            Message(channel=CHAT, data="three"),
        ],
        0.0,
        ends_request=True,
    )
    assert [event.data if isinstance(event, Delivered) else None for event in events] == [
        "one",
        None,
        "two",
        "three",
    ]
    assert isinstance(events[1], Acknowledged)


def test_requests_carry_what_the_rules_demand() -> None:
    client = make()
    built = [ask(client)]
    client.receive([Message(channel=HANDSHAKE, id="1", successful=True, client_id="c")], 0.0)
    built.append(ask(client))
    built += [
        client.publish(CHAT, 0),
        client.subscribe("/a"),
        client.unsubscribe("/a", "/b"),
    ]
    goodbye = client.disconnect()
    assert goodbye is not None
    built.append(goodbye)
    assert {message.channel for message in built} == {*RULES, CHAT}
    for message in built:
        assert missing(message, rule_of(message.channel).request) == []
    assert len({message.id for message in built}) == len(built)


@pytest.mark.parametrize("channel", ["/meta/connect", "chat", ""])
def test_nobody_publishes_where_it_is_impossible(channel: str) -> None:
    with pytest.raises(LocalProtocolError, match="publish"):
        connected().publish(channel, 1)


def test_requests_need_a_session_and_content() -> None:
    with pytest.raises(LocalProtocolError, match="no session"):
        make().publish(CHAT, 1)
    with pytest.raises(LocalProtocolError, match="data"):
        connected().publish(CHAT, None)
    with pytest.raises(LocalProtocolError, match="at least one"):
        connected().subscribe()


def test_asking_twice_is_a_mistake_of_the_caller() -> None:
    client = make()
    client.next_action(0.0)
    with pytest.raises(LocalProtocolError, match="still under way"):
        client.next_action(0.0)


@pytest.mark.parametrize("channel", [SUBSCRIBE, UNSUBSCRIBE])
def test_acknowledgement_comes_once(channel: str) -> None:
    client = connected()
    message = client.subscribe("/a") if channel == SUBSCRIBE else client.unsubscribe("/a")
    reply = Message(channel=channel, id=message.id, successful=False, error="403::no")
    assert client.receive([reply, reply], 0.0) == [
        Acknowledged(
            id=str(message.id),
            channel=channel,
            successful=False,
            error="403::no",
            unknown_session=False,
            message=reply,
        )
    ]


def test_replies_to_nothing_we_asked_are_ignored() -> None:
    client = connected()
    client.publish(CHAT, 1)
    poll = ask(client)
    assert (
        client.receive(
            [
                Message(channel=CHAT, id="999", successful=True),
                Message(channel="/other", id="3", successful=True),
                Message(channel=CONNECT, id="999", successful=False, advice=AGAIN),
                Message(channel=HANDSHAKE, id=poll.id, successful=True, client_id="c9"),
                Message(channel="/meta/ping", id="1"),
                Message(channel="", error="oops"),
                Message(channel=CHAT),
            ],
            0.0,
        )
        == []
    )
    assert client.client_id == "c1"
    assert client.is_asking


def test_replies_without_ids_answer_what_was_asked_on_their_channel() -> None:
    client = make()
    ask(client)
    reply = Message(channel=HANDSHAKE, successful=True, client_id="c1")
    assert client.receive([reply], 0.0, ends_request=True) == [
        Handshaken(client_id="c1", again=False, ext=None)
    ]
    first, second = client.publish(CHAT, 1), client.publish(CHAT, 2)
    reply = Message(channel=CHAT, successful=True)
    acks = client.receive([reply, reply, reply], 0.0)
    assert [ack.id for ack in acks if isinstance(ack, Acknowledged)] == [first.id, second.id]


def test_forgotten_and_surplus_messages_are_not_acknowledged() -> None:
    client = connected(max_pending=2)
    sent = [client.publish(CHAT, n) for n in range(3)]
    client.forget(sent[2])
    client.forget(sent[2])
    replies = [Message(channel=CHAT, id=message.id, successful=True) for message in sent]
    acks = client.receive(replies, 0.0)
    assert [ack.id for ack in acks if isinstance(ack, Acknowledged)] == [sent[1].id]


def test_failures_back_off_and_success_resets() -> None:
    client = connected(max_backoff=2.5)
    now = 0.0
    events = []
    for pause in (1.0, 2.0, 2.5, 2.5):
        ask(client, now)
        events += client.request_failed(now, "refused")
        assert client.next_action(now) == Wait(until=now + pause)
        now += pause
    assert events == [Lost(reason="refused")]
    action = client.next_action(now)
    assert isinstance(action, Connect)
    assert not action.held
    assert action.messages[0].client_id == "c1"
    reply = Message(channel=CONNECT, id=action.messages[0].id, successful=True)
    assert client.receive([reply], now, ends_request=True) == [Regained()]
    ask(client, now)
    assert client.request_failed(now) == [Lost(reason="")]
    assert client.next_action(now) == Wait(until=now + 1.0)


def test_jitter_spreads_the_backoff_and_only_that() -> None:
    client = Client(jitter=lambda: 0.0)
    ask(client)
    client.request_failed(0.0)
    assert client.next_action(0.0) == Wait(until=0.5)
    greet(client, 0.5, advice=Advice(interval=3.0))
    assert client.next_action(0.5) == Wait(until=3.5)


def test_response_without_the_answer_is_a_failure() -> None:
    client = connected()
    ask(client)
    events = client.receive([Message(channel=CHAT, data=1)], 0.0, ends_request=True)
    assert [type(event) for event in events] == [Delivered, Lost]
    assert client.request_failed(0.0) == []


def test_interval_is_waited_for() -> None:
    client = connected()
    answer(client, 1.0, advice=Advice(interval=2.0, multiple_clients=True))
    assert client.advice.multiple_clients
    assert client.next_action(1.0) == Wait(until=3.0)


@pytest.mark.parametrize(
    ("reply", "lost"),
    [
        ({"error": UNKNOWN, "advice": AGAIN}, True),
        ({"error": "402::Unknown client"}, True),
        ({"error": "401:c1:Unknown client"}, True),
        ({"error": "404::message_deleted", "advice": AGAIN}, True),
        ({"successful": True, "advice": AGAIN}, True),
        ({"error": UNKNOWN, "advice": USUAL}, False),
        ({"error": "402:connectionType:Missing required parameter"}, False),
        ({}, False),
    ],
)
def test_advice_decides_on_a_new_handshake_and_text_only_without(
    reply: dict[str, Any], lost: bool
) -> None:
    client = connected()
    events = answer(client, 1.0, **{"successful": False, **reply})
    if not lost:
        assert events == [Lost(reason=reply.get("error", ""))]
        assert client.next_action(1.0) == Wait(until=2.0)
        return
    assert events == [SessionUnknown(client_id="c1", error=reply.get("error", ""))]
    assert client.client_id is None
    assert client.next_action(1.0) == Wait(until=2.0)
    assert isinstance(client.next_action(2.0), Handshake)


def test_after_a_new_handshake_the_application_is_told_to_bind_again() -> None:
    client = connected()
    answer(client, 1.0, successful=False, error=UNKNOWN, advice=AGAIN)
    # No advice in this reply: the stored "handshake" must not outlive it.
    events = answer(client, 2.0, client_id="c2")
    assert events == [Handshaken(client_id="c2", again=True, ext=None)]
    assert answer(client, 2.0) == [Connected()]
    assert isinstance(client.next_action(2.0), Connect)


def test_publish_that_tells_of_a_lost_session_voids_the_connect() -> None:
    client = connected()
    poll = ask(client)
    early, late = client.publish(CHAT, 1), client.publish(CHAT, 2)
    refusal = Message(channel=CHAT, id=early.id, successful=False, error=UNKNOWN)
    events = client.receive([refusal], 3.0)
    assert [type(event) for event in events] == [Acknowledged, SessionUnknown]
    assert not client.is_asking
    assert client.receive([Message(channel=CONNECT, id=poll.id, successful=True)], 3.0) == []
    assert greet(client, 4.0, client_id="c2")
    # The second refusal is about the session before.
    refusal = Message(channel=CHAT, id=late.id, successful=False, error=UNKNOWN, advice=AGAIN)
    assert [type(event) for event in client.receive([refusal], 4.0)] == [Acknowledged]
    assert client.client_id == "c2"
    assert client.advice.reconnect is Reconnect.RETRY


def stopped_at_birth() -> tuple[Client, Message, Message]:
    """A session whose first connect and first publish are refused, and both refusals."""
    client = make()
    greet(client)
    poll, publish = ask(client), client.publish(CHAT, 1)
    refusal = Message(channel=CHAT, id=publish.id, successful=False, error=UNKNOWN)
    none = Advice(reconnect=Reconnect.NONE)
    end = Message(channel=CONNECT, id=poll.id, successful=False, error=UNKNOWN, advice=none)
    return client, refusal, end


def test_loss_told_beside_a_connect_that_returns_at_once_is_left_to_that() -> None:
    client, refusal, end = stopped_at_birth()
    [acknowledged] = client.receive([refusal], 0.0)
    assert isinstance(acknowledged, Acknowledged)
    assert acknowledged.unknown_session
    assert (client.is_asking, client.in_doubt, client.client_id) == (True, True, "c1")
    assert client.receive([end], 0.0, ends_request=True) == [Stopped(reason=UNKNOWN)]
    assert not client.in_doubt
    assert client.next_action(0.0) == Stop(reason=UNKNOWN)


def test_refusal_that_comes_after_such_a_connect_changes_nothing() -> None:
    client, refusal, end = stopped_at_birth()
    assert client.receive([end], 0.0, ends_request=True) == [Stopped(reason=UNKNOWN)]
    [acknowledged] = client.receive([refusal], 0.0)
    assert isinstance(acknowledged, Acknowledged)
    assert acknowledged.unknown_session
    assert not client.in_doubt
    assert client.next_action(0.0) == Stop(reason=UNKNOWN)


@pytest.mark.parametrize("advice", [None, AGAIN])
def test_connect_that_does_not_decide_leaves_the_loss_to_the_next(advice: Advice | None) -> None:
    client = make()
    greet(client)
    poll, publish = ask(client), client.publish(CHAT, 1)
    refusal = Message(channel=CHAT, id=publish.id, successful=False, error=UNKNOWN, advice=advice)
    client.receive([refusal], 0.0)
    assert client.in_doubt
    # It was answered before the session was forgotten, or it was lost on its way.
    events = client.receive([Message(channel=CONNECT, id=poll.id, successful=True)], 0.0)
    if advice is None:
        assert events == [Connected()]
        events = answer(client, successful=False, error=UNKNOWN, advice=AGAIN)
    assert [type(event) for event in events] == [SessionUnknown]


def test_doubt_ends_with_the_connect_that_got_no_answer() -> None:
    client, refusal, _ = stopped_at_birth()
    client.receive([refusal], 0.0)
    assert client.request_failed(0.0) == []
    assert not client.in_doubt
    # Nothing is under way that would know better.
    publish = client.publish(CHAT, 2)
    refusal = Message(channel=CHAT, id=publish.id, successful=False, error=UNKNOWN)
    assert [type(e) for e in client.receive([refusal], 0.0)] == [Acknowledged, SessionUnknown]


def test_session_that_is_lost_at_birth_is_not_asked_for_in_a_tight_loop() -> None:
    client = make()
    now = 0.0
    for pause in (1.0, 2.0, 3.0):
        greet(client, now)
        answer(client, now, successful=False, error=UNKNOWN, advice=AGAIN)
        assert client.next_action(now) == Wait(until=now + pause)
        now += pause


def test_session_that_dies_young_again_and_again_is_not_asked_for_in_a_tight_loop() -> None:
    client = make()
    now = 0.0
    for pause in (1.0, 2.0, 3.0):
        greet(client, now)
        answer(client, now)
        answer(client, now, successful=False, error=UNKNOWN, advice=AGAIN)
        assert client.next_action(now) == Wait(until=now + pause)
        now += pause
    # One that lived for a while is followed by the next without delay, but for the jitter.
    greet(client, now)
    answer(client, now)
    now += 10.0
    answer(client, now, successful=False, error=UNKNOWN, advice=AGAIN)
    assert client.next_action(now) == Wait(until=now + 0.5)


@pytest.mark.parametrize(
    "advice", [Advice(reconnect=Reconnect.NONE), Advice(reconnect=Reconnect.RETRY, interval=-0.001)]
)
@pytest.mark.parametrize("successful", [True, False])
def test_server_may_forbid_to_go_on(advice: Advice, successful: bool) -> None:
    client = connected()
    events = answer(client, successful=successful, error="403::enough", advice=advice)
    assert isinstance(events[-1], Stopped)
    assert client.next_action(0.0) == Stop(reason=events[-1].reason)
    assert client.state is ClientState.CLOSED
    # Leaving politely is still possible, and nothing that comes late disturbs.
    goodbye = client.disconnect()
    assert goodbye is not None
    late = Message(channel=DISCONNECT, id=goodbye.id, successful=False, error=UNKNOWN)
    assert [type(event) for event in client.receive([late], 0.0)] == [Acknowledged]


def test_late_refusal_after_the_end_is_only_an_acknowledgement() -> None:
    client = connected()
    publish = client.publish(CHAT, 1)
    answer(client, advice=Advice(reconnect=Reconnect.NONE))
    late = Message(channel=CHAT, id=publish.id, successful=False, error=UNKNOWN, advice=AGAIN)
    assert [type(event) for event in client.receive([late], 0.0)] == [Acknowledged]


def test_refused_handshake_is_tried_again_unless_advised_otherwise() -> None:
    client = make()
    retry = Advice(reconnect=Reconnect.HANDSHAKE, interval=2.0)
    events = answer(client, successful=False, error="403::handshake_failed", advice=retry)
    assert events == [Refused(error="403::handshake_failed", advice=retry)]
    assert client.next_action(0.0) == Wait(until=3.0)
    denied = Advice(reconnect=Reconnect.NONE)
    events = answer(client, 3.0, successful=False, error="403::handshake_denied", advice=denied)
    assert events == [
        Refused(error="403::handshake_denied", advice=denied),
        Stopped(reason="403::handshake_denied"),
    ]


def test_handshake_that_forbids_to_connect_stops() -> None:
    client = make()
    events = greet(client, advice=Advice(reconnect=Reconnect.NONE))
    assert [type(event) for event in events] == [Handshaken, Stopped]


def test_handshake_without_a_client_id_is_a_refusal() -> None:
    events = answer(make())
    assert events == [Refused(error="the reply lacks clientId", advice=None)]


def both_types() -> Client:
    return make(
        connection_type="websocket", supported_connection_types=("websocket", "long-polling")
    )


def test_connection_can_be_changed_in_mid_session() -> None:
    client = both_types()
    told = Advice(timeout=5.0, transports=(("long-polling", Advice(timeout=20.0)),))
    greet(client, advice=told)
    assert ask(client).connection_type == "websocket"
    assert client.advice.timeout == 5.0
    client.use("long-polling")
    assert (client.connection_type, client.advice.timeout) == ("long-polling", 20.0)
    client.request_failed(0.0)
    poll = ask(client, 1.0)
    assert (poll.connection_type, poll.client_id) == ("long-polling", "c1")
    client.use("websocket")
    assert client.advice.timeout == 5.0
    with pytest.raises(LocalProtocolError, match="carrier-pigeon"):
        client.use("carrier-pigeon")


def test_handshake_that_offers_another_type_of_ours_changes_to_that() -> None:
    client = both_types()
    events = greet(client, supported_connection_types=("callback-polling", "long-polling"))
    assert [type(event) for event in events] == [Handshaken]
    assert client.connection_type == ask(client).connection_type == "long-polling"


def test_handshake_that_offers_the_present_type_changes_nothing() -> None:
    client = both_types()
    client.use("long-polling")
    greet(client, supported_connection_types=("websocket", "long-polling"))
    assert client.connection_type == "long-polling"


def test_server_that_speaks_no_transport_of_ours_stops() -> None:
    client = make()
    events = greet(client, supported_connection_types=("callback-polling",))
    assert [type(event) for event in events] == [Refused, Stopped]
    assert isinstance(client.next_action(0.0), Stop)


def test_session_that_must_have_expired_is_not_asked_for() -> None:
    client = connected()
    answer(client, advice=Advice(timeout=10.0, max_interval=10.0))
    now = 0.0
    events: list[Event] = []
    while client.state is not ClientState.UNCONNECTED:
        action = client.next_action(now)
        if isinstance(action, Wait):
            now = action.until
        else:
            events += client.request_failed(now)
    assert [type(event) for event in events] == [Lost, SessionUnknown]
    # Attempts at 0, 1, 3, 6, 10 and 15 s; the next would have been at 21 s, after 20 s.
    assert now == 15.0
    assert client.next_action(now) == Wait(until=21.0)
    # The new session has a time of its own.
    greet(client, 21.0, client_id="c2", advice=Advice(timeout=10.0, max_interval=10.0))
    ask(client, 21.0)
    assert client.request_failed(21.0) == []
    assert client.client_id == "c2"


def test_without_max_interval_the_session_is_asked_for_as_long_as_it_takes() -> None:
    client = connected()
    for now in (0.0, 1_000.0, 2_000.0):
        ask(client, now)
        client.request_failed(now)
    assert client.client_id == "c1"


def test_disconnect_stops_the_loop() -> None:
    client = connected()
    ask(client)
    goodbye = client.disconnect()
    assert goodbye is not None
    assert (goodbye.channel, goodbye.client_id) == (DISCONNECT, "c1")
    assert client.next_action(0.0) == Stop(reason="disconnected")
    assert client.disconnect() is None
    push = Message(channel=CHAT, data={"chatEnded": True})
    reply = Message(channel=DISCONNECT, id=goodbye.id, successful=True)
    events = client.receive([push, reply], 0.0)
    assert [type(event) for event in events] == [Delivered, Acknowledged]


def test_disconnect_without_a_session_only_stops() -> None:
    client = make()
    ask(client)
    assert client.disconnect() is None
    late = Message(channel=HANDSHAKE, id="1", successful=True, client_id="c1")
    assert client.receive([late], 0.0) == []
    assert client.client_id is None


def test_session_can_be_resumed() -> None:
    client = Client(jitter=lambda: 1.0, client_id="old")
    assert answer(client) == [Regained()]
    client = Client(jitter=lambda: 1.0, client_id="old")
    assert answer(client, successful=False, error=UNKNOWN) == [
        SessionUnknown(client_id="old", error=UNKNOWN)
    ]
    assert greet(client, 1.0) == [Handshaken(client_id="c1", again=True, ext=None)]


AGREED: dict[str, JSON] = {"ack": True}


def test_batches_are_told_with_each_connect() -> None:
    client = make(timesync=False)
    greet(client, ext=AGREED)
    assert ask(client).ext == {"ack": 0}
    client.receive([Message(channel=CONNECT, id="2", successful=True, ext={"ack": 1})], 0.0)
    assert answer(client, successful=False, error="500::no", ext={"ack": 2}) == [
        Lost(reason="500::no")
    ]
    assert client.batch == 1
    assert ask(client, 1.0).ext == {"ack": 1}
    # Another session counts anew, and only if the server agrees again.
    client.request_failed(1.0)
    answer(client, 3.0, successful=False, error=UNKNOWN, advice=AGAIN)
    greet(client, 4.0)
    assert ask(client, 4.0).ext is None


def test_acknowledged_session_can_be_resumed() -> None:
    client = Client(jitter=lambda: 1.0, client_id="old", batch=7)
    assert ask(client).ext == {"ack": 7}
    client = Client(jitter=lambda: 1.0, client_id="old")
    assert ask(client).ext is None


def push(data: JSON) -> Message:
    return Message(channel=CHAT, data=data)


def delivered(events: list[Event]) -> list[JSON]:
    return [event.data for event in events if isinstance(event, Delivered)]


def numbered(poll: Message, batch: int | None, **members: Any) -> Message:
    ext: dict[str, JSON] | None = None if batch is None else {"ack": batch}
    return Message(channel=CONNECT, id=poll.id, **{"successful": True, "ext": ext, **members})


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param({"batch": 1, "successful": False}, id="failed"),
        pytest.param({"batch": None}, id="without its number"),
        pytest.param(None, id="missing"),
    ],
)
def test_what_was_read_without_its_batch_is_not_told_again(reply: dict[str, Any] | None) -> None:
    client = make()
    greet(client, ext=AGREED)
    poll = ask(client)
    body = [push("a"), push("b"), *([] if reply is None else [numbered(poll, **reply)])]
    assert delivered(client.receive(body, 0.0, ends_request=True)) == ["a", "b"]
    poll = ask(client, 9.0)
    assert poll.ext is not None
    assert poll.ext["ack"] == 0
    again = [push("a"), push("b"), push("b"), numbered(poll, 2)]
    assert delivered(client.receive(again, 9.0, ends_request=True)) == ["b"]
    # What was told with its batch is no repetition when it comes once more.
    poll = ask(client, 9.0)
    assert delivered(client.receive([numbered(poll, 3), push("b")], 9.0)) == ["b"]


def test_frames_belong_to_the_batch_of_the_next_connect_reply() -> None:
    client = make()
    greet(client, ext=AGREED)
    poll = ask(client)
    assert delivered(client.receive([push("a")], 0.0)) == ["a"]
    client.receive([numbered(poll, 1)], 0.0)
    poll = ask(client)
    assert delivered(client.receive([push("a")], 0.0)) == ["a"]
    # The socket breaks before the reply.
    client.request_failed(0.0)
    poll = ask(client, 1.0)
    frames = [client.receive([message], 1.0) for message in (push("a"), push("z"))]
    assert [delivered(events) for events in frames] == [[], ["z"]]


def test_server_that_repeats_nothing_is_believed() -> None:
    client = make()
    greet(client, ext=AGREED)
    ask(client)
    client.receive([push("a"), push("b")], 0.0, ends_request=True)
    poll = ask(client, 9.0)
    body = [push("c"), push("a"), push("b"), numbered(poll, 2)]
    assert delivered(client.receive(body, 9.0, ends_request=True)) == ["c", "a", "b"]


def test_batch_that_was_read_last_brings_nothing_new() -> None:
    client = make()
    greet(client, ext=AGREED)
    body = [push("a"), numbered(ask(client), 1)]
    assert delivered(client.receive(body, 0.0)) == ["a"]
    body = [push("a"), numbered(ask(client), 1)]
    assert delivered(client.receive(body, 0.0)) == []
    assert not client.is_asking


def test_clock_of_the_server_is_compared() -> None:
    client = make()
    greet(client, 100.0, ext={"timesync": {"tc": 99_000, "ts": 5_000_500, "p": 200}})
    assert client.lag == pytest.approx(0.4)
    assert client.clock_offset == pytest.approx(5_000.5 - 99.0 - 0.4)
    told = {"timesync": {"tc": 101_000, "l": 400, "o": 4_901_100}}
    assert ask(client, 101.0).ext == told
    # A server that has told the time once need not tell it each time.
    client.receive([Message(channel=CONNECT, id="2", successful=True)], 101.0)
    poll = ask(client, 101.0)
    assert poll.ext == told
    rubbish: dict[str, JSON] = {"timesync": {"tc": "101", "ts": None, "p": []}}
    client.receive([Message(channel=CONNECT, id=poll.id, successful=True, ext=rubbish)], 102.0)
    assert client.lag == pytest.approx(0.4)


def test_advice_beside_the_loop_holds_from_the_next_connect_on() -> None:
    client = connected()
    publish = client.publish(CHAT, 1)
    ack = Message(channel=CHAT, id=publish.id, successful=True, advice=Advice(timeout=5.0))
    client.receive([ack], 0.0)
    action = client.next_action(0.0)
    assert isinstance(action, Connect)
    assert action.deadline == 15.0
    client.receive([Message(channel=CHAT, data=1, advice=AGAIN)], 0.0)
    reply = Message(channel=CONNECT, id=action.messages[0].id, successful=True)
    assert [type(event) for event in client.receive([reply], 0.0)] == [SessionUnknown]


def test_on_a_websocket_the_answer_may_come_in_a_later_frame() -> None:
    client = connected(connection_type="websocket", supported_connection_types=("websocket",))
    poll = ask(client)
    assert poll.connection_type == "websocket"
    assert client.receive([Message(channel=CHAT, data=1)], 0.0)
    assert client.is_asking
    client.receive([Message(channel=CONNECT, id=poll.id, successful=True)], 0.0)
    assert not client.is_asking
