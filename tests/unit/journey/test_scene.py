"""The inbox as somebody sees it who steps through a bot."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from botkit.chat import AgentTyping, Event, Message, Notice, Other, Party, PartyKind, Row
from botkit.journey.scene import State, readings_of, typing_in
from botkit.results import Reason, StepResult, Verdict

ADA = Party(name="Ada", kind=PartyKind.AGENT)


def event(seq: int, type_: type[Event] = Message, /, **members: Any) -> Event:
    if type_ in (Message, Notice):
        members = {"text": f"t{seq}", **members}
    return type_(at=0.0, seq=seq, party=ADA, **members)


def step(number: int, seq: int | None) -> StepResult:
    return StepResult(
        number=number,
        path=f"steps[{number}]",
        verb="expect",
        text="expect",
        verdict=Verdict.PASSED,
        reason=Reason.OK,
        started=0.0,
        duration=0.0,
        seq=seq,
    )


def shouted(row: Row) -> Row:
    return replace(row, text=row.text.upper())


def test_each_kind_has_a_read_position_of_its_own() -> None:
    events = [event(1), event(2, Notice), event(3), event(4), event(5, Notice)]
    steps = [step(1, 3), step(2, None)]
    found = readings_of(events, unread=[events[1], *events[3:]], steps=steps, row=shouted)
    assert [(r.row.text, r.state, r.by and r.by.number) for r in found] == [
        ("T1", State.PASSED_OVER, 1),
        ("CUSTOMNOTICE: T2", State.UNREAD, None),
        ("T3", State.READ, 1),
        ("T4", State.UNREAD, None),
        ("CUSTOMNOTICE: T5", State.UNREAD, None),
    ]


def test_what_was_passed_over_belongs_to_the_next_that_read() -> None:
    events = [event(1), event(2), event(3), event(4)]
    found = readings_of(events, unread=[], steps=[step(1, 2), step(2, 4)], row=shouted)
    assert [r.by.number for r in found if r.by] == [1, 1, 2, 2]


@pytest.mark.parametrize(
    "noise", [event(1, own=True), event(1, history=True), event(1, Other, kind="x", text="y")]
)
def test_what_no_step_can_read_is_not_in_the_inbox(noise: Event) -> None:
    assert readings_of([noise], unread=[], steps=[], row=shouted) == ()


@pytest.mark.parametrize(
    ("events", "who"),
    [
        ([], ""),
        ([event(1, AgentTyping, is_typing=True)], "Ada"),
        ([event(1, AgentTyping, is_typing=True), event(2, Notice)], "Ada"),
        ([event(1, AgentTyping, is_typing=True), event(2, AgentTyping, is_typing=False)], ""),
        ([event(1, AgentTyping, is_typing=True), event(2)], ""),
        ([event(1, AgentTyping, is_typing=True), event(2, own=True)], "Ada"),
    ],
)
def test_who_types(events: list[Event], who: str) -> None:
    assert typing_in(events) == who
