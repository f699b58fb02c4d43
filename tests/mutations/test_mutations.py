"""Broken bots, plugins and servers: ``botkit run`` calls none of them passed.

The cases are data, in the YAML files of this folder. Each is played through the command line, and
says what must come of it; README.md tells the form.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import yaml

from botkit.cli import main
from botkit.plugins import Plugins

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
YAML_HEAD = "botkit: 1\nbot: broken\n"
PYTHON_HEAD = """\
import sys, time
import trio
import botkit
from botkit import AgentConnected, contains, hookimpl
from botkit.interfaces import Limits, Match, Miss
"""
HOOK_DEADLINE = 0.3
GOODBYES = {"LEAVE_LIMIT": 1.2, "KEY_LIMIT": 0.6, "DISCONNECT_RESERVE": 0.3}
"""How long leaving tries, seconds: with servers that never answer it takes all of that."""
CONTROLS = "controls"
CAUSED_ELSEWHERE = {("cancelled", "signal"), ("skipped", "not_started"), ("cancelled", "cancelled")}
"""Rows of the table of verdicts that test_processes.py and loopback/test_stepping.py cover."""


@dataclass(frozen=True, kw_only=True)
class Case:
    """One case; see README.md."""

    case: str
    exit: int
    verdict: str | None = None
    reason: str | None = None
    says: str
    bot: str = ""
    python: str = ""
    plugin: str = ""
    files: Mapping[str, str] = field(default_factory=dict)
    server: str | Sequence[dict[str, object]] | None = None
    arguments: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    open: int = 0

    def write_files(self, folder: Path) -> None:
        """Make a project of the case."""
        files = dict(self.files)
        if self.bot:
            files["bots/broken.yaml"] = YAML_HEAD + self.bot
        if self.python:
            files["bots/broken.py"] = PYTHON_HEAD + self.python
        if self.plugin:
            files["plugins/broken.py"] = PYTHON_HEAD + self.plugin
        for name, text in {"botkit.toml": "", **files}.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(text)

    def told(self, server: str) -> list[str]:
        """Give the arguments of the command."""
        plugins = ["--plugins", "plugins"] if self.plugin else []
        secure = server.replace("http:", "https:")
        given = [
            argument.replace("https:SERVER", secure).replace("SERVER", server)
            for argument in self.arguments
        ]
        asked = any("SERVER" in argument for argument in self.arguments)
        named = ["--server", server] if self.server is not None and not asked else []
        return ["run", "--json", "out.json", *plugins, *named, *given]


CASES = {
    f"{file.stem}: {raw['case']}": Case(**raw)
    for file in sorted(HERE.glob("*.yaml"))
    for raw in yaml.safe_load(file.read_text())
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to be in, and nothing of the surroundings; hooks have little time."""
    for name in list(os.environ):
        if name.startswith("BOTKIT_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    impatient = partial(Plugins, hook_deadline=HOOK_DEADLINE)
    monkeypatch.setattr("botkit.plugins.discovery.Plugins", impatient)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_what_comes_of_it(
    case: Case,
    project: Path,
    serve: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    case.write_files(project)
    if case.exit:
        # What is healthy is given all the time that a goodbye may take.
        for name, seconds in GOODBYES.items():
            monkeypatch.setattr(f"botkit.connectors.cometd_chat.{name}", seconds)
    for name, value in case.env.items():
        monkeypatch.setenv(name, value)
    with serve(case.server or "nobody") as served:
        code = main(case.told(served.url))
        still_open = served.open_chats()
    shown = " ".join("".join(capsys.readouterr()).split())
    journeys = journeys_of(project)
    verdicts = [(journey["verdict"], journey["reason"]) for journey in journeys]
    assert (code, verdicts) == (
        case.exit,
        [(case.verdict, case.reason)] if case.verdict else [],
    ), shown
    assert case.says in shown
    assert still_open == case.open
    assert "Traceback" not in shown


def journeys_of(project: Path) -> list[dict[str, Any]]:
    out = project / "out.json"
    return json.loads(out.read_bytes())["journeys"] if out.exists() else []


# --- the pack itself -----------------------------------------------------------------------------


def test_nothing_broken_passes() -> None:
    broken = {name: case for name, case in CASES.items() if not name.startswith(CONTROLS)}
    assert len(broken) >= 40
    assert len(CASES) - len(broken) >= 5
    assert [name for name, case in broken.items() if case.exit == 0] == []
    # The journey of this one passed, and the run did not.
    passed = [name for name, case in broken.items() if case.verdict == "passed"]
    assert passed == ["usage: a report that cannot be written in the end"]


def rows_of_the_table() -> Iterator[tuple[str, str, list[int]]]:
    """Give verdict, reason and exit codes of each row in the manual."""
    manual = (ROOT / "bots" / "README.md").read_text()
    table = manual.partition("## Verdicts")[2].partition("\n## ")[0]
    for row in re.findall(r"^\|.*\|$", table, re.MULTILINE)[2:]:
        _, verdict, reason, codes = [cell.strip() for cell in row.strip("|").split("|")]
        yield verdict, reason.strip("`"), [int(code) for code in re.findall(r"\d+", codes)]


def test_every_row_of_the_manual_is_proven() -> None:
    proven = {(case.verdict or "", case.reason or "", case.exit) for case in CASES.values()}
    codes = {case.exit for case in CASES.values()}
    rows = list(rows_of_the_table())
    assert len(rows) > 25
    for verdict, reason, wanted in rows:
        if not verdict:
            assert set(wanted) <= codes
        elif (verdict, reason) not in CAUSED_ELSEWHERE:
            assert {(verdict, reason, code) for code in wanted[:1]} <= proven, (verdict, reason)
