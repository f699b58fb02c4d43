"""Leaving: whatever ends a chat's program, nobody in the contact centre goes on waiting for it."""

from __future__ import annotations

import random
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from urllib.parse import parse_qs

import orjson
import pytest
import trio

from botkit.chat import AgentConnected
from botkit.connectors.gms_cometd import GmsCometd
from botkit.connectors.gms_rest import GmsRest
from botkit.errors import ungrouped
from botkit.interfaces import Connector, Opening
from botkit.results import ExitCode
from botkit.session import ChatSession
from botkit.simulator import Simulator, SimulatorAddress, SimulatorSettings
from botkit.simulator.faults import make_fault
from botkit.simulator.http import Reply, Request
from botkit.simulator.server import serve_http
from botkit.simulator.websocket import Serve, ServerSocket

FIRST_PUSH_AFTER = 1.2
GOODBYE_LIMIT = 4.0
ENDS = ("cancel", "exception", "deadline")
FAULTS = (
    # Nothing is pushed for a while, so the key of a chat is long in coming.
    *(
        make_fault("delay_message", on=on, service="late", seconds=FIRST_PUSH_AFTER)
        for on in ("own", "joined", "message")
    ),
    # The key comes in the reply to the request for a chat and nowhere else, byte by byte.
    make_fault("slow_drip", on="requestChat", service="drip", seconds=0.002),
    make_fault("agent_never_joins", service="drip"),
    make_fault("stall", on="sendMessage", service="stalls"),
    make_fault("stall", on="disconnect", service="stalls"),
    make_fault("stall", on="meta_disconnect", service="stalls"),
)
# Over REST the key comes with the first answer, however late the first event is.
IN_WINDOW = {"gms-cometd": 80, "gms-cometd over websocket": 80, "gms-rest": 30}
WIRES: dict[str, Callable[[], Connector]] = {
    "gms-cometd": GmsCometd,
    "gms-cometd over websocket": GmsCometd,
    "gms-rest": GmsRest,
}


class Crash(Exception):
    """What a bot raises."""


@dataclass
class Centre:
    """A simulator on a socket, and what is known of its customers.

    Attributes:
        wire: how they come.
        asked: by nickname, whether the request for a chat was taken.
        talking: somebody has said something.
    """

    simulator: Simulator
    wire: str = "gms-cometd"
    address: SimulatorAddress = field(default_factory=lambda: SimulatorAddress(host="", port=0))
    asked: dict[str, trio.Event] = field(default_factory=dict)
    talking: trio.Event = field(default_factory=trio.Event)

    async def handle(self, request: Request) -> Reply:
        reply = await self.simulator.handle(request)
        if request.body.startswith(b"nickname="):
            self.asking(parse_qs(request.body.decode())["nickname"][0]).set()
        elif request.path.endswith("/send"):
            self.talking.set()
        else:
            self.look(request.body)
        if reply.upgrade is None:
            return reply
        return replace(reply, upgrade=partial(self.serve, reply.upgrade))

    async def serve(self, serve: Serve, socket: ServerSocket) -> None:
        await serve(Watched(socket, self.look))

    def look(self, body: bytes) -> None:
        if b'"requestChat"' in body:
            for message in orjson.loads(body):
                if "data" in message:
                    self.asking(message["data"]["nickname"]).set()
        elif b'"sendMessage"' in body:
            self.talking.set()

    def asking(self, nickname: str) -> trio.Event:
        return self.asked.setdefault(nickname, trio.Event())

    def opening(self, nickname: str, service: str) -> Opening:
        return Opening(url=self.url, service=service, nickname=nickname, options=self.options)

    @property
    def url(self) -> str:
        return self.address.rest_url if self.wire == "gms-rest" else self.address.url

    @property
    def options(self) -> dict[str, str]:
        return {"transport": "websocket"} if "websocket" in self.wire else {}

    def new_connector(self) -> Connector:
        return WIRES[self.wire]()

    def assert_nobody_waits(self) -> None:
        status = self.simulator.status()
        assert (status["open"], status["sessions"]) == (0, 0)
        assert status["total"] == sum(event.is_set() for event in self.asked.values())


class Watched:
    """A socket whose frames are looked at.

    Each is looked at when the next is awaited: then it has been dealt with.
    """

    def __init__(self, socket: ServerSocket, look: Callable[[bytes], None]) -> None:
        self._socket = socket
        self._look = look
        self._latest = b""
        self.send = socket.send
        self.close = socket.close
        self.abort = socket.abort

    async def receive(self) -> str:
        self._look(self._latest)
        text = await self._socket.receive()
        self._latest = text.encode()
        return text


@asynccontextmanager
async def contact_centre(wire: str) -> AsyncIterator[Centre]:
    with ungrouped():
        async with trio.open_nursery() as nursery:
            centre = Centre(Simulator(SimulatorSettings(faults=FAULTS, seed=1)), wire)
            listeners = await trio.open_tcp_listeners(0, host="127.0.0.1", backlog=500)
            await nursery.start(centre.simulator.run)
            await nursery.start(serve_http, centre.handle, listeners)
            port: int = listeners[0].socket.getsockname()[1]
            centre.address = SimulatorAddress(host="127.0.0.1", port=port)
            yield centre
            nursery.cancel_scope.cancel()


