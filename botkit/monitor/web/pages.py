"""The pages that people read."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeVar

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from botkit.errors import HistoryDown, HistoryError
from botkit.monitor.contract import Controls, Health, MonitorView
from botkit.monitor.history import History, HistoryKeeper, evidence
from botkit.monitor.web import questions
from botkit.monitor.web.access import Keys
from botkit.monitor.web.actions import no_monitor
from botkit.monitor.web.gate import ACCESS
from botkit.monitor.web.plots import SPANS, Span
from botkit.monitor.web.rendering import Rendering

T = TypeVar("T")

WORST_FIRST = (Health.DOWN, Health.DEGRADED, Health.UP)
PAUSES = (("30 min", 1800), ("1 h", 3600), ("4 h", 4 * 3600), ("1 d", 86400))
"""Lengths of a maintenance that the page offers."""


class Pages:
    """Shows what is known now, with what the history knows; without it, the rest."""

    def __init__(
        self,
        controls: Controls,
        keeper: HistoryKeeper,
        rendering: Rendering,
        keys: Keys | None,
        now: Callable[[], float],
    ) -> None:
        self._controls, self._keeper, self._now = controls, keeper, now
        self._rendering, self._keys = rendering, keys

    def routes(self) -> list[Route]:
        """Give the addresses of the pages."""
        return [
            Route("/", self._overview),
            Route("/monitors/{name:path}", self._monitor),
            Route("/journeys/{journey_id:path}/evidence.json", self._evidence),
            Route("/journeys/{journey_id:path}", self._journey),
        ]

    async def _overview(self, request: Request) -> Response:
        span = _span(request.query_params.get("span", ""))
        views, now = self._controls.monitors(), self._now()
        names = [view.name for view in views]
        past, trouble = await self._past(lambda h: h.ask(questions.overview, names, span, now))
        return self._page(
            request,
            "overview.html",
            now,
            trouble,
            views=views,
            worst=_worst(views),
            counts={health: sum(v.health is health for v in views) for health in Health},
            past=past,
            span=span,
        )

    async def _monitor(self, request: Request) -> Response:
        name, now = request.path_params["name"], self._now()
        before, location = _before(request), request.query_params.get("location")
        view = next((view for view in self._controls.monitors() if view.name == name), None)
        past, trouble = await self._past(
            lambda h: h.ask(questions.one_monitor, name, now, before=before, location=location)
        )
        if view is None and past is None and trouble is None:
            raise no_monitor(name)
        return self._page(
            request,
            "monitor.html",
            now,
            trouble,
            name=name,
            view=view,
            past=past,
            location=location,
            before=before,
        )

    async def _journey(self, request: Request) -> Response:
        journey_id = request.path_params["journey_id"]
        found = await self._keeper.ask(lambda h: h.ask(questions.one_journey, journey_id))
        if found is None:
            raise _no_journey()
        return self._page(request, "journey.html", self._now(), None, found=found)

    async def _evidence(self, request: Request) -> Response:
        journey_id = request.path_params["journey_id"]
        data = await self._keeper.ask(lambda h: h.ask(evidence, journey_id))
        if data is None:
            raise _no_journey()
        # Saved, and never shown by a browser as if it were a page of ours.
        headers = {"Content-Disposition": 'attachment; filename="journey.json"'}
        return Response(data, media_type="application/json", headers=headers)

    async def _past(self, question: Callable[[History], T]) -> tuple[T | None, str | None]:
        """Ask the history; if it cannot answer, say why."""
        try:
            return await self._keeper.ask(question), None
        except HistoryDown as error:
            return None, f"The history does not answer now: {error}."
        except HistoryError as error:
            return None, f"The history cannot be read: {error}."

    def _page(
        self, request: Request, template: str, now: float, trouble: str | None, **members: object
    ) -> Response:
        cookie = request.scope[ACCESS].cookie
        query = f"?{request.url.query}" if request.url.query else ""
        common = {
            "now": now,
            "trouble": trouble,
            "standing": self._keeper.standing,
            "maintenances": self._controls.maintenances(),
            "may_sign_in": self._keys is not None,
            "proof": self._keys.proof(cookie) if self._keys and cookie else None,
            "back": request.scope["raw_path"].decode("ascii") + query,
            "spans": SPANS,
            "pauses": PAUSES,
        }
        return self._rendering.page(template, {**common, **members})


def _span(key: str) -> Span:
    return next((span for span in SPANS if span.key == key), SPANS[0])


def _worst(views: Sequence[MonitorView]) -> Health:
    found = {view.health for view in views}
    return next((health for health in WORST_FIRST if health in found), Health.UNKNOWN)


def _before(request: Request) -> float | None:
    text = request.query_params.get("before")
    if text is None:
        return None
    try:
        before = float(text)
    except ValueError:
        before = math.nan
    if not math.isfinite(before):
        raise HTTPException(400, "'before' is no time: seconds since 1970.")
    return before


def _no_journey() -> HTTPException:
    return HTTPException(404, "This journey is not in the history, or not any more.")
