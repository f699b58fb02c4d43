"""What is doubtful about matchers: files of ``doubtful/`` say in their last lines what is told.

Those called ``*_fine`` are nearly doubtful, and nothing is told of them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from botkit.bot.diagnostics import Severity
from botkit.bot.fields import Vocabulary
from botkit.bot.loader import load_file
from botkit.bot.matchers import BUILT_IN_MATCHERS, MatcherRegistry
from botkit.bot.regex_doubts import fits_everything, fits_nothing
from botkit.bot.yaml_file import Settings
from botkit.interfaces import Match

HERE = Path(__file__).parent
FILES = sorted((HERE / "doubtful").glob("*.yaml"))
PROJECT = HERE.parents[2]
SAMPLES = sorted(
    file for folder in ("bots", "botkit/templates") for file in (PROJECT / folder).rglob("*.yaml")
)
EXPECTED = "# expect "


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_doubts_are_told_word_for_word(file: Path) -> None:
    lines = file.read_text().splitlines()
    expected = [line.removeprefix(EXPECTED) for line in lines if line.startswith(EXPECTED)]

    loaded = load_file(file)

    assert bool(expected) is not file.stem.endswith("_fine")
    assert [str(problem).removeprefix(f"{file}:") for problem in loaded.problems] == expected
    assert loaded.errors == ()
    assert all(problem.severity is Severity.WARNING for problem in loaded.problems)
    assert len(loaded.bots) + len(loaded.agents) == 1


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.stem)
def test_nothing_is_doubtful_about_the_samples(file: Path) -> None:
    loaded = load_file(file)
    assert loaded.problems == ()
    assert loaded.bots or loaded.agents or loaded.parts


def test_there_are_samples() -> None:
    assert len(SAMPLES) >= 7


PATTERNS = [
    *("x*", "^x*", "(?s)^.*", "[^a]*", "x{0,2}$", "(?!y)", "(?>x*)", r"(x?)\1", "a|", "(?:foo){e}"),
    *("^$", "^x*$", r"\bx*", "(?<!x)x*", "a", "a|^b*", r"x*\B", "$a", "a^", "a$b?", "^^x*", r"\^*"),
    *("^[$]*", "$a|b", "(?m)a^b", "a+$b+c", "(?:$a)", "x?^", "$[a]", r"$\d"),
]
TEXTS = [
    "",
    "a",
    "x",
    "xx",
    "y",
    "foo",
    "\n",
    "a\nb",
    "aa b",
    "ab",
    "$a",
    "^",
    "a^b",
    " x ",
    "é",
    ".",
]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_only_what_is_certain_is_said_of_a_regex(pattern: str) -> None:
    matcher = MatcherRegistry().parse({"matches": pattern}).build()
    found = [isinstance(matcher.match(text), Match) for text in TEXTS]
    if fits_everything(pattern):
        assert all(found)
    if fits_nothing(pattern):
        assert not any(found)


def test_a_matcher_of_a_plugin_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "b.yaml"
    file.write_text(
        "botkit: 1\nbot: b\nsteps:\n"
        "  - expect_userdata: {A: {all_of: [{equals: gold}, {sounds_like: \\d+}]}}\n"
    )
    factories = {**BUILT_IN_MATCHERS, "sounds_like": BUILT_IN_MATCHERS["contains"]}
    vocabulary = Vocabulary(matchers=MatcherRegistry(factories))
    assert load_file(file, Settings(vocabulary=vocabulary)).problems == ()


def test_agents_are_doubted_too(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("botkit-agents: 1\nagents:\n  Grace:\n    - expect: {matches: Any (more)}\n")
    (problem,) = load_file(file).problems
    assert str(problem) == (
        f"{file}:4:29: warning: '(more)' in a regular expression is 'more' without the brackets;"
        " write '\\(more\\)' for them, or {contains: ...} for a plain text"
    )
