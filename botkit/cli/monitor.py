"""``botkit monitor``: watches chats all day."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from botkit.cli.options import FILE, takes
from botkit.results import ExitCode

if TYPE_CHECKING:
    from botkit.monitor.config import LoadedMonitors, World
    from botkit.plugins import Plugins


SHIPPED = Path(__file__).parents[1] / "monitor" / "metrics" / "files"
SHIPPED_FILES = {"rules": "rules.yaml", "dashboard": "dashboard.json"}


@click.command()
@click.argument("config", type=FILE, metavar="[MONITORS.yaml]", required=False)
@takes("var", "plugins", "validate", "print", "otel", "quiet")
def monitor(
    config: Path | None,
    var: tuple[tuple[str, str], ...],
    plugins: tuple[Path, ...],
    validate: bool,
    print: str | None,
    otel: str | None,
    quiet: bool,
) -> ExitCode:
    """Watch chats by a file of monitors, until stopped.

    SIGHUP reads the file again; one with mistakes is refused, and the old one kept. SIGTERM and
    SIGINT leave all chats and stop.

    \b
    Exit codes:
      0  stopped, or --validate found nothing wrong
      3  botkit or a plugin broke
      4  wrong usage or an invalid file; nothing was started
    """
    from botkit.cli.loading import plugins_of
    from botkit.cli.problems import count, show_problems
    from botkit.log_masking import keep_out_of_logs

    if print is not None:
        click.echo((SHIPPED / SHIPPED_FILES[print]).read_text("utf-8"), nl=False)
        return ExitCode.PASSED
    if config is None:
        raise click.UsageError("which monitors? Name a file of them")
    with plugins_of(plugins) as loaded_plugins:
        load = loader_of(config, loaded_plugins, dict(var))
        loaded = load()
        keep_out_of_logs(loaded.masker)
        show_problems(loaded.problems, err=True)
        file = loaded.file
        if file is None:
            click.echo(f"{count(len(loaded.problems), 'problem')}; nothing was started", err=True)
            return ExitCode.USAGE
        if validate:
            click.echo(f"{count(len(file.monitors), 'monitor')}, no problems")
            return ExitCode.PASSED
        import trio

        from botkit.cli.tracing import spans_to, tell_of_loss
        from botkit.cli.watching import Watching

        watching = Watching(
            file=file,
            load=load,
            plugins=loaded_plugins,
            quiet=quiet,
            spans=spans_to(otel, told=tell_of_loss),
        )
        trio.run(watching.watch, restrict_keyboard_interrupt_to_checkpoints=True)
    return ExitCode.PASSED


def loader_of(
    config: Path, plugins: Plugins, variables: dict[str, str]
) -> Callable[[], LoadedMonitors]:
    """Say how the file is read, now and when it is read again."""

    def load() -> LoadedMonitors:
        from botkit.monitor.config import load_monitors

        return load_monitors(config, world_of(plugins, variables))

    return load


def world_of(plugins: Plugins, variables: dict[str, str]) -> World:
    """Say what a file of monitors refers to.

    Raises:
        ConfigError: what monitors are made of is not installed.
    """
    from botkit.bot.diagnostics import Severity
    from botkit.bot.loader import load_file
    from botkit.cli.loading import loader_settings
    from botkit.errors import ConfigError
    from botkit.session import utc_now

    try:
        from botkit.monitor.config import World
    except ModuleNotFoundError as error:
        message = f"monitors need {error.name}: pip install 'botkit[monitor]'"
        raise ConfigError(message) from error

    settings = loader_settings(plugins, {**os.environ, **variables}, Severity.ERROR)
    return World(
        surroundings=settings.surroundings,
        load=lambda path: load_file(path, settings),
        bots=plugins.bots,
        connectors=plugins.connectors,
        vocabulary=settings.vocabulary,
        sinks=plugins.alert_sinks,
        now=utc_now(),
    )
