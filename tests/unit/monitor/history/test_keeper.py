"""Journeys go through the spool into the store, also when it was down."""

from __future__ import annotations

import os
import sqlite3
import threading
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Protocol

import pytest
import trio
from sqlalchemy import Engine, event

from botkit.errors import HistoryDown, HistoryError, HistoryRefused
from botkit.monitor.history import (
    Finished,
    History,
    HistoryKeeper,
    Retention,
    Spool,
    bars,
    database,
    latest,
)
from botkit.monitor.history import keeper as keeping
from botkit.results import Verdict

START = 1_767_225_600.0
LIMIT = 30

MakeFinished = Callable[..., Finished]


@pytest.fixture
def keeper(history: History, spool: Spool) -> HistoryKeeper:
    return HistoryKeeper(history, spool)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do not wait long for a store that is down."""
    monkeypatch.setattr(database, "BUSY", 0.05)
    monkeypatch.setattr(keeping, "FIRST_PAUSE", 0.01)
    monkeypatch.setattr(keeping, "LONGEST_PAUSE", 0.05)


async def ids(keeper: HistoryKeeper) -> list[str]:
    entries = await keeper.ask(lambda history: history.ask(latest, "smoke", limit=1_000))
    return [entry.journey_id for entry in entries]


async def wait_down(keeper: HistoryKeeper) -> None:
    # It is told by a thread that has tried, and is known nowhere else.
    while keeper.standing.down is None:  # noqa: ASYNC110
        await trio.sleep(0.01)


async def test_what_is_stored_is_in_the_history(
    keeper: HistoryKeeper, spool: Spool, make: MakeFinished
) -> None:
    with trio.fail_after(LIMIT):
        async with trio.open_nursery() as nursery:
            await nursery.start(keeper.run)
            for n in range(3):
                await keeper.store(make(str(n), at=n))
            await keeper.wait_settled()
            assert await ids(keeper) == ["2", "1", "0"]
            assert (len(spool), keeper.standing.waiting) == (0, 0)
            nursery.cancel_scope.cancel()


async def test_what_an_earlier_process_left_follows(
    keeper: HistoryKeeper, history: History, spool: Spool, make: MakeFinished
) -> None:
    for n in range(250):
        spool.put(make(str(n), at=n))
    # It was killed after the store had these, and before they were taken from the spool.
    history.write(waiting.journey for waiting in spool.oldest(journeys=30))
    with trio.fail_after(LIMIT):
        async with trio.open_nursery() as nursery:
            await nursery.start(keeper.run)
            await keeper.wait_settled()
            nursery.cancel_scope.cancel()
    assert await ids(keeper) == [str(n) for n in reversed(range(250))]
    [bar] = history.ask(bars, since=START, until=START, bucket=86400)
    assert bar.counts == {Verdict.PASSED: 250}


async def test_what_was_stored_last_gets_there_at_the_end(
    keeper: HistoryKeeper, make: MakeFinished
) -> None:
    with trio.fail_after(LIMIT):
        async with trio.open_nursery() as nursery:
            await nursery.start(keeper.run)
            await keeper.wait_settled()
            await keeper.store(make("last"))
            nursery.cancel_scope.cancel()
    assert await ids(keeper) == ["last"]


async def test_a_cancelled_caller_stores_its_journey(
    keeper: HistoryKeeper, spool: Spool, make: MakeFinished
) -> None:
    with trio.CancelScope() as scope:
        scope.cancel()
        await keeper.store(make("1"))
    assert len(spool) == 1


async def test_a_store_that_is_down_loses_nothing(
    tmp_path: Path, spool: Spool, make: MakeFinished
) -> None:
    """SQLite, where somebody else holds the lock."""
    path = tmp_path / "history.db"
    history = History(str(path))
    history.write([make("0")])
    keeper = HistoryKeeper(history, spool)
    with closing(sqlite3.connect(path, isolation_level=None)) as other, trio.fail_after(LIMIT):
        async with trio.open_nursery() as nursery:
            await nursery.start(keeper.run)
            await keeper.wait_settled()
            other.execute("BEGIN EXCLUSIVE")
            for n in range(1, 4):
                await keeper.store(make(str(n), at=n))
            await wait_down(keeper)
            assert "locked" in str(keeper.standing.down)
            assert keeper.standing.waiting == 3
            other.execute("ROLLBACK")
            await keeper.wait_settled()
            assert keeper.standing.down is None
            assert await ids(keeper) == ["3", "2", "1", "0"]
            nursery.cancel_scope.cancel()
    history.close()


async def test_a_disk_that_is_full_loses_nothing(
    tmp_path: Path, spool: Spool, make: MakeFinished
) -> None:
    """A database that may not grow stands for it: SQLite says the same."""
    pages = [100]

    def limit(connection: sqlite3.Connection, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages[0]}")

    history = History(str(tmp_path / "history.db"))
    keeper = HistoryKeeper(history, spool)
    event.listen(Engine, "connect", limit)
    try:
        with trio.fail_after(LIMIT):
            async with trio.open_nursery() as nursery:
                await nursery.start(keeper.run)
                for n in range(10):
                    await keeper.store(make(str(n), at=n, evidence=os.urandom(100_000)))
                await wait_down(keeper)
                assert "full" in str(keeper.standing.down)
                pages[0] = 10_000
                history.close()
                await keeper.wait_settled()
                nursery.cancel_scope.cancel()
    finally:
        event.remove(Engine, "connect", limit)
    assert await ids(keeper) == [str(n) for n in reversed(range(10))]
    history.close()


async def test_what_waits_is_not_in_memory(
    keeper: HistoryKeeper, spool: Spool, make: MakeFinished
) -> None:
    size = 500_000
    for n in range(60):
        spool.put(make(str(n), at=n, evidence=os.urandom(size)))
    tracemalloc.start()
    try:
        with trio.fail_after(LIMIT):
            async with trio.open_nursery() as nursery:
                await nursery.start(keeper.run)
                await keeper.wait_settled()
                nursery.cancel_scope.cancel()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(await ids(keeper)) == 60
    # One batch, as it is read and as a driver writes it; all of them would be twice as much.
    assert peak < 30 * size


class Server(Protocol):
    def start(self) -> None: ...
    def stop(self) -> None: ...
    def new_database(self, name: str) -> str: ...


@pytest.mark.interop
async def test_a_server_that_crashes_and_comes_back_loses_nothing(
    postgres: Server, spool: Spool, make: MakeFinished
) -> None:
    history = History(postgres.new_database("crashing"))
    keeper = HistoryKeeper(history, spool)
    with trio.fail_after(LIMIT):
        async with trio.open_nursery() as nursery:
            await nursery.start(keeper.run)
            await keeper.store(make("0"))
            await keeper.wait_settled()
            postgres.stop()
            try:
                for n in range(1, 4):
                    await keeper.store(make(str(n), at=n))
                await wait_down(keeper)
                assert keeper.standing.waiting == 3
                with pytest.raises(HistoryDown, match="the history in postgresql://"):
                    await ids(keeper)
            finally:
                postgres.start()
            await keeper.wait_settled()
            assert keeper.standing.down is None
            assert await ids(keeper) == ["3", "2", "1", "0"]
            nursery.cancel_scope.cancel()
    history.close()


async def test_a_process_starts_while_its_store_is_down(
    tmp_path: Path, spool: Spool, make: MakeFinished
) -> None:
    history = History(str(tmp_path / "later" / "history.db"))
    keeper = HistoryKeeper(history, spool)
    with trio.fail_after(LIMIT):
        async with trio.open_nursery() as nursery:
            await nursery.start(keeper.run)
            await keeper.store(make("1"))
            await wait_down(keeper)
            (tmp_path / "later").mkdir()
            await keeper.wait_settled()
            assert await ids(keeper) == ["1"]
            nursery.cancel_scope.cancel()
    history.close()


async def test_a_store_that_hangs_does_not_hold_up_the_end(
    spool: Spool, make: MakeFinished, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeping, "GOODBYE", 0.05)
    hangs, goes_on = threading.Event(), threading.Event()

    class Hanging(History):
        def write(self, journeys: object) -> int:
            hangs.set()
            goes_on.wait(LIMIT)
            raise HistoryDown("gone")

    keeper = HistoryKeeper(Hanging("unused.db"), spool)
    with trio.fail_after(LIMIT):
        async with trio.open_nursery() as nursery:
            await nursery.start(keeper.run)
            await trio.to_thread.run_sync(hangs.wait)
            # Storing goes on meanwhile.
            await keeper.store(make("1"))
            nursery.cancel_scope.cancel()
    assert len(spool) == 1
    goes_on.set()


async def test_what_the_store_refuses_holds_nobody_up(
    keeper: HistoryKeeper, tmp_path: Path, make: MakeFinished, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = History.write

    def picky(history: History, journeys: object) -> int:
        listed: list[Finished] = list(journeys)  # type: ignore[call-overload]
        if any(journey.entry.journey_id == "1" for journey in listed):
            raise HistoryRefused("not this one")
        return written(history, listed)

    monkeypatch.setattr(History, "write", picky)
    for n in range(3):
        await keeper.store(make(str(n), at=n))
    with trio.fail_after(LIMIT):
        async with trio.open_nursery() as nursery:
            await nursery.start(keeper.run)
            await keeper.wait_settled()
            nursery.cancel_scope.cancel()
    assert await ids(keeper) == ["2", "0"]
    assert (keeper.standing.set_aside, keeper.standing.waiting) == (1, 0)
    assert len(list((tmp_path / "spool" / "set-aside").iterdir())) == 1


async def test_without_a_spool_it_goes_straight_into_the_store(
    keeper: HistoryKeeper, tmp_path: Path, make: MakeFinished
) -> None:
    (tmp_path / "spool").rmdir()
    await keeper.store(make("1"))
    assert await ids(keeper) == ["1"]
    assert keeper.standing.lost == 0


@pytest.mark.parametrize("known", [False, True], ids=["it is tried", "it is known to be down"])
async def test_what_neither_takes_is_told_to_who_stores(
    tmp_path: Path, make: MakeFinished, known: bool
) -> None:
    spool = Spool(tmp_path / "spool", max_journeys=1)
    history = History(str(tmp_path / "nowhere" / "history.db"))
    keeper = HistoryKeeper(history, spool)
    await keeper.store(make("1"))
    with trio.fail_after(LIMIT):
        async with trio.open_nursery() as nursery:
            if known:
                await nursery.start(keeper.run)
                await wait_down(keeper)
            with pytest.raises(HistoryError, match="is full: 1 journeys"):
                await keeper.store(make("2"))
            nursery.cancel_scope.cancel()
    assert (keeper.standing.waiting, keeper.standing.lost) == (1, 1)


async def test_what_is_old_is_forgotten(
    keeper: HistoryKeeper, history: History, make: MakeFinished
) -> None:
    history.write([make("1"), make("2", at=100)])
    assert await keeper.forget(Retention(journeys=50), now=START + 110) == 1
    assert await ids(keeper) == ["2"]
