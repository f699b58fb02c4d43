"""Guards and reactions: what they see, in which order, and how they end a script."""

from collections.abc import Callable
from typing import Any

import pytest

from botkit.bot import script as ast
from botkit.bot.matchers import MatcherSpec
from botkit.bot.values import Values
from botkit.chat import AgentConnected, EndedBy, Message, Notice, Party, PartyKind
from botkit.errors import ChatError, SessionClosed
from botkit.interfaces import Match, Miss

Rehearse = Callable[..., Any]

ROBOT = Party(name="Robot", kind=PartyKind.EXTERNAL, id="3")


# --- never ---------------------------------------------------------------------------------------

GUARDED = "never: [technical error]\nsteps: [pause: 1s, expect: x]"


def test_a_guard_that_is_hit_fails_at_once(rehearse: Rehearse) -> None:
    play = rehearse(GUARDED)
    play.say("Technical Error 7")
    assert play.verdict == ("failed", "guard")
    assert play.finished.message == "what must never be said was said: Ada: Technical Error 7"
    assert play.last.received == ("Ada: Technical Error 7",)
    assert play.last.text == 'never a message containing "technical error"'
    assert (play.last.path, play.last.line) == ("never[0]", 1)


def test_a_guard_goes_before_the_step(rehearse: Rehearse) -> None:
    play = rehearse("never: [error]\nsteps: [expect: x]")
    play.say("x error")
    assert play.verdict == ("failed", "guard")


@pytest.mark.parametrize("members", [{"own": True}, {"history": True}])
def test_a_guard_hears_neither_the_customer_nor_history(
    rehearse: Rehearse, members: dict[str, bool]
) -> None:
    play = rehearse(GUARDED)
    play.say("technical error", **members)
    assert play.finished is None
    assert play.interpreter.asserted == 0


def test_a_guard_that_heard_something_is_an_assertion(rehearse: Rehearse) -> None:
    play = rehearse("never: [a, b]\nsteps: [pause: 1s]")
    play.push(Notice, text="a")
    assert play.interpreter.asserted == 0
    play.say("hello", "you")
    assert play.interpreter.asserted == 1


def test_a_guard_may_listen_to_somebody(rehearse: Rehearse) -> None:
    play = rehearse("never: [{contains: x, from: agent}]\nsteps: [pause: 1s]")
    play.say("x", party=ROBOT)
    assert play.finished is None
    play.say("x")
    assert play.verdict == ("failed", "guard")


def test_a_guard_stays_while_a_command_is_under_way(rehearse: Rehearse) -> None:
    play = rehearse("never: [x]\nsteps: [say: hi]", obliging=False)
    play.say("x")
    assert play.verdict == ("failed", "guard")


def test_a_guard_with_an_unset_value_is_an_error(rehearse: Rehearse) -> None:
    play = rehearse('never: ["${env.X}"]\nsteps: [pause: 1s]')
    play.say("hi")
    assert play.verdict == ("error", "variable")
    assert play.finished.step.path == "never[0]"


# --- whenever ------------------------------------------------------------------------------------

REACTIVE = """
whenever:
  - message: are you there
    do: [say: "yes", note: asked]
steps: [expect: x, say: end]
"""


def test_a_reaction_goes_between_the_steps(rehearse: Rehearse) -> None:
    play = rehearse(REACTIVE)
    play.say("are you there?", "x")
    assert play.said == ["yes", "end"]
    assert play.notes == ["asked"]
    assert play.verbs == ["whenever", "expect", "say"]
    assert play.steps[0].took == "Ada: are you there?"
    assert (play.steps[0].path, play.steps[0].text) == ("whenever[0]", "whenever: message")
    assert play.interpreter.asserted == 2


def test_a_reaction_consumes_nothing_and_goes_first(rehearse: Rehearse) -> None:
    play = rehearse("whenever: [{message: x, do: [say: r]}]\nsteps: [expect: x, say: s]")
    play.say("x")
    assert play.said == ["r", "s"]


