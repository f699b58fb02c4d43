"""From a file of monitors to what is to be watched; all that is wrong is told in one pass.

Its bots are loaded as ``botkit run`` loads them, and tried on their wires, before anything starts.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, TypeVar

from botkit.bot.diagnostics import Problem, Problems, Severity, did_you_mean
from botkit.bot.fields import Vocabulary
from botkit.bot.loader import MONITORS_KEY, Loaded
from botkit.bot.models import Model
from botkit.bot.source import Document, Entries, Node, find, find_key, get, load_document
from botkit.bot.validation import validate
from botkit.bot.values import Template, Values
from botkit.bot.variables import References
from botkit.bot.yaml_bot import Surroundings
from botkit.errors import ConfigError
from botkit.interfaces import (
    SIMULATOR,
    AlertSink,
    Bot,
    ConnectOptions,
    Connector,
    JourneyPlan,
)
from botkit.journey.misfits import Misfits
from botkit.journey.openings import resolve
from botkit.masking import Masker
from botkit.monitor.alerts.outbox import Route
from botkit.monitor.alerts.rules import Rules
from botkit.monitor.caps import Limits
from botkit.monitor.decided import Monitor, MonitorsFile, Page, Probing, Retest, row_of
from botkit.monitor.heartbeat import Heartbeat
from botkit.monitor.history import Retention
from botkit.monitor.hours import Hours
from botkit.monitor.maintenance import Window
from botkit.monitor.models import (
    HeartbeatModel,
    HoursModel,
    MonitorModel,
    MonitorsModel,
    PageModel,
    ProbeModel,
    RouteModel,
    RulesModel,
)
from botkit.monitor.naming import Names
from botkit.monitor.schedule import Cron, Every, Schedule
from botkit.monitor.secrets import hide_secrets, masked_problem
from botkit.monitor.slo import Objective
from botkit.monitor.targets import parse_pattern
from botkit.monitor.web.access import check_binding

M = TypeVar("M", bound=Model)
HISTORY_ENDING, SPOOL_ENDING = ".db", ".spool"


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the file refers to.

    Attributes:
        surroundings: where values come from.
        load: loads the file of a bot.
        bots: those that plugins offer, by name.
        connectors: the wires by name.
        vocabulary: what plugins add to the language.
        sinks: make the ways to people, by name.
        now: epoch seconds.
    """

    surroundings: Surroundings
    load: Callable[[Path], Loaded]
    bots: Mapping[str, Bot] = field(default_factory=dict)
    connectors: Mapping[str, Callable[[], Connector]]
    vocabulary: Vocabulary = field(default_factory=Vocabulary)
    sinks: Mapping[str, Callable[..., AlertSink]] = field(default_factory=dict)
    now: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedMonitors:
    """What became of a file: None if it has errors, which are among the problems.

    Attributes:
        masker: hides what the file must not tell, also of one with errors; the problems are masked.
    """

    file: MonitorsFile | None
    problems: tuple[Problem, ...]
    masker: Masker = field(default_factory=Masker, repr=False, compare=False)


def load_monitors(path: Path, world: World) -> LoadedMonitors:
    """Read a file of monitors with its bots; nothing is raised for what is wrong with them."""
    problems_of: dict[str, Problems] = {}
    document = load_document(path, problems_of)
    problems = problems_of[str(path)]
    reading = None if document is None else _Reading(document, problems, world)
    file = None if reading is None else reading.read()
    found = [*problems.sorted(), *(reading.foreign if reading else ())]
    broken = any(problem.severity is Severity.ERROR for problem in found)
    mask = Masker() if reading is None else reading.masker
    return LoadedMonitors(
        file=None if broken else file,
        problems=tuple(masked_problem(problem, mask) for problem in found),
        masker=mask,
    )


