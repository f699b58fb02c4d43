"""What the manual of the bot language names is what there is, in both directions."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from botkit.bot.fields import EVENT_WORDS
from botkit.bot.matchers import BUILT_IN as MATCHERS
from botkit.bot.step_models import REACTION_VERBS, STEP_MODELS, VERBS_AFTER_LEAVE
from botkit.bot.values import Scope
from botkit.chat import EVENT_NAMES
from botkit.cli.entry import BUILT_IN
from botkit.results import ExitCode, Reason, Verdict

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
MANUAL = (ROOT / "bots" / "README.md").read_text(encoding="utf-8")
CODE = re.compile(r"`([^`]+)`")
WORD = re.compile(r"\w+")


@pytest.fixture(scope="module")
def made() -> ModuleType:
    """The module that makes the reference; tests are no package to import it from."""
    spec = importlib.util.spec_from_file_location("reference", HERE / "reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["reference"] = module
    spec.loader.exec_module(module)
    return module


def section(title: str) -> str:
    """Give a section of the manual, without the sections below it."""
    found = re.search(rf"^#+ {re.escape(title)}\n(.*?)(?=^#|\Z)", MANUAL, re.MULTILINE | re.DOTALL)
    assert found is not None, title
    return found[1]


def rows(text: str) -> Iterator[list[str]]:
    """Give the rows of the tables in a text, without their heads."""
    for row in re.findall(r"^\|(.*)\|$", text, re.MULTILINE):
        cells = [cell.strip() for cell in row.replace("\\|", "¦").split("|")]
        if not set(row) <= set("|-"):
            yield cells


def first_word(code: str) -> str:
    found = WORD.match(code)
    return found[0] if found else ""


def test_the_reference_is_what_the_code_says(made: ModuleType) -> None:
    assert made.written() == f"\n{made.reference()}\n", "run python tests/docs/reference.py"


def test_every_verb_stands_there_with_its_modifiers() -> None:
    told: list[str] = []
    modifiers: set[str] = set()
    for verbs, modifying, *_ in list(rows(section("Steps")))[1:]:
        # What begins with a brace is another form of the value before it.
        names = [first_word(code) for code in CODE.findall(verbs) if not code.startswith("{")]
        if modifying != "the same":
            modifiers = {first_word(code) for code in CODE.findall(modifying)} - {*names}
        taken = {m for name in names for m in STEP_MODELS[name].modifiers()}
        assert modifiers == taken, verbs
        told += names
    assert sorted(told) == sorted(STEP_MODELS)


def test_lists_of_verbs_are_whole() -> None:
    reactions = section("`whenever` and `never`").partition("actions (")[2].partition(")")[0]
    assert CODE.findall(reactions) == [*REACTION_VERBS]
    leave = next(row for row in rows(section("Steps")) if "`leave`" in row[0])
    after = CODE.findall(leave[2].partition("After it only")[2])
    assert {first_word(code) for code in after} == {*VERBS_AFTER_LEAVE}


def test_every_matcher_stands_there() -> None:
    told = {first_word(c) for row in rows(section("Matchers")) for c in CODE.findall(row[0])}
    assert told - {"matcher"} == {*MATCHERS.names}


def test_every_event_stands_there() -> None:
    assert {*CODE.findall(section("Events"))} - {"wait_for", "whenever"} == {*EVENT_WORDS}
    assert {*EVENT_NAMES} <= {*EVENT_WORDS}


def test_every_scope_of_values_stands_there() -> None:
    scopes = {scope.value for scope in Scope} - {""}
    told = re.findall(r"`\$\{(\w+)(?:\.\w+)?\}`", section("Values"))
    assert {*told} - {"name"} == scopes


def test_every_verdict_reason_and_exit_code_stands_there() -> None:
    table = list(rows(section("Verdicts")))[1:]
    assert {row[1] for row in table} - {""} == {verdict.value for verdict in Verdict}
    reasons = {code for row in table for code in CODE.findall(row[2])}
    assert reasons == {reason.value for reason in Reason}
    codes = {int(code) for row in table for code in re.findall(r"\b\d+\b", row[3])}
    assert codes == {int(code) for code in ExitCode} - {int(ExitCode.THRESHOLD)}


def test_the_readme_names_every_exit_code() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    told = " ".join(readme.split()).partition("who is to blame: ")[2].partition(". ")[0]
    codes = {int(code) for code in re.findall(r"(\d+) [a-z]", told)}
    assert codes == {int(code) for code in ExitCode} - {int(ExitCode.THRESHOLD)}


def test_every_plugin_has_an_entry() -> None:
    manual = (ROOT / "plugins" / "README.md").read_text(encoding="utf-8")
    plugins = {file.stem for file in (ROOT / "plugins").glob("*.py")}
    table = re.findall(r"^\| \[?`(\w+)\.py`", manual, re.MULTILINE)
    assert sorted(table) == sorted(plugins)
    assert {*re.findall(r"^### `(\w+)`$", manual, re.MULTILINE)} <= plugins


def test_the_readme_names_every_command() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    named = {*re.findall(r"botkit ([a-z]+)\b", readme + MANUAL)}
    assert {*BUILT_IN} <= named
