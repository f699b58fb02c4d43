"""Whatever is laid out means what it meant, and stays as it is when it is laid out again."""

from __future__ import annotations

import random

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.bot.diagnostics import Problems
from botkit.bot.formatting import format_text
from botkit.bot.source import SourceError, parse_yaml

PLAIN = [
    "yes",
    "007",
    "1.10",
    "12:30",
    "null",
    "~",
    "hello",
    "Hello there",
    "a#b",
    "C:\\dir",
    "é ü",
]
PLAIN += ["x, y", "[x", "a: b", "it's", "-x", "*x", "%5", "@x", "${row.x}", "^a{2}", "- a", "!"]
QUOTED = ["", " x ", "yes", "words", "Hello, you", "1.10", "a # b", "a: b", "\\", "it", "${x}", "#"]


class Scribbler:
    """Writes YAML in all the ways in which people and programs do."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.anchors = 0

    def one(self, *choices: str) -> str:
        return self.rng.choice(choices)

    def text(self) -> str:
        self.anchors = 0
        lines = [*self.between(0), *(["---"] if self.rng.random() < 0.1 else [])]
        lines += [*self.mapping(0, 0), *self.between(0)]
        return (
            self.one("", "\ufeff") + self.one("\n", "\n", "\r\n").join(lines) + self.one("", "\n")
        )

    def between(self, column: int) -> list[str]:
        if self.rng.random() < 0.7:
            return []
        spaces = " " * self.rng.choice([column, column, 0, column + 1, column + 3])
        number = self.rng.randint(0, 9)
        note = f"{spaces}# note {number}"
        return self.rng.choice([[""], ["", "", " "], [note], ["", note, ""]])

    def behind(self) -> str:
        return self.one("", "", "", "", " ", f"   # behind {self.rng.randint(0, 9)}", " #")

    def anchor(self) -> str:
        if self.rng.random() < 0.93:
            return ""
        self.anchors += 1
        return f"&a{self.anchors} "

    def mapping(self, column: int, depth: int) -> list[str]:
        lines = []
        for number in range(self.rng.randint(1, 4)):
            key = self.one("k", "steps", "do", "'q'", '"never"', "a b", "~") + str(number)
            key = key if key[:1] not in "'\"" else f"{key[:-2]}{number}{key[0]}"
            lines += [*self.between(column), *self.entry(" " * column + key + ":", column, depth)]
        return lines

    def sequence(self, column: int, depth: int) -> list[str]:
        lines = []
        for _ in range(self.rng.randint(1, 4)):
            lines += self.between(column)
            if depth < 4 and self.rng.random() < 0.5:
                width = self.rng.choice([2, 2, 4])
                first, *rest = self.mapping(column + width, depth + 1)
                while not first.strip() or first.strip().startswith("#"):
                    lines.append(first)
                    first, *rest = rest
                lines += [" " * column + "-" + first[column + 1 :], *rest]
            else:
                lines += self.entry(" " * column + "-", column, depth)
        return lines

    def entry(self, head: str, column: int, depth: int) -> list[str]:
        anchor = self.anchor()
        kind = self.rng.random()
        below = column + self.rng.choice([1, 2, 4])
        if depth < 4 and kind < 0.25:
            return [f"{head} {anchor}{self.behind()}", *self.mapping(below, depth + 1)]
        if depth < 4 and kind < 0.5:
            below = column if head.endswith(":") and self.rng.random() < 0.3 else below
            return [f"{head} {anchor}{self.behind()}", *self.sequence(below, depth + 1)]
        if kind < 0.6:
            return [*self.spread(f"{head} {anchor}", column + 1), *self.between(column)]
        if kind < 0.7:
            return self.block_text(f"{head} {anchor}", below)
        if kind < 0.75:
            more = [" " * below + "and more", "", " " * below + "words"]
            return [f"{head} {anchor}some words", *more]
        if kind < 0.8:
            quote = self.one("'", '"')
            return [f"{head} {anchor}{quote}a  ", "", " " * below + f"b # c {quote}{self.behind()}"]
        if kind < 0.83 and self.anchors and not anchor:
            return [f"{head} *a{self.anchors}{self.behind()}"]
        if kind < 0.85:
            return [f"{head}{self.behind()}", " " * below + self.scalar() + self.behind()]
        if kind < 0.9:
            return [f"{head} {anchor}{self.behind()}"]
        return [f"{head} {anchor}{self.scalar()}{self.behind()}"]

    def spread(self, head: str, column: int) -> list[str]:
        """Write something in brackets, maybe on several lines."""
        text = self.flow(0) + self.behind()
        if self.rng.random() < 0.7:
            return [head + text]
        indent = "\n" + " " * column
        comma = self.one(", ", f",{indent}", f", # in{indent}")
        return (head + text.replace(", ", comma)).split("\n")

    def flow(self, depth: int) -> str:
        if depth > 2 or self.rng.random() < 0.3:
            return self.one("a", "'b'", '"c"', "b c", '"x, y"', "1.10", "'yes'", '"${x}"')
        parts = [self.flow(depth + 1) for _ in range(self.rng.randint(0, 3))]
        if self.rng.random() < 0.5:
            return f"[{', '.join(parts)}]"
        keys = [self.one("k", "do", "m") + str(number) for number in range(len(parts))]
        pairs = (f"{key}: {part}" for key, part in zip(keys, parts, strict=True))
        return f"{{{', '.join(pairs)}}}"

    def scalar(self) -> str:
        if self.rng.random() < 0.5:
            return self.rng.choice(PLAIN)
        text = self.rng.choice(QUOTED)
        return self.one("'" + text.replace("'", "''") + "'", '"' + text.replace("\\", "\\\\") + '"')

    def block_text(self, head: str, column: int) -> list[str]:
        sign = self.one("|", ">") + self.one("", "-", "+")
        indent = " " * column
        lines = [self.rng.choice(["x", "  y", "", "# z", "a b ", " "]) for _ in range(3)]
        return [
            f"{head}{sign}{self.behind()}",
            indent + "first",
            *(indent + line for line in lines),
        ]


@pytest.mark.parametrize("seed", range(20))
def test_any_file_keeps_its_meaning_and_then_its_layout(seed: int) -> None:
    scribbler = Scribbler(random.Random(seed))
    texts = [text for text in (scribbler.text() for _ in range(20)) if is_accepted(text)]
    for text in texts:
        done = format_text(text)
        assert format_text(done) == done
        assert "\r" not in done
        assert done.endswith("\n")
    assert len(texts) >= 5


def is_accepted(text: str) -> bool:
    """Whether it is good YAML: not all that is scribbled is."""
    problems = Problems("x")
    try:
        return parse_yaml(text.removeprefix("\ufeff"), problems) is not None and not problems.found
    except SourceError:
        return False


KEYS = st.text("abÄ0 -'\"#:,{}[]&*!|>%@`~\\", min_size=1, max_size=8)
"""Of one line each: keys that go on for lines are left alone."""
# Texts of several lines with line ends that nobody writes are left alone, too.
TREES = st.recursive(
    st.text(st.characters(exclude_characters="\x85\u2028\u2029"), max_size=40)
    | st.sampled_from([*PLAIN, *QUOTED]),
    lambda below: st.lists(below, max_size=3) | st.dictionaries(KEYS, below, max_size=3),
    max_leaves=8,
)


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(KEYS, TREES, min_size=1, max_size=3),
    st.sampled_from([None, "'", '"', "|", ">"]),
    st.sampled_from([True, False, None]),
    st.integers(2, 5),
    st.sampled_from([20, 80, 1000]),
    st.booleans(),
)
def test_what_a_library_writes_keeps_its_meaning(
    tree: object, style: str | None, flow: bool | None, indent: int, width: int, allow: bool
) -> None:
    text = yaml.safe_dump(
        tree,
        default_style=style,
        default_flow_style=flow,
        indent=indent,
        width=width,
        allow_unicode=allow,
    )
    if is_accepted(text):
        done = format_text(text)
        assert format_text(done) == done
