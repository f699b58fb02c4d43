"""Steps that wait: what satisfies them, what does not, and what is written down about it."""

from collections.abc import Callable
from typing import Any

import pytest

from botkit.chat import (
    AgentConnected,
    AgentDisconnected,
    AgentTyping,
    EndedBy,
    Notice,
    Party,
    PartyKind,
    PushedUrl,
    SessionEnded,
    Userdata,
)

Rehearse = Callable[..., Any]

GRACE = Party(name="Grace", kind=PartyKind.SUPERVISOR, id="2")
ROBOT = Party(name="Robot", kind=PartyKind.EXTERNAL, id="3")
BILL = Party(name="Bill", kind=PartyKind.CUSTOMER, id="4")


# --- expect --------------------------------------------------------------------------------------


def test_expect_takes_the_first_that_fits_and_says_what_it_passed_over(rehearse: Rehearse) -> None:
    play = rehearse("steps: [expect: case, expect: case]")
    play.now = 1
    play.say("hello", "wait", "your case", "the case is closed")

    assert play.verdict == ("passed", "ok")
    assert [step.took for step in play.steps] == ["Ada: your case", "Ada: the case is closed"]
    assert [step.seq for step in play.steps] == [3, 4]
    assert play.steps[0].expected == 'a message containing "case"'
    assert play.steps[0].passed_over == (
        'Ada: hello - "hello" does not contain "case"',
        'Ada: wait - "wait" does not contain "case"',
    )
    assert play.steps[1].passed_over == ()
    assert play.interpreter.asserted == 2


def test_expect_finds_what_came_before_it(rehearse: Rehearse) -> None:
    play = rehearse("steps: [pause: 1s, expect: hello]")
    play.say("hello")
    play.wait(1.001)
    assert play.verdict == ("passed", "ok")


def test_the_own_echo_and_history_satisfy_nothing(rehearse: Rehearse) -> None:
    play = rehearse("steps: [expect: x]")
    play.say("x", own=True, party=BILL)
    play.say("x", history=True)
    play.wait(31)
    assert play.verdict == ("failed", "timeout")
    assert play.last.received == ()
    assert play.last.message == 'expected a message containing "x" within 30 s; nothing came'


def test_wrong_messages_are_evidence_and_no_timeout(rehearse: Rehearse) -> None:
    play = rehearse("steps: [{expect: x, within: 2s}]")
    play.say("a", "b")
    play.wait(2.001)

    assert play.verdict == ("failed", "expectation")
    assert play.last.received == (
        'Ada: a - "a" does not contain "x"',
        'Ada: b - "b" does not contain "x"',
    )
    assert play.last.duration == 2


@pytest.mark.parametrize(("at", "verdict"), [(2.0, "passed"), (2.000001, "failed")])
@pytest.mark.parametrize("late", [0, 50])
def test_an_event_at_the_deadline_beats_it_however_late_it_is_looked_at(
    rehearse: Rehearse, at: float, verdict: str, late: float
) -> None:
    play = rehearse("steps: [{expect: x, within: 2s}]")
    play.now = at
    event = play.line("x")
    play.now = at + late
    play.step(event)
    play.wait(0.01)
    assert play.verdict[0] == verdict


@pytest.mark.parametrize(
    ("sender", "heard"),
    [
        ("agent", "Ada"),
        ("supervisor", "Grace"),
        ("external", "Robot"),
        ("customer", "Bill"),
        ("Grace", "Grace"),
    ],
)
def test_from_narrows(rehearse: Rehearse, sender: str, heard: str) -> None:
    play = rehearse(f"steps: [{{expect: x, from: {sender}}}]")
    for party in ROBOT, GRACE, BILL:
        play.say("x", party=party)
    play.say("x")
    assert play.last.took == f"{heard}: x"
    assert play.last.expected == f'a message containing "x" from {sender}'


def test_masks_name_what_they_hide(rehearse: Rehearse) -> None:
    play = rehearse("steps: [{expect: {matches: '(?P<a>\\w+) (?P<b>\\w+)'}, mask: [b]}]")
    play.say("one two")
    assert play.values.variables == {"a": "one", "b": "two"}
    assert play.last.took == "Ada: one ***"


# --- expect_next ---------------------------------------------------------------------------------


def test_expect_next_takes_the_very_next(rehearse: Rehearse) -> None:
    play = rehearse("steps: [expect_next: a, expect_next: b]")
    play.say("a", "b")
    assert play.verdict == ("passed", "ok")
    assert play.last.expected == 'as the next message one containing "b"'


def test_expect_next_fails_at_once_on_another_message(rehearse: Rehearse) -> None:
    play = rehearse("steps: [expect_next: a]")
    play.say("b")
    assert play.verdict == ("failed", "expectation")
    assert play.last.received == ('Ada: b - "b" does not contain "a"',)


