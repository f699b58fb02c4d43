"""Files over both wires of GMS: sent, limited, fetched and taken out again, on virtual time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from botkit.api import start_session
from botkit.chat import AgentConnected, File, FileLimits
from botkit.errors import BotkitError, ChatError, ConnectorError, RemoteProtocolError
from botkit.session import ChatSession
from botkit.simulator import SimulatorSettings
from botkit.simulator.centre import CentreSettings
from botkit.simulator.chats import Chat
from botkit.simulator.faults import make_fault
from botkit.simulator.files import FileRules
from botkit.simulator.http import Reply, Request
from botkit.testing import MemoryNetwork, SimulatorInMemory, simulator_in

IMAGE = bytes(range(256)) * 20 + b"\r\n--botkit-00000000\r\n"
Start = Callable[..., Awaitable[SimulatorInMemory]]


TRANSPORTS: Mapping[str, Mapping[str, str]] = {"gms-websocket": {"transport": "websocket"}}


@pytest.fixture(params=["gms-cometd", "gms-websocket", "gms-rest"])
def wire(request: pytest.FixtureRequest) -> str:
    """Each wire in turn, and the transport beside the usual one."""
    name: str = request.param
    return name


@pytest.fixture
def connector_in(wire: str, nursery: trio.Nursery) -> Start:
    async def start(*faults: Any, **rules: Any) -> SimulatorInMemory:
        centre = CentreSettings(files=FileRules(**rules))
        settings = SimulatorSettings(seed=1, faults=faults, centre=centre)
        name = "gms-cometd" if wire in TRANSPORTS else wire
        return await simulator_in(nursery, settings, latency=0.01, wire=name)

    return start


@pytest.fixture
def options(wire: str) -> Mapping[str, str]:
    """What the connector is told beside its name."""
    return TRANSPORTS.get(wire, {})


@asynccontextmanager
async def chat_at(
    connector: SimulatorInMemory, **options: Any
) -> AsyncIterator[tuple[ChatSession, Chat]]:
    with trio.fail_after(600):
        async with start_session(connector=connector, **options) as session:
            await session.wait_for(AgentConnected)
            yield session, connector.simulator.centre.open_chat_list()[0]


async def test_a_file_is_sent_fetched_and_taken_out(
    connector_in: Start, options: Mapping[str, str], autojump_clock: MockClock
) -> None:
    connector = await connector_in()
    async with chat_at(connector, options=options) as (session, chat):
        files: list[File] = []
        session.on(File, files.append)
        file_id = await session.send_file('my "cat".png', IMAGE, media_type="image/png")
        await trio.sleep(1)
        (sent,) = files
        assert (sent.file_id, sent.name, sent.size) == (file_id, 'my "cat".png', len(IMAGE))
        assert sent.own
        assert chat.room is not None
        assert chat.room.files[file_id].media_type == "image/png"
        assert await session.download_file(file_id) == IMAGE
        limits = await session.get_file_limits()
        assert (limits.used_files, limits.used_total_bytes) == (1, len(IMAGE))
        assert limits.used_downloads == 1
        await session.delete_file(file_id)
        await trio.sleep(1)
        gone = files[1]
        assert (gone.file_id, gone.deleted) == (file_id, True)
        with pytest.raises(ChatError, match="there is no file"):
            await session.download_file(file_id)
    assert connector.network.under_way == 0


async def test_a_file_of_the_agent_is_fetched(
    connector_in: Start, options: Mapping[str, str], autojump_clock: MockClock
) -> None:
    connector = await connector_in()
    async with chat_at(connector, options=options) as (session, chat):
        (agent,) = chat.agents.values()
        file = connector.simulator.centre.upload(
            chat,
            agent,
            name="bill.json",
            media_type="application/json",
            content=b'{"sum": 7}',
            now=trio.current_time(),
        )
        came = await session.wait_for(File)
        assert (came.file_id, came.own) == (file.id, False)
        assert await session.download_file(file.id) == b'{"sum": 7}'
        with pytest.raises(ChatError, match="somebody else's"):
            await session.delete_file(file.id)


async def test_limits_are_told(
    connector_in: Start, options: Mapping[str, str], autojump_clock: MockClock
) -> None:
    connector = await connector_in(
        max_files=2,
        max_file_bytes=10,
        max_total_bytes=15,
        file_types=("png", "pdf"),
        needs_agent=True,
        can_delete=False,
        max_downloads=3,
    )
    async with chat_at(connector, options=options) as (session, _):
        assert await session.get_file_limits() == FileLimits(
            max_files=2,
            max_file_bytes=10,
            max_total_bytes=15,
            file_types=("png", "pdf"),
            needs_agent=True,
            can_delete=False,
            max_downloads=3,
            used_files=0,
            used_total_bytes=0,
            used_downloads=0,
        )


@pytest.mark.parametrize(
    ("rules", "name", "size", "words"),
    [
        ({"max_file_bytes": 10}, "a.png", 11, "upload-max-file-size"),
        ({"max_total_bytes": 10}, "a.png", 11, "upload-max-total-size"),
        ({"max_files": 0}, "a.png", 1, "upload-max-files"),
        ({"file_types": ("png",)}, "a.exe", 1, "upload-file-types"),
    ],
)
async def test_a_file_beyond_the_limits_is_refused_in_the_words_of_the_service(
    rules: dict[str, Any],
    name: str,
    size: int,
    words: str,
    connector_in: Start,
    options: Mapping[str, str],
    autojump_clock: MockClock,
) -> None:
    connector = await connector_in(**rules)
    async with chat_at(connector, options=options) as (session, chat):
        with pytest.raises(ChatError, match=words) as caught:
            await session.send_file(name, b"x" * size)
        assert caught.value.code == 1
        assert chat.room is None


async def test_files_wait_for_an_agent_where_the_service_wants_that(
    connector_in: Start, options: Mapping[str, str], autojump_clock: MockClock
) -> None:
    connector = await connector_in(make_fault("agent_never_joins"), needs_agent=True)
    async with start_session(connector=connector, options=options) as session:
        with pytest.raises(ChatError, match="upload-need-agent"):
            await session.send_file("a.png", b"x")


OPERATION_FAULTS = ["http_500", "html", "truncated_json", "kill_connection", "stall"]


@pytest.mark.parametrize("name", OPERATION_FAULTS)
async def test_a_file_is_sent_once_whatever_becomes_of_the_answer(
    name: str, connector_in: Start, options: Mapping[str, str], autojump_clock: MockClock
) -> None:
    connector = await connector_in()
    async with chat_at(connector, options=options) as (session, chat):
        connector.simulator.faults.change([make_fault(name, on="fileUpload", times=1)])
        with pytest.raises(BotkitError) as caught:
            await session.send_file("a.png", b"x")
        assert isinstance(caught.value, ConnectorError | RemoteProtocolError)
        assert chat.room is None or chat.room.sent == 1
        assert (await session.get_file_limits()).max_files == 10
        await session.send_message("still here")


async def test_a_file_is_too_large_for_botkit(
    connector_in: Start, options: Mapping[str, str], autojump_clock: MockClock
) -> None:
    connector = await connector_in()
    async with chat_at(connector, options=options) as (session, _):
        with pytest.raises(BotkitError, match="botkit sends up to"):
            await session.send_file("a.png", bytes(65 * 1024 * 1024))


async def test_the_side_door_is_where_an_option_says_and_knows_the_browser(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await simulator_in(nursery, SimulatorSettings(seed=1))
    seen: list[tuple[str, str]] = []

    async def handle(request: Request) -> Reply:
        reply = await connector.simulator.handle(request)
        if "cometd" in request.path:
            # A server that wants its cookie on its own path alone, and a balancer's beside it.
            cookies = [
                (name, value.replace("Path=/;", "Path=/genesys/cometd;"))
                for name, value in reply.headers
                if name == "Set-Cookie"
            ]
            return Reply(headers=(*cookies, ("Set-Cookie", "NODE=7; Path=/")), body=reply.body)
        seen.append((request.headers["host"], request.headers.get("cookie", "")))
        return reply

    connector.network = MemoryNetwork(handle)
    for options in ({}, {"files_url": "http://files.example.com/genesys/2/chat-ntf"}):
        async with chat_at(connector, options=options) as (session, _):
            await session.send_file("a.png", b"x")
    (near, near_cookies), (far, far_cookies) = seen
    assert (near, far) == ("simulator", "files.example.com")
    assert "BAYEUX_BROWSER=" in near_cookies
    assert "NODE=7" in near_cookies
    assert "BAYEUX_BROWSER=" in far_cookies
    assert "NODE" not in far_cookies


@pytest.mark.parametrize(
    ("transport", "answer"), [("websocket", b'"statusCode":0'), ("long-polling", b'"code":402')]
)
async def test_who_came_over_websocket_has_no_browser_to_tell_of(
    transport: str, answer: bytes, nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await simulator_in(nursery, SimulatorSettings(seed=1))
    async with chat_at(connector, options={"transport": transport}) as (_, chat):
        form = "".join(
            f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'
            for name, text in {"operation": "fileGetLimits", "secureKey": chat.secure_key}.items()
        )
        request = Request(
            path="/genesys/2/chat-ntf",
            headers={"content-type": "multipart/form-data; boundary=x"},
            body=f"{form}--x--\r\n".encode(),
        )
        assert answer in (await connector.simulator.handle(request)).body


async def test_the_side_door_asks_for_the_browser_and_the_key(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    connector = await simulator_in(nursery, SimulatorSettings(seed=1))
    form = (
        b'--x\r\nContent-Disposition: form-data; name="operation"\r\n\r\nfileGetLimits\r\n--x--\r\n'
    )
    path = "/genesys/2/chat-ntf"

    async def ask(**headers: str) -> Reply:
        return await connector.simulator.handle(Request(path=path, headers=headers, body=form))

    kind = {"content-type": "multipart/form-data; boundary=x"}
    assert b'"code":402' in (await ask(**kind)).body
    assert b'"code":8210' in (await ask(**kind, cookie="BAYEUX_BROWSER=1")).body
    assert (await ask(**{"content-type": "application/json"})).status == 415
    assert (await ask(**{"content-type": "multipart/form-data; boundary=y"})).status == 400
    get = await connector.simulator.handle(Request(method="GET", path=path))
    assert get.status == 405
