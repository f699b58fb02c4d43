"""``--format nagios``: exit codes that a monitoring understands, whatever happens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

__all__ = ["NAGIOS", "is_check"]

NAGIOS = "nagios"
FLAGS = ("--format", "--run-format")
VARIABLE = "BOTKIT_RUN_FORMAT"
KEY = "run_format"
TELLING = {"run", "report"}
"""The commands that have such a format."""


def is_check(arguments: Sequence[str], environ: Mapping[str, str]) -> bool:
    """Tell whether a command is a check, though it may have been too wrong to be understood."""
    if not TELLING.intersection(arguments[:1]):
        return False
    for flag, value in zip(arguments, [*arguments[1:], ""], strict=True):
        name, found, behind = flag.partition("=")
        if name in FLAGS:
            return (behind if found else value) == NAGIOS
    return environ.get(VARIABLE, _settled()) == NAGIOS


def _settled() -> str:
    """What the settings file says; one that is broken says nothing."""
    from botkit.cli.settings import find_settings
    from botkit.errors import BotkitError

    try:
        return str(find_settings(Path.cwd()).values.get(KEY, ""))
    except BotkitError:
        return ""