def test_expect_next_of_somebody_is_their_next(rehearse: Rehearse) -> None:
    play = rehearse("steps: [{expect_next: a, from: agent}]")
    play.say("b", party=ROBOT)
    play.say("a")
    assert play.verdict == ("passed", "ok")


def test_expect_next_times_out(rehearse: Rehearse) -> None:
    play = rehearse("steps: [{expect_next: a, within: 1s}]")
    play.push(Notice, text="a")
    play.wait(1.001)
    assert play.verdict == ("failed", "timeout")


# --- wait_for ------------------------------------------------------------------------------------


def test_an_agent_who_is_there_is_a_state(rehearse: Rehearse) -> None:
    play = rehearse("steps: [pause: 1s, wait_for: agent, wait_for: agent]")
    play.push(AgentConnected, party=GRACE)
    play.wait(1.001)
    assert play.verdict == ("passed", "ok")


def test_an_agent_who_left_is_no_state_any_more(rehearse: Rehearse) -> None:
    play = rehearse("steps: [pause: 1s, {wait_for: agent, within: 5s}]")
    play.push(AgentConnected, party=GRACE)
    play.push(AgentDisconnected, party=GRACE)
    play.wait(1.001)
    assert play.finished is None
    play.push(AgentConnected, party=ROBOT)
    assert play.verdict == ("passed", "ok")


def test_that_somebody_unnamed_left_empties_the_chat(rehearse: Rehearse) -> None:
    play = rehearse("steps: [pause: 1s, {wait_for: agent, within: 5s}]")
    play.push(AgentConnected, party=GRACE)
    play.push(AgentDisconnected)
    play.wait(6.001)
    assert play.verdict == ("failed", "timeout")


def test_history_counts_for_states(rehearse: Rehearse) -> None:
    play = rehearse("steps: [wait_for: agent]")
    play.push(AgentConnected, party=GRACE, history=True)
    assert play.verdict == ("passed", "ok")


def test_each_other_event_is_taken_once(rehearse: Rehearse) -> None:
    play = rehearse("steps: [wait_for: notice, {wait_for: notice, within: 1s}]")
    play.push(Notice, text="n")
    play.wait(1.001)
    assert play.verbs == ["wait_for", "wait_for failed"]
    assert play.steps[0].took == "[notice] CustomNotice: n"
    assert play.last.expected == "the event notice"
    assert play.verdict == ("failed", "timeout")


def test_waiting_for_an_event_passes_over_no_message(rehearse: Rehearse) -> None:
    play = rehearse("steps: [wait_for: pushed_url, expect: x, wait_for: typing]")
    play.push(AgentTyping, is_typing=True)
    play.say("x")
    play.push(PushedUrl, url="https://example.com")
    assert play.verdict == ("passed", "ok")


def test_waiting_for_an_agent_may_be_slow(rehearse: Rehearse) -> None:
    play = rehearse("steps: [{wait_for: agent, slow_after: 2s}]")
    play.now = 3
    play.push(AgentConnected, party=GRACE)
    assert play.verdict == ("degraded", "slow")


# --- the end of the chat -------------------------------------------------------------------------

WAITING = [
    "expect: x",
    "expect_next: x",
    "wait_for: agent",
    "wait_for: notice",
    "expect_nothing: 5s",
    "expect_userdata: {K: v}",
    "choose: [{when: x, do: []}]",
]


@pytest.mark.parametrize("step", WAITING)
@pytest.mark.parametrize(
    ("by", "reason"), [(EndedBy.SERVICE, "chat_ended"), (EndedBy.LOST, "lost")]
)
def test_the_end_of_the_chat_ends_the_waiting(
    rehearse: Rehearse, step: str, by: EndedBy, reason: str
) -> None:
    play = rehearse(f"steps:\n  - {step}\n")
    play.now = 1
    play.push(SessionEnded, by=by, description="why")
    assert play.verdict == ("failed", reason)
    assert "the chat ended first" in play.finished.message
    assert "why" in play.finished.message


def test_what_came_before_the_end_still_counts(rehearse: Rehearse) -> None:
    play = rehearse("steps: [expect: a, expect: b, wait_for: ended]")
    play.step(play.line("a"), play.line("b"), play.event(SessionEnded, by=EndedBy.SERVICE))
    assert play.verdict == ("passed", "ok")


def test_what_is_unread_at_the_end_is_found_by_later_steps(rehearse: Rehearse) -> None:
    play = rehearse("steps: [pause: 1s, expect: a, expect: b]")
    play.say("a")
    play.end()
    assert play.finished is None
    play.wait(1.001)
    assert play.verbs == ["pause", "expect", "expect failed"]
    assert play.verdict == ("failed", "chat_ended")


def test_the_end_is_a_state(rehearse: Rehearse) -> None:
    play = rehearse("steps: [pause: 1s, wait_for: ended]")
    play.end()
    play.wait(1.001)
    assert play.verdict == ("passed", "ok")


