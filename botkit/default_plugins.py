"""What botkit itself brings, registered as any plugin would.

Loaded by name, imported by nobody. What a thing needs is imported when it is made.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from botkit.hookspecs import Register, hookimpl
from botkit.interfaces import Connector, Matcher, Reporter


@hookimpl
def register_connectors(register: Register[Callable[[], Connector]]) -> None:
    register("gms-cometd", gms_cometd)
    register("simulator", simulator)


@hookimpl
def register_matchers(register: Register[Callable[[Any], Matcher]]) -> None:
    from botkit.bot.matchers import BUILT_IN_MATCHERS

    for name, factory in BUILT_IN_MATCHERS.items():
        register(name, factory)


@hookimpl
def register_reporters(register: Register[Callable[..., Reporter]]) -> None:
    register("json", json_file)
    register("junit", junit_file)


def gms_cometd() -> Connector:
    """GMS Chat API v2 over CometD."""
    from botkit.connectors.gms_cometd import GmsCometd

    return GmsCometd()


def simulator() -> Connector:
    """The same, against a simulator in this process."""
    from botkit.embedded import EmbeddedSimulator

    return EmbeddedSimulator()


def json_file(path: Path) -> Reporter:
    """A JSON document of the whole run."""
    from botkit.report.json_document import JsonReporter

    return JsonReporter(path)


def junit_file(path: Path) -> Reporter:
    """A JUnit file of the whole run."""
    from botkit.report.junit import JUnitReporter

    return JUnitReporter(path)
