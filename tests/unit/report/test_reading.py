from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from botkit.chat import PartyKind, Row
from botkit.errors import ConfigError
from botkit.report.html_page import page
from botkit.report.json_document import document, encode
from botkit.report.junit import document as junit
from botkit.report.reading import merged, read_file, read_run
from botkit.results import Frame, JourneyResult, Reason, RunResult, StepResult, Verdict

# --- results of all kinds ------------------------------------------------------------------------

TEXTS = st.text(alphabet=st.characters(codec=None, exclude_categories=()), max_size=12)
TIMES = st.one_of(
    st.sampled_from([0.0, 0.115, 1.005, 2.5, 0.1 + 0.2]),
    st.floats(min_value=0, max_value=1e4, allow_nan=False),
)
NUMBERS = st.none() | st.integers(min_value=0, max_value=9)
BEGAN = st.sampled_from([0.0, 100.1, 123_456.789_012_3])

STEPS = st.builds(
    StepResult,
    number=st.integers(1, 9),
    path=st.sampled_from(["steps[0]", "steps[1].do[0]"]),
    verb=st.sampled_from(["expect", "expect_next", "expect_userdata", "say"]),
    text=TEXTS,
    file=st.none() | TEXTS,
    line=NUMBERS,
    verdict=st.sampled_from(Verdict),
    reason=st.sampled_from(Reason),
    started=TIMES,
    duration=TIMES,
    expected=st.sampled_from(["", 'a message containing "case number"']),
    received=st.lists(TEXTS, max_size=2).map(tuple),
    took=st.none() | TEXTS,
    passed_over=st.lists(TEXTS, max_size=2).map(tuple),
    message=TEXTS,
    asserts=st.booleans(),
    seq=NUMBERS,
)
FRAMES = st.builds(
    Frame,
    at=TIMES,
    direction=st.sampled_from(["sent", "received"]),
    what=TEXTS,
    text=TEXTS,
    cut=st.booleans(),
)


@st.composite
def journeys(draw: st.DrawFn) -> JourneyResult:
    began = draw(BEGAN)
    rows = st.builds(
        Row,
        at=TIMES.map(lambda at: began + at),
        who=TEXTS,
        kind=st.sampled_from(["message", "notice"]),
        text=TEXTS | st.just("hello, your case number is 4711"),
        party=st.none() | st.sampled_from(PartyKind),
        index=NUMBERS,
        utc=st.none() | TIMES,
        history=st.booleans(),
        seq=NUMBERS,
    )
    steps = tuple(draw(st.lists(STEPS, max_size=3)))
    return JourneyResult(
        run_id="run1",
        journey_id="run1-1",
        bot=draw(TEXTS),
        name=draw(TEXTS),
        title=draw(TEXTS),
        file=draw(st.none() | TEXTS),
        tags=("a",),
        verdict=draw(st.sampled_from(Verdict)),
        reason=draw(st.sampled_from(Reason)),
        message=draw(TEXTS),
        step=draw(st.none() | st.sampled_from(steps)) if steps else None,
        started_utc=1_767_225_600.123_456_7,
        began=began,
        duration=draw(TIMES),
        steps=steps,
        transcript=tuple(draw(st.lists(rows, max_size=4))),
        connector="gms-rest",
        server=draw(TEXTS),
        on_simulator=draw(st.booleans()),
        session_id=draw(st.none() | TEXTS),
        left=draw(st.booleans()),
        asserted=draw(st.integers(0, 3)),
        notes=tuple(draw(st.lists(TEXTS, max_size=2))),
        measurements=draw(st.dictionaries(TEXTS, TIMES | st.just(math.inf), max_size=2)),
        captured=draw(st.dictionaries(TEXTS, TEXTS, max_size=2)),
        warnings=tuple(draw(st.lists(TEXTS, max_size=2))),
        by_hand=draw(st.booleans()),
        frames=tuple(draw(st.lists(FRAMES, max_size=2))),
    )


RUNS = st.builds(
    RunResult,
    run_id=st.just("run1"),
    started_utc=st.just(1_767_225_600.5),
    duration=TIMES,
    journeys=st.lists(journeys(), max_size=2).map(tuple),
    interrupted=st.booleans(),
    faults=st.lists(TEXTS, max_size=1).map(tuple),
)


