"""Both state machines over a link that loses and repeats, on a clock that the test turns.

What Bayeux promises without its acknowledgement extension: an event reaches the client at most
once and in order; it is lost only with the response that carried it, or with its session. And
whatever happened, the client gets back to a held connect once the link is well again.
"""

from __future__ import annotations

import random
from dataclasses import replace
from enum import Enum
from itertools import count
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.bayeux.advice import Advice, Reconnect
from botkit.bayeux.client import (
    Acknowledged,
    Client,
    Connect,
    Connected,
    Delivered,
    Event,
    Handshake,
    Handshaken,
    Lost,
    Regained,
    SessionUnknown,
    Stop,
    Wait,
)
from botkit.bayeux.messages import CONNECT, HANDSHAKE, Message, decode, encode
from botkit.bayeux.personality import COMETD, FAYE, Personality
from botkit.bayeux.server import Exchange, Published, Reply, Server
from botkit.errors import RemoteProtocolError

CHAT = "/service/chatV2/demo"


class Fault(Enum):
    NONE = "none"
    REQUEST_LOST = "request lost"
    REPLY_LOST = "reply lost"
    REQUEST_REPEATED = "request repeated"
    REPLY_REPEATED = "acknowledgements repeated"


class World:
    """One client, one server, and an application that echoes what is published."""

    def __init__(self, personality: Personality) -> None:
        ids = count(1)
        self.now = 0.0
        self.server = Server(personality, new_id=lambda: f"id{next(ids)}")
        self.client = Client(jitter=random.Random(1).random)
        self.browser: str | None = None
        self.poll: Exchange | None = None
        self.numbers = count(1)
        self.accepted: list[int] = []
        self.events: list[Event] = []
        self.lossless = True

    @property
    def delivered(self) -> list[Any]:
        return [event.data for event in self.events if isinstance(event, Delivered)]

    # The link.

    def reach(self, messages: tuple[Message, ...]) -> Exchange:
        """Carry a request, as bytes, to the server and its application."""
        arrived = decode(encode(messages, orjson), orjson)
        exchange = self.server.receive(arrived, now=self.now, browser=self.browser)
        for event in self.server.take_events():
            if isinstance(event, Published):
                self.push(event.session)
        return exchange

    def push(self, session: str) -> None:
        number = next(self.numbers)
        if self.server.deliver(session, CHAT, number):
            self.accepted.append(number)

    def bring(self, reply: Reply, fault: Fault, *, ends_request: bool) -> None:
        """Carry a response to the client, as bytes."""
        if fault is Fault.REPLY_LOST:
            self.lossless = False
        if reply.status != 200 or fault is Fault.REPLY_LOST:
            if ends_request:
                self.note(self.client.request_failed(self.now, "lost"))
            return
        self.browser = reply.set_cookie or self.browser
        messages = decode(encode(reply.messages, orjson), orjson)
        self.note(self.client.receive(messages, self.now, ends_request=ends_request))
        if fault is Fault.REPLY_REPEATED:
            replies = [message for message in messages if message.successful is not None]
            assert self.client.receive(replies, self.now) == []

    def note(self, events: list[Event]) -> None:
        self.events += events
        if any(isinstance(event, SessionUnknown) for event in events) and self.poll is not None:
            self.server.abandon(self.poll, self.now)
            self.poll = None

    def pass_time(self, until: float) -> None:
        self.now = max(self.now, until)
        self.server.expire(self.now)
        self.server.take_events()

    # The two connections of the client.

    def turn_connect_loop(self, fault: Fault) -> None:
        if self.poll is not None:
            self.finish_poll(fault)
            return
        action = self.client.next_action(self.now)
        assert not isinstance(action, Stop)
        if isinstance(action, Wait):
            self.pass_time(action.until)
        elif fault is Fault.REQUEST_LOST:
            self.note(self.client.request_failed(self.now, "lost"))
        else:
            self.ask(action, fault)

    def ask(self, action: Handshake | Connect, fault: Fault) -> None:
        exchange = self.reach(action.messages)
        if fault is Fault.REQUEST_REPEATED:
            again = self.reach(action.messages)
            # The first is displaced or done with; its response comes on another connection.
            self.bring(self.server.respond(exchange, self.now), Fault.NONE, ends_request=False)
            exchange = again
        if exchange.is_held:
            self.poll = exchange
        elif self.client.is_asking:
            self.bring(self.server.respond(exchange, self.now), fault, ends_request=True)
        else:
            self.bring(self.server.respond(exchange, self.now), Fault.NONE, ends_request=False)

    def finish_poll(self, fault: Fault) -> None:
        exchange, self.poll = self.poll, None
        assert exchange is not None
        if exchange.is_held:
            self.pass_time(exchange.deadline or 0.0)
        self.bring(self.server.respond(exchange, self.now), fault, ends_request=True)

    def publish(self, fault: Fault) -> None:
        if self.client.client_id is None or fault is Fault.REQUEST_LOST:
            return
        message = self.client.publish(CHAT, "hello")
        exchanges = [self.reach((message,))]
        if fault is Fault.REQUEST_REPEATED:
            exchanges.append(self.reach((message,)))
        for exchange in exchanges:
            self.bring(self.server.respond(exchange, self.now), fault, ends_request=False)

    def forget(self) -> None:
        self.lossless = False
        if self.client.client_id is not None:
            self.server.forget(self.client.client_id)

    def settle(self) -> None:
        """Let the link be well until a connect is held and nothing is left to fetch."""
        for _ in range(60):
            if self.poll is not None and self.poll.is_held:
                return
            self.turn_connect_loop(Fault.NONE)
        raise AssertionError(f"not connected again: {self.events}")


