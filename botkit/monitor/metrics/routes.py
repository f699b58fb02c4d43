"""Where Prometheus asks: ``/metrics``."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from botkit.monitor.metrics.exporter import Metrics


def routes(metrics: Metrics) -> list[Route]:
    """Give the routes of the metrics, for the application of the status page."""

    async def scrape(request: Request) -> Response:
        content_type, body = metrics.render(request.headers.get("accept", ""))
        return Response(body, headers={"Content-Type": content_type, "Cache-Control": "no-store"})

    return [Route("/metrics", scrape)]
