"""When to ask again, as a function of what has happened."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.connectors.polling import Backoff, Pace

QUIET = st.floats(0, 1e6)
JITTER = st.floats(0, 1)


@given(quiet=QUIET, jitter=JITTER)
def test_intervals_keep_within_their_bounds(quiet: float, jitter: float) -> None:
    pace = Pace(shortest=0.5, longest=8.0)
    assert 0.5 * 0.9 <= pace.interval(quiet, jitter) <= 8.0


@given(one=QUIET, other=QUIET, jitter=JITTER)
def test_the_quieter_a_chat_the_longer_the_interval(
    one: float, other: float, jitter: float
) -> None:
    pace = Pace()
    less, more = sorted((one, other))
    assert pace.interval(less, jitter) <= pace.interval(more, jitter)


@pytest.mark.parametrize(
    ("quiet", "interval"), [(0, 0.3), (1, 0.3), (4, 1.0), (12, 3.0), (20, 5.0), (3600, 5.0)]
)
def test_a_lively_chat_is_polled_fast_and_a_quiet_one_slower(quiet: float, interval: float) -> None:
    assert Pace().interval(quiet, 0.0) == pytest.approx(interval)


@given(failures=st.integers(1, 10**6), jitter=JITTER)
def test_waits_after_failures_are_bounded(failures: int, jitter: float) -> None:
    assert 0.125 <= Backoff().wait(failures, jitter) <= 10.0


def test_waits_double_and_half_of_each_is_chance() -> None:
    waits = [Backoff().wait(failures, 1.0) for failures in range(1, 8)]
    assert waits == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 10.0]
    assert Backoff().wait(3, 0.0) == 0.5
