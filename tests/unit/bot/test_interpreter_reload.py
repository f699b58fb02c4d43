"""``reload`` and ``expect_restored``: what must be back, what is missing, and who is to blame."""

from collections.abc import Callable
from typing import Any

import pytest

from botkit import chat
from botkit.bot import comeback
from botkit.chat import (
    AgentConnected,
    AgentDisconnected,
    AgentTyping,
    EndedBy,
    Message,
    Other,
    Party,
    PartyKind,
    Restoration,
    RestoreOutcome,
    SessionRestored,
    SessionStarted,
)
from botkit.errors import ConnectorError, SessionClosed

Rehearse = Callable[..., Any]

ADA = Party(name="Ada", kind=PartyKind.AGENT, id="1")
BOB = Party(name="Bob", kind=PartyKind.AGENT, id="2")
RESTORED = Restoration(outcome=RestoreOutcome.RESTORED, session_id="s-1")
NOTHING = Restoration(outcome=RestoreOutcome.NO_SESSION)
FAILED = Restoration(
    outcome=RestoreOutcome.FAILED, session_id="s-1", code=5, description="Chat session not found"
)
ALL = """
steps:
  - reload: {away_for: 8s}
  - expect_restored: {same_chat: true, same_agent: true, history: complete}
    within: 20s
"""


def in_chat(play: Any) -> None:
    """Let Ada come and say a line."""
    play.push(SessionStarted, session_id="s-1")
    play.push(AgentConnected, party=ADA, index=1)
    play.say("hello", index=2)


def repeat(play: Any, *, history: bool = True) -> None:
    play.push(AgentConnected, party=ADA, index=1, history=history)
    play.say("hello", index=2, history=history)


def begun(rehearse: Rehearse, script: str) -> Any:
    """Play a script whose first step is a pause of a second, in a chat, up to its reload."""
    play = rehearse(script.replace("steps:", "steps:\n  - pause: 1s", 1), obliging=False)
    in_chat(play)
    play.wait(1.001)
    return play


def test_everything_is_back(rehearse: Rehearse) -> None:
    play = begun(rehearse, ALL)
    assert play.commands == [chat.Reload(away_for=8)]
    play.now = 10
    play.push(SessionRestored, session_id="s-1")
    play.done(value=RESTORED)
    assert play.last.took == "restored s-1"
    assert play.deadline == 30

    repeat(play)
    assert play.verdict == ("passed", "ok")
    assert play.last.expected == "the chat back, the same chat, the same agent, the whole history"
    assert play.last.took == "restored s-1"
    assert play.interpreter.asserted == 1


def test_what_is_back_before_the_reload_is_done_counts(rehearse: Rehearse) -> None:
    play = begun(rehearse, ALL)
    play.push(SessionRestored, session_id="s-1")
    repeat(play)
    play.done(value=RESTORED)
    assert play.verdict == ("passed", "ok")


def test_a_bare_reload_goes_on_in_the_same_chat(rehearse: Rehearse) -> None:
    play = begun(rehearse, "steps:\n  - reload\n  - wait_for: agent\n  - expect: bye")
    assert play.commands == [chat.Reload(away_for=0)]
    play.push(SessionRestored, session_id="s-1")
    play.done(value=RESTORED)
    assert play.verbs == ["pause", "reload"]
    # Who was there before is not there again until that is told.
    assert play.deadline is not None
    repeat(play)
    assert play.verbs == ["pause", "reload", "wait_for"]
    play.say("bye", index=3)
    assert play.verdict == ("passed", "ok")


def test_history_satisfies_nothing(rehearse: Rehearse) -> None:
    play = begun(rehearse, "never: [bye]\nsteps:\n  - expect: hello\n  - reload\n  - expect: hello")
    play.push(SessionRestored, session_id="s-1")
    play.done(value=RESTORED)
    repeat(play)
    play.say("bye", index=3, history=True)
    assert play.finished is None
    play.say("hello", index=4)
    assert play.verdict == ("passed", "ok")


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (NOTHING, "no_session: there was no chat to come back to"),
        (FAILED, "failed: 5 Chat session not found"),
        (Restoration(outcome=RestoreOutcome.FAILED), "failed: the service did not say why"),
    ],
)
def test_a_chat_that_is_lost_breaks_the_reload(
    rehearse: Rehearse, value: Restoration, says: str
) -> None:
    play = begun(rehearse, "steps:\n  - reload\n  - note: n\n  - expect_restored")
    play.end()
    play.done(value=value)
    assert play.verdict == ("failed", "not_restored")
    assert play.finished.message == f"the chat did not come back after the reload: {says}"
    assert play.last.received == (says,)
    assert play.verbs == ["pause", "reload failed"]


