from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.errors import StateError
from botkit.storage.envelope import decode, encode

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_what_stands_in_the_file(state: dict[str, Any]) -> None:
    envelope = json.loads(encode(state))
    assert envelope == {"botkit_state": 1, "saved_at": envelope["saved_at"], "state": state}
    assert envelope["saved_at"] > 1.7e9


@settings(max_examples=50)
@given(st.dictionaries(st.text(), json_values, min_size=1, max_size=4))
def test_any_state_comes_back(state: dict[str, Any]) -> None:
    assert decode(encode(state), "ada.json") == state


@settings(max_examples=100)
@given(st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()))
def test_whatever_stands_there_is_a_state_or_an_error(data: bytes) -> None:
    try:
        state = decode(data, "ada.json")
    except StateError:
        return
    assert state is None
    assert data == b""


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"botkit_state": 1, "state"', "broken or no state"),
        ('{"botkit_state": 1, "state": {"x": NaN}}', "broken or no state"),
        ("\xff\xfe", "broken or no state"),
        ("[" * 100_000, "broken or no state"),
        ('"' + "x" * 1_000_000 + '"', "larger than 1,000,000 bytes"),
        ("[]", "no state of botkit"),
        ("{}", "no state of botkit"),
        ('{"botkit_state": true, "state": {}}', "no state of botkit"),
        ('{"botkit_state": 0, "state": {}}', "no state of botkit"),
        ('{"botkit_state": "1", "state": {}}', "no state of botkit"),
        ('{"botkit_state": 2, "state": {}}', "a later botkit: format 2, this one knows 1"),
        ('{"botkit_state": 1}', "no state in it"),
        ('{"botkit_state": 1, "state": []}', "no state in it"),
    ],
    ids=lambda text: text[:40],
)
def test_what_cannot_be_used_is_told_without_its_contents(text: str, why: str) -> None:
    with pytest.raises(StateError, match=f"ada.json .*{why}.* it is kept as it is") as caught:
        decode(text.encode("latin-1"), "ada.json")
    assert caught.value.__cause__ is None
    assert len(str(caught.value)) < 150
