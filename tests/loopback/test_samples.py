"""Every file in ``bots/`` and ``plugins/`` is run, and so is every example of the READMEs."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from botkit.cli import main

ROOT = Path(__file__).parents[2]
SAMPLES = sorted(p for p in (ROOT / "bots").iterdir() if p.suffix in (".yaml", ".py"))
EXAMPLE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def examples(file: str, language: str) -> list[str]:
    """Give the fenced blocks of a README in one language."""
    text = (ROOT / file).read_text()
    return [code for kind, code in EXAMPLE.findall(text) if kind == language]


def run(*arguments: str, results: Path) -> tuple[int, list[dict[str, object]]]:
    """Run a command in this process; gives its exit code and the journeys."""
    code = main(["run", *arguments, "--json", str(results), "--plugins", str(ROOT / "plugins")])
    return code, json.loads(results.read_text())["journeys"]


def test_the_samples_pass_together_with_the_plugins(tmp_path: Path) -> None:
    code, journeys = run(str(ROOT / "bots"), results=tmp_path / "results.json")
    assert code == 0
    assert {j["verdict"] for j in journeys} == {"passed"}
    assert all(j["on_simulator"] for j in journeys)
    files = {Path(str(j["file"])).name for j in journeys}
    assert files == {p.name for p in SAMPLES} - {"agents.yaml"}
    rows = [j["name"] for j in journeys if j["bot"] == "survey-link"]
    assert rows == ["survey-link[gold-en]", "survey-link[silver-de]", "survey-link[bronze-fr]"]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda p: p.name)
def test_each_sample_is_played_alone(sample: Path, tmp_path: Path) -> None:
    code, journeys = run(str(sample), results=tmp_path / "results.json")
    # Agents are no bots: naming their file alone leaves nothing to play.
    assert code == (5 if sample.name == "agents.yaml" else 0)
    assert bool(journeys) == (sample.name != "agents.yaml")


def test_the_plugin_measures_the_first_reply(tmp_path: Path) -> None:
    _, journeys = run(str(ROOT / "bots" / "smoke.yaml"), results=tmp_path / "results.json")
    measured = journeys[0]["measurements"]
    assert isinstance(measured, dict)
    assert set(measured) == {
        "first_reply_after_agent_connected",
        "first_reply_after_customer_line",
    }
    assert all(0 <= seconds < 5 for seconds in measured.values())


def test_the_readme_s_first_bot_passes(tmp_path: Path) -> None:
    (text,) = examples("README.md", "yaml")
    bot = tmp_path / "hello.yaml"
    bot.write_text(text)
    code, journeys = run(str(bot), results=tmp_path / "results.json")
    assert code == 0
    assert [j["bot"] for j in journeys] == ["hello"]


def test_the_readme_s_program_runs() -> None:
    program, _ = examples("README.md", "python")
    assert "Hi there" in output_of(program)


GOING_ON = """
async def prove():
    async with trio.open_nursery() as nursery:
        simulator = Simulator()
        url = (await nursery.start(simulator.serve)).url
        await go_on(url)
        async with botkit.start_session(url, storage=storage) as session:
            await session.detach()
        await go_on(url)
        status = simulator.status()
        print(status["total"], status["open"])
        nursery.cancel_scope.cancel()

trio.run(prove)
"""


def test_the_readme_s_restored_session_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    _, going_on = examples("README.md", "python")
    imports = "import botkit\nimport trio\nfrom botkit.simulator import Simulator\n"
    lines = output_of(imports + going_on + GOING_ON).splitlines()
    assert lines == ["there is nothing to go on with", "1 0"]


def output_of(program: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_language_s_bots_are_valid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHAT_URL", "http://127.0.0.1:9/cometd")
    (tmp_path / "customers.csv").write_text("segment,language,email\ngold,en,a@example.com\n")
    whole = [
        code
        for code in examples("bots/README.md", "yaml")
        if code.startswith(("botkit:", "botkit-agents:"))
    ]
    assert len(whole) == 2
    for number, text in enumerate(whole):
        file = tmp_path / f"example{number}.yaml"
        file.write_text(text)
        assert main(["check", str(file)]) == 0


def test_the_language_s_python_bot_passes(tmp_path: Path) -> None:
    (text,) = examples("bots/README.md", "python")
    bot = tmp_path / "greeter.py"
    bot.write_text(text)
    code, journeys = run(str(bot), results=tmp_path / "results.json")
    assert code == 0
    assert [j["verdict"] for j in journeys] == ["passed"]
