"""``botkit check``: finds every mistake of every file before a chat is opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from botkit.cli.options import takes
from botkit.results import ExitCode

if TYPE_CHECKING:
    from botkit.interfaces import Bot, JourneyPlan


@click.command()
@takes("paths", "connector", "server", "option", "format", "plugins")
@click.pass_context
def check(ctx: click.Context, /, **given: Any) -> ExitCode:
    """Validate bots without connecting.

    PATHS are files, and folders of bots; by default bots/. Exits with 0 if all is well, 4 if there
    are problems, 5 if there was nothing to check. What the environment lacks is a warning here, and
    an error when the bot is run.

    Each bot is tried on its wire, too: what that cannot do is told with its line. --connector and
    --server try all bots on another one.
    """
    from botkit.bot.diagnostics import Severity
    from botkit.cli.connecting import connect_of, misfits_of
    from botkit.cli.loading import load_bots, plugins_of
    from botkit.cli.problems import count, show_problems

    with plugins_of(given["plugins"]) as plugins:
        bots, loaded = load_bots(given["paths"], plugins, missing=Severity.WARNING)
        planned = [(bot, plans_of(bot)) for bot in bots]
        connect = connect_of(ctx, given, plugins)
        misfits = misfits_of(planned, connect, plugins, server_may_follow=True)
    problems = sorted((*loaded.problems, *misfits), key=lambda problem: problem.file)
    show_problems(problems, form=given["format"])
    for path in loaded.barren:
        click.echo(f"{path}: no bot was found", err=True)
    errors = [*loaded.errors, *misfits]
    if errors:
        click.echo(count(len(errors), "problem"), err=True)
        return ExitCode.USAGE
    if not bots and not loaded.agents and not loaded.parts:
        click.echo("nothing was found to check", err=True)
        return ExitCode.NOTHING_RUN
    warnings = count(len(problems), "warning") if problems else "no problems"
    parts = [count(len(bots), "bot"), *journeys_in(planned), warnings]
    click.echo(", ".join(parts), err=given["format"] != "text")
    return ExitCode.PASSED


def plans_of(bot: Bot) -> Sequence[JourneyPlan] | None:
    """Plan the journeys of a bot; None if the environment lacks what they need, as was warned."""
    from botkit.bot.values import VariableError

    try:
        return bot.plans()
    except VariableError:
        return None


def journeys_in(planned: Sequence[tuple[Bot, Sequence[JourneyPlan] | None]]) -> list[str]:
    """Count the journeys; nothing if that depends on what the environment lacks."""
    from botkit.cli.problems import count

    plans = [plans for _, plans in planned]
    if None in plans:
        return []
    return [count(sum(len(of_bot or ()) for of_bot in plans), "journey")]
