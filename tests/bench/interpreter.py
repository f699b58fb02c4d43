"""What the interpreter costs: a bot in YAML beside the same journey scripted by hand.

    python tests/bench/interpreter.py

Both are played as ``botkit run`` plays them, with the hooks of ``plugins/``, N at once against the
fast server of ``peers/``, in turn, each in a process of its own. Printed is the client's CPU per
message, and what the interpreter adds. The YAML bot has a guard and a reaction besides, which see
every message; the one by hand has neither.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess

from journey import HERE, LIMIT, botkit_command, fast_server

BOTS = {"by hand": HERE / "journey_bot.py", "yaml": HERE / "journey.bot.yaml"}


def cost(bot: str, n: int, rounds: int) -> float:
    """Play once; microseconds of the client's CPU per message."""
    with fast_server() as port:
        arguments = (str(n), str(rounds), str(port), "long-polling", str(BOTS[bot]))
        command, _ = botkit_command(*arguments)
        done = subprocess.run(command, stdout=subprocess.PIPE, timeout=LIMIT, check=True)
    return 1e6 / float(json.loads(done.stdout.splitlines()[-1])["msg_per_cpu_s"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--n", type=int, default=100, help="journeys at once")
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    costs: dict[str, list[float]] = {bot: [] for bot in BOTS}
    for _ in range(options.repeats):
        for bot, runs in costs.items():
            runs.append(cost(bot, options.n, options.rounds))
    middle = {bot: statistics.median(runs) for bot, runs in costs.items()}
    print(f"N = {options.n:,}, the middle of {options.repeats} runs, CPU per message")
    for bot, runs in costs.items():
        print(f"{bot:8} {middle[bot]:6.0f} us   {[round(run) for run in runs]}")
    print(f"the interpreter adds {100 * (middle['yaml'] / middle['by hand'] - 1):+.0f} %")


if __name__ == "__main__":
    main()
