"""What a step will capture with ``mask`` is known when it comes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from botkit.bot.foresight import Foresight
from botkit.bot.script import BotScript
from botkit.bot.values import Values
from botkit.chat import Message

STEPS = r"""
steps:
  - expect: {matches: 'pin (?P<pin>\d+) of (?P<who>\w+)'}
    mask: [pin]
  - repeat:
      times: 2
      do:
        - expect: {matches: '${row.key}=(?P<value>\w+)'}
          mask: [value]
  - expect: {matches: 'open (?P<_open>\d+)'}
"""


@pytest.mark.parametrize(
    ("text", "foreseen"),
    [
        ("the pin 4711 of Ada", ["4711"]),
        ("key=v4lue", ["v4lue"]),
        ("pin 1 of x, key=y", ["1", "y"]),
        ("open 12", []),
        ("nothing", []),
    ],
)
def test_masked_captures_are_foreseen(
    compiled: Callable[[str], BotScript], text: str, foreseen: list[str]
) -> None:
    sight = Foresight(compiled(STEPS), Values(row={"key": "key"}))

    assert list(sight.see(Message(at=0.0, seq=1, text=text))) == foreseen


def test_a_matcher_whose_values_are_not_there_foresees_nothing(
    compiled: Callable[[str], BotScript],
) -> None:
    sight = Foresight(compiled(STEPS), Values())

    assert list(sight.see(Message(at=0.0, seq=1, text="key=v4lue pin 1 of x"))) == ["1"]
