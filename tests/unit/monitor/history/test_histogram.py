"""Quantiles of bins are near those of the durations themselves."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.monitor.history.histogram import bin_of, middle_of, quantiles


@given(st.floats(0.001, 86_400))
def test_a_bin_stands_for_its_durations_to_5_percent(duration: float) -> None:
    assert middle_of(bin_of(duration)) == pytest.approx(duration, rel=0.05)


@pytest.mark.parametrize("duration", [0.0, -1.0, 1e-9, 0.001])
def test_what_is_shorter_than_a_millisecond_is_one(duration: float) -> None:
    assert bin_of(duration) == 0


@given(st.lists(st.floats(0.001, 1_000), min_size=1, max_size=50), st.floats(0, 1))
def test_quantiles_are_right_to_5_percent(durations: list[float], share: float) -> None:
    bins = Counter(map(bin_of, durations))
    exact = sorted(durations)[max(0, math.ceil(share * len(durations)) - 1)]
    assert quantiles(bins, [share])[share] == pytest.approx(exact, rel=0.05)
