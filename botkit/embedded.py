"""The connector ``simulator``: ``gms-cometd`` against a contact centre in the same process.

It is the default where no server is named, and it is not a shortcut: the chat goes over a loopback
socket and through the same client as any other. One simulator serves all chats that name the same
files of agents and faults; it is started when the first of them is opened.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import trio

from botkit.connectors.gms_cometd import GmsCometd
from botkit.errors import ConfigError, ConnectorError, LocalProtocolError, ungrouped
from botkit.interfaces import Deliver, Opening, Request
from botkit.masking import without_password

if TYPE_CHECKING:
    from botkit.simulator import SimulatorAddress, SimulatorSettings
    from botkit.simulator.fault_file import FaultFile

__all__ = ["EmbeddedSimulator"]

Kind: TypeAlias = "tuple[Path | None, Path | None, int | None]"
"""What tells simulators apart: their agents, their faults, their seed."""


class EmbeddedSimulator:
    """Opens chats with a simulator of its own.

    Args:
        settings: of the simulators; their agents and faults come with the chats.
        rng: spreads the retries of many chats.
    """

    on_simulator = True
    lacks = GmsCometd.lacks

    def __init__(
        self, *, settings: SimulatorSettings | None = None, rng: random.Random | None = None
    ) -> None:
        self._settings = settings
        self._client = GmsCometd(rng=rng)
        self._nursery: trio.Nursery | None = None
        self._addresses: dict[Kind, SimulatorAddress] = {}
        self._starting = trio.Lock()

    def check(self, opening: Opening) -> None:
        """Refuse what this wire cannot do.

        Raises:
            ConfigError: a server is named, an option is unknown, or the file of faults is wrong.
        """
        if opening.url:
            raise ConfigError(
                f"the simulator is its own server; leave {without_password(opening.url)!r} out,"
                " or name the connector that speaks to it",
                key="server",
            )
        self._client.check(replace(opening, url="http://127.0.0.1"))
        read_faults(opening)

    def running(self) -> AbstractAsyncContextManager[None]:
        """Own the simulators; when this is left they are gone, with all that is in them."""
        return self._run()

    @asynccontextmanager
    async def _run(self) -> AsyncIterator[None]:
        self._addresses.clear()
        with ungrouped():
            async with trio.open_nursery() as self._nursery:
                try:
                    yield
                finally:
                    self._nursery.cancel_scope.cancel()
                    self._nursery = None

    def server_of(self, opening: Opening) -> str:
        """The URL of the simulator; none is known before the first chat is opened."""
        address = self._addresses.get(kind_of(opening))
        return address.url if address is not None else "simulator"

    async def connect(
        self,
        opening: Opening,
        requests: AsyncIterator[Request],
        deliver: Deliver,
        *,
        task_status: trio.TaskStatus[None],
    ) -> None:
        """Carry one chat; see ``interfaces.Connector``."""
        self.check(opening)
        address = await self._address(opening)
        # A proxy for the outside world has no business between two ends of one process.
        network = replace(opening.network, proxy=None, trust_env=False)
        inside = replace(opening, url=address.url, network=network)
        await self._client.connect(inside, requests, deliver, task_status=task_status)

    async def _address(self, opening: Opening) -> SimulatorAddress:
        """Find the simulator for this chat; start it if there is none yet."""
        # Imported late: who only checks bots starts none, and it is the half of botkit.
        from botkit.simulator import Simulator

        async with self._starting:
            address = self._addresses.get(kind_of(opening))
            if address is None:
                if self._nursery is None:
                    raise LocalProtocolError("running() must be entered before a chat is opened")
                simulator = Simulator(self._settings_for(opening))
                try:
                    address = await self._nursery.start(simulator.serve)
                except OSError as error:
                    raise ConnectorError(f"the simulator cannot be started: {error}") from error
                self._addresses[kind_of(opening)] = address
            return address

    def _settings_for(self, opening: Opening) -> SimulatorSettings:
        from botkit.simulator import SimulatorSettings

        settings = replace(self._settings or SimulatorSettings(), agents=opening.agents)
        read = read_faults(opening)
        if read is not None:
            settings = replace(settings, faults=read.faults, seed=read.seed)
        return settings if opening.seed is None else replace(settings, seed=opening.seed)


def kind_of(opening: Opening) -> Kind:
    """Tell chats apart that need simulators of their own."""
    return (opening.agents, opening.faults, opening.seed)


def read_faults(opening: Opening) -> FaultFile | None:
    """Read the file of faults, if there is one.

    Raises:
        ConfigError: it says what makes no sense; with its place.
    """
    if opening.faults is None:
        return None
    from botkit.simulator.fault_file import load_faults

    return load_faults(opening.faults)
