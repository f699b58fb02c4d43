"""What people ask a monitor to do, read from JSON and from forms."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import parse_qsl

import trio
from starlette.exceptions import HTTPException
from starlette.requests import Request

from botkit.monitor.contract import Controls, Maintenance

MAX_BODY = 16_384
BODY_PATIENCE = 10.0
"""Seconds in which a body is to be here."""
LONGEST = 30 * 86400
"""Seconds of a maintenance."""
MAX_BECAUSE = 300


async def read_json(request: Request) -> Mapping[str, object]:
    """Read the JSON object of a request; nothing is an empty one.

    Raises:
        HTTPException: it is none, or too much.
    """
    try:
        members = json.loads(await _body(request) or b"{}")
    except (ValueError, RecursionError) as error:
        raise HTTPException(400, "The body is no JSON.") from error
    if not isinstance(members, dict):
        raise HTTPException(400, "The body is no JSON object.")
    return members


async def read_form(request: Request) -> Mapping[str, str]:
    """Read the fields of a form.

    Raises:
        HTTPException: it is none, or too much.
    """
    try:
        text = (await _body(request)).decode()
        return dict(parse_qsl(text, keep_blank_values=True, max_num_fields=20))
    except ValueError as error:
        raise HTTPException(400, "The body is no form.") from error


def run_now(controls: Controls, monitor: str) -> None:
    """Have a journey played.

    Raises:
        HTTPException: there is no such monitor.
    """
    try:
        controls.run_now(monitor)
    except KeyError as error:
        raise no_monitor(monitor) from error


def begin_maintenance(controls: Controls, members: Mapping[str, object], now: float) -> Maintenance:
    """Begin a maintenance: ``{"monitor": NAME or null, "for": seconds, "because": TEXT}``.

    Raises:
        HTTPException: something of it is wrong, or there is no such monitor.
    """
    maintenance = Maintenance(
        monitor=_monitor(members),
        until_utc=now + _length(members.get("for")),
        because=_because(members.get("because", "")),
    )
    try:
        controls.begin_maintenance(maintenance)
    except KeyError as error:
        raise no_monitor(maintenance.monitor) from error
    return maintenance


def end_maintenance(controls: Controls, monitor: str | None) -> None:
    """End one.

    Raises:
        HTTPException: none goes on for this monitor, or for all.
    """
    try:
        controls.end_maintenance(monitor)
    except KeyError as error:
        whom = "all monitors" if monitor is None else f"monitor {monitor!r}"
        raise HTTPException(404, f"No maintenance goes on for {whom}.") from error


def no_monitor(name: str | None) -> HTTPException:
    """Say that there is no such monitor."""
    return HTTPException(404, f"There is no monitor {name!r}.")


def _monitor(members: Mapping[str, object]) -> str | None:
    """Read whom it concerns: left out is a mistake in JSON, for null would stop all."""
    match members.get("monitor", 0):
        case None:
            return None
        case str() as name:
            return name
        case _:
            raise HTTPException(400, "'monitor' is a name, or null for all.")


def _length(value: object) -> float:
    try:
        seconds = float(value) if isinstance(value, (int, float, str)) else 0.0
    except (ValueError, OverflowError):
        seconds = 0.0
    if not 0 < seconds <= LONGEST:
        raise HTTPException(400, f"'for' is a number of seconds, {LONGEST:,} at most.")
    return seconds


def _because(value: object) -> str:
    if not isinstance(value, str) or len(value) > MAX_BECAUSE:
        raise HTTPException(400, f"'because' is a text of {MAX_BECAUSE} characters at most.")
    return value.strip()


async def _body(request: Request) -> bytes:
    body, more = b"", True
    with trio.move_on_after(BODY_PATIENCE):
        while more:
            message = await request.receive()
            if message["type"] == "http.disconnect":
                raise HTTPException(400, "The body has no end.")
            body += message.get("body", b"")
            more = message.get("more_body", False)
            if len(body) > MAX_BODY:
                raise HTTPException(413, f"The body has more than {MAX_BODY:,} bytes.")
        return body
    raise HTTPException(408, f"The body did not come within {BODY_PATIENCE:.0f} s.")
