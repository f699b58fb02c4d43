"""A moment of a chat, in lines."""

from __future__ import annotations

from typing import Any

import pytest

from botkit.chat import Row
from botkit.cli.scene_words import chat_line, inbox_lines, pair_lines, variables_line
from botkit.journey.scene import Reading, Scene, State


def scene(**members: Any) -> Scene:
    return Scene(**{"userdata": {}, "variables": {}, **members})


def reading(seq: int, text: str, *, kind: str = "message", state: State = State.UNREAD) -> Reading:
    return Reading(row=Row(at=0.0, who="Ada", kind=kind, text=text, seq=seq), state=state)


@pytest.mark.parametrize(
    ("members", "line"),
    [
        ({}, "nobody is here yet"),
        ({"agents": ("Ada", "Bo\x1b[31mb")}, "Ada, Bob is here"),
        ({"agents": ("Ada",), "typing": "Ada"}, "Ada is here, Ada is typing"),
        ({"agents": ("Ada",), "ended": "by service"}, "the chat has ended by service"),
    ],
)
def test_the_state_of_the_chat(members: dict[str, Any], line: str) -> None:
    assert chat_line(scene(**members)) == line


def test_the_inbox_marks_what_waits() -> None:
    full = scene(
        inbox=(
            reading(1, "x", kind="userdata"),
            reading(2, "a\nb", state=State.READ),
            reading(3, "c"),
            reading(4, "d"),
        )
    )
    assert list(inbox_lines(full)) == [
        "     -> unread       #1 [userdata] Ada x",
        "        read         #2 Ada: a b",
        "     -> unread       #3 Ada: c",
        "     -> unread       #4 Ada: d",
    ]
    assert list(inbox_lines(full, newest=1)) == [
        "     -> unread       #4 Ada: d",
        "     (3 more: inbox shows all)",
    ]
    assert list(inbox_lines(scene(), newest=1)) == ["     (nothing)"]


def test_values_are_harmless_and_bounded() -> None:
    assert next(iter(pair_lines({"a": "\x07b" * 300}))).startswith("     a = bbb")
    assert list(pair_lines({})) == ["     (nothing)"]
    assert variables_line(scene(variables={"a": "1", "row.b": "x\ny"})) == "a=1, row.b=x y"
