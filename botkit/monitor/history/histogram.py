"""Durations in bins that grow with them: few numbers, and quantiles that are right to 5 %.

Bins of one duration are the same everywhere and for ever, so that counts of hours, probes and
versions add up. They are stored: to change them is a migration.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

SHORTEST = 0.001
"""Seconds; what is shorter falls into the first bin, 0."""
PER_DOUBLING = 8


def bin_of(duration: float) -> int:
    """Find the bin of a duration in seconds."""
    return max(0, math.ceil(PER_DOUBLING * math.log2(max(duration, SHORTEST) / SHORTEST)))


def middle_of(number: int) -> float:
    """Give the duration that stands for a bin: the geometric middle of its bounds."""
    return float(SHORTEST * 2 ** ((number - 0.5) / PER_DOUBLING))


def quantiles(bins: Mapping[int, int], wanted: Iterable[float]) -> dict[float, float]:
    """Find quantiles (0 to 1) of durations by the counts of their bins, of which one is not 0."""
    ordered = sorted(bins.items())
    total = sum(bins.values())
    return {share: _quantile(ordered, share * total) for share in wanted}


def _quantile(ordered: list[tuple[int, int]], rank: float) -> float:
    passed = 0
    for number, count in ordered:
        passed += count
        if passed >= rank:
            return middle_of(number)
    return middle_of(ordered[-1][0])
