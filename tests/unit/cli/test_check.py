from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from botkit.cli import main


def test_bots_without_problems_are_counted(
    write_bot: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bot("one")
    rows = "botkit: 1\nbot: two\ndata: {rows: [{x: 1}, {x: 2}]}\nsteps:\n  - expect: ${row.x}\n"
    write_bot("two", rows)
    assert main(["check"]) == 0
    assert capsys.readouterr().out == "2 bots, 3 journeys, no problems\n"


def test_every_problem_is_told_with_its_place(
    write_bot: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bot("one", "botkit: 1\nbot: one\nsteps:\n  - sya: hello\n  - expct: hello\n")
    write_bot("two", "botkit: 1\nsteps: []\n")
    assert main(["check", "bots"]) == 4
    captured = capsys.readouterr()
    assert "bots/one.yaml:4:5: " in captured.out
    assert "did you mean 'say'?" in captured.out
    assert "bots/one.yaml:5:5: " in captured.out
    assert "bots/two.yaml:" in captured.out
    assert "\x1b" not in captured.out
    assert "problems" in captured.err


def test_problems_as_annotations(write_bot: Any, capsys: pytest.CaptureFixture[str]) -> None:
    write_bot("one", "botkit: 1\nbot: one\nsteps:\n  - sya: hello\n")
    assert main(["check", "--format", "github"]) == 4
    assert capsys.readouterr().out.startswith("::error file=bots/one.yaml,line=4,col=5::")


TWO_PROBLEMS = """\
botkit: 1
bot: "ä"
connect: {server: '${env.NO_SUCH}'}
steps:
  - sya: hello
"""


def test_problems_as_json(write_bot: Any, capsys: pytest.CaptureFixture[str]) -> None:
    write_bot("one", TWO_PROBLEMS)
    assert main(["check", "--format", "json"]) == 4
    warning, error = json.loads(capsys.readouterr().out)["problems"]
    assert (warning["severity"], warning["line"]) == ("warning", 3)
    assert error == {
        "file": "bots/one.yaml",
        "line": 5,
        "column": 5,
        "severity": "error",
        "message": "unknown verb 'sya'",
        "hint": "did you mean 'say'?",
    }


def test_problems_as_sarif(
    write_bot: Any, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bot("one two", TWO_PROBLEMS)
    missing = project / "none.yaml"
    assert main(["check", "--format", "sarif", "bots", str(missing)]) == 4
    log = json.loads(capsys.readouterr().out)
    (run,) = log["runs"]
    assert (log["version"], run["tool"]["driver"]["name"]) == ("2.1.0", "botkit")
    rules = {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert [(result["ruleId"], result["level"]) for result in run["results"]] == [
        ("invalid", "error"),
        ("doubtful", "warning"),
        ("invalid", "error"),
    ]
    assert {result["ruleId"] for result in run["results"]} == rules
    # A file as a whole has no region.
    assert places[0] == {"artifactLocation": {"uri": missing.as_uri()}}
    assert places[2]["artifactLocation"]["uri"] == "bots/one%20two.yaml"
    assert (places[2]["region"]["startLine"], places[2]["region"]["startColumn"]) == (5, 5)


@pytest.mark.parametrize("form", ["json", "sarif"])
def test_documents_without_problems(
    write_bot: Any, capsys: pytest.CaptureFixture[str], form: str
) -> None:
    write_bot("one", "botkit: 1\nbot: one\nsteps:\n  - wait_for: agent\n")
    assert main(["check", "--format", form]) == 0
    captured = capsys.readouterr()
    document = json.loads(captured.out)
    assert (document["problems"] if form == "json" else document["runs"][0]["results"]) == []
    assert "no problems" in captured.err


def test_what_the_environment_lacks_is_a_warning(
    write_bot: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "botkit: 1\nbot: a\nconnect: {server: '${env.NO_SUCH}'}\nsteps:\n  - wait_for: agent\n"
    write_bot("a", text)
    assert main(["check"]) == 0
    out = capsys.readouterr().out
    assert "warning: ${env.NO_SUCH}" in out
    assert out.endswith("1 bot, 1 warning\n")


def test_doubts_do_not_change_the_verdict(
    write_bot: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bot("a", "botkit: 1\nbot: a\nsteps:\n  - expect: \\d+ left\n")
    assert main(["check"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("bots/a.yaml:4:13: warning: a plain text takes '\\d+' as it is spelled")
    assert out.endswith("1 bot, 1 journey, 1 warning\n")


def test_nothing_to_check(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == 5
    (project / "bots").mkdir()
    assert main(["check", "bots"]) == 5
    assert "bots: no bot was found" in capsys.readouterr().err
    assert main(["check", "none"]) == 4


BUTTON = "botkit: 1\nbot: a\nsteps:\n  - say: {button: 'Yes'}\n"


def test_what_the_wire_of_a_bot_cannot_do(
    write_bot: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    write_bot("a", BUTTON)
    write_bot("b", "botkit: 1\nbot: b\nconnect: {connector: gms-rest}\nsteps:\n  - sya: hello\n")
    assert main(["check"]) == 4
    captured = capsys.readouterr()
    assert captured.out.startswith("bots/a.yaml:4:5: 'say' cannot be done over simulator: the GMS")
    assert "bots/b.yaml:5:5: unknown verb" in captured.out
    assert captured.err == "2 problems\n"


def test_another_wire_is_tried(write_bot: Any, capsys: pytest.CaptureFixture[str]) -> None:
    write_bot("a", BUTTON)
    assert main(["check", "--connector", "genesys-cloud"]) == 0
    assert main(["check", "--server", "http://127.0.0.1:9/x"]) == 4
    assert "cannot be done over gms-cometd" in capsys.readouterr().out
    assert main(["check", "--connector", "gms-rest", "--option", "foo=bar"]) == 4
    assert "botkit: gms-rest has no option 'foo'" in capsys.readouterr().err
    assert main(["check", "--connector", "gms-wrest"]) == 4
    assert "there is no connector 'gms-wrest'" in capsys.readouterr().err


def test_files_of_steps_are_checked_though_nobody_uses_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    part = tmp_path / "part.yaml"
    part.write_text("botkit-steps: 1\nsteps:\n  - say: Hello\n")
    assert main(["check", "part.yaml"]) == 0

    part.write_text("botkit-steps: 1\nsteps:\n  - say: ${args.name}\n")
    assert main(["check", "."]) == 4
    assert "part.yaml:3:10: ${args.name}: this file takes no" in capsys.readouterr().out


def test_what_a_wire_cannot_do_is_told_in_the_file_that_asks_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "part.yaml").write_text("botkit-steps: 1\nsteps:\n  - say: {button: A}\n")
    for name in "ab":
        (tmp_path / f"{name}.yaml").write_text("botkit: 1\nsteps:\n  - use: part.yaml\n")

    assert main(["check", "a.yaml", "b.yaml"]) == 4

    told = capsys.readouterr().out
    assert told.startswith("part.yaml:3:5: 'say' cannot be done over simulator: the GMS")
    assert told.count("cannot be done") == 1
