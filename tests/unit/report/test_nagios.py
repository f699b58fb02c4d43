from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from botkit.report.nagios import MAX_OUTPUT, Status, status_of, status_text, unknown
from botkit.results import Verdict

PASSED, DEGRADED, FAILED = Verdict.PASSED, Verdict.DEGRADED, Verdict.FAILED
ERROR, SKIPPED, CANCELLED = Verdict.ERROR, Verdict.SKIPPED, Verdict.CANCELLED
NUMBER = re.compile(
    r"('[^'=|]+'|[a-z]+)=(U|-?[\d.]+)(s|us|ms|%|B|KB|MB|TB|c)?(;[\d.]*){0,4}(?: |$)"
)
"""Performance data, by the guidelines."""


@pytest.mark.parametrize(
    ("verdicts", "changes", "status"),
    [
        ([PASSED, PASSED, SKIPPED], {}, Status.OK),
        ([PASSED, DEGRADED], {}, Status.WARNING),
        ([PASSED, FAILED, ERROR], {"interrupted": True}, Status.CRITICAL),
        ([DEGRADED, ERROR], {}, Status.UNKNOWN),
        ([PASSED, CANCELLED], {}, Status.UNKNOWN),
        ([PASSED], {"interrupted": True}, Status.UNKNOWN),
        ([PASSED], {"faults": ("the disk is full",)}, Status.UNKNOWN),
        ([SKIPPED], {}, Status.UNKNOWN),
        ([], {}, Status.UNKNOWN),
    ],
)
def test_status(
    verdicts: list[Verdict],
    changes: dict[str, Any],
    status: Status,
    make_journey: Any,
    make_run: Any,
) -> None:
    run = make_run(*map(make_journey, verdicts), **changes)
    assert status_of(run) is status
    assert status_text(run).startswith(f"CHATBOT {status.name} - ")


def test_the_first_line_names_what_failed_and_gives_numbers(
    make_journey: Any, make_run: Any
) -> None:
    first, *more = status_text(make_run(make_journey(PASSED), make_journey())).splitlines()
    words, numbers = first.split("|")
    assert words == (
        "CHATBOT CRITICAL - 1 passed, 1 failed in 12.5 s;"
        " support[gold]: timeout: no such message within 10 s"
    )
    assert NUMBER.sub("", numbers) == ""
    assert "failed=1;;;0;2" in numbers
    assert numbers.count("'support[gold] time'=12.346s;;;0") == 1
    assert "'support[gold] first_reply'=0.250s" in numbers
    assert more[0].startswith("FAILED")
    assert more[-1].startswith("PASSED")


def test_what_a_chat_said_cannot_begin_numbers_or_lines(make_journey: Any, make_run: Any) -> None:
    journey = make_journey(name="a|b'=c\nd", message="x|y\nCHATBOT OK|z")
    row = replace(journey.transcript[1], text="one|two\nthree")
    nasty = replace(journey, transcript=(row,), measurements={"inf|inite": float("inf")})
    text = status_text(make_run(nasty, faults=("a|b",)))
    first, *more = text.splitlines()
    assert text.count("|") == 1
    assert NUMBER.sub("", first.partition("|")[2]) == ""
    assert "inf inite'=U" in first
    assert not any(line.startswith("CHATBOT") for line in more)


def test_the_output_is_bounded_and_what_failed_comes_first(
    make_journey: Any, make_run: Any
) -> None:
    journeys = [make_journey(PASSED, name=f"journey {n}") for n in range(1_000)]
    text = status_text(make_run(*journeys, make_journey()))
    assert len(text.encode()) <= MAX_OUTPUT
    assert text.splitlines()[1].startswith("FAILED")
    assert NUMBER.sub("", text.splitlines()[0].partition("|")[2]) == ""


def test_that_there_was_no_run_is_one_harmless_line() -> None:
    assert unknown("no|\nsuch file") == "CHATBOT UNKNOWN - no¦ such file"
