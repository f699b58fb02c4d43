"""What stands in fences in the READMEs is what botkit takes, and what it answers.

``test_samples.py`` plays what can be played as it is; here is the rest: parts of files, commands,
and a session at a prompt.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from botkit.bot.diagnostics import Problems
from botkit.bot.source import Entries, parse_yaml
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


# --- parts of files ------------------------------------------------------------------------------

PARTS = [
    pytest.param(code, id=f"{file}-{number}")
    for file in READMES
    for number, code in enumerate(blocks(file, "yaml"))
]


def whole(code: str) -> str:
    """Make a file of a part of one."""
    root = parse_yaml(code, Problems("part"))
    if not isinstance(root, Entries):
        return f"botkit: 1\nbot: part\nsteps:\n{code}"
    if any(key.startswith("botkit") for key in root.keys):
        return code if {"steps", "agents"} & {*root.keys} else f"{code}steps: [expect: hello]\n"
    rest = "" if "steps" in root.keys else "steps: [expect: hello]\n"
    columns = {*re.findall(r"\$\{row\.(\w+)\}", code)}
    row = ", ".join(f"{column}: 1" for column in sorted(columns))
    rows = f"data: {{rows: [{{{row}}}]}}\n" if columns and "data" not in root.keys else ""
    return f"botkit: 1\nbot: part\n{rows}{code}{rest}"


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what the parts of files name: other parts, data, the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CHAT_URL", "http://127.0.0.1:9/cometd")
    (tmp_path / "customers.csv").write_text("segment,language,email\ngold,en,a@example.com\n")
    for code in blocks("bots/README.md", "yaml"):
        if named := re.match(r"# (\S+\.yaml)\n", code):
            (tmp_path / named[1]).parent.mkdir(exist_ok=True)
            (tmp_path / named[1]).write_text(code)
    return tmp_path


@pytest.mark.parametrize("code", PARTS)
def test_what_is_shown_of_files_is_valid(code: str, beside: Path) -> None:
    file = beside / "part.yaml"
    file.write_text(whole(code))
    command = [
        sys.executable,
        "-m",
        "botkit",
        "check",
        "--plugins",
        str(ROOT / "plugins"),
        str(file),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr


# --- commands ------------------------------------------------------------------------------------


def commands_in(text: str) -> Iterator[list[str]]:
    """Give the commands of botkit in a block of a shell, in words."""
    for line in text.splitlines():
        for part in line.removeprefix("$ ").split("&&"):
            words = shlex.split(part, comments=True)
            if words and words[0] in ("botkit", ".venv/bin/botkit"):
                redirected = words.index(">") if ">" in words else None
                yield words[1:redirected]


COMMANDS = [
    pytest.param(words, id=" ".join(words))
    for file in READMES
    for code in blocks(file, "sh", "console", "")
    for words in commands_in(code)
]


def test_there_are_commands() -> None:
    assert len(COMMANDS) >= 6


@pytest.mark.parametrize("words", COMMANDS)
def test_each_command_is_taken(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from botkit.cli.entry import Commands

    monkeypatch.chdir(ROOT)
    group = Commands()
    command = group.get_command(click.Context(group), words[0])
    assert command is not None
    command.make_context(words[0], words[1:])


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
