from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from botkit.cli import main


def test_a_bot_passes_at_once_alone_and_with_new_agents(project: Path) -> None:
    (project / "bots").mkdir()
    assert main(["new", "bot", "first-one"]) == 0
    assert main(["new", "agents", "desk"]) == 0
    assert main(["check"]) == 0
    assert main(["run"]) == 0
    assert main(["run", "bots/first-one.yaml", "--agents", "bots/desk.yaml"]) == 0


def test_a_plugin_s_tests_pass_where_it_was_written(project: Path) -> None:
    (project / "plugins").mkdir()
    assert main(["new", "plugin", "my_plugin"]) == 0
    # It is loaded with its folder, and its tests are not.
    assert main(["plugins", "--plugins", "plugins"]) == 0
    tests = [sys.executable, "-m", "pytest", "-q", "plugins", "-p", "no:cacheprovider"]
    done = subprocess.run(tests, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


@pytest.mark.parametrize("kind", ["bot", "agents", "plugin"])
def test_nothing_is_overwritten_and_nothing_half_written(
    kind: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "out").mkdir()
    assert main(["new", kind, "x", "--dir", "out"]) == 0
    written = [Path(line) for line in capsys.readouterr().out.splitlines()]
    written[-1].write_text("mine")
    for path in written[:-1]:
        path.unlink()
    assert main(["new", kind, "x", "--dir", "out"]) == 4
    assert f"{written[-1]} exists" in capsys.readouterr().err
    assert written[-1].read_text() == "mine"
    assert [path for path in written if path.exists()] == written[-1:]


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("bot", "../evil", "is no name"),
        ("bot", "", "is no name"),
        ("bot", ".hidden", "is no name"),
        ("plugin", "with-dash", "cannot be imported"),
        ("plugin", "class", "cannot be imported"),
        ("cat", "x", "bot"),
    ],
)
def test_a_wrong_name(
    kind: str, name: str, words: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", kind, name]) == 4
    assert words in capsys.readouterr().err
    assert [path.name for path in project.iterdir()] == ["botkit.toml"]
