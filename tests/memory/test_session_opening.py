"""Opening a session against servers that are not there, talk nonsense, or do not want to."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from botkit.api import start_session
from botkit.bayeux.personality import COMETD
from botkit.bot.matchers import contains
from botkit.errors import (
    BotkitError,
    ChatRefused,
    ConfigError,
    ConnectorError,
    RemoteProtocolError,
    ungrouped,
)
from botkit.session import ChatSession
from botkit.simulator import SimulatorSettings
from botkit.simulator.faults import Fault, make_fault
from botkit.simulator.http import Reply, Request
from botkit.testing import MemoryNetwork, SimulatorInMemory, simulator_in

OPEN_WITHIN = 15.0


async def centre_in(nursery: trio.Nursery, *faults: Fault, **settings: Any) -> SimulatorInMemory:
    return await simulator_in(nursery, SimulatorSettings(seed=1, faults=faults, **settings))


@asynccontextmanager
async def chat_at(connector: SimulatorInMemory, **options: Any) -> AsyncIterator[ChatSession]:
    with trio.fail_after(60):
        async with start_session(connector=connector, **options) as session:
            yield session


async def refusal_of(connector: SimulatorInMemory, **options: Any) -> tuple[BotkitError, float]:
    """Try to open a chat; gives what came of it, and after how long."""
    began = trio.current_time()
    with pytest.raises(BotkitError) as caught:
        async with chat_at(connector, **options):
            pytest.fail("it opened")
    assert connector.network.under_way == 0
    assert connector.simulator.status()["open"] == 0
    return caught.value, trio.current_time() - began


def answering(body: bytes, status: int = 200) -> MemoryNetwork:
    async def handle(request: Request) -> Reply:
        return Reply(status=status, body=body)

    return MemoryNetwork(handle, latency=0.01)


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        (ConnectionRefusedError("nobody listens"), "refused"),
        (socket.gaierror(-2, "Name or service not known"), "unknown_host"),
    ],
)
async def test_a_server_that_is_not_there_is_believed_after_one_retry(
    reason: OSError, kind: str, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await centre_in(nursery)
    connector.network.cut(reason)
    error, took = await refusal_of(connector)
    assert isinstance(error, ConnectorError)
    assert error.kind == kind
    assert connector.network.exchanges == 2
    assert took < 3


async def test_a_server_that_comes_up_in_time_is_used(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await centre_in(nursery)
    connector.network.cut(ConnectionRefusedError("not yet"))

    async def come_up() -> None:
        await trio.sleep(0.1)
        connector.network.mend()

    nursery.start_soon(come_up)
    async with chat_at(connector) as session:
        await session.expect(contains("Hello"))


NONSENSE: list[tuple[MemoryNetwork, type[BotkitError], str]] = [
    (answering(b"<html>be back soon</html>"), RemoteProtocolError, "<html>be back soon</html>"),
    (answering(b'[{"channel": "/meta/hand'), RemoteProtocolError, "/meta/hand"),
    (answering(b"[1, 2]"), RemoteProtocolError, "not Bayeux"),
    (answering(b"\xff\x00"), RemoteProtocolError, "not Bayeux"),
    (answering(b"oops", status=500), ConnectorError, "HTTP 500"),
    (answering(b"moved", status=302), ConnectorError, "HTTP 302"),
    (answering(b"[]"), RemoteProtocolError, "did not answer the handshake"),
]


@pytest.mark.parametrize(("network", "kind", "words"), NONSENSE)
async def test_nonsense_is_borne_until_the_limit_and_then_told(
    network: MemoryNetwork,
    kind: type[BotkitError],
    words: str,
    nursery: trio.Nursery,
    autojump_clock: MockClock,
) -> None:
    connector = await centre_in(nursery)
    connector.network = network
    error, took = await refusal_of(connector, open_within=OPEN_WITHIN)
    assert type(error) is kind
    assert words in str(error)
    assert OPEN_WITHIN <= took < OPEN_WITHIN + 4
    assert network.exchanges > 3


@pytest.mark.parametrize("name", ["html", "http_500", "kill_connection", "stall"])
async def test_nonsense_that_ends_in_time_does_no_harm(
    name: str, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    fault = make_fault(name, on="handshake", times=2 if name != "stall" else 1)
    connector = await centre_in(nursery, fault)
    async with chat_at(connector) as session:
        await session.expect(contains("Hello"))


@pytest.mark.parametrize("option", ["none", "handshake"])
async def test_a_refused_handshake(
    option: str, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await centre_in(nursery, make_fault("refused_handshake", option=option))
    error, took = await refusal_of(connector)
    assert isinstance(error, ChatRefused)
    assert error.code == 403
    assert "403::handshake_denied" in error.description
    # Who is told to give up gives up; who is told to try again does.
    assert took < 1 if option == "none" else took >= OPEN_WITHIN


async def test_a_refused_handshake_is_forgotten_once_one_succeeds(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    refused = make_fault("refused_handshake", option="handshake", times=1)
    connector = await centre_in(nursery, refused, make_fault("html", on="requestChat"))
    error, _ = await refusal_of(connector)
    assert isinstance(error, RemoteProtocolError)


async def test_a_refused_chat_has_the_code_of_the_service(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await centre_in(nursery, make_fault("refuse_chat"))
    error, took = await refusal_of(connector)
    assert isinstance(error, ChatRefused)
    assert (error.code, error.description) == (
        2,
        "no chat is opened: the simulator was told to refuse it",
    )
    assert took < 1


async def test_a_channel_that_nobody_may_publish_to(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    strict = replace(COMETD, text=None)
    connector = await centre_in(nursery, personality=strict)
    error, took = await refusal_of(connector, options={"channel": "/service/a b/{service}"})
    assert isinstance(error, ChatRefused)
    assert "channel" in error.description
    assert took < 1


async def test_a_session_that_is_lost_again_and_again_is_told(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await centre_in(nursery, make_fault("unknown_session", on="requestChat"))
    error, _ = await refusal_of(connector)
    assert isinstance(error, ConnectorError)
    assert "forgets the session again and again" in str(error)


@pytest.mark.parametrize(
    ("name", "on"),
    [
        ("unknown_session", "connect"),
        ("unknown_session", "requestChat"),
        ("session_expiry", "connect"),
        ("session_expiry", "handshake"),
    ],
)
async def test_a_session_that_is_lost_before_the_chat_is_asked_for_costs_nothing(
    name: str, on: str, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await centre_in(nursery, make_fault(name, on=on, times=1))
    async with chat_at(connector) as session:
        await session.expect(contains("Hello"))
    assert connector.simulator.status()["total"] == 1


async def test_a_server_that_forbids_to_go_on_is_believed_however_late_it_says_so(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await centre_in(nursery, make_fault("advice_none"))
    simulator = connector.simulator

    async def handle(request: Request) -> Reply:
        is_connect = b"/meta/connect" in request.body
        if not is_connect:
            await trio.sleep(1)
        reply = await simulator.handle(request)
        if is_connect:
            # Meanwhile the request for the chat is told that its session is unknown.
            await trio.sleep(5)
        return reply

    connector.network = MemoryNetwork(handle, latency=0.01)
    error, took = await refusal_of(connector)
    assert isinstance(error, ChatRefused)
    assert "forbade to go on" in error.description
    assert 6 < took < 8
    # The handshake, a connect, one request for a chat, and the goodbye.
    assert connector.network.exchanges == 4


async def test_the_request_for_a_chat_is_not_repeated_when_its_reply_is_lost(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await centre_in(nursery, make_fault("kill_connection", on="requestChat", times=1))
    async with chat_at(connector) as session:
        # Its acknowledgement never came, its push did: the chat is there to be used.
        await session.expect(contains("Hello"))
        await session.send_message("hi")
        await session.expect(contains("You said: hi"))
    status = connector.simulator.status()
    assert (status["open"], status["total"], status["sessions"]) == (0, 1, 0)


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"chanel": "/x"}, "options.chanel"),
        ({"channel": "x/{service}"}, "options.channel"),
        ({"channel": "/meta/{service}"}, "options.channel"),
        ({"channel": "/service/{servise}"}, "options.channel"),
        ({"channel": "/service/{"}, "options.channel"),
    ],
)
async def test_options_that_do_not_work(
    options: dict[str, str], key: str, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await centre_in(nursery)
    error, _ = await refusal_of(connector, options=options)
    assert isinstance(error, ConfigError)
    assert error.key == key
    assert connector.network.exchanges == 0


async def test_a_listener_that_breaks_does_not_take_the_goodbye_along(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await centre_in(nursery)

    def listen(event: object) -> None:
        if "Hello" in str(getattr(event, "text", "")):
            raise LookupError("a bot's mistake")

    async def chat() -> None:
        with ungrouped():
            async with trio.open_nursery() as chats:
                await ChatSession(chats, connector.opening(), listener=listen).open(connector)
                await trio.sleep_forever()

    with pytest.raises(LookupError), trio.fail_after(60):
        await chat()
    status = connector.simulator.status()
    assert (status["open"], status["ended"]) == (0, {"customer": 1, "service": 0})
