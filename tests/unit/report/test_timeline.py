from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from botkit.chat import PartyKind, Row
from botkit.report.timeline import MAX_LANES, MOST_TICKS, Timeline, timeline


def drawn(journey: Any) -> Timeline:
    return timeline(journey, journey.steps, journey.transcript)


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (0.004, ["0 s", "0.001 s", "0.002 s", "0.003 s", "0.004 s"]),
        (1.0, ["0 s", "0.2 s", "0.4 s", "0.6 s", "0.8 s", "1 s"]),
        (12.0, ["0 s", "2 s", "4 s", "6 s", "8 s", "10 s", "12 s"]),
        (301.0, ["0 s", "100 s", "200 s", "300 s"]),
    ],
)
def test_the_axis_has_round_numbers(length: float, words: list[str], make_journey: Any) -> None:
    ticks = drawn(make_journey(duration=length, steps=())).ticks
    assert [tick.words for tick in ticks] == words
    assert len(words) <= MOST_TICKS + 1


def test_bars_and_marks_stand_where_they_happened(make_journey: Any) -> None:
    base = make_journey()
    act = replace(base.step, verb="say", expected="", started=0.0, duration=1.0)
    wait = replace(base.step, started=5.0, duration=5.0)
    rows = (
        Row(at=102.5, who="Ada", kind="message", text="hi", party=PartyKind.CUSTOMER),
        Row(at=95.0, who="Ada", kind="message", text="old", history=True),
    )
    picture = drawn(replace(base, duration=10.0, steps=(act, wait), transcript=rows))
    assert [(bar.x, bar.width, bar.waits) for bar in picture.bars] == [
        (0.0, 10.0, False),
        (50.0, 50.0, True),
    ]
    assert [(lane.side, lane.places) for lane in picture.marks] == [("customer", (25.0,))]


def test_what_took_no_time_can_be_seen_at_the_very_end(make_journey: Any) -> None:
    step = replace(make_journey().step, started=10.0, duration=0.0)
    (bar,) = drawn(make_journey(duration=10.0, steps=(step,))).bars
    assert bar.width > 0
    assert bar.x + bar.width == 100


def test_many_steps_are_cut_to_the_newest(make_journey: Any) -> None:
    step = make_journey().step
    steps = tuple(replace(step, text=f"step {number}") for number in range(MAX_LANES + 5))
    picture = drawn(make_journey(steps=steps))
    assert picture.left_out == 5
    assert [bar.label for bar in picture.bars] == [s.text for s in steps[5:]]
