"""Opening and restoring chats over REST, where servers fail, talk nonsense or do not want to."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from botkit.api import start_session
from botkit.bot.matchers import contains
from botkit.errors import (
    BotkitError,
    ChatRefused,
    ConfigError,
    ConnectorError,
    RemoteProtocolError,
)
from botkit.interfaces import NetworkSettings
from botkit.session import ChatSession
from botkit.simulator import SimulatorSettings
from botkit.simulator.faults import Fault, make_fault
from botkit.simulator.http import Reply, Request
from botkit.testing import MemoryNetwork, SimulatorInMemory, simulator_in

OPEN_WITHIN = 15.0


async def centre_in(nursery: trio.Nursery, *faults: Fault, **settings: Any) -> SimulatorInMemory:
    given = SimulatorSettings(seed=1, faults=faults, **settings)
    return await simulator_in(nursery, given, latency=0.01, wire="gms-rest")


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
    return caught.value, trio.current_time() - began


def answering(
    body: bytes, status: int = 200, headers: tuple[tuple[str, str], ...] = ()
) -> MemoryNetwork:
    async def handle(request: Request) -> Reply:
        return Reply(status=status, body=body, headers=headers)

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


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (200, b"<html>be back soon</html>", RemoteProtocolError, "<html>be back soon</html>"),
        (200, b"\xff\x00", RemoteProtocolError, "not JSON"),
        (500, b"oops", ConnectorError, "HTTP 500"),
        (503, b'{"code": 7, "message": "full"}', ConnectorError, "HTTP 503"),
        (302, b"moved", ConnectorError, "HTTP 302"),
        (404, b"<h1>nothing here</h1>", ConnectorError, "HTTP 404"),
        (200, b'{"statusCode": 1, "secureKey": "no"}', ChatRefused, "come again"),
        (429, b'{"code": 9, "message": "slowly"}', ChatRefused, "slowly"),
    ],
)
async def test_what_opened_no_chat_is_borne_until_the_limit(
    status: int,
    body: bytes,
    kind: type[BotkitError],
    words: str,
    nursery: trio.Nursery,
    autojump_clock: MockClock,
) -> None:
    connector = await centre_in(nursery)
    connector.network = answering(body, status)
    error, took = await refusal_of(connector, open_within=OPEN_WITHIN)
    assert isinstance(error, kind)
    assert words in str(error)
    assert OPEN_WITHIN <= took < OPEN_WITHIN + 4
    assert connector.network.exchanges > 3


@pytest.mark.parametrize(
    ("status", "body"), [(503, b"oops"), (429, b'{"code": 9, "message": "slowly"}')]
)
async def test_a_server_that_asks_for_it_is_left_alone(
    status: int, body: bytes, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await centre_in(nursery)
    connector.network = answering(body, status, (("Retry-After", "6"),))
    await refusal_of(connector, open_within=OPEN_WITHIN)
    # At once, after 6 s and a bit, and after 12 s and a bit.
    assert connector.network.exchanges == 3


@pytest.mark.parametrize(
    ("status", "body", "kind", "words"),
    [
        (200, b'{"statusCode": 0, "secureKey": "hidden', RemoteProtocolError, "not JSON"),
        (200, b"[1, 2]", RemoteProtocolError, "not GMS Chat"),
        (200, b'{"statusCode": 0}', RemoteProtocolError, "without a secureKey"),
        (504, b"gateway timeout", ConnectorError, "HTTP 504"),
        (200, b'{"statusCode": 2, "errors": [{"code": 5, "message": "no"}]}', ChatRefused, "no"),
        (403, b'{"code": 5, "message": "no"}', ChatRefused, "no (code 5)"),
        (415, b'{"errors": [{"code": "5", "message": "no"}]}', ChatRefused, "no (code 5)"),
    ],
)
async def test_what_decides_or_may_have_opened_a_chat_is_not_repeated(
    status: int,
    body: bytes,
    kind: type[BotkitError],
    words: str,
    nursery: trio.Nursery,
    autojump_clock: MockClock,
) -> None:
    connector = await centre_in(nursery)
    connector.network = answering(body, status)
    error, took = await refusal_of(connector)
    assert isinstance(error, kind)
    assert words in str(error)
    assert "hidden" not in str(error)
    assert connector.network.exchanges == 1
    assert took < 1


@pytest.mark.parametrize("name", ["html", "http_500", "status_code_1"])
async def test_nonsense_that_ends_in_time_does_no_harm(
    name: str, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await centre_in(nursery, make_fault(name, on="requestChat", times=2))
    async with chat_at(connector) as session:
        await session.expect(contains("Hello"))
    assert connector.simulator.status()["total"] == 1


async def test_a_request_whose_answer_is_lost_is_not_repeated(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    lost = make_fault("kill_connection", on="requestChat")
    connector = await centre_in(nursery, lost, poll_within=60.0)
    error, _ = await refusal_of(connector)
    assert isinstance(error, ConnectorError)
    # Nobody has its key: the service ends it when its polls are missed.
    assert connector.simulator.status()["open"] == 1
    await trio.sleep(61)
    status = connector.simulator.status()
    assert (status["open"], status["total"]) == (0, 1)


async def test_a_stalling_server_is_told_by_its_silence(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await centre_in(nursery, make_fault("stall", on="requestChat"))
    error, took = await refusal_of(connector, open_within=5.0)
    assert isinstance(error, ConnectorError)
    assert error.kind == "timeout"
    assert "within 5 s" in str(error)
    assert 5 < took < 9


async def test_a_refused_chat_has_the_code_of_the_service(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await centre_in(nursery, make_fault("refuse_chat"))
    error, took = await refusal_of(connector)
    assert isinstance(error, ChatRefused)
    assert error.code == 2
    assert took < 1


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"chanel": "/x"}, "options.chanel"),
        ({"update_data": "a b"}, "options.update_data"),
        ({"poll_longest": "5"}, "options.poll_longest"),
        ({"poll_longest": "200s"}, "options.poll_longest"),
        ({"poll_shortest": "6s"}, "options.poll_longest"),
        ({"reply_within": "0s"}, "options.reply_within"),
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


async def test_the_path_of_user_data_can_be_another_one(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await centre_in(nursery)
    paths: list[str] = []

    async def handle(request: Request) -> Reply:
        paths.append(request.path.rpartition("/")[2])
        return await connector.simulator.handle(request)

    connector.network = MemoryNetwork(handle)
    async with chat_at(connector, options={"update_data": "updateUserData"}) as session:
        with pytest.raises(BotkitError):
            await session.set_userdata({"A": "1"})
    assert "updateUserData" in paths


async def test_cookies_and_headers_go_with_every_call(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await centre_in(nursery)
    seen: list[tuple[str, str]] = []

    async def handle(request: Request) -> Reply:
        seen.append((request.headers.get("cookie", ""), request.headers["apikey"]))
        reply = await connector.simulator.handle(request)
        return Reply(headers=(*reply.headers, ("Set-Cookie", "NODE=7; Path=/")), body=reply.body)

    connector.network = MemoryNetwork(handle)
    async with chat_at(connector, network=NetworkSettings(headers={"apikey": "k"})) as session:
        await session.expect(contains("Hello"))
    assert seen[0] == ("", "k")
    assert set(seen[1:]) == {("NODE=7", "k")}
