"""The link over WebSockets that are in the hands of the test."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import orjson
import pytest
import trio
from trio.testing import MockClock

from botkit.bayeux import client as bayeux
from botkit.bayeux.client import ClientConfig
from botkit.connectors import codec
from botkit.connectors.bayeux_link import BayeuxLink
from botkit.connectors.http import HttpReply, Lane, StoredCookie
from botkit.errors import BotkitError, ConnectorError, LocalProtocolError, RemoteProtocolError

Message = dict[str, Any]
CHANNEL = "/service/x"
LOST = ConnectorError("gone", kind="lost")


class Socket:
    """One socket to a polite server, which the test may break.

    Attributes:
        sent: the messages that came.
        silent: channels whose messages get no answer.
    """

    def __init__(self, server: Server) -> None:
        self.close_code: int | None = None
        self.close_reason = ""
        self.is_open = True
        self.sent: list[Message] = []
        self.silent: set[str] = set()
        self._server = server
        self._coming, self._arriving = trio.open_memory_channel[str | BotkitError](math.inf)

    async def send(self, text: str) -> None:
        await trio.lowlevel.checkpoint()
        for message in orjson.loads(text):
            self.sent.append(message)
            if message["channel"] not in self.silent:
                self._server.answer(self, message)

    async def receive(self) -> str:
        item = await self._arriving.receive()
        if isinstance(item, BotkitError):
            raise item
        return item

    async def aclose(self) -> None:
        self.is_open = False
        self.push(LocalProtocolError("closed by this side"))
        await trio.lowlevel.checkpoint()

    def push(self, item: Message | str | BotkitError) -> None:
        """Let a message, any text, or the end arrive."""
        self._coming.send_nowait(orjson.dumps([item]).decode() if isinstance(item, dict) else item)


class Server:
    """Answers as a polite server does.

    Attributes:
        sockets: all that were opened, in order.
        refusals: raised by the next openings.
        interval: advised with each connect, milliseconds.
        posted: channels of what came over long polling.
    """

    url = "http://server"

    def __init__(self) -> None:
        self.sockets: list[Socket] = []
        self.refusals: list[BotkitError] = []
        self.interval = 0
        self.posted: list[str] = []

    @property
    def socket(self) -> Socket:
        return self.sockets[-1]

    async def open(self) -> Socket:
        await trio.sleep(0.1)
        if self.refusals:
            raise self.refusals.pop(0)
        self.sockets.append(Socket(self))
        return self.socket

    def answer(self, socket: Socket, message: Message) -> None:
        if message["channel"] == "/meta/connect" and "advice" not in message:
            return  # it is held
        socket.push(self.reply(message))

    def reply(self, message: Message) -> Message:
        reply = {"channel": message["channel"], "id": message["id"], "successful": True}
        if message["channel"] == "/meta/handshake":
            reply |= {"clientId": "c", "version": "1.0"}
        if message["channel"] == "/meta/connect":
            reply["advice"] = {"reconnect": "retry", "interval": self.interval, "timeout": 30_000}
        return reply

    # --- Http ---

    async def post(self, suffix: str, body: bytes, *, lane: Lane) -> HttpReply:
        await trio.lowlevel.checkpoint()
        (message,) = orjson.loads(body)
        self.posted.append(message["channel"])
        if message["channel"] == "/meta/connect" and "advice" not in message:
            await trio.sleep(30)
        return HttpReply(status=200, body=orjson.dumps([self.reply(message)]))

    def cookies(self) -> tuple[StoredCookie, ...]:
        return ()

    def add_cookies(self, cookies: Iterable[StoredCookie]) -> None:
        raise AssertionError("a link has no cookies to add")

    async def aclose(self) -> None:
        raise AssertionError("closing stays with whoever opened it")


class Linked:
    """A link under test, with all that it told."""

    def __init__(self, *types: str) -> None:
        types = types or ("websocket",)
        self.server = Server()
        self.events: list[bayeux.Event] = []
        config = ClientConfig(connection_type=types[0], supported_connection_types=types)
        self.client = bayeux.Client(config, jitter=lambda: 0.0)
        self.link = BayeuxLink(
            self.server,  # type: ignore[arg-type]
            self.client,
            codec,
            self.events.append,
            lambda: None,
            max_network_delay=10.0,
            open_socket=self.server.open,
            falls_back=len(types) > 1,
        )

    async def start(self, nursery: trio.Nursery) -> None:
        nursery.start_soon(self.link.run)
        await trio.sleep(1)
        assert bayeux.Connected in self.kinds

    @property
    def kinds(self) -> list[type[bayeux.Event]]:
        return [type(event) for event in self.events]

    @property
    def channels(self) -> list[list[str]]:
        """What went over each socket."""
        return [[message["channel"] for message in s.sent] for s in self.server.sockets]

    async def publish(self) -> bayeux.Acknowledged:
        message = self.client.publish(CHANNEL, {"a": 1})
        return (await self.link.call(message))[str(message.id)]


CONNECTED = ["/meta/handshake", "/meta/connect", "/meta/connect"]


async def test_a_session_from_handshake_to_disconnect(autojump_clock: MockClock) -> None:
    linked = Linked()
    async with trio.open_nursery() as nursery:
        await linked.start(nursery)
        assert (await linked.publish()).successful
        await linked.link.disconnect()
    assert linked.channels == [[*CONNECTED, CHANNEL, "/meta/disconnect"]]
    assert linked.server.socket.sent[1]["connectionType"] == "websocket"
    assert not linked.server.socket.is_open
    assert linked.link.failures == 0


async def test_pushes_come_at_any_time(nursery: trio.Nursery, autojump_clock: MockClock) -> None:
    linked = Linked()
    linked.server.interval = 60_000
    await linked.start(nursery)
    # The connect loop has nothing to ask now, and listens all the same.
    linked.server.socket.push({"channel": CHANNEL, "data": {"n": 1}})
    assert (await linked.publish()).successful
    delivered = [event.data for event in linked.events if isinstance(event, bayeux.Delivered)]
    assert delivered == [{"n": 1}]
    assert linked.channels == [[*CONNECTED[:2], CHANNEL]]


async def test_replies_may_come_in_any_order(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    linked = Linked()
    await linked.start(nursery)
    linked.server.socket.silent.add(CHANNEL)
    acks: list[str] = []

    async def publish(name: str) -> None:
        await linked.publish()
        acks.append(name)

    for name in ("first", "second"):
        nursery.start_soon(publish, name)
        await trio.testing.wait_all_tasks_blocked()
    for message in reversed(linked.server.socket.sent[-2:]):
        linked.server.socket.push(linked.server.reply(message))
        await trio.testing.wait_all_tasks_blocked()
    assert acks == ["second", "first"]


async def test_a_call_that_is_not_answered_closes_the_socket(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    linked = Linked()
    await linked.start(nursery)
    first = linked.server.socket
    first.silent.add(CHANNEL)
    began = trio.current_time()
    with pytest.raises(ConnectorError, match="did not answer within 10 s") as caught:
        await linked.publish()
    assert (caught.value.kind, caught.value.sent) == ("timeout", True)
    assert trio.current_time() - began == 10
    assert not first.is_open
    await trio.sleep(5)
    assert linked.kinds[-2:] == [bayeux.Lost, bayeux.Regained]
    assert linked.channels[1] == ["/meta/connect"] * 2


@pytest.mark.parametrize(
    ("end", "kind"),
    [
        (LOST, ConnectorError),
        ("<html>", RemoteProtocolError),
        (RemoteProtocolError("no frame"), RemoteProtocolError),
    ],
)
async def test_a_loss_ends_what_is_under_way_and_the_session_goes_on_elsewhere(
    end: BotkitError | str,
    kind: type[BotkitError],
    nursery: trio.Nursery,
    autojump_clock: MockClock,
) -> None:
    linked = Linked()
    await linked.start(nursery)
    linked.server.socket.silent.add(CHANNEL)
    errors: list[BotkitError] = []

    async def publish() -> None:
        try:
            await linked.publish()
        except (ConnectorError, RemoteProtocolError) as error:
            errors.append(error)

    nursery.start_soon(publish)
    await trio.testing.wait_all_tasks_blocked()
    linked.server.socket.push(end)
    await trio.sleep(2)
    assert [type(error) for error in errors] == [kind]
    assert getattr(errors[0], "sent", True)
    assert linked.kinds[-2:] == [bayeux.Lost, bayeux.Regained]
    assert [message.get("clientId") for message in linked.server.socket.sent] == ["c", "c"]
    assert [socket.is_open for socket in linked.server.sockets] == [False, True]


async def test_a_loss_between_two_requests_is_told_at_the_next(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    """Somebody may have pushed into it, and then nobody ever knows."""
    linked = Linked()
    linked.server.interval = 5_000
    await linked.start(nursery)
    linked.server.socket.push(LOST)
    await trio.sleep(1)
    assert (await linked.publish()).successful
    assert bayeux.Lost not in linked.kinds
    await trio.sleep(20)
    assert linked.kinds.count(bayeux.Lost) == linked.kinds.count(bayeux.Regained) == 1
    assert linked.channels[1][:2] == [CHANNEL, "/meta/connect"]


async def test_a_call_does_not_wait_for_the_connect_loop_to_come_back(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    linked = Linked()
    await linked.start(nursery)
    linked.server.refusals = [ConnectorError("refused", kind="refused", sent=False)] * 3
    linked.server.socket.push(LOST)
    await trio.sleep(4)
    assert linked.link.failures == 4
    assert len(linked.server.sockets) == 1
    linked.server.refusals = []
    began = trio.current_time()
    assert (await linked.publish()).successful
    assert trio.current_time() - began < 0.2


async def test_two_who_need_a_socket_open_one(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    linked = Linked()
    linked.server.interval = 60_000
    await linked.start(nursery)
    linked.server.socket.push(LOST)
    await trio.testing.wait_all_tasks_blocked()
    async with trio.open_nursery() as calls:
        calls.start_soon(linked.publish)
        calls.start_soon(linked.publish)
    assert linked.channels[1:] == [[CHANNEL, CHANNEL]]


@pytest.mark.parametrize(
    "refusal",
    [ConnectorError("no", kind="tls", sent=False), RemoteProtocolError("no upgrade")],
)
async def test_what_cannot_be_opened_was_not_sent(
    refusal: BotkitError, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    linked = Linked()
    linked.server.interval = 60_000
    await linked.start(nursery)
    linked.server.refusals = [refusal]
    linked.server.socket.push(LOST)
    await trio.testing.wait_all_tasks_blocked()
    with pytest.raises(ConnectorError) as caught:
        await linked.publish()
    assert not caught.value.sent


async def test_an_opening_that_hangs_has_sent_nothing(
    nursery: trio.Nursery, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked = Linked()
    linked.server.interval = 60_000
    await linked.start(nursery)
    monkeypatch.setattr(linked.link._socket, "_open_socket", trio.sleep_forever)
    linked.server.socket.push(LOST)
    await trio.testing.wait_all_tasks_blocked()
    with pytest.raises(ConnectorError) as caught:
        await linked.publish()
    assert (caught.value.kind, caught.value.sent) == ("timeout", False)


async def test_a_socket_that_does_not_open_falls_back(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    linked = Linked("websocket", "long-polling")
    linked.server.refusals = [ConnectorError("no", kind="http", sent=False)]
    await linked.start(nursery)
    assert linked.server.sockets == []
    assert linked.server.posted == CONNECTED
    assert (linked.link.failures, linked.link.last_error) == (0, None)
    assert bayeux.Lost not in linked.kinds


async def test_a_socket_that_says_nothing_falls_back(
    nursery: trio.Nursery, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked = Linked("websocket", "long-polling")
    monkeypatch.setattr(linked.server, "answer", lambda socket, message: None)
    nursery.start_soon(linked.link.run)
    await trio.sleep(5)
    assert linked.server.posted == CONNECTED
    assert not linked.server.socket.is_open


async def test_a_server_that_offers_long_polling_alone_gets_it(
    nursery: trio.Nursery, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    linked = Linked("websocket", "long-polling")
    reply = linked.server.reply

    def without_sockets(message: Message) -> Message:
        types = {"supportedConnectionTypes": ["long-polling"]}
        return reply(message) | (types if message["channel"] == "/meta/handshake" else {})

    monkeypatch.setattr(linked.server, "reply", without_sockets)
    await linked.start(nursery)
    assert linked.channels == [["/meta/handshake"]]
    assert linked.server.posted == CONNECTED[1:]
    assert not linked.server.socket.is_open


async def test_a_link_that_is_cancelled_keeps_no_socket(autojump_clock: MockClock) -> None:
    linked = Linked()
    async with trio.open_nursery() as nursery:
        await linked.start(nursery)
        nursery.cancel_scope.cancel()
    assert not linked.server.socket.is_open


async def test_a_disconnect_that_is_not_answered_ends_the_link_all_the_same(
    autojump_clock: MockClock,
) -> None:
    linked = Linked()
    async with trio.open_nursery() as nursery:
        await linked.start(nursery)
        linked.server.socket.silent.add("/meta/disconnect")
        with pytest.raises(ConnectorError, match="did not answer"):
            await linked.link.disconnect()
    assert not linked.server.socket.is_open
