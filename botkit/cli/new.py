"""``botkit new``: writes a bot, a plugin or an agent script that works at once."""

from __future__ import annotations

import keyword
import re
from pathlib import Path

import click

from botkit.cli.options import takes
from botkit.errors import ConfigError
from botkit.results import ExitCode

TEMPLATES = Path(__file__).parents[1] / "templates"
PLACEHOLDER = "NAME"
"""What stands in a template for the name, in its text and in the names of its files."""

KINDS = {"bot": "bots", "plugin": "plugins", "agents": "bots"}
"""What there is to write, and the folder for it if the project has it."""

PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


@click.command()
@click.argument("kind", type=click.Choice(list(KINDS)))
@click.argument("name")
@takes("dir")
def new(kind: str, name: str, dir: Path | None) -> ExitCode:
    """Write a bot, a plugin with its tests, or an agent script, to be changed.

    It goes into bots/ or plugins/ if there is such a folder here, and else right here; --dir names
    another one. What is there is never overwritten.
    """
    from botkit.cli.writing import write_new

    refuse_name(kind, name)
    usual = Path(KINDS[kind])
    folder = dir or (usual if usual.is_dir() else Path())
    files = {
        folder / str(template.relative_to(TEMPLATES / kind)).replace(PLACEHOLDER, name): template
        for template in sorted((TEMPLATES / kind).rglob(f"*{PLACEHOLDER}*"))
        if template.suffix in (".py", ".yaml")
    }
    # All or nothing: half a plugin would be in the way of the next try.
    for path in files:
        if path.exists():
            raise ConfigError(f"{path} exists, and is not overwritten", key="name")
    for path, template in files.items():
        path.parent.mkdir(exist_ok=True)
        text = template.read_text(encoding="utf-8").replace(PLACEHOLDER, name)
        write_new(path, text, key="dir")
        click.echo(str(path))
    return ExitCode.PASSED


def refuse_name(kind: str, name: str) -> None:
    """Refuse what cannot be the name of a file, a bot or a module.

    Raises:
        ConfigError: saying what can.
    """
    if not PLAIN_NAME.fullmatch(name):
        raise ConfigError(
            f"{name!r} is no name: letters, digits, '_' and '-', up to 100", key="name"
        )
    if kind == "plugin" and (not name.isidentifier() or keyword.iskeyword(name)):
        raise ConfigError(
            f"{name!r} cannot be imported; a plugin is named like a Python module, with '_'",
            key="name",
        )
