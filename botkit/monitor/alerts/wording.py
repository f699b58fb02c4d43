"""What people are told: all that somebody needs who was woken by it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from botkit.monitor.alerts.judge import Change, Kind
from botkit.monitor.contract import Check
from botkit.monitor.slo import Spending
from botkit.report.evidence import because, place, row_line
from botkit.report.text import one_line
from botkit.results import Alert, JourneyResult

LAST_LINES = 8
"""Of the chat."""
RECEIVED_LINES = 5

IS = {
    Kind.DOWN: "is down",
    Kind.FLAPPING: "works only now and then",
    Kind.DEGRADED: "is slow",
    Kind.BROKEN: "cannot be watched",
    Kind.BURNING: "spends its error budget too fast",
    Kind.DRAINING: "spends more of its error budget than it may",
}
WAS = {
    Kind.DOWN: "is up again",
    Kind.FLAPPING: "is stable again",
    Kind.DEGRADED: "is fast again",
    Kind.BROKEN: "can be watched again",
    Kind.BURNING: "spends its error budget no faster than it may",
    Kind.DRAINING: "spends no more of its error budget than it may",
}

ENDINGS = {Kind.BROKEN: "/broken", Kind.BURNING: "/budget", Kind.DRAINING: "/budget"}
"""Of the names of troubles that are not the chat's."""


def key_of(check: Check, kind: Kind) -> str:
    """Name the trouble: of the chat, however bad it is, of the watching, or of the budget."""
    key = f"{check.monitor}@{check.location}" if check.location else check.monitor
    return key + ENDINGS.get(kind, "")


def alert_of(
    change: Change, check: Check, *, reminder: int = 0, spending: Spending | None = None
) -> Alert:
    """Say what people have to know.

    Args:
        change: what it is.
        check: the one that it came with.
        reminder: how often it was told before without a change.
        spending: of the error budget, if that is what it is about.
    """
    kind, since = change.trouble.kind, change.trouble.since_utc
    ended = check.result.started_utc
    text = _firing(change, check, spending) if change.firing else _over(since, ended, check)
    return Alert(
        key=key_of(check, kind),
        firing=change.firing,
        title=_title(change, check, reminder, spending),
        text="\n".join(text),
        since_utc=since,
        journey=check.result,
        kind=kind.value,
        monitor=check.monitor,
        location=check.location,
        link=check.link,
        ended_utc=None if change.firing else ended,
        reminder=reminder,
    )


def late(alert: Alert, age: float) -> Alert:
    """Say of an alert that it could not be delivered for so many seconds."""
    said = f"This comes {lasted(age)} late: it could not be delivered before."
    title = f"{alert.title} (told {lasted(age)} late)"
    return replace(alert, title=title, text=f"{said}\n{alert.text}")


def moment(utc: float) -> str:
    """Write a time for people."""
    return datetime.fromtimestamp(utc, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def lasted(seconds: float) -> str:
    """Write how long something lasted."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _stretch(seconds: float) -> str:
    """Write the length of a window, which mostly is a round one."""
    for unit, word in ((86400.0, "days"), (3600.0, "h")):
        if seconds > unit or seconds == 3600.0 == unit:
            return f"{seconds / unit:g} {word}"
    return lasted(seconds)


def _title(change: Change, check: Check, reminder: int, spending: Spending | None) -> str:
    name = f"{check.monitor} ({check.location})" if check.location else check.monitor
    kind = change.trouble.kind
    if not change.firing:
        return f"{name} {WAS[kind]}"
    why = because(check.result) if spending is None else _rate(spending)
    title = f"{name} {'still ' if reminder else ''}{IS[kind]}"
    return one_line(f"{title}: {why}" if why else title, 200)


def _rate(spending: Spending) -> str:
    return f"{spending.rate:.3g} times as fast as it may over {_stretch(spending.window)}"


def _budget(spending: Spending) -> Iterator[str]:
    yield f"Within the last {_stretch(spending.alarm.long)} it was {_rate(spending)}."
    left = f"{spending.left:.0%} of it is left" if spending.left > 0 else "Nothing of it is left"
    yield f"{left}."


def _firing(change: Change, check: Check, spending: Spending | None) -> Iterator[str]:
    result, kind = check.result, change.trouble.kind
    yield f"{check.monitor} {IS[kind]} since {moment(change.trouble.since_utc)}."
    if change.worse:
        yield "It has grown worse."
    if spending is not None:
        yield from _budget(spending)
    if result.title:
        yield f"What it proves: {one_line(result.title)}"
    if kind is Kind.BROKEN:
        yield "This is no trouble of the chat: botkit, the bot or its settings need a look."
    yield f"The last check: {result.verdict.value} ({result.reason.value})"
    if result.message:
        yield one_line(result.message)
    yield from _step(result)
    yield from _chat(result)
    yield from _where(check)


def _step(result: JourneyResult) -> Iterator[str]:
    step = result.step
    if step is None:
        return
    yield f"Step: {place(step)}: {one_line(step.text)}"
    if step.expected:
        yield f"Expected: {one_line(step.expected)}"
        yield "Received:" if step.received else "Received: nothing"
        yield from (f"  {one_line(line)}" for line in step.received[-RECEIVED_LINES:])


def _chat(result: JourneyResult) -> Iterator[str]:
    if result.transcript:
        yield "The last lines of the chat:"
        yield from (f"  {row_line(row, result.began)}" for row in result.transcript[-LAST_LINES:])


def _over(since: float, ended: float, check: Check) -> Iterator[str]:
    yield f"It lasted {lasted(ended - since)}: from {moment(since)} to {moment(ended)}."
    yield from _where(check)


def _where(check: Check) -> Iterator[str]:
    if check.result.server:
        yield f"Server: {one_line(check.result.server)}"
    if check.result.session_id:
        yield f"Chat: {one_line(check.result.session_id)}"
    if check.link:
        yield f"Evidence: {check.link}"
