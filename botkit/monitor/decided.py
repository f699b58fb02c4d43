"""What a file of monitors says, once it is read and decided."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path

from botkit.interfaces import Bot, ConnectOptions, JourneyPlan
from botkit.masking import Masker
from botkit.monitor.alerts.outbox import Route
from botkit.monitor.alerts.rules import Rules
from botkit.monitor.caps import Limits
from botkit.monitor.heartbeat import Heartbeat
from botkit.monitor.history import Retention
from botkit.monitor.maintenance import Window
from botkit.monitor.schedule import Schedule
from botkit.monitor.slo import Objective

__all__ = ["Monitor", "MonitorsFile", "Page", "Probing", "Retest", "row_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Retest:
    """What did not pass is played again ``after`` so many seconds, so many ``times``."""

    after: float
    times: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Monitor:
    """A bot that is played on a schedule.

    Attributes:
        name: what it is called everywhere.
        title: what it proves; may be empty.
        bot: what is played.
        row: the name of the one journey of the bot that is played; None plays them in turn.
        override: how its session is opened, over what the bot says.
        schedule: when it is played.
        retest: None if nothing is played again.
        objective: what is promised of the service; None if nothing is.
        rules: when people are paged.
        needs: the names of monitors without which it makes no sense.
        masker: hides what the file must not tell.
    """

    name: str
    title: str
    bot: Bot
    row: str | None = None
    override: ConnectOptions = field(default_factory=ConnectOptions)
    schedule: Schedule
    retest: Retest | None = None
    objective: Objective | None = None
    rules: Rules = field(default_factory=Rules)
    needs: tuple[str, ...] = ()
    masker: Masker = field(default_factory=Masker, repr=False, compare=False)

    def plans(self) -> Sequence[JourneyPlan]:
        """Give the journeys that are played in turn, with values of their own.

        Raises:
            ConfigError: a value that the opening of a session names is not there any more.
        """
        plans = self.bot.plans()
        for plan in plans:
            plan.masker.learn(self.masker)
        return [plan for plan in plans if self.row in {None, row_of(plan)}] or plans


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Where the status page and the metrics are served; ``url`` is where people reach it."""

    host: str
    port: int
    token: str | None
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Probing:
    """Probes on request: which servers they may go to, and seconds that none takes longer than."""

    targets: tuple[re.Pattern[str], ...]
    within: float


@dataclass(frozen=True, slots=True, kw_only=True)
class MonitorsFile:
    """What a file of monitors says, decided.

    Attributes:
        path: of the file.
        zone: the time zone of all that is written in it.
        location: where this probe stands; may be empty.
        history: where journeys are kept.
        spool: the folder where they wait for that.
        retention: how long they are kept.
        page: None if nothing is served.
        probe: None if nothing is played on request.
        limits: of all monitors together.
        kill_switch: while this file is there, no chat is begun; None if there is none.
        windows: the maintenances.
        routes: where alerts go.
        remind: seconds after which people are told again; None if never.
        heartbeat: tells others that this probe is alive; None if nobody wants to know.
        monitors: in the order of the file.
        masker: hides what the file must not tell; to be kept out of logs.
    """

    path: Path
    zone: tzinfo
    location: str
    history: str
    spool: Path
    retention: Retention
    page: Page | None
    probe: Probing | None = None
    limits: Limits
    kill_switch: Path | None
    windows: tuple[Window, ...]
    routes: tuple[Route, ...] = ()
    remind: float | None = None
    heartbeat: Heartbeat | None = None
    monitors: tuple[Monitor, ...]
    masker: Masker = field(default_factory=Masker, repr=False, compare=False)


def row_of(plan: JourneyPlan) -> str | None:
    """Give the name of the row of a journey; None if it has none."""
    inside = plan.name.removeprefix(plan.bot)
    return inside[1:-1] if inside.startswith("[") else None
