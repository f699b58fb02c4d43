"""Steps that hold other steps, and actions."""

from collections.abc import Callable
from typing import Any

import pytest

from botkit.chat import AgentConnected, AgentDisconnected, Notice, Party, PartyKind

Rehearse = Callable[..., Any]

GRACE = Party(name="Grace", kind=PartyKind.AGENT, id="2")


# --- choose --------------------------------------------------------------------------------------

CHOICE = r"""
steps:
  - choose:
      - when: {matches: 'order (?P<order>\w+)'}
        do: [say: "order ${order}"]
      - when: order
        do: [say: which one]
      - when: {event: agent_left}
        do: [say: come back]
    within: 5s
  - say: end
"""


@pytest.mark.parametrize(
    ("line", "said"), [("order 7", "order 7"), ("an order, then?", "which one")]
)
def test_the_first_case_that_fits_decides(rehearse: Rehearse, line: str, said: str) -> None:
    play = rehearse(CHOICE)
    play.say("hm", line)
    assert play.said == [said, "end"]
    assert play.verbs == ["choose", "say", "say"]
    assert play.steps[0].took == f"Ada: {line}"
    assert play.steps[0].passed_over == ("Ada: hm - it fits no case",)
    assert play.steps[0].expected == (
        "one of: a message matching order (?P<order>\\w+);"
        ' a message containing "order"; the event agent_disconnected'
    )


def test_the_first_event_that_fits_any_case_decides(rehearse: Rehearse) -> None:
    play = rehearse(CHOICE)
    play.step(play.line("hm"), play.event(AgentDisconnected, party=GRACE), play.line("order 7"))
    assert play.said == ["come back", "end"]
    assert play.steps[0].passed_over == ()


def test_a_choice_consumes_its_event_alone(rehearse: Rehearse) -> None:
    play = rehearse(
        """
steps:
  - pause: 1s
  - choose: [{when: {event: notice}, do: [note: n]}, {when: b, do: [note: b]}]
  - expect: a
  - choose: [{when: {event: notice}, do: [note: n]}, {when: b, do: [note: b]}]
"""
    )
    play.say("a")
    play.push(Notice, text="x")
    play.say("b")
    play.wait(1.001)
    assert play.notes == ["n", "b"]
    assert play.verdict == ("passed", "ok")


def test_a_choice_sees_the_next_agent_and_not_the_one_who_was_waited_for(
    rehearse: Rehearse,
) -> None:
    play = rehearse("steps: [wait_for: agent, choose: [{when: {event: agent}, do: [note: x]}]]")
    play.push(AgentConnected, party=GRACE)
    assert play.notes == []
    play.push(AgentConnected, party=GRACE)
    assert play.notes == ["x"]


def test_without_otherwise_nothing_fitting_is_a_failure(rehearse: Rehearse) -> None:
    play = rehearse(CHOICE)
    play.say("hm")
    play.wait(5.001)
    assert play.verdict == ("failed", "expectation")
    assert play.last.received == ("Ada: hm - it fits no case",)
    assert play.said == []


def test_otherwise_comes_after_its_time(rehearse: Rehearse) -> None:
    play = rehearse(
        "steps: [{choose: [{when: a, do: []}], otherwise: [say: alas], within: 2s}, expect: b]"
    )
    play.say("b")
    play.wait(2.001)
    assert play.said == ["alas"]
    assert play.verdict == ("passed", "ok")
    assert play.steps[0].took == "nothing within 2 s: otherwise"


def test_a_choice_is_no_assertion(rehearse: Rehearse) -> None:
    play = rehearse("steps: [choose: [{when: a, do: []}]]")
    play.say("a")
    assert play.verdict == ("passed", "ok")
    assert play.interpreter.asserted == 0


# --- repeat --------------------------------------------------------------------------------------


def test_repeat_plays_its_rounds(rehearse: Rehearse) -> None:
    play = rehearse("steps: [repeat: {times: 3, do: [say: x]}, say: y]")
    assert play.said == ["x", "x", "x", "y"]
    assert play.verbs == ["say", "say", "say", "repeat", "say"]
    assert play.steps[0].path == "steps[0].repeat.do[0]"


ROUNDS = r"""
steps:
  - repeat:
      times: 3
      until: {matches: 'done (?P<n>\d)'}
      do: [say: more, expect: page, pause: 1s]
  - say: "so ${n}"
"""


