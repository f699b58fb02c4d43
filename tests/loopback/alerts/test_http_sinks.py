"""The sinks that post, against a server; signatures and events are judged by foreign libraries."""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable
from typing import Any

import pytest
import standardwebhooks
import trio
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from cloudevents.core.formats.json import JSONFormat

from botkit import default_plugins
from botkit.errors import ConfigError, ConnectorError
from botkit.interfaces import AlertSink
from botkit.monitor.alerts.alerting import Alerting
from botkit.monitor.alerts.outbox import Route
from botkit.results import Alert
from botkit.simulator.http import Reply

Answer = Callable[[int, str], Reply]
SECRET = "whsec_" + base64.b64encode(b"a key of the tests").decode()
MAKERS: dict[str, Callable[[str], AlertSink]] = {
    "webhook": lambda url: default_plugins.webhook_sink(url=url, secret=SECRET),
    "cloudevents": lambda url: default_plugins.webhook_sink(
        url=url, secret=SECRET, format="cloudevents"
    ),
    "slack": lambda url: default_plugins.slack_sink(url=url),
    "pagerduty": lambda url: default_plugins.pagerduty_sink(routing_key="R0UT1NG", url=url),
}


@pytest.fixture(params=MAKERS)
def make(request: pytest.FixtureRequest) -> Callable[[str], AlertSink]:
    return MAKERS[request.param]


async def test_an_alert_arrives_as_json(
    make: Callable[[str], AlertSink], receiver: Any, down: Alert, up: Alert
) -> None:
    sink = make(receiver.url)
    await sink.deliver(down)
    await sink.deliver(up)
    assert [(r.method, r.path) for r in receiver.asked] == [("POST", "/T0P/s3cret")] * 2
    assert all("json" in request.headers["content-type"] for request in receiver.asked)
    first, second = receiver.taken
    assert "nobody joins ☎" in str(first)
    assert first != second


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, ConfigError),
        (403, ConfigError),
        (302, ConfigError),
        (408, ConnectorError),
        (429, ConnectorError),
        (500, ConnectorError),
        (503, ConnectorError),
    ],
)
async def test_a_refusal_is_told_without_secrets(
    status: int,
    error: type[Exception],
    make: Callable[[str], AlertSink],
    receiver: Any,
    down: Alert,
    reply: Answer,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    receiver.queued.append(reply(status, f"no: /T0P/s3cret R0UT1NG {SECRET}"[:190]))
    with pytest.raises(error) as caught:
        await make(receiver.url).deliver(down)
    host = receiver.url.partition("/T0P")[0]
    assert str(caught.value).startswith(f"{host} answers with status {status}")
    assert "s3cret" not in f"{caught.value}{caplog.text}"


async def test_nobody_listens(make: Callable[[str], AlertSink], down: Alert) -> None:
    with pytest.raises(ConnectorError, match=r"^http://127\.0\.0\.1:9 could not be asked"):
        await make("http://127.0.0.1:9/s3cret").deliver(down)


@pytest.mark.parametrize("url", ["", "hooks.example.com/x", "ftp://x/", "https://", "file:///etc"])
def test_what_is_no_url_is_refused(url: str, make: Callable[[str], AlertSink]) -> None:
    with pytest.raises(ConfigError) as caught:
        make(url)
    assert caught.value.key == "url"


@pytest.mark.parametrize("form", ["alertmanager", "cloudevents"])
async def test_a_foreign_library_accepts_the_signature(
    form: str, receiver: Any, down: Alert
) -> None:
    sink = default_plugins.webhook_sink(
        url=receiver.url, secret=SECRET, format=form, headers={"Authorization": "Bearer b3arer"}
    )
    await sink.deliver(down)
    await sink.deliver(down)
    first, again = receiver.asked
    judge = standardwebhooks.Webhook(SECRET)
    judge.verify(first.body, dict(first.headers))
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        judge.verify(first.body + b" ", dict(first.headers))
    assert first.headers["webhook-id"] == again.headers["webhook-id"]
    assert first.headers["authorization"] == "Bearer b3arer"


async def test_without_a_secret_nothing_is_signed(receiver: Any, down: Alert) -> None:
    await default_plugins.webhook_sink(url=receiver.url).deliver(down)
    assert "webhook-signature" not in receiver.asked[0].headers


async def test_a_foreign_library_reads_the_event(receiver: Any, down: Alert, up: Alert) -> None:
    sink = default_plugins.webhook_sink(url=receiver.url, format="cloudevents")
    for alert in (down, up):
        await sink.deliver(alert)
    events = [
        from_http_event(HTTPMessage(headers=dict(request.headers), body=request.body), JSONFormat())
        for request in receiver.asked
    ]
    assert [event.get_type() for event in events] == [
        "io.botkit.alert.firing",
        "io.botkit.alert.resolved",
    ]
    assert {event.get_subject() for event in events} == {"smoke@paris"}
    assert len({event.get_id() for event in events}) == 2
    data = events[0].get_data()
    assert isinstance(data, dict)
    assert data["title"] == down.title


async def test_a_group_is_one_request(receiver: Any, down: Alert, nursery: trio.Nursery) -> None:
    hook = default_plugins.webhook_sink(url=receiver.url)
    alerting = Alerting([Route(name="hook", sink=hook, gather=0.05)])
    for number in range(3):
        key = f"m{number}"
        alerting.tell(Alert(key=key, firing=True, title=key, text="", since_utc=0.0, monitor=key))
    await nursery.start(alerting.run)
    [standing] = alerting.standings()
    with trio.fail_after(10):
        while not standing.delivered:  # noqa: ASYNC110
            await trio.sleep(0.01)
    [body] = receiver.taken
    assert [alert["labels"]["monitor"] for alert in body["alerts"]] == ["m0", "m1", "m2"]
    assert body["commonLabels"] == {
        "alertname": "BotkitChat",
        "job": "botkit",
        "kind": "down",
        "severity": "critical",
    }


@pytest.mark.parametrize("secret", ["whsec_???", "whsec_", ""])
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    with pytest.raises(ConfigError) as caught:
        default_plugins.webhook_sink(url="https://x.example.com", secret=secret)
    assert caught.value.key == "secret"