class Victim:
    """One chat that is going to be killed.

    Args:
        end: what kills it: ``cancel``, ``exception`` or ``deadline``.
        moment: seconds until then.
        once_asked: count them from when the chat was requested, and not from the beginning.

    Attributes:
        goodbye: how long it took, seconds.
        in_window: the chat was requested and its key had not come.
    """

    def __init__(
        self, centre: Centre, opening: Opening, *, end: str, moment: float, once_asked: bool
    ) -> None:
        self.goodbye = 0.0
        self.in_window = False
        self._asked = centre.asking(opening.nickname)
        self._connector = centre.new_connector()
        self._opening = opening
        self._end = end
        self._moment = moment
        self._once_asked = once_asked
        self._scope = trio.CancelScope()
        self._began = 0.0
        self._session: ChatSession | None = None

    async def live(self) -> None:
        """Chat until the end."""
        with self._scope, suppress(Crash), ungrouped():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._kill)
                await self._chat(nursery)
        self.goodbye = trio.current_time() - self._began

    async def _kill(self) -> None:
        if self._once_asked:
            await self._asked.wait()
        if self._end == "deadline":
            self._scope.deadline = trio.current_time() + self._moment
        try:
            await trio.sleep(self._moment)
        finally:
            self._began = trio.current_time()
            has_key = self._session is not None and self._session.id is not None
            self.in_window = self._asked.is_set() and not has_key
        if self._end == "exception":
            raise Crash
        self._scope.cancel()

    async def _chat(self, nursery: trio.Nursery) -> None:
        self._session = session = ChatSession(nursery, self._opening)
        await session.open(self._connector)
        await session.wait_for(AgentConnected)
        while True:
            await session.send_message("hello?")
            await session.set_userdata({"At": str(trio.current_time())})


def new_victim(centre: Centre, number: int, rng: random.Random) -> Victim:
    service = ("late", "drip", "any", "any")[number % 4]
    once_asked = service != "any"
    return Victim(
        centre,
        centre.opening(f"customer {number}", service),
        end=rng.choice(ENDS),
        moment=rng.uniform(0, 0.8 if once_asked else 1.5),
        once_asked=once_asked,
    )


@pytest.mark.parametrize("wire", WIRES)
async def test_two_hundred_random_kills_leave_nobody_waiting(wire: str) -> None:
    rng = random.Random(7)
    with trio.fail_after(30):
        async with contact_centre(wire) as centre:
            victims = [new_victim(centre, number, rng) for number in range(200)]
            async with trio.open_nursery() as nursery:
                for victim in victims:
                    nursery.start_soon(victim.live)
            centre.assert_nobody_waits()
    assert sum(victim.in_window for victim in victims) >= IN_WINDOW[wire]
    assert max(victim.goodbye for victim in victims) < GOODBYE_LIMIT


@pytest.mark.parametrize("wire", WIRES)
async def test_a_server_that_stalls_does_not_hold_the_goodbye(wire: str) -> None:
    with trio.fail_after(15):
        async with contact_centre(wire) as centre, trio.open_nursery() as nursery:
            victims = [
                Victim(centre, centre.opening(end, "stalls"), end=end, moment=0.2, once_asked=True)
                for end in ENDS
            ]
            for victim in victims:
                nursery.start_soon(victim.live)
    assert all(1 < victim.goodbye < GOODBYE_LIMIT for victim in victims)


# --- processes -----------------------------------------------------------------------------------

TALKS = """\
botkit: 1
bot: talks
steps:
  - wait_for: agent
  - repeat:
      times: 1000
      do:
        - say: hello?
        - expect: "You said: hello?"
"""


@pytest.mark.parametrize("wire", WIRES)
async def test_processes_that_are_told_to_stop_leave_their_chats(wire: str, tmp_path: Path) -> None:
    (tmp_path / "talks.yaml").write_text(TALKS)
    with trio.fail_after(30):
        async with contact_centre(wire) as centre:
            async with trio.open_nursery() as nursery:
                for service in ("any", "late", "drip"):
                    for number in (signal.SIGINT, signal.SIGTERM):
                        opening = centre.opening(f"{service} {number.name}", service)
                        nursery.start_soon(stop_process, centre, opening, number, tmp_path)
            centre.assert_nobody_waits()
            assert centre.simulator.status()["ended"] == {"customer": 6, "service": 0}


async def stop_process(
    centre: Centre, opening: Opening, number: signal.Signals, folder: Path
) -> None:
    """Play a bot in a process of its own, and stop it: in the middle, or without a key."""
    command = [sys.executable, "-m", "botkit", "run", "talks.yaml", "--server", opening.url]
    command += ["--service", opening.service, "--nickname", opening.nickname]
    command += ["--connector", centre.wire.partition(" ")[0]]
    for name, value in centre.options.items():
        command += ["--option", f"{name}={value}"]
    async with trio.open_nursery() as nursery:
        process = await nursery.start(run_process, command, folder)
        await centre.asking(opening.nickname).wait()
        if opening.service == "any":
            await centre.talking.wait()
        process.send_signal(number)
        told = trio.current_time()
        assert await process.wait() == ExitCode.SIGNAL
        assert trio.current_time() - told < GOODBYE_LIMIT


async def run_process(
    command: list[str], folder: Path, *, task_status: trio.TaskStatus[trio.Process]
) -> None:
    await trio.run_process(
        command,
        cwd=folder,
        capture_stdout=True,
        capture_stderr=True,
        check=False,
        task_status=task_status,
    )
