from __future__ import annotations

import pytest

from botkit.cli.selection import Selection
from botkit.interfaces import JourneyPlan


@pytest.mark.parametrize(
    ("tags", "not_tags", "bot", "taken"),
    [
        ([], [], ["a"], True),
        (["a"], [], ["a", "b"], True),
        (["a", "b"], [], ["b"], True),
        (["a"], [], ["b"], False),
        (["a"], [], [], False),
        (["!a"], [], ["a"], False),
        (["!a"], [], [], True),
        (["b", "!a"], [], ["a", "b"], False),
        (["b"], ["a"], ["a", "b"], False),
    ],
)
def test_tags_select(tags: list[str], not_tags: list[str], bot: list[str], taken: bool) -> None:
    assert Selection.parse(tags, not_tags).takes(bot) is taken


def test_tags_that_no_bot_has_are_named() -> None:
    plan = JourneyPlan(bot="x", name="x", tags=("smoke",), new_script=object)
    assert Selection.parse(["smoke", "smkoe", "!slow"]).unknown([plan]) == ["slow", "smkoe"]
