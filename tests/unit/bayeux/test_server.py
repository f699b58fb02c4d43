from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest

from botkit.bayeux.advice import JSON, Advice, Reconnect
from botkit.bayeux.messages import (
    CONNECT,
    DISCONNECT,
    HANDSHAKE,
    SUBSCRIBE,
    UNSUBSCRIBE,
    Message,
)
from botkit.bayeux.personality import (
    COMETD,
    COMETD_NODE,
    FAYE,
    OLD_UNKNOWN_CLIENT,
    ErrorTexts,
    Personality,
)
from botkit.bayeux.server import (
    CloseReason,
    Denial,
    Exchange,
    Published,
    Reply,
    Server,
    SessionClosed,
    SessionOpened,
    Subscribed,
    Unsubscribed,
)
from botkit.errors import LocalProtocolError

CHAT = "/service/chatV2/demo"
AT_ONCE = Advice(timeout=0.0)


def make(personality: Personality = COMETD) -> Server:
    numbers = count(1)
    return Server(personality, new_id=lambda: f"id{next(numbers)}")


class Link:
    """A client without a mind: it sends what a test says, with its cookie and clientId."""

    def __init__(self, server: Server, transport: str = "long-polling") -> None:
        self.server = server
        self.transport = transport
        self.browser: str | None = None
        self.client_id = ""
        self.now = 0.0

    def send(self, *messages: Message) -> Exchange:
        return self.server.receive(
            messages, now=self.now, browser=self.browser, transport=self.transport
        )

    def ask(self, *messages: Message) -> Reply:
        exchange = self.send(*messages)
        assert not exchange.is_held
        reply = self.server.respond(exchange, self.now)
        self.browser = reply.set_cookie or self.browser
        return reply

    def handshake(self, ext: dict[str, JSON] | None = None) -> Message:
        (reply,) = self.ask(
            Message(
                channel=HANDSHAKE,
                id="1",
                version="1.0",
                supported_connection_types=("long-polling", "websocket"),
                ext=ext,
            )
        ).messages
        self.client_id = reply.client_id or ""
        return reply

    def connecting(
        self, advice: Advice | None = None, id: str = "2", ext: dict[str, JSON] | None = None
    ) -> Message:
        return Message(
            channel=CONNECT,
            id=id,
            client_id=self.client_id,
            connection_type=self.transport,
            advice=advice,
            ext=ext,
        )

    def publishing(self, data: str = "hi", channel: str = CHAT) -> Message:
        return Message(channel=channel, id="3", client_id=self.client_id, data=data)

    def subscribing(self, *channels: str, channel: str = SUBSCRIBE) -> Message:
        return Message(channel=channel, id="4", client_id=self.client_id, subscription=channels)


def joined(
    server: Server, transport: str = "long-polling", ext: dict[str, JSON] | None = None
) -> Link:
    link = Link(server, transport)
    assert link.handshake(ext).successful
    link.ask(link.connecting(AT_ONCE, id="first"))
    server.take_events()
    return link


def test_handshake_opens_a_session_and_sets_a_cookie(server: Server) -> None:
    link = Link(server)
    reply = link.handshake()
    assert reply.successful
    assert reply.advice == Advice(reconnect=Reconnect.RETRY, interval=0.0, timeout=30.0)
    assert reply.supported_connection_types == ("websocket", "long-polling")
    assert link.browser is not None
    (opened,) = server.take_events()
    assert isinstance(opened, SessionOpened)
    assert opened.session == link.client_id
    assert server.sessions == (link.client_id,)


@pytest.mark.parametrize(
    ("message", "error"),
    [
        (Message(channel=HANDSHAKE, version="1.0"), "400::supportedConnectionTypes_missing"),
        (
            Message(channel=HANDSHAKE, supported_connection_types=("long-polling",)),
            "400::version_missing",
        ),
        (
            Message(channel=HANDSHAKE, version="1.0", supported_connection_types=("smoke",)),
            "400::transport_unknown",
        ),
    ],
)
def test_incomplete_handshake_is_refused(server: Server, message: Message, error: str) -> None:
    (reply,) = Link(server).ask(message).messages
    assert (reply.successful, reply.error) == (False, error)
    assert server.sessions == ()


