"""The driver against a party in the hands of the test, on virtual time."""

from __future__ import annotations

import math
import random
from collections.abc import Awaitable, Callable, Mapping
from types import SimpleNamespace
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from botkit import chat
from botkit.bot import script as ast
from botkit.bot.interpreter import Interpreter
from botkit.bot.matchers import BUILT_IN
from botkit.bot.turn import Finished
from botkit.bot.values import Template, Values
from botkit.chat import Command, EndedBy, Event, Message, Party, PartyKind, SendMessage
from botkit.driver import ScriptedBot, drive
from botkit.errors import ChatError
from botkit.interfaces import ActionContext
from botkit.results import Reason, StepResult, Verdict

ADA = Party(name="Ada", kind=PartyKind.AGENT)
PLACE = ast.Place()


class FakeParty:
    """A party that takes as long as it is told to.

    Attributes:
        takes: seconds that a command takes.
        done: the texts of the commands that were done.
        answers: called with each command that was done.
        most: how many commands were under way at the same time at most.
    """

    def __init__(self, takes: float = 0.0) -> None:
        self.takes = takes
        self.done: list[str] = []
        self.answers: Callable[[Command], None] = lambda command: None
        self.error: Exception | None = None
        self.most = 0
        self.under_way = 0
        self._reader: Callable[[Event], None] = lambda event: None
        self._seq = 0

    def subscribe(self, reader: Callable[[Event], None]) -> None:
        self._reader = reader

    async def perform(self, command: Command) -> None:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        try:
            await trio.sleep(self.takes)
        finally:
            self.under_way -= 1
        if self.error is not None:
            raise self.error
        self.done.append(getattr(command, "text", type(command).__name__))
        self.answers(command)

    def push(self, kind: type[Event], /, **members: Any) -> None:
        self._seq += 1
        self._reader(kind(at=trio.current_time(), seq=self._seq, **members))

    def say(self, text: str) -> None:
        self.push(Message, text=text, party=ADA)


def base(verb: str) -> dict[str, Any]:
    return {"path": verb, "verb": verb, "text": verb, "place": PLACE}


def say(text: str) -> ast.Step:
    return ast.Say(**base("say"), line=Template.parse(text))


def expect(text: str, within: float = 30.0) -> ast.Step:
    return ast.Expect(**base("expect"), matcher=BUILT_IN.parse(text), within=within)


def call(within: float = 30.0) -> ast.Step:
    return ast.Call(**base("call"), action="look_up", save_as="found", within=within)


def whenever(text: str, *do: ast.Step) -> ast.Whenever:
    return ast.Whenever(
        path="whenever", place=PLACE, kind=Message, matcher=BUILT_IN.parse(text), do=do
    )


def script(*steps: ast.Step, **members: Any) -> ast.BotScript:
    return ast.BotScript(name="b", steps=steps, **members)


def interpreter(*steps: ast.Step, **members: Any) -> Interpreter:
    return Interpreter(
        script(*steps, **members), Values(), rng=random.Random(0), began=trio.current_time()
    )


def verdict(finished: Finished) -> tuple[Verdict, Reason]:
    return finished.verdict, finished.reason


PASSED = (Verdict.PASSED, Reason.OK)


async def test_a_conversation_is_held_to_its_end(autojump_clock: MockClock) -> None:
    party = FakeParty(takes=1)
    party.answers = lambda command: party.say(f"you said {getattr(command, 'text', '')}")
    steps: list[StepResult] = []
    notes: list[str] = []
    note = ast.Note(**base("note"), note=Template.parse("so far"))
    played = interpreter(say("one"), expect("one"), note, say("two"), expect("two"))

    finished = await drive(played, party, observer=steps.append, note=notes.append)

    assert verdict(finished) == PASSED
    assert [step.verb for step in steps] == ["say", "expect", "note", "say", "expect"]
    assert [step.duration for step in steps] == [1, 0, 0, 1, 0]
    assert notes == ["so far"]
    assert trio.current_time() == 2


async def test_a_script_without_steps_ends_at_once(autojump_clock: MockClock) -> None:
    assert verdict(await drive(interpreter(), FakeParty())) == PASSED


