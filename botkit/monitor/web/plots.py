"""Geometry of the page's pictures: bars of verdicts and curves of latencies; pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from botkit.monitor.history import Bar, Latency
from botkit.results import Verdict

HOUR, DAY = 3600, 86400
GAP = 0.18
"""Between two bars, in widths of one."""
LEAST = 0.18
"""Of a bar's height that trouble takes however rare it was: one in a thousand is to be seen."""

GOOD, SLOW, BAD = "good", "slow", "bad"
TONES = {
    Verdict.PASSED: GOOD,
    Verdict.DEGRADED: SLOW,
    Verdict.FAILED: BAD,
    Verdict.ERROR: BAD,
}
"""What tells nothing of the service has no colour: skipped, cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A length of time that people look back.

    Attributes:
        key: in addresses.
        label: for people.
        length: seconds.
        bucket: seconds that one bar stands for.
    """

    key: str
    label: str
    length: int
    bucket: int

    def starts(self, now: float) -> range:
        """Tell where the bars of the time before now begin; the last one is going on."""
        end = int(now) // self.bucket * self.bucket + self.bucket
        return range(end - self.length, end, self.bucket)


SPANS = (
    Span(key="24h", label="24 hours", length=DAY, bucket=HOUR),
    Span(key="7d", label="7 days", length=7 * DAY, bucket=6 * HOUR),
    Span(key="90d", label="90 days", length=90 * DAY, bucket=DAY),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A piece of a bar; lengths are shares of the picture's height."""

    tone: str
    y: float
    height: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One bar: ``x`` and ``width`` in bars, what is said of it, and its pieces (none: no check)."""

    x: float
    width: float
    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Strip:
    """The bars of one monitor.

    Attributes:
        cells: oldest first.
        checks: how many there were that tell something.
        worked: the part of them that passed or was degraded; None if there were none.
    """

    cells: tuple[Cell, ...]
    checks: int
    worked: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """A line of a plot with its label; ``at`` in units of the plot."""

    at: float
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Latencies as paths of SVG, in a box of :data:`WIDTH` by :data:`HEIGHT`."""

    median: str
    slow: str
    rows: tuple[Tick, ...]
    columns: tuple[Tick, ...]
    last: Latency


WIDTH, HEIGHT = 400, 110
MEDIAN, SLOWEST = 0.5, 0.95


def strip(bars: Iterable[Bar], span: Span, now: float) -> Strip:
    """Draw the verdicts of one monitor."""
    by_start = {bar.start: bar.counts for bar in bars}
    starts = span.starts(now)
    cells = tuple(
        Cell(
            x=n + GAP / 2,
            width=1 - GAP,
            title=_title(start, span, by_start.get(start, {})),
            parts=_parts(by_start.get(start, {})),
        )
        for n, start in enumerate(starts)
    )
    tones = [_tones(by_start[start]) for start in starts if start in by_start]
    checks = sum(sum(some.values()) for some in tones)
    broken = sum(some.get(BAD, 0) for some in tones)
    return Strip(cells=cells, checks=checks, worked=1 - broken / checks if checks else None)


def curve(latencies: Sequence[Latency], span: Span, now: float) -> Curve | None:
    """Draw how long journeys took that worked; None if there were none."""
    starts = span.starts(now)
    shown = [latency for latency in latencies if latency.start in starts]
    if not shown:
        return None
    top = _round_up(max(latency.quantiles[SLOWEST] for latency in shown))
    return Curve(
        median=_path(shown, MEDIAN, starts, top),
        slow=_path(shown, SLOWEST, starts, top),
        rows=tuple(
            Tick(at=HEIGHT * (1 - share), label=duration(top * share)) for share in (0.0, 0.5, 1.0)
        ),
        columns=tuple(_columns(starts, span)),
        last=shown[-1],
    )


def duration(seconds: float) -> str:
    """Say how long something took, briefly."""
    if seconds < 1:
        return f"{1000 * seconds:.0f} ms"
    if seconds < 10:
        return f"{seconds:.1f} s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


def _tones(counts: Mapping[Verdict, int]) -> dict[str, int]:
    found: dict[str, int] = {}
    for verdict, count in counts.items():
        if verdict in TONES:
            found[TONES[verdict]] = found.get(TONES[verdict], 0) + count
    return found


def _parts(counts: Mapping[Verdict, int]) -> tuple[Part, ...]:
    """Stack what was good over what was slow over what was bad."""
    tones = _tones(counts)
    total = sum(tones.values())
    heights = {tone: max(LEAST, tones[tone] / total) for tone in (BAD, SLOW) if tones.get(tone)}
    if tones.get(GOOD):
        heights[GOOD] = max(LEAST, 1 - sum(heights.values()))
    scale = sum(heights.values())
    parts, bottom = [], 1.0
    for tone, height in heights.items():
        bottom -= height / scale
        parts.append(Part(tone=tone, y=round(max(0.0, bottom), 3), height=round(height / scale, 3)))
    return tuple(parts)


def _title(start: int, span: Span, counts: Mapping[Verdict, int]) -> str:
    form = "%d %b" if span.bucket >= DAY else "%d %b, %H:%M UTC"
    when = datetime.fromtimestamp(start, UTC).strftime(form)
    said = [f"{counts[verdict]:,} {verdict.value}" for verdict in Verdict if counts.get(verdict)]
    return f"{when}: {', '.join(said) or 'no checks'}"


def _path(latencies: Sequence[Latency], share: float, starts: range, top: float) -> str:
    """Draw a line, broken where nothing was measured; a point alone is a dot."""
    words, expected = [], None
    for latency in latencies:
        x = WIDTH * (starts.index(latency.start) + 0.5) / len(starts)
        y = HEIGHT * (1 - latency.quantiles[share] / top)
        goes_on = latency.start == expected
        words.append(f"{'L' if goes_on else 'M'}{x:.1f} {y:.1f}{'' if goes_on else 'h0'}")
        expected = latency.start + starts.step
    return "".join(words)


def _columns(starts: range, span: Span) -> Iterable[Tick]:
    every = {HOUR: 6, 6 * HOUR: 4, DAY: 15}[span.bucket]
    form = "%H:%M" if span.bucket == HOUR else "%d %b"
    for n, start in enumerate(starts):
        if start // span.bucket % every == 0:
            label = datetime.fromtimestamp(start, UTC).strftime(form)
            yield Tick(at=WIDTH * n / len(starts), label=label)


def _round_up(value: float) -> float:
    """Find the next number that reads well: 1, 2 or 5 of some power of ten."""
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * step for step in (1, 2, 5, 10) if power * step >= value)
