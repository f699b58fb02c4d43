from __future__ import annotations

from dataclasses import replace
from typing import Any

from botkit.report.annotations import MAX_SHOWN, annotation_lines
from botkit.results import Verdict

PASSED, DEGRADED, FAILED = Verdict.PASSED, Verdict.DEGRADED, Verdict.FAILED
ERROR, SKIPPED, CANCELLED = Verdict.ERROR, Verdict.SKIPPED, Verdict.CANCELLED


def test_a_failure_stands_at_the_line_of_its_step(make_journey: Any, make_run: Any) -> None:
    (line,) = annotation_lines(make_run(make_journey(PASSED), make_journey(on_simulator=True)))
    assert line.startswith(
        "::error file=bots/support.yaml,line=17,"
        "title=support[gold]%3A failed%2C on the simulator"
        "::timeout: no such message within 10 s%0A"
    )
    assert 'expected: a message containing "case number"%0A' in line
    assert "Grace: hello" in line


def test_each_verdict_has_its_kind_and_the_worst_comes_first(
    make_journey: Any, make_run: Any
) -> None:
    verdicts = (DEGRADED, PASSED, SKIPPED, CANCELLED, ERROR, FAILED)
    run = make_run(*map(make_journey, verdicts), faults=("the disk\nis full",))
    heads = [line.split("::", 2)[1] for line in annotation_lines(run)]
    named = "file=bots/support.yaml,title=support[gold]%3A"
    assert heads == [
        "error title=botkit",
        "error file=bots/support.yaml,line=17,title=support[gold]%3A failed",
        f"error {named} error",
        f"error {named} cancelled",
        f"warning {named} degraded",
    ]


def test_a_step_in_no_file_has_no_place(make_journey: Any, make_run: Any) -> None:
    journey = make_journey(file=None)
    bare = replace(journey.step, file=None, line=None)
    (line,) = annotation_lines(make_run(replace(journey, step=bare)))
    assert line.startswith("::error title=support[gold]%3A failed::")


def test_that_nothing_was_run_is_an_error(make_journey: Any, make_run: Any) -> None:
    nothing = "::error title=botkit::no journey was run"
    assert list(annotation_lines(make_run())) == [nothing]
    assert list(annotation_lines(make_run(make_journey(SKIPPED)))) == [nothing]
    assert list(annotation_lines(make_run(make_journey(PASSED)))) == []


def test_more_than_github_shows_are_counted(make_journey: Any, make_run: Any) -> None:
    journeys = [make_journey(name=f"journey {n}") for n in range(25)]
    assert len(list(annotation_lines(make_run(*journeys[:MAX_SHOWN])))) == MAX_SHOWN
    lines = list(annotation_lines(make_run(*journeys)))
    assert len(lines) == MAX_SHOWN
    assert lines[-1] == "::error title=botkit::... and 16 more like these"


def test_what_a_chat_said_is_no_command(make_journey: Any, make_run: Any) -> None:
    nasty = "x\r\n::error file=a::b\n::add-mask::c,line=1::d"
    journey = make_journey(name=nasty, message=nasty, file=nasty, journey_id=f"{nasty}\ud800")
    rows = tuple(replace(row, text=nasty, who=nasty) for row in journey.transcript)
    step = replace(journey.step, received=(nasty,), text=nasty, file=nasty)
    run = make_run(replace(journey, transcript=rows, step=step), faults=(nasty,))
    lines = list(annotation_lines(run))
    assert len(lines) == 2
    for line in lines:
        assert "\n" not in line
        assert "\r" not in line
        assert line.encode()
        properties = line.split("::", 2)[1]
        assert properties.count(",") == 2 * ("file=" in properties)