async def test_events_are_heard_while_a_command_is_under_way(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    party = FakeParty(takes=10)
    guard = ast.Guard(path="never", place=PLACE, matcher=BUILT_IN.parse("damn"))

    async def interrupt() -> None:
        await trio.sleep(3)
        party.say("damn")

    nursery.start_soon(interrupt)
    finished = await drive(interpreter(say("hi"), never=(guard,)), party)

    assert verdict(finished) == (Verdict.FAILED, Reason.GUARD)
    assert (trio.current_time(), party.done, party.under_way) == (3, [], 0)


async def test_commands_are_done_one_at_a_time_and_in_order(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    party = FakeParty(takes=1)

    async def chatter() -> None:
        for _ in range(3):
            await trio.sleep(0.4)
            party.say("x")
        await trio.sleep(10)
        party.say("x end")

    nursery.start_soon(chatter)
    reaction = whenever("x", say("r1"), say("r2"))
    finished = await drive(
        interpreter(say("s1"), say("s2"), expect("end"), whenever=(reaction,)), party
    )

    assert verdict(finished) == PASSED
    assert party.most == 1
    # The first two reactions came while s1 was said, the third one before s1 was done as well.
    assert party.done[:4] == ["s1", "r1", "r2", "r1"]
    assert sorted(party.done) == ["r1"] * 4 + ["r2"] * 4 + ["s1", "s2"]


async def test_a_deadline_passes_while_a_reaction_is_under_way(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    party = FakeParty(takes=60)

    async def chatter() -> None:
        await trio.sleep(1)
        party.say("x")

    nursery.start_soon(chatter)
    finished = await drive(
        interpreter(expect("y", within=5), whenever=(whenever("x", say("r")),)), party
    )
    assert verdict(finished) == (Verdict.FAILED, Reason.EXPECTATION)
    assert trio.current_time() == 5
    assert party.under_way == 0


async def test_what_is_under_way_goes_on_when_a_deadline_passes(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    party = FakeParty(takes=3)

    async def chatter() -> None:
        await trio.sleep(1)
        party.say("x")

    nursery.start_soon(chatter)
    pause = ast.Pause(**base("pause"), duration=2)
    finished = await drive(interpreter(pause, say("s"), whenever=(whenever("x", say("r")),)), party)
    assert verdict(finished) == PASSED
    assert party.done == ["r", "s"]
    assert (trio.current_time(), party.most) == (7, 1)


@pytest.mark.parametrize("at", [4.999, 5.0, 5.001])
async def test_an_event_at_the_deadline_beats_it(
    nursery: trio.Nursery, autojump_clock: MockClock, at: float
) -> None:
    party = FakeParty()

    async def chatter() -> None:
        await trio.sleep(at)
        party.say("x")

    nursery.start_soon(chatter)
    finished = await drive(interpreter(expect("x", within=5)), party)
    assert (finished.verdict is Verdict.PASSED) is (at <= 5)


async def test_deadlines_are_kept_though_events_that_matter_not_come(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    party = FakeParty()

    async def chatter() -> None:
        for _ in range(10):
            await trio.sleep(0.7)
            party.push(chat.AgentTyping, is_typing=True)

    nursery.start_soon(chatter)
    finished = await drive(interpreter(expect("x", within=3)), party)
    assert verdict(finished) == (Verdict.FAILED, Reason.TIMEOUT)
    assert trio.current_time() == 3


async def test_an_event_may_bring_an_earlier_deadline(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    party = FakeParty()

    async def chatter() -> None:
        await trio.sleep(1)
        party.say("x")

    nursery.start_soon(chatter)
    await drive(interpreter(expect("x", within=30), expect("y", within=2)), party)
    assert trio.current_time() == 3


async def test_an_error_of_the_service_is_a_verdict(autojump_clock: MockClock) -> None:
    party = FakeParty()
    party.error = ChatError(1, "no")
    finished = await drive(interpreter(say("hi")), party)
    assert verdict(finished) == (Verdict.FAILED, Reason.CHAT_ERROR)


@pytest.mark.parametrize("reaction", [False, True])
async def test_what_else_a_party_raises_comes_out(
    nursery: trio.Nursery, autojump_clock: MockClock, reaction: bool
) -> None:
    party = FakeParty()
    party.error = KeyError("x")

    async def chatter() -> None:
        await trio.sleep(1)
        party.say("x")

    nursery.start_soon(chatter)
    steps = (expect("y"),) if reaction else (say("hi"),)
    with pytest.raises(KeyError):
        await drive(interpreter(*steps, whenever=(whenever("x", say("r")),)), party)


@pytest.mark.parametrize("takes", [0, 5])
async def test_a_mistake_of_ours_is_kept_from_the_party(
    nursery: trio.Nursery, autojump_clock: MockClock, takes: float
) -> None:
    party = FakeParty(takes)
    heard = False

    def observer(step: StepResult) -> None:
        if step.verb == "whenever":
            raise ZeroDivisionError

    async def chatter() -> None:
        nonlocal heard
        await trio.sleep(1)
        party.say("x")
        heard = True

    nursery.start_soon(chatter)
    played = interpreter(say("s"), expect("y"), whenever=(whenever("x", say("r")),))
    with pytest.raises(ZeroDivisionError):
        await drive(played, party, observer=observer)
    assert heard
    assert party.under_way == 0


# --- actions -------------------------------------------------------------------------------------


def with_action(act: Callable[[], Awaitable[str | None]]) -> dict[str, Any]:
    async def run(name: str, arguments: Mapping[str, str]) -> str | None:
        assert (name, dict(arguments)) == ("look_up", {})
        return await act()

    return {"run_action": run}


async def test_reactions_go_on_while_an_action_runs(
    nursery: trio.Nursery, autojump_clock: MockClock
) -> None:
    party = FakeParty()

    async def act() -> str:
        await trio.sleep(2)
        return "42"

    async def chatter() -> None:
        await trio.sleep(1)
        party.say("x")

    nursery.start_soon(chatter)
    played = interpreter(call(), say("${found}"), whenever=(whenever("x", say("r")),))
    finished = await drive(played, party, **with_action(act))
    assert verdict(finished) == PASSED
    assert party.done == ["r", "42"]


async def test_an_action_that_raises_is_an_error(autojump_clock: MockClock) -> None:
    async def act() -> str:
        raise ValueError("not that")

    finished = await drive(interpreter(call()), FakeParty(), **with_action(act))
    assert verdict(finished) == (Verdict.ERROR, Reason.ACTION)
    assert finished.message == "the action look_up raised ValueError: not that"


async def test_an_action_that_overruns_is_cancelled(autojump_clock: MockClock) -> None:
    cancelled = False

    async def act() -> str:
        nonlocal cancelled
        try:
            await trio.sleep(math.inf)
        except trio.Cancelled:
            cancelled = True
            raise
        raise AssertionError

    finished = await drive(interpreter(call(within=2)), FakeParty(), **with_action(act))
    assert verdict(finished) == (Verdict.ERROR, Reason.ACTION)
    assert cancelled
    assert trio.current_time() == 2


async def test_where_there_are_no_actions_none_is_run(autojump_clock: MockClock) -> None:
    finished = await drive(interpreter(call()), FakeParty())
    assert verdict(finished) == (Verdict.ERROR, Reason.ACTION)
    assert "there are no actions here" in finished.message


# --- cancellation --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "steps",
    [
        (expect("y"),),
        (say("s"),),
        (call(),),
        (ast.Pause(**base("pause"), duration=50),),
    ],
    ids=["waiting", "performing", "acting", "pausing"],
)
@pytest.mark.parametrize("reacting", [False, True])
async def test_a_cancelled_script_does_nothing_any_more(
    autojump_clock: MockClock, steps: tuple[ast.Step, ...], reacting: bool
) -> None:
    party = FakeParty(takes=100)
    seen: list[StepResult] = []

    async def act() -> str:
        await trio.sleep_forever()
        raise AssertionError

    played = interpreter(*steps, whenever=(whenever("x", say("r")),))
    with trio.CancelScope() as scope:
        async with trio.open_nursery() as nursery:

            async def play() -> None:
                await drive(played, party, observer=seen.append, **with_action(act))

            nursery.start_soon(play)
            await wait_all_tasks_blocked()
            if reacting:
                party.say("x")
                await wait_all_tasks_blocked()
            scope.cancel()
    assert scope.cancelled_caught
    count = len(seen)
    party.say("x")
    party.say("y")
    party.push(chat.SessionEnded, by=EndedBy.CUSTOMER)
    assert len(seen) == count
    assert (party.done, party.under_way) == ([], 0)


# --- a bot file's copy for a journey -------------------------------------------------------------


class FakeSession(FakeParty):
    """What a scripted bot needs of a session."""

    userdata: Mapping[str, str] = {"Segment": "gold"}


class FakeJourney(SimpleNamespace):
    """What a scripted bot needs of a journey."""

    def __init__(self) -> None:
        super().__init__(notes=[], began=trio.current_time() - 5)

    def note(self, text: str) -> None:
        self.notes.append(text)


def attached(*steps: ast.Step, **actions: Any) -> tuple[ScriptedBot, list[StepResult], FakeJourney]:
    values = Values(variables={"v": "1"})
    values.hide("pin", "the pin")
    bot = ScriptedBot(script(*steps), values, rng=random.Random(0))
    seen: list[StepResult] = []
    journey = FakeJourney()
    bot.attach(journey=journey, observer=seen.append, actions=actions)  # type: ignore[arg-type]
    return bot, seen, journey


async def test_a_scripted_bot_plays_over_a_session(autojump_clock: MockClock) -> None:
    expect_data = ast.ExpectUserdata(
        **base("expect_userdata"), matchers={"Segment": BUILT_IN.parse("gold")}
    )
    note = ast.Note(**base("note"), note=Template.parse("a pin"))
    bot, seen, journey = attached(expect_data, note, say("hi"))
    session: Any = FakeSession()
    assert (bot.asserted, bot.finished) == (0, None)

    await bot.run(session)

    assert bot.finished is not None
    assert verdict(bot.finished) == PASSED
    assert bot.asserted == 1
    assert [step.started for step in seen] == [5, 5, 5]
    assert journey.notes == ["a ***"]
    assert session.done == ["hi"]
    assert bot.masker("pin") == "***"


async def test_a_scripted_bot_plays_without_a_journey(autojump_clock: MockClock) -> None:
    bot = ScriptedBot(script(say("hi"), call()), Values(), rng=random.Random(0))
    session: Any = FakeSession()
    await bot.run(session)
    assert bot.finished is not None
    assert (
        bot.finished.message
        == "the action look_up raised LookupError: there is no action 'look_up'"
    )


async def later(context: ActionContext) -> str:
    await trio.sleep(1)
    return f"v is {context.variables['v']}"


@pytest.mark.parametrize(
    ("action", "done"),
    [
        (lambda context: "text", ["text"]),
        (lambda context: None, [""]),
        (later, ["v is 1"]),
        (lambda context: [SendMessage(text="a"), chat.Leave()], ["a", "Leave", ""]),
    ],
)
async def test_an_action_gives_a_text_or_commands(
    autojump_clock: MockClock, action: Any, done: list[str]
) -> None:
    bot, _, _ = attached(call(), say("${found}"), look_up=action)
    session: Any = FakeSession()
    await bot.run(session)
    assert session.done == done


# --- stepped through by hand ---------------------------------------------------------------------


async def test_a_step_is_played_when_what_comes_before_it_returns(
    autojump_clock: MockClock,
) -> None:
    bot, seen, _ = attached(say("one"), expect("x", within=5), say("two"))
    party: Any = FakeSession()
    held: list[str] = []

    async def before(step: ast.Step) -> None:
        held.append(step.verb)
        await trio.sleep(100)
        if step.verb == "expect":
            party.say("x")
            assert [type(event) for event in bot.unread] == [Message]
            await trio.sleep(100)

    bot.hold_steps(before)
    began = trio.current_time()
    await bot.run(party)

    assert bot.finished is not None
    assert verdict(bot.finished) == PASSED
    assert held == ["say", "expect", "say"]
    assert party.done == ["one", "two"]
    assert [(step.duration, step.verdict) for step in seen] == [(0, Verdict.PASSED)] * 3
    assert trio.current_time() == began + 400
    assert (bot.unread, bot.variables) == ((), {"v": "1"})


async def test_a_script_that_nobody_holds_runs_on(autojump_clock: MockClock) -> None:
    played = Interpreter(script(say("hi")), Values(), rng=random.Random(0), stepped=True)
    assert verdict(await drive(played, FakeParty())) == PASSED


async def test_a_guard_does_not_wait_for_who_holds_a_step(autojump_clock: MockClock) -> None:
    party = FakeParty()
    guard = ast.Guard(path="never", place=PLACE, matcher=BUILT_IN.parse("damn"))
    played = Interpreter(
        script(say("hi"), never=(guard,)), Values(), rng=random.Random(0), stepped=True
    )

    async def before(step: ast.Step) -> None:
        party.say("damn")
        await trio.sleep_forever()

    finished = await drive(played, party, before=before)
    assert verdict(finished) == (Verdict.FAILED, Reason.GUARD)
    assert party.done == []
