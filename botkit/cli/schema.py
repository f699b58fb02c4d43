"""``botkit schema``: the language as a JSON Schema, for editors."""

from __future__ import annotations

from pathlib import Path

import click

from botkit.cli.options import takes
from botkit.results import ExitCode


@click.command()
@takes("kind", "plugins")
def schema(kind: str, plugins: tuple[Path, ...]) -> ExitCode:
    """Write the JSON Schema of bot files, for editors.

    It goes to standard output, with what the plugins add to the language. bots/README.md tells how
    an editor is made to use it.
    """
    import json

    from botkit.bot.fields import Vocabulary
    from botkit.bot.json_schema import Kind, json_schema
    from botkit.bot.matchers import MatcherRegistry
    from botkit.cli.loading import plugins_of

    with plugins_of(plugins) as loaded:
        vocabulary = Vocabulary(
            matchers=MatcherRegistry(loaded.matchers), actions=frozenset(loaded.actions)
        )
        document = json_schema(Kind(kind), vocabulary)
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    return ExitCode.PASSED
