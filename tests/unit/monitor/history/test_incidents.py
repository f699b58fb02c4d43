"""Incidents are spans in which nothing passed, found the same in both stores."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from botkit.monitor.history import Finished, History, Incident, incidents
from botkit.results import Verdict

START = 1_767_225_600.0
LETTERS = {
    "p": Verdict.PASSED,
    "d": Verdict.DEGRADED,
    "f": Verdict.FAILED,
    "e": Verdict.ERROR,
    "s": Verdict.SKIPPED,
    "c": Verdict.CANCELLED,
}

MakeFinished = Callable[..., Finished]


def told(found: Iterable[Incident]) -> list[tuple[float, float, float | None]]:
    return [
        (i.began_utc - START, i.last_utc - START, i.ended_utc and i.ended_utc - START)
        for i in found
    ]


def play(
    make: MakeFinished, letters: str, *, location: str = "", monitor: str = "smoke"
) -> list[Finished]:
    """Make a journey per second; a letter is a verdict."""
    return [
        make(
            f"{monitor}-{location}-{n}",
            monitor=monitor,
            location=location,
            at=n,
            verdict=LETTERS[v],
        )
        for n, v in enumerate(letters)
    ]


def test_incidents_are_told_newest_first(history: History, make: MakeFinished) -> None:
    history.write(play(make, "ppfdfpppeppf"))
    found = history.ask(incidents, "smoke")
    assert told(found) == [(11, 11, None), (8, 8, 9), (2, 4, 5)]
    assert found[2].counts == {Verdict.FAILED: 2, Verdict.DEGRADED: 1}
    assert found[2].first.journey_id == "smoke--2"
    assert told(history.ask(incidents, "smoke", limit=2)) == [(11, 11, None), (8, 8, 9)]


def test_where_all_is_well_there_is_none(history: History, make: MakeFinished) -> None:
    history.write(play(make, "ppsp"))
    assert history.ask(incidents, "smoke") == []
    assert history.ask(incidents, "nobody") == []


def test_what_was_not_played_neither_begins_nor_ends_one(
    history: History, make: MakeFinished
) -> None:
    history.write(play(make, "psfscfsps"))
    assert told(history.ask(incidents, "smoke")) == [(2, 5, 7)]


def test_locations_have_their_own(history: History, make: MakeFinished) -> None:
    history.write(play(make, "pffpp", location="a"))
    history.write(play(make, "ppppf", location="b"))
    history.write(play(make, "fffff", monitor="other"))
    found = history.ask(incidents, "smoke")
    assert [(i.location, *told([i])[0]) for i in found] == [("b", 4, 4, None), ("a", 1, 2, 3)]
    assert told(history.ask(incidents, "smoke", location="a")) == [(1, 2, 3)]


def test_what_comes_late_is_where_it_belongs(history: History, make: MakeFinished) -> None:
    journeys = play(make, "pfffp")
    history.write([journeys[4], journeys[1], journeys[3]])
    assert told(history.ask(incidents, "smoke")) == [(1, 3, 4)]
    history.write([make("late", at=2.5)])
    assert told(history.ask(incidents, "smoke")) == [(3, 3, 4), (1, 1, 2.5)]


def by_hand(letters: str) -> list[tuple[float, float, float | None]]:
    told_by = [(n, v == "p") for n, v in enumerate(letters) if v not in "sc"]
    spans = [(passed, [n for n, _ in span]) for passed, span in groupby(told_by, lambda x: x[1])]
    ends: list[int | None] = [span[0] for _, span in spans[1:]]
    return [
        (span[0], span[-1], end)
        for (passed, span), end in zip(spans, [*ends, None], strict=False)
        if not passed
    ][::-1]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(letters=st.text("pppffdesc", max_size=20), number=st.integers(0))
def test_any_row_of_verdicts(
    history: History, make: MakeFinished, letters: str, number: int
) -> None:
    monitor = f"m{number}-{letters}"
    history.write(play(make, letters, monitor=monitor))
    assert told(history.ask(incidents, monitor, limit=100)) == by_hand(letters)
