"""A script from its beginning to its end: acting, time, how it ends, what is never shown."""

from collections.abc import Callable
from typing import Any

import pytest

from botkit import chat
from botkit.bot import script as ast
from botkit.chat import AgentConnected, EndedBy, Message, SendMessage, SendTyping
from botkit.chat.inbox import MAX_EVENTS
from botkit.errors import ChatError, ConnectorError, LocalProtocolError, SessionClosed

Rehearse = Callable[..., Any]


# --- acting --------------------------------------------------------------------------------------


def test_every_acting_verb_gives_its_command(rehearse: Rehearse) -> None:
    play = rehearse(
        """
steps:
  - say: Hello ${row.name}
  - send_notice: n
  - push_url: https://example.com/${row.name}
  - set_userdata: {K: "${row.name}"}
  - delete_userdata: K
  - leave
""",
        row={"name": "Bill"},
    )

    assert play.commands == [
        SendMessage(text="Hello Bill"),
        chat.SendNotice(text="n"),
        chat.PushUrl(url="https://example.com/Bill"),
        chat.SetUserdata(userdata={"K": "Bill"}),
        chat.DeleteUserdata(key="K"),
        chat.Leave(),
    ]
    assert play.verdict == ("passed", "ok")
    assert play.interpreter.asserted == 0


def test_a_step_is_done_when_its_command_is(rehearse: Rehearse) -> None:
    play = rehearse("steps: [say: one, say: two]", obliging=False)
    assert play.said == ["one"]

    play.now = 2
    play.done()
    assert play.said == ["one", "two"]
    assert (play.last.started, play.last.duration) == (0, 2)
    assert play.finished is None

    play.done()
    assert play.verdict == ("passed", "ok")


def test_a_reply_that_comes_before_its_line_is_confirmed_is_found(rehearse: Rehearse) -> None:
    play = rehearse("steps: [say: hi, expect: hello]", obliging=False)
    play.say("hello")
    assert play.finished is None

    play.done()
    assert play.verdict == ("passed", "ok")
    assert play.last.took == "Ada: hello"


@pytest.mark.parametrize(
    ("error", "verdict", "reason"),
    [
        (ChatError(52, "no"), "failed", "chat_error"),
        (SessionClosed("over"), "failed", "chat_ended"),
        (ConnectorError("gone"), "failed", "lost"),
        (LocalProtocolError("not here"), "error", "bot"),
    ],
)
def test_a_command_that_cannot_be_done_breaks_its_step(
    rehearse: Rehearse, error: Exception, verdict: str, reason: str
) -> None:
    play = rehearse("steps: [say: hi, say: more]", obliging=False)
    play.done(error)

    assert play.verdict == (verdict, reason)
    assert play.finished.message == str(error)
    assert play.finished.step is play.last
    assert play.said == ["hi"]


def test_a_person_types_as_long_as_fits_the_text(rehearse: Rehearse) -> None:
    play = rehearse("steps: [{say: " + "x" * 50 + ", typing: human}]")
    assert play.commands == [SendTyping()]
    assert 50 * 0.04 <= play.deadline <= 50 * 0.06

    play.wait(play.deadline + 0.001)
    assert play.said == ["x" * 50]


@pytest.mark.parametrize(("text", "seconds"), [("x", 0.5), ("x" * 1000, 6.0)])
def test_typing_has_bounds(rehearse: Rehearse, text: str, seconds: float) -> None:
    assert rehearse(f"steps: [{{say: {text}, typing: human}}]").deadline == seconds


def test_typing_may_take_a_given_time(rehearse: Rehearse) -> None:
    assert rehearse("steps: [{say: x, typing: 3s}]").deadline == 3


def test_typing_is_shown_and_taken_back(rehearse: Rehearse) -> None:
    play = rehearse("steps: [show_typing: 2s]")
    assert play.commands == [SendTyping()]
    play.wait(2.001)
    assert play.commands == [SendTyping(), SendTyping(is_typing=False)]
    assert play.verdict == ("passed", "ok")


def test_a_pause_lasts_whatever_comes(rehearse: Rehearse) -> None:
    play = rehearse("steps: [pause: 2s, say: now]")
    play.say("hurry")
    play.wait(1.9)
    assert play.said == []
    play.wait(0.2)
    assert play.said == ["now"]
    assert play.steps[0].duration == 2


def test_notes_are_written_down(rehearse: Rehearse) -> None:
    play = rehearse('steps: [note: "for ${row.x}"]', row={"x": "Ada"})
    assert play.notes == ["for Ada"]


