from __future__ import annotations

from dataclasses import replace
from typing import Any

from botkit.chat import PartyKind, Row
from botkit.report.decisive import BEFORE, decisive_frame, decisive_of
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


def test_the_frame_of_wrong_user_data_may_be_older_than_its_step(make_journey: Any) -> None:
    base = make_journey()
    received = ('SurveyURL: "https://x.example/b" does not start with "https://x.example/g"',)
    step = replace(base.step, verb="expect_userdata", received=received)
    told = frame(0.5, '{"SurveyURL":"https://x.example/b"}')
    frames = (told, frame(0.6), frame(3.0, direction="sent"))
    assert decisive_frame(replace(base, step=step, frames=frames)) is told


def test_without_a_step_the_frame_is_what_went_wrong_before_the_goodbye(make_journey: Any) -> None:
    trouble = Frame(at=3.0, direction="received", what="500 to POST /x")
    journey = make_journey(
        step=None, steps=(), reason=Reason.WHOLE_CHAT, frames=(trouble, frame(12.0))
    )
    assert decisive_frame(journey) is trouble
    decisive = decisive_of(journey)
    assert decisive is not None
    assert decisive.step == "opening the chat"
    assert decisive.received[-1] == "500 to POST /x"


def test_what_broke_the_connection_is_what_was_received(make_journey: Any) -> None:
    base = make_journey(reason=Reason.LOST, message="the server went away")
    step = replace(base.step, verb="say", expected="", received=())
    decisive = decisive_of(replace(base, step=step))
    assert decisive is not None
    assert decisive.expected == "a connection that lasts, or can be won back"
    assert decisive.received == ("the server went away",)


def test_a_long_frame_is_shown_around_what_tells(make_journey: Any) -> None:
    row = Row(at=103.0, who="G", kind="message", text="no idea", party=PartyKind.AGENT)
    long = frame(3.0, "x" * 5_000 + "no idea" + "y" * 100)
    shown = decisive_frame(make_journey(transcript=(row,), frames=(long,)))
    assert shown is not None
    assert shown.text == "..." + "x" * BEFORE + "no idea" + "y" * 100
