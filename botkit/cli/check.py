"""``botkit check``: finds every mistake of every file before a chat is opened."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from botkit.cli.options import takes
from botkit.results import ExitCode

if TYPE_CHECKING:
    from botkit.interfaces import Bot


@click.command()
@takes("paths", "format", "plugins")
def check(paths: tuple[Path, ...], format: str, plugins: tuple[Path, ...]) -> ExitCode:
    """Validate bots without connecting.

    PATHS are files, and folders of bots; by default bots/. Exits with 0 if all is well, 4 if there
    are problems, 5 if there was nothing to check. What the environment lacks is a warning here, and
    an error when the bot is run.
    """
    from botkit.bot.diagnostics import Severity
    from botkit.cli.loading import load_bots, plugins_of
    from botkit.cli.problems import count, show_problems

    with plugins_of(plugins) as loaded_plugins:
        bots, loaded = load_bots(paths, loaded_plugins, missing=Severity.WARNING)
    show_problems(loaded.problems, form=format)
    for path in loaded.barren:
        click.echo(f"{path}: no bot was found", err=True)
    if loaded.errors:
        click.echo(count(len(loaded.errors), "problem"), err=True)
        return ExitCode.USAGE
    if not bots and not loaded.agents:
        click.echo("nothing was found to check", err=True)
        return ExitCode.NOTHING_RUN
    warnings = count(len(loaded.problems), "warning") if loaded.problems else "no problems"
    parts = [count(len(bots), "bot"), *journeys_of(bots), warnings]
    click.echo(", ".join(parts), err=format == "github")
    return ExitCode.PASSED


def journeys_of(bots: Iterable[Bot]) -> list[str]:
    """Count the journeys; nothing if that depends on what the environment lacks, as was warned."""
    from botkit.bot.values import VariableError
    from botkit.cli.problems import count

    try:
        return [count(sum(len(bot.plans()) for bot in bots), "journey")]
    except VariableError:
        return []
