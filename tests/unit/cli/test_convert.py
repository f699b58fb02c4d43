from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from botkit.cli import main


@pytest.fixture
def results(project: Path, write_bot: Callable[..., Path]) -> Path:
    write_bot("one")
    write_bot("two")
    assert main(["run", "--json", "results.json", "-q"]) == 0
    return project / "results.json"


def test_a_journey_becomes_a_bot_that_passes(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["convert", str(results), "--journey", "one", "-o", "again.yaml"]) == 0
    assert main(["check", "again.yaml"]) == 0
    assert main(["run", "again.yaml"]) == 0
    capsys.readouterr()
    assert main(["convert", str(results), "--journey", "one"]) == 0
    assert capsys.readouterr().out == Path("again.yaml").read_text()


def test_a_file_is_overwritten_if_that_is_asked_for(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bot = Path("again.yaml")
    bot.write_text("mine")
    convert = ["convert", str(results), "--journey", "one", "-o", "again.yaml"]
    assert main(convert) == 4
    assert "again.yaml exists; --force" in capsys.readouterr().err
    assert bot.read_text() == "mine"
    assert main([*convert, "--force"]) == 0
    assert bot.read_text() != "mine"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["results.json"], "2 journeys: name one of 'one', 'two'"),
        (["results.json", "--journey", "three"], "no journey 'three'"),
        (["bots/one.yaml"], "bots/one.yaml:1:1: this is no JSON"),
        (["nothing.json"], "nothing.json: this cannot be read"),
        (["bots"], "bots: this cannot be read"),
        (["results.json", "--journey", "one", "-o", "no/where.yaml"], "no folder"),
        ([], "RESULT"),
    ],
)
def test_wrong_input_is_told(
    arguments: list[str], words: str, results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["convert", *arguments]) == 4
    assert words in capsys.readouterr().err
