"""The same for both stores: what was put in comes out, once, and counted."""

from __future__ import annotations

import functools
import random
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Connection, event, text

from botkit.errors import HistoryError, HistoryRefused, LocalProtocolError
from botkit.monitor.history import (
    Finished,
    History,
    Retention,
    Stream,
    bars,
    evidence,
    incidents,
    journey,
    latencies,
    latest,
    streams,
)
from botkit.monitor.history.database import open_engine, parse_url, transaction
from botkit.results import Verdict

START = 1_767_225_600.0
"""A midnight, UTC."""
HOUR, DAY = 3600, 86400

MakeFinished = Callable[..., Finished]


def test_a_journey_comes_out_as_it_went_in(history: History, make: MakeFinished) -> None:
    one = make(
        "run1-7",
        location="Győr",
        verdict=Verdict.FAILED,
        message="no agent 💬 came",
        connector="gms-cometd",
        server="https://chat.example/cometd",
        on_simulator=True,
        measurements={"first_reply": 0.25, "broken": float("inf")},
        evidence=b'{"journey_id": "run1-7"}',
    )
    assert history.write([one]) == 1
    found = history.ask(journey, "run1-7")
    assert found == one.entry
    assert found is not None
    assert (found.step, found.measurements) == ("wait for an agent", {"first_reply": 0.25})
    assert history.ask(evidence, "run1-7") == b'{"journey_id": "run1-7"}'


def test_what_is_not_there_is_none(history: History) -> None:
    assert history.ask(journey, "nobody") is None
    assert history.ask(evidence, "nobody") is None
    assert history.ask(latest, "nobody") == []
    assert history.ask(streams) == []


def test_a_journey_is_taken_and_counted_once(history: History, make: MakeFinished) -> None:
    one, two = make("1"), make("2", at=60)
    assert history.write([one, one]) == 1
    assert history.write([one, two]) == 1
    assert [e.journey_id for e in history.ask(latest, "smoke")] == ["2", "1"]
    [bar] = history.ask(bars, since=START, until=START, bucket=HOUR)
    assert bar.counts == {Verdict.PASSED: 2}


def test_text_that_a_store_cannot_hold_is_stored_without_it(
    history: History, make: MakeFinished
) -> None:
    history.write([make("1", message="a\0b \ud83d c")])
    found = history.ask(journey, "1")
    assert found is not None
    assert found.message == "a\ufffdb ? c"


def test_what_is_refused_leaves_nothing_behind(history: History, make: MakeFinished) -> None:
    well, bad = make("1"), make("2")
    # The store's own rule, which no record of ours can break.
    object.__setattr__(bad.entry, "message", None)
    with pytest.raises(HistoryRefused, match="refuses it"):
        history.write([well, bad])
    assert history.ask(streams) == []
    assert history.write([well]) == 1


def test_the_latest_come_page_by_page(history: History, make: MakeFinished) -> None:
    history.write(make(str(n), at=n, location="ab"[n % 2]) for n in range(10))
    history.write([make("other", monitor="other", at=99)])
    page = history.ask(latest, "smoke", limit=3)
    assert [e.journey_id for e in page] == ["9", "8", "7"]
    page = history.ask(latest, "smoke", limit=3, before=page[-1].started_utc)
    assert [e.journey_id for e in page] == ["6", "5", "4"]
    page = history.ask(latest, "smoke", limit=2, location="b")
    assert [e.journey_id for e in page] == ["9", "7"]


def test_streams_are_known_by_name(history: History, make: MakeFinished) -> None:
    places = [("b", "x"), ("a", "y"), ("a", "x"), ("b", "x")]
    history.write(
        make(str(n), monitor=monitor, location=place) for n, (monitor, place) in enumerate(places)
    )
    assert history.ask(streams) == [
        Stream(monitor="a", location="x"),
        Stream(monitor="a", location="y"),
        Stream(monitor="b", location="x"),
    ]


