"""What botkit itself brings, registered as any plugin would.

Loaded by name, imported by nobody. What a thing needs is imported when it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from botkit.errors import ConfigError
from botkit.hookspecs import Register, hookimpl
from botkit.interfaces import (
    Action,
    ActionContext,
    AlertSink,
    Connector,
    Matcher,
    Reporter,
    StateStorage,
)


@hookimpl
def register_connectors(register: Register[Callable[[], Connector]]) -> None:
    register("genesys-cloud", genesys_cloud)
    register("gms-cometd", gms_cometd)
    register("gms-rest", gms_rest)
    register("simulator", simulator)


@hookimpl
def register_matchers(register: Register[Callable[[Any], Matcher]]) -> None:
    from botkit.bot.matchers import BUILT_IN_MATCHERS

    for name, factory in BUILT_IN_MATCHERS.items():
        register(name, factory)


@hookimpl
def register_actions(register: Register[Action]) -> None:
    register("persona", persona)


@hookimpl
def register_reporters(register: Register[Callable[..., Reporter]]) -> None:
    register("json", json_file)
    register("junit", junit_file)


@hookimpl
def register_alert_sinks(register: Register[Callable[..., AlertSink]]) -> None:
    register("command", command_sink)
    register("email", mail_sink)
    register("pagerduty", pagerduty_sink)
    register("slack", slack_sink)
    register("webhook", webhook_sink)


@hookimpl
def register_state_storages(register: Register[Callable[..., StateStorage]]) -> None:
    register("memory", memory_storage)
    register("file", file_storage)
    register("sqlite", sqlite_storage)


def genesys_cloud() -> Connector:
    """The guest API of Genesys Cloud web messaging."""
    from botkit.connectors.genesys_cloud import GenesysCloud

    return GenesysCloud()


def gms_cometd() -> Connector:
    """GMS Chat API v2 over CometD."""
    from botkit.connectors.gms_cometd import GmsCometd

    return GmsCometd()


def gms_rest() -> Connector:
    """GMS Chat API v2 over REST."""
    from botkit.connectors.gms_rest import GmsRest

    return GmsRest()


def simulator() -> Connector:
    """The same, against a simulator in this process."""
    from botkit.embedded import EmbeddedSimulator

    return EmbeddedSimulator()


async def persona(context: ActionContext, /, **arguments: str) -> str:
    """A customer whose lines are written by a language model."""
    from botkit.persona.action import Persona

    return await Persona()(context, **arguments)


def json_file(path: Path) -> Reporter:
    """A JSON document of the whole run."""
    from botkit.report.json_document import JsonReporter

    return JsonReporter(path)


def junit_file(path: Path) -> Reporter:
    """A JUnit file of the whole run."""
    from botkit.report.junit import JUnitReporter

    return JUnitReporter(path)


def command_sink(run: Sequence[str], within: str = "20s") -> AlertSink:
    """A program of the user's own."""
    from botkit.bot.fields import parse_time
    from botkit.monitor.alerts.sinks.command import Command

    try:
        limit = parse_time(within)
    except ValueError as error:
        raise ConfigError(str(error), key="within") from error
    return Command(run=[run] if isinstance(run, str) else run, within=limit)


def mail_sink(
    host: str,
    to: Sequence[str],
    sender: str,
    port: str | int | None = None,
    security: str = "starttls",
    username: str | None = None,
    password: str | None = None,
    ca_file: str | None = None,
) -> AlertSink:
    """Mail."""
    from botkit.monitor.alerts.sinks.mail import Mail
    from botkit.session import utc_now

    # Files say it as text.
    if isinstance(port, str) and not port.isdecimal():
        raise ConfigError(f"{port!r} is no port", key="port")
    number = None if port is None else int(port)
    return Mail(
        host=host,
        to=[to] if isinstance(to, str) else to,
        sender=sender,
        now=utc_now,
        port=number,
        security=security,
        username=username,
        password=password,
        ca_file=ca_file,
    )


def pagerduty_sink(routing_key: str, url: str | None = None, page: str = "") -> AlertSink:
    """Whoever is on call, by PagerDuty."""
    from botkit.monitor.alerts.sinks.pagerduty import URL, PagerDuty

    return PagerDuty(routing_key=routing_key, url=URL if url is None else url, page=page)


def slack_sink(url: str, channel: str | None = None) -> AlertSink:
    """A room of Slack, or of what takes the same."""
    from botkit.monitor.alerts.sinks.slack import Slack

    return Slack(url=url, channel=channel)


def webhook_sink(
    url: str,
    format: str = "alertmanager",
    secret: str | None = None,
    headers: Mapping[str, str] | None = None,
    page: str = "",
) -> AlertSink:
    """Any server, in one of two forms."""
    from botkit.monitor.alerts.sinks.webhook import AlertmanagerWebhook, CloudEventsWebhook
    from botkit.session import utc_now

    if format == "cloudevents":
        return CloudEventsWebhook(url=url, now=utc_now, secret=secret, headers=headers)
    return AlertmanagerWebhook(url=url, now=utc_now, secret=secret, headers=headers, page=page)


def memory_storage(server: str | None = None, service: str = "") -> StateStorage:
    """The memory of this process."""
    from botkit.storage import MemoryStorage

    return MemoryStorage(server, service)


def file_storage(path: Path) -> StateStorage:
    """A file for each chat."""
    from botkit.storage import FileStorage

    return FileStorage(path)


def sqlite_storage(path: Path, name: str = "default") -> StateStorage:
    """A database for many chats."""
    from botkit.storage import SQLiteStorage

    return SQLiteStorage(path, name)