def test_commands_are_given_in_order_and_the_step_waits_for_its_own(rehearse: Rehearse) -> None:
    play = rehearse(
        "whenever: [{message: x, do: [say: r]}]\nsteps: [say: s1, say: s2]", obliging=False
    )
    play.say("x")
    assert play.said == ["s1", "r"]
    play.done()
    assert play.said == ["s1", "r", "s2"]
    play.done()
    play.done()
    assert play.verdict == ("passed", "ok")


def test_every_reaction_sees_every_event_once(rehearse: Rehearse) -> None:
    play = rehearse(
        """
whenever:
  - message: a
    do: [note: first]
    times: 2
  - message:
    do: [note: second]
  - notice: n
    do: [note: third]
  - agent_connected:
    do: [note: fourth]
steps: [wait_for: ended]
"""
    )
    play.say("a", "b", "a", "a")
    play.push(Notice, text="nn")
    play.push(Notice, text="other")
    play.push(AgentConnected, party=ROBOT)
    play.push(AgentConnected, party=ROBOT, history=True)
    play.say("a", own=True)
    assert play.notes == ["first", "second", "second", "first", "second", "second"] + [
        "third",
        "fourth",
    ]


def test_a_reaction_may_listen_to_somebody(rehearse: Rehearse) -> None:
    play = rehearse(
        "whenever: [{message: x, from: Robot, do: [note: n]}]\nsteps: [wait_for: ended]"
    )
    play.say("x")
    play.say("x", party=ROBOT)
    assert play.notes == ["n"]


def test_captures_of_a_reaction_are_values(rehearse: Rehearse) -> None:
    play = rehearse(
        r"""
whenever:
  - message: {matches: 'I am (?P<name>\w+)'}
    do: [say: "Hi ${name}"]
  - message: {contains: "${name} again"}
    do: [say: "yes ${name}"]
steps: [wait_for: ended]
"""
    )
    play.say("I am Ada")
    play.say("Ada again", "I am Eve", "Eve again")
    assert play.said == ["Hi Ada", "yes Ada", "Hi Eve", "yes Eve"]


def test_a_reaction_reacts_in_the_middle_of_everything(rehearse: Rehearse) -> None:
    play = rehearse("whenever: [{message: x, do: [say: r]}]\nsteps: [pause: 5s]")
    play.say("x", "x")
    assert play.said == ["r", "r"]


def test_a_reaction_with_an_unset_value_is_an_error(rehearse: Rehearse) -> None:
    play = rehearse('whenever: [{message: x, do: [say: "${y}"]}]\nsteps: [pause: 5s]')
    play.say("x")
    assert play.verdict == ("error", "variable")
    assert play.finished.step.path == "whenever[0].do[0]"


def test_a_reaction_whose_command_fails_breaks_the_script(rehearse: Rehearse) -> None:
    play = rehearse("whenever: [{message: x, do: [say: r]}]\nsteps: [pause: 5s]", obliging=False)
    play.say("x")
    play.done(ChatError(1, "no"))
    assert play.verdict == ("failed", "chat_error")
    assert play.finished.message == "a reaction failed: no (code 1)"


# --- the last words of reactions -----------------------------------------------------------------


def test_the_script_is_over_when_its_reactions_have_had_their_say(rehearse: Rehearse) -> None:
    play = rehearse(
        "whenever: [{message: x, do: [say: one, say: two]}]\nsteps: [expect: x]", obliging=False
    )
    play.say("x", "x")
    assert play.said == ["one", "two"]
    play.done()
    assert play.finished is None
    play.done()
    assert play.verdict == ("passed", "ok")


