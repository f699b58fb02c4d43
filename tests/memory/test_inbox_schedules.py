"""Three hundred generated chats through the whole stack: nothing missed, nothing taken twice.

In each round the customer says just what it expects to hear, so that the echo of it would fit, and
the agent answers with bursts of lines: with the acknowledgement of the customer's line, before the
customer waits, at that moment, and later. What was taken and passed over, put together, must be
what the agent said, in order; and what the interpreter was given must lead another one to the same
end, however it is dealt out.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import trio
from trio.testing import MockClock

from botkit.bot.interpreter import Interpreter
from botkit.bot.loader import load_agents
from botkit.bot.matchers import equals, matches
from botkit.bot.script import BotScript
from botkit.bot.turn import Finished, Input, Turn
from botkit.bot.values import Values
from botkit.chat import Party, PartyKind
from botkit.driver import drive
from botkit.errors import ExpectationFailed, ungrouped
from botkit.interfaces import Opening
from botkit.results import StepResult, Verdict
from botkit.session import ChatSession
from botkit.simulator import SimulatorSettings
from botkit.simulator.centre import Centre
from botkit.simulator.chats import Chat, EntryKind
from botkit.simulator.faults import Fault, make_fault
from botkit.simulator.http import Reply, Request
from botkit.testing import MemoryNetwork, SimulatorInMemory, simulator_in

SCHEDULES = 300
SESSIONS = 100
GAPS = (0.0, 0.0, 0.001, 0.01, 0.02, 0.05)
NEVER = "never said"


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What the agent does when the customer has spoken, and what the customer waits for.

    Attributes:
        at_once: lines that travel with the acknowledgement.
        bursts: seconds of silence, and the lines that follow it all at once.
        pause: the customer waits so long before it waits for an answer, milliseconds.
        wanted: what it waits for; None takes whatever comes next.
    """

    at_once: tuple[str, ...]
    bursts: tuple[tuple[float, tuple[str, ...]], ...]
    pause: int
    wanted: str | None

    @property
    def said(self) -> str:
        return self.wanted or "anything?"

    @property
    def steps(self) -> list[str]:
        expect = (
            f"expect: {{equals: {self.wanted}}}" if self.wanted else "expect_next: {matches: .}"
        )
        within = "100ms" if self.wanted == NEVER else "10s"
        lines = [f"- say: {self.said}", f"- pause: {self.pause}ms", f"- {expect}"]
        return [*lines, f"  within: {within}"]


Schedule = tuple[Round, ...]


def generate(rng: random.Random) -> Schedule:
    rounds = [a_round(rng, number) for number in range(rng.randint(1, 4))]
    if rng.random() < 0.15:
        rounds.append(Round(at_once=(), bursts=((0.0, ("no",)),), pause=1, wanted=NEVER))
    return tuple(rounds)


def a_round(rng: random.Random, number: int) -> Round:
    lines = [f"line {number}-{count}" for count in range(rng.randint(1, 5))]
    split = rng.randint(0, len(lines)) if rng.random() < 0.5 else 0
    at_once, rest = tuple(lines[:split]), lines[split:]
    bursts: list[tuple[float, tuple[str, ...]]] = []
    while rest:
        size = rng.randint(1, len(rest))
        bursts.append((rng.choice(GAPS), tuple(rest[:size])))
        rest = rest[size:]
    wanted = rng.choice(lines) if rng.random() < 0.8 else None
    pause = rng.choice((1, 10, 20, 60))
    return Round(at_once=at_once, bursts=tuple(bursts), pause=pause, wanted=wanted)


