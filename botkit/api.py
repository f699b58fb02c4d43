"""Sessions for programs: everything that a bot has, without a bot."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import trio

from botkit.errors import ConfigError, ungrouped
from botkit.interfaces import Connector, NetworkSettings, Opening, connector_for
from botkit.plugins import load_plugins
from botkit.session import ChatSession

if TYPE_CHECKING:
    import httpx

__all__ = ["start_session"]


@asynccontextmanager
async def start_session(
    url: str | None = None,
    *,
    service: str = "demo",
    nickname: str = "Customer",
    subject: str | None = None,
    userdata: Mapping[str, str] | None = None,
    connector: str | Connector | None = None,
    options: Mapping[str, str] | None = None,
    network: NetworkSettings | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    agents: Path | None = None,
    open_within: float = 15.0,
) -> AsyncIterator[ChatSession]:
    """Open a chat; leaving the block leaves the chat, on every path.

    Args:
        url: the server; without one, botkit's own simulator is started for this session.
        service: the service's name at the server.
        nickname: the customer's name.
        subject: of the chat.
        userdata: attached when the chat is requested; texts.
        connector: the wire, by name or as an object; None lets the URL decide.
        options: of the connector, such as ``channel``.
        network: TLS, proxies, headers and the like.
        transport: an httpx transport to use instead of sockets; it stays the caller's to close.
        agents: agent scripts, for the simulator.
        open_within: how long opening may take, seconds.

    Raises:
        ChatRefused: the service did not open the chat.
        ConnectorError: the server could not be reached.
        RemoteProtocolError: the server talks nonsense.
        ConfigError: the settings do not work.
    """
    wire = connector_of(connector, url)
    opening = Opening(
        url=url or "",
        service=service,
        nickname=nickname,
        subject=subject,
        userdata=dict(userdata or {}),
        options=dict(options or {}),
        network=network or NetworkSettings(),
        agents=agents,
        open_within=open_within,
        transport=transport,
    )
    wire.check(opening)
    with ungrouped():
        async with wire.running(), trio.open_nursery() as nursery:
            session = ChatSession(nursery, opening)
            await session.open(wire)
            yield session
            await session.leave()
            nursery.cancel_scope.cancel()


def connector_of(wanted: str | Connector | None, url: str | None) -> Connector:
    """Make the connector that was named, or that goes with the URL.

    Raises:
        ConfigError: there is none of this name.
        PluginError: a plugin does not load.
    """
    if wanted is not None and not isinstance(wanted, str):
        return wanted
    name = wanted or connector_for(url)
    plugins = load_plugins(folders=(), environ=os.environ)
    try:
        if name not in plugins.connectors:
            known = ", ".join(sorted(plugins.connectors))
            raise ConfigError(f"there is no connector {name!r}; there is {known}", key="connector")
        return plugins.connectors[name]()
    finally:
        plugins.close()
