"""Plays the bot of a monitor for whoever asks, within the time that the one who asks has.

Theory of operation: a probe is played in a task of the prober, not of the request, because a chat
has to be left whatever becomes of the request. The time that is given is shared out backwards: the
answer goes out shortly before it is over; before that the chat has a moment to be left; and a probe
that has not got its seat under the caps by half of what is left is not begun at all, for a journey
that has too little time fails, and that would say nothing of the chat.

What is found is the answer, and nothing else: no history, no alert, no health of the monitor. A
monitor says how its own server is, seen on its own schedule; a probe may ask about another server
and as often as a scraper likes. Whoever probes keeps what it finds.
"""

from __future__ import annotations

import logging
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import trio
from starlette.exceptions import HTTPException

from botkit.errors import ConfigError
from botkit.interfaces import SIMULATOR, ConnectOptions, JourneyPlan
from botkit.monitor.attempt import Play, attempt
from botkit.monitor.caps import Caps
from botkit.monitor.decided import Monitor, MonitorsFile
from botkit.monitor.targets import is_allowed
from botkit.report.text import one_line
from botkit.results import JourneyResult

log = logging.getLogger(__name__)

ANSWERING, LEAVING = 0.5, 1.0
"""Seconds that the answer needs to get back, and the chat to be left."""
MOST = 20
"""Probes at once, where the file has no cap."""
MAX_TARGET = 200


class Watched(Protocol):
    """What a prober needs of the monitors at work."""

    @property
    def file(self) -> MonitorsFile: ...
    @property
    def caps(self) -> Caps: ...
    def now(self) -> float: ...
    def why_quiet(self, monitor: Monitor, *, asked: bool) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody wants to know.

    Attributes:
        module: the name of the monitor whose bot is to be played.
        target: the URL of the server; None for the monitor's own.
        offered: seconds that whoever asks waits for the answer; None for as long as it takes.
    """

    module: str
    target: str | None = None
    offered: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Probed:
    """What came of a probe.

    Attributes:
        result: of the journey; None if its chat is still being left.
        duration: seconds since it was asked for.
    """

    result: JourneyResult | None
    duration: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """How the time is shared out, seconds from now.

    Attributes:
        begin: the chat must have begun.
        end: its script is over.
        answer: the answer goes out.
    """

    begin: float
    end: float
    answer: float

    @classmethod
    def of(cls, offered: float | None, within: float) -> Times:
        """Share out the time that is offered, or at most that of the file."""
        answer, end = math.inf, within
        if offered is not None:
            answer = max(offered - ANSWERING, offered / 2)
            end = min(within, max(answer - LEAVING, answer / 2))
        return cls(begin=end / 2, end=end, answer=answer)


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """Where a probe goes: ``own`` is the monitor's own server that was asked for, if it was one."""

    override: ConnectOptions
    own: str | None = None

    def of(self, plans: Sequence[JourneyPlan]) -> Sequence[JourneyPlan]:
        """Give the journeys that go there."""
        if self.own is None:
            return plans
        return [plan for plan in plans if _server(self.override, plan) == self.own] or plans


@dataclass(slots=True, kw_only=True, eq=False)
class _Chat:
    """A probe on its way."""

    monitor: Monitor
    aim: Aim
    asked_at: float
    times: Times
    turn: int
    begun: bool = False
    refused: str = ""
    result: JourneyResult | None = None
    scope: trio.CancelScope = field(default_factory=trio.CancelScope)
    over: trio.Event = field(default_factory=trio.Event)

    def choose(self, plans: Sequence[JourneyPlan]) -> JourneyPlan:
        """Give the journey whose turn it is, which takes no longer than there is time."""
        fitting = self.aim.of(plans)
        plan = fitting[self.turn % len(fitting)]
        left = self.asked_at + self.times.end - trio.current_time()
        shorter = min(plan.limits.whole_chat, left)
        return replace(plan, limits=replace(plan.limits, whole_chat=shorter))