class Agent:
    """Plays the agent's part of a schedule, straight into the contact centre.

    Attributes:
        said: its lines, in order.
    """

    def __init__(self, centre: Centre, nursery: trio.Nursery, schedule: Schedule) -> None:
        self.said: list[str] = []
        self._centre = centre
        self._nursery = nursery
        self._rounds = iter(schedule)
        self._chat: Chat
        self._party: Party

    def join(self, nickname: str) -> None:
        (self._chat,) = (
            chat for chat in self._centre.open_chat_list() if chat.customer.name == nickname
        )
        now = trio.current_time()
        self._party = self._centre.join(self._chat, "Ada", now=now, kind=PartyKind.AGENT)
        self._chat.followers.append(self._follow)

    def _follow(self, chat: Chat) -> None:
        last = chat.log[-1]
        if last.kind is EntryKind.MESSAGE and last.party.kind is PartyKind.CUSTOMER:
            now = next(self._rounds)
            self._say(now.at_once)
            self._nursery.start_soon(self._go_on, now)

    async def _go_on(self, now: Round) -> None:
        for gap, lines in now.bursts:
            await trio.sleep(gap)
            self._say(lines)

    def _say(self, lines: Iterable[str]) -> None:
        for line in lines:
            if self._chat.is_open:
                self.said.append(line)
                now = trio.current_time()
                self._centre.write(self._chat, EntryKind.MESSAGE, self._party, now=now, text=line)


class Recording(Interpreter):
    """An interpreter that remembers what it was given, and what came of it.

    Attributes:
        times: when it was asked.
        inputs: what it was given, in order.
        results: of all steps.
        finished: how it ended.
    """

    __slots__ = ("finished", "inputs", "results", "times")

    def __init__(self, script: BotScript) -> None:
        super().__init__(script, Values(), rng=random.Random(1))
        self.times: list[float] = []
        self.inputs: list[Input] = []
        self.results: list[StepResult] = []
        self.finished: Finished | None = None

    def step(self, now: float, inputs: Iterable[Input] = ()) -> Turn:
        given = list(inputs)
        self.times.append(now)
        self.inputs += given
        turn = super().step(now, given)
        self.results += turn.steps
        self.finished = turn.finished or self.finished
        return turn


def assert_replays(played: Recording, script: BotScript, rng: random.Random) -> None:
    """Deal the same inputs out differently: the end must be the same, to the last stamp."""
    again, inputs = Recording(script), list(played.inputs)
    again.step(played.times[0])
    while inputs:
        size = rng.randint(1, 8)
        dealt, inputs = inputs[:size], inputs[size:]
        again.step(dealt[-1].at, dealt)
    again.step(max(played.times))
    assert again.results == played.results
    assert again.finished == played.finished


class Stack:
    """The simulator with a client in front of it, and a count of what went between them.

    Attributes:
        seen: how often that happened which the schedules are there for.
    """

    def __init__(self, connector: SimulatorInMemory, nursery: trio.Nursery, latency: float) -> None:
        self.seen: Counter[str] = Counter()
        self._connector = connector
        self._nursery = nursery
        self._centre = connector.simulator.centre
        self._chats = 0
        connector.network = MemoryNetwork(self._count, latency=latency)

    async def _count(self, request: Request) -> Reply:
        reply = await self._connector.simulator.handle(request)
        lines = reply.body.count(b'"line ')
        if b'"sendMessage"' in request.body:
            self.seen["piggybacked"] += lines > 1
        elif lines > 1:
            self.seen["several in one poll reply"] += 1
        return reply

    @asynccontextmanager
    async def chat(
        self, schedule: Schedule, observer: Callable[[StepResult], None] | None = None
    ) -> AsyncIterator[tuple[ChatSession, Agent]]:
        """Open a chat, let its agent join, and leave."""
        self._chats += 1
        agent = Agent(self._centre, self._nursery, schedule)
        with trio.fail_after(60), ungrouped():
            async with trio.open_nursery() as nursery:
                opening = Opening(nickname=f"customer {self._chats}")
                session = ChatSession(nursery, opening, observer=observer)
                await session.open(self._connector)
                agent.join(opening.nickname)
                yield session, agent
                said = len(agent.said)
                await session.leave()
        rows = [row for row in session.transcript.rows() if row.kind == "message"]
        self.seen["echoes"] += sum(row.who != "Ada" and row.index is not None for row in rows)
        heard = [row.text for row in rows if row.who == "Ada"]
        assert len(heard) >= said
        assert heard == agent.said[: len(heard)]

    def check(self, agent: Agent, results: list[StepResult], schedule: Schedule) -> None:
        """What the steps have taken and passed over is what was said, in order."""
        heard: list[str] = []
        waits = [step for step in results if step.verb.startswith("expect")]
        for step, now in zip(waits, schedule, strict=True):
            if now.wanted == NEVER:
                assert step.verdict is Verdict.FAILED
                assert not any(NEVER in line.partition(" - ")[0] for line in step.received)
                continue
            assert step.verdict is Verdict.PASSED
            assert step.took is not None
            assert now.wanted in (None, step.took.removeprefix("Ada: "))
            assert now.wanted is not None or not step.passed_over
            heard += [line.partition(" - ")[0] for line in (*step.passed_over, step.took)]
            self.seen["waited for" if step.duration > 0 else "there before"] += 1
        assert heard == [f"Ada: {line}" for line in agent.said[: len(heard)]]


