"""How bots are laid out, and what is never lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from botkit.bot import formatting
from botkit.bot.diagnostics import Problems
from botkit.bot.formatting import FormattingError, format_text
from botkit.bot.source import SourceError, parse_yaml

HERE = Path(__file__).parent
PROJECT = HERE.parents[2]
SAMPLES = sorted(
    file for folder in ("bots", "botkit/templates") for file in (PROJECT / folder).rglob("*.yaml")
)
ODD = sorted([*(HERE / "invalid").glob("*.yaml"), *(HERE / "doubtful").glob("*.yaml")])

BEFORE = """\
# About the whole.

steps:

- say:   'Hello there'   # friendly


- expect: {matches: '\\d+'}
  within:    30s
- choose:
      - when: {contains: yes}
        do: [{say: "007"}, leave]
        # the end of a case
      # - when: no
    # far to the left
tags: [a,
  "b c"]   # two
bot: 'b'
botkit: 1
"""
AFTER = """\
# About the whole.

botkit: 1
bot: b
tags:  # two
  - a
  - b c
steps:
  - say: Hello there  # friendly

  - expect: {matches: '\\d+'}
    within: 30s
  - choose:
      - when: {contains: yes}
        do:
          - say: "007"
          - leave
        # the end of a case
      # - when: no
    # far to the left
