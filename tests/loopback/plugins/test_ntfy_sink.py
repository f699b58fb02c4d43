"""The alert sink of ``plugins/ntfy_sink.py`` against a server of topics."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
import trio

from botkit.errors import ConfigError, ConnectorError
from botkit.plugins import Plugins
from botkit.results import Alert
from botkit.simulator.http import Reply, Request

Serve = Callable[[Any], Any]
Load = Callable[[str], Plugins]
DOWN = Alert(
    key="smoke", firing=True, title="Chat is down ☎", text="nobody joins since 3:00", since_utc=0.0
)


class Topics:
    """Takes what is published; answers with what was queued first."""

    def __init__(self, *queued: int) -> None:
        self.queued = list(queued)
        self.asked: list[Request] = []

    async def answer(self, request: Request) -> Reply:
        await trio.lowlevel.checkpoint()
        self.asked.append(request)
        return Reply(status=self.queued.pop(0) if self.queued else 200, body=b"{}")

    @property
    def published(self) -> list[dict[str, Any]]:
        return [json.loads(request.body) for request in self.asked]


@pytest.fixture(autouse=True)
def no_pauses(load: Load, monkeypatch: pytest.MonkeyPatch) -> None:
    module = load("ntfy_sink").alert_sinks["ntfy"].__module__
    monkeypatch.setattr(sys.modules[module], "PAUSE", 0.01)


async def test_an_alert_and_its_end_are_published(load: Load, serve: Serve) -> None:
    topics = Topics()
    url = await serve(topics.answer)
    sink = load("ntfy_sink").alert_sinks["ntfy"](topic="night-shift", server=url, token="tk_1")
    await sink.deliver(DOWN)
    over = Alert(key="smoke", firing=False, title="Chat is back", text="", since_utc=9.0)
    await sink.deliver(over)
    assert [request.method for request in topics.asked] == ["POST", "POST"]
    assert topics.asked[0].headers["authorization"] == "Bearer tk_1"
    assert topics.published == [
        {
            "topic": "night-shift",
            "title": "Chat is down ☎",
            "message": "nobody joins since 3:00",
            "priority": 5,
            "tags": ["rotating_light"],
        },
        {
            "topic": "night-shift",
            "title": "Chat is back",
            "message": "Chat is back",
            "priority": 3,
            "tags": ["white_check_mark"],
        },
    ]


async def test_a_server_that_is_busy_is_asked_again(load: Load, serve: Serve) -> None:
    topics = Topics(429, 503)
    sink = load("ntfy_sink").alert_sinks["ntfy"](topic="t", server=await serve(topics.answer))
    await sink.deliver(DOWN)
    assert len(topics.asked) == 3


@pytest.mark.parametrize(("answers", "asked"), [((500,) * 3, 3), ((403,), 1)])
async def test_what_is_not_taken_is_an_error_that_names_it(
    answers: tuple[int, ...], asked: int, load: Load, serve: Serve
) -> None:
    topics = Topics(*answers)
    url = await serve(topics.answer)
    sink = load("ntfy_sink").alert_sinks["ntfy"](topic="t0p-s3cret", server=url, token="tk_1")
    with pytest.raises(ConnectorError) as caught:
        await sink.deliver(DOWN)
    assert len(topics.asked) == asked
    assert str(caught.value) == (
        f"{url} did not take the alert 'Chat is down ☎': status {answers[-1]}"
    )


async def test_nobody_listens(load: Load) -> None:
    sink = load("ntfy_sink").alert_sinks["ntfy"](topic="t", server="http://127.0.0.1:9")
    with pytest.raises(ConnectorError, match="did not take the alert"):
        await sink.deliver(DOWN)


def test_a_server_without_a_scheme_is_refused(load: Load) -> None:
    with pytest.raises(ConfigError, match=r"needs the URL of a server, not 'ntfy\.sh'"):
        load("ntfy_sink").alert_sinks["ntfy"](topic="t", server="ntfy.sh")
