from __future__ import annotations

import io
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from botkit.bot import formatting
from botkit.cli import main

UGLY = "botkit:   1\nsteps:\n- say: 'hello'   # why\n-   expect: yes\nbot: {name}\n"
LAID_OUT = "botkit: 1\nbot: {name}\nsteps:\n  - say: hello  # why\n  - expect: yes\n"


def test_files_are_laid_out_and_named(write_bot: Any, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = write_bot("one", UGLY), write_bot("two", LAID_OUT)
    assert main(["fmt"]) == 0
    captured = capsys.readouterr()
    assert captured.out == "bots/one.yaml\n"
    assert captured.err == "1 file laid out, 1 left as they are\n"
    assert one.read_text() == LAID_OUT.replace("{name}", "one")
    assert two.read_text() == LAID_OUT.replace("{name}", "two")
    assert main(["fmt", "--check"]) == 0
    assert sorted(os.listdir(one.parent)) == ["one.yaml", "two.yaml"]


def test_check_writes_nothing(write_bot: Any, capsys: pytest.CaptureFixture[str]) -> None:
    one = write_bot("one", UGLY)
    before = one.read_bytes()
    assert main(["fmt", "--check", "bots"]) == 1
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("bots/one.yaml\n", "1 file would be laid out\n")
    assert one.read_bytes() == before


def test_files_with_problems_are_told_of_and_left(
    write_bot: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bot("one", UGLY)
    two, three = write_bot("two", UGLY + "strange: 1\n"), write_bot("three", "a: 'b\n")
    before = two.read_bytes(), three.read_bytes()
    assert main(["fmt"]) == 4
    captured = capsys.readouterr()
    assert captured.out == "bots/one.yaml\n"
    assert "bots/two.yaml:6:1: unknown key 'strange' of a bot" in captured.err
    assert "bots/three.yaml:1:4: this is no YAML" in captured.err
    assert captured.err.endswith("1 file laid out, 2 with problems\n")
    assert (two.read_bytes(), three.read_bytes()) == before


def test_only_what_was_named_is_laid_out(project: Path) -> None:
    agents = "botkit-agents: 1\nagents: {A: [{say: x}]}\n"
    bot = "botkit: 1\nsimulator: {agents: a.yaml}\ndata: {file: d.yaml}\nsteps: [{expect: x}]\n"
    for name, text in (("a.yaml", agents), ("b.yaml", bot), ("d.yaml", "[{x:   1}]\n")):
        (project / name).write_text(text)
    assert main(["fmt", "b.yaml"]) == 0
    assert (project / "a.yaml").read_text() == agents
    assert "steps:\n  - expect: x\n" in (project / "b.yaml").read_text()
    assert main(["fmt", ".", "a.yaml", "b.yaml"]) == 0
    assert (project / "a.yaml").read_text().endswith("agents:\n  A:\n    - say: x\n")
    # Rows of data are not botkit's.
    assert (project / "d.yaml").read_text() == "[{x:   1}]\n"


def test_steps_that_others_use_are_laid_out(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "s.yaml").write_text(
        "args: [x]\nbotkit-steps: 1\nsteps:\n- expect: {matches: '(?P<n>${args.x})'}\n"
    )
    bot = "botkit: 1\nsteps:\n  - use: s.yaml\n    with: {x: a}\n  - say: ${n}\n"
    (project / "b.yaml").write_text(bot)
    assert main(["fmt", "."]) == 0
    assert capsys.readouterr().out == "s.yaml\n"
    assert (project / "s.yaml").read_text() == (
        "botkit-steps: 1\nargs: [x]\nsteps:\n  - expect: {matches: '(?P<n>${args.x})'}\n"
    )
    assert main(["check", "b.yaml"]) == 0


def test_what_other_systems_write(write_bot: Any) -> None:
    file, text = write_bot("one", ""), UGLY.replace("{name}", "one")
    file.write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").rstrip().encode())
    file.chmod(0o600)
    link = file.with_name("link.yaml")
    link.symlink_to(file)
    assert main(["fmt", str(link)]) == 0
    assert link.is_symlink()
    assert file.read_text() == LAID_OUT.replace("{name}", "one")
    assert b"\r" not in file.read_bytes()
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_file_that_would_lose_something_is_left(
    write_bot: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = write_bot("one", UGLY), write_bot("two", LAID_OUT)
    before = one.read_bytes()
    monkeypatch.setattr(formatting, "IN_LINES", frozenset())
    monkeypatch.setattr(formatting.Writer, "comment", lambda *_: None)
    one.write_bytes(before + b"# end\n")
    assert main(["fmt"]) == 3
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == (
        "bots/one.yaml: left as it is: a comment or an anchor would be lost if it were laid out\n"
        "no files laid out, 2 left as they are\n"
    )
    assert one.read_bytes() == before + b"# end\n"


def test_what_cannot_be_written_is_told(
    write_bot: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    one = write_bot("one", UGLY)
    monkeypatch.setattr(os, "fsync", full)
    assert main(["fmt"]) == 4
    assert "it cannot be written: No space left on device" in capsys.readouterr().err
    assert one.read_text() == UGLY.replace("{name}", "one")


def test_nothing_to_lay_out(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt"]) == 5
    assert capsys.readouterr().err == "nothing was found to lay out\n"
    assert main(["fmt", "none.yaml"]) == 4
    assert "there is no such file" in capsys.readouterr().err


def feed(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_standard_input(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    feed(monkeypatch, UGLY.replace("{name}", "ä").encode())
    assert main(["fmt", "-"]) == 0
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == (LAID_OUT.replace("{name}", "ä"), "")
    for text, code in ((UGLY, 1), (LAID_OUT, 0)):
        feed(monkeypatch, text.encode())
        assert main(["fmt", "--check", "-"]) == code
        assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("content", "code", "words"),
    [
        (b"a: 'b\n", 4, "<stdin>:1:4: this is no YAML"),
        (b"a: 1\na: 2\n", 4, "<stdin>:2:1: the key 'a' is already there"),
        (b"# nothing\n", 4, "<stdin>: there is nothing in it"),
        (b"a: \xff\n", 4, "<stdin>:1:4: the byte 0xff is no UTF-8"),
        (b"x" * 1_000_001, 4, "<stdin>: this is larger than 1,000,000 bytes"),
        (b"just words\n", 3, "<stdin>: left as it is: "),
    ],
)
def test_wrong_standard_input(
    content: bytes,
    code: int,
    words: str,
    project: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    feed(monkeypatch, content)
    assert main(["fmt", "-"]) == code
    captured = capsys.readouterr()
    assert captured.out == ""
    assert words in captured.err


def test_standard_input_stands_alone(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["fmt", "-", "x.yaml"]) == 4
    assert "- stands alone" in capsys.readouterr().err
