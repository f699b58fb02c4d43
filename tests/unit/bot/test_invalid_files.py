"""Every file of ``invalid/`` says in its last lines what is told of it, word for word."""

from pathlib import Path

import pytest

from botkit.bot.loader import load_file

FILES = sorted((Path(__file__).parent / "invalid").glob("*.yaml"))
EXPECTED = "# expect "


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_invalid_file_is_told_of_word_for_word(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)  # some messages name files beside it
    lines = file.read_text().splitlines()
    expected = [line.removeprefix(EXPECTED) for line in lines if line.startswith(EXPECTED)]

    loaded = load_file(file.name)

    assert expected
    assert [str(problem).partition(":")[2] for problem in loaded.problems] == expected
    assert loaded.bots == ()
    assert loaded.agents == ()


def test_every_file_of_the_corpus_is_run() -> None:
    assert len(FILES) >= 90
