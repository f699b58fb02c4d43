"""The commands, and what becomes of errors: one sentence and an exit code.

====  =============================================================================
code  when
====  =============================================================================
0     it worked
2     stopped by a signal
3     botkit or a plugin broke, or nobody reads what is written
4     wrong usage, wrong settings, an invalid file: nothing was started
====  =============================================================================

``botkit run`` has more; they are told by ``botkit.results.ExitCode``.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from botkit.cli.monitoring import is_check
from botkit.cli.settings import Settings, find_settings
from botkit.errors import BotkitError, ConfigError
from botkit.report.text import one_line
from botkit.results import ExitCode
from botkit.version import __version__

BUILT_IN = (
    "chat",
    "check",
    "convert",
    "fmt",
    "monitor",
    "new",
    "plugins",
    "report",
    "run",
    "schema",
    "simulate",
)
"""Each is the command of that name in the module of that name."""

MAX_ERROR = 2_000


class Commands(click.Group):
    """Imports a command when it is asked for; asks plugins for those that botkit does not have."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name all commands; a broken plugin must not take the help away."""
        try:
            added = plugin_commands(ctx)
        except BotkitError as error:
            complain(str(error))
            added = {}
        return sorted({*BUILT_IN, *added})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find a command; plugins are loaded only for what is not botkit's own."""
        if cmd_name in BUILT_IN:
            command = getattr(importlib.import_module(f"botkit.cli.{cmd_name}"), cmd_name)
            return command if isinstance(command, click.Command) else None
        return plugin_commands(ctx).get(cmd_name)


def plugin_commands(ctx: click.Context) -> dict[str, click.Command]:
    """Give the commands of plugins, by name."""
    from botkit.plugins import load_plugins

    folders = os.environ.get("BOTKIT_PLUGINS", "").split(os.pathsep)
    named = [folder for folder in folders if folder] or settings_of(ctx).values.get("plugins", ())
    return dict(load_plugins(folders=[Path(f) for f in named], environ=os.environ).commands)


def settings_of(ctx: click.Context) -> Settings:
    """Read the settings file, once."""
    if ctx.obj is None:
        ctx.obj = find_settings(Path.cwd())
    if not isinstance(ctx.obj, Settings):
        raise TypeError("the context holds the settings and nothing else")
    return ctx.obj


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    invoke_without_command=True,
)
@click.version_option(__version__, message="botkit %(version)s")
@click.pass_context
def botkit(ctx: click.Context) -> ExitCode | None:
    """Play the customer in contact-centre chats, and say whether the chat works.

    Each option is a flag, an environment variable (BOTKIT_*) and a key in botkit.toml or in
    [tool.botkit] of pyproject.toml: the first that is given counts.
    """
    name = ctx.invoked_subcommand
    if name is None:
        click.echo(ctx.get_help(), err=True)
        return ExitCode.USAGE
    ctx.default_map = {name: dict(settings_of(ctx).values)}
    return None


def run_command(arguments: Sequence[str]) -> int:
    """Run a command.

    Returns:
        The exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        write_anything(stream)
    told: list[str] = []
    code = _attempt(arguments, told)
    if told and is_check(arguments, os.environ):
        return _unknown(told[0])
    return code


def _attempt(arguments: Sequence[str], told: list[str]) -> int:
    """Run a command, and complain if that does not work.

    Args:
        told: takes the complaint.
    """
    try:
        code = botkit.main(list(arguments), prog_name="botkit", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        error.show()
        told.append(error.format_message())
        return ExitCode.USAGE
    except (click.Abort, KeyboardInterrupt):
        complain("stopped")
        told.append("stopped")
        return ExitCode.SIGNAL
    except ConfigError as error:
        return _give_up(error, ExitCode.USAGE, arguments, told)
    except BrokenPipeError:
        _let_go_of_stdout()
        return ExitCode.ERROR
    except BotkitError as error:
        return _give_up(error, ExitCode.ERROR, arguments, told)
    except BaseException as error:  # The boundary to the shell: no traceback for users.
        if isinstance(error, SystemExit) and not set(BUILT_IN).intersection(arguments[:1]):
            # A plugin's command ends as it likes; what ends one of ours is no success.
            raise
        return _give_up(error, ExitCode.ERROR, arguments, told)
    return int(code or 0)


def complain(sentence: str) -> None:
    """Tell a person what went wrong."""
    click.echo(f"botkit: {one_line(sentence, MAX_ERROR)}", err=True)


def _unknown(sentence: str) -> int:
    """Tell a monitoring that there was no check."""
    from botkit.report.nagios import Status, unknown

    click.echo(unknown(sentence))
    return Status.UNKNOWN


def _give_up(
    error: BaseException, code: ExitCode, arguments: Sequence[str], told: list[str]
) -> ExitCode:
    from botkit.log_masking import masked

    if os.environ.get("BOTKIT_DEBUG") or {"-v", "--verbose"}.intersection(arguments):
        click.echo(masked("".join(traceback.format_exception(error))), err=True)
    sentence = str(error)
    if not isinstance(error, BotkitError):
        sentence = f"{_told(error)} (a mistake in botkit or a plugin; BOTKIT_DEBUG=1 tells where)"
    sentence = masked(sentence)
    complain(sentence)
    told.append(sentence)
    return code


def _told(error: BaseException) -> str:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def write_anything(stream: Any) -> None:
    """Let a stream write what its encoding lacks as escapes: a name in Greek is no error."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def _let_go_of_stdout() -> None:
    """Keep Python from complaining at its end about a pipe that nobody reads."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)
