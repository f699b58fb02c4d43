"""The page for programs: JSON, a stream of events, and what the token allows.

::

    GET    /healthz                     {"status": "ok"}; nothing is asked of the history
    GET    /api/monitors                {"monitors": [...], "maintenances": [...], "history": {...}}
    GET    /api/events                  server-sent events, one "checked" for each check
    POST   /api/monitors/NAME/run       202: a journey is played as soon as the caps allow
    POST   /api/maintenance             {"monitor": NAME or null, "for": seconds, "because": TEXT}
    DELETE /api/maintenance?monitor=N   ends it; without a name the one for all

Posting and deleting need ``Authorization: Bearer TOKEN``; a browser's cookie is not enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from botkit.monitor.contract import Controls, MonitorView
from botkit.monitor.history import HistoryKeeper
from botkit.monitor.web import actions
from botkit.monitor.web.gate import ACCESS, unauthorized
from botkit.monitor.web.live import Live


class Api:
    """Answers programs."""

    def __init__(
        self, controls: Controls, keeper: HistoryKeeper, live: Live, now: Callable[[], float]
    ) -> None:
        self._controls, self._keeper, self._live, self._now = controls, keeper, live, now

    def routes(self) -> list[Route]:
        """Give the addresses of this module's docstring."""
        return [
            Route("/healthz", self._healthz),
            Route("/api/monitors", self._monitors),
            Route("/api/events", self._events),
            Route("/api/monitors/{name:path}/run", self._run, methods=["POST"]),
            Route("/api/maintenance", self._begin, methods=["POST"]),
            Route("/api/maintenance", self._end, methods=["DELETE"]),
        ]

    async def _healthz(self, _: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def _monitors(self, _: Request) -> Response:
        return JSONResponse(
            {
                "monitors": [_view(monitor) for monitor in self._controls.monitors()],
                "maintenances": [asdict(one) for one in self._controls.maintenances()],
                "history": asdict(self._keeper.standing),
            }
        )

    async def _events(self, _: Request) -> ASGIApp | Response:
        if self._live.full:
            return PlainTextResponse("Too many listen already.\n", status_code=503)
        return self._live

    async def _run(self, request: Request) -> Response:
        if not request.scope[ACCESS].bearer:
            return unauthorized()
        name = request.path_params["name"]
        actions.run_now(self._controls, name)
        return JSONResponse({"monitor": name}, status_code=202)

    async def _begin(self, request: Request) -> Response:
        if not request.scope[ACCESS].bearer:
            return unauthorized()
        members = await actions.read_json(request)
        begun = actions.begin_maintenance(self._controls, members, self._now())
        return JSONResponse(asdict(begun), status_code=201)

    async def _end(self, request: Request) -> Response:
        if not request.scope[ACCESS].bearer:
            return unauthorized()
        actions.end_maintenance(self._controls, request.query_params.get("monitor"))
        return Response(status_code=204)


def _view(monitor: MonitorView) -> dict[str, object]:
    return {**asdict(monitor), "health": monitor.health.value}
