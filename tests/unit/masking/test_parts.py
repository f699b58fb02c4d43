"""What came in parts is hidden as if it had come at once, and nothing else is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.masking import HIDDEN, Masker, masked_live


def in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


SPELLINGS = (str, quote, in_json, lambda text: quote(in_json(text)))
VALUES = st.text("abcdefäöß€🦊 0123456789-_/", min_size=4, max_size=24).filter(
    # A short part may be a word of its own, and be hidden wherever it stands.
    lambda text: len("".join(text.split())) >= 4 and text == text.strip()
)


def masker(*values: str) -> Masker:
    made = Masker()
    for value in values:
        made.hide(value)
    return made


@st.composite
def parts_of_values(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A value, and the texts that it comes in, each trimmed as a message may be."""
    value = draw(VALUES)
    spelled = draw(st.sampled_from(SPELLINGS))(value)
    cuts = draw(st.sets(st.integers(1, len(spelled) - 1), min_size=1, max_size=6))
    parts = [spelled[a:b].strip() for a, b in pairwise([0, *sorted(cuts), len(spelled)])]
    return value, [part for part in parts if part]


@settings(max_examples=150)
@given(parts_of_values(), st.sampled_from(["", "x" * 300 + " "]))
def test_of_a_value_in_parts_no_part_is_left(case: tuple[str, list[str]], before: str) -> None:
    value, parts = case
    texts = [f"{before}{parts[0]}", *parts[1:]]
    mask = masker(value)

    mask.hide_parts(*texts)

    if len(parts) > 1:
        shown = "".join(map(mask, texts)).removeprefix(before)
        assert set(shown) <= set(HIDDEN)


@settings(max_examples=100)
@given(st.lists(st.text("abc 123.…%&\\", max_size=20), max_size=8))
def test_texts_without_a_value_stay_as_they_are(texts: list[str]) -> None:
    mask = masker("5ecret-value-that-nobody-writes")

    mask.hide_parts(*texts)

    assert [mask(text) for text in texts] == texts


@settings(max_examples=100)
@given(
    st.lists(
        st.sampled_from(["hunter", "2", "Winter", "hunt", "er2W", "in", "ter", "x"]), max_size=9
    )
)
def test_what_is_shown_live_never_makes_up_the_value(texts: list[str]) -> None:
    mask = masker("hunter2Winter")
    shown = [shown_live(mask, texts[:number], text) for number, text in enumerate(texts)]

    assert "hunter2winter" not in "".join(shown).lower()
    assert all(text in ("x", "in", "2", "ter") or "hunt" not in text for text in shown)


def shown_live(mask: Masker, before: Sequence[str], text: str) -> str:
    mask.hide_parts(*before, text)
    return masked_live((mask,), before, text)


def test_a_card_number_in_four_messages_is_hidden() -> None:
    mask = masker("4111 1111 2222 3333")
    texts = ["it is 4111", "1111", "2222", "3333 and so on"]

    shown = [shown_live(mask, texts[:number], text) for number, text in enumerate(texts)]

    assert shown == [f"it is {HIDDEN}", HIDDEN, HIDDEN, f"{HIDDEN} and so on"]


@pytest.mark.parametrize(
    "texts",
    [
        ["my card is 4111", "no, I do not know it"],
        ["4111 1111", "something else", "2222 3333"],
        ["2222 3333", "4111 1111"],
    ],
)
def test_what_does_not_follow_is_no_value(texts: list[str]) -> None:
    mask = masker("4111 1111 2222 3333")

    mask.hide_parts(*texts)

    assert [mask(text) for text in texts] == texts


def test_a_value_of_few_characters_is_not_looked_for_in_parts() -> None:
    mask = masker("ab")

    mask.hide_parts("a", "b")

    assert mask("a b") == "a b"


def test_a_value_that_came_whole_has_no_parts() -> None:
    mask = masker("hunter2Winter")

    mask.hide_parts("hunter2Winter", "hunter2Winter hunter", "Winter")

    assert mask("a hunter in Winter") == "a hunter in Winter"
