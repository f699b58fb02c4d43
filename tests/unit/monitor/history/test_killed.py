"""A process that is killed at any point has lost no journey that it told as stored."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
import trio

import botkit
from botkit.monitor.history import History, HistoryKeeper, Spool, bars, evidence, latest
from botkit.results import Verdict

WRITER = Path(__file__).with_name("killed_writer.py")
TIMES = 30
MOST = 60
"""Journeys that a writer tells before it is killed, at most."""
PER_WRITER = 1_000_000
START = 1_767_225_600
LIMIT = 60


def write_until_killed(url: str, spool: Path, first: int, told: int) -> list[str]:
    """Kill a writer while it goes on after so many journeys; gives all that it has told."""
    command = [sys.executable, str(WRITER), url, str(spool), str(first)]
    environment = {**os.environ, "PYTHONPATH": str(Path(botkit.__file__).parents[1])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(told)]
        process.kill()
        lines += process.stdout.readlines()
    assert process.returncode == -9
    # The last line may have been cut off.
    return [line.rstrip("\n") for line in lines if line.endswith("\n")]


async def move_on(history: History, spool: Path) -> None:
    """Do what the next process does at its start."""
    keeper = HistoryKeeper(history, Spool(spool))
    with trio.fail_after(LIMIT):
        async with trio.open_nursery() as nursery:
            await nursery.start(keeper.run)
            await keeper.wait_settled()
            nursery.cancel_scope.cancel()
    assert keeper.standing.set_aside == 0


@pytest.mark.slow
async def test_whatever_was_told_as_stored_is_there(url: str, tmp_path: Path) -> None:
    points = random.Random(1)
    spool = tmp_path / "spool"
    told: list[str] = []
    for n in range(TIMES):
        first = n * PER_WRITER
        told += write_until_killed(url, spool, first, points.randrange(MOST))
    history = History(url)
    waited = len(list(spool.glob("*.journey")))
    await move_on(history, spool)

    stored = [entry.journey_id for entry in history.ask(latest, "smoke", limit=100_000)]
    assert len(stored) == len(set(stored)), "each is there once"
    assert set(told) <= set(stored)
    assert len(told) > TIMES
    assert len(stored) - len(told) <= 10 * TIMES, "what was not told is what was under way"
    assert list(spool.glob("*.journey")) == []
    assert waited < len(stored), "most were in the store before"
    for journey_id in random.Random(1).sample(stored, 100):
        data = history.ask(evidence, journey_id)
        assert data is not None
        assert json.loads(data)["journey_id"] == journey_id
    end = START + TIMES * PER_WRITER
    counted = history.ask(bars, since=START, until=end, bucket=86400)
    assert sum(bar.counts[Verdict.PASSED] for bar in counted) == len(stored)
    history.close()
    if "://" not in url:
        with closing(sqlite3.connect(url)) as database:
            assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
