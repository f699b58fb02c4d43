"""Stores journeys without end and tells each that is stored, until it is killed.

    python killed_writer.py URL SPOOL FIRST

`FIRST` is the number of the first journey; several are stored at once.
"""

from __future__ import annotations

import json
import random
import sys
from itertools import count
from pathlib import Path

import trio

from botkit.monitor.history import History, HistoryKeeper, Spool, finished
from botkit.results import JourneyResult, Reason, Verdict

AT_ONCE = 3


async def main(url: str, folder: str, first: str) -> None:
    keeper = HistoryKeeper(History(url), Spool(Path(folder)))
    numbers = count(int(first))
    random_bytes = random.Random(first)

    async def store_on() -> None:
        while True:
            number = next(numbers)
            result = JourneyResult(
                run_id=first,
                journey_id=str(number),
                bot="smoke",
                name="smoke",
                verdict=Verdict.PASSED,
                reason=Reason.OK,
                started_utc=1_767_225_600.0 + number,
                began=0.0,
                duration=1.0,
            )
            text = random_bytes.randbytes(random_bytes.randrange(20_000)).hex()
            evidence = json.dumps({"journey_id": str(number), "transcript": text}).encode()
            await keeper.store(finished(result, monitor="smoke", evidence=evidence))
            # Not through a buffer: what was told must have been told.
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()

    async with trio.open_nursery() as nursery:
        await nursery.start(keeper.run)
        for _ in range(AT_ONCE):
            nursery.start_soon(store_on)


if __name__ == "__main__":
    trio.run(main, *sys.argv[1:])
