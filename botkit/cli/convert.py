"""``botkit convert``: makes a bot of a journey that was played."""

from __future__ import annotations

from pathlib import Path

import click

from botkit.cli.options import takes
from botkit.errors import ConfigError
from botkit.results import ExitCode


@click.command()
@click.argument("result", type=click.Path(path_type=Path))
@takes("journey", "output", "force")
def convert(result: Path, journey: str | None, output: Path | None, force: bool) -> ExitCode:
    """Make a bot of a journey, from the evidence of 'botkit run --json'.

    RESULT is the JSON file. The bot goes to standard output unless --output names a file; it plays
    the same chat again: read it before you trust it.
    """
    from botkit.cli.writing import refuse_existing, write_new
    from botkit.recording import bot_text, recording_of

    if output is not None:
        refuse_existing(output, key="output", force=force)
    try:
        recording = recording_of(result.read_text(encoding="utf-8"), journey)
    except ConfigError as error:
        error.file = str(result)
        raise
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"this cannot be read as text: {error}", file=str(result)) from error
    text = bot_text(recording)
    if output is None:
        click.echo(text, nl=False)
    else:
        write_new(output, text, key="output", force=force)
        click.echo(f"{output}: written; 'botkit check {output}' looks it over", err=True)
    return ExitCode.PASSED
