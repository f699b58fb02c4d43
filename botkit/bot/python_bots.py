"""Bots written in Python: a class marked with ``@botkit.bot``, a fresh instance per journey.

A file is read before it is run: one that marks no class is never run by a search for bots. What a
file raises while it is run becomes a problem with its line, never a traceback.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, TypeVar, overload

from botkit.bot.diagnostics import Mark, Problems, did_you_mean
from botkit.bot.source import SourceError, read_text, split_lines
from botkit.chat import EVENT_NAMES
from botkit.errors import FOREIGN, ConfigError
from botkit.interfaces import ConnectOptions, JourneyPlan, Limits

T = TypeVar("T", bound=type)
ATTRIBUTE = "__botkit_bot__"
HOOK_MARK = "botkit_impl"
"""What ``botkit.hookimpl`` leaves on a function."""
HOOKS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **{f"on_{name}": ("journey", "session", "event") for name in EVENT_NAMES},
        "on_journey_started": ("journey", "session"),
        "on_step_finished": ("journey", "session", "step"),
        "on_journey_finished": ("journey", "result"),
    }
)
"""The hooks of a bot, each with its arguments: a method takes any of them, by name."""
NO_CONNECT = ConnectOptions()
NO_LIMITS = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class BotMark:
    """What the decorator was told."""

    name: str
    title: str
    tags: tuple[str, ...]
    connect: ConnectOptions
    data: tuple[Mapping[str, str], ...]
    limits: Limits


@overload
def bot(marked: T, /) -> T: ...


@overload
def bot(
    *,
    name: str | None = None,
    title: str = "",
    tags: Iterable[str] = (),
    connect: ConnectOptions = NO_CONNECT,
    data: Iterable[Mapping[str, str]] = (),
    limits: Limits = NO_LIMITS,
) -> Callable[[T], T]: ...


def bot(
    marked: T | None = None,
    /,
    *,
    name: str | None = None,
    title: str = "",
    tags: Iterable[str] = (),
    connect: ConnectOptions = NO_CONNECT,
    data: Iterable[Mapping[str, str]] = (),
    limits: Limits = NO_LIMITS,
) -> T | Callable[[T], T]:
    """Mark a class as a bot, bare or with arguments.

    The class has ``async def run(self, session)``, or hooks marked with ``botkit.hookimpl``, or
    both. It is made without arguments, or with ``row`` if its constructor takes that.

    Args:
        name: None takes the name of the class.
        title: what the bot proves.
        tags: to select it by.
        connect: how its session is opened.
        data: rows of texts; the bot is played once for each.
        limits: times that bound its chat.

    Raises:
        ConfigError: what is marked is no class, or ``connect`` or ``limits`` is of another type.
    """
    _insist("connect", connect, ConnectOptions)
    _insist("limits", limits, Limits)

    def mark(cls: T) -> T:
        if not isinstance(cls, type):
            raise ConfigError(f"@botkit.bot marks a class, not {cls!r}")
        rows = tuple(MappingProxyType({k: str(v) for k, v in row.items()}) for row in data)
        told = BotMark(
            name=name or cls.__name__,
            title=title or _first_line(cls),
            tags=(tags,) if isinstance(tags, str) else tuple(tags),
            connect=connect,
            data=rows,
            limits=limits,
        )
        setattr(cls, ATTRIBUTE, told)
        return cls

    return mark if marked is None else mark(marked)


def _insist(name: str, given: object, kind: type) -> None:
    """Refuse what would only break later, in the middle of a run."""
    if not isinstance(given, kind):
        raise ConfigError(
            f"@botkit.bot takes {name}= as botkit.interfaces.{kind.__name__}(...), not {given!r}"
        )


def _first_line(cls: type) -> str:
    return (cls.__doc__ or "").strip().partition("\n")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class PythonBot:
    """A marked class, as the runtime sees it."""

    marked: type
    told: BotMark
    file: str
    line: int = 1
    takes_row: bool = field(default=False)

    @property
    def name(self) -> str:
        """The bot's name."""
        return self.told.name

    @property
    def tags(self) -> tuple[str, ...]:
        """What it may be selected by."""
        return self.told.tags

    def plans(self) -> Sequence[JourneyPlan]:
        """Give the journeys to play: one, or one for each row."""
        if not self.told.data:
            return [self._plan(self.name, MappingProxyType({}))]
        return [
            self._plan(f"{self.name}[{number}]", row)
            for number, row in enumerate(self.told.data, 1)
        ]

    def _plan(self, name: str, row: Mapping[str, str]) -> JourneyPlan:
        told = self.told
        return JourneyPlan(
            bot=self.name,
            name=name,
            title=told.title,
            file=self.file,
            line=self.line,
            tags=told.tags,
            row=row,
            connect=told.connect,
            limits=told.limits,
            new_script=lambda: self.marked(row=row) if self.takes_row else self.marked(),
        )


# --- loading -------------------------------------------------------------------------------------


def marks_a_bot(path: Path) -> bool:
    """Tell whether a file seems to mark a class, without running it.

    A file that cannot be read or parsed counts as one if it speaks of the decorator at all, so that
    its problem is told.
    """
    try:
        text = read_text(path)
    except SourceError:
        return False
    if "botkit" not in text or "bot" not in text.replace("botkit", ""):
        return False
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "botkit.bot" in text
    return any(_is_mark(mark) for node in ast.walk(tree) for mark in _decorators(node))


def _decorators(node: ast.AST) -> list[ast.expr]:
    return node.decorator_list if isinstance(node, ast.ClassDef) else []


def _is_mark(decorator: ast.expr) -> bool:
    target = decorator.func if isinstance(decorator, ast.Call) else decorator
    name = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
    return name == "bot"


