"""From what was said in flags, bot files and settings to one decided opening. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from botkit.errors import ConfigError
from botkit.interfaces import (
    SIMULATOR,
    ConnectOptions,
    JourneyPlan,
    NetworkSettings,
    Opening,
    connector_for,
)
from botkit.masking import Masker, opening_secrets, without_password

MARK = "BotkitSynthetic"
"""User data that tells the contact centre that nobody sits behind this chat."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """An opening and the name of the connector that it is for.

    Attributes:
        masker: hides what opens the door to the server.
    """

    connector: str
    opening: Opening
    masker: Masker = field(default_factory=Masker)


def resolve(
    plan: JourneyPlan,
    *,
    override: ConnectOptions,
    fallback: ConnectOptions,
    run_id: str,
    connectors: Mapping[str, Any],
) -> Resolved:
    """Decide how a journey opens its session; its masker learns what opens the door.

    Args:
        plan: the journey; what its bot says is its ``connect``.
        override: what wins over the bot (flags and environment).
        fallback: what the bot wins over (the project's settings).
        run_id: goes into the mark.
        connectors: what there is to choose from, by name.

    Raises:
        ConfigError: no such connector, or a server that does not go with it.
    """
    layers = (override, plan.connect, fallback)
    for layer in layers:
        hide_credentials(plan.masker, layer)
    server = _first(layers, "server")
    connector = _first(layers, "connector") or connector_for(server)
    if connector not in connectors:
        raise ConfigError(
            f"there is no connector {connector!r}; there is {', '.join(sorted(connectors))}",
            file=plan.file,
            line=plan.line,
            key="connector",
        )
    if connector == SIMULATOR and server is not None:
        raise ConfigError(
            f"the connector {SIMULATOR!r} starts a server of its own;"
            f" leave out {without_password(server)!r}",
            file=plan.file,
            line=plan.line,
            key="server",
        )
    if connector != SIMULATOR and override.faults is not None:
        raise ConfigError(
            f"faults are for the simulator; {without_password(server or connector)} has its own",
            key="faults",
        )
    userdata = {MARK: f"{plan.bot}/{run_id}"}
    options: dict[str, str] = {}
    for layer in reversed(layers):
        userdata.update(layer.userdata)
        options.update(layer.options)
    defaults = Opening()
    return Resolved(
        connector=connector,
        masker=plan.masker,
        opening=Opening(
            url=server or "",
            service=_first(layers, "service") or defaults.service,
            nickname=_first(layers, "nickname") or defaults.nickname,
            subject=_first(layers, "subject"),
            userdata=userdata,
            options=options,
            network=_first(layers, "network") or NetworkSettings(),
            agents=_first(layers, "agents"),
            faults=_first(layers, "faults"),
            seed=_first(layers, "seed"),
            open_within=_first(layers, "open_within") or defaults.open_within,
        ),
    )


def _first(layers: tuple[ConnectOptions, ...], name: str) -> Any:
    values = (getattr(layer, name) for layer in layers)
    return next((value for value in values if value is not None), None)


def hide_credentials(masker: Masker, options: ConnectOptions) -> None:
    """Never show what opens the door to a server, whether or not a bot calls it a secret."""
    network = options.network or NetworkSettings()
    for name, secret in opening_secrets(
        server=options.server,
        proxy=network.proxy,
        auth=network.auth,
        headers=network.headers,
        options=options.options,
        userdata=options.userdata,
    ):
        masker.hide(secret, name)
