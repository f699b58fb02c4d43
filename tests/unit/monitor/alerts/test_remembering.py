"""What is known after a restart, whatever of the state could be read."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.monitor.alerts.alerting import Alerting
from botkit.monitor.contract import Check, Health
from botkit.monitor.slo import ALARMS, Spending
from botkit.results import JourneyResult, Reason, Verdict

VERDICTS = {
    "P": (Verdict.PASSED, Reason.OK),
    "D": (Verdict.DEGRADED, Reason.SLOW),
    "F": (Verdict.FAILED, Reason.TIMEOUT),
    "E": (Verdict.ERROR, Reason.SETUP),
}
FAST = Spending(alarm=ALARMS[0], rate=20.0, left=0.5, window=30 * 86400.0)


def check(letter: str, minute: int) -> Check:
    verdict, reason = VERDICTS[letter]
    result = JourneyResult(
        run_id="r",
        journey_id=f"j{minute}",
        bot="smoke",
        name="smoke",
        verdict=verdict,
        reason=reason,
        started_utc=60.0 * minute,
        began=0.0,
        duration=1.0,
    )
    return Check(monitor="smoke", location="paris", result=result)


def show(alerting: Alerting, letters: str, *, budget: bool = False) -> None:
    """Tell of checks; their failures spend a budget too fast if wanted."""
    for minute, letter in enumerate(letters, start=1):
        seen = check(letter, minute)
        alerting.decide(seen)
        alerting.spends(seen, FAST if budget and letter == "F" else None)


def kinds(alerting: Alerting) -> set[str]:
    return {alert.kind for alert in alerting.alerts()}


Spoil = Callable[[Any], None]


def without(*parts: str) -> Spoil:
    def spoil(state: Any) -> None:
        for part in parts:
            state[part] = None

    return spoil


def spoiled_items(part: str, key: str) -> Spoil:
    def spoil(state: Any) -> None:
        for item in state[part]:
            item[key] = None

    return spoil


SPOILS: dict[str, Spoil] = {
    "nothing": lambda state: None,
    "judges": without("judges"),
    "told": without("told"),
    "both": without("judges", "told"),
    "a judge": spoiled_items("judges", "known"),
    "a time": spoiled_items("told", "at"),
    "a kind": spoiled_items("told", "kind"),
    "a kind of a judge": lambda state: [
        judge["known"].update(trouble={"kind": "?", "since_utc": 0}) for judge in state["judges"]
    ],
}


@given(before=st.text("PDFE", max_size=12), spoil=st.sampled_from(list(SPOILS)))
@settings(max_examples=120, deadline=None)
def test_no_trouble_is_for_ever_and_none_is_silent(before: str, spoil: str) -> None:
    first = Alerting()
    show(first, before, budget=True)
    state = json.loads(json.dumps(first.state()))
    SPOILS[spoil](state)
    again = Alerting(remembered=state)
    show(again, "P" * 6)
    assert again.alerts() == []
    assert again.decide(check("P", 7)) is Health.UP
    show(again, "FFF", budget=True)
    assert kinds(again) >= {"down", "burning"}
    show(again, "EEE")
    assert kinds(again) >= {"down", "broken"}


@pytest.mark.parametrize("spoil", ["nothing", "judges", "a judge"])
def test_what_was_told_is_not_told_again(spoil: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    first = Alerting()
    show(first, "FFFEE")
    assert kinds(first) == {"down", "broken"}
    state = json.loads(json.dumps(first.state()))
    SPOILS[spoil](state)
    caplog.clear()
    again = Alerting(remembered=state)
    show(again, "EEFEEFE")
    assert "alert:" not in caplog.text
