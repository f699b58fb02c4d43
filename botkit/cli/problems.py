"""What is wrong with bot files, as commands tell it."""

from __future__ import annotations

from collections.abc import Iterable

import click

from botkit.bot.diagnostics import Problem, Severity, format_github, format_text
from botkit.cli.problem_documents import json_document, sarif_document

FORMATS = {"text": format_text, "github": format_github}
"""Those that show one problem after another."""

DOCUMENTS = {"json": json_document, "sarif": sarif_document}
"""Those that are one document, which says so if there is no problem, too."""

COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


def show_problems(problems: Iterable[Problem], *, form: str = "text", err: bool = False) -> None:
    """Write the problems, in colour on a terminal; lines are never wrapped."""
    if form in DOCUMENTS:
        click.echo(DOCUMENTS[form](problems), err=err)
        return
    for problem in problems:
        text = FORMATS[form](problem)
        if form == "text":
            first, _, rest = text.partition("\n")
            text = click.style(first, fg=COLOURS[problem.severity]) + (f"\n{rest}" if rest else "")
        click.echo(text, err=err)


def count(number: int, word: str) -> str:
    """Write a number of things: ``1 bot``, ``3 bots``, ``no problems``."""
    return f"{number or 'no'} {word}{'' if number == 1 else 's'}"