steps = st.lists(
    st.tuples(
        st.sampled_from(["loop", "loop", "loop", "publish", "push", "wait", "forget"]),
        st.sampled_from([Fault.NONE, *Fault]),
    ),
    max_size=40,
)


def play(world: World, script: list[tuple[str, Fault]]) -> None:
    for step, fault in script:
        match step:
            case "loop":
                world.turn_connect_loop(fault)
            case "publish":
                world.publish(fault)
            case "push" if world.client.client_id is not None:
                world.push(world.client.client_id)
            case "wait":
                world.pass_time(world.now + 4.0)
            case "forget" if fault is Fault.REQUEST_LOST:
                world.forget()
    world.settle()


@pytest.mark.parametrize("personality", [COMETD, FAYE], ids=["cometd", "faye"])
@given(script=steps)
@settings(max_examples=150, deadline=None)
def test_events_come_at_most_once_in_order_and_the_client_always_comes_back(
    personality: Personality, script: list[tuple[str, Fault]]
) -> None:
    world = World(personality)
    play(world, script)
    assert world.delivered == sorted(set(world.delivered))
    assert set(world.delivered) <= set(world.accepted)
    began = sum(isinstance(event, Handshaken) for event in world.events)
    if world.lossless and began == 1:
        assert world.delivered == world.accepted
    assert world.client.client_id in world.server.sessions
    # And it works: what is sent now arrives.
    before = len(world.delivered)
    world.publish(Fault.NONE)
    world.turn_connect_loop(Fault.NONE)
    assert len(world.delivered) == before + 1


@given(script=steps)
@settings(max_examples=100, deadline=None)
def test_links_are_lost_before_they_are_regained(script: list[tuple[str, Fault]]) -> None:
    world = World(replace(COMETD, sends_max_interval=True))
    play(world, script)
    up: bool | None = None
    for event in world.events:
        match event:
            case Handshaken():
                up = None
            case Connected():
                assert up is None
                up = True
            case Lost():
                assert up is True
                up = False
            case Regained():
                assert up is False
                up = True
    assert up is True


@given(script=steps)
@settings(max_examples=50, deadline=None)
def test_no_message_is_acknowledged_twice(script: list[tuple[str, Fault]]) -> None:
    world = World(COMETD)
    play(world, script)
    acknowledged = [event.id for event in world.events if isinstance(event, Acknowledged)]
    assert len(acknowledged) == len(set(acknowledged))


