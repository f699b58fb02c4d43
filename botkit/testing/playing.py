"""Bots that are played in a test, as a command would play them."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from types import MappingProxyType

import trio

from botkit.bot.diagnostics import format_text
from botkit.bot.fields import Vocabulary
from botkit.bot.loader import Settings, load_paths
from botkit.bot.matchers import MatcherRegistry
from botkit.bot.yaml_bot import Surroundings
from botkit.driver import ScriptedBot
from botkit.errors import ConfigError, ungrouped
from botkit.interfaces import (
    ConnectOptions,
    Connector,
    JourneyPlan,
)
from botkit.journey import Run, RunSettings
from botkit.plugins import Plugins, load_plugins
from botkit.results import JourneyResult
from botkit.session import utc_now
from botkit.simulator import SimulatorSettings
from botkit.testing.simulated import simulator_in

__all__ = ["IN_MEMORY", "play"]

IN_MEMORY = "in-memory"
"""The name of the connector under which :func:`play` plays."""


async def play(
    bot: Path | str,
    *,
    connector: Connector | None = None,
    agents: Path | None = None,
    plugins: Mapping[str, object] = MappingProxyType({}),
    variables: Mapping[str, str] = MappingProxyType({}),
) -> tuple[JourneyResult, ...]:
    """Play the bots of a file to their verdicts, without sockets and on any clock.

    Example, with pytest-trio, whose ``autojump_clock`` makes any wait instant::

        async def test_my_bot(autojump_clock):
            (result,) = await play("bots/smoke.yaml")
            assert result.verdict is Verdict.PASSED, result.message

    What the bot says about its server is put aside. Each journey has its simulator to itself, so
    that one never depends on another, and the random choices are the same each time.

    Args:
        bot: a file in YAML or Python, or a folder of them.
        connector: whom to chat with; None for a simulator in memory.
        agents: scripted agents for the simulator; None for those that the bot names.
        plugins: objects with hooks, by name; botkit's own are there besides, no others.
        variables: what ``${env.X}`` gives before the environment does.

    Returns:
        A result for each row of each bot, in order.

    Raises:
        ConfigError: a file is wrong or holds no bot; with all that is wrong in it.
        PluginError: a plugin does not fit.
    """
    own = Plugins()
    try:
        for name, plugin in plugins.items():
            own.register(plugin, name=name)
        load_plugins(environ={"BOTKIT_LOAD_PLUGINS": ""}, into=own)
        plans = plans_of(Path(bot), own, variables)
        return tuple([await play_one(plan, own, connector, agents) for plan in plans])
    finally:
        own.close()


def plans_of(path: Path, plugins: Plugins, variables: Mapping[str, str]) -> list[JourneyPlan]:
    """Load a file for :func:`play`."""
    env, rng = {**os.environ, **variables}, random.Random(1)
    loaded = load_paths(
        [path],
        Settings(
            vocabulary=Vocabulary(
                matchers=MatcherRegistry(plugins.matchers), actions=frozenset(plugins.actions)
            ),
            surroundings=Surroundings(env=env, secrets=env, today=today, rng=rng),
            make_script=partial(ScriptedBot, rng=rng),
        ),
    )
    if loaded.errors:
        raise ConfigError("\n".join(format_text(problem) for problem in loaded.errors))
    if not loaded.bots:
        raise ConfigError(f"there is no bot in {str(path)!r}")
    return [plan for bot in loaded.bots for plan in bot.plans()]


def today() -> date:
    """Tell the date, the same all over the world."""
    return datetime.fromtimestamp(utc_now(), UTC).date()


async def play_one(
    plan: JourneyPlan, plugins: Plugins, connector: Connector | None, agents: Path | None
) -> JourneyResult:
    """Play one journey for :func:`play`."""
    plan = replace(plan, connect=replace(plan.connect, connector=None, server=None))
    with ungrouped():
        async with trio.open_nursery() as nursery:
            if connector is None:
                settings = SimulatorSettings(agents=agents or plan.connect.agents, seed=1)
                connector = await simulator_in(nursery, settings)
            run = Run(
                [plan],
                RunSettings(override=ConnectOptions(connector=IN_MEMORY)),
                connectors={IN_MEMORY: lambda: connector},
                dispatcher=plugins.dispatcher,
                actions=plugins.actions,
            )
            (result,) = (await run.play()).journeys
            nursery.cancel_scope.cancel()
    return result
