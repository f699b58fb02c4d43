"""Matchers: what fits, why not, and how they are written."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.bot import matcher_kinds
from botkit.bot.matchers import (
    BUILT_IN,
    BUILT_IN_MATCHERS,
    MatcherError,
    MatcherRegistry,
    PlainValue,
    all_of,
    any_of,
    contains,
    equals,
    in_words,
    like,
    matches,
    matches_json,
    none_of,
    starts_with,
)
from botkit.bot.values import Values, VariableError
from botkit.interfaces import Match, Matcher, Miss


def fits(matcher: Matcher, text: str) -> bool:
    return isinstance(matcher.match(text), Match)


def why(matcher: Matcher, text: str) -> str:
    result = matcher.match(text)
    assert isinstance(result, Miss)
    return result.why


def captures(matcher: Matcher, text: str) -> dict[str, str]:
    result = matcher.match(text)
    assert isinstance(result, Match)
    return dict(result.captures)


# --- kinds ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("matcher", "text", "expected"),
    [
        (contains("How can I"), "Hello, HOW CAN I help?", True),
        (contains("straße"), "In der STRASSE", True),
        (contains("Caf\u00e9"), "the cafe\u0301", True),
        (contains("x"), "hello", False),
        (equals("Yes"), "Yes", True),
        (equals("Yes"), "yes", False),
        (starts_with("hello"), "Hello there", True),
        (starts_with("there"), "Hello there", False),
        (matches(r"\d+"), "no 12", True),
        (matches(r"^\d+"), "no 12", False),
        (like("how can I help you"), "Hi! How may I help you today?", True),
        (like("how can I help you"), "help", False),
        (like("how can I help you"), "???", False),
        (like("hello", threshold=100), "hell", False),
        (any_of("a", equals("b")), "b", True),
        (any_of("a", equals("b")), "c", False),
        (all_of("a", "b"), "ab", True),
        (all_of("a", "b"), "a", False),
        (none_of("a", "b"), "c", True),
        (none_of("a", "b"), "xb", False),
    ],
)
def test_what_fits(matcher: Matcher, text: str, expected: bool) -> None:
    assert fits(matcher, text) is expected


@pytest.mark.parametrize(
    ("matcher", "words"),
    [
        (contains("a"), 'a message containing "a"'),
        (equals("a"), 'a message that is exactly "a"'),
        (starts_with("a"), 'a message starting with "a"'),
        (matches("a+"), "a message matching a+"),
        (like("a"), 'a message like "a" (80 % or more)'),
        (any_of("a", "b"), 'a message containing "a" or containing "b"'),
        (
            all_of("a", any_of("b", "c")),
            'a message containing "a" and (containing "b" or containing "c")',
        ),
        (none_of("a", "b"), 'a message neither containing "a" nor containing "b"'),
        (matches_json({"/a": "b"}), 'a message of JSON with /a containing "b"'),
    ],
)
def test_matchers_say_in_words_what_they_want(matcher: Matcher, words: str) -> None:
    assert str(matcher) == words
    assert in_words(matcher) == words.removeprefix("a message ")


@pytest.mark.parametrize(
    ("matcher", "text", "expected"),
    [
        (contains("a"), "x", '"x" does not contain "a"'),
        (starts_with("a"), "x", '"x" does not start with "a"'),
        (matches("a+"), "x", '"x" does not match a+'),
        (equals("Yes"), "yes ", "differ only in case or in the space"),
        (equals("Yes"), "no", '"no" is not "Yes"'),
        (like("good morning"), "goodbye", "% like"),
        (any_of("a", "b"), "x", '"x" does not contain "a"; "x" does not contain "b"'),
        (none_of("a"), "xa", '"xa" is containing "a"'),
        (matches_json({"/a": "b"}), "no", '"no" is no JSON'),
        (matches_json({"/a": "b"}), "{}", "has no /a"),
        (matches_json({"/a": "b"}), '{"a": "c"}', '/a: "c" does not contain "b"'),
    ],
)
def test_miss_says_why(matcher: Matcher, text: str, expected: str) -> None:
    assert expected in why(matcher, text)


def test_long_text_is_quoted_in_part() -> None:
    assert len(why(contains("a"), "x" * 10_000)) < 300


def test_named_groups_are_captured() -> None:
    matcher = matches(r"case (?P<no>\d+)(?P<kind> urgent)?")

    assert captures(matcher, "case 12") == {"no": "12", "kind": ""}


def test_regex_sees_the_first_4096_characters() -> None:
    assert fits(matches("a"), " " * 4095 + "a")
    assert not fits(matches("a"), " " * 4096 + "a")


def test_regex_that_takes_too_long_is_an_error_and_no_miss() -> None:
    with pytest.raises(MatcherError, match=r"took longer than 0\.1 s"):
        matches(r"(\w+\s?)*+;|(a|b|ab)*c(?<=(a|aa)+b)").match("ab" * 2000)


@pytest.mark.parametrize(
    ("pointer", "wanted"),
    [
        ("", equals('{"a": [1, {"b/c": "x~"}], "n": null, "t": true}')),
        ("/a/0", equals("1")),
        ("/a/1/b~1c", equals("x~")),
        ("/n", equals("null")),
        ("/t", equals("true")),
    ],
)
def test_json_pointers(pointer: str, wanted: Matcher) -> None:
    text = '{"a": [1, {"b/c": "x~"}], "n": null, "t": true}'

    assert fits(matches_json({pointer: wanted}), text)


@pytest.mark.parametrize("pointer", ["/a/9", "/a/x", "/b", "/n/x", "/a/-1", "/a/\u00b2"])
def test_json_pointer_that_leads_nowhere(pointer: str) -> None:
    assert not fits(matches_json({pointer: "x"}), '{"a": [1], "n": null}')


def test_json_numbers_keep_their_spelling() -> None:
    assert fits(matches_json({"/price": equals("1.10")}), '{"price": 1.10}')


def test_json_captures_come_together() -> None:
    matcher = matches_json({"/a": matches("(?P<x>.)"), "/b": matches("(?P<y>.)")})

    assert captures(matcher, '{"a": 1, "b": 2}') == {"x": "1", "y": "2"}


@pytest.mark.parametrize("text", ["[" * 100_000, "1" * 5_000, "{", '{"a": 1', "\ud800"])
def test_strange_json_is_a_miss(text: str) -> None:
    assert not fits(matches_json({"/a": "x"}), text)


@settings(deadline=None)
@given(st.text())
def test_any_text_is_a_match_or_a_miss(text: str) -> None:
    matcher = all_of(
        any_of(contains("a"), like("hello"), matches(r"\w")), matches_json({"/a": starts_with("x")})
    )

    assert isinstance(matcher.match(text), Match | Miss)


# --- as bots write them --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("hello", 'containing "hello"'),
        ({"contains": "hello"}, 'containing "hello"'),
        ({"equals": "hello"}, 'that is exactly "hello"'),
        ({"starts_with": "hello"}, 'starting with "hello"'),
        ({"matches": "h.*o"}, "matching h.*o"),
        ({"like": "hello"}, 'like "hello" (80 % or more)'),
        ({"like": {"text": "hello", "threshold": "70.5"}}, 'like "hello" (70.5 % or more)'),
        ({"json": {"/a": "b", "/c": {"equals": "d"}}}, "of JSON with /a containing"),
        ({"any_of": ["a", {"equals": "b"}]}, 'containing "a" or that is exactly "b"'),
        ({"all_of": ["a"]}, 'containing "a"'),
        ({"none_of": ["a"]}, 'neither containing "a"'),
    ],
)
def test_written_matchers_are_built(value: PlainValue, words: str) -> None:
    assert in_words(BUILT_IN.parse(value).build()).startswith(words)


@pytest.mark.parametrize(
    ("value", "message", "path"),
    [
        ("", "an empty matcher", ()),
        ({}, "exactly one key, not 0", ()),
        ([], "a text or a mapping", ()),
        ({"a": "x"}, "unknown matcher 'a'", ("a",)),
        ({"contains": []}, "it takes a text", ("contains",)),
        ({"matches": {"a": "b"}}, "it takes a text", ("matches",)),
        ({"matches": "("}, "no regular expression", ("matches",)),
        ({"matches": "a" * 2049}, "at most 2,048 characters", ("matches",)),
        ({"matches": "(" * 2048}, "nested too deeply", ("matches",)),
        ({"matches": "a{99999999999999999999}"}, "too big", ("matches",)),
        ({"like": {"text": "a", "x": "b"}}, "unknown key 'x'", ("like", "x")),
        ({"like": {}}, "it takes a text, or a mapping", ("like",)),
        ({"like": {"text": "a", "threshold": "0"}}, "from 1 to 100", ("like", "threshold")),
        ({"json": "x"}, "a mapping from JSON Pointers", ("json",)),
        ({"json": {}}, "no JSON Pointer", ("json",)),
        ({"json": {"a": "x"}}, "no JSON Pointer", ("json", "a")),
        ({"any_of": "x"}, "it takes a list", ("any_of",)),
        ({"any_of": []}, "no matchers in it", ("any_of",)),
        ({"any_of": ["a", {"json": {"/a": ""}}]}, "empty matcher", ("any_of", 1, "json", "/a")),
    ],
)
def test_wrong_matcher_tells_where(
    value: PlainValue, message: str, path: Sequence[str | int]
) -> None:
    with pytest.raises(MatcherError) as caught:
        BUILT_IN.parse(value)

    assert message in caught.value.message
    assert caught.value.path == path


def test_unknown_matcher_offers_the_closest() -> None:
    with pytest.raises(MatcherError) as caught:
        BUILT_IN.parse({"contain": "x"})

    assert caught.value.hint == "did you mean 'contains'?"
    assert caught.value.at_key


def test_values_are_filled_in_when_it_is_built() -> None:
    spec = BUILT_IN.parse({"any_of": ["${row.a}", {"json": {"/x": {"equals": "${b}"}}}]})

    assert [str(name) for name in spec.names] == ["${row.a}", "${b}"]
    matcher = spec.build(Values(row={"a": "Ada"}, variables={"b": "Bob"}))
    assert fits(matcher, "hello ada")
    assert fits(matcher, '{"x": "Bob"}')


def test_values_are_inserted_into_regexes_as_the_texts_they_are() -> None:
    spec = BUILT_IN.parse({"matches": "^${x} (?P<rest>.)$"})
    matcher = spec.build(Values(variables={"x": "a.b (c)"}))

    assert fits(matcher, "a.b (c) d")
    assert not fits(matcher, "axb (c) d")


def test_missing_value_is_an_error_when_it_is_built() -> None:
    with pytest.raises(VariableError):
        BUILT_IN.parse("${x}").build(Values())


def test_value_that_makes_a_matcher_empty_is_an_error() -> None:
    with pytest.raises(MatcherError, match="empty matcher"):
        BUILT_IN.parse("${x}").build(Values(variables={"x": " "}))


def test_specification_without_values_builds_one_matcher_for_all() -> None:
    spec = BUILT_IN.parse({"matches": "a"})

    assert spec.build(Values()) is spec.build(Values())


@pytest.mark.parametrize(
    ("value", "may", "surely"),
    [
        ("x", "", ""),
        ({"matches": "(?P<a>.)(?P<b>.)?"}, "ab", "ab"),
        ({"any_of": [{"matches": "(?P<a>.)(?P<b>.)"}, {"matches": "(?P<a>.)"}]}, "ab", "a"),
        ({"any_of": [{"matches": "(?P<a>.)"}, "x"]}, "a", ""),
        ({"all_of": [{"matches": "(?P<a>.)"}, {"matches": "(?P<b>.)"}]}, "ab", "ab"),
        ({"none_of": [{"matches": "(?P<a>.)"}]}, "", ""),
        ({"json": {"/x": {"matches": "(?P<a>.)"}}}, "a", "a"),
    ],
)
def test_specification_knows_what_it_captures(value: PlainValue, may: str, surely: str) -> None:
    spec = BUILT_IN.parse(value)

    assert spec.captures == set(may)
    assert spec.certain == set(surely)


# --- plugins -------------------------------------------------------------------------------------


class Even:
    """Fits numbers that are even, and captures the half."""

    captures = ("half",)

    def __init__(self, value: PlainValue) -> None:
        if not isinstance(value, str):
            raise ValueError("give it a text")
        self.value = value

    def match(self, text: str) -> Match | Miss:
        if text.isdecimal() and int(text) % 2 == 0:
            return Match(captures={"half": str(int(text) // 2)})
        return Miss(why="odd")

    def __str__(self) -> str:
        return f"a message that is even ({self.value})"


def broken(_: Any) -> Matcher:
    raise KeyError("oops")


PLUGINS = MatcherRegistry({**BUILT_IN_MATCHERS, "even": Even, "broken": broken})


def test_plugin_adds_a_matcher() -> None:
    spec = PLUGINS.parse({"any_of": [{"even": "${x}"}]})
    matcher = spec.build(Values(variables={"x": "1"}))

    assert captures(matcher, "4") == {"half": "2"}
    assert spec.certain == {"half"}
    assert "even" in PLUGINS.names


def test_what_a_plugin_refuses_is_told_with_its_place() -> None:
    with pytest.raises(MatcherError, match="even: give it a text") as caught:
        PLUGINS.parse({"all_of": [{"even": ["x"]}]})

    assert caught.value.path == ("all_of", 0, "even")


def test_plugin_that_breaks_is_named() -> None:
    with pytest.raises(MatcherError, match="matcher 'broken' broke: KeyError"):
        PLUGINS.parse({"broken": "x"})


def test_matchers_of_the_language_cannot_be_registered() -> None:
    with pytest.raises(MatcherError, match="belongs to the language"):
        MatcherRegistry({"any_of": Even})


def test_regexes_are_compiled_once() -> None:
    assert matcher_kinds.compile_regex("a{3}") is matcher_kinds.compile_regex("a{3}")
