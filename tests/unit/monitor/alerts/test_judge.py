from __future__ import annotations

import json
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.monitor.alerts.judge import Change, Judge, Kind
from botkit.monitor.alerts.rules import Rules, Share
from botkit.monitor.contract import Check, Health
from botkit.results import JourneyResult, Reason, Verdict

VERDICTS = {
    "P": (Verdict.PASSED, Reason.OK),
    "D": (Verdict.DEGRADED, Reason.SLOW),
    "F": (Verdict.FAILED, Reason.TIMEOUT),
    "E": (Verdict.ERROR, Reason.SETUP),
    "S": (Verdict.SKIPPED, Reason.NOT_STARTED),
    "C": (Verdict.CANCELLED, Reason.SIGNAL),
}


def check(letter: str, minute: int, *, retest: bool = False) -> Check:
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
    return Check(monitor="smoke", location="", result=result, retest=retest)


def see(judge: Judge, letters: str) -> list[tuple[int, Change]]:
    """Show checks, a minute each; tells what people had to know, and at which check."""
    return [
        (number, change)
        for number, letter in enumerate(letters, start=1)
        for change in judge.see(check(letter, number))
    ]


def pages(letters: str, rules: Rules | None = None) -> list[str]:
    """Tell the pages as ``number:kind`` and ``number:over``."""
    return spelled(see(Judge(rules), letters))


def spelled(changes: Iterable[tuple[int, Change]]) -> list[str]:
    return [f"{n}:{c.trouble.kind.value if c.firing else 'over'}" for n, c in changes]


@pytest.mark.parametrize("between", [4, 5, 9, 19])
@pytest.mark.parametrize("blip", ["F", "D", "E"])
def test_isolated_blips_page_nobody(between: int, blip: str) -> None:
    assert pages((blip + "P" * (between - 1)) * 20) == []


@pytest.mark.parametrize("length", [2, 3, 7, 50])
@pytest.mark.parametrize("before", ["", "P", "PPPPPPPP"])
def test_one_outage_pages_once_and_is_over_once(length: int, before: str) -> None:
    began = len(before)
    told = pages(before + "F" * length + "P" * 20)
    assert told == [f"{began + 2}:down", f"{began + length + 2}:over"]


def test_a_lucky_check_within_an_outage_changes_nothing() -> None:
    assert pages("PPPFFFPFFFPFFPPPPP") == ["5:down", "15:over"]


@pytest.mark.parametrize(("letters", "page"), [("FPP", 5), ("PFP", 5), ("PPF", 6)])
def test_what_fails_one_time_in_three_pages_soon_and_once(letters: str, page: int) -> None:
    told = pages(letters * 20)
    assert told == [f"{page}:flapping"]
    assert page - (letters.index("F") + 1) <= 4, "within five runs from the first failure"


def test_what_is_stable_again_is_told_to_be_so() -> None:
    assert pages("PFPPFPPPPPP") == ["5:flapping", "10:over"]


def test_a_wider_look_pages_for_one_in_four_and_not_for_one_in_five() -> None:
    wider = Rules(flapping=Share(3, 6))
    assert pages("PPPF" * 20, wider) == ["8:flapping"]
    assert pages("PPPPF" * 20, wider) == []


def test_nobody_is_paged_for_changes_who_does_not_want_it() -> None:
    assert pages("PPF" * 20, Rules(flapping=None)) == []


def test_what_grows_worse_is_told_again_and_is_over_once() -> None:
    judge = Judge()
    told = see(judge, "PDDDFFFPP")
    assert spelled(told) == ["4:degraded", "6:down", "9:over"]
    assert [change.worse for _, change in told] == [False, True, False]
    assert {change.trouble.since_utc for _, change in told} == {120.0}


def test_what_is_slow_is_over_when_it_is_fast() -> None:
    assert pages("PDDDDDPDPP") == ["4:degraded", "10:over"]
    assert pages("PDDDDDDPP", Rules(degraded=None)) == []


def test_an_outage_that_ends_in_slowness_is_over_and_then_slow() -> None:
    assert pages("PFFDDDPP") == ["3:down", "5:over", "6:degraded", "8:over"]


def test_a_trouble_knows_since_when() -> None:
    [(_, begun), (_, over)] = see(Judge(), "PPPFPFPP")
    assert begun.trouble.since_utc == over.trouble.since_utc == 240.0