def test_application_may_refuse_a_handshake() -> None:
    denial = Denial(error="403::handshake_denied", advice=Advice(reconnect=Reconnect.NONE))
    server = Server(new_id=lambda: "x", authorize=lambda message: denial)
    reply = Link(server).handshake()
    assert (reply.successful, reply.error, reply.advice) == (False, denial.error, denial.advice)


def test_application_may_refuse_a_publish(new_id: Callable[[], str]) -> None:
    server = Server(
        new_id=new_id,
        authorize=lambda message: (
            Denial(error="403::publish_denied") if message.channel == CHAT else None
        ),
    )
    link = joined(server)
    (reply,) = link.ask(link.publishing()).messages
    assert reply.error == "403::publish_denied"
    assert server.take_events() == []


def test_handshake_beside_other_messages_is_a_violation(server: Server) -> None:
    link = joined(server)
    hello = Message(channel=HANDSHAKE, version="1.0", supported_connection_types=("long-polling",))
    assert link.ask(hello, link.publishing()) == Reply(status=500, messages=())
    assert server.take_events() == []
    lenient = make(FAYE)
    link = joined(lenient)
    assert [m.successful for m in link.ask(hello, link.publishing()).messages] == [True, True]


def test_connect_is_held_until_its_deadline(server: Server) -> None:
    link = joined(server)
    exchange = link.send(link.connecting())
    assert exchange.is_held
    assert exchange.deadline == 30.0
    link.now = 30.0
    assert server.respond(exchange, link.now).messages == (
        Message(channel=CONNECT, id="2", successful=True),
    )


@pytest.mark.parametrize("transport", ["long-polling", "websocket"])
def test_first_connect_is_answered_at_once_by_cometd(server: Server, transport: str) -> None:
    link = Link(server, transport)
    link.handshake()
    (reply,) = link.ask(link.connecting()).messages
    assert reply == Message(channel=CONNECT, id="2", successful=True)
    assert link.send(link.connecting()).is_held


@pytest.mark.parametrize("personality", [COMETD_NODE, FAYE], ids=lambda each: each.name)
def test_first_connect_is_held_by_servers_in_javascript(personality: Personality) -> None:
    link = Link(make(personality))
    link.handshake()
    assert link.send(link.connecting()).is_held


def test_connect_that_asks_for_it_returns_at_once_with_advice(server: Server) -> None:
    link = joined(server)
    (reply,) = link.ask(link.connecting(AT_ONCE)).messages
    assert reply.successful
    assert reply.advice is not None
    assert reply.advice.timeout == 30.0


def test_delivery_wakes_a_held_connect(server: Server) -> None:
    link = joined(server)
    exchange = link.send(link.connecting())
    woken: list[bool] = []
    exchange.on_wake = lambda: woken.append(True)
    assert server.deliver(link.client_id, CHAT, "one")
    assert server.deliver(link.client_id, CHAT, "two")
    assert woken == [True]
    assert not exchange.is_held
    messages = server.respond(exchange, 1.0).messages
    assert [message.data for message in messages] == ["one", "two", None]


def test_what_waits_is_not_held_back(server: Server) -> None:
    link = joined(server)
    server.deliver(link.client_id, CHAT, "early")
    assert [m.data for m in link.ask(link.connecting()).messages] == ["early", None]


def test_connect_beside_other_messages_is_not_held(server: Server) -> None:
    link = joined(server)
    reply = link.ask(link.publishing(), link.connecting())
    assert [message.channel for message in reply.messages] == [CHAT, CONNECT]