def test_until_ends_the_rounds(rehearse: Rehearse) -> None:
    play = rehearse(ROUNDS)
    play.say("page 1")
    play.wait(1.001)
    play.say("page 2", "done 2")
    play.wait(1.001)
    assert play.said == ["more", "more", "so 2"]
    assert play.steps[-2].took == "Ada: done 2"


def test_until_sees_what_the_steps_of_a_round_consumed(rehearse: Rehearse) -> None:
    play = rehearse(ROUNDS)
    play.say("page 1 - done 1")
    play.wait(1.001)
    assert play.said == ["more", "so 1"]


def test_until_sees_what_a_round_read_though_it_came_before(rehearse: Rehearse) -> None:
    play = rehearse(ROUNDS.replace("steps:", "steps:\n  - pause: 1s"))
    play.say("page 1 - done 1")
    play.wait(1.001)
    play.wait(1.001)
    assert play.said == ["more", "so 1"]


def test_until_never_coming_is_a_failure(rehearse: Rehearse) -> None:
    play = rehearse(ROUNDS)
    for number in range(3):
        play.say(f"page {number}")
        play.wait(1.001)
    assert play.verdict == ("failed", "expectation")
    assert play.last.verb == "repeat"
    assert play.last.expected == "a message matching done (?P<n>\\d) within 3 rounds"
    assert len(play.last.received) == 3


def test_until_without_any_message_is_a_timeout(rehearse: Rehearse) -> None:
    play = rehearse("steps: [repeat: {times: 2, until: x, do: [pause: 1s]}]")
    play.say("me: x", own=True)
    play.wait(5)
    assert play.verdict == ("failed", "timeout")


def test_rounds_nest(rehearse: Rehearse) -> None:
    play = rehearse(
        """
steps:
  - repeat:
      times: 2
      until: outer
      do:
        - repeat: {times: 2, until: inner, do: [expect: e]}
        - expect: rest
"""
    )
    play.say("e", "e inner", "rest", "e inner outer", "rest")
    assert play.verbs == ["expect", "expect", "repeat", "expect"] + [
        "expect",
        "repeat",
        "expect",
        "repeat",
    ]
    assert play.verdict == ("passed", "ok")


def test_a_broken_step_breaks_its_rounds(rehearse: Rehearse) -> None:
    play = rehearse("steps: [repeat: {times: 3, do: [{expect: x, within: 1s}]}]")
    play.wait(1.001)
    assert play.verbs == ["expect failed"]
    assert play.finished.step.path == "steps[0].repeat.do[0]"


# --- call ----------------------------------------------------------------------------------------

CALL = """
never: [damn]
whenever: [{message: there, do: [say: here]}]
steps:
  - call: look_up
    with: {name: "${row.name}"}
    as: number
    within: 5s
  - say: "it is ${number}"
"""


def called(rehearse: Rehearse) -> Any:
    return rehearse(CALL, row={"name": "Bill"})


def test_an_action_is_run_and_its_result_kept(rehearse: Rehearse) -> None:
    play = called(rehearse)
    assert [(call.name, call.arguments) for call in play.calls] == [("look_up", {"name": "Bill"})]
    play.answer("42")
    assert play.said == ["it is 42"]
    assert play.interpreter.asserted == 0


def test_reactions_and_guards_go_on_while_an_action_runs(rehearse: Rehearse) -> None:
    play = called(rehearse)
    play.say("are you there")
    assert play.said == ["here"]
    play.say("damn")
    assert play.verdict == ("failed", "guard")


def test_an_action_that_raises_is_an_error(rehearse: Rehearse) -> None:
    play = called(rehearse)
    play.answer(error=KeyError("x"))
    assert play.verdict == ("error", "action")
    assert play.finished.message == "the action look_up raised KeyError: 'x'"


def test_an_action_that_overruns_is_an_error(rehearse: Rehearse) -> None:
    play = called(rehearse)
    play.wait(5.001)
    assert play.verdict == ("error", "action")
    assert play.finished.message == "the action look_up took longer than 5 s"


def test_an_action_outlives_the_chat(rehearse: Rehearse) -> None:
    play = called(rehearse)
    play.end()
    assert play.finished is None
    play.answer()
    assert play.said == ["it is "]
