"""How a probe shares out the time that it has."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.monitor.probe.prober import Times


@pytest.mark.parametrize(
    ("offered", "begin", "end", "answer"),
    [(10.0, 4.25, 8.5, 9.5), (2.0, 0.375, 0.75, 1.5), (0.1, 0.0125, 0.025, 0.05)],
)
def test_the_chat_is_left_and_the_answer_sent_in_time(
    offered: float, begin: float, end: float, answer: float
) -> None:
    times = Times.of(offered, within=120)
    assert (times.begin, times.end, times.answer) == pytest.approx((begin, end, answer))


def test_without_a_limit_that_of_the_file_counts() -> None:
    assert Times.of(None, within=120) == Times(begin=60, end=120, answer=math.inf)
    assert Times.of(600.0, within=120).end == 120


@given(
    offered=st.floats(min_value=1e-3, max_value=1e6), within=st.floats(min_value=0.1, max_value=1e6)
)
def test_one_comes_after_the_other(offered: float, within: float) -> None:
    times = Times.of(offered, within)
    assert 0 < times.begin < times.end < times.answer < offered
    assert times.end <= within