def test_events_travel_in_the_reply_to_a_publish(server: Server) -> None:
    link = joined(server)
    poll = link.send(link.connecting())
    exchange = link.send(link.publishing())
    assert server.take_events() == [
        Published(session=link.client_id, channel=CHAT, data="hi", id="3")
    ]
    server.deliver(link.client_id, CHAT, "answer")
    assert poll.is_held
    assert [m.data for m in server.respond(exchange, 0.0).messages] == ["answer", None]
    assert poll.is_held


def test_faye_lets_events_travel_with_connects_alone() -> None:
    server = make(FAYE)
    link = joined(server)
    poll = link.send(link.connecting())
    exchange = link.send(link.publishing())
    server.deliver(link.client_id, CHAT, "answer")
    assert [m.data for m in server.respond(exchange, 0.0).messages] == [None]
    assert not poll.is_held
    assert [m.data for m in server.respond(poll, 0.0).messages] == [None, "answer"]


def test_abandoned_publish_leaves_its_events_to_the_connect(server: Server) -> None:
    link = joined(server)
    poll = link.send(link.connecting())
    exchange = link.send(link.publishing())
    server.deliver(link.client_id, CHAT, "answer")
    server.abandon(exchange, 0.0)
    assert not poll.is_held
    assert [m.data for m in server.respond(poll, 0.0).messages] == ["answer", None]


def test_abandoned_connect_keeps_events_and_starts_the_clock(server: Server) -> None:
    link = joined(server)
    poll = link.send(link.connecting())
    server.abandon(poll, 5.0)
    server.deliver(link.client_id, CHAT, "kept")
    server.expire(14.9)
    link.now = 14.9
    assert [m.data for m in link.ask(link.connecting()).messages] == ["kept", None]


@pytest.mark.parametrize("status", [500, 408])
def test_second_connect_ends_the_older(status: int) -> None:
    server = make(replace(COMETD, duplicate_connect_status=status))
    link = joined(server)
    older = link.send(link.connecting())
    newer = link.send(link.connecting(id="9"))
    assert not older.is_held
    assert newer.is_held
    server.deliver(link.client_id, CHAT, "for the newer")
    assert server.respond(older, 0.0) == Reply(status=status, messages=())
    assert [m.data for m in server.respond(newer, 0.0).messages] == ["for the newer", None]


def test_older_connect_takes_nothing_along_where_it_ends_well() -> None:
    server = make(FAYE)
    link = joined(server)
    older = link.send(link.connecting())
    newer = link.send(link.connecting(id="9"))
    server.deliver(link.client_id, CHAT, "for the newer")
    assert [(m.id, m.data) for m in server.respond(older, 0.0).messages] == [("2", None)]
    assert newer.is_held is False
    assert [m.data for m in server.respond(newer, 0.0).messages] == [None, "for the newer"]


def test_session_belongs_to_its_cookie(server: Server) -> None:
    link = joined(server)
    link.browser = None
    (reply,) = link.ask(link.connecting()).messages
    assert (reply.error, reply.advice) == (
        "402::session_unknown",
        Advice(reconnect=Reconnect.HANDSHAKE, interval=0.0),
    )
    (reply,) = link.ask(link.publishing()).messages
    assert (reply.error, reply.advice) == ("402::session_unknown", None)


def test_client_id_alone_is_trusted_if_told_so_and_on_a_websocket(server: Server) -> None:
    trusting = make(replace(COMETD, trust_client_session=True))
    link = joined(trusting)
    link.browser = None
    assert link.ask(link.publishing()).messages[0].successful
    socket = joined(server, "websocket")
    assert socket.browser is None
    assert socket.ask(socket.publishing()).messages[0].successful


def test_old_spelling_of_an_unknown_session() -> None:
    server = make(replace(COMETD, errors=ErrorTexts(unknown_session=OLD_UNKNOWN_CLIENT)))
    (reply,) = Link(server).ask(Message(channel=CHAT, id="1", client_id="gone", data=1)).messages
    assert reply.error == "402::Unknown client"


