"""A contact centre in a box: puts the parts together, and serves them.

Theory of operation. The parts are pure or wait for nothing; what needs time lives in the one
nursery of :meth:`Simulator.run`: agents at work, what a fault delays, and the housekeeper, who
sleeps until the next session or chat times out and costs nothing until then.
"""

from __future__ import annotations

import logging
import math
import os
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

import trio

from botkit.bayeux.messages import JSON
from botkit.bayeux.personality import COMETD, Personality
from botkit.bayeux.server import Server
from botkit.bot.agents import AgentsFile
from botkit.bot.loader import load_agents
from botkit.bot.values import Unique, Values
from botkit.errors import LocalProtocolError, ungrouped
from botkit.simulator import status
from botkit.simulator.agents import Agents
from botkit.simulator.app import BAYEUX_PATH, REST_PATH, STATUS_PATH, App
from botkit.simulator.centre import Centre, CentreSettings
from botkit.simulator.chats import Chat
from botkit.simulator.desk import Desk
from botkit.simulator.door import BayeuxDoor, Porter
from botkit.simulator.faults import Fault, Faults
from botkit.simulator.guest_settings import GuestSettings
from botkit.simulator.guest_web import SOCKET_PATH
from botkit.simulator.guests import Guests
from botkit.simulator.http import Reply, Request
from botkit.simulator.reception import Reception
from botkit.simulator.rest_door import RestDoor
from botkit.simulator.routing import Routing
from botkit.simulator.server import serve_http
from botkit.simulator.side_door import SideDoor
from botkit.simulator.socket_door import SocketDoor

__all__ = ["Simulator", "SimulatorAddress", "SimulatorSettings"]

log = logging.getLogger(__name__)


def utc_now() -> float:
    """Tell the calendar time, epoch seconds."""
    return datetime.now(UTC).timestamp()  # noqa: TID251 - the one stamp that all others build on


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorSettings:
    """How a simulator behaves.

    Attributes:
        agents: scripted agents with their routing, or the file of them; None for the built-in one.
        faults: what goes wrong from the beginning.
        personality: which kind of Bayeux server it is.
        centre: times and limits of chats.
        guests: what the guest API of Genesys Cloud allows.
        poll_within: a customer over REST who does not call for so long is dropped, seconds.
        seed: of ids, keys and chance; None for other ones each time.
        base: path before ``/genesys``.
        env: what ``${env.X}`` of agents stands for; None for this process's environment.
        utc: tells the calendar time, epoch seconds.
    """

    agents: AgentsFile | Path | None = None
    faults: tuple[Fault, ...] = ()
    personality: Personality = COMETD
    centre: CentreSettings = field(default_factory=CentreSettings)
    guests: GuestSettings = field(default_factory=GuestSettings)
    poll_within: float = 300.0
    seed: int | None = None
    base: str = ""
    env: Mapping[str, str] | None = None
    utc: Callable[[], float] = utc_now


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatorAddress:
    """Where a simulator is served."""

    host: str
    port: int
    base: str = ""

    @property
    def root(self) -> str:
        """The URL of the server itself."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL of the Bayeux server, which is what a ``gms-cometd`` client is given."""
        return f"{self.root}{self.base.rstrip('/')}{BAYEUX_PATH}"

    @property
    def rest_url(self) -> str:
        """The URL of the chat API over REST, which is what a ``gms-rest`` client is given."""
        return f"{self.root}{self.base.rstrip('/')}{REST_PATH}"

    @property
    def guest_url(self) -> str:
        """The URL of the guest API's WebSocket, which is what a ``genesys-cloud`` client is given.

        Its deployment leads to the service ``demo``.
        """
        return f"ws{self.root.removeprefix('http')}{SOCKET_PATH}?deploymentId=demo"

    @property
    def status_url(self) -> str:
        """The URL of the status."""
        return f"{self.root}{STATUS_PATH}"


