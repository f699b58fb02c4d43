"""What journeys need besides their bots, and how one is played."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click
import pytest
import trio

from botkit.cli.connecting import Wanting, connect_of
from botkit.cli.run import refuse_empty_variables, run
from botkit.cli.settings import find_settings
from botkit.errors import BotkitError, ConfigError
from botkit.interfaces import JourneyPlan
from botkit.journey import Run, RunSettings
from botkit.plugins import Plugins, load_plugins
from botkit.results import JourneyResult


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What all journeys of a run of pytest share.

    Attributes:
        plugins: frozen.
        connect: how sessions are opened.
        variables: what ``${env.X}`` gives before the environment does.
    """

    plugins: Plugins
    connect: Wanting
    variables: Mapping[str, str]


STAGE = pytest.StashKey[Stage]()


class JourneyFailed(Exception):
    """A journey did not pass; ``result`` is its evidence."""

    def __init__(self, result: JourneyResult) -> None:
        super().__init__(result.message or result.reason.value)
        self.result = result


class RunBroke(BotkitError):
    """botkit broke beside a journey."""


def stage_of(config: pytest.Config) -> Stage:
    """Set the stage, once: as ``botkit run`` does, with its variables and its settings file.

    Raises:
        ConfigError: the settings do not work.
        PluginError: a plugin does not.
    """
    stage = config.stash.get(STAGE, None)
    if stage is None:
        context = context_of(config)
        given: Mapping[str, Any] = context.params
        plugins = load_plugins(folders=given["plugins"], environ=os.environ)
        config.add_cleanup(plugins.close)
        stage = config.stash[STAGE] = Stage(
            plugins=plugins,
            connect=connect_of(context, given, plugins),
            variables=dict(given["var"]),
        )
    return stage


def context_of(config: pytest.Config) -> click.Context:
    """Read the options of ``botkit run`` from pytest's, the environment and the settings file.

    Raises:
        ConfigError: one of them makes no sense.
    """
    settings = find_settings(config.rootpath)
    try:
        refuse_empty_variables(os.environ)
        return run.make_context("pytest", arguments(config), default_map=dict(settings.values))
    except click.ClickException as error:
        raise ConfigError(error.format_message()) from error


def arguments(config: pytest.Config) -> list[str]:
    """Write what pytest was told as ``botkit run`` is told it."""
    wanted = [(f"--{key}", config.getoption(f"botkit_{key}")) for key in ("server", "connector")]
    return [word for flag, value in wanted if value is not None for word in (flag, str(value))]


def play(plan: JourneyPlan, stage: Stage) -> JourneyResult:
    """Play one journey, in an event loop of its own.

    Raises:
        RunBroke: botkit broke beside it.
        ConfigError: it cannot be opened as it is set up.
    """
    settings = RunSettings(jobs=1, override=stage.connect.now, fallback=stage.connect.usually)
    journeys = Run(
        [plan],
        settings,
        connectors=stage.plugins.connectors,
        dispatcher=stage.plugins.dispatcher,
        actions=stage.plugins.actions,
    )
    try:
        result = trio.run(journeys.play, restrict_keyboard_interrupt_to_checkpoints=True)
    except BaseExceptionGroup as group:
        # pytest looks for the interruption itself, and not for one that a nursery has wrapped.
        if group.subgroup(KeyboardInterrupt) is not None:
            raise KeyboardInterrupt from group
        raise
    refuse_faults(result.faults)
    return result.journeys[0]


def refuse_faults(faults: Sequence[str]) -> None:
    """Let what broke beside a journey be no success.

    Raises:
        RunBroke: something did.
    """
    if faults:
        raise RunBroke("; ".join(faults))
