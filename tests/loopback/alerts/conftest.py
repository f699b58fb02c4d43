"""A server for alerts, and one to tell."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import trio

from botkit.results import Alert
from botkit.simulator.http import Reply, Request
from botkit.simulator.server import serve_http

LIMIT = 20.0
"""Seconds that a test may take; on the real clock, and far more than it needs."""

DOWN = Alert(
    key="smoke@paris",
    firing=True,
    title="smoke (paris) is down: timeout: nobody joins ☎",
    text="smoke is down since 2027-01-15 08:02:00 UTC.\nThe last lines of the chat:\n  hello",
    since_utc=1_800_000_120.0,
    kind="down",
    monitor="smoke",
    location="paris",
    link="https://status.example.com/journeys/j3",
)
UP = Alert(
    key="smoke@paris",
    firing=False,
    title="smoke (paris) is up again",
    text="It lasted 3 min 0 s.",
    since_utc=1_800_000_120.0,
    kind="down",
    monitor="smoke",
    location="paris",
    ended_utc=1_800_000_300.0,
)


class Receiver:
    """Takes requests; answers with what was queued first."""

    def __init__(self) -> None:
        self.queued: list[Reply] = []
        self.asked: list[Request] = []
        self.url = ""

    async def answer(self, request: Request) -> Reply:
        await trio.lowlevel.checkpoint()
        self.asked.append(request)
        return self.queued.pop(0) if self.queued else Reply(status=200, body=b"ok")

    @property
    def taken(self) -> list[dict[str, Any]]:
        return [json.loads(request.body) for request in self.asked]


@pytest.fixture
def down() -> Alert:
    return DOWN


@pytest.fixture
def up() -> Alert:
    return UP


@pytest.fixture
def reply() -> Callable[[int, str], Reply]:
    return lambda status, text: Reply(status=status, body=text.encode())


@pytest.fixture
async def receiver(nursery: trio.Nursery) -> AsyncIterator[Receiver]:
    """A server on a port of its own."""
    nursery.cancel_scope.deadline = trio.current_time() + LIMIT
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    found = Receiver()
    found.url = f"http://127.0.0.1:{listeners[0].socket.getsockname()[1]}/T0P/s3cret?token=q1"
    await nursery.start(
        lambda task_status: serve_http(found.answer, listeners, task_status=task_status)
    )
    yield found
    nursery.cancel_scope.cancel()
