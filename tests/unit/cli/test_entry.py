from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from botkit.cli import main
from botkit.version import __version__

COMMAND_PLUGIN = """
import click
from botkit import hookimpl

@click.command()
@click.option("--fail", type=click.Choice(["error", "pipe", "interrupt"]))
def export(fail):
    "Export things."
    if fail == "error":
        raise LookupError("no \\x1b[31msuch thing")
    if fail == "pipe":
        raise BrokenPipeError
    if fail == "interrupt":
        raise KeyboardInterrupt
    click.echo("exported")

@hookimpl
def register_commands(register):
    register("export", export)
"""


@pytest.fixture
def exporting(project: Path) -> Path:
    (project / "plugins").mkdir()
    (project / "plugins" / "exporter.py").write_text(COMMAND_PLUGIN)
    (project / "botkit.toml").write_text('plugins = ["plugins"]')
    return project


def botkit(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, timeout=30, check=False
    )


def test_the_version_costs_nothing() -> None:
    found = botkit("-X", "importtime", "-m", "botkit", "--version")
    assert found.stdout == f"botkit {__version__}\n"
    imported = {line.rpartition("|")[2].strip() for line in found.stderr.splitlines()}
    assert "botkit.cli" in imported
    assert not imported & {"click", "trio", "rich", "pluggy", "yaml", "httpx", "pydantic"}


def test_the_version_among_other_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version", "run"]) == 0
    assert capsys.readouterr().out == f"botkit {__version__}\n"


def test_help_lists_the_commands(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    for command in ("check", "plugins", "run", "simulate"):
        assert f"\n  {command} " in out


@pytest.mark.parametrize("command", ["check", "plugins", "run", "simulate"])
def test_each_command_has_help(
    command: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "--help"]) == 0
    assert "Usage: botkit" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["dance"], ["--dance"], ["run", "--dance"]])
def test_wrong_usage(
    arguments: list[str], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 4
    captured = capsys.readouterr()
    assert "Usage: botkit" in captured.err
    assert captured.out == ""


def test_wrong_settings(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "botkit.toml").write_text("\njbos = 3\n")
    assert main(["run"]) == 4
    message = "botkit: botkit.toml:2: there is no setting 'jbos'; did you mean 'jobs'?\n"
    assert capsys.readouterr().err == message


def test_a_command_of_a_plugin(exporting: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export"]) == 0
    assert capsys.readouterr().out == "exported\n"
    assert main(["--help"]) == 0
    assert "export    Export things." in capsys.readouterr().out


def test_a_mistake_is_one_sentence(
    exporting: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main(["export", "--fail", "error"]) == 3
    err = capsys.readouterr().err
    assert err.startswith("botkit: LookupError: no such thing (a mistake in botkit or a plugin")
    assert err.count("\n") == 1
    monkeypatch.setenv("BOTKIT_DEBUG", "1")
    assert main(["export", "--fail", "error"]) == 3
    assert "Traceback" in capsys.readouterr().err


def test_an_interrupt_is_a_signal(exporting: Path) -> None:
    assert main(["export", "--fail", "interrupt"]) == 2


def test_a_reader_that_goes_away(exporting: Path) -> None:
    found = botkit("-m", "botkit", "export", "--fail", "pipe")
    assert (found.returncode, found.stdout, found.stderr) == (3, "", "")


def test_a_plugin_that_cannot_be_imported(
    exporting: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (exporting / "plugins" / "broken.py").write_text(
        "from botkit import hookimpl\nimport no_such_module\n"
    )
    assert main(["run"]) == 3
    assert "broken" in capsys.readouterr().err
    assert main(["--help"]) == 0
    captured = capsys.readouterr()
    assert "simulate" in captured.out
    assert "broken" in captured.err