@pytest.mark.parametrize(
    ("wanted", "value"),
    [
        ("{outcome: no_session}", NOTHING),
        ("{outcome: failed}", FAILED),
        ("{outcome: failed, code: 5}", FAILED),
    ],
)
def test_a_chat_may_be_meant_to_be_lost(
    rehearse: Rehearse, wanted: str, value: Restoration
) -> None:
    play = begun(rehearse, f"steps:\n  - reload\n  - expect_restored: {wanted}")
    play.end()
    play.done(value=value)
    assert play.verdict == ("passed", "ok")
    assert play.interpreter.asserted == 1


@pytest.mark.parametrize(
    ("wanted", "value", "reason", "says"),
    [
        (
            "{outcome: no_session}",
            RESTORED,
            "expectation",
            "expected the outcome no_session; it was restored s-1",
        ),
        (
            "{outcome: failed}",
            NOTHING,
            "expectation",
            "expected the outcome failed; it was no_session: there was no chat to come back to",
        ),
        (
            "{outcome: failed, code: 7}",
            FAILED,
            "expectation",
            "expected the outcome failed with the code 7; it was failed: 5 Chat session not found",
        ),
        (
            "{same_chat: true}",
            FAILED,
            "not_restored",
            "expected the chat back, the same chat; it was failed: 5 Chat session not found",
        ),
    ],
)
def test_another_outcome_than_expected(
    rehearse: Rehearse, wanted: str, value: Restoration, reason: str, says: str
) -> None:
    play = begun(rehearse, f"steps:\n  - reload\n  - expect_restored: {wanted}")
    play.done(value=value)
    assert play.verdict == ("failed", reason)
    assert play.finished.message == says


def restored(rehearse: Rehearse, wanted: str, *, session_id: str = "s-1") -> Any:
    """Play up to where the chat is back and nothing was repeated yet."""
    play = begun(rehearse, f"steps:\n  - reload\n  - expect_restored: {wanted}\n    within: 5s")
    play.push(SessionRestored, session_id=session_id)
    play.done(value=Restoration(outcome=RestoreOutcome.RESTORED, session_id=session_id))
    return play


def test_another_chat_is_told_at_once(rehearse: Rehearse) -> None:
    play = restored(rehearse, "{history: complete}", session_id="s-2")
    assert play.verdict == ("failed", "not_restored")
    assert "; it is another chat: s-2, and was s-1" in play.finished.message


def test_another_chat_may_do(rehearse: Rehearse) -> None:
    assert restored(rehearse, "{same_chat: false}", session_id="s-2").verdict == ("passed", "ok")


def test_an_agent_who_is_not_there_again_is_named(rehearse: Rehearse) -> None:
    play = restored(rehearse, "{same_agent: true}")
    repeat(play)
    assert play.verdict == ("passed", "ok")

    play = restored(rehearse, "{same_agent: true}")
    play.push(AgentConnected, party=BOB, index=3)
    play.wait(5.001)
    assert play.verdict == ("failed", "not_restored")
    assert play.finished.message == (
        "expected the chat back, the same chat, the same agent within 5 s; not there again: Ada"
    )


def test_an_agent_who_left_before_the_reload_is_not_missed(rehearse: Rehearse) -> None:
    play = rehearse(
        "steps:\n  - pause: 1s\n  - reload\n  - expect_restored: {same_agent: true}", obliging=False
    )
    in_chat(play)
    play.push(AgentConnected, party=BOB, index=3)
    play.push(AgentDisconnected, party=ADA, index=4)
    play.wait(1.001)
    play.push(SessionRestored, session_id="s-1")
    play.done(value=RESTORED)
    play.push(AgentConnected, party=BOB, index=3, history=True)
    assert play.verdict == ("passed", "ok")


def test_where_nobody_was_nobody_is_the_same(rehearse: Rehearse) -> None:
    play = rehearse("steps:\n  - reload\n  - expect_restored: {same_agent: true}", obliging=False)
    play.push(SessionStarted, session_id="s-1")
    play.push(SessionRestored, session_id="s-1")
    play.done(value=RESTORED)
    assert play.verdict == ("failed", "not_restored")
    assert play.finished.message.endswith("no agent was there before")