def test_second_session_of_a_browser_is_told_to_slow_down(server: Server) -> None:
    first = joined(server)
    second = Link(server)
    second.browser = first.browser
    second.handshake()
    poll = first.send(first.connecting())
    assert poll.is_held
    (reply,) = second.ask(second.connecting()).messages
    assert reply.successful
    assert reply.advice == Advice(reconnect=Reconnect.RETRY, interval=2.0, multiple_clients=True)
    server.respond(poll, 1.0)
    held = second.send(second.connecting())
    assert held.is_held
    (reply,) = server.respond(held, 2.0).messages
    assert reply.advice is not None
    assert reply.advice.multiple_clients is None


def test_second_session_of_a_browser_is_stopped_without_an_interval() -> None:
    server = make(replace(COMETD, multi_session_interval=0.0))
    first = joined(server)
    second = Link(server)
    second.browser = first.browser
    second.handshake()
    first.send(first.connecting())
    (reply,) = second.ask(second.connecting()).messages
    assert not reply.successful
    assert reply.advice == Advice(reconnect=Reconnect.NONE, multiple_clients=True)


def test_session_expires_without_a_next_connect(server: Server) -> None:
    link = joined(server)
    poll = link.send(link.connecting())
    assert server.sessions == (link.client_id,)
    server.expire(1_000.0)
    assert server.sessions == (link.client_id,)
    server.respond(poll, 1_000.0)
    assert server.next_deadline() == 1_010.0
    server.expire(1_009.9)
    assert server.sessions == (link.client_id,)
    server.expire(1_010.0)
    assert server.take_events() == [
        SessionClosed(session=link.client_id, reason=CloseReason.EXPIRED)
    ]
    assert server.next_deadline() is None
    link.now = 1_011.0
    assert link.ask(link.connecting()).messages[0].error == "402::session_unknown"


def test_each_connect_renews_the_session(server: Server) -> None:
    link = joined(server)
    for now in (9.0, 18.0, 27.0):
        link.now = now
        server.expire(now)
        assert link.ask(link.connecting(AT_ONCE)).messages[0].successful


def test_faye_session_lives_twice_the_timeout_after_its_last_connect() -> None:
    server = make(FAYE)
    link = joined(server)
    link.now = 50.0
    poll = link.send(link.connecting())
    server.respond(poll, 110.0)
    server.expire(169.9)
    assert server.sessions == (link.client_id,)
    server.expire(170.0)
    assert not server.sessions


def test_disconnect_ends_the_session_and_its_connect(server: Server) -> None:
    link = joined(server)
    poll = link.send(link.connecting())
    goodbye = Message(channel=DISCONNECT, id="7", client_id=link.client_id)
    assert link.ask(goodbye).messages == (Message(channel=DISCONNECT, id="7", successful=True),)
    assert server.take_events() == [
        SessionClosed(session=link.client_id, reason=CloseReason.DISCONNECTED)
    ]
    (reply,) = server.respond(poll, 0.0).messages
    assert reply.advice == Advice(reconnect=Reconnect.NONE)
    assert not server.deliver(link.client_id, CHAT, "late")


def test_forgotten_session_is_told_at_its_connect(server: Server) -> None:
    link = joined(server)
    poll = link.send(link.connecting())
    server.forget(link.client_id)
    server.forget("nobody")
    (reply,) = server.respond(poll, 0.0).messages
    assert (reply.successful, reply.error) == (False, "402::session_unknown")
    assert reply.advice == Advice(reconnect=Reconnect.HANDSHAKE, interval=0.0)