def test_two_probes_write_to_one_store(url: str, make: MakeFinished) -> None:
    """Both start with an empty store, and count into the same rows."""
    both = threading.Barrier(2)
    failed: list[BaseException] = []

    def probe(place: str) -> None:
        own = History(url)
        try:
            both.wait(10)
            for n in range(20):
                own.write([make(f"{place}-{n}-{m}", at=n) for m in range(3)])
        except BaseException as error:
            failed.append(error)
        finally:
            own.close()

    probes = [threading.Thread(target=probe, args=(place,)) for place in ("x", "y")]
    for thread in probes:
        thread.start()
    for thread in probes:
        thread.join()
    assert failed == []
    seen = History(url)
    [bar] = seen.ask(bars, since=START, until=START, bucket=DAY)
    seen.close()
    assert bar.counts == {Verdict.PASSED: 120}


# --- bars and latencies ---------------------------------------------------------------------------


def test_bars_count_by_span(history: History, make: MakeFinished) -> None:
    spots = [(0, "passed"), (HOUR - 1, "failed"), (HOUR, "passed"), (7 * HOUR, "error")]
    history.write(make(str(at), at=at, verdict=Verdict(word)) for at, word in spots)
    history.write([make("x", monitor="other", at=DAY, verdict=Verdict.SKIPPED)])
    hours = history.ask(bars, since=START + 5, until=START + 7 * HOUR, bucket=HOUR)
    assert [(b.start - START, b.counts) for b in hours] == [
        (0, {Verdict.PASSED: 1, Verdict.FAILED: 1}),
        (HOUR, {Verdict.PASSED: 1}),
        (7 * HOUR, {Verdict.ERROR: 1}),
    ]
    quarters = history.ask(bars, since=START, until=START, bucket=6 * HOUR)
    assert [(b.start - START, sum(b.counts.values())) for b in quarters] == [(0, 3)]
    days = history.ask(bars, since=START, until=START + DAY, bucket=DAY)
    assert [(b.monitor, b.start - START, sum(b.counts.values())) for b in days] == [
        ("other", DAY, 1),
        ("smoke", 0, 4),
    ]
    one = history.ask(bars, since=START, until=START + DAY, bucket=DAY, monitor="smoke")
    assert [b.monitor for b in one] == ["smoke"]


def test_bars_are_of_all_locations_or_of_one(history: History, make: MakeFinished) -> None:
    history.write(make(str(n), location="ab"[n % 2]) for n in range(5))
    span = {"since": START, "until": START, "bucket": HOUR}
    assert [b.counts for b in history.ask(bars, **span)] == [{Verdict.PASSED: 5}]
    assert [b.counts for b in history.ask(bars, **span, location="b")] == [{Verdict.PASSED: 2}]


def test_latencies_are_of_journeys_that_worked(history: History, make: MakeFinished) -> None:
    history.write(make(str(n), duration=n / 10) for n in range(1, 101))
    history.write([make("f", verdict=Verdict.FAILED, duration=500)])
    history.write([make("d", at=HOUR, verdict=Verdict.DEGRADED, duration=30)])
    first, second = history.ask(
        latencies, "smoke", since=START, until=START + HOUR, bucket=HOUR, wanted=(0.5, 0.95)
    )
    assert first.count == 100
    assert first.quantiles == {0.5: pytest.approx(5, rel=0.05), 0.95: pytest.approx(9.5, rel=0.05)}
    assert (second.start, second.count) == (START + HOUR, 1)
    [day] = history.ask(latencies, "smoke", since=START, until=START, bucket=DAY, wanted=(1.0,))
    assert (day.count, day.quantiles) == (101, {1.0: pytest.approx(30, rel=0.05)})


def test_no_bar_is_shorter_than_an_hour(history: History) -> None:
    with pytest.raises(LocalProtocolError, match="no whole hours"):
        history.ask(bars, since=0, until=1, bucket=60)


# --- retention ------------------------------------------------------------------------------------


def ids(history: History) -> list[str]:
    return [entry.journey_id for entry in history.ask(latest, "smoke", limit=10_000)]