# --- how it ends ---------------------------------------------------------------------------------


def test_a_script_without_steps_is_over_at_once(rehearse: Rehearse) -> None:
    play = rehearse("never: [x]")
    assert play.verdict == ("passed", "ok")
    assert play.interpreter.asserted == 0


def test_a_slow_step_degrades_the_script(rehearse: Rehearse) -> None:
    play = rehearse("steps: [{expect: a, slow_after: 1s}, expect: b]")
    play.now = 1.5
    play.say("a", "b")

    assert play.verbs == ["expect degraded", "expect"]
    assert play.verdict == ("degraded", "slow")
    assert play.finished.message == "took 1.5 s, slow after 1 s"
    assert play.finished.step is play.steps[0]


def test_the_first_slow_step_is_the_one_that_is_named(rehearse: Rehearse) -> None:
    play = rehearse("steps: [{expect: a, slow_after: 1s}, {expect: b, slow_after: 1s}]")
    for text in "ab":
        play.now += 2
        play.say(text)
    assert play.verbs == ["expect degraded", "expect degraded"]
    assert play.finished.step is play.steps[0]


def test_slow_after_itself_is_not_slow(rehearse: Rehearse) -> None:
    play = rehearse("steps: [{expect: a, slow_after: 1s}]")
    play.now = 1
    play.say("a")
    assert play.verdict == ("passed", "ok")


@pytest.mark.parametrize("verdict", ["passed", "degraded", "failed", "error", "skipped"])
def test_finish_ends_the_script_with_its_verdict(rehearse: Rehearse, verdict: str) -> None:
    play = rehearse(
        f'steps: [{{finish: {verdict}, because: "of ${{row.x}}"}}, say: never]', row={"x": "rain"}
    )
    assert play.verdict == (verdict, "finished")
    assert play.finished.message == "of rain"
    assert play.finished.step.verb == "finish"
    assert play.said == []


def test_after_the_end_nothing_comes_any_more(rehearse: Rehearse) -> None:
    play = rehearse(
        """
whenever: [{message: hi, do: [say: hello]}]
never: [damn]
steps: [{expect: x, within: 1s}]
"""
    )
    play.wait(2)
    count = len(play.steps)
    play.say("hi", "damn", "x")
    play.wait(100)

    assert play.verdict == ("failed", "timeout")
    assert (len(play.steps), play.said, play.deadline) == (count, [], None)


def test_what_was_wanted_when_it_ended_is_not_done(rehearse: Rehearse) -> None:
    play = rehearse("never: [damn]\nsteps: [expect: x, say: never]")
    play.step(play.line("x"), play.line("damn"))
    assert play.verdict == ("failed", "guard")
    assert play.said == []


def test_overflow_ends_the_script(rehearse: Rehearse) -> None:
    play = rehearse("steps: [wait_for: ended]")
    play.step(*(play.line("x") for _ in range(MAX_EVENTS)))
    assert play.finished is None
    play.say("one more")
    assert play.verdict == ("error", "overflow")


# --- after the goodbye ---------------------------------------------------------------------------


def test_after_leave_the_end_is_a_state(rehearse: Rehearse) -> None:
    play = rehearse("steps: [leave, wait_for: ended, note: bye]", obliging=False)
    play.end(EndedBy.CUSTOMER)
    play.done()
    assert play.verdict == ("passed", "ok")
    assert play.notes == ["bye"]


def test_what_needs_a_chat_fails_after_leave(
    rehearse: Rehearse, compiled: Callable[[str], ast.BotScript]
) -> None:
    leave, expect = (*compiled("steps: [leave]").steps, *compiled("steps: [expect: x]").steps)
    play = rehearse(ast.BotScript(name="b", steps=(leave, expect)))
    assert play.finished is None
    play.end(EndedBy.CUSTOMER)
    assert play.verdict == ("failed", "chat_ended")


# --- values --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "step",
    [
        'say: "${x}"',
        'expect: "${x}"',
        'expect_userdata: {K: "${x}"}',
        'expect_nothing: 1s\n    matching: "${x}"',
        'choose: [{when: "${x}", do: []}]',
        'repeat: {times: 1, until: "${x}", do: [note: n]}',
        'call: look_up\n    with: {k: "${x}"}',
        'note: "${x}"',
        'finish: passed\n    because: "${x}"',
        'set_userdata: {K: "${x}"}',
    ],
)
def test_an_unset_value_is_an_error_of_its_step(rehearse: Rehearse, step: str) -> None:
    play = rehearse(f"steps:\n  - {step}\n")
    assert play.verdict == ("error", "variable")
    assert play.finished.message == "${x}: no step has captured 'x'"
    assert play.finished.step.verb == step.partition(":")[0]


