"""Chats over web messaging with real sockets: the simulator, servers that are none, and TLS."""

from __future__ import annotations

import ssl
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
import trustme

from botkit.bot.matchers import contains
from botkit.chat import AgentConnected, Continued, EndedBy
from botkit.connectors.genesys_cloud import GenesysCloud
from botkit.errors import BotkitError, ConnectorError, RemoteProtocolError, ungrouped
from botkit.interfaces import NetworkSettings, Opening
from botkit.session import ChatSession
from botkit.simulator import Simulator, SimulatorAddress, SimulatorSettings
from botkit.simulator.faults import make_fault
from botkit.simulator.server import serve_stream

ROOT = Path(__file__).parents[2]
ENOUGH = 20
DIRECT = NetworkSettings(trust_env=False)

AGENTS = """\
botkit-agents: 1
agents:
  Grace:
    - say: {text: Shall I close it, buttons: [Yes, No]}
    - expect: {equals: Yes}
    - say: It is closed
"""

BOT = """\
botkit: 1
bot: press
steps:
  - expect: shall i close it
  - say: {button: Yes}
  - expect: it is closed
"""


@asynccontextmanager
async def session_to(url: str, **members: Any) -> AsyncIterator[ChatSession]:
    """Open a chat, and leave it at the end of the block."""
    with trio.fail_after(ENOUGH), ungrouped():
        async with trio.open_nursery() as nursery:
            opening = Opening(**{"url": url, "network": DIRECT, **members})
            session = ChatSession(nursery, opening)
            await session.open(GenesysCloud())
            yield session
            await session.leave()


async def start(nursery: trio.Nursery, **settings: Any) -> tuple[Simulator, SimulatorAddress]:
    simulator = Simulator(SimulatorSettings(**settings))
    return simulator, await nursery.start(simulator.serve)


async def test_a_chat_with_an_interruption(nursery: trio.Nursery) -> None:
    killed = make_fault("kill_connection", on="onMessage", after=2, times=1)
    simulator, address = await start(nursery, faults=(killed,))
    async with session_to(address.guest_url) as session:
        await session.wait_for(AgentConnected)
        await session.send_message("one")
        await session.expect(contains("You said: one"))
        with suppress(ConnectorError):  # Whether it arrived depends on the moment of the cut.
            await session.send_message("two")
        await session.wait_for(Continued)
        file_id = await session.send_file("a.txt", b"hello", media_type="text/plain")
        assert await session.download_file(file_id) == b"hello"
        await session.reload()
        await session.send_message("three")
        await session.expect(contains("You said: three"))
    assert session.ended is not None
    assert session.ended.by is EndedBy.CUSTOMER
    assert simulator.status()["open"] == 0
    nursery.cancel_scope.cancel()


async def test_a_bot_presses_a_button(tmp_path: Path, nursery: trio.Nursery) -> None:
    agents, bot = tmp_path / "agents.yaml", tmp_path / "press.yaml"
    agents.write_text(AGENTS)
    bot.write_text(BOT)
    _, address = await start(nursery, agents=agents)
    command = [sys.executable, "-m", "botkit", "run", str(bot), "--connector", "genesys-cloud"]
    with trio.fail_after(ENOUGH):
        run = await trio.run_process(
            [*command, "--server", address.guest_url], capture_stdout=True, check=False
        )
    assert run.returncode == 0, run.stdout.decode()
    nursery.cancel_scope.cancel()


# --- servers that are none -----------------------------------------------------------------------

Serve = Callable[[trio.SocketStream], Awaitable[None]]


async def serving(nursery: trio.Nursery, answer: bytes) -> str:
    async def serve(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(answer)
        await stream.aclose()

    listeners = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
    port = listeners[0].socket.getsockname()[1]
    return f"ws://127.0.0.1:{port}/v1?deploymentId=demo"


async def test_a_port_that_nobody_listens_on_is_believed(nursery: trio.Nursery) -> None:
    with trio.socket.socket() as taken:
        await taken.bind(("127.0.0.1", 0))
        url = f"ws://127.0.0.1:{taken.getsockname()[1]}/v1?deploymentId=demo"
        with pytest.raises(ConnectorError) as caught:
            async with session_to(url):
                pass
    assert caught.value.kind == "refused"


@pytest.mark.parametrize(
    ("options", "kind"), [({}, RemoteProtocolError), ({"fetch_config": "off"}, ConnectorError)]
)
async def test_a_server_that_talks_html_is_none(
    options: dict[str, str], kind: type[BotkitError], nursery: trio.Nursery
) -> None:
    page = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n<html>"
    url = await serving(nursery, page)
    with pytest.raises(kind, match=r"<html>|JSON"):
        async with session_to(url, options=options, open_within=1.0):
            pass
    nursery.cancel_scope.cancel()


# --- TLS -----------------------------------------------------------------------------------------


@asynccontextmanager
async def tls_simulator(certificate: trustme.LeafCert) -> AsyncIterator[tuple[Simulator, str]]:
    """Serve a simulator over TLS."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)
    simulator = Simulator()

    async def serve(stream: trio.SocketStream) -> None:
        try:
            await serve_stream(simulator.handle, trio.SSLStream(stream, context, server_side=True))
        except trio.BrokenResourceError:
            # The client did not like the certificate.
            await stream.aclose()

    async with trio.open_nursery() as nursery:
        await nursery.start(simulator.run)
        listeners = await nursery.start(partial(trio.serve_tcp, serve, 0, host="127.0.0.1"))
        port = listeners[0].socket.getsockname()[1]
        yield simulator, f"wss://127.0.0.1:{port}/v1?deploymentId=demo"
        nursery.cancel_scope.cancel()


async def test_an_encrypted_chat(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    network = NetworkSettings(trust_env=False, ca_file=tmp_path / "ca.pem")
    async with tls_simulator(authority.issue_cert("127.0.0.1")) as (simulator, url):
        async with session_to(url, network=network) as session:
            await session.wait_for(AgentConnected)
        assert simulator.status()["open"] == 0


@pytest.mark.parametrize("options", [{}, {"fetch_config": "off"}])
async def test_a_certificate_of_nobody_knows_whom_is_refused(options: dict[str, str]) -> None:
    async with tls_simulator(trustme.CA().issue_cert("127.0.0.1")) as (_, url):
        with pytest.raises(ConnectorError) as caught:
            async with session_to(url, options=options):
                pass
    assert caught.value.kind == "tls"
