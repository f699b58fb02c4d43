"""What a status page costs beside a million journeys of history.

    python tests/bench/history.py                       # 1,000,000 journeys in SQLite
    python tests/bench/history.py --journeys 100000 --monitors 40
    python tests/bench/history.py --url postgresql://botkit@127.0.0.1/bench

Histories of 90 days are written as a monitor writes them, one of all the journeys and one of a
hundredth of them. Then the questions of a status page are asked, each alone and all of a page
together, while a thread goes on writing; last come the pages themselves, over HTTP. Printed are
percentiles, the ratio to the small history, and the memory that the questions took.
"""

from __future__ import annotations

import argparse
import random
import resource
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from urllib.parse import quote

import httpx
import trio

from botkit.monitor.contract import Health, Maintenance, MonitorView
from botkit.monitor.history import (
    Finished,
    History,
    HistoryKeeper,
    Retention,
    Spool,
    bars,
    evidence,
    finished,
    incidents,
    latencies,
    latest,
    streams,
)
from botkit.monitor.web import make_app, serve
from botkit.results import JourneyResult, Reason, Verdict

HOUR, DAY = 3600, 86400
DAYS = 90
NOW = 1_767_225_600.0
START = NOW - DAYS * DAY
AT_ONCE = 1_000
ROW = b'{"kind": "message", "who": "Grace", "text": "hello %d, how can I help you today?"}'
VERDICTS = [Verdict.PASSED] * 985 + [Verdict.DEGRADED] * 8 + [Verdict.FAILED] * 6 + [Verdict.ERROR]


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    journeys: int
    monitors: int


def journeys(shape: Shape, seed: random.Random) -> Iterator[Finished]:
    """Make journeys of all monitors in turn, evenly over the days."""
    for n in range(shape.journeys):
        verdict = seed.choice(VERDICTS)
        result = JourneyResult(
            run_id=f"run-{n}",
            journey_id=f"{seed.getrandbits(64):016x}-{n}",
            bot="support",
            name="support",
            verdict=verdict,
            reason=Reason.OK,
            message="" if verdict is Verdict.PASSED else "no agent came within 60 s",
            started_utc=START + n * DAYS * DAY / shape.journeys,
            began=0.0,
            duration=seed.lognormvariate(2, 0.4),
            connector="gms-cometd",
            server="https://chat.example/genesys/cometd",
            measurements={"first_reply": seed.random()},
        )
        rows = b",".join(ROW % seed.randrange(10**6) for _ in range(10))
        text = b'{"transcript": [%b]}' % rows
        yield finished(result, monitor=f"monitor {n % shape.monitors:03}", evidence=text)


def fill(history: History, shape: Shape) -> None:
    made = journeys(shape, random.Random(1))
    began = time.perf_counter()
    while some := list(islice(made, AT_ONCE)):
        history.write(some)
    took = time.perf_counter() - began
    print(f"{shape.journeys:,} journeys written, {shape.journeys / took:,.0f} per second")


