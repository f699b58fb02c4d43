"""What bots ask of a wire that cannot do it, told with its place before a chat is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from botkit.bot.commands import commands_of
from botkit.bot.diagnostics import Mark, Problem, Problems
from botkit.bot.script import Place
from botkit.bot.source import SourceError, read_text, split_lines
from botkit.bot.yaml_bot import YamlBot
from botkit.errors import ConfigError
from botkit.interfaces import Bot, ConnectOptions, Connector, JourneyPlan, Opening, connector_for
from botkit.journey.openings import Resolved, resolve

__all__ = ["Misfits"]

Planned = tuple[Bot, Sequence[JourneyPlan] | None]
"""A bot with its journeys; None if a value that they need is not there."""
ANY_SERVER = ("http://127.0.0.1", "wss://127.0.0.1")
"""URLs that stand for one that is not known yet."""


@dataclass(slots=True, kw_only=True)
class Misfits:
    """Tries bots on the wires that they would be played over.

    Attributes:
        override, fallback: what wins over the bots, and what the bots win over.
        connectors: the wires by name.
        server_may_follow: that no server is named is no fault: whoever plays the bot may name one.
    """

    override: ConnectOptions
    fallback: ConnectOptions
    connectors: Mapping[str, Callable[[], Connector]]
    server_may_follow: bool = False
    _made: dict[str, Connector] = field(default_factory=dict)
    _problems: dict[str, Problems] = field(default_factory=dict)

    def find(self, planned: Iterable[Planned]) -> list[Problem]:
        """Give all that does not fit, sorted by file and place.

        Raises:
            ConfigError: no bot is to blame, but what was said beside them.
        """
        for bot, plans in planned:
            for name in self._wires_of(bot, plans):
                self._try_steps(bot, name)
        return [p for file in sorted(self._problems) for p in self._problems[file].sorted()]

    # --- the wire of a bot ---

    def _wires_of(self, bot: Bot, plans: Sequence[JourneyPlan] | None) -> set[str]:
        """Name the wires of a bot's journeys, and try their openings on them."""
        if plans is None:
            return self._guess_wire(bot)
        names = set()
        for plan in plans:
            try:
                resolved = self._resolve(plan)
                names.add(resolved.connector)
                self._try_opening(resolved)
            except ConfigError as error:
                self._blame(error, bot, plan)
        return names

    def _guess_wire(self, bot: Bot) -> set[str]:
        """Name the wire of a bot whose connection is not known as a whole."""
        if not isinstance(bot, YamlBot):
            return set()
        server = self.override.server
        if server is None and bot.connect.server is not None:
            server = bot.connect.server.literal
            if server is None and not self._connector_said(bot.connect.connector):
                return set()
        name = self._connector_said(bot.connect.connector)
        name = name or connector_for(server or self.fallback.server)
        return {name} & set(self.connectors)

    def _connector_said(self, by_bot: str | None) -> str | None:
        return self.override.connector or by_bot or self.fallback.connector

    def _resolve(self, plan: JourneyPlan) -> Resolved:
        return resolve(
            plan,
            override=self.override,
            fallback=self.fallback,
            run_id="check",
            connectors=self.connectors,
        )

    def _connector(self, name: str) -> Connector:
        made = self._made.get(name)
        if made is None:
            made = self._made[name] = self.connectors[name]()
        return made

    # --- what does not fit ---

    def _try_opening(self, resolved: Resolved) -> None:
        """Let the wire look at an opening.

        Raises:
            ConfigError: it cannot do it.
        """
        connector, opening = self._connector(resolved.connector), resolved.opening
        try:
            connector.check(opening)
        except ConfigError as error:
            if error.key != "server" or opening.url or not self.server_may_follow:
                raise
            self._try_without_server(connector, opening)

    def _try_without_server(self, connector: Connector, opening: Opening) -> None:
        """Let the wire look at all but the server: with the first that it would take."""
        for url in ANY_SERVER:
            try:
                connector.check(replace(opening, url=url))
            except ConfigError as error:
                if error.key != "server":
                    raise
            else:
                return

    def _try_steps(self, bot: Bot, wire: str) -> None:
        """Find the steps that the wire has no way to do."""
        if not isinstance(bot, YamlBot):
            return
        # A plugin's wire that says nothing of it lacks nothing.
        lacks = getattr(self._connector(wire), "lacks", {})
        for step, command in commands_of(bot.script):
            if command in lacks:
                message = f"{step.verb!r} cannot be done over {wire}: {lacks[command]}"
                self._tell(step.place, message)

    def _blame(self, error: ConfigError, bot: Bot, plan: JourneyPlan) -> None:
        """Tell of an error at the place in the bot's file that caused it.

        Raises:
            ConfigError: the file did not cause it.
        """
        error.message = plan.masker(error.message)
        place = self._place_of(error.key or "", bot, plan)
        if place is None:
            if error.file == plan.file:
                error.file = error.line = error.column = None
            raise error
        self._tell(place, error.message)

    def _place_of(self, key: str, bot: Bot, plan: JourneyPlan) -> Place | None:
        if key == "server" and plan.connect.server is None:
            # Nobody has named one: whoever has chosen the wire needs it.
            key = "connector"
        if says(self.override, key) or not says(plan.connect, key) or plan.file is None:
            return None
        places = bot.places if isinstance(bot, YamlBot) else {}
        return places.get(key) or Place(file=plan.file, line=plan.line or 1)

    def _tell(self, place: Place, message: str) -> None:
        file = place.file or ""
        problems = self._problems.get(file)
        if problems is None:
            problems = self._problems[file] = Problems(file, lines_of(file))
        problems.add(Mark(place.line, place.column), message)


def says(options: ConnectOptions, key: str) -> bool:
    """Tell whether something is said there; ``options.channel`` is one of several options."""
    name, dot, item = key.partition(".")
    value = getattr(options, name, None)
    return item in value if dot and isinstance(value, Mapping) else bool(value)


def lines_of(file: str) -> Sequence[str]:
    """Read the lines of a file, to be shown; none if it cannot be read any more."""
    try:
        return split_lines(read_text(Path(file)))
    except SourceError:
        return ()
