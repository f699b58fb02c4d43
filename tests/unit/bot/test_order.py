"""Steps that no journey comes to."""

from pathlib import Path

import pytest

from botkit.bot.loader import load_file

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
    assert str(warning).startswith(f"{file}:{place}: warning: no journey comes to this ")


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