@contextmanager
def writing(history: History) -> Iterator[None]:
    """Go on writing, ten journeys a second, one by one."""
    over = threading.Event()
    more = journeys(Shape(journeys=10**9, monitors=1), random.Random(2))

    def write_on() -> None:
        while not over.wait(0.1):
            history.write([next(more)])

    thread = threading.Thread(target=write_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def questions(history: History) -> dict[str, Callable[[], object]]:
    names = sorted({stream.monitor for stream in history.ask(streams)})
    picked = random.Random(3)
    [some] = history.ask(latest, names[0], limit=1)

    def one() -> str:
        return picked.choice(names)

    def back(days: float, bucket: int) -> dict[str, float | int]:
        return {"since": NOW - days * DAY, "until": NOW, "bucket": bucket}

    def page() -> None:
        """All monitors: bars of 90 days, of 24 hours, the last journeys and incidents of each."""
        history.ask(streams)
        history.ask(bars, **back(90, DAY))
        history.ask(bars, **back(1, HOUR))
        for name in names:
            history.ask(latest, name, limit=1)
            history.ask(incidents, name, limit=1)

    def monitor_page() -> None:
        name = one()
        for span in (back(1, HOUR), back(7, 6 * HOUR), back(90, DAY)):
            history.ask(bars, monitor=name, **span)
            history.ask(latencies, name, **span)
        history.ask(latest, name, limit=50)
        history.ask(incidents, name, limit=20)

    return {
        "the page of all monitors": page,
        "the page of one monitor": monitor_page,
        "bars, 24 h by hour, all": lambda: history.ask(bars, **back(1, HOUR)),
        "bars, 7 d by 6 hours, all": lambda: history.ask(bars, **back(7, 6 * HOUR)),
        "bars, 90 d by day, all": lambda: history.ask(bars, **back(90, DAY)),
        "latencies, 90 d by day, one": lambda: history.ask(latencies, one(), **back(90, DAY)),
        "latest 50, one": lambda: history.ask(latest, one(), limit=50),
        "incidents 20, one": lambda: history.ask(incidents, one(), limit=20),
        "evidence of a journey": lambda: history.ask(evidence, some.journey_id),
    }


def measure(history: History, repeats: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {}
    with writing(history):
        for name, ask in questions(history).items():
            ask()
            for _ in range(repeats):
                began = time.perf_counter()
                ask()
                times.setdefault(name, []).append(1e3 * (time.perf_counter() - began))
    return times


class Still:
    """Monitors of a page that nobody runs."""

    def __init__(self, names: Sequence[str]) -> None:
        self._views = [MonitorView(name=name, health=Health.UP) for name in names]

    def monitors(self) -> Sequence[MonitorView]:
        return self._views

    def maintenances(self) -> Sequence[Maintenance]:
        return ()

    def run_now(self, monitor: str) -> None:
        raise KeyError(monitor)

    def begin_maintenance(self, maintenance: Maintenance) -> None:
        raise KeyError(maintenance.monitor)

    def end_maintenance(self, monitor: str | None) -> None:
        raise KeyError(monitor)


def pages(history: History) -> dict[str, Callable[[], str]]:
    names = sorted({stream.monitor for stream in history.ask(streams)})
    picked = random.Random(4)
    [some] = history.ask(latest, names[0], limit=1)

    def one() -> str:
        return f"/monitors/{quote(picked.choice(names))}"

    return {
        "GET / (24 hours)": lambda: "/",
        "GET / (90 days)": lambda: "/?span=90d",
        "GET /monitors/NAME": one,
        "GET /monitors/NAME, far back": lambda: f"{one()}?before={NOW - 60 * DAY}",
        "GET /journeys/ID": lambda: f"/journeys/{some.journey_id}",
    }


async def measure_pages(history: History, folder: Path, repeats: int) -> dict[str, list[float]]:
    times: dict[str, list[float]] = {}
    names = sorted({stream.monitor for stream in history.ask(streams)})
    keeper = HistoryKeeper(history, Spool(folder / "spool"))
    app = make_app(Still(names), keeper, token=None, now=lambda: NOW)
    async with trio.open_nursery() as nursery:
        url = await nursery.start(serve, app, "127.0.0.1", 0)
        async with httpx.AsyncClient(base_url=url, timeout=60) as client:
            for name, address in pages(history).items():
                for n in range(repeats + 1):
                    began = time.perf_counter()
                    reply = await client.get(address())
                    reply.raise_for_status()
                    if n:
                        times.setdefault(name, []).append(1e3 * (time.perf_counter() - began))
        nursery.cancel_scope.cancel()
    return times


def percentile(times: list[float], share: float) -> float:
    return sorted(times)[round(share * (len(times) - 1))]


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--journeys", type=int, default=1_000_000)
    parser.add_argument("--monitors", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=50)
    parser.add_argument("--url", help="of an empty PostgreSQL database for the large history")
    parser.add_argument("--folder", type=Path, help="for the files; kept")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = options.folder or Path(name)
        small = History(str(folder / "small.db"))
        large = History(options.url or str(folder / "large.db"))
        for history, share in ((small, 100), (large, 1)):
            if not history.ask(streams):
                shape = Shape(journeys=options.journeys // share, monitors=options.monitors)
                fill(history, shape)
        before = peak_mb()
        beside = measure(small, options.repeats)
        times = measure(large, options.repeats)
        for history, found in ((small, beside), (large, times)):
            with writing(history):
                found |= trio.run(measure_pages, history, folder, options.repeats)
        print(f"{options.journeys:,} journeys of {options.monitors} monitors, {DAYS} days")
        print(f"{'':30} {'p50':>8} {'p95':>8}   beside a hundredth of the journeys")
        for name, taken in times.items():
            ratio = statistics.median(taken) / statistics.median(beside[name])
            middle, worst = percentile(taken, 0.5), percentile(taken, 0.95)
            print(f"{name:30} {middle:5.1f} ms {worst:5.1f} ms   {ratio:.1f}x")
        print(f"memory of asking: {peak_mb() - before:.0f} MB over the {before:.0f} MB of writing")
        began = time.perf_counter()
        gone = large.forget(Retention(journeys=(DAYS - 1) * DAY), now=NOW)
        took = time.perf_counter() - began
        print(f"a day forgotten: {gone:,} journeys in {took:.1f} s")
        small.close()
        large.close()


if __name__ == "__main__":
    main()
