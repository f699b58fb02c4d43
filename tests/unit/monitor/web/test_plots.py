"""Pictures of verdicts and latencies."""

from __future__ import annotations

import pytest

from botkit.monitor.history import Bar, Latency
from botkit.monitor.web.plots import HEIGHT, SPANS, WIDTH, Part, Strip, curve, duration, strip
from botkit.results import Verdict

DAY_SPAN = SPANS[0]
NOON = 1_767_268_800.0
HOUR = 3600


def strip_of(counts: dict[Verdict, int]) -> Strip:
    return strip([Bar(monitor="smoke", start=int(NOON), counts=counts)], DAY_SPAN, NOON + 60)


def latency(start: float, median: float = 1.0, slowest: float = 2.0) -> Latency:
    return Latency(start=int(start), count=1, quantiles={0.5: median, 0.95: slowest})


@pytest.mark.parametrize("span", SPANS)
def test_the_last_bar_is_the_one_that_is_going_on(span) -> None:  # type: ignore[no-untyped-def]
    starts = span.starts(NOON)
    assert starts[-1] <= NOON < starts[-1] + span.bucket
    assert starts[-1] + span.bucket - starts[0] == span.length


def test_a_bar_without_checks_is_there_and_empty() -> None:
    drawn = strip([], DAY_SPAN, NOON)
    assert len(drawn.cells) == 24
    assert drawn.worked is None
    assert all(not cell.parts for cell in drawn.cells)
    assert drawn.cells[-1].title == "01 Jan, 12:00 UTC: no checks"


def test_all_good_is_one_piece() -> None:
    drawn = strip_of({Verdict.PASSED: 5})
    assert drawn.cells[-1].parts == (Part(tone="good", y=0.0, height=1.0),)
    assert (drawn.checks, drawn.worked) == (5, 1.0)


def test_one_bad_check_in_a_thousand_is_seen() -> None:
    drawn = strip_of({Verdict.PASSED: 999, Verdict.FAILED: 1})
    bad, good = drawn.cells[-1].parts
    assert (bad.tone, good.tone) == ("bad", "good")
    assert bad.height > 0.1
    assert bad.y + bad.height == pytest.approx(1, abs=0.01)
    assert good.y == 0
    assert drawn.worked == pytest.approx(0.999)


def test_pieces_fill_a_bar_whatever_is_in_it() -> None:
    mixed = {Verdict.PASSED: 1, Verdict.DEGRADED: 50, Verdict.FAILED: 50, Verdict.ERROR: 50}
    parts = strip_of(mixed).cells[-1].parts
    assert [part.tone for part in parts] == ["bad", "slow", "good"]
    assert sum(part.height for part in parts) == pytest.approx(1, abs=0.01)


def test_degraded_checks_worked_and_skipped_ones_tell_nothing() -> None:
    drawn = strip_of({Verdict.DEGRADED: 3, Verdict.ERROR: 1, Verdict.SKIPPED: 7})
    assert (drawn.checks, drawn.worked) == (4, 0.75)
    assert drawn.cells[-1].title.endswith("3 degraded, 1 error, 7 skipped")


def test_without_latencies_there_is_no_curve() -> None:
    assert curve([], DAY_SPAN, NOON) is None
    assert curve([latency(NOON - 48 * HOUR)], DAY_SPAN, NOON) is None


def test_a_curve_is_broken_where_nothing_was_measured() -> None:
    hours = [NOON - 5 * HOUR, NOON - 4 * HOUR, NOON]
    drawn = curve([latency(hour) for hour in hours], DAY_SPAN, NOON)
    assert drawn is not None
    assert drawn.median.count("M") == 2
    assert drawn.median.count("L") == 1
    assert drawn.last.start == NOON


def test_a_curve_stays_in_its_box() -> None:
    drawn = curve([latency(NOON, 0.0013, 37.0)], DAY_SPAN, NOON)
    assert drawn is not None
    assert [row.label for row in drawn.rows] == ["0 ms", "25 s", "50 s"]
    assert all(0 <= column.at <= WIDTH for column in drawn.columns)
    for path in (drawn.median, drawn.slow):
        x, y = path.removeprefix("M").removesuffix("h0").split()
        assert 0 <= float(x) <= WIDTH
        assert 0 <= float(y) <= HEIGHT


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.0234, "23 ms"), (1.26, "1.3 s"), (59.6, "60 s"), (119, "119 s"), (600, "10 min")],
)
def test_durations_are_brief(seconds: float, said: str) -> None:
    assert duration(seconds) == said
