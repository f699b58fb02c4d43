"""From paths to bots: what is found is loaded, and all that is wrong is told in one pass.

A YAML file is a bot if it begins with ``botkit:``, holds scripted agents if it begins with
``botkit-agents:``, and steps that others use if it begins with ``botkit-steps:``; any other is a
problem, unless a bot takes its data from it. What begins with ``botkit-monitors:`` is left to
``botkit monitor``. A Python file is loaded if it marks a class with
``@botkit.bot``.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from botkit.bot import python_bots
from botkit.bot.agents import AgentsFile
from botkit.bot.data import Table, load_table
from botkit.bot.diagnostics import Mark, Problem, Problems, Severity
from botkit.bot.parts import MAX_NESTED, Part, PartError
from botkit.bot.source import Document, Entries, find, load_document
from botkit.bot.yaml_file import AGENTS_KEY, BOT_KEY, STEPS_KEY, Settings, YamlFile
from botkit.errors import ConfigError
from botkit.interfaces import Bot

__all__ = ["Loaded", "Settings", "files_below", "load_agents", "load_file", "load_paths"]

MONITORS_KEY = "botkit-monitors"
YAML_ENDINGS = (".yaml", ".yml")
TOO_DEEP = f"files of steps use each other at most {MAX_NESTED} deep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What was found.

    Attributes:
        bots: those without an error, sorted by file.
        agents: the files of scripted agents without an error.
        parts: the files of steps without an error, those that are used and those that were found.
        problems: all that is wrong, sorted by file and place.
        barren: paths that were named and hold no bot at all.
    """

    bots: tuple[Bot, ...] = ()
    agents: tuple[AgentsFile, ...] = ()
    parts: tuple[Part, ...] = ()
    problems: tuple[Problem, ...] = ()
    barren: tuple[str, ...] = ()

    @property
    def errors(self) -> tuple[Problem, ...]:
        """The problems that forbid to start anything."""
        return tuple(p for p in self.problems if p.severity is Severity.ERROR)


def load_file(path: Path | str, settings: Settings | None = None) -> Loaded:
    """Load one file; nothing is raised for what is wrong with it."""
    return load_paths([path], settings)


def load_paths(paths: Iterable[Path | str], settings: Settings | None = None) -> Loaded:
    """Load files, and all bots below directories; nothing is raised for what is wrong."""
    loading = _Loading(settings or Settings())
    for path in paths:
        loading.add(Path(path))
    return loading.result()


def load_agents(path: Path | str, settings: Settings | None = None) -> AgentsFile:
    """Load a file of scripted agents.

    Raises:
        ConfigError: something is wrong with it; the error tells of the first thing.
    """
    loaded = load_file(path, settings)
    for problem in loaded.errors:
        mark = problem.mark
        raise ConfigError(
            problem.text,
            file=problem.file,
            line=mark.line if mark else None,
            column=mark.column if mark else None,
        )
    if not loaded.agents:
        raise ConfigError(
            f"these are no agents; such a file begins with '{AGENTS_KEY}: 1'", file=str(path)
        )
    return loaded.agents[0]


