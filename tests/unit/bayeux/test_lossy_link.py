"""Both state machines over a link that loses and repeats, on a clock that the test turns.

What Bayeux promises without its acknowledgement extension: an event reaches the client at most
once and in order; it is lost only with the response that carried it, or with its session. With the
extension it reaches the client exactly once, unless it is lost with its session. And whatever
happened, the client gets back to a held connect once the link is well again.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
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
    # What only the acknowledgement extension can make good.
    NUMBER_LOST = "reply without its batch"
    REFUSED = "reply without success"
    CUT = "frames before the last"


PLAIN_FAULTS = (
    Fault.NONE,
    Fault.REQUEST_LOST,
    Fault.REPLY_LOST,
    Fault.REQUEST_REPEATED,
    Fault.REPLY_REPEATED,
)


class World:
    """One client, one server, and an application that echoes what is published.

    Attributes:
        accepted: what was delivered by the application while there was a session.
        lossless: no reply was lost, and no session forgotten.
        forgotten: a session was.
    """

    def __init__(self, personality: Personality, *, kinds: int = 2**31) -> None:
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
        self.forgotten = False
        # So many different things are said, from then on the first is said again.
        self.kinds = kinds

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
        number = next(self.numbers) % self.kinds
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
        if ends_request and messages[-1].channel == CONNECT:
            messages = self.spoil(messages, fault)
        self.note(self.client.receive(messages, self.now, ends_request=ends_request))
        if fault is Fault.REPLY_REPEATED and self.client.batch:
            assert self.client.receive(messages, self.now) == []
        elif fault is Fault.REPLY_REPEATED:
            replies = [message for message in messages if message.successful is not None]
            assert self.client.receive(replies, self.now) == []

    def spoil(self, messages: list[Message], fault: Fault) -> list[Message]:
        """Take from the reply to a connect what makes it count; what is delivered with it stays."""
        *events, reply = messages
        if fault is Fault.NUMBER_LOST:
            return [*events, replace(reply, ext=None)]
        if fault is Fault.REFUSED:
            return [*events, replace(reply, successful=False)]
        if fault is Fault.CUT:
            for frame in events[: len(events) // 2 + 1]:
                self.note(self.client.receive([frame], self.now))
            return []
        return messages

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
        self.forgotten = True
        if self.client.client_id is not None:
            self.server.forget(self.client.client_id)

    def settle(self) -> None:
        """Let the link be well until a connect is held and nothing is left to fetch."""
        for _ in range(60):
            if self.poll is not None and self.poll.is_held:
                return
            self.turn_connect_loop(Fault.NONE)
        raise AssertionError(f"not connected again: {self.events}")


def steps_with(faults: Iterable[Fault]) -> st.SearchStrategy[list[tuple[str, Fault]]]:
    return st.lists(
        st.tuples(
            st.sampled_from(["loop", "loop", "loop", "publish", "push", "wait", "forget"]),
            st.sampled_from([Fault.NONE, *faults]),
        ),
        max_size=40,
    )


steps = steps_with(PLAIN_FAULTS)


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


ACKNOWLEDGING = replace(COMETD, ack=True, timesync=True)


@pytest.mark.parametrize(
    "personality",
    [ACKNOWLEDGING, replace(ACKNOWLEDGING, ack_with_batch=True, holds_first_connect=True)],
    ids=["flag", "object"],
)
@pytest.mark.parametrize("kinds", [2**31, 2])
@given(script=steps_with(Fault))
@settings(max_examples=75, deadline=None)
def test_acknowledged_events_come_exactly_once(
    personality: Personality, kinds: int, script: list[tuple[str, Fault]]
) -> None:
    world = World(personality, kinds=kinds)
    play(world, script)
    began = sum(isinstance(event, Handshaken) for event in world.events)
    if began == 1 and not world.forgotten:
        assert world.delivered == world.accepted
    elif kinds > 2:
        assert world.delivered == sorted(set(world.delivered))
        assert set(world.delivered) <= set(world.accepted)


@given(script=steps)
@settings(max_examples=50, deadline=None)
def test_order_of_replies_and_acknowledged_events_does_not_matter(
    script: list[tuple[str, Fault]],
) -> None:
    world = World(replace(ACKNOWLEDGING, events_first=False))
    play(world, script)
    began = sum(isinstance(event, Handshaken) for event in world.events)
    if began == 1 and not world.forgotten:
        assert world.delivered == world.accepted


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
odd: st.SearchStrategy[Any] = st.sampled_from([None, True, -1, 0, 1, 2**70, 1e300, "1", [], {}])
acks = odd | st.fixed_dictionaries({"enabled": odd, "batch": odd})
times = odd | st.dictionaries(st.sampled_from(["tc", "ts", "p", "l", "o"]), odd)
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
        ext=st.none() | st.fixed_dictionaries({}, optional={"ack": acks, "timesync": times}),
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


@pytest.mark.parametrize(
    "personality", [COMETD, FAYE, ACKNOWLEDGING], ids=["cometd", "faye", "acknowledging"]
)
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
