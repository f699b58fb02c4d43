"""How often messages may be sent."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.genesys.pacing import Pace


@given(st.sampled_from([0.5, 1.0, 2.0, 3.5]), st.lists(st.floats(0, 2), max_size=30))
@settings(max_examples=60)
def test_no_second_has_more_than_the_rate(rate: float, wishes: list[float]) -> None:
    pace, now, sent = Pace(rate), 0.0, list[float]()
    for wish in wishes:
        now = max(now + wish, pace.next_at())
        pace.sent(now)
        sent.append(now)
    burst = max(1, int(rate))
    for first, last in zip(sent, sent[burst:], strict=False):
        assert last - first >= burst / rate


def test_the_first_ones_go_at_once() -> None:
    pace = Pace(2.0)
    for _ in range(2):
        assert pace.next_at() == 0.0
        pace.sent(0.0)
    assert 1.0 < pace.next_at() < 1.1


def test_the_service_may_ask_for_more_patience() -> None:
    pace = Pace(2.0)
    pace.hold_until(7.0)
    pace.hold_until(3.0)
    assert pace.next_at() == 7.0
