"""Scripts that are stepped through by hand: nothing begins before it is released."""

from collections.abc import Callable
from typing import Any

import pytest

from botkit.chat import Message, Notice

Rehearse = Callable[..., Any]


def held(play: Any) -> list[str]:
    return [hold.step.path for hold in play.holds]


def test_each_step_is_held_and_begins_when_it_is_released(rehearse: Rehearse) -> None:
    play = rehearse("steps: [say: a, say: b]", stepped=True)
    assert (held(play), play.said) == (["steps[0]"], [])
    play.release()
    assert (held(play), play.said) == (["steps[0]", "steps[1]"], ["a"])
    assert play.finished is None
    play.release()
    assert (play.said, play.verdict) == (["a", "b"], ("passed", "ok"))


def test_what_is_inside_of_a_step_is_held_too(rehearse: Rehearse) -> None:
    play = rehearse(
        "steps: [repeat: {times: 2, do: [say: a]}, choose: [{when: x, do: [say: b]}]]",
        stepped=True,
    )
    for _ in range(4):
        play.release()
    play.say("x")
    play.release()
    assert held(play) == [
        "steps[0]",
        "steps[0].repeat.do[0]",
        "steps[0].repeat.do[0]",
        "steps[1]",
        "steps[1].choose[0].do[0]",
    ]
    assert play.verdict == ("passed", "ok")


def test_the_time_of_a_step_runs_from_its_release(rehearse: Rehearse) -> None:
    play = rehearse("steps: [{expect: x, within: 5s}]", stepped=True)
    play.wait(1000)
    assert (play.deadline, play.finished) == (None, None)
    play.release()
    assert play.deadline == 1005
    play.wait(6)
    assert play.verdict == ("failed", "timeout")
    assert (play.last.started, play.last.duration) == (1000, 5)


def test_what_came_while_a_step_was_held_is_found_by_it(rehearse: Rehearse) -> None:
    play = rehearse("steps: [{expect: x, slow_after: 1s}]", stepped=True)
    play.say("y", "x")
    play.push(Notice, text="n")
    assert [type(event) for event in play.interpreter.unread] == [Message, Message, Notice]
    play.wait(60)
    play.release()
    assert play.verdict == ("passed", "ok")
    assert [type(event) for event in play.interpreter.unread] == [Notice]


def test_reactions_go_on_while_a_step_is_held(rehearse: Rehearse) -> None:
    play = rehearse(
        "steps: [say: b]\nwhenever: [{message: {contains: x}, do: [say: a]}]", stepped=True
    )
    play.say("x")
    assert play.said == ["a"]
    play.release()
    assert play.said == ["a", "b"]


def test_a_reaction_may_end_the_script_while_a_step_is_held(rehearse: Rehearse) -> None:
    play = rehearse(
        "steps: [say: b]\nwhenever: [{message: {contains: x}, do: [say: a, finish: failed]}]",
        stepped=True,
    )
    play.say("x")
    assert play.verdict == ("failed", "finished")
    play.release()
    assert play.said == ["a"]


@pytest.mark.parametrize("released", [False, True])
def test_guards_go_on_while_a_step_is_held(rehearse: Rehearse, released: bool) -> None:
    play = rehearse("never: [error]\nsteps: [say: a, say: b]", stepped=True)
    if released:
        play.release()
    play.say("an error")
    assert play.verdict == ("failed", "guard")


def test_the_end_of_the_chat_meets_the_step_that_needs_it(rehearse: Rehearse) -> None:
    play = rehearse("steps: [expect: x]", stepped=True)
    play.end()
    assert play.finished is None
    play.release()
    assert play.verdict == ("failed", "chat_ended")


def test_a_step_that_is_held_is_not_what_was_cut_short(rehearse: Rehearse) -> None:
    play = rehearse("steps: [say: a]", stepped=True)
    assert play.interpreter.cut(1.0) is None