# Any sequence of well-formed messages, with ids and sessions that partly fit.

texts = st.sampled_from(["1", "2", "3", "id1", "id2", "", "x"])
channels = st.sampled_from(
    [
        HANDSHAKE,
        CONNECT,
        "/meta/subscribe",
        "/meta/unsubscribe",
        "/meta/disconnect",
        "/meta/x",
        "/meta",
        CHAT,
        "/a/b",
        "/a/*",
        "/",
        "x",
        "",
    ]
)
any_messages = st.lists(
    st.builds(
        Message,
        channel=channels,
        id=st.none() | texts,
        client_id=st.none() | texts,
        successful=st.none() | st.booleans(),
        error=st.sampled_from([None, "402::session_unknown", "x", ""]),
        data=st.sampled_from([None, 1, {"a": []}]),
        advice=st.none()
        | st.builds(
            Advice,
            reconnect=st.none() | st.sampled_from(Reconnect),
            interval=st.sampled_from([None, -1.0, 0.0, 2.0]),
            timeout=st.sampled_from([None, -1.0, 0.0, 30.0]),
            max_interval=st.sampled_from([None, -1.0, 0.0, 1.0]),
        ),
        subscription=st.none() | st.lists(channels, max_size=3).map(tuple),
        version=st.sampled_from([None, "1.0"]),
        connection_type=st.sampled_from([None, "long-polling", "smoke"]),
        supported_connection_types=st.sampled_from([None, (), ("long-polling",), ("smoke",)]),
    ),
    max_size=4,
)


@given(st.lists(st.tuples(any_messages, st.booleans(), st.booleans()), max_size=12))
@settings(max_examples=200, deadline=None)
def test_client_survives_any_messages(
    batches: list[tuple[list[Message], bool, bool]],
) -> None:
    client = Client(jitter=lambda: 0.5)
    now = 0.0
    for messages, asks, ends in batches:
        if asks and not client.is_asking:
            action = client.next_action(now)
            now = action.until if isinstance(action, Wait) else now
        if client.client_id is not None:
            client.publish(CHAT, 1)
        client.receive(messages, now, ends_request=ends)
    goodbye = client.disconnect()
    assert isinstance(client.next_action(now), Stop)
    assert goodbye is None or goodbye.channel == "/meta/disconnect"


@pytest.mark.parametrize("personality", [COMETD, FAYE], ids=["cometd", "faye"])
@given(
    st.lists(
        st.tuples(any_messages, st.sampled_from([None, "id1", ""]), st.booleans()), max_size=12
    )
)
@settings(max_examples=150, deadline=None)
def test_server_survives_any_messages(
    personality: Personality, requests: list[tuple[list[Message], str | None, bool]]
) -> None:
    ids = count(1)
    server = Server(personality, new_id=lambda: f"id{next(ids)}")
    held: list[Exchange] = []
    now = 0.0
    for messages, browser, websocket in requests:
        transport = "websocket" if websocket else "long-polling"
        exchange = server.receive(messages, now=now, browser=browser, transport=transport)
        if exchange.is_held:
            held.append(exchange)
            continue
        reply = server.respond(exchange, now)
        if reply.status == 200:
            answered = [m for m in reply.messages if m.successful is not None]
            assert len(answered) == len(messages)
        now += 3.0
        server.expire(now)
    for exchange in held:
        assert server.respond(exchange, now).status in (200, 500)
    server.expire(now + 1_000.0)
    assert server.sessions == ()
    assert server.next_deadline() is None


@given(st.binary(max_size=80))
@settings(max_examples=50, deadline=None)
def test_bytes_reach_neither_half_unless_they_are_messages(body: bytes) -> None:
    world = World(COMETD)
    try:
        messages = decode(body, orjson)
    except RemoteProtocolError:
        return
    world.client.receive(messages, 0.0)
    world.server.respond(world.server.receive(messages, now=0.0), 0.0)
