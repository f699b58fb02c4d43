"""Agents at work: they take chats from the queue, and hold them.

Theory of operation. A chat that is assigned waits for its time in the queue; then its agent joins.
The built-in agent is no script: it greets, and answers every line. One task answers for all
built-in agents, after the customer's own request was answered, as a person would; so ten thousand
of them cost no more than their lines. A scripted agent is a bot from the other side, and has a task
of its own in which the driver plays it.

Whoever's script ends without ``leave`` stays in the chat, and is silent; ``leave`` ends the chat.
"""

from __future__ import annotations

import logging
import math
import random
from collections import deque
from collections.abc import Callable, Mapping

import trio

from botkit.bot.interpreter import Interpreter
from botkit.bot.script import BotScript
from botkit.bot.turn import Finished
from botkit.bot.values import Values
from botkit.chat import Party, PartyKind
from botkit.driver import drive
from botkit.errors import LocalProtocolError
from botkit.results import Reason, Verdict
from botkit.simulator.agent_side import AgentSide, first_unread
from botkit.simulator.centre import Centre, CentreError
from botkit.simulator.chats import AgentReport, Chat, EntryKind
from botkit.simulator.routing import Assignment

__all__ = ["Agents"]

log = logging.getLogger(__name__)

GREETING = "Hello, how can I help you?"
ANSWER = "You said: {}"


class BuiltInAgent:
    """Greets, and answers every line of the customer; takes no task."""

    __slots__ = ("_chat", "_enqueue", "_party", "_position")

    def __init__(self, chat: Chat, party: Party, enqueue: Callable[[BuiltInAgent], None]) -> None:
        self._chat = chat
        self._party = party
        self._enqueue = enqueue
        # What was said in the queue waits for an answer, unless another agent was there before.
        self._position = first_unread(chat, party)

    def begin(self, centre: Centre, *, now: float) -> None:
        """Greet, and listen from now on."""
        centre.write(self._chat, EntryKind.MESSAGE, self._party, now=now, text=GREETING)
        self._chat.followers.append(self._follow)
        self._enqueue(self)

    def stop(self) -> None:
        """Listen no more."""
        if self._follow in self._chat.followers:
            self._chat.followers.remove(self._follow)

    def answer(self, centre: Centre, *, now: float) -> None:
        """Answer what was said since the last time."""
        chat = self._chat
        new, self._position = chat.log[self._position :], len(chat.log)
        for entry in new:
            if entry.kind is EntryKind.MESSAGE and entry.party.kind is PartyKind.CUSTOMER:
                if not chat.is_open:
                    return
                text = ANSWER.format(entry.text)
                centre.write(chat, EntryKind.MESSAGE, self._party, now=now, text=text)

    def _follow(self, chat: Chat) -> None:
        last = chat.log[-1]
        if last.kind is EntryKind.MESSAGE and last.party.kind is PartyKind.CUSTOMER:
            self._enqueue(self)


class Agents:
    """All agents of one simulator.

    Args:
        centre: where they work.
        scripts: what they do, by name; who has none works as the built-in agent.
        new_values: gives the values of ``${...}`` for one chat.
        rng: decides how long they type.

    Attributes:
        failed: how many scripts did not pass.
    """

    def __init__(
        self,
        centre: Centre,
        scripts: Mapping[str, BotScript],
        *,
        new_values: Callable[[], Values],
        rng: random.Random,
    ) -> None:
        self.failed = 0
        self._centre = centre
        self._scripts = scripts
        self._new_values = new_values
        self._rng = rng
        self._spoken_to: deque[BuiltInAgent] = deque()
        self._lot = trio.lowlevel.ParkingLot()
        self._nursery: trio.Nursery | None = None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Work until cancelled."""
        async with trio.open_nursery() as self._nursery:
            task_status.started()
            await self._answer()

    def assign(self, chat: Chat, assignment: Assignment) -> None:
        """Give a chat to its agent.

        Raises:
            LocalProtocolError: nobody works yet.
        """
        if self._nursery is None:
            raise LocalProtocolError("the simulator must run before it is asked for a chat")
        if assignment.after is not None:
            self._nursery.start_soon(self._attend, chat, assignment, name=f"agent of {chat.id}")

    async def _attend(self, chat: Chat, assignment: Assignment) -> None:
        assert assignment.after is not None
        await trio.sleep(assignment.after)
        stays = math.inf if assignment.leaves_after is None else assignment.leaves_after
        await self._work(chat, assignment.agent, stays)
        if assignment.transferred:
            await self._work(chat, assignment.second, math.inf)

    async def _work(self, chat: Chat, name: str, stays: float) -> None:
        """Be in a chat, for at most so long."""
        if not chat.is_open:
            return
        now = trio.current_time()
        party = self._centre.join(chat, name, now=now, kind=PartyKind.AGENT)
        script = self._scripts.get(name)
        if script is None:
            await self._work_built_in(chat, party, stays)
        else:
            with trio.move_on_after(stays):
                await self._work_scripted(chat, party, script)
                if stays < math.inf:
                    await trio.sleep_forever()
        if stays < math.inf:
            self._centre.leave(chat, party, now=trio.current_time())

    async def _work_built_in(self, chat: Chat, party: Party, stays: float) -> None:
        agent = BuiltInAgent(chat, party, self._enqueue)
        agent.begin(self._centre, now=trio.current_time())
        if stays < math.inf:
            await trio.sleep(stays)
            agent.stop()

    async def _work_scripted(self, chat: Chat, party: Party, script: BotScript) -> None:
        side = AgentSide(self._centre, chat, party)
        interpreter = Interpreter(
            script, self._new_values(), rng=self._rng, began=trio.current_time()
        )
        try:
            self._report(chat, party, await drive(interpreter, side))
        finally:
            side.close()

    def _report(self, chat: Chat, party: Party, finished: Finished) -> None:
        """Make it seen how a script ended: an agent's expectation is a promise under test too."""
        verdict, message, step = finished.verdict, finished.message, finished.step
        if step is not None:
            message = f"{step.path} {step.text}: {message or step.message}"
        if finished.reason is Reason.CHAT_ENDED and not (step is not None and step.asserts):
            # The customer needed no more of it.
            verdict = Verdict.CANCELLED
        chat.reports.append(AgentReport(agent=party.name, verdict=verdict.value, message=message))
        if verdict in (Verdict.FAILED, Verdict.ERROR):
            self.failed += 1
            log.warning("agent %s in chat %s: %s: %s", party.name, chat.id, verdict.value, message)

    # --- the built-in agents ---

    def _enqueue(self, agent: BuiltInAgent) -> None:
        self._spoken_to.append(agent)
        if self._lot:
            self._lot.unpark()

    async def _answer(self) -> None:
        """Answer for all built-in agents."""
        while True:
            while not self._spoken_to:
                await self._lot.park()
            await trio.lowlevel.checkpoint()
            for _ in range(len(self._spoken_to)):
                agent = self._spoken_to.popleft()
                try:
                    agent.answer(self._centre, now=trio.current_time())
                except CentreError as error:
                    log.info("an agent cannot answer: %s", error)
