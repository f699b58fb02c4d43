"""The example of ``plugins/README.md``, run as readers run it; no trace of it has the key in it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import trio

from botkit.simulator.http import Reply

ROOT = Path(__file__).parents[3]
KEY = "sk-top-s3cret"
RECORDINGS = Path(".botkit", "personas")
Replies = dict[str, Callable[..., Reply]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The example's bot and its agents."""
    section = (ROOT / "plugins" / "README.md").read_text().partition("\n## Personas")[2]
    bot, agents = re.findall(r"^```yaml\n(.*?)^```$", section, re.DOTALL | re.MULTILINE)[:2]
    (tmp_path / "bot.yaml").write_text(
        bot.replace("      turns: 6", "      turns: 6\n      settle: 50ms")
    )
    (tmp_path / "agents.yaml").write_text(agents)
    return tmp_path


async def run(folder: Path, *options: str, **environ: str) -> tuple[int, str]:
    """Run the bot in a process of its own; gives the exit code and all that was printed."""
    reports = ("--json", "run.json", "--junit", "run.xml")
    done = await trio.run_process(
        [sys.executable, "-m", "botkit", "run", "bot.yaml", "--agents", "agents.yaml"]
        + [*reports, *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), "BOTKIT_DEBUG": "1", **environ},
        capture_stdout=True,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.returncode, done.stdout.decode()


def traces(folder: Path, output: str) -> str:
    """Give all that a run left behind."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert {"run.json", "run.xml"} <= {path.name for path in files}
    return output + "".join(path.read_text() for path in files)


def endpoint(model: Any) -> dict[str, str]:
    return {"LLM_URL": model.url, "LLM_MODEL": "m", "LLM_KEY": KEY}


async def test_the_example_passes_and_replays_without_a_model(model: Any, folder: Path) -> None:
    model.says("It is A-1234.", "Goodbye [END]")
    code, output = await run(folder, **endpoint(model))
    assert code == 0, output
    (journey,) = json.loads((folder / "run.json").read_text())["journeys"]
    assert "Ada stopped for done, with case CAS-000123" in journey["notes"]
    assert model.asked[0].headers["authorization"] == f"Bearer {KEY}"
    (recording,) = (folder / RECORDINGS).iterdir()
    assert KEY not in traces(folder, output)
    model.scope.cancel()
    code, output = await run(folder, BOTKIT_LLM_REPLAY=str(recording), **endpoint(model))
    assert code == 0, output
    assert len(model.asked) == 2


async def test_the_key_of_the_environment_shows_nowhere(
    model: Any, folder: Path, replies: Replies
) -> None:
    bot = folder / "bot.yaml"
    bot.write_text(re.sub(r"      (url|model|key): .*\n", "", bot.read_text()))
    model.queued = [
        replies["completion"]("It is A-1234.", model=KEY),
        replies["failure"](401, code=KEY),
    ]
    code, output = await run(folder)
    assert code == 3, output
    assert "the endpoint answered 401 some_error" in output
    assert model.asked[0].headers["authorization"] == f"Bearer {KEY}"
    assert len(list((folder / RECORDINGS).iterdir())) == 1
    assert KEY not in traces(folder, output)


async def test_a_refused_key_shows_nowhere(model: Any, folder: Path, replies: Replies) -> None:
    model.queued = [replies["failure"](401, code=KEY)]
    code, output = await run(folder, **endpoint(model))
    assert code == 3, output
    assert KEY not in traces(folder, output)
