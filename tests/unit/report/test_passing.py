"""What each step took and passed over, read from the evidence of a journey."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from botkit.chat import PartyKind, Row
from botkit.chat.transcript import MAX_LINE
from botkit.chat.tried import MAX_SHOWN
from botkit.masking import CUT
from botkit.report.evidence import evidence
from botkit.report.explanation import explanation
from botkit.report.json_document import MAX_CAME, document
from botkit.report.passing import (
    HISTORY,
    NO_FIT,
    OTHER_SENDER,
    OWN_LINE,
    Account,
    account_of_miss,
    accounts,
)
from botkit.results import JourneyResult, Reason, StepResult, Verdict

EXPECTED = 'a message containing "case number"'


def said(seq: int, text: str, who: str = "Ada", **more: Any) -> Row:
    party = PartyKind.CUSTOMER if who == "Bill" else PartyKind.AGENT
    return Row(at=100.0 + seq, who=who, kind="message", text=text, party=party, seq=seq, **more)


def step(number: int, *, at: float = 0.0, verb: str = "expect", **more: Any) -> StepResult:
    plain = {"duration": 10.0, "verdict": Verdict.PASSED, "reason": Reason.OK, "expected": EXPECTED}
    return StepResult(
        number=number,
        path=f"steps[{number - 1}]",
        verb=verb,
        text=f"{verb} {number}",
        started=at,
        asserts=True,
        **{**plain, **more},
    )


def missed(number: int, **more: Any) -> StepResult:
    return step(number, verdict=Verdict.FAILED, reason=Reason.EXPECTATION, **more)


def journey(make_journey: Any, rows: Iterable[Row], *steps: StepResult) -> JourneyResult:
    made: JourneyResult = make_journey(steps=steps, step=steps[-1], transcript=tuple(rows))
    return made


def passed(account: Account) -> list[tuple[int | None, str]]:
    return [(one.seq, one.why) for one in account.passed]


def test_a_step_passes_over_what_came_since_the_last_one(make_journey: Any) -> None:
    rows = [
        said(2, "hello"),
        Row(at=103.0, who="", kind="notice", text="n", seq=3),
        # It was sent before the agent's line came, and echoed after it.
        said(6, "my case", "Bill"),
        said(4, "hm"),
        said(5, "one moment"),
        said(7, "hello", history=True),
        said(8, "case number", "Robot"),
        said(9, "your case number"),
        said(10, "not yet read"),
    ]
    first = step(1, seq=2, took="Ada: hello")
    second = step(
        2, seq=9, took="Ada: your case number", passed_over=("Ada: hm - no", "Ada: one moment")
    )
    of_first, of_second = accounts(journey(make_journey, rows, first, second))
    assert of_first.took == rows[0]
    assert passed(of_first) == []
    assert of_second.took == rows[7]
    assert passed(of_second) == [
        (4, "no"),
        (5, NO_FIT),
        (6, OWN_LINE),
        (7, HISTORY),
        (8, OTHER_SENDER),
    ]
    assert of_second.closest() is None


def test_a_miss_names_what_came_closest_and_ignores_what_came_too_late(make_journey: Any) -> None:
    rows = [
        said(2, "case number", "Bill"),
        said(3, "hello"),
        said(4, "Your case nummber is 4711"),
        said(60, "case number"),
    ]
    miss = missed(1, received=("Ada: hello - no", "Ada: Your case nummber is 4711 - no"))
    [account] = accounts(journey(make_journey, rows, miss))
    assert passed(account) == [(2, OWN_LINE), (3, "no"), (4, "no")]
    closest = account.closest()
    assert closest is not None
    assert closest.passed.seq == 4
    assert closest.likeness.wanted == "case number"
    assert closest.likeness.marked == "…case [-number-]{+nummber+}…"


def test_another_sender_may_have_come_closest(make_journey: Any) -> None:
    rows = [said(2, "hello"), said(3, "the case number", "Robot")]
    account = account_of_miss(
        journey(make_journey, rows, miss := missed(1, received=("Ada: hello - no",))), miss
    )
    closest = account.closest()
    assert closest is not None
    assert (closest.passed.seq, closest.passed.why) == (3, OTHER_SENDER)
    assert closest.likeness.percent == 100


def test_what_can_never_count_is_closest_only_if_nothing_else_came(make_journey: Any) -> None:
    rows = [said(2, "case number", "Bill")]
    [account] = accounts(journey(make_journey, rows, missed(1)))
    closest = account.closest()
    assert closest is not None
    assert closest.passed.why == OWN_LINE


def test_nothing_is_close_to_nothing(make_journey: Any) -> None:
    [silent] = accounts(journey(make_journey, [], missed(1)))
    assert silent.missed
    assert silent.closest() is None
    rows = [said(2, "hello")]
    [unknown] = accounts(journey(make_journey, rows, missed(1, expected="a number over 5")))
    assert unknown.closest() is None


def test_the_message_that_did_not_fit_was_read(make_journey: Any) -> None:
    rows = [said(2, "hello"), said(3, "bye"), said(4, "case number")]
    first = missed(1, verb="expect_next", received=("Ada: hello - no",))
    second = step(2, at=10.0, seq=4, took="Ada: case number", passed_over=("Ada: bye - no",))
    _, of_second = accounts(journey(make_journey, rows, first, second))
    assert passed(of_second) == [(3, "no")]


def test_beyond_what_a_step_writes_down_the_reason_is_not_known(make_journey: Any) -> None:
    rows = [said(seq, "x") for seq in range(1, MAX_SHOWN + 2)]
    [account] = accounts(
        journey(make_journey, rows, missed(1, duration=99.0, received=("Ada: x - no",) * MAX_SHOWN))
    )
    assert {why for _, why in passed(account)[:-1]} == {"no"}
    assert passed(account)[-1] == (MAX_SHOWN + 1, NO_FIT)


def test_words_that_were_hidden_since_are_still_tried_ones(make_journey: Any) -> None:
    rows = [said(2, "your pin is ***"), said(3, "hello")]
    miss = missed(1, received=("Ada: your pin is 1234 - no", "Ada: hello - no"))
    [account] = accounts(journey(make_journey, rows, miss))
    assert passed(account) == [(2, NO_FIT), (3, "no")]


def test_a_long_line_is_found_again(make_journey: Any) -> None:
    rows = [said(2, "x" * 2 * MAX_LINE)]
    line = f"{str(rows[0])[:MAX_LINE]}{CUT} - too long"
    [account] = accounts(journey(make_journey, rows, missed(1, received=(line,))))
    assert passed(account) == [(2, "too long")]


def test_user_data_is_compared_key_by_key(make_journey: Any) -> None:
    miss = missed(
        1,
        verb="expect_userdata",
        expected='Survey matching ^https://a\\.example/x, Level containing "gold"',
        received=(
            'Survey: "https://b.example/x" does not match ^https://a\\.example/x',
            "Level: it is not there",
        ),
    )
    [account] = accounts(journey(make_journey, [], miss))
    assert [one.line for one in account.passed] == ["Survey=https://b.example/x", "Level"]
    closest = account.closest()
    assert closest is not None
    assert closest.likeness.wanted == "https://a.example/x"
    assert closest.likeness.marked == "https://[-a-]{+b+}.example/x"


def test_a_miss_reads_well(make_journey: Any) -> None:
    rows = [said(2, "case number", "Bill"), said(3, "case nummber")]
    why = '"case nummber" does not contain "case number"'
    result = journey(make_journey, rows, missed(1, received=(f"Ada: case nummber - {why}",)))
    text = "\n".join(line.text for line in evidence(result))
    assert "    closest: #3 Ada: case nummber (90 % alike)\n" in text
    assert "      wanted: case number\n" in text
    assert "      differs: case [-number-]{+nummber+}\n" in text
    assert "    came too, and did not count:\n      #2 Bill: case number - the customer's" in text
    told = [line.text.strip() for line in explanation(result)]
    assert told[1:4] == [
        "passed over #2 Bill: case number - the customer's own line",
        'passed over #3 Ada: case nummber - does not contain "case number"',
        f"took nothing; expected {EXPECTED}",
    ]
    assert told[4] == "closest: #3 Ada: case nummber (90 % alike)"


def test_what_passed_is_compared_with_nothing(
    make_journey: Any, make_run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("nobody missed anything")

    monkeypatch.setattr("botkit.report.passing.likeness", refuse)
    taken = step(1, seq=3, took="Ada: case number", passed_over=("Ada: hello - no",))
    result = journey(make_journey, [said(2, "hello"), said(3, "case number")], taken)
    assert any("took: Ada: case number" in line.text for line in evidence(result))
    assert any("passed over #2" in line.text for line in explanation(result))
    [told] = document(make_run(result))["journeys"][0]["steps"]
    assert (told["seq"], told["came"], told["closest"]) == (3, [], None)


def test_what_a_json_file_lists_is_bounded(make_journey: Any, make_run: Any) -> None:
    rows = [said(seq, f"x {seq}") for seq in range(1, 2 * MAX_CAME)]
    result = journey(make_journey, rows, missed(1, duration=1_000.0, received=("Ada: x 1 - no",)))
    assert len(document(make_run(result))["journeys"][0]["step"]["came"]) == MAX_CAME


def test_an_explanation_is_bounded(make_journey: Any) -> None:
    rows = [said(seq, "x" * 1_000) for seq in range(1, 100)]
    taken = step(1, seq=99, took="Ada: " + "x" * 400)
    told = [line.text for line in explanation(journey(make_journey, rows, taken))]
    assert len(told) == 23
    assert told[-2].strip() == "... and 78 more"
    assert told[-1].strip().startswith("took #99 Ada: xxx")
    assert max(map(len, told)) < 400
