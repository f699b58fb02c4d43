from __future__ import annotations

from dataclasses import replace
from typing import Any

from botkit.chat import PartyKind, Row
from botkit.report.decisive import decisive_frame, decisive_of
from botkit.results import Frame, Reason, Verdict


def frame(at: float, text: str = "", direction: Any = "received") -> Frame:
    return Frame(at=at, direction=direction, what="frame", text=text)


def test_a_step_decides(make_journey: Any) -> None:
    decisive = decisive_of(make_journey())
    assert decisive is not None
    assert decisive.step == 'bots/support.yaml:17: expect a message containing "case number"'
    assert decisive.expected == 'a message containing "case number"'
    assert decisive.received == ('Grace: hello (does not contain "case number")',)


def test_nothing_is_what_was_received_where_nothing_came(make_journey: Any) -> None:
    base = make_journey()
    decisive = decisive_of(replace(base, step=replace(base.step, received=())))
    assert decisive is not None
    assert decisive.received == ("nothing",)


def test_without_a_step_it_is_said_what_botkit_was_about(make_journey: Any) -> None:
    refused = make_journey(step=None, reason=Reason.REFUSED, message="no chat for you")
    decisive = decisive_of(refused)
    assert decisive is not None
    assert decisive.step == "opening the chat"
    assert decisive.received == ("no chat for you",)


def test_what_went_well_and_what_is_botkit_s_fault_name_nothing(make_journey: Any) -> None:
    assert decisive_of(make_journey(Verdict.PASSED)) is None
    assert decisive_of(make_journey(Verdict.ERROR)) is None


def test_the_frame_is_the_one_that_holds_what_was_said_last(make_journey: Any) -> None:
    row = Row(at=103.0, who="G", kind="message", text='say "\u00fc"', party=PartyKind.AGENT)
    told = frame(3.0, r'{"text":"say \"\u00fc\""}')
    frames = (frame(1.0), told, frame(4.0, "{}"), frame(12.0))
    assert decisive_frame(make_journey(transcript=(row,), frames=frames)) is told


def test_the_frame_is_the_latest_while_the_step_waited(make_journey: Any) -> None:
    late = frame(11.0)
    asked = frame(11.1, direction="sent")
    frames = (frame(3.0), late, asked, frame(11.9))
    assert decisive_frame(make_journey(transcript=(), frames=frames)) is late
    assert decisive_frame(make_journey(transcript=(), frames=(frame(1.0), asked))) is asked
    assert decisive_frame(make_journey()) is None
