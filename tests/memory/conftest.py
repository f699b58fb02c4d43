"""A simulator without sockets, and clients of it in the hands of a test."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import orjson
import pytest
import trio

from botkit.connectors.websocket import WebSocket, open_websocket
from botkit.interfaces import NetworkSettings
from botkit.simulator import Simulator, SimulatorSettings
from botkit.simulator.http import Reply, Request
from botkit.testing import MemoryNetwork

LONG_POLLING = "long-polling"


class Peer:
    """A client that says what the test wants said, one message at a time.

    Attributes:
        client_id: of the latest handshake.
        cookies: sent with every request.
        pushes: the data of everything that was pushed, in order.
        key: the secure key of the chat, once there was one.
    """

    def __init__(self, simulator: Simulator) -> None:
        self.simulator = simulator
        self.client_id = ""
        self.cookies: dict[str, str] = {}
        self.pushes: list[dict[str, Any]] = []
        self.key = ""
        self.channel = "/service/chatV2/demo"
        self._id = 0

    async def send(
        self, body: bytes, *, path: str = "/genesys/cometd", kind: str = "application/json"
    ) -> Reply:
        headers = {"content-type": kind}
        if self.cookies:
            headers["cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        reply = await self.simulator.handle(Request(path=path, headers=headers, body=body))
        for name, value in reply.headers:
            if name == "Set-Cookie":
                key, _, rest = value.partition("=")
                self.cookies[key] = rest.partition(";")[0]
        return reply

    async def post(self, *messages: dict[str, Any]) -> list[dict[str, Any]]:
        """Send messages; keep what was pushed, and return the other messages."""
        reply = await self.send(orjson.dumps(list(messages)))
        assert reply.status == 200, reply
        replies = []
        for message in orjson.loads(reply.body):
            if "successful" in message:
                replies.append(message)
            else:
                self.pushes.append(message["data"])
                self.key = message["data"].get("secureKey", self.key)
        return replies

    def message(self, channel: str, **members: Any) -> dict[str, Any]:
        self._id += 1
        ids = {"clientId": self.client_id} if self.client_id else {}
        return {"channel": channel, "id": str(self._id), **ids, **members}

    async def handshake(self) -> dict[str, Any]:
        self.client_id = ""
        types = [LONG_POLLING]
        handshake = self.message("/meta/handshake", version="1.0", supportedConnectionTypes=types)
        (reply,) = await self.post(handshake)
        self.client_id = reply.get("clientId", "")
        return reply

    async def connect(self, **advice: int) -> dict[str, Any]:
        members = {"advice": advice} if advice else {}
        connect = self.message("/meta/connect", connectionType=LONG_POLLING, **members)
        (reply,) = await self.post(connect)
        return reply

    async def publish(self, operation: str, **data: Any) -> dict[str, Any]:
        key = {"secureKey": self.key} if self.key else {}
        data = {"operation": operation, **key, **data}
        (reply,) = await self.post(self.message(self.channel, data=data))
        return reply

    async def open_chat(self, service: str = "demo", **data: Any) -> None:
        """Handshake, and ask for a chat."""
        self.channel = f"/service/chatV2/{service}"
        await self.handshake()
        await self.connect(timeout=0)
        await self.publish("requestChat", **{"nickname": "Ada", **data})

    async def poll_until(self, what: Callable[[], object]) -> None:
        """Connect again and again until something holds; for at most a minute."""
        with trio.fail_after(60):
            while not what():
                await self.connect()

    @property
    def events(self) -> list[dict[str, Any]]:
        """All elements of ``messages``, in the order in which they came."""
        return [event for push in self.pushes for event in push["messages"]]

    @property
    def texts(self) -> list[str]:
        """What agents have said."""
        return [
            event["text"]
            for event in self.events
            if event["type"] == "Message" and event["from"]["type"] == "Agent"
        ]


Start = Callable[..., Awaitable[Simulator]]


@pytest.fixture
def start_simulator(nursery: trio.Nursery) -> Start:
    """Starts simulators; they live as long as the test, which asks for the clock itself."""

    async def start(**settings: Any) -> Simulator:
        simulator = Simulator(SimulatorSettings(**{"seed": 1, **settings}))
        await nursery.start(simulator.run)
        return simulator

    return start


@pytest.fixture
def new_peer() -> type[Peer]:
    """Makes clients of a simulator."""
    return Peer


class Guest:
    """A client of the guest API that writes and reads its frames itself.

    Attributes:
        frames: all that came, in order.
        network: the way to the simulator, to be broken.
    """

    deployment = "11111111-2222-3333-4444-555555555555"

    def __init__(self, simulator: Simulator, token: str = "guest-1") -> None:
        self.simulator = simulator
        self.token = token
        self.frames: list[dict[str, Any]] = []
        self.network = MemoryNetwork(simulator.handle)
        self.web = httpx.AsyncClient(transport=self.network, base_url="http://simulator")
        self.socket: WebSocket
        self._number = 0

    async def open(self, **headers: str) -> None:
        """Connect, and no more."""
        url = f"ws://simulator/v1?deploymentId={self.deployment}&application=test"
        self.socket = await open_websocket(
            url, NetworkSettings(), headers=headers, transport=self.network
        )

    async def configure(self, **members: Any) -> dict[str, Any]:
        """Connect and configure a session; returns the answer."""
        await self.open()
        return await self.ask("configureSession", deploymentId=self.deployment, **members)

    async def send(self, action: str, **members: Any) -> str:
        """Send a request; returns its tracing id."""
        self._number += 1
        tracing_id = f"{self.token}:{self._number}"
        frame = {"action": action, "token": self.token, "tracingId": tracing_id, **members}
        await self.socket.send(orjson.dumps(frame).decode())
        return tracing_id

    async def ask(self, action: str, **members: Any) -> dict[str, Any]:
        """Send a request, and wait for what bears its tracing id."""
        tracing_id = await self.send(action, **members)
        return await self.receive_until(lambda frame: frame.get("tracingId") == tracing_id)

    async def say(self, text: str, **members: Any) -> dict[str, Any]:
        return await self.ask("onMessage", message={"type": "Text", "text": text, **members})

    async def presence(self, kind: str) -> dict[str, Any]:
        events = [{"eventType": "Presence", "presence": {"type": kind}}]
        return await self.ask("onMessage", message={"type": "Event", "events": events})

    async def receive(self) -> dict[str, Any]:
        """Wait for the next frame."""
        frame: dict[str, Any] = orjson.loads(await self.socket.receive())
        self.frames.append(frame)
        return frame

    async def receive_until(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for a frame that fits; for at most a minute."""
        with trio.fail_after(60):
            while not fits(frame := await self.receive()):
                pass
        return frame

    async def hear(self, text: str) -> dict[str, Any]:
        """Wait until an agent says something."""
        return await self.receive_until(
            lambda frame: (
                frame["class"] == "StructuredMessage"
                and frame["body"]["direction"] == "Outbound"
                and frame["body"].get("text") == text
            )
        )

    async def history(self, **params: int) -> dict[str, Any]:
        """Ask for a page of the history."""
        jwt = (await self.ask("getJwt"))["body"]["jwt"]
        headers = {"Authorization": f"bearer {jwt}"}
        reply = await self.web.get("/api/v2/webmessaging/messages", params=params, headers=headers)
        assert reply.status_code == 200
        page: dict[str, Any] = reply.json()
        return page


@pytest.fixture
def new_guest() -> type[Guest]:
    """Makes clients of the guest API of a simulator."""
    return Guest
