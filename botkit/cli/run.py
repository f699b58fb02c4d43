"""``botkit run``: plays journeys, and says how they went."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from botkit.cli.options import takes
from botkit.results import ExitCode

if TYPE_CHECKING:
    from botkit.cli.play import Playing
    from botkit.cli.reporting import Wanted
    from botkit.interfaces import ConnectOptions, JourneyPlan, NetworkSettings
    from botkit.plugins import Plugins

CONNECT = ("connector", "server", "service", "nickname", "agents")
NETWORK = ("insecure", "ca_file", "client_cert", "proxy", "header", "auth")
SAID_NOW = frozenset({ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT})


@click.command()
@takes(
    "paths",
    "server",
    "connector",
    "service",
    "nickname",
    "option",
    "var",
    "agents",
    "insecure",
    "ca-file",
    "client-cert",
    "proxy",
    "header",
    "auth",
    "tag",
    "not-tag",
    "jobs",
    "junit",
    "json",
    "report",
    "fail-on",
    "plugins",
    "quiet",
    "verbose",
)
@click.pass_context
def run(ctx: click.Context, /, **given: Any) -> ExitCode:
    """Play journeys: bots, each with each row of its data.

    PATHS are files, folders of bots, and names of bots that plugins offer; by default bots/.
    Without a server they talk to a simulator in this process, and every verdict says so.

    \b
    Exit codes:
      0  all passed
      1  a journey failed
      2  a signal ended the run
      3  botkit, a plugin or a bot broke
      4  wrong usage or an invalid file; nothing was started
      5  nothing was run
     10  a journey was degraded, with --fail-on degraded
     12  all that failed was unreachable
    """
    import trio

    from botkit.cli.loading import plugins_of

    refuse_empty_variables(os.environ)
    with plugins_of(given["plugins"]) as plugins:
        plans = plans_of(given, plugins)
        if plans is None:
            return ExitCode.USAGE
        playing = playing_of(ctx, given, plugins, plans)
        return trio.run(playing.play, restrict_keyboard_interrupt_to_checkpoints=True)


def refuse_empty_variables(environ: Mapping[str, str]) -> None:
    """Refuse ``BOTKIT_SERVER=``, which click takes for "not given".

    It is what a CI job sets when its secret is missing, and would test the simulator instead.

    Raises:
        click.UsageError: naming the variable.
    """
    if environ.get("BOTKIT_SERVER") is not None and not environ["BOTKIT_SERVER"].strip():
        raise click.UsageError("BOTKIT_SERVER is set and empty; unset it, or give it a URL")


def plans_of(given: Mapping[str, Any], plugins: Plugins) -> list[JourneyPlan] | None:
    """Load the bots and plan their journeys; None if a file has an error, which is told.

    Raises:
        ConfigError: a value that the opening of a chat names is not there.
    """
    from botkit.cli.loading import load_bots
    from botkit.cli.problems import count, show_problems
    from botkit.cli.selection import Selection

    bots, loaded = load_bots(given["paths"], plugins, variables=dict(given["var"]))
    show_problems(loaded.problems, err=True)
    if loaded.errors:
        click.echo(f"{count(len(loaded.errors), 'problem')}; nothing was started", err=True)
        return None
    for path in loaded.barren:
        click.echo(f"{path}: no bot was found", err=True)
    selection = Selection.parse(given["tag"], given["not_tag"])
    for tag in selection.unknown(bots):
        click.echo(f"no bot has the tag {tag!r}", err=True)
    return [plan for bot in bots if selection.takes(bot.tags) for plan in bot.plans()]


def playing_of(
    ctx: click.Context, given: Mapping[str, Any], plugins: Plugins, plans: Sequence[JourneyPlan]
) -> Playing:
    """Put together what was said.

    Raises:
        ConfigError: there is no such connector or reporter.
    """
    from botkit.cli.play import Playing
    from botkit.journey import RunSettings

    if given["connector"] is not None:
        plugins.connectors.find(given["connector"], key="connector")
    said_now = {name: ctx.get_parameter_source(name) in SAID_NOW for name in given}
    return Playing(
        plans=plans,
        settings=RunSettings(
            jobs=given["jobs"],
            override=connect_options(given, said_now, now=True),
            fallback=connect_options(given, said_now, now=False),
        ),
        plugins=plugins,
        wanted=wanted_of(given, plugins),
    )


def connect_options(
    given: Mapping[str, Any], said_now: Mapping[str, bool], *, now: bool
) -> ConnectOptions:
    """Gather how sessions are opened.

    Args:
        said_now: which options come from a flag or a variable: these win over what bots say,
            and bots win over the settings file.
        now: gather the former; else the latter.
    """
    from botkit.interfaces import ConnectOptions

    chosen = {name: given[name] for name in CONNECT if said_now[name] is now}
    pairs = dict(given["option"]) if said_now["option"] is now else {}
    options = ConnectOptions(**chosen, options=pairs)
    # What reaches a server belongs together: a flag for one part of it takes the others along.
    said = [name for name in NETWORK if given[name]]
    if said and any(said_now[name] for name in said) is now:
        options = replace(options, network=network_settings(given))
    return options


def network_settings(given: Mapping[str, Any]) -> NetworkSettings:
    """Gather how servers are reached."""
    from botkit.interfaces import NetworkSettings

    return NetworkSettings(
        verify=not given["insecure"],
        ca_file=given["ca_file"],
        client_cert=given["client_cert"],
        proxy=given["proxy"],
        headers=dict(given["header"]),
        auth=given["auth"],
    )


def wanted_of(given: Mapping[str, Any], plugins: Plugins) -> Wanted:
    """Gather what is to be reported.

    Raises:
        ConfigError: there is no such reporter.
    """
    from botkit.cli.reporting import Wanted
    from botkit.report.plain import Detail

    detail = Detail.QUIET if given["quiet"] else Detail.NORMAL
    return Wanted(
        junit=given["junit"],
        json=given["json"],
        others=tuple(
            (plugins.reporters.find(name, key="report"), where) for name, where in given["report"]
        ),
        detail=Detail.VERBOSE if given["verbose"] else detail,
        fail_on_degraded=given["fail_on"] == "degraded",
    )
