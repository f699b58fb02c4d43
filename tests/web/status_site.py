"""A status page over a history in a file, with a monitor that does nothing but note."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from botkit.monitor.contract import Check, Health, Maintenance, MonitorView
from botkit.monitor.history import History, HistoryKeeper, Spool, finished
from botkit.monitor.web import StatusPage, make_app
from botkit.results import JourneyResult, Reason, Verdict

NOW = 1_767_268_800.0
"""A noon, UTC."""
TOKEN = "a token of thirty-two characters"
BASE = "http://127.0.0.1:8600"


@dataclass
class FakeControls:
    """A monitor that does nothing but note what it is told."""

    views: list[MonitorView] = field(default_factory=list)
    going_on: dict[str | None, Maintenance] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def monitors(self) -> Sequence[MonitorView]:
        return self.views

    def maintenances(self) -> Sequence[Maintenance]:
        return list(self.going_on.values())

    def run_now(self, monitor: str) -> None:
        self._check(monitor)
        self.asked.append(monitor)

    def begin_maintenance(self, maintenance: Maintenance) -> None:
        if maintenance.monitor is not None:
            self._check(maintenance.monitor)
        self.going_on[maintenance.monitor] = maintenance

    def end_maintenance(self, monitor: str | None) -> None:
        del self.going_on[monitor]

    def _check(self, name: str) -> None:
        if name not in {view.name for view in self.views}:
            raise KeyError(name)


def result_of(
    journey_id: str = "run1-1", *, at: float = -60.0, verdict: Verdict = Verdict.PASSED, **more: Any
) -> JourneyResult:
    """Make a journey that started `at` seconds after NOW."""
    return JourneyResult(
        **{
            "run_id": "run1",
            "journey_id": journey_id,
            "bot": "smoke",
            "name": "smoke[gold]",
            "verdict": verdict,
            "reason": Reason.OK if verdict is Verdict.PASSED else Reason.TIMEOUT,
            "started_utc": NOW + at,
            "began": 0.0,
            "duration": 2.0,
            **more,
        }
    )


class Site:
    """A status page with what is behind it; :meth:`visited` asks it without sockets."""

    def __init__(self, history: History, folder: Path) -> None:
        self.history, self.now = history, NOW
        self.keeper = HistoryKeeper(history, Spool(folder / "spool"))
        self.controls = FakeControls(views=[MonitorView(name="smoke", health=Health.UP)])

    def add(
        self,
        result: JourneyResult,
        *,
        monitor: str = "smoke",
        location: str = "",
        evidence: object = None,
    ) -> None:
        data = json.dumps({} if evidence is None else evidence).encode()
        self.history.write([finished(result, monitor=monitor, location=location, evidence=data)])

    def app(self, *, token: str | None = TOKEN, **options: Any) -> StatusPage:
        return make_app(self.controls, self.keeper, token=token, now=lambda: self.now, **options)

    @asynccontextmanager
    async def visited(
        self,
        *,
        token: str | None = TOKEN,
        base: str = BASE,
        headers: dict[str, str] | None = None,
        **options: Any,
    ) -> AsyncIterator[httpx.AsyncClient]:
        transport = httpx.ASGITransport(app=self.app(token=token, **options))
        client = httpx.AsyncClient(transport=transport, base_url=base, headers=headers)
        async with client:
            yield client


def check_of(result: JourneyResult, monitor: str = "smoke") -> Check:
    return Check(monitor=monitor, location="", result=result)
