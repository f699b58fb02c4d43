"""The simulator on a socket: by itself, and as the connector of a whole chat."""

from __future__ import annotations

from pathlib import Path

import httpx
import orjson
import pytest
import trio
import trio.testing

from botkit.chat import (
    AgentConnected,
    EndedBy,
    Event,
    Message,
    SendMessage,
    SessionEnded,
    Userdata,
)
from botkit.embedded import EmbeddedSimulator
from botkit.errors import ChatRefused, ConfigError, LocalProtocolError, ungrouped
from botkit.interfaces import Opening, Outcome, Request
from botkit.simulator import Simulator, SimulatorAddress, SimulatorSettings

AGENTS = """\
botkit-agents: 1
agents:
  Grace:
    - say: I am Grace
"""


class Chat:
    """One chat through the embedded simulator."""

    def __init__(self, connector: EmbeddedSimulator, opening: Opening) -> None:
        self.events: list[Event] = []
        self.outcomes: list[Outcome] = []
        self._connector = connector
        self._opening = opening
        self._lot = trio.lowlevel.ParkingLot()
        self._send, self._receive = trio.open_memory_channel[Request](10)

    async def open(self, nursery: trio.Nursery) -> None:
        await nursery.start(self._connector.connect, self._opening, self._receive, self._deliver)

    def _deliver(self, item: Event | Outcome) -> None:
        (self.outcomes if isinstance(item, Outcome) else self.events).append(item)  # type: ignore[attr-defined]
        self._lot.unpark_all()

    async def said(self, text: str) -> None:
        while not any(isinstance(e, Message) and e.text == text for e in self.events):
            await self._lot.park()

    async def say(self, text: str) -> None:
        await self._send.send(Request(number=1, command=SendMessage(text=text)))

    async def leave(self) -> None:
        await self._send.aclose()
        while not isinstance(self.events[-1], SessionEnded):
            await self._lot.park()


async def test_it_serves_until_cancelled(nursery: trio.Nursery) -> None:
    with trio.fail_after(10):
        address = await nursery.start(Simulator().serve)
        assert address.url == f"http://127.0.0.1:{address.port}/genesys/cometd"
        async with httpx.AsyncClient(trust_env=False) as client:
            status = (await client.get(address.status_url)).json()
            assert (status["open"], status["total"]) == (0, 0)
            handshake = {
                "channel": "/meta/handshake",
                "version": "1.0",
                "supportedConnectionTypes": ["long-polling"],
            }
            reply = await client.post(address.url + "/handshake", json=[handshake])
            assert reply.json()[0]["successful"] is True
            assert "BAYEUX_BROWSER" in reply.cookies
            assert (await client.get(address.root)).status_code == 404


async def test_its_task_ends_cleanly_with_a_connect_held() -> None:
    with trio.fail_after(10):
        async with trio.open_nursery() as nursery:
            connector = EmbeddedSimulator()
            async with connector.running(), trio.open_nursery() as chats:
                chat = Chat(connector, Opening())
                await chat.open(chats)
                await chat.said("Hello, how can I help you?")
                chats.cancel_scope.cancel()
            nursery.cancel_scope.cancel()
    assert isinstance(chat.events[-1], SessionEnded)
    assert chat.events[-1].by is EndedBy.CUSTOMER


async def test_a_whole_chat_with_the_built_in_agent() -> None:
    connector = EmbeddedSimulator()
    assert connector.on_simulator
    with trio.fail_after(10):
        async with connector.running(), trio.open_nursery() as nursery:
            chat = Chat(connector, Opening(userdata={"A": "1"}))
            await chat.open(nursery)
            await chat.said("Hello, how can I help you?")
            await chat.say("hi")
            await chat.said("You said: hi")
            await chat.leave()
            url = connector.server_of(Opening())
    assert url.startswith("http://127.0.0.1:")
    kinds = [type(event) for event in chat.events]
    assert AgentConnected in kinds
    assert Userdata not in kinds  # the customer set it, and knows it
    assert isinstance(chat.events[-1], SessionEnded)
    assert chat.events[-1].by is EndedBy.CUSTOMER


