"""A bot that was written in YAML: loaded once, planned once per row, played many times.

Playing is not its work: a :class:`ScriptMaker` that the loader was given makes the object that
holds the chat, from the script and the values of the journey.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Protocol

from botkit.bot.data import Table
from botkit.bot.models import ConnectModel
from botkit.bot.script import BotScript, Place
from botkit.bot.values import NOTHING, Template, Unique, Values
from botkit.errors import LocalProtocolError
from botkit.interfaces import ConnectOptions, JourneyPlan, Limits, NetworkSettings


class ScriptMaker(Protocol):
    """Makes one journey's own copy of a bot's script."""

    def __call__(self, script: BotScript, values: Values, /) -> object: ...


def refuse_to_play(script: BotScript, values: Values, /) -> object:
    """Stand in for a script maker where bots are only checked."""
    raise LocalProtocolError(f"the bot {script.name!r} was loaded to be checked, not to be played")


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What journeys take from outside of their files.

    Attributes:
        env: the environment.
        secrets: what ``${secret.X}`` gives.
        today: tells the date when a journey is planned; without it ``${today}`` has no value.
        rng: where unique values come from.
    """

    env: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    secrets: Mapping[str, str] = field(default_factory=lambda: NOTHING)
    today: Callable[[], date] | None = None
    rng: random.Random = field(default_factory=lambda: random.Random(0))

    def values(self, row: Mapping[str, str] = NOTHING) -> Values:
        """Give the values of a new journey."""
        return Values(
            row=row,
            env=self.env,
            secrets=self.secrets,
            unique=Unique(self.rng),
            today=self.today() if self.today else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class YamlBot:
    """What the customer does, as a file says it.

    Attributes:
        name: of the bot.
        file: as the user named it.
        line: where the bot begins.
        connect: how its session is opened; texts that values are filled into.
        userdata: attached to the request for the chat, over what ``connect`` says.
        table: its rows; None if it is played once.
        row_name: names a row.
        masked_columns: columns whose values are never shown.
        masked: texts that are never shown.
        agents: scripted agents for the embedded simulator.
        places: where ``connect`` says what: ``server``, ``options.channel``, ...
    """

    name: str
    script: BotScript
    make_script: ScriptMaker
    surroundings: Surroundings
    file: str
    line: int = 1
    title: str = ""
    tags: tuple[str, ...] = ()
    connect: ConnectModel = field(default_factory=ConnectModel)
    userdata: Mapping[str, Template] = field(default_factory=dict)
    limits: Limits = field(default_factory=Limits)
    table: Table | None = None
    row_name: Template | None = None
    masked_columns: tuple[str, ...] = ()
    masked: tuple[Template, ...] = ()
    agents: Path | None = None
    places: Mapping[str, Place] = field(default_factory=dict)

    def plans(self) -> Sequence[JourneyPlan]:
        """Give the journeys to play: one, or one for each row.

        Raises:
            VariableError: a value that the opening of the session names is not there.
        """
        if self.table is None:
            return [self._plan(self.name, NOTHING)]
        table, names = self.table, self._row_names(self.table)
        return [
            replace(self._plan(f"{self.name}[{name}]", row), row_file=table.file, row_line=line)
            for name, row, line in zip(names, table.rows, table.lines, strict=True)
        ]

    def _row_names(self, table: Table) -> list[str]:
        """Name the rows; those that would be called the same are numbered."""
        if self.row_name is None:
            return [str(number) for number in range(1, len(table.rows) + 1)]
        named = [self._row_label(self.row_name, row) for row in table.rows]
        often, seen = Counter(named), Counter[str]()
        names = []
        for name in named:
            seen[name] += 1
            names.append(f"{name} #{seen[name]}" if often[name] > 1 else name)
        return names

    def _row_label(self, label: Template, row: Mapping[str, str]) -> str:
        """Name a row; a name is shown everywhere, so it is masked as everything shown is."""
        values = self.surroundings.values(row)
        self._hide(values)
        return values.mask(label.render(values))

    def _plan(self, name: str, row: Mapping[str, str]) -> JourneyPlan:
        values = self.surroundings.values(row)
        self._hide(values)

        def new_script() -> object:
            # What is unique in the opening, a nickname say, is the same in the steps; a plan that
            # is played again takes the rest anew.
            own = replace(
                values,
                unique=values.unique.copy() if values.unique else None,
                variables={},
                masker=values.masker.copy(),
            )
            return self.make_script(self.script, own)

        return JourneyPlan(
            bot=self.name,
            name=name,
            title=self.title,
            file=self.file,
            line=self.line,
            tags=self.tags,
            row=row,
            connect=self._connect_options(values),
            masker=values.masker,
            limits=self.limits,
            new_script=new_script,
        )

    def _hide(self, values: Values) -> None:
        for column in self.masked_columns:
            values.hide(values.row.get(column, ""), f"${{row.{column}}}")
        for template in self.masked:
            values.hide(template.render(values), template.source)

    def _connect_options(self, values: Values) -> ConnectOptions:
        wanted = self.connect

        def text(template: Template | None) -> str | None:
            return None if template is None else template.render(values)

        return ConnectOptions(
            connector=wanted.connector,
            server=text(wanted.server),
            service=text(wanted.service),
            nickname=text(wanted.nickname),
            subject=text(wanted.subject),
            userdata=_render({**wanted.userdata, **self.userdata}, values),
            options=_render(wanted.options, values),
            network=self._network(values),
            agents=self.agents,
            open_within=wanted.open_within,
        )

    def _network(self, values: Values) -> NetworkSettings | None:
        """Give the settings of the network; None if the bot says nothing about it."""
        wanted, base = self.connect, Path(self.file).parent
        if not wanted.model_fields_set & NETWORK_KEYS:
            return None
        usual = NetworkSettings()
        auth = wanted.auth
        return NetworkSettings(
            verify=usual.verify if wanted.verify is None else wanted.verify,
            ca_file=base / wanted.ca_file if wanted.ca_file else None,
            client_cert=base / wanted.client_cert if wanted.client_cert else None,
            proxy=wanted.proxy.render(values) if wanted.proxy else None,
            trust_env=usual.trust_env if wanted.trust_env is None else wanted.trust_env,
            headers=_render(wanted.headers, values),
            auth=(auth.user.render(values), auth.password.render(values)) if auth else None,
            user_agent=wanted.user_agent.render(values) if wanted.user_agent else None,
        )


NETWORK_KEYS = frozenset(
    {
        "verify",
        "ca_file",
        "client_cert",
        "proxy",
        "trust_env",
        "headers",
        "auth",
        "user_agent",
    }
)
"""The keys of ``connect`` that are about the network and not about the chat."""


def _render(templates: Mapping[str, Template], values: Values) -> dict[str, str]:
    return {key: template.render(values) for key, template in templates.items()}
