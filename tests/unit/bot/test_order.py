"""Steps that no journey comes to."""

from pathlib import Path

import pytest

from botkit.bot.fields import Vocabulary
from botkit.bot.loader import load_file
from botkit.bot.yaml_file import Settings

HEAD = "botkit: 1\nbot: b\nsteps:\n  - expect: hello\n"


@pytest.mark.parametrize(
    ("steps", "place"),
    [
        ("  - finish: passed\n  - say: x\n  - say: y\n", "6:5"),
        ("  - repeat: {times: 2, do: [{finish: failed}, {say: x}]}\n", "5:48"),
        ("  - repeat: {times: 2, do: [{finish: failed}]}\n  - leave\n", "6:5"),
        ("  - choose:\n    - when: a\n      do: [{finish: failed}]\n  - say: x\n", "8:5"),
        (
            "  - choose: [{when: a, do: [{finish: failed}]}]\n    otherwise: [{finish: passed}]\n"
            "  - say: x\n",
            "7:5",
        ),
    ],
)
def test_what_stands_behind_a_sure_end_is_warned_of(tmp_path: Path, steps: str, place: str) -> None:
    file = tmp_path / "b.yaml"
    file.write_text(HEAD + steps)
    loaded = load_file(file)
    assert len(loaded.bots) == 1
    assert loaded.errors == ()
    (warning,) = loaded.problems
    text = str(warning)
    assert text.startswith(f"{file}:{place}: warning: no journey comes to this ")
    assert text.endswith("; take it out, or let the 'finish' stand in a 'choose'")


@pytest.mark.parametrize(
    "steps",
    [
        "  - say: x\n  - finish: passed\n",
        "  - choose: [{when: a, do: [{finish: failed}]}, {when: b, do: []}]\n  - say: x\n",
        "  - choose: [{when: a, do: [{finish: failed}]}]\n    otherwise: [{say: y}]\n  - say: x\n",
    ],
)
def test_what_one_way_leads_to_is_not(tmp_path: Path, steps: str) -> None:
    file = tmp_path / "b.yaml"
    file.write_text(HEAD + steps)
    loaded = load_file(file)
    assert loaded.problems == ()


CAPTURED = "  - expect: {matches: 'case (?P<case>C-[0-9]+)'}\n"


def test_what_is_captured_and_never_used_is_warned_of(tmp_path: Path) -> None:
    file = tmp_path / "b.yaml"
    file.write_text(HEAD + CAPTURED + "  - note: ${row}\n".replace("${row}", "$${case}"))
    (warning,) = load_file(file).problems
    assert str(warning) == (
        f"{file}:5:23: warning: 'case' is captured and never used;"
        " write ${case} where it is wanted, or call it '_case'"
    )


@pytest.mark.parametrize(
    "steps",
    [
        CAPTURED + "  - say: ${case}\n",
        CAPTURED + "    mask: [case]\n",
        CAPTURED.replace("<case>", "<_case>"),
    ],
)
def test_what_is_used_masked_or_meant_is_not(tmp_path: Path, steps: str) -> None:
    file = tmp_path / "b.yaml"
    file.write_text(HEAD + steps)
    assert load_file(file).problems == ()


def test_what_a_call_gives_and_nothing_uses_is_warned_of(tmp_path: Path) -> None:
    file = tmp_path / "b.yaml"
    file.write_text(HEAD + "  - call: now\n    as: time\n")
    settings = Settings(vocabulary=Vocabulary(actions=frozenset({"now"})))
    (warning,) = load_file(file, settings).problems
    assert str(warning) == (
        f"{file}:6:9: warning: 'time' is captured and never used;"
        " write ${time} where it is wanted, or call it '_time'"
    )
    for used in ("    as: time\n  - say: ${time}\n", "    as: _time\n"):
        file.write_text(HEAD + "  - call: now\n" + used)
        assert load_file(file, settings).problems == ()


def test_what_the_steps_of_another_file_capture_is_for_whoever_wants_it(tmp_path: Path) -> None:
    (tmp_path / "part.yaml").write_text("botkit-steps: 1\nsteps:\n" + CAPTURED)
    file = tmp_path / "b.yaml"
    file.write_text(HEAD + "  - use: part.yaml\n")
    assert load_file(file).problems == ()
    file.write_text(HEAD + "  - use: part.yaml\n" + CAPTURED)
    (warning,) = load_file(file).problems
    assert str(warning).startswith(f"{file}:6:23: warning: 'case' is captured and never used")


def test_only_matchers_capture(tmp_path: Path) -> None:
    file = tmp_path / "b.yaml"
    file.write_text(
        HEAD
        + CAPTURED.replace("<case>", "<_case>")
        + "  - say: write (?P<_case>x) and (?P<case>y)\n"
        + "  - expect: {equals: 'group (?P<case>'}\n"
    )
    assert [problem.mark.line for problem in load_file(file).problems if problem.mark] == [7]
    file.write_text(HEAD + CAPTURED + "  - say: write (?P<case>x)\n")
    (warning,) = load_file(file).problems
    assert str(warning).startswith(f"{file}:5:23: warning: 'case' is captured and never used")


@pytest.mark.parametrize(
    "step",
    [
        "  - expect_userdata: {A: {json: {/a: {matches: '(?P<case>x)'}}}}\n",
        "  - choose: [{when: {any_of: [a, {matches: '(?P<case>x)'}]}, do: []}]\n",
        "  - repeat: {times: 2, until: {matches: '(?P<case>x)'}, do: [{say: x}]}\n",
        "whenever:\n  - message: {matches: '(?P<case>x)'}\n    do: [{say: x}]\n",
    ],
)
def test_captures_are_found_wherever_matchers_stand(tmp_path: Path, step: str) -> None:
    file = tmp_path / "b.yaml"
    file.write_text(HEAD + step)
    (warning,) = load_file(file).problems
    assert "'case' is captured and never used" in str(warning)
