"""Both halves of the time synchronisation between two clocks, over a line with a lag."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.bayeux.advice import JSON
from botkit.bayeux.timesync import ACCURATE, SAMPLES, ClockAnswer, ClockSamples

# As milliseconds: the wire rounds to these.
lags = st.integers(0, 5_000).map(lambda ms: ms / 1000)
clocks = st.integers(-(10**12), 10**12).map(lambda ms: ms / 1000)


def exchange(
    samples: ClockSamples, now: float, *, lag: float, offset: float, held: float = 0.0
) -> bool:
    """Ask and have it answered; tells whether there was an answer."""
    arrived = now + lag + offset
    answer = ClockAnswer.due(samples.ask(now), arrived)
    back = now + lag + held + lag
    return answer is not None and samples.take(answer.write(arrived + held), back)


@given(lag=lags, offset=clocks, held=lags, now=clocks)
@settings(max_examples=50, deadline=None)
def test_lag_and_offset_are_found_however_long_the_request_is_held(
    lag: float, offset: float, held: float, now: float
) -> None:
    samples = ClockSamples()
    assert exchange(samples, now, lag=lag, offset=offset, held=held)
    assert samples.lag == pytest.approx(lag, abs=0.002)
    assert samples.offset == pytest.approx(offset, abs=0.002)
    # Who is right by then is not told again, unless the lag looks as if it was never measured.
    assert exchange(samples, now + 1, lag=lag, offset=offset) is (round(lag * 1000) == 0)


def test_the_last_samples_are_averaged() -> None:
    samples = ClockSamples()
    for number in range(SAMPLES + 2):
        times: JSON = {"tc": 0, "ts": 1_000 + number * 100, "p": 0}
        assert samples.take({"timesync": times}, 0.0)
    mean = 1.0 + sum(range(2, SAMPLES + 2)) / SAMPLES * 0.1
    assert samples.offset == pytest.approx(mean)
    assert samples.lag == 0.0


@pytest.mark.parametrize("error", [0.0, ACCURATE / 2, ACCURATE * 2])
def test_only_who_is_wrong_is_told(error: float) -> None:
    asked: dict[str, JSON] = {"timesync": {"tc": 5_000, "l": 100, "o": 2_000}}
    assert (ClockAnswer.due(asked, 7.1 - error) is not None) is (error > ACCURATE)


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        {"timesync": None},
        {"timesync": [1, 2, 3]},
        {"timesync": {"tc": 1, "ts": 2}},
        {"timesync": {"tc": 1, "ts": 2, "p": "3"}},
        {"timesync": {"tc": 1, "ts": True, "p": 3}},
        {"timesync": {"tc": 1, "ts": 1e300, "p": 3}},
        {"timesync": {"tc": 1, "ts": float("nan"), "p": 3}},
    ],
)
def test_rubbish_is_no_answer(answer: object) -> None:
    samples = ClockSamples()
    assert not samples.take(answer, 0.0)  # type: ignore[arg-type] # it comes from the wire
    assert (samples.lag, samples.offset) == (None, None)
