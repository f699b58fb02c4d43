"""``botkit plugins``: what is loaded, and where it came from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from botkit.cli.options import takes


@click.command()
@takes("plugins")
def plugins(plugins: tuple[Path, ...]) -> None:
    """List the plugins: name, version, origin and hooks."""
    from botkit.cli.loading import plugins_of

    with plugins_of(plugins) as loaded:
        listed = loaded.listing()
    rows = [("name", "version", "origin", "hooks")]
    for plugin in listed:
        origin = f"{plugin.origin.value} {plugin.place}".strip()
        hooks = ", ".join(plugin.hooks) or "-"
        rows.append((plugin.name, plugin.version or "-", origin, hooks))
    click.echo("\n".join(aligned(rows)))


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Write rows as lines whose columns begin below each other; the last is as long as it is."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]) - 1)]
    return [
        "  ".join([*(c.ljust(w) for c, w in zip(row, widths, strict=False)), row[-1]])
        for row in rows
    ]
