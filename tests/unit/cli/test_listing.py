"""Lines that a person names, and the source of steps."""

from __future__ import annotations

import pytest

from botkit.bot.script import Leave, Place, Step
from botkit.cli.listing import Listing, at, source_of
from botkit.errors import ConfigError

FILE = """\
steps:
  - say: a
    typing: human

  - repeat:
      times: 2
      do:
        - say: b
  # what comes now is said at the end
  - leave
"""


def step(line: int, file: str = "bots/a.yaml") -> Step:
    return Leave(path="", verb="leave", text="leave", place=Place(file=file, line=line))


LISTING = Listing([step(9), step(3), step(4, "bots/parts/b.yaml"), step(5)])


@pytest.mark.parametrize(
    ("named", "file", "found"),
    [
        ("3", "bots/a.yaml", ("bots/a.yaml", 3)),
        ("4", "bots/a.yaml", ("bots/a.yaml", 5)),
        ("4", None, ("bots/parts/b.yaml", 4)),
        ("b.yaml:1", "bots/a.yaml", ("bots/parts/b.yaml", 4)),
        ("bots/a.yaml:6", None, ("bots/a.yaml", 9)),
    ],
)
def test_a_line_means_the_step_there_or_the_next(
    named: str, file: str | None, found: tuple[str, int]
) -> None:
    assert at(LISTING.find(named, file)) == found


@pytest.mark.parametrize("named", ["x", "", "3:", "-1", "10", "l:1", "c.yaml:1"])
def test_what_is_no_line(named: str) -> None:
    with pytest.raises(ConfigError, match=r"is no line: write 12|there is no step at line"):
        LISTING.find(named, "bots/a.yaml")


@pytest.mark.parametrize(
    ("line", "column", "numbers"),
    [(2, 5, [2, 3]), (5, 5, [5, 6, 7, 8]), (8, 11, [8]), (10, 5, [10]), (99, 5, [])],
)
def test_the_source_of_a_step_is_what_stands_below_it(
    line: int, column: int, numbers: list[int]
) -> None:
    lines = FILE.splitlines()
    source = list(source_of(lines, Place(line=line, column=column)))
    assert source == [(number, lines[number - 1]) for number in numbers]


def test_a_long_step_is_cut() -> None:
    lines = ["  - choose:", *["    - when: x"] * 20]
    assert len(list(source_of(lines, Place(line=1, column=5)))) == 8
