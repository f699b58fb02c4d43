"""``botkit run``: plays journeys, and says how they went."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from botkit.cli.monitoring import NAGIOS
from botkit.cli.options import takes
from botkit.results import ExitCode

if TYPE_CHECKING:
    from botkit.cli.connecting import Wanting
    from botkit.cli.play import Playing
    from botkit.cli.reporting import Wanted
    from botkit.interfaces import Bot, JourneyPlan
    from botkit.plugins import Plugins


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
    "faults",
    "seed",
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
    "html",
    "events",
    "report",
    "otel",
    "fail-on",
    "run-format",
    "plugins",
    "record-frames",
    "explain",
    "step",
    "quiet",
    "verbose",
)
@click.pass_context
def run(ctx: click.Context, /, **given: Any) -> int:
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

    With --format nagios they are those of a check: 0 all passed, 1 degraded, 2 failed, 3 anything
    else that is wrong.
    """
    import trio

    from botkit.cli.connecting import connect_of, misfits_of
    from botkit.cli.loading import plugins_of
    from botkit.cli.problems import count, show_problems

    refuse_empty_variables(os.environ)
    with plugins_of(given["plugins"]) as plugins:
        planned = planned_of(given, plugins)
        if planned is None:
            return nothing_started(given)
        connect = connect_of(ctx, given, plugins)
        misfits = misfits_of(planned, connect, plugins)
        if misfits:
            show_problems(misfits, err=True)
            click.echo(f"{count(len(misfits), 'problem')}; nothing was started", err=True)
            return nothing_started(given)
        playing = playing_of(given, plugins, planned, connect)
        if given["step"]:
            playing = stepped(ctx, playing, [bot for bot, _ in planned])
        return trio.run(playing.play, restrict_keyboard_interrupt_to_checkpoints=True)


def nothing_started(given: Mapping[str, Any]) -> int:
    """Give the exit code where files or options are wrong, which was told."""
    from botkit.report.nagios import Status, unknown

    if given["run_format"] != NAGIOS:
        return ExitCode.USAGE
    click.echo(unknown("wrong usage or an invalid file: nothing was started; stderr says why"))
    return Status.UNKNOWN


def refuse_empty_variables(environ: Mapping[str, str]) -> None:
    """Refuse ``BOTKIT_SERVER=``, which click takes for "not given".

    It is what a CI job sets when its secret is missing, and would test the simulator instead.

    Raises:
        click.UsageError: naming the variable.
    """
    if environ.get("BOTKIT_SERVER") is not None and not environ["BOTKIT_SERVER"].strip():
        raise click.UsageError("BOTKIT_SERVER is set and empty; unset it, or give it a URL")


Planned = list[tuple["Bot", "Sequence[JourneyPlan]"]]


def planned_of(given: Mapping[str, Any], plugins: Plugins) -> Planned | None:
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
    return [(bot, bot.plans()) for bot in bots if selection.takes(bot.tags)]


def playing_of(
    given: Mapping[str, Any], plugins: Plugins, planned: Planned, connect: Wanting
) -> Playing:
    """Put together what was said.

    Raises:
        ConfigError: there is no such reporter, or no way to send spans.
    """
    from botkit.cli.play import Playing
    from botkit.cli.tracing import spans_to
    from botkit.journey import RunSettings

    return Playing(
        plans=[plan for _, of_bot in planned for plan in of_bot],
        settings=RunSettings(
            jobs=given["jobs"],
            override=connect.now,
            fallback=connect.usually,
            record_frames=given["record_frames"],
        ),
        plugins=plugins,
        wanted=wanted_of(given, plugins),
        spans=spans_to(given["otel"]),
    )


def stepped(ctx: click.Context, playing: Playing, bots: Sequence[Bot]) -> Playing:
    """Have journeys played step by step, one after another.

    Raises:
        click.UsageError: what else was said does not go with that.
        ConfigError: a bot has no steps to stop at.
    """
    from botkit.bot.script import Step, all_steps
    from botkit.bot.yaml_bot import YamlBot
    from botkit.cli.stepping import PromptStepper
    from botkit.errors import ConfigError
    from botkit.report.json_document import STDOUT

    said_now = ctx.get_parameter_source("jobs") is ParameterSource.COMMANDLINE
    if said_now and playing.settings.jobs > 1:
        raise click.UsageError("--step takes one journey after another: leave out --jobs")
    if playing.wanted.form == NAGIOS:
        raise click.UsageError("--step is for people, and --format nagios for machines")
    if STDOUT in (playing.wanted.json, playing.wanted.events):
        raise click.UsageError(
            "--step needs standard output for itself: give --json and --events files"
        )
    steps: list[Step] = []
    for bot in bots:
        if not isinstance(bot, YamlBot):
            raise ConfigError(
                f"--step goes by the steps of bots in YAML, and {bot.name!r} is none", key="step"
            )
        steps.extend(all_steps(bot.script.steps))
    return replace(
        playing,
        stepper=PromptStepper(steps),
        settings=replace(playing.settings, jobs=1),
        wanted=replace(playing.wanted, live=False),
    )


def wanted_of(given: Mapping[str, Any], plugins: Plugins) -> Wanted:
    """Gather what is to be reported.

    Raises:
        click.UsageError: two things would be written to one place.
        ConfigError: there is no such reporter.
    """
    from botkit.cli.reporting import Wanted
    from botkit.report.json_document import STDOUT
    from botkit.report.plain import Detail

    check = given["run_format"] == NAGIOS
    if [given["json"], given["events"], STDOUT if check else None].count(STDOUT) > 1:
        raise click.UsageError("only one of --json, --events and a check can have standard output")

    detail = Detail.QUIET if given["quiet"] else Detail.NORMAL
    return Wanted(
        junit=given["junit"],
        json=given["json"],
        html=given["html"],
        events=given["events"],
        others=tuple(
            (plugins.reporters.find(name, key="report"), where) for name, where in given["report"]
        ),
        explain=given["explain"],
        detail=Detail.VERBOSE if given["verbose"] else detail,
        fail_on_degraded=given["fail_on"] == "degraded",
        form=given["run_format"],
    )