def test_what_of_the_history_is_missing_is_named(rehearse: Rehearse) -> None:
    play = restored(rehearse, "{history: complete}")
    play.push(AgentConnected, party=ADA, index=1, history=True)
    # What comes as new is no repetition.
    play.say("hello", index=2)
    play.wait(5.001)
    assert play.verdict == ("failed", "not_restored")
    assert play.finished.message == (
        "expected the chat back, the same chat, the whole history within 5 s;"
        " 1 of 2 entries of the history were not repeated"
    )
    assert play.last.received == ("Ada: hello",)


def test_own_lines_and_names_of_messages_count_and_typing_does_not(rehearse: Rehearse) -> None:
    play = rehearse(
        "steps:\n  - pause: 1s\n  - reload\n  - expect_restored: {history: complete}",
        obliging=False,
    )
    me = Party(name="Bill", kind=PartyKind.CUSTOMER)
    play.push(SessionStarted, session_id="s-1")
    play.push(Other, kind="customer_joined", index=1)
    play.push(AgentTyping, is_typing=True, index=2)
    play.push(Message, text="mine", own=True, party=me, message_id="m-1")
    play.push(Message, text="of no name", party=ADA)
    play.wait(1.001)
    play.push(SessionRestored, session_id="s-1")
    play.done(value=RESTORED)
    play.push(Other, kind="customer_joined", index=1, history=True)
    assert play.finished is None
    play.push(Message, text="mine", own=True, party=me, message_id="m-1", history=True)
    assert play.verdict == ("passed", "ok")


def test_a_second_reload_needs_everything_again(rehearse: Rehearse) -> None:
    play = begun(rehearse, f"{ALL}{ALL.replace('steps:', '')}")
    for _ in range(2):
        assert play.finished is None
        play.push(SessionRestored, session_id="s-1")
        play.done(value=RESTORED)
        repeat(play)
    assert play.verdict == ("passed", "ok")


def test_a_chat_that_ends_while_its_history_is_awaited(rehearse: Rehearse) -> None:
    play = restored(rehearse, "{history: complete}")
    play.end(EndedBy.LOST)
    assert play.verdict == ("failed", "lost")
    assert len(play.last.received) == 2


def test_what_never_came_back_is_said(rehearse: Rehearse) -> None:
    play = begun(
        rehearse,
        "steps:\n  - reload\n  - expect_restored\n    within: 5s".replace(
            "expect_restored\n    within: 5s", "expect_restored:\n    within: 5s"
        ),
    )
    play.done(value=RESTORED)
    play.wait(5.001)
    assert play.verdict == ("failed", "not_restored")
    assert play.finished.message.endswith("the chat did not come back")


def test_a_reload_after_the_end(rehearse: Rehearse) -> None:
    play = rehearse(
        "steps:\n  - leave\n  - reload\n  - expect_restored: {outcome: no_session}", obliging=False
    )
    play.end(EndedBy.CUSTOMER)
    play.done()
    play.done(value=NOTHING)
    assert play.verdict == ("passed", "ok")


def test_what_was_not_reloaded_cannot_be_judged(rehearse: Rehearse) -> None:
    script = """
steps:
  - choose:
      - when: hello
        do: [reload]
    within: 1s
    otherwise: []
  - expect_restored
"""
    play = rehearse(script)
    play.wait(1.001)
    assert play.verdict == ("error", "bot")
    assert play.finished.message == "nothing was reloaded before this step"


@pytest.mark.parametrize(
    ("error", "verdict"),
    [(SessionClosed("over"), ("failed", "chat_ended")), (ConnectorError("x"), ("failed", "lost"))],
)
def test_a_reload_that_breaks(
    rehearse: Rehearse, error: Exception, verdict: tuple[str, str]
) -> None:
    play = begun(rehearse, ALL)
    play.done(error)
    assert play.verdict == verdict


def test_only_a_script_that_reloads_remembers(
    compiled: Callable[[str], Any], rehearse: Rehearse
) -> None:
    nested = "steps: [{choose: [{when: x, do: [{repeat: {times: 2, do: [reload]}}]}]}]"
    assert compiled(nested).reloads
    assert not compiled("steps: [expect: x]").reloads


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comeback, "MAX_ROWS", 3)
    memory = comeback.Comeback()
    for index in range(10):
        memory.note(Message(at=0, seq=index, index=index, text="x"), {})
    memory.note(SessionRestored(at=0, seq=11, session_id="s"), {})
    assert list(memory.missing) == [7, 8, 9]
