"""The options of all commands, in one table: flag, environment variable and key of the settings.

An option ``ca-file`` is the flag ``--ca-file``, the variable ``BOTKIT_CA_FILE`` and the key
``ca-file`` of the settings file, in this order of precedence. Options that may be given several
times are lists there, or tables for pairs; their variables hold one item a line (tags and paths:
separated as the system separates them, by blanks and colons).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import click

from botkit.cli.kinds import Credentials, OutputFile, Pair, Receiver, Text

F = TypeVar("F", bound=Callable[..., Any])

FOLDERS_OR_FILES: click.Path = click.Path(path_type=Path)
FILE = click.Path(path_type=Path, exists=True, dir_okay=False, readable=True)
FOLDER = click.Path(path_type=Path, exists=True, file_okay=False, readable=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One option.

    Attributes:
        key: its name in settings files and, behind two dashes, on the command line.
        kind: what its value may be.
        help: one sentence.
        many: it may be given several times.
        flag: it is given or not, without a value.
        default: in words or as a value, shown in the help.
        metavar: what the help calls the value.
        also: further spellings on the command line.
        argument: it is no option but what stands without a flag.
    """

    key: str
    kind: click.ParamType[Any] = field(default_factory=Text)
    help: str = ""
    many: bool = False
    flag: bool = False
    default: Any = None
    metavar: str | None = None
    also: tuple[str, ...] = ()
    argument: bool = False

    @property
    def name(self) -> str:
        """The name of the parameter in Python."""
        return self.key.replace("-", "_")

    @property
    def variable(self) -> str:
        """The environment variable."""
        return f"BOTKIT_{self.name.upper()}"

    def decorate(self, function: F) -> F:
        """Add the option to a command."""
        if self.argument:
            return click.argument(
                self.name,
                nargs=-1,
                type=self.kind,
                envvar=self.variable,
                metavar=self.metavar,
            )(function)
        extra: dict[str, Any] = {"is_flag": True} if self.flag else {"type": self.kind}
        if self.metavar:
            extra["metavar"] = self.metavar
        if self.default is not None:
            extra |= {"default": self.default, "show_default": True}
        return click.option(
            f"--{self.key}",
            *self.also,
            self.name,
            help=self.help,
            multiple=self.many,
            envvar=self.variable,
            show_envvar=True,
            **extra,
        )(function)


