"""The settings file: ``botkit.toml``, or ``[tool.botkit]`` of ``pyproject.toml``.

The nearest one counts, from the current folder upwards. Its keys are the options of all commands.
Paths in it are relative to the folder that it stands in.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click

from botkit.cli.kinds import OutputFile, OutputFolder
from botkit.cli.options import SETTINGS, Setting
from botkit.errors import ConfigError

OWN_FILE = "botkit.toml"
SHARED_FILE = "pyproject.toml"
SECTION = "[tool.botkit]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a settings file says.

    Attributes:
        file: where it stands; None if there is none.
        values: by the name of the parameter, as click takes them for defaults.
    """

    file: Path | None = None
    values: Mapping[str, Any] = field(default_factory=dict)


def find_settings(folder: Path) -> Settings:
    """Read the nearest settings file.

    Args:
        folder: where to begin to look.

    Raises:
        ConfigError: with file and line.
    """
    for place in (folder, *folder.parents):
        for name in (OWN_FILE, SHARED_FILE):
            file = place / name
            table, text = _table_of(file)
            if table is not None:
                return Settings(file=file, values=_values(table, file=file, text=text))
    return Settings()


def _table_of(file: Path) -> tuple[dict[str, Any] | None, str]:
    try:
        text = file.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None, ""
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", file=_shown(file)) from error
    if file.name == SHARED_FILE and "botkit" not in text:
        return None, text
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        number = int(line.group(1)) if line else None
        raise ConfigError(f"this is no TOML: {error}", file=_shown(file), line=number) from error
    if file.name == OWN_FILE:
        return document, text
    tools = document.get("tool", {})
    table = tools.get("botkit") if isinstance(tools, dict) else None
    if table is not None and not isinstance(table, dict):
        raise ConfigError("tool.botkit must be a table", file=_shown(file))
    return table, text


def _values(table: Mapping[str, Any], *, file: Path, text: str) -> dict[str, Any]:
    values = {}
    for key, raw in table.items():
        setting = SETTINGS.get(key.replace("_", "-"))
        if setting is None:
            message = f"there is no setting {key!r}{_did_you_mean(key)}"
            raise _wrong(message, key, file, text)
        try:
            values[setting.name] = _value(setting, raw, file.parent)
        except (ValueError, click.BadParameter) as error:
            message = error.message if isinstance(error, click.BadParameter) else str(error)
            raise _wrong(f"{key}: {message}", key, file, text) from error
    return values


def _wrong(message: str, key: str, file: Path, text: str) -> ConfigError:
    line = _line_of(key, text, file.name)
    return ConfigError(message, file=_shown(file), line=line, key=key)


def _value(setting: Setting, raw: Any, folder: Path) -> Any:
    """Make what click takes for a default, after trying that it will do."""
    if setting.flag:
        return _typed(raw, bool, "true or false")
    items = [_item(setting, item, folder) for item in _items(setting, raw)]
    for item in items:
        setting.kind.convert(item, None, None)
    return items if setting.many else items[0]


def _items(setting: Setting, raw: Any) -> list[Any]:
    if not setting.many:
        return [raw]
    separator = getattr(setting.kind, "separator", None)
    if separator is not None and isinstance(raw, dict):
        return [f"{name}{separator}{_scalar(value)}" for name, value in raw.items()]
    wanted = "a list of texts" if separator is None else "a table, or a list of texts"
    return [_typed(item, str, wanted) for item in _typed(raw, list, wanted)]


def _item(setting: Setting, raw: Any, folder: Path) -> Any:
    if isinstance(setting.kind, click.IntRange):
        return _typed(raw, int, "a whole number")
    text = _typed(raw, str, "a text")
    if not isinstance(setting.kind, click.Path | OutputFile | OutputFolder) or text in {"", "-"}:
        return text
    return os.path.relpath(folder / text)


def _typed(raw: Any, kind: type, wanted: str) -> Any:
    if not isinstance(raw, kind) or (kind is int and isinstance(raw, bool)):
        raise ValueError(f"it must be {wanted}")
    return raw


def _scalar(raw: Any) -> str:
    if isinstance(raw, bool):
        return "true" if raw else "false"
    if not isinstance(raw, str | int | float):
        raise ValueError("the values must be texts or numbers")
    return str(raw)


def _did_you_mean(key: str) -> str:
    close = difflib.get_close_matches(key.replace("_", "-"), SETTINGS, n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _line_of(key: str, text: str, file_name: str) -> int | None:
    """Find the line that a key stands on: tomllib does not tell.

    It looks where keys are usually written, and tells nothing rather than something wrong.
    """
    inside = file_name == OWN_FILE
    spelled = re.compile(
        rf"""\s*(?:\[(?:tool\.botkit\.)?)?(["']?){re.escape(key)}\1\s*(?:[.=\]]|$)"""
    )
    for number, line in enumerate(text.splitlines(), 1):
        header = line.strip().startswith("[")
        if header and file_name != OWN_FILE:
            inside = line.strip().startswith(("[tool.botkit]", f"[tool.botkit.{key}]"))
        if inside and spelled.match(line):
            return number
    return None


def _shown(file: Path) -> str:
    return os.path.relpath(file)