def written(run: RunResult) -> str:
    return encode({**document(run), "exit_code": 0}).decode()


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(RUNS)
def test_what_was_written_is_read_and_all_reports_are_the_same(run: RunResult) -> None:
    text = written(run)
    again = read_run(text)
    assert written(again) == text
    assert page(again) == page(run)
    assert ET.tostring(junit(again)) == ET.tostring(junit(run))


# --- files that are something else ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", ":1:1: this is no JSON: Expecting value"),
        ('{\n "botkit_result": 1,\n x', ":3:2: this is no JSON"),
        ("[" * 100_000, "this is no JSON that can be read"),
        ('{"botkit_result": 1, "duration": NaN}', "NaN is no number"),
        ("9" * 5_000, "this is no JSON that can be read"),
        ("[]", "this JSON is no evidence of botkit"),
        ('{"$schema": "x"}', "this JSON is no evidence of botkit"),
        ('{"botkit_result": 2}', "the form 2, and this botkit reads the form 1"),
        ('{"botkit_result": 1}', "damaged: botkit: Field required; run_id: Field required;"),
    ],
)
def test_a_file_that_is_something_else_is_told(text: str, told: str, tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        read_file(file)
    assert str(caught.value).startswith(f"{file}:")
    assert told in str(caught.value)


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for path in (tmp_path, tmp_path / "binary", tmp_path / "none"):
        with pytest.raises(ConfigError, match="this cannot be read as text"):
            read_file(path)


def test_a_mistake_is_told_with_its_place(make_journey: Any, make_run: Any) -> None:
    run = json.loads(written(make_run(make_journey(), make_journey())))
    run["journeys"][1]["steps"][0]["line"] = "17"
    with pytest.raises(ConfigError) as caught:
        read_run(json.dumps(run))
    assert "damaged: journeys[1].steps[0].line: Input should be" in caught.value.message


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the places of all values of a document, but for the whole of it."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    for key, found in inner:
        yield (*path, key)
        if isinstance(found, dict | list):
            yield from places(found, (*path, key))


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_damage_is_told_or_does_no_harm(
    data: st.DataObject, make_journey: Any, make_run: Any
) -> None:
    frame = Frame(at=0.0, direction="sent", what="x")
    whole = json.loads(written(make_run(make_journey(frames=(frame,)))))
    path = data.draw(st.sampled_from(list(places(whole))))
    other = data.draw(
        st.sampled_from([None, True, -1, 0, 10**400, 1e308, -1e308, "", "x", [], {}, [{}]])
    )
    *outer, last = path
    damaged = copy.deepcopy(whole)
    holder = damaged
    for key in outer:
        holder = holder[key]
    holder[last] = other
    try:
        run = read_run(json.dumps(damaged))
    except ConfigError:
        return
    page(run)
    junit(run)


def test_files_of_older_versions_lack_members_that_came_later(
    make_journey: Any, make_run: Any
) -> None:
    run = json.loads(written(make_run(make_journey())))
    del run["journeys"][0]["captured"]
    run["journeys"][0]["of_the_future"] = 1
    (journey,) = read_run(json.dumps(run)).journeys
    assert journey.captured == {}


# --- several files -------------------------------------------------------------------------------


def test_runs_become_one(make_journey: Any, make_run: Any) -> None:
    one = make_run(make_journey(Verdict.PASSED), interrupted=True)
    skipped = make_journey(Verdict.SKIPPED, journey_id="")
    two = make_run(
        make_journey(journey_id="run2-1"),
        skipped,
        skipped,
        run_id="run2",
        started_utc=one.started_utc - 10,
        faults=("a fault",),
    )
    run = merged([one, two])
    assert run.run_id == "run1, run2"
    assert run.journeys == (*one.journeys, *two.journeys)
    assert (run.started_utc, run.duration) == (two.started_utc, 22.5)
    assert (run.interrupted, run.faults) == (True, ("a fault",))
    assert merged([one]) is one


def test_a_journey_counts_once(make_journey: Any, make_run: Any) -> None:
    run = make_run(make_journey())
    with pytest.raises(ConfigError, match="journey run1-1 is in two of these files"):
        merged([run, replace(run, run_id="run2")])
