"""What masking costs: one journey of many lines, with values to hide and without.

    python tests/bench/masking.py

Both are played on virtual time, against a simulator in the same process, in turn, before a reporter
that does nothing. Printed is CPU per line, said and answered, the simulator's share
included, and the ratio to the journey that hides nothing. In the last cases
the frames are kept, and masked at the end.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from pathlib import Path

import trio
from trio.testing import MockClock

from botkit.interfaces import ConnectOptions, Reporter
from botkit.journey import Run, RunSettings
from botkit.plugins import Plugins, load_plugins
from botkit.results import JourneyResult, Verdict
from botkit.simulator import SimulatorSettings
from botkit.testing import simulator_in
from botkit.testing.playing import IN_MEMORY, plans_of

WORDS = ("please", "order", "the", "case", "number", "last", "bill", "open", "nobody", "calls")


class Nobody(Reporter):
    """A reporter that is told all, and does nothing: what it is told is masked for it."""


def bot_file(lines: int, values: int) -> str:
    """Write a bot that says so many lines, with so many values to hide."""
    rng = random.Random(1)
    row = {f"c{n}": f"{rng.choice(WORDS)}-{rng.randrange(10**8)}" for n in range(values)}
    steps: list[object] = [{"wait_for": "agent"}]
    for number in range(lines):
        words = " ".join(rng.choices(WORDS, k=8))
        steps.append({"say": f"{words} {number}"})
        steps.append({"expect": {"contains": f"{words} {number}"}, "within": "1h"})
    bot = {"botkit": "1", "bot": "masking", "limits": {"whole_chat": "24h"}, "steps": steps}
    if row:
        bot["data"] = {"rows": [row], "mask": list(row)}
    return json.dumps(bot)


async def play(bot: Path, plugins: Plugins, frames: bool) -> JourneyResult:
    """Play the bot's journey."""
    async with trio.open_nursery() as nursery:
        connector = await simulator_in(nursery, SimulatorSettings(seed=1))
        run = Run(
            plans_of(bot, plugins, {}),
            RunSettings(override=ConnectOptions(connector=IN_MEMORY), record_frames=frames),
            connectors={IN_MEMORY: lambda: connector},
            dispatcher=plugins.dispatcher,
            actions=plugins.actions,
            reporters=[Nobody()],
        )
        (result,) = (await run.play()).journeys
        nursery.cancel_scope.cancel()
    return result


def cost(bot: Path, lines: int, *, frames: bool) -> float:
    """Play once; microseconds of CPU per line."""
    plugins = load_plugins(environ={"BOTKIT_LOAD_PLUGINS": ""})
    began = time.process_time()
    result = trio.run(play, bot, plugins, frames, clock=MockClock(autojump_threshold=0))
    spent = time.process_time() - began
    plugins.close()
    if result.verdict is not Verdict.PASSED:
        raise SystemExit(result.message)
    return 1e6 * spent / lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--lines", type=int, default=1_000)
    parser.add_argument("--values", type=int, nargs="*", default=[3, 40])
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    cases = [(n, frames) for frames in (False, True) for n in (0, *options.values)]
    costs: dict[tuple[int, bool], list[float]] = {case: [] for case in cases}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.repeats):
            for (values, frames), runs in costs.items():
                bot = Path(folder) / f"{values}.yaml"
                bot.write_text(bot_file(options.lines, values))
                runs.append(cost(bot, options.lines, frames=frames))
    middle = {case: statistics.median(runs) for case, runs in costs.items()}
    print(f"{options.lines:,} lines, the middle of {options.repeats} runs, CPU per line")
    for (values, frames), us in middle.items():
        kept = ", frames kept" if frames else ""
        print(f"{values:3} values{kept:13} {us:6.0f} us   {us / middle[0, frames]:.2f}x")


if __name__ == "__main__":
    main()
