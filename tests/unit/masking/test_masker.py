"""What must not be shown is hidden in every spelling, and nothing else is."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.bot.values import escape_regex
from botkit.masking import CUT, HIDDEN, Masker, shortened

VALUES = (
    "hunter2!",
    "ada@example.com",
    "+49 (30) 901820-17",
    "4111 1111 1111 1111",
    "Jürgen Größe",
    "quo\"te'd",
    "back\\slash\\new",
    "two\nlines",
    "bell\x07and\x1b[31mred",
    "p🦊ssword",
    "100%41sure",
    ".*[a-z]+(?P<x>",
    "<b>&amp;</b>",
    "כניסה־סודית",
    "k" * 3_000,
)


def percent_lower(text: str) -> str:
    return "".join(f"%{byte:02x}" for byte in text.encode())


def every_unit(text: str) -> str:
    units = text.encode("utf-16-be")
    return "".join(f"\\u{units[i]:02X}{units[i + 1]:02X}" for i in range(0, len(units), 2))


def base64_behind(count: int) -> Callable[[str], str]:
    return lambda text: base64.b64encode(b"x" * count + text.encode() + b"yz").decode()


SPELLINGS: dict[str, Callable[[str], str]] = {
    "itself": str,
    "upper": str.upper,
    "url": quote,
    "form": quote_plus,
    "percent": percent_lower,
    "json": lambda text: json.dumps(text)[1:-1],
    "json text": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json slash": lambda text: json.dumps(text)[1:-1].replace("/", "\\/"),
    "json upper": every_unit,
    "json lower": lambda text: every_unit(text).lower(),
    "html": html.escape,
    "html decimal": lambda text: "".join(f"&#{ord(c)};" for c in text),
    "html hex": lambda text: "".join(f"&#X{ord(c):X};" for c in text),
    "repr": lambda text: repr(text)[1:-1],
    "ascii": lambda text: ascii(text)[1:-1],
    "bytes": lambda text: repr(text.encode())[2:-1],
    "regex": escape_regex,
    "json in json": lambda text: json.dumps(json.dumps(text)),
    "json in a url": lambda text: quote(json.dumps({"a": text})),
    "url in html": lambda text: html.escape(quote(text)),
    "base64 0": base64_behind(0),
    "base64 1": base64_behind(1),
    "base64 2": base64_behind(2),
    "base64 in a url": lambda text: quote(base64_behind(1)(text), safe=""),
    "base64 for urls": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
}


def masker(*values: str) -> Masker:
    made = Masker()
    for number, value in enumerate(values):
        made.hide(value, f"value {number}")
    return made


@pytest.mark.parametrize("name", SPELLINGS)
@pytest.mark.parametrize("value", VALUES, ids=[ascii(value[:12]) for value in VALUES])
def test_a_value_is_hidden_in_every_spelling(value: str, name: str) -> None:
    spelled = SPELLINGS[name](value)
    if name == "upper" and len(spelled) != len(value):
        # One letter became two: another word.
        spelled = value

    shown = masker(value)(f"before: {spelled} - behind")

    assert shown.startswith("before: ")
    assert shown.endswith(" - behind")
    assert HIDDEN in shown
    # What is left stands around the value: quotes of JSON, letters of base64 that depend on them.
    assert len(shown) < len("before:  - behind") + 32


@settings(max_examples=100)
@given(
    value=st.text(min_size=4, max_size=20).filter(lambda v: len(v.strip()) >= 4),
    name=st.sampled_from(
        ["itself", "json", "percent", "html decimal", "json in json", "json upper"]
    ),
)
def test_no_value_gets_through(value: str, name: str) -> None:
    if name != "itself":
        value = value.encode("utf-8", "ignore").decode()
    if len(value.strip()) < 4:
        return
    spelled = SPELLINGS[name](value)

    assert spelled not in masker(value)(f"<{spelled}>")


@settings(max_examples=100)
@given(st.text(max_size=40))
def test_a_text_without_values_stays_as_it_is(text: str) -> None:
    assert masker("5ecret-value-that-nobody-writes")(text) == text


def test_values_that_overlap_leave_nothing_of_each_other() -> None:
    mask = masker("abcdef", "defghi")

    assert mask("<abcdefghi>") == f"<{HIDDEN}>"
    assert mask("<defghi abcdef>") == f"<{HIDDEN} {HIDDEN}>"


def test_a_value_that_contains_another_is_hidden_whole() -> None:
    assert masker("pass", "passw0rd")("passw0rd pass") == f"{HIDDEN} {HIDDEN}"


def test_a_short_value_is_hidden_as_a_word_and_warned_about() -> None:
    mask = masker("4ü")

    assert mask("4ü, (4ü) 14ü 4über 4Ü") == f"{HIDDEN}, ({HIDDEN}) 14ü 4über {HIDDEN}"
    assert mask.warnings == (
        "value 0 has only 2 characters: it is hidden only where it stands alone as a word, and so"
        " is all else that reads the same",
    )


def test_one_letter_does_not_destroy_the_evidence() -> None:
    assert masker("e")("the evidence, E") == f"the evidence, {HIDDEN}"


@pytest.mark.parametrize("blank", [" ", "\n\t"])
def test_a_blank_value_is_told_and_hides_nothing(blank: str) -> None:
    mask = masker(blank)

    assert mask("a b\n\tc") == "a b\n\tc"
    assert mask.warnings == ("value 0 is blank, so it cannot be hidden",)


def test_a_warning_never_tells_a_value() -> None:
    assert all("x9" not in warning for warning in masker("x9", "x9z").warnings)


@pytest.mark.parametrize("spelling", ["itself", "percent", "json upper", "html hex", "bytes"])
@pytest.mark.parametrize("mark", [CUT, "..."])
def test_what_was_cut_off_leaves_no_part(spelling: str, mark: str) -> None:
    value = "größe🦊4711"
    spelled = SPELLINGS[spelling](value)
    whole = spelled.replace("&#X", "&#x")

    for length in range(len(whole)):
        shown = masker(value)(f"it is {whole[:length]}{mark}")
        left = shown.removeprefix("it is ").removesuffix(mark)
        # Of what tells something, two characters at most may stay.
        assert left in ("", HIDDEN) or len(left) < len(SPELLINGS[spelling](value[:3])), left


def test_a_short_value_that_was_cut_off_leaves_less_than_its_half() -> None:
    assert masker("4711")("it is 47…") == f"it is {HIDDEN}…"
    assert masker("4711")("it is 4…") == "it is 4…"


def test_blanks_of_any_kind_are_one() -> None:
    assert masker("Ada\nLovelace")("I am Ada   Lovelace.") == f"I am {HIDDEN}."


def test_a_line_of_a_key_is_a_secret_too() -> None:
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBgkq\nhkiG9w0BAQEFAASC\n-----END KEY-----"

    assert masker(key)("line 2: hkiG9w0BAQEFAASC") == f"line 2: {HIDDEN}"


@pytest.mark.parametrize("between", ["", " "])
@pytest.mark.parametrize("length", range(1, 12))
def test_what_came_in_two_texts_leaves_no_part(length: int, between: str) -> None:
    value = "hunter2Winter"
    value = value[:length] + between + value[length:]
    one, two = f"it is {value[:length]}", f"{value[length + len(between) :]} is it"
    mask = masker(value)
    mask.hide_parts(one, two)

    assert (mask(one), mask(two)) == (f"it is {HIDDEN}", f"{HIDDEN} is it")
    assert not mask.warnings


def test_of_a_part_no_parts_are_looked_for() -> None:
    mask = masker("hunter2Winter")
    mask.hide_parts("it is hunter2", "Winter is it")
    mask.hide_parts("in Wi", "nter I hunt")

    assert mask("hunter2 Winter in Wi nter I hunt") == f"{HIDDEN} {HIDDEN} in Wi nter I hunt"


def test_texts_that_make_up_nothing_are_left_alone() -> None:
    mask = masker("hunter2Winter")
    mask.hide_parts("a hunter", "in Winter")
    mask.hide_parts("hunter2Winter", "again")

    assert mask("a hunter in Winter again") == "a hunter in Winter again"


def test_what_is_learned_later_does_not_change_a_copy() -> None:
    first = masker("hidden-1")
    second = first.copy()
    second.hide("hidden-2", "another")

    assert first("hidden-1 hidden-2") == f"{HIDDEN} hidden-2"
    assert second("hidden-1 hidden-2") == f"{HIDDEN} {HIDDEN}"


def test_nothing_to_hide_gives_the_very_text() -> None:
    text = "%41 \\u0041"

    assert Masker()(text) is text
    assert not Masker()


def test_shortening_marks_its_cut() -> None:
    assert shortened("abcdef", 3) == f"abc{CUT}"
    assert shortened("abc", 3) == "abc"