def load(path: Path, problems: Problems) -> list[PythonBot]:
    """Run a file and collect the classes that it marks."""
    try:
        text = read_text(path)
    except SourceError as error:
        problems.add(error.mark, error.message, hint=error.hint)
        return []
    problems.show(split_lines(text))
    module = _run(path, text, problems)
    if module is None:
        return []
    marked = [
        thing
        for thing in vars(module).values()
        if isinstance(thing, type)
        and thing.__module__ == module.__name__
        and ATTRIBUTE in vars(thing)
    ]
    if not marked:
        problems.add(Mark(), "no class is marked with '@botkit.bot' here")
    lines = _lines_of_classes(text)
    bots = [_bot_of(cls, str(path), lines.get(cls.__qualname__, 1), problems) for cls in marked]
    return [found for found in bots if found is not None]


def _run(path: Path, text: str, problems: Problems) -> ModuleType | None:
    try:
        code = compile(text, str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        mark = Mark(error.lineno or 1, max(error.offset or 1, 1))
        problems.add(mark, f"this is no Python: {error.msg}")
        return None
    except (ValueError, RecursionError, MemoryError) as error:
        problems.add(Mark(), f"this is no Python: {type(error).__name__}: {error}")
        return None
    # A name of its own for each file: two files of the same name do not meet.
    digest = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:12]
    spec = importlib.util.spec_from_loader(f"botkit_bot_{path.stem}_{digest}", loader=None)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    try:
        exec(code, vars(module))
    # The boundary to the authors of bots: whatever their file raises is told with its line.
    except FOREIGN as error:
        del sys.modules[module.__name__]
        problems.add(problems.begin_of(_line_in(error, str(path))), _told(error))
        return None
    return module


def _told(error: BaseException) -> str:
    if isinstance(error, SystemExit):
        return "the file ended the program while it was loaded"
    return f"{type(error).__name__} while the file was loaded: {error}"


def _line_in(error: BaseException, file: str) -> int:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == file and frame.lineno]
    return lines[-1] if lines else 1


def _lines_of_classes(text: str) -> dict[str, int]:
    """Give the line of each class at the top of a file."""
    return {
        node.name: node.lineno for node in ast.parse(text).body if isinstance(node, ast.ClassDef)
    }


def _bot_of(cls: type, file: str, line: int, problems: Problems) -> PythonBot | None:
    told: BotMark = getattr(cls, ATTRIBUTE)
    before = len(problems.found)
    hooks = [_check_hook(cls, name, line, problems) for name in dir(cls)]
    run = getattr(cls, "run", None)
    if run is None and not any(hooks):
        problems.add(
            Mark(line, 1),
            f"the bot {told.name!r} has neither 'async def run(self, session)' nor hooks",
        )
    elif run is not None and not inspect.iscoroutinefunction(run):
        problems.add(
            problems.begin_of(_line_of(run, line)),
            "'run' must be written 'async def run(self, session)'",
        )
    takes_row = _check_constructor(cls, line, problems)
    if len({frozenset(row) for row in told.data}) > 1:
        problems.add(Mark(line, 1), "the rows of its data do not all have the same columns")
    if len(problems.found) > before:
        return None
    return PythonBot(marked=cls, told=told, file=file, line=line, takes_row=takes_row)


def _check_hook(cls: type, name: str, line: int, problems: Problems) -> bool:
    """Check what may be a hook; tells whether it is one."""
    function = inspect.getattr_static(cls, name)
    marked = getattr(function, HOOK_MARK, None) is not None
    if not (marked or name.startswith("on_")) or not callable(function):
        return False
    hook = _hook_name(function, name)
    mark = problems.begin_of(_line_of(function, line))
    if hook not in HOOKS:
        hint = did_you_mean(hook, HOOKS)
        problems.add(mark, f"there is no hook {hook!r}", hint=hint)
    elif not marked:
        message = f"{name!r} is not marked with '@botkit.hookimpl', so it would never be called"
        problems.add(mark, message)
    else:
        _check_arguments(function, hook, mark, problems)
    return True


def _check_arguments(function: Any, hook: str, mark: Mark, problems: Problems) -> None:
    """Check that a hook asks for nothing but what it is given."""
    bound = not isinstance(function, staticmethod)
    parameters = list(
        inspect.signature(getattr(function, "__func__", function)).parameters.values()
    )
    for parameter in parameters[1:] if bound else parameters:
        named = parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY)
        known = named and parameter.name in HOOKS[hook]
        if not known and (not named or parameter.default is parameter.empty):
            shown = parameter.replace(annotation=parameter.empty)
            offered = f"it offers {', '.join(HOOKS[hook])}"
            hint = did_you_mean(parameter.name, HOOKS[hook])
            problems.add(mark, f"{hook!r} has no argument {shown}; {offered}", hint=hint)


def _hook_name(function: Any, name: str) -> str:
    options = getattr(function, HOOK_MARK, None)
    given = options.get("specname") if isinstance(options, dict) else None
    return str(given or name)


def _check_constructor(cls: type, line: int, problems: Problems) -> bool:
    """Check that an instance can be made; tells whether it takes its row."""
    try:
        parameters = inspect.signature(cls).parameters.values()
    except (TypeError, ValueError):
        return False
    needed = [
        p.name
        for p in parameters
        if p.default is p.empty
        and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)
        and p.name != "row"
    ]
    if needed:
        message = (
            f"a bot is made without arguments (or with 'row'), and this one needs {needed[0]!r}"
        )
        problems.add(Mark(line, 1), message)
    return any(p.name == "row" for p in parameters)


def _line_of(function: Any, fallback: int) -> int:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code.co_firstlineno if code is not None else fallback
