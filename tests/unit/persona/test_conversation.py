from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from botkit.chat import PartyKind, Row
from botkit.persona.conversation import END, Line, heard_in, line_in, prompt_for
from botkit.persona.settings import Settings

SETTINGS = Settings(persona="Ada, {characters}", goal="a refund", characters=80)


def row(text: str, party: PartyKind = PartyKind.AGENT, kind: str = "message") -> Row:
    return Row(at=1.0, who="somebody", kind=kind, party=party, text=text)


def own(text: str) -> Row:
    return row(text, PartyKind.CUSTOMER)


def roles_of(*rows: Row) -> list[tuple[str, str]]:
    messages = prompt_for(SETTINGS, rows, str).messages
    return [(message["role"], message["content"]) for message in messages[1:]]


def test_the_model_is_told_who_it_is() -> None:
    system = prompt_for(SETTINGS, (), str).messages[0]
    assert system["role"] == "system"
    assert "Ada, {characters}\n" in system["content"]
    assert "a refund\n" in system["content"]
    assert "80 characters" in " ".join(system["content"].split())
    assert END in system["content"]


def test_sides_take_turns() -> None:
    assert roles_of(
        own("Hello"),
        row("Welcome", PartyKind.EXTERNAL),
        row("", PartyKind.AGENT),
        row("Grace", kind="agent_connected"),
        row("How can I help?"),
        own("A refund"),
    ) == [
        ("user", "(The chat is open.)"),
        ("assistant", "Hello"),
        ("user", "Welcome\nHow can I help?"),
        ("assistant", "A refund"),
        ("user", "(Nobody has answered yet.)"),
    ]
    assert roles_of() == [("user", "(The chat is open.)")]


def test_what_was_heard_since_the_customer_spoke() -> None:
    rows = (row("one"), own("two"), row("three"), row("four"))
    assert prompt_for(SETTINGS, rows, str).heard == ("three", "four")
    assert prompt_for(SETTINGS, rows[:2], str).heard == ()
    assert heard_in(rows) == 3


def test_a_flood_is_cut() -> None:
    ((_, content),) = roles_of(row("x" * 10_000))
    assert len(content) == 4_000


def test_half_a_character() -> None:
    assert roles_of(row("oh \ud83d")) == [("user", "oh ?")]


def test_what_names_a_request() -> None:
    rows = (row("one"),)
    first = prompt_for(SETTINGS, rows, str)
    assert prompt_for(SETTINGS, rows, str) == first
    other = prompt_for(SETTINGS, (row("two"),), str)
    assert (other.part, other.digest != first.digest) == (first.part, True)
    bob = Settings(persona="Bob", goal="a refund", characters=80)
    assert prompt_for(bob, rows, str).part != first.part


def test_what_is_masked_is_asked_and_not_told() -> None:
    def mask(text: str) -> str:
        return text.replace("4711", "***")

    one = prompt_for(SETTINGS, (row("PIN 4711"),), mask)
    assert one.messages[1]["content"] == "PIN 4711"
    assert one.heard == ("PIN ***",)
    assert one.digest == prompt_for(SETTINGS, (row("PIN ***"),), str).digest


@pytest.mark.parametrize(
    ("reply", "line"),
    [
        ("Hello", Line(text="Hello")),
        (" Hello,\n\n\tAda\x00 \u2028", Line(text="Hello, Ada")),
        ("\U0001f469\u200d\U0001f4bb", Line(text="\U0001f469\u200d\U0001f4bb")),
        ("Bye [END]", Line(text="Bye", ends=True)),
        ("[END]", Line(text="", ends=True)),
        ("[END] and more", Line(text="", ends=True)),
        ("0123456789", Line(text="0123456789")),
        ("01234567890", Line(text="012345678…", cut=True)),
        ("012 45678 9 [END]", Line(text="012 45678…", ends=True, cut=True)),
        ("012 456789 1", Line(text="012…", cut=True)),
    ],
)
def test_the_line_in_a_reply(reply: str, line: Line) -> None:
    assert line_in(reply, 10) == line


@given(st.text(), st.integers(min_value=1, max_value=40))
def test_a_line_is_one_and_no_longer_than_it_may_be(reply: str, characters: int) -> None:
    line = line_in(reply, characters)
    assert len(line.text) <= characters
    assert line.text.replace("\u200c", "").replace("\u200d", "").isprintable()
    assert line.text == line.text.strip()
