"""``botkit fmt``: lays bots out in one way, and never changes what they mean."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from botkit.cli.options import takes
from botkit.errors import ConfigError
from botkit.results import ExitCode

if TYPE_CHECKING:
    from botkit.bot.source import Node

STDIN = Path("-")
STDIN_NAME = "<stdin>"

UNCHANGED, CHANGED, LOST = "left as they are", "laid out", "not laid out"


@click.command()
@takes("paths", "check", "plugins")
def fmt(paths: Sequence[Path], check: bool, plugins: Sequence[Path]) -> ExitCode:
    """Lay out bots, and files of agents and of steps, in one way.

    PATHS are files, and folders of bots; by default bots/. A single - reads standard input and
    writes standard output.

    Comments, anchors and the spelling of every text stay, and so does what a file means. Exits with
    0 if all is well, 1 if --check found files that would change, 3 if a file would not mean the
    same (it is left as it is), 4 if there are problems (such files are left as they are), 5 if
    there was nothing to lay out.
    """
    if STDIN in paths:
        if len(paths) > 1:
            raise ConfigError("- stands alone: it is standard input", key="paths")
        return lay_out_stdin(check=check)
    return lay_out_files(paths, plugins, check=check)


# --- files ---------------------------------------------------------------------------------------


def lay_out_files(paths: Sequence[Path], plugins: Sequence[Path], *, check: bool) -> ExitCode:
    """Lay out all files that have no problems."""
    from botkit.bot.diagnostics import Severity
    from botkit.cli.loading import DEFAULT_PATHS, load_bots, plugins_of
    from botkit.cli.problems import show_problems

    with plugins_of(plugins) as loaded_plugins:
        _, loaded = load_bots(paths, loaded_plugins, missing=Severity.WARNING)
    wrong = {Path(problem.file).resolve() for problem in loaded.errors}
    done = Counter[str]()
    for path in yaml_files(paths or [path for path in DEFAULT_PATHS if path.exists()]):
        if path.resolve() not in wrong and is_ours(path):
            done[lay_out(path, check=check)] += 1
    show_problems(loaded.errors, err=True)
    if not done and not loaded.errors:
        click.echo("nothing was found to lay out", err=True)
        return ExitCode.NOTHING_RUN
    click.echo(totals(done, len(wrong), check=check), err=True)
    if loaded.errors:
        return ExitCode.USAGE
    if done[LOST]:
        return ExitCode.ERROR
    return ExitCode.FAILED if check and done[CHANGED] else ExitCode.PASSED


def yaml_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Walk over the files that were named, and those below the folders; each comes once."""
    from botkit.bot.loader import files_below

    seen = set()
    for path in paths:
        for file in files_below(path) if path.is_dir() else [path]:
            if file.suffix != ".py" and file.is_file() and file.resolve() not in seen:
                seen.add(file.resolve())
                yield file


def is_ours(path: Path) -> bool:
    """Whether a file says that it is botkit's; rows of data do not."""
    from botkit.bot.formatting import ORDERS
    from botkit.bot.source import Entries, load_document

    document = load_document(path, {})
    root: Node | None = document.root if document else None
    return isinstance(root, Entries) and not ORDERS.keys().isdisjoint(root.keys)


def lay_out(path: Path, *, check: bool) -> str:
    """Lay out one file.

    Returns:
        What became of it.

    Raises:
        ConfigError: it cannot be written.
    """
    from botkit.bot.formatting import FormattingError, format_text
    from botkit.bot.source import decode
    from botkit.report.files import write_whole

    before = path.read_bytes()
    try:
        after = format_text(decode(before)).encode()
    except FormattingError as error:
        click.echo(f"{path}: left as it is: {error}", err=True)
        return LOST
    if after == before:
        return UNCHANGED
    click.echo(str(path))
    if not check:
        try:
            write_whole(path, after)
        except OSError as error:
            raise ConfigError(f"it cannot be written: {error.strerror}", file=str(path)) from error
    return CHANGED


def totals(done: Counter[str], wrong: int, *, check: bool) -> str:
    """Count what became of the files."""
    from botkit.cli.problems import count

    kept = done[UNCHANGED] + done[LOST]
    parts = [f"{count(done[CHANGED], 'file')} {'would be ' if check else ''}{CHANGED}"]
    parts += [f"{kept} {UNCHANGED}"] if kept else []
    parts += [f"{wrong} with problems"] if wrong else []
    return ", ".join(parts)


# --- standard input ------------------------------------------------------------------------------


def lay_out_stdin(*, check: bool) -> ExitCode:
    """Lay out what an editor hands over: nothing is known of the files around it."""
    from botkit.bot.diagnostics import Problems
    from botkit.bot.formatting import FormattingError, format_text
    from botkit.bot.source import MAX_BYTES, SourceError, decode, parse_yaml, split_lines
    from botkit.cli.problems import show_problems

    problems = Problems(STDIN_NAME)
    content = sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        if len(content) > MAX_BYTES:
            raise SourceError(f"this is larger than {MAX_BYTES:,} bytes; that is not accepted")
        before = decode(content)
        problems.show(split_lines(before))
        if parse_yaml(before, problems) is None:
            raise SourceError("there is nothing in it")
    except SourceError as error:
        problems.add(error.mark, error.message, hint=error.hint)
    if problems.found:
        show_problems(problems.sorted(), err=True)
        return ExitCode.USAGE
    try:
        after = format_text(before)
    except FormattingError as error:
        click.echo(f"{STDIN_NAME}: left as it is: {error}", err=True)
        return ExitCode.ERROR
    if check:
        return ExitCode.PASSED if after.encode() == content else ExitCode.FAILED
    click.echo(after.encode(), nl=False)
    return ExitCode.PASSED