def test_captures_are_values_of_later_steps(rehearse: Rehearse) -> None:
    play = rehearse(
        r"""
steps:
  - expect: {matches: 'case (?P<case>\S+)'}
  - say: about ${case}
  - expect: {matches: '${case} is (?P<state>\w+)'}
  - say: so ${state}
"""
    )
    play.say("case A.1", "AX1 is open", "A.1 is closed")
    assert play.said == ["about A.1", "so closed"]


# --- what is never shown -------------------------------------------------------------------------

SECRET = 'a"b\\c$9'


def everything(play: Any) -> str:
    """Give all that was shown, however it escapes and quotes."""
    return f"{play.steps} {play.notes} {play.finished}".replace("\\", "")


@pytest.mark.parametrize(
    "step",
    [
        "say: ${secret.pin}",
        "expect: ${secret.pin}",
        "expect_next: ${secret.pin}",
        "expect: {any_of: ['${secret.pin}', {matches: 'z${secret.pin}'}]}",
        "choose: [{when: '${secret.pin}', do: []}]",
        "note: ${secret.pin}",
    ],
)
def test_a_secret_is_never_shown(rehearse: Rehearse, step: str) -> None:
    play = rehearse(f"steps:\n  - {step}\n  - expect: x\n", secrets={"pin": SECRET})
    play.say("something else", f"it is {SECRET}?", "x" * 190 + SECRET, "y" * 490 + SECRET)
    play.wait(100)
    assert play.finished is not None
    assert SECRET.replace("\\", "") not in everything(play)
    assert "***" in everything(play)


@pytest.mark.parametrize("before", [0, *range(185, 202), *range(480, 502)])
def test_no_beginning_of_a_secret_is_shown_where_a_text_was_cut_off(
    rehearse: Rehearse, before: int
) -> None:
    play = rehearse("steps: [expect_next: y]", masked={"471147114711"})
    play.say("x" * before + "471147114711")
    assert "471" not in everything(play)


def test_what_the_author_wrote_is_masked_as_well(rehearse: Rehearse) -> None:
    play = rehearse("steps: [say: my pin is 4711]", masked={"4711"})
    assert play.last.text == "say: my pin is ***"


def test_a_masked_capture_is_never_shown(rehearse: Rehearse) -> None:
    play = rehearse(
        r"""
never: [{contains: never}]
steps:
  - expect: {matches: 'pin (?P<pin>\d+)'}
    mask: [pin]
  - say: it is ${pin}
  - expect: thanks
"""
    )
    play.say("pin 4711", "4711? really", "never 4711")
    assert play.verdict == ("failed", "guard")
    assert play.said == ["it is 4711"]
    assert "4711" not in everything(play)
    assert play.steps[0].took == "Ada: pin ***"


def test_what_a_failing_command_tells_is_masked(rehearse: Rehearse) -> None:
    play = rehearse("steps: [say: '${secret.pin}']", obliging=False, secrets={"pin": "4711"})
    play.done(ChatError(1, "refused: 4711"))
    assert play.finished.message == "refused: *** (code 1)"


def test_evidence_is_bounded(rehearse: Rehearse) -> None:
    play = rehearse("steps: [expect: x]")
    play.say(*["y" * 100_000] * 30)
    play.wait(31)
    assert len(play.last.received) == 20
    assert all(len(line) < 1_000 for line in play.last.received)


# --- time ----------------------------------------------------------------------------------------


def test_deadlines_pass_each_at_its_own_time(rehearse: Rehearse) -> None:
    play = rehearse("steps: [pause: 1s, pause: 2s, expect_nothing: 3s, {expect: x, within: 4s}]")
    play.wait(100)
    assert [(step.started, step.duration) for step in play.steps] == [
        (0, 1),
        (1, 2),
        (3, 3),
        (6, 4),
    ]
    assert play.verdict == ("failed", "timeout")


def test_steps_are_counted_from_the_beginning_of_the_journey(rehearse: Rehearse) -> None:
    play = rehearse("steps: [expect: x]")
    play.now = 5
    play.push(AgentConnected)
    play.now = 7
    play.push(Message, text="x")
    assert (play.last.started, play.last.duration, play.last.number) == (0, 7, 1)