def test_old_journeys_go_and_their_counts_stay_longer(history: History, make: MakeFinished) -> None:
    history.write(make(str(n), at=n * DAY) for n in range(4))
    kept = Retention(journeys=1.5 * DAY, bars=2.5 * DAY)
    assert history.forget(kept, now=START + 3 * DAY) == 2
    assert ids(history) == ["3", "2"]
    assert history.ask(evidence, "1") is None
    assert history.ask(evidence, "2") is not None
    days = history.ask(bars, since=START, until=START + 3 * DAY, bucket=DAY)
    assert [(b.start - START) / DAY for b in days] == [1, 2, 3]
    assert history.forget(kept, now=START + 3 * DAY) == 0


def test_a_monitor_that_is_gone_is_forgotten_with_its_counts(
    history: History, make: MakeFinished
) -> None:
    history.write([make("1", monitor="gone"), make("2", at=3 * DAY)])
    history.write([make("3", location="gone"), make("4", location="x", at=3 * DAY)])
    history.forget(Retention(journeys=DAY, bars=DAY), now=START + 3 * DAY)
    assert history.ask(streams) == [
        Stream(monitor="smoke", location=""),
        Stream(monitor="smoke", location="x"),
    ]


def test_what_there_is_no_room_for_goes_oldest_first(history: History, make: MakeFinished) -> None:
    large = make("0", evidence=random.Random(1).randbytes(100_000))
    size = len(large.packed)
    history.write([large, *(make(str(n), at=n) for n in range(1, 11))])
    assert history.forget(Retention(size=1024**2), now=START) == 0
    assert history.forget(Retention(size=size), now=START) == 1
    assert ids(history) == [str(n) for n in range(10, 0, -1)]


def test_much_is_forgotten_in_short_transactions(history: History, make: MakeFinished) -> None:
    history.write(make(str(n), at=n) for n in range(1_200))
    assert history.forget(Retention(journeys=0), now=START + 1_149.5) == 1_150
    assert len(ids(history)) == 50


# --- versions -------------------------------------------------------------------------------------


def test_a_history_of_a_later_botkit_is_left_alone(url: str, make: MakeFinished) -> None:
    first = History(url)
    first.write([make("1")])
    engine = open_engine(parse_url(url))
    with transaction(engine, writes=True) as connection:
        connection.execute(text("UPDATE botkit_history SET version = 99"))
    engine.dispose()
    first.close()
    second = History(url)
    with pytest.raises(HistoryError, match="of a later botkit: version 99"):
        second.write([make("2")])
    second.close()


# --- without reading what is not shown ------------------------------------------------------------


@pytest.mark.parametrize(
    "question",
    [
        functools.partial(latest, monitor="smoke"),
        functools.partial(latest, monitor="smoke", location="x", before=START),
        functools.partial(incidents, monitor="smoke", location="x"),
        functools.partial(bars, since=START, until=START, bucket=HOUR),
        functools.partial(latencies, monitor="smoke", since=START, until=START, bucket=DAY),
        functools.partial(evidence, journey_id="1"),
    ],
    ids=["latest", "latest at one place", "incidents", "bars", "latencies", "evidence"],
)
def test_sqlite_finds_what_is_shown_by_an_index(
    tmp_path: Path, make: MakeFinished, question: Callable[[Connection], object]
) -> None:
    history = History(str(tmp_path / "history.db"))
    history.write([make("1", location="x", verdict=Verdict.FAILED)])
    asked: list[tuple[str, object]] = []

    def note(_c: object, _u: object, statement: str, values: object, *_: object) -> None:
        asked.append((statement, values))

    def plans(connection: Connection) -> list[str]:
        event.listen(connection, "before_cursor_execute", note)
        question(connection)
        event.remove(connection, "before_cursor_execute", note)
        return [
            row.detail
            for statement, values in asked
            for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
        ]

    found = history.ask(plans)
    history.close()
    assert any("SEARCH" in plan for plan in found)
    # The list of streams is short, and is read whole.
    read_whole = [p for p in found if p.startswith("SCAN") and not p.startswith("SCAN streams")]
    assert read_whole == []
    # Counts are few, and may be sorted; journeys are not.
    assert "USE TEMP B-TREE FOR ORDER BY" not in found or "journeys" not in " ".join(found)