@pytest.mark.parametrize(
    ("personality", "message", "error"),
    [
        (COMETD, Message(channel=""), "400::channel_missing"),
        (COMETD, Message(channel="chat"), "405::channel_invalid"),
        (COMETD, Message(channel="/a;b"), "405::channel_invalid"),
        (COMETD, Message(channel="/a", id="<1>"), "405::message_id_invalid"),
        (COMETD, Message(channel="/meta/ping"), "404:/meta/ping:Unknown Channel"),
        (COMETD, Message(channel=SUBSCRIBE, client_id="id2"), "403::subscription_missing"),
        (COMETD, Message(channel="/a", client_id="id2"), "400::data_missing"),
        (
            COMETD,
            Message(channel=CONNECT, client_id="id2", connection_type="smoke"),
            "400::transport_unknown",
        ),
        (FAYE, Message(channel=""), "402:channel:Missing required parameter"),
        (FAYE, Message(channel="/a.b"), "405:/a.b:Invalid channel"),
        (FAYE, Message(channel="/meta/ping"), "403:/meta/ping:Forbidden channel"),
        (FAYE, Message(channel=CONNECT), "402:clientId:Missing required parameter"),
        (
            FAYE,
            Message(channel=CONNECT, client_id="gone", connection_type="long-polling"),
            "401:gone:Unknown client",
        ),
        (
            FAYE,
            Message(channel=CONNECT, client_id="id1", connection_type="smoke"),
            "301:smoke:Connection types not supported",
        ),
    ],
)
def test_wrong_requests_are_answered_in_the_servers_words(
    personality: Personality, message: Message, error: str
) -> None:
    link = joined(make(personality))
    (reply,) = link.ask(message).messages
    assert (reply.successful, reply.error, reply.id) == (False, error, message.id)


def test_broadcast_reaches_every_subscriber_once(server: Server) -> None:
    link, other = joined(server), joined(server)
    assert link.ask(link.subscribing("/news/*", "/news/**")).messages[0].subscription == (
        "/news/*",
        "/news/**",
    )
    other.ask(other.publishing("fresh", channel="/news/today"))
    other.ask(other.publishing("elsewhere", channel="/olds"))
    assert [m.data for m in link.ask(link.connecting()).messages] == ["fresh", None]
    link.ask(link.subscribing("/news/*", "/news/**", channel=UNSUBSCRIBE))
    other.ask(other.publishing("again", channel="/news/today"))
    assert link.send(link.connecting()).is_held


def test_subscribing_to_a_service_is_accepted_by_cometd_and_refused_by_faye(
    server: Server,
) -> None:
    link = joined(server)
    assert link.ask(link.subscribing(CHAT)).messages[0].successful
    link.ask(link.subscribing(CHAT, channel=UNSUBSCRIBE))
    assert server.take_events() == [
        Subscribed(session=link.client_id, channels=(CHAT,)),
        Unsubscribed(session=link.client_id, channels=(CHAT,)),
    ]
    link = joined(make(FAYE))
    (reply,) = link.ask(link.subscribing(CHAT)).messages
    assert reply.error == f"403:{CHAT}:Forbidden channel"


@pytest.mark.parametrize("channel", ["/meta/connect", "news", "/a/\n"])
def test_impossible_subscriptions_are_refused(server: Server, channel: str) -> None:
    link = joined(server)
    (reply,) = link.ask(link.subscribing("/fine", channel)).messages
    assert not reply.successful
    assert server.take_events() == []


def test_faye_lets_strangers_publish() -> None:
    server = make(FAYE)
    link = joined(server)
    link.ask(link.subscribing("/news"))
    server.take_events()
    (reply,) = Link(server).ask(Message(channel="/news", id="1", data="psst")).messages
    assert reply.successful
    assert server.take_events() == []
    assert [m.data for m in link.ask(link.connecting()).messages] == [None, "psst"]


def test_everything_is_bounded() -> None:
    server = make(replace(COMETD, max_sessions=1, max_queue=2, max_subscriptions=1))
    link = joined(server)
    assert Link(server).handshake().error == "403::handshake_failed"
    (reply,) = link.ask(link.subscribing("/a", "/b")).messages
    assert reply.error == "403::subscribe_failed"
    server.take_events()
    assert [server.deliver(link.client_id, CHAT, n) for n in range(4)] == [True, True, True, False]
    assert server.take_events() == [
        SessionClosed(session=link.client_id, reason=CloseReason.OVERFLOWED)
    ]


