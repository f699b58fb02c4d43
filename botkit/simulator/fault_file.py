"""Reading faults from a file, and from what is posted to a running simulator.

.. code-block:: yaml

    seed: 7                     # optional: probabilities repeat with it
    faults:
      - {name: http_500, on: connect, times: 2, after: 3}
      - {name: delay_message, time: 500ms, probability: 0.1, service: support}

A bare list of faults does as well, and so does JSON, which is YAML.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from botkit.bot.diagnostics import Mark, Problems, did_you_mean
from botkit.bot.fields import parse_time
from botkit.bot.source import (
    Entries,
    Items,
    Node,
    Scalar,
    SourceError,
    parse_yaml,
    read_text,
    split_lines,
)
from botkit.errors import ConfigError
from botkit.simulator.faults import KINDS, ON, Fault, make_fault

__all__ = ["FaultFile", "load_faults", "parse_faults"]


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultFile:
    """What a file says; ``seed`` is None if it says nothing about it."""

    faults: tuple[Fault, ...] = ()
    seed: int | None = None


def load_faults(path: Path) -> FaultFile:
    """Read a file.

    Raises:
        ConfigError: it cannot be read or says what makes no sense; with line and column.
    """
    try:
        text = read_text(path)
    except SourceError as error:
        raise ConfigError(error.message, file=str(path)) from error
    return parse_faults(text, file=str(path))


def parse_faults(text: str, *, file: str) -> FaultFile:
    """Read a text.

    Args:
        file: how errors call it.

    Raises:
        ConfigError: it makes no sense; with line and column.
    """
    problems = Problems(file, split_lines(text))
    read = FaultFile()
    try:
        root = parse_yaml(text, problems)
        if root is not None:
            read = _file(root, problems)
    except SourceError as error:
        problems.add(error.mark, error.message, hint=error.hint)
    if problems.found:
        first, *others = problems.sorted()
        mark = first.mark or Mark()
        message = "\n".join([first.text, *map(str, others)])
        raise ConfigError(message, file=file, line=mark.line, column=mark.column)
    return read


def _file(root: Node, problems: Problems) -> FaultFile:
    seed = None
    if isinstance(root, Entries):
        for name, key in root.keys.items():
            if name not in ("faults", "seed"):
                problems.add(key.mark, f"there is no key {name!r}; there are faults and seed")
        if "seed" in root.values:
            seed = _checked(root.values["seed"], _whole, problems)
        listed = root.values.get("faults", Items(mark=root.mark))
    else:
        listed = root
    if not isinstance(listed, Items):
        problems.add(listed.mark, "faults are a list, one '- {name: ...}' each")
        return FaultFile(seed=seed)
    faults = (_fault(item, problems) for item in listed.items)
    return FaultFile(seed=seed, faults=tuple(fault for fault in faults if fault is not None))


def _fault(node: Node, problems: Problems) -> Fault | None:
    if isinstance(node, Scalar):
        name_node: Node | None = node
        settings: Mapping[str, Node] = {}
    elif isinstance(node, Entries):
        name_node, settings = node.values.get("name"), node.values
    else:
        name_node, settings = None, {}
    if not isinstance(name_node, Scalar):
        problems.add(node.mark, "a fault is a mapping with at least a name")
        return None
    name = name_node.text
    if name not in KINDS:
        hint = did_you_mean(name, KINDS) or f"there are {', '.join(KINDS)}"
        problems.add(name_node.mark, f"there is no fault {name!r}", hint=hint)
        return None
    read: dict[str, Any] = {}
    for key, value in settings.items():
        if key == "name":
            continue
        if key not in SETTINGS:
            assert isinstance(node, Entries)
            hint = did_you_mean(key, SETTINGS)
            problems.add(node.keys[key].mark, f"a fault has no setting {key!r}", hint=hint)
            continue
        checked = _checked(value, SETTINGS[key], problems)
        if checked is not None:
            read["seconds" if key == "time" else key] = checked
    _check_words(name, settings, problems)
    return make_fault(name, **read)


def _check_words(name: str, settings: Mapping[str, Node], problems: Problems) -> None:
    """Check what depends on the kind of fault: ``on``, ``option`` and ``time``."""
    kind = KINDS[name]
    on, option, time = (settings.get(key) for key in ("on", "option", "time"))
    words = kind.only_on or ON[kind.point]
    if isinstance(on, Scalar) and on.text not in words:
        hint = did_you_mean(on.text, words) or f"it may be {', '.join(words)}"
        problems.add(on.mark, f"{name} cannot strike on {on.text!r}", hint=hint)
    if isinstance(option, Scalar) and option.text not in kind.options:
        may = f"it may be {', '.join(kind.options)}" if kind.options else "it takes none"
        problems.add(option.mark, f"{name} has no option {option.text!r}", hint=may)
    if time is not None and kind.seconds is None:
        problems.add(time.mark, f"{name} takes no time")


# --- settings ------------------------------------------------------------------------------------


def _checked(node: Node, read: Callable[[str], Any], problems: Problems) -> Any:
    if not isinstance(node, Scalar):
        problems.add(node.mark, "this takes one value, not a list or a mapping")
        return None
    try:
        return read(node.text)
    except ValueError as error:
        problems.add(node.mark, str(error))
        return None


def _text(text: str) -> str:
    if not text:
        raise ValueError("this must not be empty")
    return text


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise ValueError(f"{text!r} is no whole number")
    return int(text)


def _counted(text: str) -> int:
    if (number := _whole(text)) == 0:
        raise ValueError("this counts from 1")
    return number


def _probability(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if not 0.0 <= number <= 1.0:
        raise ValueError(f"{text!r} is no probability; that is a number from 0 to 1")
    return number


def _flag(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError(f"{text!r} is neither true nor false")
    return text == "true"


def _time(text: str) -> float:
    if (seconds := parse_time(text)) <= 0:
        raise ValueError("this time must be longer than nothing")
    return seconds


SETTINGS: Mapping[str, Callable[[str], Any]] = MappingProxyType(
    {
        "on": _text,
        "service": _text,
        "session": _counted,
        "after": _whole,
        "times": _counted,
        "probability": _probability,
        "each_session": _flag,
        "time": _time,
        "option": _text,
    }
)
