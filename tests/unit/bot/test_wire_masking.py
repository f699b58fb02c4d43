from __future__ import annotations

import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.bot.values import Values
from botkit.bot.wire_masking import hide_on_wire

SPELLINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "JSON": json.dumps,
    "JSON in UTF-8": lambda text: json.dumps(text, ensure_ascii=False),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)),
    "JSON with slashes escaped": lambda text: json.dumps(text).replace("/", "\\/"),
    "a URL": quote,
    "a form": quote_plus,
    "a form in lower case": lambda text: quote_plus(text).lower(),
}
# Quotation marks, and backslashes at either end, may belong to the spelling.
HIDDEN = st.text(
    st.characters(codec="utf-8", exclude_characters='"*').map(str.lower), min_size=4, max_size=12
).filter(lambda text: not (text.startswith("\\") or text.endswith("\\")))


@pytest.mark.parametrize("spelled", SPELLINGS.values(), ids=SPELLINGS)
@given(hidden=HIDDEN)
@settings(max_examples=25)
def test_a_text_is_hidden_however_it_is_spelled(spelled: Callable[[str], str], hidden: str) -> None:
    found = hide_on_wire(f"<{spelled(hidden)}>", [hidden], cut=False)
    assert found in ("<***>", '<"***">', '<"\\"***\\"">')


@pytest.mark.parametrize("length", range(1, 6))
def test_the_beginning_of_a_hidden_text_is_hidden_where_a_frame_was_cut(length: int) -> None:
    text = f"pin={'secret'[:length]}"
    assert hide_on_wire(text, ["secret"], cut=True) == "pin=***"
    assert hide_on_wire(text, ["secret"], cut=False) == text


def test_hidden_texts_may_begin_alike_and_overlap() -> None:
    assert hide_on_wire("secret and secre", ["secret", "sec"], cut=True) == "*** and ***"
    assert hide_on_wire("abcdef", ["abcd", "cdef"], cut=False) == "***"


def test_values_hide_what_became_known_late() -> None:
    values = Values()
    assert values.mask_wire("code 4711", cut=True) == "code 4711"
    values.capture("code", "4711", mask=True)
    assert values.mask_wire("code 4711", cut=True) == "code ***"
