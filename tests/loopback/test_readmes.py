"""What stands in fences in the READMEs is what botkit takes, and what it answers.

``test_samples.py`` plays what can be played as it is, ``test_readme_parts.py`` plays parts of files
and runs commands; here are the options, the tutorial, a session at a prompt, and programs.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from botkit.cli import main
from botkit.cli.entry import BUILT_IN
from botkit.cli.options import SETTINGS
from botkit.plugins import load_plugins

ROOT = Path(__file__).parents[2]
READMES = ("README.md", "bots/README.md", "plugins/README.md")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OTHERS = {"--botkit-server"}
"""Options of pytest, not of botkit."""


def blocks(file: str, *kinds: str) -> list[str]:
    text = (ROOT / file).read_text(encoding="utf-8")
    return [code for kind, code in FENCE.findall(text) if kind in kinds]


# --- commands ------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", READMES)
def test_each_option_that_is_named_exists(file: str) -> None:
    text = (ROOT / file).read_text(encoding="utf-8")
    prose = FENCE.sub("", text)
    spans = [s for s in re.findall(r"`([^`\n]+)`", prose) if s.startswith(("botkit ", "--"))]
    spans += blocks(file, "sh")
    named = {o for span in spans if "pip " not in span for o in re.findall(r"--[a-z][a-z-]*", span)}
    known = {f"--{key}" for key in SETTINGS} | OTHERS
    assert named <= known
    subcommands = {w for span in spans for w in re.findall(r"(?<![./\w])botkit ([a-z]+)\b", span)}
    plugins = load_plugins(folders=[ROOT / "plugins"], environ={})
    assert subcommands <= {*BUILT_IN, *plugins.commands}
    plugins.close()


# --- the tutorial --------------------------------------------------------------------------------


def test_the_tutorial_goes_as_it_says(tmp_path: Path) -> None:
    manual = (ROOT / "bots" / "README.md").read_text(encoding="utf-8")
    tutorial = manual.partition("\n## From nothing to")[2].partition("\n## ")[0]
    told = []
    for kind, code in FENCE.findall(tutorial):
        if kind == "yaml":
            (tmp_path / code.split()[1]).write_text(code)
            continue
        for line in code.splitlines():
            command = [sys.executable, "-m", "botkit", *shlex.split(line, comments=True)[1:]]
            done = subprocess.run(
                command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
            )
            wanted = re.search(r"# exit code (\d+)", line)
            assert done.returncode == int(wanted[1] if wanted else 0), (line, done.stderr)
            told.append(done.stdout + done.stderr)
    assert "took #6 Alex" in told[1]
    assert "closest: #6 Alex" in told[3]
    assert "2 passed" in told[4]


# --- a session at a prompt -----------------------------------------------------------------------

CHANGING = re.compile(r"\d+\.\d+ s|[0-9A-F]{12}|\(\d+ more: [^)]*\)| #\d+")


def test_the_shown_session_is_what_a_prompt_answers() -> None:
    sessions = blocks("bots/README.md", "")
    (shown,) = (code for code in sessions if code.startswith("$ botkit run --step"))
    lines = shown.splitlines()
    typed = [line.removeprefix("> ") for line in lines if line.startswith("> ")]
    wanted = [line for line in lines[1:] if not line.startswith("> ")]
    done = subprocess.run(
        [sys.executable, "-m", "botkit", *shlex.split(lines[0])[2:]],
        input="".join(f"{line}\n" for line in typed),
        capture_output=True,
        text=True,
        timeout=60,
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = (done.stdout + done.stderr).splitlines()
    assert sorted(CHANGING.sub("~", line) for line in told) == sorted(
        CHANGING.sub("~", line) for line in wanted
    )


# --- programs of the manual of plugins -----------------------------------------------------------


def test_the_plugin_in_three_lines_the_test_and_the_sink(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = [c for c in blocks("plugins/README.md", "python") if not c.startswith("@hookimpl")]
    greeter, its_test, sink = code
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    (plugins / "greeter.py").write_text(greeter)
    results = tmp_path / "results.json"
    smoke = str(ROOT / "bots" / "smoke.yaml")
    assert main(["run", smoke, "--plugins", str(plugins), "--json", str(results)]) == 0
    (journey,) = json.loads(results.read_text())["journeys"]
    assert journey["notes"] == ["Alex came"]

    body = greeter.partition("@hookimpl\n")[2].replace("(journey", "(self, journey")
    indented = "".join(f"    {line}\n" for line in ["@hookimpl", *body.splitlines()])
    (tmp_path / "bots").mkdir()
    (tmp_path / "bots" / "smoke.yaml").write_text(Path(smoke).read_text())
    (tmp_path / "pytest.ini").write_text("[pytest]\ntrio_mode = true\n")
    imports = "from botkit import hookimpl\n"
    (tmp_path / "test_it.py").write_text(f"{imports}\nclass Greeter:\n{indented}\n{its_test}")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert "1 passed" in done.stdout, done.stdout

    monkeypatch.chdir(ROOT)
    names: dict[str, object] = {}
    exec(compile(sink, "plugins/README.md", "exec"), names)
    assert type(names["sink"]).__name__ == "NtfySink"
