"""Messages per client CPU second and memory per session, beside other programs doing the same.

    python tests/bench/journey.py                          # N = 100 and 1,000, botkit and all peers
    python tests/bench/journey.py --n 1000 --only botkit
    python tests/bench/journey.py --transport websocket

N journeys at once against the fast server of ``peers/``: handshake, connect, chat, agent, ten
messages each waiting for its answer, goodbye. The programs run alone and in turn, several times,
and the middle run counts; memory is taken from a run of one journey per session. Printed are the
figures and botkit's ratio to each peer, for absolute figures move with the machine.

botkit plays a bot file, with a guard, a reaction, and the hooks of ``plugins/`` on every event.
What the peers need is installed under ``.botkit/bench`` once; a peer that cannot be is named.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import venv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PEERS = HERE / "peers"
CACHE = ROOT / ".botkit" / "bench"
LIMIT = 240
"""Seconds for one run of one program."""


class Unavailable(Exception):
    """A program cannot be run here; says why."""


@dataclass(frozen=True)
class Figures:
    """What one run of one program gave."""

    messages_per_cpu_second: int
    kb_per_session: float


# --- the client under test, in a process of its own -----------------------------------------------


def play(n: int, rounds: int, port: int, transport: str, bot: Path) -> None:
    """Play n journeys at once, each so many times over, and print one line of JSON."""
    import trio

    from botkit.cli.loading import load_bots, plugins_of
    from botkit.interfaces import ConnectOptions
    from botkit.journey import Run, RunSettings

    with plugins_of([ROOT / "plugins"]) as plugins:
        bots, loaded = load_bots([bot], plugins)
        assert not loaded.problems, loaded.problems
        server, options = f"http://127.0.0.1:{port}/cometd", {"transport": transport}
        settings = RunSettings(jobs=n, override=ConnectOptions(server=server, options=options))
        run = Run(
            list(bots[0].plans()) * (n * rounds),
            settings,
            connectors=plugins.connectors,
            dispatcher=plugins.dispatcher,
            actions=plugins.actions,
        )
        gc.collect()
        memory_before, cpu_before = memory("VmRSS"), cpu()
        result = trio.run(run.play)
        used = cpu() - cpu_before
    failed = [journey for journey in result.journeys if journey.verdict.value != "passed"]
    if failed:
        sys.exit(f"{len(failed)} of {len(result.journeys)} did not pass: {failed[0].message}")
    messages = 10 * len(result.journeys)
    line = {
        "msg_per_cpu_s": round(messages / used),
        "peak_kb_per": round((memory("VmHWM") - memory_before) / n, 1),
    }
    print(json.dumps(line))


def memory(key: str) -> int:
    """Read a line of this process's status, kilobytes."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(key):
            return int(line.split()[1])
    raise LookupError(key)


def cpu() -> float:
    """Give the CPU time of this process, seconds."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


# --- the programs ---------------------------------------------------------------------------------


def botkit_command(*arguments: str) -> tuple[list[str], dict[str, str]]:
    return [sys.executable, __file__, "--client", *arguments], {}


def node_command(*arguments: str) -> tuple[list[str], dict[str, str]]:
    base = CACHE / "node"
    if not (base / "node_modules").exists():
        npm = found("npm")
        base.mkdir(parents=True, exist_ok=True)
        shutil.copy(PEERS / "package.json", base)
        install([npm, "install", "--no-audit", "--no-fund", "--no-package-lock"], base)
    script = str(PEERS / "node_cometd.mjs")
    return [found("node"), script, *arguments], {"NODE_BASE": f"{base}/"}


def aiocometd_command(*arguments: str) -> tuple[list[str], dict[str, str]]:
    return [environment("aiocometd"), str(PEERS / "aiocometd_journey.py"), *arguments], {}


def locust_command(
    n: str, rounds: str, port: str, transport: str
) -> tuple[list[str], dict[str, str]]:
    if transport != "long-polling":
        raise Unavailable(f"does not speak {transport}")
    variables = {"BK_N": n, "BK_ROUNDS": rounds, "BK_PORT": port}
    return [environment("locust"), str(PEERS / "locust_bayeux.py")], variables


PROGRAMS = {
    "botkit": botkit_command,
    "aiocometd": aiocometd_command,
    "locust": locust_command,
    "cometd-js": node_command,
}


def environment(name: str) -> str:
    """Give the Python of a peer's own environment, made once."""
    folder = CACHE / name
    python = folder / "bin" / "python"
    if not (folder / "ready").exists():
        venv.create(folder, with_pip=True, clear=True)
        requirements = str(PEERS / f"requirements-{name}.txt")
        install([str(python), "-m", "pip", "install", "-q", "-r", requirements], folder)
        (folder / "ready").touch()
    return str(python)


