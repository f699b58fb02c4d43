"""Monitors on virtual time; their journeys are played by a contact centre that is told how."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC
from pathlib import Path
from typing import Any, TypeVar

import pytest
import trio

from botkit.interfaces import ConnectOptions, JourneyPlan
from botkit.monitor.alerts.alerting import Alerting
from botkit.monitor.alerts.rules import Rules, Share
from botkit.monitor.caps import Limits
from botkit.monitor.contract import Check
from botkit.monitor.decided import Monitor, MonitorsFile
from botkit.monitor.history import Finished, History, Retention
from botkit.monitor.memory import Memory
from botkit.monitor.monitoring import Monitoring, Parts
from botkit.monitor.schedule import Every, Rhythm, Schedule
from botkit.results import JourneyResult, Reason, Verdict

T = TypeVar("T")
MONDAY = 1_795_392_000.0
"""2026-11-23, midnight UTC: when virtual time begins, unless a test says otherwise."""


AT_ONCE = Rules(fail=Share(1, 1), degraded=None, flapping=None, recover=1)
"""The last check says how it is."""


class StubBot:
    """A bot with so many rows; nothing of it is played."""

    def __init__(self, name: str, rows: int) -> None:
        self.name, self.tags = name, ()
        self._rows = rows

    def plans(self) -> list[JourneyPlan]:
        names = [f"[{row}]" for row in range(1, self._rows + 1)] if self._rows else [""]
        return [
            JourneyPlan(bot=self.name, name=f"{self.name}{name}", new_script=object)
            for name in names
        ]


def monitor_of(name: str, rhythm: Rhythm | float = 300.0, *, rows: int = 0, **more: Any) -> Monitor:
    """Make a monitor; what belongs to its schedule is told by name as well."""
    timing = {key: more.pop(key) for key in ("jitter", "hours") if key in more}
    rhythm = Every(period=rhythm) if isinstance(rhythm, float | int) else rhythm
    return Monitor(
        name=name,
        title=more.pop("title", ""),
        bot=StubBot(name, rows),
        schedule=Schedule(rhythm=rhythm, **timing),
        **more,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Chat:
    """A chat that was played: when it began and ended, in seconds of virtual time."""

    bot: str
    name: str
    began: float
    ended: float


@dataclass(kw_only=True)
class Centre:
    """Plays journeys.

    Attributes:
        starts_utc: the epoch when virtual time is 0.
        lasts: seconds of each.
        verdict: says how one goes that begins at a time.
        chats: those that are over.
        failed: the bots of those that failed, and when they began.
        open: those that go on.
        most: so many were open at once.
    """

    starts_utc: float = MONDAY
    lasts: float = 5.0
    verdict: Callable[[str, float], Verdict] = lambda bot, at: Verdict.PASSED
    chats: list[Chat] = field(default_factory=list)
    failed: list[tuple[str, float]] = field(default_factory=list)
    open: int = 0
    most: int = 0
    cancelled: int = 0

    async def play(self, plan: JourneyPlan, override: ConnectOptions) -> JourneyResult:
        began = trio.current_time()
        self.open += 1
        self.most = max(self.most, self.open)
        try:
            await trio.sleep(self.lasts)
        except trio.Cancelled:
            self.cancelled += 1
            raise
        finally:
            self.open -= 1
        chat = Chat(bot=plan.bot, name=plan.name, began=began, ended=trio.current_time())
        self.chats.append(chat)
        verdict = self.verdict(plan.bot, began)
        if verdict is Verdict.FAILED:
            self.failed.append((plan.bot, began))
        return JourneyResult(
            run_id="r",
            journey_id=f"{plan.name}-{began}",
            bot=plan.bot,
            name=plan.name,
            verdict=verdict,
            reason=Reason.OK if verdict is Verdict.PASSED else Reason.TIMEOUT,
            started_utc=self.starts_utc + began,
            began=began,
            duration=self.lasts,
        )

    def begun(self, bot: str = "") -> list[float]:
        """Give when the chats of a bot began."""
        return sorted(chat.began for chat in self.chats if bot in {"", chat.bot})


class Keeper:
    """Keeps a real history, and waits for no thread: virtual time would run away meanwhile."""

    def __init__(self, history: History) -> None:
        self.history = history

    async def store(self, journey: Finished, /) -> None:
        await trio.lowlevel.checkpoint()
        self.history.write([journey])

    async def ask(self, question: Callable[[History], T], /) -> T:
        await trio.lowlevel.checkpoint()
        return question(self.history)

    async def forget(self, retention: Retention, /, *, now: float) -> int:
        await trio.lowlevel.checkpoint()
        return self.history.forget(retention, now=now)


class Checks:
    """A follower that writes down what it is told."""

    def __init__(self) -> None:
        self.all: list[Check] = []

    def checked(self, check: Check) -> None:
        self.all.append(check)


@dataclass(kw_only=True)
class Probe:
    """One process of monitors, on virtual time.

    Attributes:
        centre: what is watched.
        checks: what was told.
        monitoring: at work while the probe is.
    """

    folder: Path
    centre: Centre = field(default_factory=Centre)
    checks: Checks = field(default_factory=Checks)
    decider: Any = field(default_factory=lambda: Alerting(rules=lambda _: AT_ONCE))
    monitoring: Monitoring = field(init=False)

    def now(self) -> float:
        return self.centre.starts_utc + trio.current_time()

    def file(self, *monitors: Monitor, **more: Any) -> MonitorsFile:
        usual = MonitorsFile(
            path=self.folder / "m.yaml",
            zone=UTC,
            location="here",
            history=str(self.folder / "m.db"),
            spool=self.folder / "m.spool",
            retention=Retention(),
            page=None,
            limits=Limits(),
            kill_switch=None,
            windows=(),
            monitors=monitors,
        )
        return replace(usual, **more)

    @asynccontextmanager
    async def at_work(self, *monitors: Monitor, **more: Any) -> AsyncIterator[Monitoring]:
        file = self.file(*monitors, **more)
        history = History(file.history)
        memory = Memory(self.folder / "m.state")
        parts = Parts(
            play=self.centre.play,
            keeper=Keeper(history),
            memory=memory,
            decider=self.decider,
            followers=[self.checks],
            now=self.now,
            rng=random.Random(7),
        )
        self.monitoring = Monitoring(file, parts, memory.load())
        async with trio.open_nursery() as nursery:
            await nursery.start(self.monitoring.run)
            yield self.monitoring
            nursery.cancel_scope.cancel()
        history.close()


@pytest.fixture
def probe(tmp_path: Path) -> Probe:
    return Probe(folder=tmp_path)


@pytest.fixture
def make_monitor() -> Callable[..., Monitor]:
    return monitor_of