TABLE = (
    Setting(
        key="paths",
        kind=FOLDERS_OR_FILES,
        many=True,
        metavar="[PATHS]...",
        argument=True,
    ),
    Setting(
        key="plugins",
        kind=FOLDER,
        many=True,
        metavar="DIR",
        help="Load the plugins of a folder (repeatable).",
    ),
    # --- run: the chat
    Setting(key="server", metavar="URL", help="The chat server; without one, the simulator."),
    Setting(key="connector", metavar="NAME", help="The wire; by default the URL decides."),
    Setting(key="service", metavar="NAME", help="The service's name at the server."),
    Setting(key="nickname", metavar="NAME", help="The customer's name."),
    Setting(
        key="option",
        kind=Pair(),
        many=True,
        metavar="K=V",
        help="An option of the connector, such as channel (repeatable).",
    ),
    Setting(
        key="var",
        kind=Pair(),
        many=True,
        metavar="K=V",
        help="What ${env.K} of bots stands for, whatever the environment says (repeatable).",
    ),
    Setting(key="agents", kind=FILE, metavar="FILE", help="Agent scripts of the simulator."),
    Setting(key="faults", kind=FILE, metavar="FILE", help="Faults of the simulator."),
    Setting(
        key="seed",
        kind=click.IntRange(min=0),
        metavar="N",
        help="The seed of the simulator's chance; wins over the one in the file of faults.",
    ),
    # --- chat, convert, new
    Setting(
        key="userdata",
        kind=Pair(),
        many=True,
        metavar="K=V",
        help="User data to ask for the chat with (repeatable).",
    ),
    Setting(
        key="record", kind=OutputFile(), metavar="FILE", help="Write a bot that does the same."
    ),
    Setting(key="journey", metavar="NAME", help="Which journey, if there are several."),
    Setting(
        key="output",
        kind=OutputFile(),
        metavar="FILE",
        also=("-o",),
        help="Where to write; by default to standard output.",
    ),
    Setting(
        key="dir", kind=FOLDER, metavar="DIR", help="The folder to write into; by default this one."
    ),
    Setting(key="force", flag=True, kind=click.BOOL, help="Overwrite a file that is there."),
    # --- run: the network
    Setting(key="insecure", flag=True, kind=click.BOOL, help="Do not check TLS certificates."),
    Setting(
        key="ca-file", kind=FILE, metavar="FILE", help="Trust these certificates instead (PEM)."
    ),
    Setting(
        key="client-cert",
        kind=FILE,
        metavar="FILE",
        help="A client certificate with its key (PEM).",
    ),
    Setting(key="proxy", metavar="URL", help="A proxy; by default HTTPS_PROXY and the like."),
    Setting(
        key="header",
        kind=Pair(":"),
        many=True,
        metavar="'NAME: VALUE'",
        help="A header of every request (repeatable).",
    ),
    Setting(
        key="auth", kind=Credentials(), metavar="USER:PASSWORD", help="HTTP basic authentication."
    ),
    # --- run: what, how, where to
    Setting(
        key="tag",
        many=True,
        metavar="TAG",
        also=("-t",),
        help="Only bots with one of these tags; !TAG: not those with it (repeatable).",
    ),
    Setting(
        key="not-tag", many=True, metavar="TAG", help="Not the bots with this tag (repeatable)."
    ),
    Setting(
        key="jobs",
        kind=click.IntRange(min=1),
        default=10,
        metavar="N",
        also=("-n",),
        help="So many journeys at once.",
    ),
    Setting(key="junit", kind=OutputFile(), metavar="FILE", help="Write a JUnit file (xunit2)."),
    Setting(
        key="json",
        kind=OutputFile(dash=True),
        metavar="FILE",
        help="Write all evidence as JSON; - is standard output.",
    ),
    Setting(
        key="html", kind=OutputFile(), metavar="FILE", help="Write all evidence as one HTML page."
    ),
    Setting(
        key="events",
        kind=OutputFile(dash=True),
        metavar="FILE",
        help="Write what happens as it happens, a line of JSON each; - is standard output.",
    ),
    Setting(
        key="run-format",
        kind=click.Choice(["text", "nagios"]),
        default="text",
        metavar="text|nagios",
        also=("--format",),
        help="How to tell the outcome: to people, or as a check of Nagios with its exit codes.",
    ),
    Setting(
        key="record-frames",
        flag=True,
        kind=click.BOOL,
        help="Add to the evidence what went over the wire: in --json, without headers and secrets.",
    ),
    Setting(
        key="report",
        kind=Pair(),
        many=True,
        metavar="NAME=WHERE",
        help="Use the reporter of a plugin (repeatable).",
    ),
    Setting(
        key="otel",
        kind=Receiver(),
        metavar="URL",
        help="Send a trace of each journey to a receiver of OpenTelemetry (OTLP over HTTP).",
    ),
    Setting(
        key="fail-on",
        kind=click.Choice(["degraded"]),
        metavar="degraded",
        help="Exit with 10 if a journey was degraded.",
    ),
    Setting(
        key="explain",
        flag=True,
        kind=click.BOOL,
        help="Tell which event each step took, and which it passed over and why.",
    ),
    Setting(
        key="step",
        flag=True,
        kind=click.BOOL,
        help="Stop before each step of a bot, and ask; one journey after another.",
    ),
    Setting(
        key="quiet",
        flag=True,
        kind=click.BOOL,
        also=("-q",),
        help="Tell only what did not pass, and the totals.",
    ),
    Setting(
        key="verbose",
        flag=True,
        kind=click.BOOL,
        also=("-v",),
        help="Tell the steps and the chat of every journey, and where botkit broke.",
    ),
    # --- check
    Setting(
        key="format",
        kind=click.Choice(["text", "json", "github", "sarif"]),
        default="text",
        metavar="text|json|github|sarif",
        help="How to write problems: for people, for programs, as annotations, for code scanners.",
    ),
    # --- fmt
    Setting(
        key="check",
        flag=True,
        kind=click.BOOL,
        help="Write nothing: name the files that would change, and exit with 1 if there are any.",
    ),
    # --- monitor
    Setting(
        key="validate",
        flag=True,
        kind=click.BOOL,
        help="Only tell what is wrong with the file and its bots; play nothing.",
    ),
    Setting(
        key="print",
        kind=click.Choice(["rules", "dashboard"]),
        metavar="rules|dashboard",
        help="Only write alert rules for Prometheus, or a dashboard for Grafana.",
    ),
    # --- schema
    Setting(
        key="kind",
        kind=click.Choice(["bot", "agents", "steps"]),
        default="bot",
        metavar="bot|agents|steps",
        help="The files that are described.",
    ),
    # --- simulate
    Setting(key="host", default="127.0.0.1", metavar="ADDRESS", help="The address to listen on."),
    Setting(
        key="port",
        kind=click.IntRange(0, 65535),
        default=8080,
        metavar="PORT",
        help="The port to listen on; 0 takes any.",
    ),
    Setting(
        key="personality",
        kind=click.Choice(["cometd", "faye"]),
        default="cometd",
        metavar="cometd|faye",
        help="The Bayeux server that the simulator behaves like.",
    ),
    Setting(
        key="extension",
        kind=click.Choice(["ack", "timesync"]),
        many=True,
        metavar="ack|timesync",
        help="An extension that this server agrees to (repeatable).",
    ),
)

SETTINGS: Mapping[str, Setting] = {setting.key: setting for setting in TABLE}


def takes(*keys: str) -> Callable[[F], F]:
    """Add options to a command, in this order."""

    def decorate(function: F) -> F:
        for key in reversed(keys):
            function = SETTINGS[key].decorate(function)
        return function

    return decorate
