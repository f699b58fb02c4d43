"""Messages with buttons and structured content: what of them a matcher sees, wherever it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from botkit.bot.matchers import (
    all_of,
    any_of,
    contains,
    equals,
    matches,
    matches_json,
    none_of,
    starts_with,
)
from botkit.chat import Button, Message
from botkit.interfaces import Match, Matcher, Miss, match_message

Rehearse = Callable[..., Any]
BUTTONS = (Button(text="Yes", payload="y"), Button(text="No, 42 times"))
CONTENT = '{"type": "Card", "title": "Order 7", "actions": [{"text": "Yes"}]}'
OFFER = Message(at=0, seq=1, text="Pick one", buttons=BUTTONS)
CARD = Message(at=0, seq=1, text="Order 7", content=CONTENT)


@pytest.mark.parametrize(
    ("matcher", "fits"),
    [
        (contains("pick"), True),
        (contains("yes"), True),
        (equals("Yes"), True),
        (starts_with("no,"), True),
        # Each part stands for itself: nothing is found across two of them.
        (matches("(?s)one.*Yes"), False),
        (equals("Pick one [Yes] [No, 42 times]"), False),
        (all_of("pick", "yes", equals("Yes")), True),
        (all_of("pick", "maybe"), False),
        (any_of("maybe", "yes"), True),
        # What must not be there must be neither in the text nor on a button.
        (none_of("maybe", "perhaps"), True),
        (none_of("yes"), False),
        (none_of("pick"), False),
        (all_of("pick", none_of(equals("Yes"))), False),
        (none_of(none_of("yes")), True),
        (matches_json({"/x": "y"}), False),
    ],
)
def test_a_matcher_sees_the_text_and_each_button(matcher: Matcher, fits: bool) -> None:
    assert isinstance(match_message(matcher, OFFER), Match) is fits


def test_a_button_is_captured_from() -> None:
    answer = match_message(matches(r"(?P<times>\d+) times"), OFFER)
    assert isinstance(answer, Match)
    assert answer.captures == {"times": "42"}


def test_a_miss_names_the_buttons() -> None:
    answer = match_message(contains("maybe"), OFFER)
    assert answer == Miss(
        why='"Pick one" does not contain "maybe";'
        " nor does any of its buttons (Yes, No, 42 times) fit"
    )
    answer = match_message(none_of("yes"), OFFER)
    assert answer == Miss(why='"Pick one [Yes] [No, 42 times]" is containing "yes"')


def test_json_looks_into_the_structured_content() -> None:
    wanted = {"/title": matches(r"Order (?P<order>\d)"), "/actions/0/text": equals("Yes")}
    answer = match_message(any_of("nothing", matches_json(wanted)), CARD)
    assert isinstance(answer, Match)
    assert answer.captures == {"order": "7"}
    assert isinstance(match_message(contains("Card"), CARD), Miss)


def test_json_looks_into_the_text_where_there_is_nothing_else() -> None:
    plain = Message(at=0, seq=1, text='{"title": "x"}', buttons=BUTTONS)
    assert isinstance(match_message(matches_json({"/title": "x"}), plain), Match)


@dataclass
class Shortest:
    """A matcher of a plugin: it knows texts and nothing else."""

    seen: list[str]

    def match(self, text: str) -> Match | Miss:
        self.seen.append(text)
        return Match() if len(text) < 5 else Miss(why="too long")


def test_a_plain_matcher_is_asked_about_one_part_after_the_other() -> None:
    shortest = Shortest([])
    assert isinstance(match_message(shortest, OFFER), Match)
    assert shortest.seen == ["Pick one", "Yes"]
    assert isinstance(match_message(shortest, CARD), Miss)
    assert shortest.seen[2:] == ["Order 7"]


# --- wherever a message is matched ---------------------------------------------------------------


@pytest.mark.parametrize(
    "script",
    [
        "steps: [expect: 'Yes']",
        "steps: [expect_next: {equals: 'Yes'}]",
        "steps: [{choose: [{when: maybe, do: [expect: x]}, {when: 'yes', do: [note: n]}]}]",
        "steps: [repeat: {times: 1, until: 'yes', do: [pause: 1s]}]",
        "whenever: [{message: {equals: 'Yes'}, do: [finish: passed]}]\nsteps: [expect: x]",
    ],
)
def test_buttons_are_seen(rehearse: Rehearse, script: str) -> None:
    play = rehearse(script)
    play.say("Pick one", buttons=BUTTONS)
    play.wait(1.001)
    assert play.verdict[0] == "passed"


def test_guards_see_buttons(rehearse: Rehearse) -> None:
    play = rehearse("never: ['no,']\nsteps: [expect: x]")
    play.say("Pick one", buttons=BUTTONS)
    assert play.verdict == ("failed", "guard")
    assert play.finished.message == (
        "what must never be said was said: Ada: Pick one [Yes] [No, 42 times]"
    )


def test_nothing_that_fits_may_be_on_a_button(rehearse: Rehearse) -> None:
    play = rehearse("steps: [{expect_nothing: 1s, matching: 'yes'}]")
    play.say("Pick one", buttons=BUTTONS)
    assert play.verdict == ("failed", "expectation")


def test_evidence_shows_the_buttons(rehearse: Rehearse) -> None:
    play = rehearse("steps: [expect: x]")
    play.say("Pick one", buttons=BUTTONS)
    play.say("x")
    assert play.last.passed_over == (
        'Ada: Pick one [Yes] [No, 42 times] - "Pick one" does not contain "x";'
        " nor does any of its buttons (Yes, No, 42 times) fit",
    )
