from __future__ import annotations

import json
from pathlib import Path

import pytest

from botkit.bot.fields import Vocabulary
from botkit.bot.json_schema import Kind, json_schema
from botkit.cli import main
from botkit.cli.options import SETTINGS
from botkit.cli.schema import EVIDENCE
from botkit.report.evidence_models import evidence_schema

BUILT_IN = Vocabulary(actions=frozenset({"persona"}))


@pytest.mark.parametrize("kind", Kind)
def test_the_schema_of_each_kind(
    project: Path, capsys: pytest.CaptureFixture[str], kind: Kind
) -> None:
    assert main(["schema", "--kind", kind.value]) == 0
    assert json.loads(capsys.readouterr().out) == json_schema(kind, BUILT_IN)


def test_bots_are_meant_unless_something_else_is_said(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["schema"]) == 0
    assert json.loads(capsys.readouterr().out) == json_schema(Kind.BOT, BUILT_IN)


def test_all_kinds_may_be_named() -> None:
    kinds = [*(kind.value for kind in Kind), EVIDENCE]
    assert list(getattr(SETTINGS["kind"].kind, "choices", ())) == kinds


def test_the_schema_of_evidence(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "--kind", "evidence"]) == 0
    assert json.loads(capsys.readouterr().out) == evidence_schema()


def test_matchers_and_actions_of_plugins_are_known(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = project / "mine"
    folder.mkdir()
    (folder / "shout.py").write_text(
        "from botkit import hookimpl\n"
        "@hookimpl\ndef register_matchers(register): register('shout', str)\n"
        "@hookimpl\ndef register_actions(register): register('look_up', print)\n"
    )
    assert main(["schema", "--plugins", "mine"]) == 0
    definitions = json.loads(capsys.readouterr().out)["definitions"]
    assert "shout" in definitions["matcher"]["then"]["properties"]
    assert definitions["action"] == {"enum": ["look_up", "persona"]}


def test_an_unknown_kind(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", "--kind", "cat"]) == 4
    assert "'cat' is not one of" in capsys.readouterr().err
