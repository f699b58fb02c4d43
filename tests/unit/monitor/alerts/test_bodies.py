"""What sinks write, pinned in files; ``golden/README.md`` says who of others reads the same."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from botkit.monitor.alerts.sinks.pagerduty import LONGEST_KEY, dedup_key, event
from botkit.monitor.alerts.sinks.slack import MOST, message
from botkit.monitor.alerts.sinks.webhook import (
    alertmanager_body,
    cloud_event,
    key_of,
    signature,
)
from botkit.results import Alert

GOLDEN = Path(__file__).parent / "golden"
PAGE = "https://status.example.com"
DOWN = Alert(
    key="smoke@paris",
    firing=True,
    title="smoke is down",
    text="nobody <joins> & @all ```",
    since_utc=1_800_000_120.0,
    kind="down",
    monitor="smoke",
    location="paris",
    link=f"{PAGE}/journeys/j3",
)
BROKEN = Alert(
    key="web/broken",
    firing=True,
    title="web cannot be watched",
    text="",
    since_utc=1_800_000_180.0,
    kind="broken",
    monitor="web",
)
UP = replace(
    DOWN,
    firing=False,
    title="smoke is up again",
    text="It lasted 3 min 0 s.",
    ended_utc=1_800_000_300.0,
)


def golden(name: str) -> Any:
    return json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))


def test_alertmanager() -> None:
    assert alertmanager_body([DOWN, BROKEN], page=PAGE) == golden("alertmanager")


def test_alertmanager_knows_a_trouble_again_whatever_becomes_of_it() -> None:
    stages = [replace(DOWN, kind="degraded"), DOWN, replace(DOWN, reminder=1), UP]
    bodies = [alertmanager_body([alert])["alerts"][0] for alert in stages]
    assert len({body["fingerprint"] for body in bodies}) == 1
    assert [body["status"] for body in bodies] == ["firing"] * 3 + ["resolved"]
    assert bodies[-1]["endsAt"] == "2027-01-15T08:05:00.000Z"


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("down", "BotkitChat"),
        ("degraded", "BotkitChat"),
        ("broken", "BotkitWatch"),
        ("burning", "BotkitBudget"),
        ("draining", "BotkitBudget"),
    ],
)
def test_alertmanager_tells_the_chat_from_its_budget_and_from_the_watching(
    kind: str, name: str
) -> None:
    [alert] = alertmanager_body([replace(DOWN, kind=kind)])["alerts"]
    assert alert["labels"]["alertname"] == name


def test_cloudevents() -> None:
    assert cloud_event(UP, at=0.0) == golden("cloudevents")


def test_an_event_has_the_same_id_however_often_it_is_sent_and_another_one_for_news() -> None:
    ids = [
        cloud_event(alert, at=at)["id"]
        for alert, at in [(DOWN, 1.0), (DOWN, 2.0), (replace(DOWN, reminder=1), 3.0), (UP, 4.0)]
    ]
    assert ids[0] == ids[1]
    assert len(set(ids)) == 3


def test_pagerduty() -> None:
    assert event(DOWN, routing_key="R0UT1NG", page=PAGE) == golden("pagerduty-trigger")
    assert event(UP, routing_key="R0UT1NG", page=PAGE) == golden("pagerduty-resolve")


@pytest.mark.parametrize(
    ("kind", "severity"),
    [
        ("down", "critical"),
        ("broken", "error"),
        ("flapping", "error"),
        ("burning", "error"),
        ("degraded", "warning"),
        ("draining", "warning"),
        ("of a plugin", "error"),
    ],
)
def test_pagerduty_is_told_how_bad_it_is(kind: str, severity: str) -> None:
    body = event(replace(DOWN, kind=kind), routing_key="k")
    assert body["payload"]["severity"] == severity


def test_long_names_are_told_apart_within_what_pagerduty_takes() -> None:
    keys = {dedup_key("x" * 300 + end) for end in "ab"}
    assert len(keys) == 2
    assert {len(key) for key in keys} == {LONGEST_KEY}


def test_slack() -> None:
    assert message([DOWN, BROKEN]) == golden("slack")


@pytest.mark.parametrize(
    ("kind", "color"), [("down", "#d0021b"), ("degraded", "#f5a623"), ("draining", "#f5a623")]
)
def test_slack_shows_in_amber_what_can_wait(kind: str, color: str) -> None:
    [attachment] = message([replace(DOWN, kind=kind)])["attachments"]
    assert attachment["color"] == color


def test_slack_is_told_good_news_in_green() -> None:
    body = message([UP])
    assert body["text"] == ":white_check_mark: smoke is up again"
    assert body["attachments"][0]["color"] == "#2eb67d"


def test_a_flood_is_cut_for_slack() -> None:
    body = message([DOWN] * 500)
    assert len(body["attachments"]) == MOST
    assert body["text"] == ":rotating_light: 500 in trouble: smoke"


def test_the_signature_is_that_of_the_specification() -> None:
    # github.com/standard-webhooks/standard-webhooks, the example of its libraries.
    key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    name, seconds = "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330"
    signed = signature(key, name, seconds, b'{"test": 2432232314}')
    assert signed == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_secret_may_be_any_text() -> None:
    assert key_of("any text") == b"any text"