def test_websocket_is_pushed_to_while_its_connect_stays_held(server: Server) -> None:
    link = joined(server, "websocket")
    pushes: list[bool] = []
    server.deliver(link.client_id, CHAT, "before")
    server.listen(link.client_id, lambda: pushes.append(True))
    poll = link.send(link.connecting())
    server.deliver(link.client_id, CHAT, "after")
    assert pushes == [True, True]
    assert [m.data for m in server.take(link.client_id)] == ["before", "after"]
    assert server.take(link.client_id) == ()
    assert poll.is_held


def test_nobody_listens_to_a_session_that_is_not_there(server: Server) -> None:
    assert server.take("nobody") == ()
    with pytest.raises(LocalProtocolError, match="nobody"):
        server.listen("nobody", lambda: None)


def test_nobody_listens_on_a_socket_that_has_closed(server: Server) -> None:
    link = joined(server, "websocket")
    pushes: list[str] = []

    def old() -> None:
        pushes.append("old")

    def new() -> None:
        pushes.append("new")

    server.listen(link.client_id, old)
    server.listen(link.client_id, new)
    # The old socket may be noticed to have closed after the new one was opened.
    server.unlisten(link.client_id, old)
    server.deliver(link.client_id, CHAT, "a")
    server.unlisten(link.client_id, new)
    server.deliver(link.client_id, CHAT, "b")
    server.unlisten("nobody", new)
    assert pushes == ["new"]


def test_session_goes_on_over_another_kind_of_connection() -> None:
    # Else the cookie would be missing that only a handshake over HTTP brings.
    server = make(replace(COMETD, trust_client_session=True))
    link = joined(server, "websocket")
    pushes: list[bool] = []
    server.listen(link.client_id, lambda: pushes.append(True))
    older = link.send(link.connecting())
    link.transport = "long-polling"
    poll = link.send(link.connecting())
    assert not older.is_held
    assert poll.is_held
    server.deliver(link.client_id, CHAT, "a")
    assert (pushes, poll.is_held) == ([], False)
    assert [m.data for m in server.respond(poll, 0.0).messages] == ["a", None]
    link.transport = "websocket"
    held = link.send(link.connecting())
    server.listen(link.client_id, lambda: pushes.append(True))
    server.deliver(link.client_id, CHAT, "b")
    assert (pushes, held.is_held) == ([True], True)


ACKNOWLEDGING = replace(COMETD, ack=True)
ASKS: dict[str, JSON] = {"ack": True}


@pytest.mark.parametrize(
    ("personality", "asked", "agreed"),
    [
        (ACKNOWLEDGING, {"ack": True}, {"ack": True}),
        (
            replace(ACKNOWLEDGING, ack_with_batch=True),
            {"ack": True},
            {"ack": {"enabled": True, "batch": 0}},
        ),
        (ACKNOWLEDGING, {"ack": False}, None),
        (ACKNOWLEDGING, None, None),
        (COMETD, {"ack": True}, None),
    ],
)
def test_acknowledgement_needs_both_sides(
    personality: Personality, asked: dict[str, JSON] | None, agreed: dict[str, JSON] | None
) -> None:
    link = Link(make(personality))
    assert link.handshake(asked).ext == agreed
    (reply,) = link.ask(link.connecting(AT_ONCE, ext={"ack": 0})).messages
    assert reply.ext == (None if agreed is None else {"ack": 1})


def poll(link: Link, batch: int) -> tuple[list[JSON], dict[str, JSON] | None]:
    """Connect without being held; gives what was delivered, and what the reply says beside."""
    *events, reply = link.ask(link.connecting(AT_ONCE, ext={"ack": batch})).messages
    return [event.data for event in events], reply.ext