"""


def test_a_bot_is_laid_out() -> None:
    assert format_text(BEFORE) == AFTER
    assert format_text(AFTER) == AFTER
    assert format_text("\ufeff" + BEFORE.replace("\n", "\r\n").rstrip()) == AFTER


@pytest.mark.parametrize("file", SAMPLES, ids=lambda file: file.stem)
def test_the_samples_are_laid_out(file: Path) -> None:
    text = file.read_text()
    assert format_text(text) == text


@pytest.mark.parametrize("file", ODD, ids=lambda file: file.stem)
def test_odd_files_keep_their_meaning_too(file: Path) -> None:
    text = file.read_text()
    problems = Problems(file.name)
    try:
        node = parse_yaml(text, problems)
    except SourceError:
        return
    if node is not None and not problems.found:
        done = format_text(text)
        assert format_text(done) == done


HEAD = "botkit: 1\nsteps:\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        # The spelling of a text is nobody's but its author's.
        ("- say: yes\n- say: 1.10\n- say: 007\n- say: 12:30\n", None),
        ("- say: 'yes'\n- say: \"1.10\"\n- say: '~'\n- say: 2024-01-31\n- say: '1e3'\n", None),
        ("- say: '${x}'\n- say: \"a\\tb\"\n- say: 'a: b'\n- say: 'it''s'\n- say: ''\n", None),
        ("- say: 'Yes, I am'\n- say: \"Really?\"\n", "- say: Yes, I am\n- say: Really?\n"),
        ("- expect: {any_of: ['a b', 'a, b']}\n", "- expect: {any_of: [a b, 'a, b']}\n"),
        ("- 'leave'\n- \"say\" : x\n", "- leave\n- say: x\n"),
        ("- leave:\n- say: \"\"\n-\n", None),
        # Texts of several lines keep them.
        ("- say: one\n     two\n\n     three\n", "- say: one\n    two\n\n    three\n"),
        ('- say: "one \\\n   two"\n', '- say: "one \\\n    two"\n'),
        ("- say: |-\n     a\n       b\n\n\n- leave\n", "- say: |-\n    a\n      b\n\n- leave\n"),
        ("- say: |+ # c\n   one\n\n\n\n- leave\n", "- say: |+  # c\n    one\n\n\n\n- leave\n"),
        ("- say: |4\n        one\n      two\n", "- say: |2\n      one\n    two\n"),
        ("- say: >\n   one\n", "- say: >\n    one\n"),
        # What is in brackets stays there if it stood on one line, and fits.
        ("- set_userdata: { A : 1,B: [ ] }\n", "- set_userdata: {A: 1, B: []}\n"),
        ("- set_userdata: {A: 1,\n   B: 2}\n", "- set_userdata:\n    A: 1\n    B: 2\n"),
        (f"- set_userdata: {{A: {'x' * 90}}}\n", f"- set_userdata:\n    A: {'x' * 90}\n"),
        ("- {say: x, typing: human}\n", "- say: x\n  typing: human\n"),
        ("- repeat: {do: [leave]}\n", "- repeat:\n    do:\n      - leave\n"),
        ("- {say: x,  # a\n   typing: 1s}  # b\n", "# b\n- say: x  # a\n  typing: 1s\n"),
        # Comments go with what they are about.
        ("-   # why\n    say: x\n", "# why\n- say: x\n"),
        ("- say: # why\n    x # not\n", "# not\n- say: x  # why\n"),
        ("# a\n\n\n# b\n\n- leave\n\n # c\n", "# a\n\n# b\n\n- leave\n\n# c\n"),
        ("- with:\n   # in\n   a: b\n   # end\n", "- with:\n    # in\n    a: b\n    # end\n"),
        # Anchors stay where they are.
        ("- say: &a  x # c\n- say: *a\n", "- say: &a x  # c\n- say: *a\n"),
        ("- &a # c\n  say: x\n- *a\n", "- &a  # c\n  say: x\n- *a\n"),
        ("- say: &a x\n- {*a : y}\n- *a :  z\n", "- say: &a x\n- *a : y\n- *a : z\n"),
        ("- say: {&a 'A b', c: *a, *a : {*a }}\n", "- say: {&a A b, c: *a, *a : {*a}}\n"),
        ("- set_userdata: &a {A: 1}\n- expect_userdata: *a\n", None),
    ],
)  # fmt: skip
def test_one_way_to_write_it(before: str, after: str | None) -> None:
    def of(steps: str) -> str:
        return HEAD + "".join(
            f"  {line}" if line.strip() else line for line in steps.splitlines(True)
        )

    assert format_text(HEAD + before) == of(after or before)
    assert format_text(of(after or before)) == of(after or before)


@pytest.mark.parametrize(
    "text",
    [
        "botkit: 1\nsteps: []\n# about the title\ntitle: x\n",
        "botkit: 1\nsteps: []\ntitle: x\n# end\n",
        "botkit: 1\nsteps:\n  - &a leave\nnever:\n  - *a\n",
        "botkit: 1\nsteps: []\nstrange: x\ntitle: x\n",
        "other: 1\nbot: x\n",
    ],
)
def test_the_order_is_left_where_sorting_may_part_things(text: str) -> None:
    assert format_text(text) == text


def test_agents_are_sorted() -> None:
    routing = "routing: [{when: {service: a}, to: [Grace]}]\n"
    text = "agents: {Grace: [{say: x}]}\n" + routing + "botkit-agents: 1"
    assert format_text(text) == (
        "botkit-agents: 1\nrouting:\n  - when: {service: a}\n    to: [Grace]\n"
        "agents:\n  Grace:\n    - say: x\n"
    )


def test_a_comment_below_a_list_that_is_not_indented_belongs_to_what_follows() -> None:
    text = "botkit: 1\nnever:\n- x\n # of the list\n# of the steps\nsteps:\n- leave\n"
    assert format_text(text) == (
        "botkit: 1\nnever:\n  - x\n  # of the list\n# of the steps\nsteps:\n  - leave\n"
    )


def test_a_comment_at_the_very_end_is_kept() -> None:
    assert format_text("a: |  # c") == "a: |  # c\n"


def test_a_start_of_the_document_is_kept() -> None:
    assert format_text("%YAML 1.1\n--- # c\nbotkit: 1\n...\n") == "---\n# c\nbotkit: 1\n"


@pytest.mark.parametrize(
    "text",
    [
        "a list of one text\n",
        "'a  text'\n",
        "? |\n  a\n: b\n",
        "- a\n- ? |\n    a\n  : b\n",
        "a:\n- |\n     x\x85     y\n",
    ],
)
def test_what_cannot_be_laid_out_is_refused(text: str) -> None:
    with pytest.raises(FormattingError):
        format_text(text)


@pytest.mark.parametrize(
    ("after", "words"),
    [
        ("a: 'x: y\n", "could not be read"),
        ("a: x  # c\nb: ''\n", "would not mean the same"),
        ("a: x\nb:\n", "a comment or an anchor would be lost"),
        ("a: &x x  # c\nb:\n", "a comment or an anchor would be lost"),
        ("a: X  # c\nb:\n", "would not mean the same"),
        ("a: x  # c\nb: []\n", "would not mean the same"),
        ("a: x  # c\n", "would not mean the same"),
    ],
)
def test_every_loss_is_noticed(after: str, words: str) -> None:
    before = "a: x  # c\nb:\n"
    formatting.refuse_losses(before, before)
    formatting.refuse_losses(before, "b:\na: x  # c\n")
    with pytest.raises(FormattingError, match=words):
        formatting.refuse_losses(before, after)