def test_finish_in_a_reaction_waits_for_what_was_said_before_it(rehearse: Rehearse) -> None:
    play = rehearse(
        """
whenever: [{message: x, do: [say: bye, {finish: failed, because: told}]}]
steps: [expect: y, say: more]
""",
        obliging=False,
    )
    play.say("x", "y")
    play.wait(100)
    assert play.said == ["bye"]
    before, _ = play.finished, play.done()
    assert before is None
    assert play.verdict == ("failed", "finished")
    assert play.finished.message == "told"
    assert play.finished.step.path == "whenever[0].do[1]"


def test_guards_are_on_to_the_last(rehearse: Rehearse) -> None:
    play = rehearse(
        "never: [damn]\nwhenever: [{message: x, do: [say: bye]}]\nsteps: [expect: x]",
        obliging=False,
    )
    play.say("x", "damn")
    assert play.verdict == ("failed", "guard")


def test_a_reaction_that_comes_too_late_is_noted(rehearse: Rehearse) -> None:
    play = rehearse(
        "whenever: [{message: x, do: [say: bye]}]\nsteps: [wait_for: ended]", obliging=False
    )
    play.say("x")
    play.done(SessionClosed("the chat has ended"))
    play.end()
    assert play.verdict == ("passed", "ok")
    assert play.notes == ["a reaction came too late: the chat has ended"]


def test_the_end_still_breaks_the_step_that_needs_the_chat(rehearse: Rehearse) -> None:
    play = rehearse("whenever: [{message: x, do: [say: bye]}]\nsteps: [expect: y]", obliging=False)
    play.say("x")
    play.done(SessionClosed("the chat has ended"))
    play.end(EndedBy.LOST)
    assert play.verdict == ("failed", "lost")


# --- matchers of plugins -------------------------------------------------------------------------


class Odd:
    """A plugin's matcher that does what it should not."""

    def match(self, text: str) -> Match | Miss:
        if text == "raise":
            raise KeyError("k")
        return True if text == "True" else Miss(why="")  # type: ignore[return-value]

    def __str__(self) -> str:
        return "a message that is odd"


class OddSpec(MatcherSpec):
    def _make(self, values: Values) -> Odd:
        return Odd()

    def _references(self) -> tuple[()]:
        return ()


def scripts_with_odd() -> list[ast.BotScript]:
    common: dict[str, Any] = {"path": "p", "place": ast.Place()}
    step: dict[str, Any] = {**common, "verb": "v", "text": "t"}
    odd = OddSpec()
    idle = (ast.Pause(**step, duration=9),)
    return [
        ast.BotScript(name="b", never=(ast.Guard(**common, matcher=odd),), steps=idle),
        ast.BotScript(
            name="b", whenever=(ast.Whenever(**common, kind=Message, matcher=odd),),
            steps=idle,
        ),
        ast.BotScript(name="b", steps=(ast.Expect(**step, matcher=odd),)),
        ast.BotScript(name="b", steps=(ast.Expect(**step, matcher=odd, next_only=True),)),
        ast.BotScript(name="b", steps=(ast.ExpectNothing(**step, duration=9, matching=odd),)),
        ast.BotScript(name="b", steps=(ast.Choose(**step, cases=(ast.Case(matcher=odd),)),)),
    ]  # fmt: skip


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("raise", "the matcher 'that is odd' raised KeyError: 'k'"),
        ("True", "the matcher 'that is odd' gave True, and neither Match nor Miss"),
    ],
)
def test_a_matcher_of_a_plugin_that_breaks_is_blamed(
    rehearse: Rehearse, number: int, text: str, message: str
) -> None:
    play = rehearse(scripts_with_odd()[number])
    play.say(text)
    assert play.verdict == ("error", "plugin")
    assert play.finished.message == message


def test_a_pattern_that_takes_too_long_is_no_miss(rehearse: Rehearse) -> None:
    play = rehearse("never: [{matches: '(a|aa)+$'}]\nsteps: [pause: 1s]")
    play.say("a" * 60 + "b")
    assert play.verdict == ("error", "bot")
    assert "took longer than" in play.finished.message
