"""What came closest, and the words in which it differs from what was wanted."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.bot.matchers import (
    all_of,
    any_of,
    contains,
    equals,
    like,
    matches,
    none_of,
    starts_with,
)
from botkit.interfaces import Matcher
from botkit.report.closeness import MAX_SHOWN, MAX_WANTED, likeness, marked, wanted_in

MARKS = re.compile(r"\[-(.*?)-\]|\{\+(.*?)\+\}", re.DOTALL)


@pytest.mark.parametrize(
    ("matcher", "wanted"),
    [
        (contains('say "hi"'), ('say "hi"',)),
        (equals("a\tb"), ("a\tb",)),
        (starts_with("Dear"), ("Dear",)),
        (like("how are you"), ("how are you",)),
        (matches(r"case number is (?P<case_no>CAS-\d{6})"), ("case number is",)),
        (matches(r"^https://survey\.example\.com/.+"), ("https://survey.example.com/",)),
        (matches(r"\d+"), ()),
        (any_of("one", "two"), ("one", "two")),
        (all_of("one", matches("two [0-9]+")), ("one", "two")),
        (none_of("never"), ()),
        (contains("x" * 500), ("x" * 200,)),
    ],
    ids=str,
)
def test_what_is_wanted_is_read_from_the_words_of_a_matcher(
    matcher: Matcher, wanted: tuple[str, ...]
) -> None:
    assert wanted_in(str(matcher)) == wanted


def test_quotes_that_do_not_close_are_no_text() -> None:
    assert wanted_in('one "two" and "three') == ("two",)


@pytest.mark.parametrize(
    ("wanted", "came", "differs"),
    [
        ("case number", "Your case nummber, please", "…case [-number-]{+nummber+}…"),
        ("by now", "You said: bye now", "…[-by-]{+bye+} now"),
        ("Goodbye", "goodbye", "[-Goodbye-]{+goodbye+}"),
        ("close the order", "close order", "close [-the -]order"),
        ("close order", "close the order", "close {+the +}order"),
        ("hello", "", "[-hello-]"),
    ],
)
def test_the_passage_that_is_most_alike_is_marked(wanted: str, came: str, differs: str) -> None:
    assert marked(wanted, came) == differs


def test_of_several_texts_the_one_that_is_most_alike_is_compared() -> None:
    found = likeness(["good morning", "good evening"], "Good evning!")
    assert found is not None
    assert found.wanted == "good evening"
    assert 90 <= found.percent < 100
    assert likeness([], "hello") is None


def test_a_part_of_what_was_wanted_is_not_all_of_it() -> None:
    short, whole = likeness(["hello there"], "hello"), likeness(["hello"], "oh, hello there")
    assert short is not None
    assert whole is not None
    assert short.percent < whole.percent == 100


def test_what_is_shown_is_bounded() -> None:
    found = likeness(["wanted " * 1_000], "came " * 10_000)
    assert found is not None
    assert len(found.wanted) == MAX_WANTED
    # Every word may be marked on both sides.
    assert len(found.marked) < 5 * (MAX_WANTED + MAX_SHOWN)


TEXTS = st.text(alphabet="ab Aİ.\n", max_size=40)


def test_what_cannot_be_seen_differs_in_nothing() -> None:
    assert marked("\u200b", "\u200b") == ""


@settings(max_examples=100, deadline=None)
@given(wanted=TEXTS.filter(str.strip), came=TEXTS)
def test_without_what_is_marked_the_two_are_the_same(wanted: str, came: str) -> None:
    shown = marked(wanted, came)
    without_wanted = MARKS.sub(lambda m: m.group(2) or "", shown).strip("…")
    assert without_wanted.strip() in " ".join(came.split())
    without_came = MARKS.sub(lambda m: m.group(1) or "", shown).strip("…")
    assert without_came.strip().lower() == " ".join(wanted.split()).lower()
