"""What an expectation remembers of what did not fit."""

import pytest

from botkit.chat import Message, Notice, Party, PartyKind
from botkit.chat.tried import MAX_SHOWN, Tried, is_from

ADA = Party(name="Ada", kind=PartyKind.AGENT)


def line(text: str, party: Party | None = ADA) -> Message:
    return Message(at=0, seq=1, text=text, party=party)


def not_x(message: Message) -> str | None:
    return None if message.text == "x" else "no x"


@pytest.mark.parametrize(
    ("sender", "heard"),
    [(None, True), ("agent", True), ("Ada", True), ("Bill", False), ("customer", False)],
)
def test_a_sender_is_a_kind_or_a_name(sender: str | None, heard: bool) -> None:
    assert is_from(line("x"), sender) is heard
    assert Tried(not_x, sender)(line("x")) is heard
    assert Tried(not_x, sender).is_candidate(line("y")) is heard


def test_nobody_is_no_sender() -> None:
    assert is_from(line("x", party=None), None)
    assert not is_from(line("x", party=None), "agent")


def test_misses_are_remembered_with_their_reason() -> None:
    tried = Tried(not_x, "agent")
    assert not tried(line("a"))
    assert not tried(line("b", party=None))
    assert not tried(Notice(at=0, seq=1, text="c"))
    assert tried(line("x"))
    assert tried.misses == ["Ada: a - no x"]


def test_misses_are_bounded() -> None:
    tried = Tried(not_x, None)
    for _ in range(MAX_SHOWN + 5):
        assert not tried(line("a"))
    assert len(tried.misses) == MAX_SHOWN
