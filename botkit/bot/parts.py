"""Files of steps, and what it takes to use one.

A file of steps sees its arguments and what it captures itself, and nothing of who uses it; so it is
compiled once, on its own, and what is wrong in it is told once and at its place. What it captures
belongs to the journey, like any other capture. Only what depends on who uses it (the order of
steps, what only customers or only agents do) is told there, with both places.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from botkit.bot.diagnostics import Problems, did_you_mean
from botkit.bot.script import Step
from botkit.bot.source import Entries, Items, Node, Scalar, find, find_key
from botkit.bot.values import Template
from botkit.errors import ConfigError

MAX_NESTED = 10
"""Files of steps that use each other; nobody can follow a chat through more."""
MAX_STEPS = 10_000
"""Steps that a script may come to with all that it uses: ten files that use each other ten times
would come to billions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A file of steps, compiled for all who use it.

    Attributes:
        file: as the first of them found it.
        arguments: what it takes, each with what it is if nothing is given; None if it must be.
        steps: with the paths of their own file.
        certain: what it surely captures; None if no journey comes to its end.
        size: its steps, with all that it uses itself.
        depth: how many files it comes to at most, one using the next; it is the first.
    """

    file: str
    arguments: Mapping[str, Template | None]
    steps: tuple[Step, ...]
    certain: frozenset[str] | None
    size: int
    depth: int


class PartError(ConfigError):
    """A file of steps cannot be used; the message says why."""


class PartSource(Protocol):
    """Finds files of steps and compiles each once."""

    def part(self, path: Path) -> Part | None:
        """Give a file of steps.

        Returns:
            The file; None if something is wrong with it, which was told at its place.

        Raises:
            PartError: there is none, or it cannot be used here.
        """
        ...


class NoParts:
    """For scripts that are no file's: they have nothing to find others beside."""

    def part(self, path: Path) -> Part | None:
        """Refuse."""
        raise PartError(f"{str(path)!r} cannot be used here")


def given(
    arguments: Mapping[str, Template], part: Part, node: Entries, problems: Problems
) -> dict[str, Template]:
    """Give a part all its arguments; what is missing or strange is told.

    Args:
        arguments: what the step gives.
        node: the step.
    """
    for name in arguments:
        if name not in part.arguments:
            takes = ", ".join(part.arguments) or "no arguments"
            hint = did_you_mean(name, part.arguments) or f"it takes {takes}"
            mark = find_key(node, ("with", name))
            problems.add(mark, f"{part.file!r} takes no argument {name!r}", hint=hint)
    missing = [n for n, value in part.arguments.items() if value is None and n not in arguments]
    if missing:
        wanted = ", ".join(f"{name}: ..." for name in missing)
        problems.add(
            find(node, ("use",)).mark,
            f"{part.file!r} needs {', '.join(map(repr, missing))}; write 'with: {{{wanted}}}'",
        )
    usual = {name: value for name, value in part.arguments.items() if value is not None}
    return usual | dict(arguments)


def argument_nodes(node: Node | None) -> Iterator[Scalar]:
    """Give the names that ``args`` declares, with their places."""
    # A mapping is told of elsewhere; what it names is meant all the same.
    for item in node.items if isinstance(node, Items) else (node,):
        if isinstance(item, Scalar):
            yield item
        elif isinstance(item, Entries):
            yield from item.keys.values()


def warn_of_unused(declared: Iterable[Scalar], used: frozenset[str], problems: Problems) -> None:
    """Warn of arguments that are taken for nothing."""
    for name in declared:
        if name.text not in used:
            message = f"the argument {name.text!r} is never used"
            hint = f"write ${{args.{name.text}}} where it is wanted"
            problems.warn(name.mark, message, hint=hint)