# --- expect_nothing ------------------------------------------------------------------------------


def test_silence_passes_and_consumes_nothing(rehearse: Rehearse) -> None:
    play = rehearse("steps: [{expect_nothing: 2s, matching: error}, expect: x]")
    play.say("x")
    play.push(AgentTyping, is_typing=True)
    play.wait(2.001)
    assert play.verdict == ("passed", "ok")
    assert play.steps[0].expected == 'no message containing "error" for 2 s'
    assert play.steps[0].asserts


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_message_breaks_silence_at_once(rehearse: Rehearse, at: float) -> None:
    play = rehearse("steps: [expect_nothing: 2s]")
    play.now = at
    play.say("boo")
    assert play.verdict == ("failed", "expectation")
    assert play.last.received == ("Ada: boo",)
    assert play.last.expected == "no message for 2 s"


def test_silence_counts_what_came_unread(rehearse: Rehearse) -> None:
    play = rehearse("steps: [expect: a, expect_nothing: 2s]")
    play.step(play.line("a"), play.line("more"))
    assert play.verdict == ("failed", "expectation")


def test_what_was_read_or_passed_over_does_not_break_silence(rehearse: Rehearse) -> None:
    play = rehearse("steps: [expect: a, expect_nothing: 2s]")
    play.say("before", "a")
    play.wait(2.001)
    assert play.verdict == ("passed", "ok")


def test_the_own_echo_does_not_break_silence(rehearse: Rehearse) -> None:
    play = rehearse("steps: [expect_nothing: 2s]")
    play.say("me", own=True, party=BILL)
    play.wait(2.001)
    assert play.verdict == ("passed", "ok")


# --- expect_userdata -----------------------------------------------------------------------------

KEYS = "steps: [{expect_userdata: {A: {matches: 'a(?P<n>\\d)'}, B: b}, within: 5s, slow_after: 2s}]"


def test_userdata_are_awaited_until_all_keys_fit(rehearse: Rehearse) -> None:
    play = rehearse(KEYS)
    play.push(AgentConnected, party=GRACE, userdata={"A": "a1"})
    play.push(Userdata, changes={"B": "no"})
    assert play.finished is None
    play.push(Userdata, changes={"B": "b"})
    assert play.verdict == ("passed", "ok")
    assert play.last.took == "A=a1, B=b"
    assert play.values.variables == {"n": "1"}


def test_userdata_that_are_there_already_count(rehearse: Rehearse) -> None:
    assert rehearse(KEYS, userdata={"A": "a2", "B": "b"}).verdict == ("passed", "ok")


def test_userdata_may_come_slowly(rehearse: Rehearse) -> None:
    play = rehearse(KEYS, userdata={"A": "a2"})
    play.now = 3
    play.push(Userdata, changes={"B": "b"}, history=True)
    assert play.verdict == ("degraded", "slow")


def test_userdata_that_never_come_time_out(rehearse: Rehearse) -> None:
    play = rehearse(KEYS)
    play.push(Userdata, changes={"A": "a1", "C": "c"})
    play.push(Userdata, changes={"A": None})
    play.wait(5.001)
    assert play.verdict == ("failed", "timeout")
    assert play.last.received == ("A: it is not there", "B: it is not there")


def test_userdata_that_do_not_fit_are_shown(rehearse: Rehearse) -> None:
    play = rehearse(KEYS, userdata={"A": "a1"})
    play.push(Userdata, changes={"B": "other"})
    play.wait(5.001)
    assert play.verdict == ("failed", "expectation")
    assert play.last.expected == 'A matching a(?P<n>\\d), B containing "b"'
    assert play.last.received == ('B: "other" does not contain "b"',)


def test_userdata_that_are_masked_are_not_shown(rehearse: Rehearse) -> None:
    play = rehearse("steps: [{expect_userdata: {A: x}, within: 1s}]", masked={"4711"})
    play.push(Userdata, changes={"A": "4711"})
    play.wait(1.001)
    assert play.last.received == ('A: "***" does not contain "x"',)


def test_a_script_that_is_cut_short_tells_what_it_waited_for(rehearse: Rehearse) -> None:
    play = rehearse(
        """
steps:
  - repeat:
      times: 2
      do:
        - expect: {contains: xyzzy}
          within: 60s
"""
    )
    play.say("something else")
    play.wait(3)

    cut = play.interpreter.cut(play.now)

    assert cut is not None
    assert (cut.path, cut.verdict.value, cut.duration) == (
        "steps[0].repeat.do[0]", "cancelled", 3.0,
    )  # fmt: skip
    assert 'a message containing "xyzzy"' in cut.message
    assert "something else" in cut.received[0]
    assert play.interpreter.cut(play.now) is None
    assert play.interpreter.step(play.now + 60).steps == ()
