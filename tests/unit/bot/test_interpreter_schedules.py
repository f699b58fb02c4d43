"""The same events give the same verdict and consumption, however they are dealt out to calls."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from botkit.bot.interpreter import Interpreter
from botkit.bot.script import BotScript
from botkit.bot.turn import Finished, Input, Perform, Performed
from botkit.bot.values import Values
from botkit.chat import (
    AgentConnected,
    AgentTyping,
    Command,
    EndedBy,
    Event,
    Message,
    Party,
    PartyKind,
    Restoration,
    RestoreOutcome,
    SessionEnded,
    SessionRestored,
)
from botkit.results import StepResult

ADA = Party(name="Ada", kind=PartyKind.AGENT, id="1")
BILL = Party(name="Bill", kind=PartyKind.CUSTOMER, id="2")

STEPS = (
    "wait_for: agent\n    within: 20ms",
    "say: go",
    "say: go\n    typing: 10ms",
    "expect: a\n    within: 20ms",
    "expect: {matches: '(?P<v>[bc])'}\n    within: 50ms\n    slow_after: 10ms",
    "expect_next: a\n    within: 50ms",
    "expect_nothing: 10ms",
    "expect_nothing: 20ms\n    matching: c",
    "pause: 10ms",
    "choose: [{when: a, do: [expect: b]}, {when: {event: typing}, do: [say: t]}]\n"
    "    within: 20ms\n    otherwise: [say: o]",
    "repeat: {times: 2, until: b, do: [expect: {any_of: [a, b, c]}]}",
    "wait_for: ended\n    within: 50ms",
    "reload\n  - expect_restored: {same_agent: true, history: complete}\n    within: 20ms",
    "reload\n  - expect_restored:\n    within: 10ms",
)
BESIDE = (
    "",
    "whenever: [{message: c, do: [say: r], times: 2}]\n",
    "never: [{all_of: [a, d]}]\nwhenever: [{message: d, do: [say: one, {finish: passed}]}]\n",
)
RESTORED = Restoration(outcome=RestoreOutcome.RESTORED, session_id="s")
KINDS = ("a", "b", "c", "d", "ad", "echo a", "history a", "typing", "agent", "done", "back")
"""What may happen; "done" is that the oldest command under way is done."""

Happening = tuple[float, str]

scripts = st.builds(
    lambda beside, steps: beside + "steps:\n" + "".join(f"  - {step}\n" for step in steps),
    st.sampled_from(BESIDE),
    st.lists(st.sampled_from(STEPS), min_size=1, max_size=5),
)
gaps = st.sampled_from([0.0, 0.0, 0.005, 0.01, 0.02, 0.05])
bursts = st.lists(
    st.tuples(gaps, st.lists(st.sampled_from(KINDS), min_size=1, max_size=5)),
    min_size=1,
    max_size=6,
)
deals = st.lists(st.integers(min_value=1, max_value=6), max_size=30)


@dataclass(frozen=True, slots=True)
class Played:
    """All that a play came to."""

    finished: Finished | None
    steps: tuple[StepResult, ...]
    commands: tuple[Command, ...]
    notes: tuple[str, ...]
    variables: tuple[tuple[str, str], ...]


def happenings(bursts: Sequence[tuple[float, list[str]]], ends: bool) -> list[Happening]:
    at, result = 0.0, []
    for gap, kinds in bursts:
        at += gap
        result += [(at, kind) for kind in kinds]
    return [*result, (at, "ended")] if ends else result


def inputs_of(happenings: Sequence[Happening]) -> list[Input]:
    """Make events; commands are done in the order in which they were given, from 1 on."""
    inputs: list[Input] = []
    done = 0
    for seq, (at, kind) in enumerate(happenings, 1):
        stamps: dict[str, Any] = {"at": at, "seq": seq, "party": ADA}
        match kind:
            case "done":
                done += 1
                inputs.append(Performed(number=done, at=at, value=RESTORED))
            case "back":
                inputs.append(SessionRestored(at=at, seq=seq, session_id="s"))
            case "typing":
                inputs.append(AgentTyping(**stamps, is_typing=True))
            case "agent":
                inputs.append(AgentConnected(**stamps))
            case "ended":
                inputs.append(SessionEnded(at=at, seq=seq, by=EndedBy.SERVICE))
            case "echo a":
                inputs.append(Message(at=at, seq=seq, party=BILL, text="echo a", own=True))
            case "history a":
                inputs.append(Message(**stamps, text="history a", history=True, index=1))
            case text:
                inputs.append(Message(**stamps, text=text, index=1 if text == "a" else None))
    return inputs


def dealt(inputs: Sequence[Input], sizes: Sequence[int]) -> list[Sequence[Input]]:
    """Deal inputs out in pieces of these sizes; what is left over is the last piece."""
    pieces, rest = [], inputs
    for size in sizes:
        pieces.append(rest[:size])
        rest = rest[size:]
    return [piece for piece in (*pieces, rest) if piece]


def play(script: BotScript, pieces: Sequence[Sequence[Input]], late: float) -> Played:
    """Play a script; each piece is handed over when its last event comes, or ``late``."""
    values = Values()
    interpreter = Interpreter(script, values, rng=random.Random(0))
    turns = [interpreter.step(0.0)]
    for number, piece in enumerate(pieces):
        following = pieces[number + 1][0].at if number + 1 < len(pieces) else piece[-1].at
        # Nobody looks later than the next event is stamped: it would have been handed over.
        now = min(piece[-1].at + late, following)
        turns.append(interpreter.step(now, piece))
    turns.append(interpreter.step(1_000.0))
    finished = [turn.finished for turn in turns if turn.finished]
    assert len(finished) <= 1
    return Played(
        finished[0] if finished else None,
        tuple(step for turn in turns for step in turn.steps),
        tuple(a.command for turn in turns for a in turn.actions if isinstance(a, Perform)),
        tuple(note for turn in turns for note in turn.notes),
        tuple(values.variables.items()),
    )


@given(
    text=scripts,
    bursts=bursts,
    ends=st.booleans(),
    sizes=deals,
    late=st.sampled_from([0.0, 0.01, 1.0]),
)
@settings(max_examples=300, deadline=None)
def test_a_schedule_has_one_outcome_however_it_is_dealt(
    compiled: Callable[[str], BotScript],
    text: str,
    bursts: list[tuple[float, list[str]]],
    ends: bool,
    sizes: list[int],
    late: float,
) -> None:
    script = compiled(text)
    inputs = inputs_of(happenings(bursts, ends))
    one_by_one = play(script, [[item] for item in inputs], 0.0)

    for pieces in ([inputs], dealt(inputs, sizes)):
        together = play(script, pieces, late)
        assert together.finished == one_by_one.finished
        assert together.steps == one_by_one.steps
        assert together.notes == one_by_one.notes
        assert together.variables == one_by_one.variables
        # What a script still wanted when it ended in the middle of a piece is not given out.
        both = zip(together.commands, one_by_one.commands, strict=False)
        assert all(command == other for command, other in both)
    assert_taken_once(one_by_one.steps, inputs)


def assert_taken_once(steps: Sequence[StepResult], inputs: Sequence[Input]) -> None:
    """Each message satisfies or is passed over once; the own echo and history never."""
    came = [item.text for item in inputs if isinstance(item, Message)]
    for text in {"a", "b", "c", "d", "ad"}:
        line = f"Ada: {text}"
        taken = [step for step in steps if step.verb.startswith("expect") and step.took == line]
        assert len(taken) <= came.count(text)
    # What was not repeated after a reload is named, whatever it was.
    others = [step for step in steps if step.verb != "expect_restored"]
    shown = [line for step in others for line in (*step.received, *step.passed_over, step.took)]
    assert not [line for line in shown if line and ("echo" in line or "history" in line)]


WORDS = ["ready", "case", "closed", "bye"]


@given(data=st.data())
@settings(max_examples=200, deadline=None)
def test_no_message_is_missed_whenever_it_comes(
    compiled: Callable[[str], BotScript],
    data: st.DataObject,
) -> None:
    """What is expected comes before, at or after the wait for it: it is always found."""
    script = compiled("steps:\n" + "".join(f"  - expect: {w}\n    within: 1s\n" for w in WORDS))
    noise = st.lists(st.sampled_from(["hm", "echo a", "history a", "typing"]), max_size=2)
    at, events = 0.0, []
    for word in WORDS:
        for kind in [*data.draw(noise), word]:
            at += data.draw(gaps)
            events.append((at, kind))
    inputs = inputs_of(events)
    sizes = data.draw(st.lists(st.integers(min_value=1, max_value=5), max_size=len(inputs)))
    played = play(script, dealt(inputs, sizes), 0.0)

    assert [step.took for step in played.steps] == [f"Ada: {word}" for word in WORDS]
    passed_over = [line for step in played.steps for line in step.passed_over]
    assert len(passed_over) == sum(kind == "hm" for _, kind in events)


def test_a_replay_is_the_same(compiled: Callable[[str], BotScript]) -> None:
    script = compiled("steps: [{say: hello, typing: human}, expect: a]")
    inputs: list[Event | Performed] = [
        Performed(number=1, at=0.1),
        Performed(number=2, at=9.0),
        Message(at=9.5, seq=1, text="a", party=ADA),
    ]
    first, again = (play(script, [inputs], 0.0) for _ in range(2))
    assert first == again
    assert first.finished is not None
