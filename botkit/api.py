"""Sessions for programs: everything that a bot has, without a bot."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import trio

from botkit.errors import BotkitError, ConfigError, NoStoredSession, RestoreFailed, ungrouped
from botkit.interfaces import (
    Connector,
    NetworkSettings,
    Opening,
    StateStorage,
    connector_for,
)
from botkit.log_masking import keep_out_of_logs
from botkit.masking import Masker, mask_error, opening_secrets, without_password
from botkit.plugins import load_plugins
from botkit.plugins import make_storage as make_registered_storage
from botkit.session import ChatSession
from botkit.storage import MemoryStorage, StateKeeper

if TYPE_CHECKING:
    import httpx

__all__ = ["make_storage", "restore_session", "start_session"]


@asynccontextmanager
async def start_session(
    url: str | None = None,
    *,
    service: str = "demo",
    nickname: str = "Customer",
    subject: str | None = None,
    userdata: Mapping[str, str] | None = None,
    storage: StateStorage | None = None,
    connector: str | Connector | None = None,
    options: Mapping[str, str] | None = None,
    network: NetworkSettings | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    agents: Path | None = None,
    open_within: float = 15.0,
) -> AsyncIterator[ChatSession]:
    """Open a chat; leaving the block leaves the chat, on every path.

    Passwords and keys of the URL, the proxy and the headers, and user data that is called a secret
    (``SessionToken``), are in no log record while the chat lasts, and in no error of botkit's that
    leaves the block. What the chat itself brings is given as it came.

    Args:
        url: the server; without one, botkit's own simulator is started for this session.
        service: the service's name at the server.
        nickname: the customer's name.
        subject: of the chat.
        userdata: attached when the chat is requested; texts.
        storage: keeps what :func:`restore_session` needs, from before the session is given until
            the chat is over; None for the memory of this process. What it held is replaced.
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
        StateError: what the storage holds cannot be used; no chat is opened.
        PluginError: the storage is a plugin's, and broke.
    """
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
        keep_state=True,
    )
    with _discreet(opening):
        keeper = keeper_of(storage, opening)
        wire = connector_of(connector, url)
        wire.check(opening)
        await keeper.load()
        async with _session(wire, opening, keeper) as session:
            yield session


@asynccontextmanager
async def restore_session(
    url: str | None = None,
    *,
    service: str = "demo",
    storage: StateStorage | None = None,
    connector: str | Connector | None = None,
    options: Mapping[str, str] | None = None,
    network: NetworkSettings | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    agents: Path | None = None,
    open_within: float = 15.0,
) -> AsyncIterator[ChatSession]:
    """Win back the chat that was stored, from this process or from another one.

    What was seen before comes as history; whatever came since is new. Leaving the block leaves the
    chat. Arguments as in :func:`start_session`; nickname and user data are those that were stored.

    Raises:
        NoStoredSession: nothing is stored.
        RestoreFailed: something is, and the service does not give the chat back; it is forgotten.
        ChatRefused, ConnectorError, RemoteProtocolError, ConfigError, StateError, PluginError: as
            :func:`start_session`; what is stored is kept.
    """
    opening = Opening(
        url=url or "",
        service=service,
        options=dict(options or {}),
        network=network or NetworkSettings(),
        agents=agents,
        open_within=open_within,
        transport=transport,
        keep_state=True,
    )
    with _discreet(opening):
        keeper = keeper_of(storage, opening)
        wire = connector_of(connector, url)
        wire.check(opening)
        state = await keeper.load()
        if state is None:
            at = f" at {without_password(url)}" if url else ""
            raise NoStoredSession(f"nothing is stored of a chat with the service {service!r}{at}")
        opening = replace(
            opening,
            nickname=str(state.get("nickname") or opening.nickname),
            userdata=_texts(state.get("userdata")),
            restore=state,
        )
        with _discreet(opening):
            async with _session(wire, opening, keeper) as session:
                yield session


@contextmanager
def _discreet(opening: Opening) -> Iterator[None]:
    """Have what opens the door to the server in no log record, and in no error that comes out."""
    network, masker = opening.network, Masker()
    for _, secret in opening_secrets(
        server=opening.url,
        proxy=network.proxy,
        auth=network.auth,
        headers=network.headers,
        options=opening.options,
        userdata=opening.userdata,
    ):
        masker.hide(secret)
    if masker:
        keep_out_of_logs(masker)
    try:
        yield
    except BotkitError as error:
        mask_error(error, masker)
        raise


@asynccontextmanager
async def _session(
    wire: Connector, opening: Opening, keeper: StateKeeper
) -> AsyncIterator[ChatSession]:
    """Open what an opening says, and keep its state stored for as long as the chat lives."""
    with ungrouped():
        async with trio.open_nursery() as beside:
            beside.start_soon(keeper.run, name="state storage")
            session: ChatSession | None = None
            try:
                async with wire.running(), trio.open_nursery() as nursery:
                    session = ChatSession(nursery, opening, keep=keeper.changed)
                    await _open(session, wire, keeper)
                    # Whatever a caller is given can be restored.
                    await keeper.flush()
                    yield session
                    await session.leave()
                    nursery.cancel_scope.cancel()
            finally:
                # If the storage itself broke, that is raised.
                if not beside.cancel_scope.cancel_called:
                    await _settle(keeper, session)
            beside.cancel_scope.cancel()


async def _open(session: ChatSession, wire: Connector, keeper: StateKeeper) -> None:
    try:
        await session.open(wire)
    except RestoreFailed:
        # Who asks again is told that nothing is stored.
        await keeper.clear()
        raise


async def _settle(keeper: StateKeeper, session: ChatSession | None) -> None:
    """Forget a chat that is over; one that was lost or let go of can still be won back."""
    if session is not None and session.id is not None and session.left:
        await keeper.clear()
    else:
        await keeper.flush()


def make_storage(name: str, /, **options: object) -> StateStorage:
    """Make a storage by its name, of botkit or of an installed plugin.

    Args:
        name: ``memory``, ``file``, ``sqlite``, or what a plugin has registered.
        options: what it takes, such as ``path``.

    Raises:
        ConfigError: there is none of this name, or it does not take these options.
        PluginError: a plugin does not load, or raised.
    """
    plugins = load_plugins(folders=(), environ=os.environ)
    try:
        return make_registered_storage(plugins, name, **options)
    finally:
        plugins.close()


def _texts(stored: object) -> dict[str, str]:
    """Read stored user data as far as they can be; the connector tells if they cannot."""
    items = stored.items() if isinstance(stored, Mapping) else ()
    return {str(key): str(value) for key, value in items}


def keeper_of(storage: StateStorage | None, opening: Opening) -> StateKeeper:
    """Make the keeper of a session's state; in memory it is found by server and service."""
    return StateKeeper(storage or MemoryStorage(opening.url, opening.service))


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
