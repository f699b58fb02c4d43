"""The reference of bots/README.md, made from the code.

``python tests/docs/reference.py`` writes it anew; ``test_reference.py`` holds it against the code.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, fields
from pathlib import Path

import click

from botkit.bot import models
from botkit.cli.entry import BUILT_IN
from botkit.cli.options import TABLE, Setting
from botkit.connectors import transports
from botkit.connectors.gms_rest import TIMES
from botkit.connectors.guest_options import GuestOptions
from botkit.genesys.gms_rest import RestNames
from botkit.genesys.gms_v2 import GmsNames
from botkit.monitor import models as monitoring
from botkit.simulator.faults import KINDS

README = Path(__file__).parents[2] / "bots" / "README.md"
BEGIN = "<!-- From here on made by tests/docs/reference.py -->\n"
END = "<!-- Up to here -->\n"

SHAPES: tuple[tuple[str, type[models.Model]], ...] = (
    ("A bot", models.BotModel),
    ("`connect`", models.ConnectModel),
    ("`connect.auth`", models.AuthModel),
    ("`limits`", models.LimitsModel),
    ("`data`", models.DataModel),
    ("`simulator`", models.SimulatorModel),
    ("A file of agents", models.AgentsModel),
    ("An item of `routing`", models.RuleModel),
    ("Its `when`", models.RequestModel),
    ("An agent with more than steps", models.AgentModel),
    ("A file of steps", models.StepsFileModel),
    ("A file of monitors", monitoring.MonitorsModel),
    ("A monitor", monitoring.MonitorModel),
    ("Its `retest`", monitoring.RetestModel),
    ("Its `slo`", monitoring.SloModel),
    ("`alerts`", monitoring.AlertsModel),
    ("Its `rules`, or those of a monitor", monitoring.RulesModel),
    ("An item of its `to`", monitoring.RouteModel),
    ("`heartbeat`", monitoring.HeartbeatModel),
    ("`caps`", monitoring.CapsModel),
    ("`business_hours`", monitoring.HoursModel),
    ("An item of `maintenance`", monitoring.WindowModel),
    ("`history`", monitoring.HistoryModel),
    ("Its `keep`", monitoring.RetentionModel),
    ("`page`", monitoring.PageModel),
    ("`probe`", monitoring.ProbeModel),
)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """Write a table of Markdown."""
    names = list(head)
    yield f"| {' | '.join(names)} |"
    yield "|" + "---|" * len(names)
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"


def sentence(text: str) -> str:
    """Take a text of a docstring for a cell."""
    words = " ".join(text.split()).replace("``", "`")
    return words[:1].lower() + words[1:].rstrip(".") if words[:2] != words[:2].upper() else words


# --- files ---------------------------------------------------------------------------------------


def keys() -> Iterator[str]:
    """Tell the keys of all files."""
    yield "### Keys"
    for title, model in SHAPES:
        yield f"\n{title}:\n"
        yield from table(("key", "is"), key_rows(model))


def key_rows(model: type[models.Model]) -> Iterator[tuple[str, str]]:
    for name, field in model.model_fields.items():
        what = field.description or f"see `{name}` below"
        needed = "; must be there" if field.is_required() else ""
        yield f"`{field.alias or name}`", f"{what.rstrip('.')}{needed}"


# --- connectors ----------------------------------------------------------------------------------


def connector_options() -> Iterator[str]:
    """Tell the options of all connectors."""
    yield "\n### Options of connectors\n"
    yield "`connect: {options: {NAME: VALUE}}` in a bot, `--option NAME=VALUE` for a command.\n"
    rows = [
        ("`gms-cometd`", "`transport`", "`long-polling`", "long-polling, websocket, or auto"),
        *names_of("gms-cometd", GmsNames),
        *names_of("gms-rest", RestNames),
        *(
            ("`gms-rest`", f"`{name}`", f"`{default:g}s`", REST_TIMES[name])
            for name, default in TIMES.items()
        ),
        *names_of("genesys-cloud", GuestOptions),
    ]
    assert transports.OPTION == "transport"
    assert transports.DEFAULT == "long-polling"
    yield from table(("connector", "option", "default", "is"), rows)


REST_TIMES = {
    "poll_shortest": "between two polls of a lively chat",
    "poll_longest": "between two polls of a quiet chat",
    "reply_within": "how long an answer may take",
    "idle_limit": "after which the server drops who does not poll",
}


def names_of(connector: str, options: type) -> Iterator[tuple[str, str, str, str]]:
    about = attributes_of(options)
    for field in fields(options):
        default = "" if field.default in (MISSING, "") else f"`{default_of(field.default)}`"
        yield f"`{connector}`", f"`{field.name}`", default, about[field.name]


def default_of(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def attributes_of(record: type) -> dict[str, str]:
    """Read what the docstring of a record says of each of its attributes."""
    text = inspect.cleandoc(record.__doc__ or "").partition("Attributes:\n")[2]
    found: dict[str, str] = {}
    for entry in re.split(r"\n(?=    \w)", "\n" + text.partition("\n\n")[0]):
        names, colon, about = entry.strip().partition(":")
        if colon:
            found |= {name.strip(): sentence(about) for name in names.split(",")}
    return found


# --- commands ------------------------------------------------------------------------------------


def commands() -> Iterator[str]:
    """Tell all commands, and all options with the commands that take them."""
    yield "\n### Commands\n"
    yield from table(
        ("command", "does"),
        ((f"`botkit {name}`", first_line(command_of(name))) for name in BUILT_IN),
    )
    yield "\n### Options of commands\n"
    yield (
        "An option `--ca-file` is the variable `BOTKIT_CA_FILE` and the key `ca-file` of"
        " `botkit.toml`, or of\n`[tool.botkit]` in `pyproject.toml`: the first that is given"
        " counts.\n"
    )
    yield from table(("option", "of", "does"), map(option_row, TABLE))


def command_of(name: str) -> click.Command:
    found = getattr(importlib.import_module(f"botkit.cli.{name}"), name)
    assert isinstance(found, click.Command)
    return found


def first_line(command: click.Command) -> str:
    return (command.help or "").partition("\n\n")[0].replace("\n", " ")


def takers(setting: Setting) -> list[str]:
    """Name the commands that take an option."""
    found = []
    for name in BUILT_IN:
        command = command_of(name)
        below = command.commands.values() if isinstance(command, click.Group) else [command]
        if any(p.name == setting.name and p.envvar for c in below for p in c.params):
            found.append(name)
    return found


def option_row(setting: Setting) -> tuple[str, str, str]:
    value = f" {setting.metavar}" if setting.metavar and not setting.argument else ""
    named = setting.metavar or "" if setting.argument else f"--{setting.key}{value}"
    also = "".join(f", `{spelling}`" for spelling in setting.also)
    default = "" if setting.default is None else f" (`{setting.default}`)"
    does = setting.help.rstrip(".") or f"which files; `{setting.variable}`"
    return f"`{named}`{also}", ", ".join(takers(setting)), f"{does}{default}"


# --- faults --------------------------------------------------------------------------------------


def faults() -> Iterator[str]:
    """Tell the faults of the simulator."""
    yield "\n### Faults of the simulator\n"
    yield "An item of a file of faults (`--faults FILE`) names one of them:\n"
    rows = (
        (
            f"`{name}`",
            ", ".join(wire.value if hasattr(wire, "value") else str(wire) for wire in kind.wires)
            or "all",
            " ".join(kind.about.split()),
        )
        for name, kind in KINDS.items()
    )
    yield from table(("fault", "wires", "does"), rows)


def reference() -> str:
    """Make the whole of it."""
    parts = (keys, connector_options, commands, faults)
    return "\n".join(line for part in parts for line in part()) + "\n"


def written() -> str:
    """Read what stands in the README."""
    return README.read_text(encoding="utf-8").partition(BEGIN)[2].partition(END)[0]


def write() -> None:
    """Put the reference into the README."""
    text = README.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    README.write_text(f"{before}{BEGIN}\n{reference()}\n{END}{rest.partition(END)[2]}", "utf-8")


if __name__ == "__main__":
    write()
