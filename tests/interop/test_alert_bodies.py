"""What the sinks of alerts write, read by the Go types of those who know the formats."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from botkit.monitor.alerts.sinks.pagerduty import event
from botkit.monitor.alerts.sinks.slack import message
from botkit.monitor.alerts.sinks.webhook import alertmanager_body
from botkit.results import Alert

PAGE = "https://status.example.com"
DOWN = Alert(
    key="smoke@paris",
    firing=True,
    title="smoke is down: nobody joins ☎",
    text="nobody <joins> & @all ```",
    since_utc=1_800_000_120.25,
    kind="down",
    monitor="smoke",
    location="paris",
    link=f"{PAGE}/journeys/j3",
)
BARE = Alert(key="x/broken", firing=True, title="x", text="", since_utc=1_800_000_180.0)
UP = replace(DOWN, firing=False, title="smoke is up again", ended_utc=1_800_000_300.0)


def read(alerts_judge: Path, form: str, body: Mapping[str, Any]) -> Any:
    """Have a body read; gives what was understood of it."""
    done = subprocess.run(
        [str(alerts_judge), form],
        input=json.dumps(body),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def lost(written: Any, understood: Any) -> list[str]:
    """Name what was written and is not in what was understood."""
    if isinstance(written, Mapping):
        return [
            f"{key}/{rest}" if rest else key
            for key, value in written.items()
            for rest in (lost(value, understood[key]) if key in understood else [""])
        ]
    if isinstance(written, list):
        pairs = zip(written, understood, strict=True)
        return [f"{n}/{rest}" for n, pair in enumerate(pairs) for rest in lost(*pair)]
    return [] if written == understood or same_time(written, understood) else [repr(written)]


def same_time(one: Any, other: Any) -> bool:
    """Tell whether two texts are one time; Go writes no zeros at the end of a fraction."""
    try:
        return datetime.fromisoformat(one) == datetime.fromisoformat(other)
    except (TypeError, ValueError):
        return False


@pytest.mark.parametrize("alerts", [[DOWN, BARE], [UP]])
def test_alertmanager_understands_its_webhook(alerts_judge: Path, alerts: list[Alert]) -> None:
    body = alertmanager_body(alerts, page=PAGE)
    understood = read(alerts_judge, "alertmanager", body)
    assert lost(body, understood) == []
    # Newer than version 4 was; a receiver that knows them sees that they say nothing.
    assert {name for name in understood if name not in body} <= {
        "notification_reason",
        "routeLabels",
    }


@pytest.mark.parametrize("alert", [DOWN, BARE, UP])
def test_pagerdutys_library_understands_its_event(alerts_judge: Path, alert: Alert) -> None:
    body = event(alert, routing_key="R" * 32, page=PAGE)
    assert lost(body, read(alerts_judge, "pagerduty", body)) == []


@pytest.mark.parametrize("alerts", [[DOWN, BARE], [UP]])
def test_a_library_for_slack_understands_its_message(
    alerts_judge: Path, alerts: list[Alert]
) -> None:
    body = {**message(alerts), "channel": "#ops"}
    assert lost(body, read(alerts_judge, "slack", body)) == []


@pytest.mark.parametrize(
    ("form", "wrong"),
    [
        ("alertmanager", {"version": "4", "group_key": ""}),
        ("alertmanager", {"alerts": [{"startsAt": "yesterday"}]}),
        ("pagerduty", {"dedupKey": ""}),
        ("slack", {"attachments": [{"ts": [1]}]}),
    ],
)
def test_the_judge_refuses_what_is_wrong(
    alerts_judge: Path, form: str, wrong: dict[str, Any]
) -> None:
    done = subprocess.run(
        [str(alerts_judge), form], input=json.dumps(wrong), text=True, check=False
    )
    assert done.returncode == 1


def test_what_is_lost_is_seen() -> None:
    written = {"a": [{"b": 1, "c": 2}], "d": "2027-01-15T08:02:00.250Z"}
    assert lost(written, {"a": [{"b": 1}], "d": "2027-01-15T08:02:00.25Z"}) == ["a/0/c"]
    assert lost(written, {"a": [{"b": 2, "c": 2}], "d": "x"}) == ["a/0/b/1", f"d/{written['d']!r}"]