def test_what_is_not_acknowledged_is_sent_again_and_first() -> None:
    server = make(ACKNOWLEDGING)
    link = joined(server, ext=ASKS)
    server.deliver(link.client_id, CHAT, "a")
    assert poll(link, 1) == (["a"], {"ack": 2})
    server.deliver(link.client_id, CHAT, "b")
    assert poll(link, 1) == (["a", "b"], {"ack": 3})
    # The late reply of the batch before was read after all.
    assert poll(link, 2) == (["b"], {"ack": 4})
    assert poll(link, 4) == ([], {"ack": 5})


def test_what_waits_for_its_acknowledgement_is_not_held_back() -> None:
    server = make(ACKNOWLEDGING)
    link = joined(server, ext=ASKS)
    server.deliver(link.client_id, CHAT, "a")
    link.ask(link.connecting(ext={"ack": 1}))
    assert not link.send(link.connecting(ext={"ack": 1})).is_held
    assert link.send(link.connecting(ext={"ack": 2})).is_held


@pytest.mark.parametrize("transport", ["long-polling", "websocket"])
def test_acknowledged_events_travel_with_connects_alone(transport: str) -> None:
    server = make(ACKNOWLEDGING)
    link = joined(server, transport, ext=ASKS)
    pushes: list[bool] = []
    server.listen(link.client_id, lambda: pushes.append(True))
    held = link.send(link.connecting(ext={"ack": 1}))
    publish = link.send(link.publishing())
    server.deliver(link.client_id, CHAT, "reply")
    assert (held.is_held, pushes, server.take(link.client_id)) == (False, [], ())
    assert [m.data for m in server.respond(publish, 0.0).messages] == [None]
    event, reply = server.respond(held, 0.0).messages
    assert (event.data, reply.ext) == ("reply", {"ack": 2})


def test_failed_connects_have_no_batch() -> None:
    server = make(ACKNOWLEDGING)
    link = joined(server, ext=ASKS)
    server.deliver(link.client_id, CHAT, "a")
    refused = replace(link.connecting(ext={"ack": 1}), connection_type="smoke")
    (reply,) = link.ask(refused).messages
    assert (reply.successful, reply.ext) == (False, None)
    assert poll(link, 1) == (["a"], {"ack": 2})


def test_client_that_acknowledges_nothing_overflows() -> None:
    server = make(replace(ACKNOWLEDGING, max_queue=3))
    link = joined(server, ext=ASKS)
    for number in range(3):
        server.deliver(link.client_id, CHAT, number)
        link.ask(link.connecting(AT_ONCE))
    assert server.deliver(link.client_id, CHAT, 3)
    assert not server.deliver(link.client_id, CHAT, 4)


def test_time_is_told_to_who_asks_and_is_wrong() -> None:
    server = Server(replace(COMETD, timesync=True), new_id=iter("abc").__next__, epoch=1000.0)
    link = Link(server)
    link.now = 5.0
    asked: dict[str, JSON] = {"tc": 200_000, "l": 0, "o": 0}
    told = {"tc": 200_000, "ts": 1_005_000, "p": 0, "a": -805_000}
    assert link.handshake({"timesync": asked}).ext == {"timesync": told}
    link.ask(link.connecting(AT_ONCE))
    # A connect that is held tells how long it was.
    held = link.send(link.connecting(ext={"timesync": asked}))
    (reply,) = server.respond(held, 35.0).messages
    assert reply.ext == {"timesync": told | {"p": 30_000}}
    right: dict[str, JSON] = {"timesync": {"tc": 200_000, "l": 10, "o": 804_990}}
    assert link.ask(link.connecting(AT_ONCE, ext=right)).messages[0].ext is None


@pytest.mark.parametrize(
    "rubbish",
    [{"tc": "x", "l": 0, "o": 0}, {"tc": 1}, [], None, {"tc": 1, "l": 0, "o": 1e99}, {"tc": True}],
)
def test_who_asks_for_the_time_in_rubbish_is_not_told(rubbish: JSON) -> None:
    link = Link(make(replace(COMETD, timesync=True)))
    assert link.handshake({"timesync": rubbish}).ext is None