class _Loading:
    """One pass over all paths."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._problems: dict[str, Problems] = {}
        self._seen: set[Path] = set()
        self._data_files: set[Path] = set()
        self._bots: list[tuple[str, Mark, Bot]] = []
        self._agents: list[AgentsFile] = []
        self._strangers: list[tuple[Path, Document]] = []
        self._documents: dict[Path, Document | None] = {}
        self._unreadable: dict[Path, str] = {}
        self._parts: dict[Path, Part | None] = {}
        # Which file of steps is being compiled for which, from the outermost to the innermost.
        self._using: dict[Path, str] = {}
        self._barren: list[str] = []

    def add(self, path: Path) -> None:
        """Take a path that the user named."""
        if not path.is_dir():
            self._file(path, named=True)
            return
        before = len(self._bots), len(self._problems)
        files = list(files_below(path))
        known = any(file.resolve() in self._seen for file in files)
        for file in files:
            self._file(file, named=False)
        # A folder that was named before, or whose files were, brings nothing new and is not empty.
        if not known and before == (len(self._bots), len(self._problems)):
            self._barren.append(str(path))

    def result(self) -> Loaded:
        """Give what was found, sorted."""
        for path, document in self._strangers:
            if path.resolve() not in self._data_files:
                self._problems[str(path)].add(
                    document.root.mark,
                    f"neither a bot nor agents nor steps: a bot begins with '{BOT_KEY}: 1', a file"
                    f" of agents with '{AGENTS_KEY}: 1', a file of steps with '{STEPS_KEY}: 1'",
                )
        self._warn_of_equal_names()
        found = [p for file in sorted(self._problems) for p in self._problems[file].sorted()]
        bots = sorted(self._bots, key=lambda item: item[:2])
        parts = [part for part in self._parts.values() if part is not None]
        return Loaded(
            bots=tuple(bot for _, _, bot in bots),
            agents=tuple(sorted(self._agents, key=lambda agents: agents.file)),
            parts=tuple(sorted(parts, key=lambda part: part.file)),
            problems=tuple(found),
            barren=tuple(self._barren),
        )

    def _warn_of_equal_names(self) -> None:
        often = Counter(bot.name for _, _, bot in self._bots)
        first: dict[str, str] = {}
        for file, mark, bot in sorted(self._bots, key=lambda item: item[:2]):
            if often[bot.name] > 1 and bot.name in first:
                message = f"the bot {bot.name!r} is called like the one in {first[bot.name]}"
                self._problems.setdefault(file, Problems(file)).warn(mark, message)
            first.setdefault(bot.name, file)

    def _file(self, path: Path, *, named: bool) -> None:
        where = path.resolve()
        if where in self._seen:
            return
        self._seen.add(where)
        if path.suffix == ".py":
            self._python(path, named=named)
        elif named or path.suffix in YAML_ENDINGS:
            self._yaml(path, named=named)

    def _python(self, path: Path, *, named: bool) -> None:
        if named or python_bots.marks_a_bot(path):
            problems = self._problems.setdefault(str(path), Problems(str(path)))
            for bot in python_bots.load(path, problems):
                self._bots.append((str(path), Mark(bot.line, 1), bot))

    def _yaml(self, path: Path, *, named: bool) -> None:
        document = self._document(path)
        if document is None:
            return
        root = document.root
        if isinstance(root, Entries) and BOT_KEY in root.keys:
            self._bot(self._yaml_file(document), path)
        elif isinstance(root, Entries) and AGENTS_KEY in root.keys:
            agents = self._yaml_file(document).agents()
            if agents is not None and not _has_errors(self._problems[document.file]):
                self._agents.append(agents)
        elif isinstance(root, Entries) and STEPS_KEY in root.keys:
            self._part_of(document)
        elif isinstance(root, Entries) and MONITORS_KEY in root.keys:
            # In a folder it stands beside the bots that it plays.
            if named:
                what = f"these are monitors; 'botkit monitor --validate {path}' checks them"
                self._problems[document.file].add(root.mark, what)
        else:
            self._strangers.append((path, document))

    def _document(self, path: Path) -> Document | None:
        """Read a file, once."""
        where = path.resolve()
        if where not in self._documents:
            document = self._documents[where] = load_document(path, self._problems)
            if document is None:
                self._unreadable[where] = self._problems[str(path)].found[-1].message
        return self._documents[where]

    def _yaml_file(self, document: Document) -> YamlFile:
        return YamlFile(document, self._problems[document.file], self._settings, self)

    def part(self, path: Path) -> Part | None:
        """Give a file of steps to who uses it; see ``PartSource``."""
        path = _tidied(path)
        where = path.resolve()
        if where in self._using:
            circle = [*self._using.values()][[*self._using].index(where) :]
            raise PartError(f"this is a circle: {' uses '.join([*circle, str(path)])}")
        if not path.is_file():
            raise PartError(f"there is no file {str(path)!r}")
        document = self._steps_document(path)
        if len(self._using) == MAX_NESTED:
            raise PartError(TOO_DEEP)
        part = self._part_of(document)
        # One that was compiled before is not walked through again.
        if part is not None and len(self._using) + part.depth > MAX_NESTED:
            raise PartError(TOO_DEEP)
        return part

    def _steps_document(self, path: Path) -> Document:
        """Read what somebody takes for a file of steps.

        Raises:
            PartError: it is none.
        """
        document = self._document(path)
        if document is None:
            why = self._unreadable[path.resolve()]
            raise PartError(f"{str(path)!r} cannot be used: {why}")
        if not isinstance(document.root, Entries) or STEPS_KEY not in document.root.keys:
            raise PartError(
                f"{str(path)!r} is no file of steps; such a file begins with '{STEPS_KEY}: 1'"
            )
        return document

    def _part_of(self, document: Document) -> Part | None:
        """Compile a file of steps, once."""
        where = Path(document.file).resolve()
        if where not in self._parts:
            self._using[where] = document.file
            try:
                self._parts[where] = self._yaml_file(document).part()
            finally:
                del self._using[where]
        return self._parts[where]

    def _bot(self, file: YamlFile, path: Path) -> None:
        table = self._table(file, path)
        bot = file.bot(table)
        if file.agents_path is not None:
            self._agents_of_bot(file, file.agents_path)
        if bot is not None and not _has_errors(file.problems):
            self._bots.append((str(path), file.document.root.mark, bot))

    def _table(self, file: YamlFile, path: Path) -> Table | None:
        data = file.data
        if data is None:
            return None
        if data.file is None:
            return file.inline_table()
        mark = find(file.document.root, ("data", "file")).mark
        where = path.parent / data.file
        self._data_files.add(where.resolve())
        if not where.is_file():
            file.problems.add(mark, f"there is no file {str(where)!r}")
            return None
        table = load_table(where, self._problems)
        if table is None:
            file.problems.add(mark, f"{str(where)!r} has problems of its own")
        return table

    def _agents_of_bot(self, file: YamlFile, path: Path) -> None:
        mark = find(file.document.root, ("simulator", "agents")).mark
        if not path.is_file():
            file.problems.add(mark, f"there is no file {str(path)!r}")
            return
        self._file(path, named=True)
        wrong = self._problems.get(str(path))
        if wrong is not None and _has_errors(wrong):
            file.problems.add(mark, f"{str(path)!r} has problems of its own")


def _tidied(path: Path) -> Path:
    """Leave ``..`` out where that leads to the same file: all who use it shall call it alike."""
    if ".." not in path.parts:
        return path
    tidy = Path(os.path.normpath(path))
    return tidy if tidy.resolve() == path.resolve() else path


def _has_errors(problems: Problems) -> bool:
    return any(problem.severity is Severity.ERROR for problem in problems.found)


def files_below(directory: Path) -> Iterator[Path]:
    """Walk over the files that may be bots, sorted; hidden directories are left out."""
    found: list[Path] = []
    for folder, folders, files in os.walk(directory):
        folders[:] = [name for name in folders if not name.startswith((".", "__"))]
        found += (Path(folder, name) for name in files if name.endswith((*YAML_ENDINGS, ".py")))
    yield from sorted(found)
