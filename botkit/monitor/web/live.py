"""Tells browsers and programs of each check as it comes (server-sent events)."""

from __future__ import annotations

import json
import math

import trio
from starlette.types import Receive, Scope, Send

from botkit.monitor.contract import Check, Follower

MAX_LISTENERS = 100
MAX_WAITING = 100
"""Events that a listener may be behind; then it is hung up on, and comes back by itself."""
HEARTBEAT = 15.0
"""Seconds after which something is sent, so that proxies do not think the stream dead."""
AGAIN_MS = 2000
"""When a listener whose stream broke comes back."""


class Live(Follower):
    """Hands checks on to all who listen."""

    def __init__(self) -> None:
        self._listeners: set[trio.MemorySendChannel[bytes]] = set()

    @property
    def full(self) -> bool:
        """No one more may listen."""
        return len(self._listeners) >= MAX_LISTENERS

    def checked(self, check: Check) -> None:
        """Tell all who listen."""
        event = event_of(check)
        for listener in tuple(self._listeners):
            try:
                listener.send_nowait(event)
            except trio.WouldBlock:
                self._listeners.discard(listener)
                listener.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for the stream, until its peer or the server goes."""
        telling, told = trio.open_memory_channel[bytes](MAX_WAITING)
        self._listeners.add(telling)
        try:
            async with trio.open_nursery() as nursery, told:
                nursery.start_soon(_cancel_when_gone, receive, nursery.cancel_scope)
                await _stream(told, send)
                nursery.cancel_scope.cancel()
        finally:
            self._listeners.discard(telling)
            telling.close()


def event_of(check: Check) -> bytes:
    """Write a check as an event of the stream."""
    result = check.result
    data = {
        "monitor": check.monitor,
        "location": check.location,
        "journey_id": result.journey_id,
        "verdict": result.verdict.value,
        "reason": result.reason.value,
        "message": result.message,
        "started_utc": result.started_utc,
        "duration": result.duration if math.isfinite(result.duration) else None,
        "retest": check.retest,
    }
    # JSON escapes line ends, so that one line is always enough.
    return f"event: checked\ndata: {json.dumps(data)}\n\n".encode()


async def _stream(told: trio.MemoryReceiveChannel[bytes], send: Send) -> None:
    headers = [(b"content-type", b"text/event-stream"), (b"x-accel-buffering", b"no")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    event = f"retry: {AGAIN_MS}\n\n".encode()
    while event:
        await send({"type": "http.response.body", "body": event, "more_body": True})
        event = await _next(told)
    await send({"type": "http.response.body", "body": b""})


async def _next(told: trio.MemoryReceiveChannel[bytes]) -> bytes:
    """Wait for the next event; nothing when there will be none."""
    with trio.move_on_after(HEARTBEAT):
        try:
            return await told.receive()
        except trio.EndOfChannel:
            return b""
    return b": still here\n\n"


async def _cancel_when_gone(receive: Receive, scope: trio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    scope.cancel()
