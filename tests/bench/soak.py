"""Has twenty monitors at work on a simulator that fails at random, and watches what they cost.

``python tests/bench/soak.py --minutes 30`` prints a line a minute and a summary: memory, threads
and open files of the monitor after the warm-up and at the end, chats that were left open, and what
the journeys came to. It asserts nothing.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from botkit.monitor.history import History, bars

MONITORS, PERIOD = 20, 4
WARM_UP = 5
"""Minutes, or a third of a shorter run."""
BOT = """\
botkit: 1
bot: soak
limits: {whole_chat: 20s}
steps:
  - wait_for: agent
    within: 5s
  - say: Hello
  - expect: 'You said: Hello'
    within: 5s
  - say: Thank you
  - expect: 'You said: Thank you'
    within: 5s
"""
FAULTS = """\
faults:
  - {name: unknown_session, on: connect, probability: 0.01}
  - {name: kill_connection, probability: 0.01}
  - {name: http_500, probability: 0.01}
  - {name: truncated_json, probability: 0.005}
  - {name: lost_message, probability: 0.005}
  - {name: agent_never_joins, probability: 0.01}
  - {name: stall, time: 2s, probability: 0.002}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What the monitor's process takes: kilobytes, threads, open files; and the open chats."""

    kilobytes: int
    threads: int
    files: int
    chats: int

    def __str__(self) -> str:
        return (
            f"{self.kilobytes / 1024:.1f} MB, {self.threads} threads, {self.files} files,"
            f" {self.chats} chats open"
        )


def sample(process: int, status: str) -> Sample:
    text = Path(f"/proc/{process}/status").read_text()
    values = dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)
    return Sample(
        kilobytes=int(values["VmRSS"].split()[0]),
        threads=int(values["Threads"]),
        files=len(os.listdir(f"/proc/{process}/fd")),
        chats=httpx.get(status, timeout=10).json()["open"],
    )


@contextmanager
def running(*arguments: str, folder: Path, **options: object) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", "botkit", *arguments]
    with subprocess.Popen(command, cwd=folder, text=True, **options) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait(30)


def write_files(folder: Path, url: str) -> None:
    monitors = "".join(
        f"  m{number}: {{bot: soak.yaml, server: '{url}', every: {PERIOD}s, jitter: 1s,"
        f" retest: {{after: 500ms}}, slo: {{target: 99%}}}}\n"
        for number in range(MONITORS)
    )
    (folder / "soak.yaml").write_text(BOT)
    (folder / "m.yaml").write_text(
        f"botkit-monitors: 1\ncaps: {{chats: 15}}\nmonitors:\n{monitors}"
    )


def soak(minutes: float, folder: Path) -> None:
    (folder / "faults.yaml").write_text(FAULTS)
    simulate = ("simulate", "--port", "0", "--faults", "faults.yaml", "--seed", "1")
    quiet = subprocess.DEVNULL
    with running(*simulate, folder=folder, stdout=subprocess.PIPE, stderr=quiet) as simulator:
        assert simulator.stdout is not None
        url = simulator.stdout.readline().split()[1]
        status = url.replace("/genesys/cometd", "/simulator/status")
        write_files(folder, url)
        log = (folder / "log").open("w")
        with running("monitor", "m.yaml", folder=folder, stdout=log, stderr=log) as monitor:
            watch(minutes, monitor, status)
            monitor.send_signal(signal.SIGTERM)
            code = monitor.wait(60)
        left = httpx.get(status, timeout=10).json()["open"]
        print(f"stopped with {code}; {left} chats are open now")
    print(f"tracebacks in the log: {(folder / 'log').read_text().count('Traceback')}")
    print(f"journeys: {dict(verdicts(folder))}")


def watch(minutes: float, monitor: subprocess.Popen[str], status: str) -> None:
    began, warm, last = time.monotonic(), None, None
    warm_at = min(WARM_UP, minutes / 3) * 60
    while (spent := time.monotonic() - began) < minutes * 60:
        time.sleep(min(60, minutes * 60 - spent))
        assert monitor.poll() is None, "the monitor has ended"
        last = sample(monitor.pid, status)
        print(f"{(time.monotonic() - began) / 60:5.1f} min  {last}", flush=True)
        if warm is None and time.monotonic() - began >= warm_at:
            warm = last
    assert warm is not None
    assert last is not None
    growth = last.kilobytes / warm.kilobytes - 1
    print(f"after the warm-up {warm}\nat the end        {last}\nmemory grew by {growth:+.1%}")


def verdicts(folder: Path) -> Counter[str]:
    found = Counter[str]()
    with closing(History(str(folder / "m.db"))) as history:
        for bar in history.ask(bars, since=0, until=time.time(), bucket=86400):
            found.update({verdict.value: count for verdict, count in bar.counts.items()})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    with tempfile.TemporaryDirectory() as folder:
        soak(parser.parse_args().minutes, Path(folder))


if __name__ == "__main__":
    main()
