from __future__ import annotations

from pathlib import Path

import pytest

from botkit.cli import main
from botkit.cli.plugins import aligned
from botkit.version import __version__


def test_plugins_are_listed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = project / "mine"
    folder.mkdir()
    (folder / "shout.py").write_text(
        "from botkit import hookimpl\n__version__ = '7.1'\n"
        "@hookimpl\ndef on_message(event): ...\n@hookimpl\ndef on_notice(event): ...\n"
    )
    assert main(["plugins", "--plugins", "mine"]) == 0
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["name", "version", "origin", "hooks"]
    assert ["default_plugins", __version__, "built-in"] == lines[1][:3]
    assert ["shout", "7.1", "file", "mine/shout.py", "on_message,", "on_notice"] in lines


def test_a_folder_that_is_not_there(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plugins", "--plugins", "none"]) == 4
    assert "'none' does not exist" in capsys.readouterr().err


def test_columns_begin_below_each_other() -> None:
    assert aligned([("a", "b", "c"), ("aaa", "b", "long")]) == ["a    b  c", "aaa  b  long"]
