"""A run as a check of Nagios, Icinga and their kin: one line, numbers behind a stroke, a status.

::

    CHATBOT CRITICAL - 2 passed, 1 failed in 12.5 s; support: timeout: no such message|time=12.5s...
    FAILED  support  12.3 s  timeout: no such message within 10 s
    ...

======== ==== ======================================================================
status   code when
======== ==== ======================================================================
CRITICAL 2    a journey failed: that is proven, whatever else broke
UNKNOWN  3    botkit, a plugin or a bot broke, the run was stopped, or nothing was run
WARNING  1    a journey was degraded
OK       0    otherwise
======== ==== ======================================================================

What a chat said can neither end a line nor begin numbers. All of it is bounded, for what is larger
is cut by the monitoring, in the middle of a number if need be.

Source: Monitoring Plugins Development Guidelines, sections "Plugin Output", "Plugin Return Codes"
and "Performance data"; Nagios Core, Plugin API (8 KB of output).
"""

from __future__ import annotations

import enum
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator

from botkit.report.evidence import because, evidence, headline, totals
from botkit.report.text import one_line
from botkit.results import JourneyResult, RunResult, Verdict

__all__ = ["Status", "status_of", "status_text", "unknown"]

SERVICE = "CHATBOT"
MAX_OUTPUT = 8_000
"""Bytes of all that is written."""
MAX_MESSAGE = 200
MAX_NUMBERS = 60
"""Durations and measurements of journeys; a monitoring that draws more is none."""
MAX_LABEL = 80
NOT_IN_LABELS = re.compile(r"['=|;\s]+")


class Status(enum.IntEnum):
    """What a check says; its value is the exit code."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


def status_of(run: RunResult) -> Status:
    """Decide the status of a run, by the table above."""
    verdicts = {journey.verdict for journey in run.journeys}
    if Verdict.FAILED in verdicts:
        return Status.CRITICAL
    broken = verdicts & {Verdict.ERROR, Verdict.CANCELLED} or run.faults or run.interrupted
    if broken or not verdicts - {Verdict.SKIPPED}:
        return Status.UNKNOWN
    return Status.WARNING if Verdict.DEGRADED in verdicts else Status.OK


def status_text(run: RunResult) -> str:
    """Write a run as the output of a check, without a line end behind it."""
    worst = next((j for verdict in DECISIVE for j in run.journeys if j.verdict is verdict), None)
    words = totals(run).text
    if worst is not None:
        words = f"{words}; {one_line(worst.name, MAX_LABEL)}: {because(worst)}"
    elif run.faults:
        words = f"{words}; {run.faults[0]}"
    first = f"{_head(status_of(run), words)}|{' '.join(_numbers(run))}"
    return _bounded(first, _long_output(run))


DECISIVE = (Verdict.FAILED, Verdict.ERROR, Verdict.CANCELLED, Verdict.DEGRADED)
"""Verdicts that are told in the first line, in this order."""


def unknown(sentence: str) -> str:
    """Write that there was no run, and why."""
    return _head(Status.UNKNOWN, sentence)


def _head(status: Status, words: str) -> str:
    return f"{SERVICE} {status.name} - {_harmless(one_line(words, MAX_MESSAGE))}"


def _harmless(text: str) -> str:
    """Keep a text from being taken for numbers."""
    return text.replace("|", "\N{BROKEN BAR}")


def _long_output(run: RunResult) -> Iterator[str]:
    for journey in run.journeys:
        if journey.verdict in DECISIVE:
            yield from (_harmless(line.text) for line in evidence(journey))
    for fault in run.faults:
        yield _harmless(one_line(f"botkit: {fault}"))
    for journey in run.journeys:
        if journey.verdict not in DECISIVE:
            yield _harmless(headline(journey).text)


def _bounded(first: str, others: Iterable[str]) -> str:
    kept = [first]
    room = MAX_OUTPUT - _size(first)
    for line in others:
        room -= _size(line)
        if room < 0:
            break
        kept.append(line)
    return "\n".join(kept)


def _size(line: str) -> int:
    return len(line.encode("utf-8", "backslashreplace")) + 1


def _numbers(run: RunResult) -> Iterator[str]:
    """Write counts and durations as performance data, ``'label'=value[unit];warn;crit;min;max``."""
    counts = Counter(journey.verdict for journey in run.journeys)
    yield f"time={_seconds(run.duration)};;;0"
    for verdict in Verdict:
        yield f"{verdict.value}={counts[verdict]};;;0;{len(run.journeys)}"
    seen: set[str] = set()
    of_journeys = [pair for journey in run.journeys for pair in _durations(journey)]
    for name, value in of_journeys[:MAX_NUMBERS]:
        label = NOT_IN_LABELS.sub(" ", one_line(name, MAX_LABEL)).strip()
        if label not in seen:
            # The same label twice would be two numbers of one thing.
            seen.add(label)
            yield f"'{label}'={_seconds(value)};;;0"


def _durations(journey: JourneyResult) -> Iterator[tuple[str, float]]:
    if journey.verdict is Verdict.SKIPPED:
        return
    yield f"{journey.name} time", journey.duration
    for name, value in journey.measurements.items():
        yield f"{journey.name} {name}", value


def _seconds(value: float) -> str:
    return f"{value:.3f}s" if math.isfinite(value) else "U"
