"""``botkit schema``: the language as a JSON Schema, for editors; evidence as one, for programs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from botkit.cli.options import takes
from botkit.results import ExitCode

EVIDENCE = "evidence"


@click.command()
@takes("kind", "plugins")
def schema(kind: str, plugins: tuple[Path, ...]) -> ExitCode:
    """Write the JSON Schema of bot files, for editors, or of evidence.

    It goes to standard output, that of bots with what the plugins add to the language.
    bots/README.md tells how an editor is made to use it. With --kind evidence it is that of what
    'botkit run --json' writes, for programs.
    """
    document = evidence_schema() if kind == EVIDENCE else language_schema(kind, plugins)
    click.echo(json.dumps(document, indent=2, ensure_ascii=False))
    return ExitCode.PASSED


def evidence_schema() -> dict[str, Any]:
    """Describe the JSON files of runs."""
    from botkit.report import evidence_models

    return evidence_models.evidence_schema()


def language_schema(kind: str, plugins: tuple[Path, ...]) -> dict[str, Any]:
    """Describe the files that authors write."""

    from botkit.bot.fields import Vocabulary
    from botkit.bot.json_schema import Kind, json_schema
    from botkit.bot.matchers import MatcherRegistry
    from botkit.cli.loading import plugins_of

    with plugins_of(plugins) as loaded:
        vocabulary = Vocabulary(
            matchers=MatcherRegistry(loaded.matchers), actions=frozenset(loaded.actions)
        )
        return json_schema(Kind(kind), vocabulary)
