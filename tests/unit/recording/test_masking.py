from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.recording.masking import MAX_TEXT, matcher_for, stable_part

UUID = "ecc35cbd-4f2a-48a2-94f4-368f4e71fbb1"


@pytest.mark.parametrize(
    ("text", "matcher"),
    [
        ("How can I help?", {"contains": "How can I help?"}),
        ("Case CAS-000123", {"matches": r"Case CAS-\d+(?:[.,:]\d+)*"}),
        ("At 12:30, for 1,234.50 (net)", {"matches": r"At N, for N \(net\)"}),
        ("Token a7f9x", {"matches": r"Token \w+"}),
        (f"https://x/{UUID}?lang=en", {"matches": r"https://x/[0-9A-Fa-f-]{36}\?lang=en"}),
        ("first\nsecond 5", {"contains": "first"}),
        ("  \n  here  ", {"contains": "here"}),
        ("4711", {"matches": "N"}),
        ("Your pin is ***, Sir", {"matches": "Your pin is .+, Sir"}),
        ("***", {"matches": r"\S"}),
        ("costs ${x}", {"contains": "costs $${x}"}),
        ("costs ${5}", {"matches": r"costs \$\{N\}"}),
    ],
)
def test_what_varies_is_a_pattern(text: str, matcher: dict[str, str]) -> None:
    wanted = {key: re.sub(r"\bN\b", r"\\d+(?:[.,:]\\d+)*", value) for key, value in matcher.items()}
    assert matcher_for(text) == wanted


def test_what_the_customer_said_comes_back_as_it_is() -> None:
    heard = "Order A-1001 is closed, your case is 77"
    assert matcher_for(heard, known=["close order A-1001"]) == {
        "matches": r"Order A-1001 is closed, your case is \d+(?:[.,:]\d+)*"
    }


def test_another_agent_may_say_it_next_time() -> None:
    matcher = matcher_for("This is Grace, not Graceland", agents={"Grace"})
    assert matcher == {"matches": "This is .+, not Graceland"}


def test_a_name_alone_leaves_that_something_was_said() -> None:
    assert matcher_for("Grace", agents={"Grace"}) == {"matches": r"\S"}


def test_a_long_text_is_expected_to_the_end_of_a_word() -> None:
    part = stable_part("word " * 100)
    assert len(part) <= MAX_TEXT
    assert part.endswith("word")
    assert stable_part("x" * 999) == "x" * MAX_TEXT


@settings(max_examples=200)
@given(
    text=st.text(max_size=300).filter(stable_part),
    known=st.lists(st.text(max_size=10), max_size=2),
    agents=st.sets(st.text(max_size=5), max_size=2),
)
def test_a_matcher_fits_the_text_that_it_was_made_of(
    text: str, known: list[str], agents: set[str]
) -> None:
    ((kind, value),) = matcher_for(text, known=known, agents=agents).items()
    if kind == "contains":
        assert value.replace("$${", "${") in text
    else:
        assert "${" not in value
        assert re.search(value, text)