def test_a_broken_watch_is_no_trouble_of_the_chat() -> None:
    judge = Judge()
    assert spelled(see(judge, "PPEE")) == ["4:broken"]
    assert judge.health is Health.UP
    assert spelled(see(judge, "PP")) == ["2:over"]


def test_a_broken_watch_does_not_end_an_outage() -> None:
    judge = Judge()
    assert spelled(see(judge, "FFEEE")) == ["2:down", "4:broken"]
    assert judge.health is Health.DOWN
    assert spelled(see(judge, "FFPP")) == ["2:over", "4:over"]


@pytest.mark.parametrize("nothing", ["S", "C"])
def test_what_was_not_played_says_nothing(nothing: str) -> None:
    judge = Judge()
    assert see(judge, nothing * 5) == []
    assert judge.health is Health.UNKNOWN
    assert spelled(see(judge, f"F{nothing}{nothing}{nothing}F")) == ["5:down"]


@pytest.mark.parametrize(
    ("letters", "health"),
    [
        ("", Health.UNKNOWN),
        ("F", Health.UNKNOWN),
        ("E", Health.UNKNOWN),
        ("P", Health.UP),
        ("D", Health.UP),
        ("PF", Health.UP),
        ("PFF", Health.DOWN),
        ("PFFP", Health.DOWN),
        ("PFFPP", Health.UP),
        ("DDD", Health.DEGRADED),
        ("PFPPF", Health.DEGRADED),
    ],
)
def test_health(letters: str, health: Health) -> None:
    judge = Judge()
    see(judge, letters)
    assert judge.health is health


def test_a_retest_takes_the_place_of_what_it_repeats() -> None:
    judge = Judge()
    for minute in range(10):
        assert judge.see(check("F", minute)) == ()
        judge.see(check("P", minute, retest=True))
    assert judge.health is Health.UP
    assert [seen.mark.value for seen in judge.known.chat] == ["good"] * 5


def test_a_retest_that_fails_too_counts_once() -> None:
    judge = Judge()
    assert see(judge, "PF") == []
    assert judge.see(check("F", 2, retest=True)) == ()
    assert [c.firing for c in judge.see(check("F", 3))] == [True]
    assert judge.see(check("F", 3, retest=True)) == ()


def test_a_retest_takes_back_what_its_check_began() -> None:
    judge = Judge()
    see(judge, "PFF")
    [over] = judge.see(check("P", 3, retest=True))
    assert (over.firing, over.trouble.kind) == (False, Kind.DOWN)
    assert see(judge, "PPP") == []


def test_a_retest_that_was_not_played_takes_no_place() -> None:
    judge = Judge()
    see(judge, "PF")
    judge.see(check("C", 2, retest=True))
    assert [c.firing for c in judge.see(check("F", 3))] == [True]


@given(st.text("PDFESC", max_size=30), st.text("PDFESC", max_size=30))
@settings(max_examples=60, deadline=None)
def test_a_restart_at_any_time_changes_nothing(before: str, after: str) -> None:
    judge = Judge()
    see(judge, before)
    restored = Judge.restored(json.loads(json.dumps(judge.state())))
    assert restored.health is judge.health
    assert see(restored, after) == see(judge, after)


@given(st.text("PDFE", max_size=60))
@settings(max_examples=100, deadline=None)
def test_nothing_is_over_that_was_not_begun_and_nothing_begins_twice(letters: str) -> None:
    judge, open_ = Judge(), dict[bool, bool]()
    for _, change in see(judge, letters):
        own = change.trouble.kind is Kind.BROKEN
        was = open_.get(own, False)
        assert was == (change.worse or not change.firing)
        open_[own] = change.firing


@pytest.mark.parametrize(
    "state",
    [
        None,
        [],
        "x",
        {},
        {"chat": [["?", 1]], "checks": [], "trouble": None, "broken": None},
        {"chat": [], "checks": [1], "trouble": None, "broken": None},
        {"chat": [], "checks": [], "trouble": {"kind": "x"}, "broken": None},
    ],
)
def test_what_cannot_be_read_is_not_known(state: object) -> None:
    assert Judge.restored(state).health is Health.UNKNOWN


def test_a_rule_of_its_own() -> None:
    strict = Rules(fail=Share(1, 1), recover=1)
    assert pages("PFPFP", strict) == ["2:down", "3:over", "4:down", "5:over"]