async def test_one_simulator_for_each_file_of_agents(tmp_path: Path) -> None:
    agents = tmp_path / "agents.yaml"
    agents.write_text(AGENTS)
    connector = EmbeddedSimulator()
    openings = [Opening(), Opening(agents=agents), Opening(agents=agents)]
    greetings = ["Hello, how can I help you?", "I am Grace", "I am Grace"]
    with trio.fail_after(10):
        async with connector.running(), trio.open_nursery() as nursery:
            chats = [Chat(connector, opening) for opening in openings]
            for chat, greeting in zip(chats, greetings, strict=True):
                await chat.open(nursery)
                await chat.said(greeting)
            urls = [connector.server_of(opening) for opening in openings]
            for chat in chats:
                await chat.leave()
    assert urls[0] != urls[1] == urls[2]


async def test_a_simulator_has_the_faults_of_its_chats(tmp_path: Path) -> None:
    faults = tmp_path / "faults.yaml"
    faults.write_text("- {name: refuse_chat, service: closed}\n")
    connector = EmbeddedSimulator()
    with trio.fail_after(10):
        async with connector.running(), trio.open_nursery() as nursery:
            await Chat(connector, Opening(service="closed")).open(nursery)
            with pytest.raises(ChatRefused, match="told to refuse it"), ungrouped():
                async with trio.open_nursery() as refused:
                    await Chat(connector, Opening(service="closed", faults=faults)).open(refused)
            nursery.cancel_scope.cancel()


async def test_a_chat_outside_of_running_is_a_mistake() -> None:
    connector = EmbeddedSimulator()
    with pytest.raises(LocalProtocolError, match="running"), ungrouped():
        async with trio.open_nursery() as nursery:
            await Chat(connector, Opening()).open(nursery)


async def test_a_wrong_file_of_agents_is_told_with_its_place(tmp_path: Path) -> None:
    agents = tmp_path / "agents.yaml"
    agents.write_text("botkit-agents: 1\nagents:\n  Grace:\n    - sy: hello\n")
    connector = EmbeddedSimulator()
    with trio.fail_after(10):
        async with connector.running():
            with pytest.raises(ConfigError, match=r"agents\.yaml:4:7: "), ungrouped():
                async with trio.open_nursery() as nursery:
                    await Chat(connector, Opening(agents=agents)).open(nursery)


@pytest.mark.parametrize(
    "opening", [Opening(url="http://127.0.0.1:1"), Opening(options={"unknown": "x"})]
)
def test_what_makes_no_sense_is_refused_before_anything_starts(opening: Opening) -> None:
    with pytest.raises(ConfigError):
        EmbeddedSimulator().check(opening)


def test_a_wrong_file_of_faults_is_told_with_its_place(tmp_path: Path) -> None:
    faults = tmp_path / "faults.yaml"
    faults.write_text("- {name: http_501}\n")
    with pytest.raises(ConfigError, match=r"faults\.yaml:1:10: there is no fault"):
        EmbeddedSimulator().check(Opening(faults=faults))


async def test_an_address_may_be_of_another_family() -> None:
    assert SimulatorAddress(host="::1", port=80).root == "http://[::1]:80"
    assert SimulatorAddress(host="127.0.0.1", port=80, base="/gms/").url == (
        "http://127.0.0.1:80/gms/genesys/cometd"
    )


async def test_a_lost_socket_leaves_the_chat_open(nursery: trio.Nursery) -> None:
    with trio.fail_after(10):
        simulator = Simulator(SimulatorSettings(seed=1))
        address = await nursery.start(simulator.serve)
        channel = "/service/chatV2/demo"
        async with httpx.AsyncClient(trust_env=False) as client:
            handshake = {
                "channel": "/meta/handshake",
                "version": "1.0",
                "supportedConnectionTypes": ["long-polling"],
            }
            (reply,) = (await client.post(address.url, json=[handshake])).json()
            data = {"operation": "requestChat", "nickname": "Ada"}
            publish = {"channel": channel, "clientId": reply["clientId"], "data": data}
            answer = orjson.loads((await client.post(address.url, json=[publish])).content)
            assert answer[0]["data"]["secureKey"]
        await trio.testing.wait_all_tasks_blocked()
        assert simulator.centre.open_chats == 1