class _Reading:
    """One file on its way.

    Attributes:
        foreign: what is wrong in other files, those of the bots.
        masker: hides what the file must not tell.
    """

    def __init__(self, document: Document, problems: Problems, world: World) -> None:
        self._document, self._problems, self._world = document, problems, world
        self._folder = Path(document.file).parent
        self._values = world.surroundings.values()
        self._loaded: dict[Path, Loaded] = {}
        self.masker = self._values.masker
        self.foreign: list[Problem] = []

    def read(self) -> MonitorsFile | None:
        """Give what the file says; None if that is not possible at all."""
        root = self._document.root
        if not isinstance(root, Entries) or MONITORS_KEY not in root.keys:
            hint = f"such a file begins with '{MONITORS_KEY}: 1'"
            self._problems.add(root.mark, "this is no file of monitors", hint=hint)
            return None
        hide_secrets(root, self._values)
        self._check_references(root)
        model = self._validate(MonitorsModel, root, "a file of monitors")
        named = get(root, ("monitors",))
        nodes = named.values if isinstance(named, Entries) else {}
        if isinstance(named, Entries) and not nodes:
            self._problems.add(named.mark, "there are no monitors here")
        # Each on its own, so that what is wrong with one hides nothing of the others.
        models = {
            name: self._validate(MonitorModel, node, "a monitor") for name, node in nodes.items()
        }
        Names(root, models, self._problems).check(model)
        # What is referred to must be there before the rest can be put together.
        is_sound = not self._problems.has_errors
        general = model or MonitorsModel.model_construct()
        monitors = [
            monitor
            for name, wanted in models.items()
            if wanted is not None and (monitor := self._monitor(name, wanted, general)) is not None
        ]
        if model is None or not is_sound:
            return None
        return self._file(model, monitors)

    def _validate(self, model: type[M], node: Node, what: str) -> M | None:
        return validate(
            model,
            node,
            document=self._document,
            problems=self._problems,
            vocabulary=self._world.vocabulary,
            what=what,
        )

    def _file(self, model: MonitorsModel, monitors: Sequence[Monitor]) -> MonitorsFile:
        zone = model.time_zone or UTC
        own = Path(self._document.file)
        history = self._text(model.history.url) or own.with_suffix(HISTORY_ENDING).name
        spool = model.history.spool or own.with_suffix(SPOOL_ENDING).name
        kept = model.history.keep
        return MonitorsFile(
            path=own,
            zone=zone,
            location=model.location,
            history=history if "://" in history else str(self._folder / history),
            spool=self._folder / spool,
            retention=Retention(journeys=kept.journeys, bars=kept.counts),
            page=None if model.page is None else self._page(model.page),
            probe=None if model.probe is None else self._probing(model.probe, model.page),
            limits=Limits(chats=model.caps.chats, chats_per_hour=model.caps.chats_per_hour),
            kill_switch=self._folder / model.kill_switch if model.kill_switch else None,
            windows=tuple(
                Window(
                    begin=_epoch(window.begin, zone),
                    end=_epoch(window.end, zone),
                    monitors=frozenset(window.monitors),
                    because=window.because,
                )
                for window in model.maintenance
            ),
            routes=tuple(
                route
                for name, wanted in model.alerts.to.items()
                if (route := self._route(name, wanted)) is not None
            ),
            remind=model.alerts.remind,
            heartbeat=None if model.heartbeat is None else self._heartbeat(model.heartbeat),
            monitors=tuple(monitors),
            masker=self.masker,
        )

    def _route(self, name: str, model: RouteModel) -> Route | None:
        node = find(self._document.root, ("alerts", "to", name))
        make = self._world.sinks.get(model.sink)
        if make is None:
            known = self._world.sinks
            hint = did_you_mean(model.sink, known) or f"there is {', '.join(sorted(known))}"
            message = f"there is no alert sink {model.sink!r}"
            self._problems.add(find(node, ("sink",)).mark, message, hint=hint)
            return None
        try:
            settings = {key: self._filled(value) for key, value in model.settings.items()}
            inspect.signature(make).bind(**settings)
            sink = make(**settings)
        except TypeError as error:
            self._problems.add(find(node, ("with",)).mark, f"{model.sink}: {error}")
            return None
        except ConfigError as error:
            trail = ("with", error.key) if error.key else ("with",)
            self._problems.add(find(node, trail).mark, error.message)
            return None
        return Route(
            name=name,
            sink=sink,
            monitors=frozenset(model.monitors),
            kinds=frozenset(model.kinds),
        )

    def _heartbeat(self, model: HeartbeatModel) -> Heartbeat | None:
        url = model.url.render(self._values)
        try:
            return Heartbeat(url=url, every=model.every, stuck_after=model.stuck_after)
        except ConfigError as error:
            mark = find(self._document.root, ("heartbeat", "url")).mark
            self._problems.add(mark, error.message)
            return None

    def _filled(self, value: Any) -> Any:
        """Fill values into all texts of a setting."""
        if isinstance(value, str):
            return Template.parse(value).render(self._values)
        if isinstance(value, list):
            return [self._filled(item) for item in value]
        return {key: self._filled(item) for key, item in value.items()}

    def _page(self, model: PageModel) -> Page | None:
        token = self._text(model.token)
        try:
            check_binding(model.host, token)
        except ConfigError as error:
            node = find(self._document.root, ("page",))
            self._problems.add(find(node, (error.key or "host",)).mark, error.message)
            return None
        return Page(
            host=model.host, port=model.port, token=token, url=(model.url or "").rstrip("/")
        )

    def _probing(self, model: ProbeModel, page: PageModel | None) -> Probing:
        root = self._document.root
        if page is None:
            hint = "give 'page', too"
            self._problems.add(find_key(root, ("probe",)), "nothing serves /probe", hint=hint)
        node = find(root, ("probe", "targets"))
        patterns = []
        for position, template in enumerate(model.targets):
            try:
                patterns.append(parse_pattern(template.render(self._values)))
            except ValueError as error:
                self._problems.add(find(node, (position,)).mark, str(error))
        return Probing(targets=tuple(patterns), within=model.within)

    # --- one monitor ---

    def _monitor(self, name: str, model: MonitorModel, file: MonitorsModel) -> Monitor | None:
        node = find(self._document.root, ("monitors", name))
        bot = self._bot(node, model.bot)
        if bot is None:
            return None
        try:
            monitor = self._put_together(name, model, bot, file)
            plans = self._plans(node, monitor)
        except ConfigError as error:
            # A reference without a value was told at its place; of bots it is told here.
            if error.file is not None or not self._problems.has_errors:
                self._problems.add(node.mark, str(error))
            return None
        self._check_wire(node, monitor, plans)
        if monitor.schedule.next_due(None, self._world.now) is None:
            rhythm = find_key(node, ("cron" if model.cron is not None else "every",))
            self._problems.add(rhythm, "this is never due within the business hours")
        return monitor

    def _put_together(
        self, name: str, model: MonitorModel, bot: Bot, file: MonitorsModel
    ) -> Monitor:
        zone = file.time_zone or UTC
        hours = model.business_hours or file.business_hours
        again, slo = model.retest, model.slo
        rhythm = (
            Cron(expression=model.cron, zone=zone)
            if model.cron is not None
            else Every(period=model.every or 0.0)
        )
        return Monitor(
            name=name,
            title=model.title or getattr(bot, "title", ""),
            bot=bot,
            row=model.row,
            override=self._connect(model),
            schedule=Schedule(
                rhythm=rhythm,
                jitter=model.jitter,
                hours=None if hours is None else _hours(hours, zone),
            ),
            retest=Retest(after=again.after, times=again.times) if again else None,
            objective=Objective(target=slo.target, window=slo.over) if slo else None,
            rules=_rules(model.rules or file.alerts.rules),
            needs=tuple(model.needs),
            masker=self.masker,
        )

    def _connect(self, model: MonitorModel) -> ConnectOptions:
        values = self._values
        return ConnectOptions(
            server=self._text(model.server),
            connector=model.connector,
            service=self._text(model.service),
            userdata=_rendered(model.userdata, values),
            options=_rendered(model.options, values),
        )

    def _bot(self, node: Node, named: str) -> Bot | None:
        path = self._folder / named
        if named in self._world.bots and not path.exists():
            return self._world.bots[named]
        mark = find(node, ("bot",)).mark
        if not path.is_file():
            hint = did_you_mean(named, self._world.bots)
            self._problems.add(mark, f"there is no file {str(path)!r}", hint=hint)
            return None
        if path not in self._loaded:
            self._loaded[path] = self._world.load(path)
            self.foreign += self._loaded[path].problems
        loaded = self._loaded[path]
        if loaded.errors:
            self._problems.add(mark, f"the bot {named!r} has problems of its own")
            return None
        if len(loaded.bots) != 1:
            found = len(loaded.bots) or "no"
            self._problems.add(mark, f"a monitor plays one bot, and {str(path)!r} has {found}")
            return None
        return loaded.bots[0]

    def _plans(self, node: Node, monitor: Monitor) -> Sequence[JourneyPlan]:
        plans = monitor.bot.plans()
        rows = [row for plan in plans if (row := row_of(plan)) is not None]
        if monitor.row is not None and monitor.row not in rows:
            hint = did_you_mean(monitor.row, rows) or (
                f"there is {', '.join(rows[:10])}" if rows else "it has no data at all"
            )
            message = f"the bot has no row {monitor.row!r}"
            self._problems.add(find(node, ("row",)).mark, message, hint=hint)
        return monitor.plans()

    def _check_wire(self, node: Node, monitor: Monitor, plans: Sequence[JourneyPlan]) -> None:
        """See that the wire is there, and can do what the bot asks of it."""
        override, nothing = monitor.override, ConnectOptions()
        wires = self._world.connectors
        for plan in plans:
            try:
                resolved = resolve(
                    plan, override=override, fallback=nothing, run_id="", connectors=wires
                )
            except ConfigError as error:
                self._problems.add(find(node, (error.key or "bot",)).mark, error.message)
                return
            by_name = SIMULATOR in {override.connector, plan.connect.connector}
            if resolved.connector == SIMULATOR and not by_name:
                message = "no server is named"
                hint = "give 'server', or 'connector: simulator' to watch one in this process"
                self._problems.add(find(node, ("bot",)).mark, message, hint=hint)
                return
        misfits = Misfits(override=override, fallback=nothing, connectors=wires)
        try:
            self.foreign += misfits.find([(monitor.bot, plans)])
        except ConfigError as error:
            self._problems.add(find(node, (error.key or "bot",)).mark, error.message)

    # --- the file as a whole ---

    def _check_references(self, root: Node) -> None:
        surroundings = self._world.surroundings
        references = References(
            document=self._document,
            problems=self._problems,
            env=surroundings.env,
            secrets=surroundings.secrets,
        )
        references.check(root)

    def _text(self, template: Template | None) -> str | None:
        return None if template is None else template.render(self._values)


def _rendered(templates: Mapping[str, Template] | None, values: Values) -> dict[str, str]:
    return {key: template.render(values) for key, template in (templates or {}).items()}


def _rules(model: RulesModel) -> Rules:
    return Rules(
        fail=model.fail,
        degraded=model.degraded,
        flapping=model.flapping,
        broken=model.broken,
        recover=model.recover,
    )


def _hours(model: HoursModel, zone: tzinfo) -> Hours:
    return Hours(spans=tuple(model.open), holidays=frozenset(model.holidays), zone=zone)


def _epoch(moment: datetime, zone: tzinfo) -> float:
    return moment.replace(tzinfo=zone).timestamp()
