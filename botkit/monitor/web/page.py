"""The status page as an application (ASGI): which address is answered by what."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from botkit.monitor.contract import Check, Controls, Follower
from botkit.monitor.history import HistoryKeeper
from botkit.monitor.web.access import Keys, check_binding
from botkit.monitor.web.api import Api
from botkit.monitor.web.forms import Forms
from botkit.monitor.web.gate import Gate
from botkit.monitor.web.live import Live
from botkit.monitor.web.pages import Pages
from botkit.monitor.web.rendering import Rendering
from botkit.monitor.web.troubles import Troubles


class StatusPage(Follower):
    """An ASGI application that is to be told of checks, which it hands on to open browsers."""

    def __init__(self, gate: Gate, live: Live) -> None:
        self._gate, self._live = gate, live

    def checked(self, check: Check) -> None:
        """Tell all who look at the page."""
        self._live.checked(check)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        await self._gate(scope, receive, send)


def make_app(
    controls: Controls,
    keeper: HistoryKeeper,
    *,
    token: str | None,
    now: Callable[[], float],
    host: str = "127.0.0.1",
    hosts: Collection[str] = (),
    routes: Sequence[BaseRoute] = (),
) -> StatusPage:
    """Put the status page together.

    Args:
        controls: of the monitor.
        keeper: of its history.
        token: whoever has it may run journeys and begin maintenances; None if nobody may.
        now: epoch seconds.
        host: where it will be served. At any but a loopback one reading needs the token too.
        hosts: names that people reach a loopback host by, of a proxy before it.
        routes: further ones, which the same rules keep.

    Raises:
        ConfigError: others reach this host, and the token is none or a short one.
    """
    check_binding(host, token)
    keys = None if token is None else Keys(token)
    live, rendering = Live(), Rendering()
    pages = Pages(controls, keeper, rendering, keys, now)
    forms = Forms(controls, rendering, keys, now)
    api = Api(controls, keeper, live, now)
    app = Starlette(
        routes=[
            *pages.routes(),
            *forms.routes(),
            *api.routes(),
            Route("/static/{name}", rendering.static),
            *routes,
        ],
        exception_handlers=Troubles(rendering).handlers(),
    )
    return StatusPage(Gate(app, keys=keys, host=host, hosts=hosts, now=now), live)