def found(program: str) -> str:
    path = shutil.which(program)
    if path is None:
        raise Unavailable(f"needs {program}")
    return path


def install(command: list[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Unavailable(f"{' '.join(command[:3])} failed: {done.stderr.strip()[-200:]}")


# --- measuring ------------------------------------------------------------------------------------


@contextmanager
def fast_server() -> Iterator[int]:
    """Run the peers' server on a port of its own choice."""
    command = [found("node"), str(PEERS / "fast_server.js"), "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield int(server.stdout.readline().split()[-1])
        finally:
            server.send_signal(signal.SIGTERM)


def measure(program: str, n: int, rounds: int, transport: str) -> Figures:
    """Run one program once."""
    with fast_server() as port:
        command, variables = PROGRAMS[program](str(n), str(rounds), str(port), transport)
        done = subprocess.run(
            command,
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
    if done.returncode:
        raise Unavailable(f"ended with {done.returncode}: {done.stderr.strip()[-300:]}")
    line = json.loads(done.stdout.strip().splitlines()[-1])
    if line.get("TIMEOUT") or line.get("error"):
        raise Unavailable(f"did not finish: {line}")
    return Figures(line["msg_per_cpu_s"], line["peak_kb_per"])


def compare(n: int, rounds: int, repeats: int, programs: list[str], transport: str) -> None:
    """Let the programs take turns, and print how they compare."""
    speeds: dict[str, list[int]] = {program: [] for program in programs}
    memories: dict[str, float] = {}
    for _ in range(repeats):
        for program in list(speeds):
            try:
                if program not in memories:
                    memories[program] = measure(program, n, 1, transport).kb_per_session
                figures = measure(program, n, rounds, transport)
                speeds[program].append(figures.messages_per_cpu_second)
            except Unavailable as why:
                print(f"left out: {program}: {why}")
                del speeds[program]
    print(f"\nN = {n:,}, {transport}: {rounds} rounds, the middle of {repeats} runs")
    print(f"{'program':12} {'msg/CPU s':>10} {'botkit is':>10} {'KB/session':>11}   runs")
    middle = {program: statistics.median(runs) for program, runs in speeds.items()}
    for program, speed in middle.items():
        ratio = f"{middle['botkit'] / speed:.2f}x" if "botkit" in middle else "-"
        print(
            f"{program:12} {speed:>10,.0f} {ratio:>10} {memories[program]:>11.1f}"
            f"   {speeds[program]}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--n", type=int, action="append", help="journeys at once (100 and 1000)")
    parser.add_argument("--only", action="append", choices=sorted(PROGRAMS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--transport", choices=("long-polling", "websocket"), default="long-polling"
    )
    parser.add_argument("--client", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.client:
        n, rounds, port, transport, *bot = options.client
        play(int(n), int(rounds), int(port), transport, Path(*bot or [HERE / "journey.bot.yaml"]))
        return
    programs = options.only or list(PROGRAMS)
    for n in options.n or (100, 1000):
        compare(n, 10 if n <= 100 else 2, options.repeats, programs, options.transport)


if __name__ == "__main__":
    main()
