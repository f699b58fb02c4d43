"""Where Prometheus asks for a probe: ``/probe?module=MONITOR&target=URL``.

A probe begins a chat, so it is not for everybody who may read the page: where there is a token it
is needed, on this machine too, and what a browser sends because another site asks it to is refused.

Source: Prometheus, blackbox_exporter: the parameters, and the header
``X-Prometheus-Scrape-Timeout-Seconds``.
"""

from __future__ import annotations

import math

import trio
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Receive

from botkit.errors import ungrouped
from botkit.monitor.metrics.exporter import TELLS_NOTHING
from botkit.monitor.probe.answer import write_log, write_samples
from botkit.monitor.probe.prober import Asked, Probed, Prober
from botkit.monitor.web.gate import ACCESS, unauthorized

PARAMETERS = ("module", "target", "debug")
TIMEOUT = "X-Prometheus-Scrape-Timeout-Seconds"
OUR_OWN = frozenset({"", "none", "same-origin"})
"""What ``Sec-Fetch-Site`` says where no other site is behind a request; programs do not send it."""


def routes(prober: Prober, *, token_needed: bool) -> list[Route]:
    """Give the route of probes, for the application of the status page."""

    async def probe(request: Request) -> Response:
        if request.method != "GET" or request.headers.get("Sec-Fetch-Site", "") not in OUR_OWN:
            return _sentence(
                403, "A probe begins a chat: it is asked for by GET, by no other site."
            )
        if token_needed and not request.scope[ACCESS].known:
            return unauthorized()
        try:
            asked = _asked(request)
            debug = _debug(request)
            with ungrouped():
                probed = await _while_somebody_waits(prober, asked, request.receive)
        except HTTPException as refused:
            return _sentence(refused.status_code, refused.detail)
        if debug:
            return PlainTextResponse(write_log(probed))
        if probed.result is not None and probed.result.verdict in TELLS_NOTHING:
            verdict = probed.result.verdict.value
            return _sentence(503, f"The journey was {verdict}, and says nothing of the chat.")
        content_type, body = write_samples(probed, request.headers.get("accept", ""))
        return Response(body, headers={"Content-Type": content_type})

    return [Route("/probe", probe)]


async def _while_somebody_waits(prober: Prober, asked: Asked, receive: Receive) -> Probed:
    """Play a probe, and break it off when the one who asked is gone."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_cancel_when_gone, receive, nursery.cancel_scope)
        probed = await prober.probe(asked)
        nursery.cancel_scope.cancel()
        return probed
    raise HTTPException(503, "Nobody waits for this any more.")


async def _cancel_when_gone(receive: Receive, scope: trio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()


def _asked(request: Request) -> Asked:
    parameters = request.query_params.multi_items()
    names = [name for name, _ in parameters]
    for name in names:
        if name not in PARAMETERS:
            known = ", ".join(PARAMETERS)
            raise HTTPException(400, f"There is no parameter {name[:100]!r}; there is {known}.")
        if names.count(name) > 1:
            raise HTTPException(400, f"'{name}' is given more than once.")
    given = {name: value for name, value in parameters if value}
    if "module" not in given:
        raise HTTPException(400, "'module' is missing: the name of a monitor.")
    offered = request.headers.get(TIMEOUT)
    return Asked(
        module=given["module"],
        target=given.get("target"),
        offered=None if offered is None else _seconds(offered),
    )


def _debug(request: Request) -> bool:
    value = request.query_params.get("debug", "false")
    if value not in {"true", "false"}:
        raise HTTPException(400, "'debug' is true or false.")
    return value == "true"


def _seconds(text: str) -> float:
    try:
        offered = float(text)
    except ValueError:
        offered = math.nan
    if not 0 < offered < math.inf:
        raise HTTPException(400, f"{TIMEOUT} is a number of seconds, more than 0.")
    return offered


def _sentence(status: int, text: str) -> Response:
    return PlainTextResponse(f"{text}\n", status_code=status)
