"""What the value of an option may be; one object serves flags, environment and settings files."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

if TYPE_CHECKING:
    Kind = click.ParamType[Any]
else:
    # It takes a parameter since click 8.4 only.
    Kind = click.ParamType


class Text(Kind):
    """A text that says something.

    An empty one is most often a variable that nobody set, and must not quietly mean "not given":
    a server that was forgotten would leave botkit testing its own simulator.
    """

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        if not isinstance(value, str):
            self.fail(f"{value!r} is not a text", param, ctx)
        if not value.strip():
            self.fail("it is empty; is a variable unset?", param, ctx)
        return value


class Pair(Kind):
    """A name with a value.

    Args:
        separator: what stands between them.
    """

    name = "pair"
    envvar_list_splitter = "\n"

    def __init__(self, separator: str = "=") -> None:
        self.separator = separator

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        name, found, rest = str(value).partition(self.separator)
        if not found or not name.strip():
            # The value is not repeated: it may be a password on its way into a log.
            self.fail(f"it must be NAME{self.separator}VALUE", param, ctx)
        return name.strip(), rest.lstrip() if self.separator == ":" else rest


class OutputFile(Kind):
    """A file that can be written when the run is over: its folder is looked at now.

    Args:
        dash: ``-`` is allowed, for standard output.
    """

    name = "file"

    def __init__(self, *, dash: bool = False) -> None:
        self.dash = dash

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        path = Path(value)
        if self.dash and str(value) == "-":
            return path
        if not str(value).strip():
            self.fail("it is empty; is a variable unset?", param, ctx)
        if path.is_dir():
            self.fail(f"{path} is a folder", param, ctx)
        if not path.parent.is_dir():
            self.fail(f"there is no folder {path.parent}", param, ctx)
        if not os.access(path if path.exists() else path.parent, os.W_OK):
            self.fail(f"{path} cannot be written", param, ctx)
        return path


class Credentials(Kind):
    """``USER:PASSWORD``; what was given is never repeated."""

    name = "credentials"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        if isinstance(value, tuple):
            return value
        user, found, password = str(value).partition(":")
        if not found or not user:
            self.fail("it must be USER:PASSWORD", param, ctx)
        return user, password


class Receiver(Kind):
    """The URL of a server that takes spans; it holds nothing that must not be shown."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value).strip()
        if not text:
            self.fail("it is empty; is a variable unset?", param, ctx)
        try:
            parts = urlsplit(text)
            fits = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
        except ValueError:
            fits = False
        if not fits:
            # What was given is not repeated: it may be a password on its way into a log.
            self.fail("it must be the URL of a receiver, such as http://127.0.0.1:4318", param, ctx)
        if parts.username is not None or parts.query:
            self.fail("user, password and keys go into OTEL_EXPORTER_OTLP_HEADERS", param, ctx)
        return text
