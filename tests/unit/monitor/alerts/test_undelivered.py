from __future__ import annotations

import json
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from botkit.monitor.alerts.told import Overdue, alert_from_json, alert_to_json
from botkit.monitor.alerts.undelivered import MOST, OLDEST, Undelivered
from botkit.results import Alert

NOW = 1_800_000_000.0
DOWN = Alert(
    key="smoke@paris",
    firing=True,
    title="smoke is down ☎",
    text="it is",
    since_utc=NOW - 60,
    kind="down",
    monitor="smoke",
    location="paris",
    link="https://status.example.com/journeys/j3",
    reminder=2,
)
UP = replace(DOWN, firing=False, ended_utc=NOW, reminder=0)


class Clock:
    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "m.undelivered"


@pytest.fixture
def undelivered(path: Path, clock: Clock) -> Undelivered:
    return Undelivered(path, clock)


@pytest.mark.parametrize("alert", [DOWN, UP])
def test_an_alert_is_read_as_it_was_written(alert: Alert) -> None:
    assert alert_from_json(json.loads(json.dumps(alert_to_json(alert)))) == alert


def test_what_waited_is_there_again_and_has_grown_older(
    undelivered: Undelivered, clock: Clock
) -> None:
    assert undelivered.load() == {}
    undelivered.save({"ops": [Overdue(alert=DOWN, age=5), Overdue(alert=UP, age=1)], "boss": []})
    clock.now += 600
    assert undelivered.load() == {
        "ops": [Overdue(alert=DOWN, age=605), Overdue(alert=UP, age=601)],
        "boss": [],
    }


def test_nobody_else_may_read_it_and_it_is_gone_when_nothing_waits(
    undelivered: Undelivered, path: Path
) -> None:
    undelivered.save({"ops": [Overdue(alert=DOWN, age=5)]})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    undelivered.save({"ops": []})
    undelivered.save({"ops": []})
    assert list(path.parent.iterdir()) == []


def test_the_newest_are_kept(undelivered: Undelivered) -> None:
    alerts = [replace(DOWN, title=str(number)) for number in range(MOST + 5)]
    undelivered.save({"ops": [Overdue(alert=alert, age=1) for alert in alerts]})
    assert [one.alert for one in undelivered.load()["ops"]] == alerts[5:]


def test_what_is_too_old_is_said_and_not_delivered(
    undelivered: Undelivered, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    undelivered.save({"ops": [Overdue(alert=DOWN, age=100), Overdue(alert=UP, age=0)]})
    clock.now += OLDEST - 50
    assert [one.alert for one in undelivered.load()["ops"]] == [UP]
    assert "an alert for ops is too old to be delivered: smoke is down" in caplog.text


def test_a_clock_that_was_set_back_makes_nothing_younger_than_it_is(
    undelivered: Undelivered, clock: Clock
) -> None:
    undelivered.save({"ops": [Overdue(alert=DOWN, age=0)]})
    clock.now -= 3600
    assert undelivered.load()["ops"] == [Overdue(alert=DOWN, age=0)]


@pytest.mark.parametrize(
    "item",
    [
        None,
        3,
        {},
        {"told_utc": NOW, "alert": None},
        {"told_utc": NOW, "alert": {"key": "x"}},
        {"told_utc": "noon", "alert": alert_to_json(DOWN)},
        {"told_utc": NOW, "alert": alert_to_json(DOWN) | {"since_utc": []}},
    ],
)
def test_what_cannot_be_read_hides_nothing_else(
    item: Any, undelivered: Undelivered, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    good = {"told_utc": NOW, "alert": alert_to_json(UP)}
    path.write_text(json.dumps({"botkit_monitor": 1, "waiting": {"ops": [item, good]}}))
    assert undelivered.load() == {"ops": [Overdue(alert=UP, age=0)]}
    assert "an alert for ops that waited is lost" in caplog.text


@pytest.mark.parametrize("waiting", [None, [], {"ops": None}, {"ops": "x"}])
def test_a_file_of_another_shape_holds_nothing(
    waiting: Any, undelivered: Undelivered, path: Path
) -> None:
    path.write_text(json.dumps({"botkit_monitor": 1, "waiting": waiting}))
    assert not any(undelivered.load().values())