class Prober:
    """Plays probes under the caps of the file.

    Args:
        watched: the monitors at work.
        play: plays a journey.
    """

    def __init__(self, watched: Watched, play: Play) -> None:
        self._watched, self._play = watched, play
        self._turns = Counter[str]()
        self._going_on: set[_Chat] = set()
        self._nursery: trio.Nursery | None = None

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Have room for probes until cancelled; chats that are going on then are left."""
        async with trio.open_nursery() as self._nursery:
            task_status.started()
            await trio.sleep_forever()

    async def probe(self, asked: Asked) -> Probed:
        """Play a journey; one whose caller is cancelled is broken off, and its chat is left.

        Raises:
            HTTPException: what is asked for is not to be had, or not now.
        """
        chat = self._chat(asked)
        answered = False
        assert self._nursery is not None, "it runs"
        self._going_on.add(chat)
        self._nursery.start_soon(self._converse, chat)
        try:
            with trio.move_on_at(chat.asked_at + chat.times.answer):
                await chat.over.wait()
            answered = True
        finally:
            if not answered:
                chat.scope.cancel()
        return self._found(chat)

    def _found(self, chat: _Chat) -> Probed:
        if chat.refused:
            raise HTTPException(503, chat.refused)
        if not chat.begun:
            raise HTTPException(503, "No chat could begin in time: the caps of the file are full.")
        if chat.result is None:
            log.warning("%s: the chat of a probe is not left in time", chat.monitor.name)
        return Probed(result=chat.result, duration=trio.current_time() - chat.asked_at)

    # --- what is asked for ---

    def _chat(self, asked: Asked) -> _Chat:
        settings = self._watched.file.probe
        if settings is None:
            raise HTTPException(404, "Nothing is probed here: the file of monitors has no 'probe'.")
        monitor = self._monitor(asked.module)
        aim = self._aim(monitor, asked.target)
        why = self._watched.why_quiet(monitor, asked=True)
        if why:
            raise HTTPException(503, f"Nothing is played now: {why}.")
        if len(self._going_on) >= MOST:
            raise HTTPException(503, f"{MOST} probes are going on already.")
        turn = self._turns[monitor.name]
        self._turns[monitor.name] += 1
        return _Chat(
            monitor=monitor,
            aim=aim,
            asked_at=trio.current_time(),
            times=Times.of(asked.offered, settings.within),
            turn=turn,
        )

    def _monitor(self, name: str) -> Monitor:
        for monitor in self._watched.file.monitors:
            if monitor.name == name:
                return monitor
        shown = one_line(name, MAX_TARGET)
        raise HTTPException(400, f"'module' names a monitor, and there is none called {shown!r}.")

    def _aim(self, monitor: Monitor, target: str | None) -> Aim:
        """Decide where a probe goes; see :mod:`botkit.monitor.targets` for why not anywhere."""
        if target is None:
            return Aim(override=monitor.override)
        settings = self._watched.file.probe
        try:
            plans = monitor.plans()
        except ConfigError as error:
            why = monitor.masker(str(error))
            raise HTTPException(503, f"{monitor.name} cannot be played: {why}") from error
        if any(_server(monitor.override, plan) == target for plan in plans):
            return Aim(override=monitor.override, own=target)
        if settings is None or not is_allowed(target, settings.targets):
            shown = one_line(target, MAX_TARGET)
            raise HTTPException(
                400,
                f"{shown!r} is no server of {monitor.name}, and 'probe: {{targets: ...}}' of the"
                " file does not allow it.",
            )
        if SIMULATOR in {monitor.override.connector, plans[0].connect.connector}:
            raise HTTPException(400, f"{monitor.name} plays on a simulator, and has no 'target'.")
        return Aim(override=replace(monitor.override, server=target))

    # --- the chat ---

    async def _converse(self, chat: _Chat) -> None:
        try:
            with chat.scope, trio.CancelScope(deadline=chat.asked_at + chat.times.begin) as begin:
                async with self._watched.caps.chat():
                    begin.deadline = math.inf
                    # It may have taken a while.
                    why = self._watched.why_quiet(chat.monitor, asked=True)
                    if why:
                        chat.refused = f"Nothing is played now: {why}."
                        return
                    chat.begun = True
                    chat.result = await attempt(
                        chat.monitor,
                        chat.choose,
                        chat.aim.override,
                        play=self._play,
                        started_utc=self._watched.now(),
                    )
        finally:
            self._going_on.discard(chat)
            chat.over.set()


def _server(override: ConnectOptions, plan: JourneyPlan) -> str | None:
    return override.server or plan.connect.server
