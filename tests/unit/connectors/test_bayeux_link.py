"""The link between the Bayeux client and HTTP, with a server in the hands of the test."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson
import pytest
import trio
from trio.testing import MockClock

from botkit.bayeux import client as bayeux
from botkit.connectors import codec
from botkit.connectors.bayeux_link import BayeuxLink
from botkit.connectors.http import HttpReply, Lane, StoredCookie
from botkit.errors import BotkitError, ConnectorError, LocalProtocolError, RemoteProtocolError

Message = dict[str, Any]
CHANNEL = "/service/x"


def reply(*messages: Message) -> HttpReply:
    return HttpReply(status=200, body=orjson.dumps(messages))


def success(message: Message, **members: Any) -> Message:
    return {"channel": message["channel"], "id": message["id"], "successful": True} | members


class Server:
    """Answers as a polite server does, unless the test has put something in the way.

    Attributes:
        answers: used up one by one, for the channel they are for.
        posted: the channels of all that came.
        held: the connects that are held now.
    """

    url = "http://server"

    def __init__(self) -> None:
        self.answers: dict[str, list[HttpReply | BotkitError]] = {}
        self.posted: list[str] = []
        self.held = 0

    async def post(self, suffix: str, body: bytes, *, lane: Lane) -> HttpReply:
        await trio.lowlevel.checkpoint()
        (message, *_) = messages = orjson.loads(body)
        channel = message["channel"]
        self.posted += [m["channel"] for m in messages]
        assert (lane is Lane.POLL) == (channel in ("/meta/handshake", "/meta/connect"))
        if answers := self.answers.get(channel):
            answer = answers.pop(0)
            if isinstance(answer, BotkitError):
                raise answer
            return answer
        if channel == "/meta/connect" and "advice" not in message:
            await self._hold()
        members = {"clientId": "c", "version": "1.0"} if channel == "/meta/handshake" else {}
        return reply(*(success(m, **members) for m in messages))

    async def _hold(self) -> None:
        self.held += 1
        try:
            await trio.sleep(30)
        finally:
            self.held -= 1

    def cookies(self) -> tuple[StoredCookie, ...]:
        return ()

    def add_cookies(self, cookies: Iterable[StoredCookie]) -> None:
        raise AssertionError("a link has no cookies to add")

    async def aclose(self) -> None:
        raise AssertionError("closing stays with whoever opened it")


class Linked:
    """A link under test, with all that it told."""

    def __init__(self) -> None:
        self.server = Server()
        self.events: list[bayeux.Event] = []
        self.failures = 0
        self.client = bayeux.Client(jitter=lambda: 0.0)
        self.link = BayeuxLink(
            self.server,
            self.client,
            codec,
            self.events.append,
            self._fail,
            max_network_delay=10.0,
        )

    def _fail(self) -> None:
        self.failures += 1

    @property
    def kinds(self) -> list[type[bayeux.Event]]:
        return [type(event) for event in self.events]

    async def start(self, nursery: trio.Nursery) -> None:
        nursery.start_soon(self.link.run)
        await trio.sleep(1)
        assert self.server.held == 1


async def test_a_session_from_handshake_to_disconnect(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    linked = Linked()
    await linked.start(nursery)
    publish = linked.client.publish(CHANNEL, {"a": 1})
    acks = await linked.link.call(linked.client.subscribe(CHANNEL), publish)
    assert acks[str(publish.id)].successful
    assert len(acks) == 2
    await linked.link.disconnect()
    await trio.testing.wait_all_tasks_blocked()
    assert linked.server.held == 0
    assert linked.server.posted == [
        "/meta/handshake",
        "/meta/connect",
        "/meta/connect",
        "/meta/subscribe",
        CHANNEL,
        "/meta/disconnect",
    ]
    assert linked.failures == 0


async def test_events_of_any_reply_come_through(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    linked = Linked()
    await linked.start(nursery)
    pushed = {"channel": CHANNEL, "data": {"n": 1}}
    ack = {"channel": CHANNEL, "id": "4", "successful": True}
    linked.server.answers[CHANNEL] = [reply(pushed, ack, pushed)]
    publish = linked.client.publish(CHANNEL, {"a": 1})
    assert publish.id == "4"
    assert set(await linked.link.call(publish)) == {"4"}
    delivered = [event.data for event in linked.events if isinstance(event, bayeux.Delivered)]
    assert delivered == [{"n": 1}, {"n": 1}]


BAD: list[tuple[HttpReply | BotkitError, type[BotkitError], str]] = [
    (HttpReply(status=500, body=b"oops"), ConnectorError, "HTTP 500 (its log tells more): 'oops'"),
    (HttpReply(status=200, body=b"<html>\n  soon"), RemoteProtocolError, "'<html> soon'"),
    (HttpReply(status=200, body=b"{" * 500), RemoteProtocolError, "{..."),
    (ConnectorError("gone", kind="lost"), ConnectorError, "gone"),
]


@pytest.mark.parametrize(("answer", "kind", "words"), BAD)
async def test_what_is_no_answer_is_the_failure_of_a_call(
    answer: HttpReply | BotkitError,
    kind: type[BotkitError],
    words: str,
    nursery: trio.Nursery,
    autojump_clock: MockClock,
) -> None:
    linked = Linked()
    await linked.start(nursery)
    linked.server.answers[CHANNEL] = [answer]
    with pytest.raises(kind) as caught:
        await linked.link.call(linked.client.publish(CHANNEL, {}))
    assert words in str(caught.value)
    # The connect loop is not concerned.
    assert (linked.link.failures, linked.link.last_error) == (0, None)
    assert linked.server.held == 1


@pytest.mark.parametrize(("answer", "kind", "words"), BAD)
async def test_what_is_no_answer_is_the_failure_of_the_connect_loop(
    answer: HttpReply | BotkitError,
    kind: type[BotkitError],
    words: str,
    nursery: trio.Nursery,
    autojump_clock: MockClock,
) -> None:
    linked = Linked()
    linked.server.answers["/meta/handshake"] = [answer, answer]
    nursery.start_soon(linked.link.run)
    await trio.sleep(1)
    assert [linked.link.failures, linked.failures] == [2, 2]
    error = linked.link.last_error
    assert type(error) is kind
    assert words in str(error)
    await trio.sleep(5)
    assert linked.link.failures == 0
    assert linked.link.last_error is None
    assert bayeux.Connected in linked.kinds


async def test_a_call_that_is_not_answered_is_given_up(
    nursery: trio.Nursery, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked = Linked()
    await linked.start(nursery)

    async def stall(suffix: str, body: bytes, *, lane: Lane) -> HttpReply:
        await trio.sleep(3600)
        return HttpReply(status=200)

    monkeypatch.setattr(linked.server, "post", stall)
    began = trio.current_time()
    with pytest.raises(ConnectorError, match="did not answer within 10 s") as caught:
        await linked.link.call(linked.client.publish(CHANNEL, {}))
    assert (caught.value.kind, caught.value.sent) == ("timeout", True)
    assert trio.current_time() - began == 10


@pytest.mark.parametrize("channel", ["/meta/handshake", "/meta/connect"])
async def test_a_server_that_asks_for_it_is_left_alone(
    channel: str, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    linked = Linked()
    busy = HttpReply(status=503, body=b"", headers={"retry-after": "20"})
    linked.server.answers[channel] = [busy]
    nursery.start_soon(linked.link.run)
    await trio.sleep(20)
    assert linked.server.posted[-1] == channel
    assert linked.server.held == 0
    await trio.sleep(2)
    assert linked.server.held == 1


async def test_a_call_that_went_through_brings_the_connect_loop_back(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    linked = Linked()
    gone = ConnectorError("gone", kind="lost", retry_after=20.0)
    linked.server.answers["/meta/connect"] = [gone]
    nursery.start_soon(linked.link.run)
    await trio.sleep(1)
    assert linked.server.held == 0
    await linked.link.call(linked.client.publish(CHANNEL, {}))
    await trio.sleep(0.5)
    assert linked.server.held == 1


async def test_a_goodbye_does_not_wait_for_a_busy_server(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    linked = Linked()
    busy = HttpReply(status=503, body=b"", headers={"retry-after": "20"})
    linked.server.answers["/meta/connect"] = [busy]
    nursery.start_soon(linked.link.run)
    await trio.sleep(1)
    linked.link.hurry()
    await trio.sleep(1)
    assert linked.server.held == 1


async def test_an_unknown_session_ends_the_held_connect(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    linked = Linked()
    await linked.start(nursery)
    refusal = {"channel": CHANNEL, "id": "4", "successful": False, "error": "402::Unknown client"}
    linked.server.answers[CHANNEL] = [reply(refusal)]
    acks = await linked.link.call(linked.client.publish(CHANNEL, {}))
    assert not acks["4"].successful
    await trio.sleep(1)
    assert linked.server.posted.count("/meta/handshake") == 2
    assert linked.server.held == 1


async def test_an_unknown_session_ends_a_pause_of_the_connect_loop(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    linked = Linked()
    await linked.start(nursery)
    linked.server.answers["/meta/connect"] = [HttpReply(status=503)] * 8
    await trio.sleep(37)
    assert linked.link.failures == 6
    # The next attempt is seconds away, but the session is known to be gone before.
    linked.server.answers.clear()
    publish = linked.client.publish(CHANNEL, {})
    refusal = {"channel": CHANNEL, "id": publish.id, "successful": False}
    linked.server.answers[CHANNEL] = [reply(refusal | {"error": "402::session_unknown"})]
    await linked.link.call(publish)
    await trio.sleep(0.1)
    assert linked.server.posted.count("/meta/handshake") == 2
    assert linked.link.failures == 0


async def test_a_disconnected_link_takes_no_calls(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    linked = Linked()
    await linked.start(nursery)
    await linked.link.disconnect()
    with pytest.raises(LocalProtocolError, match="there is no session"):
        linked.client.publish(CHANNEL, {})
    await linked.link.disconnect()
    assert linked.server.posted.count("/meta/disconnect") == 1