@asynccontextmanager
async def stack_in_memory(latency: float, *faults: Fault) -> AsyncIterator[Stack]:
    settings = SimulatorSettings(seed=1, faults=(make_fault("agent_never_joins"), *faults))
    with ungrouped():
        async with trio.open_nursery() as nursery:
            stack = Stack(await simulator_in(nursery, settings), nursery, latency)
            yield stack
            nursery.cancel_scope.cancel()
    assert min(stack.seen[what] for what in WANTED) > 10, stack.seen


WANTED = ("piggybacked", "several in one poll reply", "echoes", "waited for", "there before")
WEATHERS = [
    pytest.param(0.0, (), id="at once"),
    pytest.param(0.0033, (), id="slow"),
    pytest.param(0.0033, (make_fault("duplicate_message", on="any"),), id="slow and doubled"),
]


@pytest.mark.parametrize(("latency", "faults"), WEATHERS)
async def test_scripts_miss_nothing_take_nothing_twice_and_replay(
    latency: float, faults: tuple[Fault, ...], tmp_path: Path, autojump_clock: MockClock
) -> None:
    rng = random.Random(f"scripts {latency} {len(faults)}")
    schedules = [generate(rng) for _ in range(SCHEDULES // len(WEATHERS))]
    scripts = scripts_of(schedules, tmp_path / "schedules.yaml")
    async with stack_in_memory(latency, *faults) as stack:
        for schedule, script in zip(schedules, scripts, strict=True):
            interpreter = Recording(script)
            async with stack.chat(schedule) as (session, agent):
                finished = await drive(interpreter, session)
            hopeless = schedule[-1].wanted == NEVER
            assert finished.verdict is (Verdict.FAILED if hopeless else Verdict.PASSED)
            stack.check(agent, interpreter.results, schedule)
            assert_replays(interpreter, script, rng)


def scripts_of(schedules: list[Schedule], file: Path) -> list[BotScript]:
    """Write the customer's parts as bots, and load them."""
    lines = ["botkit-agents: 1", "agents:"]
    for number, schedule in enumerate(schedules):
        lines += [f"  S{number}:", *(f"    {step}" for now in schedule for step in now.steps)]
    file.write_text("\n".join(lines))
    return list(load_agents(file).agents.values())


@pytest.mark.parametrize(("latency", "faults"), WEATHERS)
async def test_sessions_miss_nothing_and_take_nothing_twice(
    latency: float, faults: tuple[Fault, ...], autojump_clock: MockClock
) -> None:
    rng = random.Random(f"sessions {latency} {len(faults)}")
    async with stack_in_memory(latency, *faults) as stack:
        for _ in range(SESSIONS // len(WEATHERS)):
            schedule, results = generate(rng), list[StepResult]()
            async with stack.chat(schedule, results.append) as (session, agent):
                for now in schedule:
                    await act(session, now)
            stack.check(agent, results, schedule)


async def act(session: ChatSession, now: Round) -> None:
    """Do one round as a program would."""
    await session.send_message(now.said)
    await trio.sleep(now.pause / 1000)
    if now.wanted is None:
        await session.expect_next(matches("."))
    elif now.wanted == NEVER:
        with pytest.raises(ExpectationFailed):
            await session.expect(equals(NEVER), within=0.1)
    else:
        await session.expect(equals(now.wanted))
