"""How sessions are opened, as the options of a command say it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import click
from click.core import ParameterSource

from botkit.bot.diagnostics import Problem
from botkit.interfaces import Bot, ConnectOptions, JourneyPlan, NetworkSettings
from botkit.journey.misfits import Misfits
from botkit.plugins import Plugins

CONNECT = ("connector", "server", "service", "nickname", "agents", "faults", "seed")
NETWORK = ("insecure", "ca_file", "client_cert", "proxy", "header", "auth")
SAID_NOW = frozenset({ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT})


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanting:
    """What a command wants of its sessions.

    Attributes:
        now: what flags and variables say, which wins over what bots say.
        usually: what the settings file says, which bots win over.
    """

    now: ConnectOptions
    usually: ConnectOptions


def connect_of(ctx: click.Context, given: Mapping[str, Any], plugins: Plugins) -> Wanting:
    """Gather how sessions are opened.

    Raises:
        ConfigError: there is no such connector.
    """
    if given["connector"] is not None:
        plugins.connectors.find(given["connector"], key="connector")
    said_now = {name: ctx.get_parameter_source(name) in SAID_NOW for name in given}
    return Wanting(
        now=connect_options(given, said_now, now=True),
        usually=connect_options(given, said_now, now=False),
    )


def connect_options(
    given: Mapping[str, Any], said_now: Mapping[str, bool], *, now: bool
) -> ConnectOptions:
    """Gather one half of it.

    Args:
        said_now: which options come from a flag or a variable: these win over what bots say,
            and bots win over the settings file.
        now: gather the former; else the latter.
    """
    chosen = {name: given[name] for name in CONNECT if name in given and said_now[name] is now}
    pairs = dict(given["option"]) if said_now["option"] is now else {}
    options = ConnectOptions(**chosen, options=pairs)
    # What reaches a server belongs together: a flag for one part of it takes the others along.
    said = [name for name in NETWORK if given.get(name)]
    if said and any(said_now[name] for name in said) is now:
        options = replace(options, network=network_settings(given))
    return options


def network_settings(given: Mapping[str, Any]) -> NetworkSettings:
    """Gather how servers are reached."""
    return NetworkSettings(
        verify=not given["insecure"],
        ca_file=given["ca_file"],
        client_cert=given["client_cert"],
        proxy=given["proxy"],
        headers=dict(given["header"]),
        auth=given["auth"],
    )


def misfits_of(
    planned: Iterable[tuple[Bot, Sequence[JourneyPlan] | None]],
    connect: Wanting,
    plugins: Plugins,
    *,
    server_may_follow: bool = False,
) -> list[Problem]:
    """Find what bots ask of their wires that these cannot do; see :class:`Misfits`.

    Raises:
        ConfigError: what was said beside the bots does not work.
    """
    misfits = Misfits(
        override=connect.now,
        fallback=connect.usually,
        connectors=plugins.connectors,
        server_may_follow=server_may_follow,
    )
    return misfits.find(planned)