class Simulator:
    """A contact centre; :meth:`run` it, and :meth:`handle` answers its requests.

    Must be made inside of ``trio.run``, whose clock it lives by.

    Args:
        settings: how it behaves.

    Raises:
        ConfigError: the file of agents cannot be loaded.
    """

    def __init__(self, settings: SimulatorSettings | None = None) -> None:
        self.settings = settings = settings or SimulatorSettings()
        agents_file = settings.agents
        if isinstance(agents_file, Path):
            agents_file = load_agents(agents_file)
        # Without a seed, ids and keys are hard to guess, as those of a real server are.
        self._rng = random.SystemRandom() if settings.seed is None else random.Random(settings.seed)
        self._unique_rng = random.Random(self._rng.getrandbits(64))
        self._epoch = settings.utc() - trio.current_time()
        self.centre = Centre(settings=settings.centre, rng=self._rng, epoch=self._epoch)
        self.faults = Faults(settings.faults, rng=random.Random(self._rng.getrandbits(64)))
        self.agents = Agents(
            self.centre,
            agents_file.agents if agents_file is not None else {},
            new_values=self._new_values,
            rng=self._unique_rng,
        )
        porter = Porter()
        personality = settings.personality
        self.bayeux = Server(personality, new_id=self._new_id, authorize=porter, epoch=self._epoch)
        reception = Reception(
            centre=self.centre,
            routing=Routing(agents_file, new_values=self._new_values),
            faults=self.faults,
            assign=self.agents.assign,
            clock=trio.current_time,
        )
        desk = Desk(
            centre=self.centre,
            reception=reception,
            faults=self.faults,
            deliver=self.bayeux.deliver,
            clock=trio.current_time,
            later=self._later,
        )
        door = BayeuxDoor(
            server=self.bayeux,
            personality=personality,
            desk=desk,
            porter=porter,
            faults=self.faults,
            on_change=self._remind,
        )
        self._rest = RestDoor(
            centre=self.centre,
            reception=reception,
            faults=self.faults,
            idle_limit=settings.poll_within,
            clock=trio.current_time,
            on_change=self._remind,
        )
        self.guests = Guests(
            settings=settings.guests,
            centre=self.centre,
            reception=reception,
            faults=self.faults,
            rng=self._rng,
            clock=trio.current_time,
            epoch=self._epoch,
            later=self._later,
            on_change=self._remind,
        )

        def needs_cookie(chat: Chat | None) -> bool:
            session = None if chat is None else desk.session_of(chat)
            return personality.browser_cookie and (session is None or door.has_browser(session))

        self._app = App(
            door=door,
            sockets=SocketDoor(
                server=self.bayeux, personality=personality, door=door, faults=self.faults
            ),
            side=SideDoor(
                centre=self.centre,
                faults=self.faults,
                clock=trio.current_time,
                needs_cookie=needs_cookie,
            ),
            rest=self._rest,
            guests=self.guests.web,
            centre=self.centre,
            faults=self.faults,
            status=self.status,
            base=settings.base,
        )
        self._nursery: trio.Nursery | None = None
        self._nap = trio.CancelScope()
        self._wakes_at = math.inf

    # --- what clients see ---

    async def handle(self, request: Request) -> Reply:
        """Answer one request."""
        return await self._app.handle(request)

    def status(self) -> dict[str, JSON]:
        """Sum up what goes on; what ``/simulator/status`` shows."""
        return status.status_of(
            self.centre,
            self.faults,
            sessions=len(self.bayeux.sessions),
            guests=self.guests.desk.sockets,
            failed_agents=self.agents.failed,
            now=trio.current_time(),
        )

    # --- running ---

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Let agents work and time pass, until cancelled; for use without sockets."""
        with ungrouped():
            async with trio.open_nursery() as self._nursery:
                await self._nursery.start(self.agents.run)
                task_status.started()
                await self._keep_house()

    async def serve(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        task_status: trio.TaskStatus[SimulatorAddress] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """Serve on a socket until cancelled.

        Args:
            host: an address of this machine; a test double has no business on others.
            port: 0 lets the system choose.
            task_status: is given the :class:`SimulatorAddress` when clients may come.

        Raises:
            OSError: the address cannot be had.
        """
        listeners = await trio.open_tcp_listeners(port, host=host, backlog=4096)
        with ungrouped():
            async with trio.open_nursery() as nursery:
                await nursery.start(self.run)
                await nursery.start(serve_http, self.handle, listeners)
                bound: int = listeners[0].socket.getsockname()[1]
                task_status.started(
                    SimulatorAddress(host=host, port=bound, base=self.settings.base)
                )

    # --- the housekeeper ---

    async def _keep_house(self) -> None:
        while True:
            self._wakes_at = self._next_deadline()
            with trio.CancelScope(deadline=self._wakes_at) as self._nap:
                await trio.sleep_forever()
            now = trio.current_time()
            self.bayeux.expire(now)
            self.centre.expire(now=now)
            self._rest.expire(now=now)
            self.guests.desk.expire(now=now)

    def _remind(self) -> None:
        """Wake the housekeeper earlier, if there is reason to."""
        deadline = self._next_deadline()
        if deadline < self._wakes_at:
            self._wakes_at = self._nap.deadline = deadline

    def _next_deadline(self) -> float:
        deadlines = (
            self.bayeux.next_deadline(),
            self.centre.next_deadline(),
            self._rest.next_deadline(),
            self.guests.desk.next_deadline(),
        )
        return min((deadline for deadline in deadlines if deadline is not None), default=math.inf)

    # --- what the parts are given ---

    def _later(self, seconds: float, do: Callable[[], None]) -> None:
        async def wait_and_do() -> None:
            await trio.sleep(seconds)
            do()

        if self._nursery is None:
            raise LocalProtocolError("the simulator must run before faults can delay anything")
        self._nursery.start_soon(wait_and_do, name="what a fault delays")

    def _new_id(self) -> str:
        return f"{self._rng.getrandbits(128):032x}"

    def _new_values(self) -> Values:
        env = os.environ if self.settings.env is None else self.settings.env
        now = self._epoch + trio.current_time()
        today: date = datetime.fromtimestamp(now, UTC).date()
        return Values(env=env, unique=Unique(self._unique_rng), today=today)
