"""Holds a part of a conversation with lines that a model writes.

Theory of operation. It listens beside the script and consumes nothing: whatever is said meanwhile
stays unread for the steps that follow. The transcript is all that it knows of the chat; each turn
it waits until others have had their say, asks for a line and says it. Why it stops is its result,
and no verdict: only a model that fails breaks the step.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import trio

from botkit.chat import Message, Row, SessionEnded
from botkit.errors import SessionClosed, ungrouped
from botkit.interfaces import ActionContext
from botkit.masking import Masker
from botkit.persona.budget import Budget, Stop
from botkit.persona.completion import Completion, ModelError
from botkit.persona.conversation import Prompt, heard_in, line_in, prompt_for
from botkit.persona.endpoint import Endpoint, Patience
from botkit.persona.recording import Recording, Replay
from botkit.persona.settings import Settings, read_settings
from botkit.wakeup import Wakeup

__all__ = ["Persona"]

FOLDER = Path(".botkit", "personas")
"""Where a run is recorded that nobody has named a file for."""

MARGIN = 0.1
"""Seconds before the end of the whole chat's time at which nobody waits for a model any more."""

Write = Callable[[int, Prompt], Awaitable[Completion]]
"""Gives the line of a turn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Persona:
    """The action ``persona``.

    Attributes:
        patience: with an endpoint that is busy or away.
        environ: what a bot does not say is looked up there.
        rng: spreads the attempts of many chats.
    """

    patience: Patience = field(default_factory=Patience)
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    rng: random.Random = field(default_factory=random.Random)

    async def __call__(self, context: ActionContext, /, **arguments: str) -> str:
        """Talk until there is a reason to stop.

        Args:
            context: of the journey.
            arguments: see :class:`~botkit.persona.settings.Settings`.

        Returns:
            Why it stopped, see :class:`~botkit.persona.budget.Stop`.

        Raises:
            ConfigError: what stands under ``with`` does not work.
            ModelError: the model wrote no line.
            ChatError, ConnectorError: a line could not be said.
        """
        settings = read_settings(arguments, self.environ)
        async with self._writing(settings, context) as write:
            return (await Talk(settings, context, write).hold()).value

    @asynccontextmanager
    async def _writing(self, settings: Settings, context: ActionContext) -> AsyncIterator[Write]:
        """Give what writes the lines: the model, or the recording of one."""
        journey = context.journey
        if settings.replay is not None:
            replay = Replay(settings.replay, go_on=settings.drift == "go_on")
            journey.note(f"persona: replays {replay.path}, no model is asked")
            yield _replaying(replay, journey.note)
            return
        path = settings.record or FOLDER / (re.sub(r"[^\w.-]", "_", journey.journey_id) + ".jsonl")

        key = Masker()
        key.hide(settings.key or "")
        recording = Recording(
            path=path, journey=journey.journey_id, hide=lambda text: key(journey.mask(text))
        )
        recording.begin()
        journey.note(f"persona: recorded in {path}")
        # What one attempt may take is decided by the endpoint, for all its parts together.
        async with httpx.AsyncClient(timeout=None) as client:
            endpoint = Endpoint(settings, client, patience=self.patience, rng=self.rng)

            async def write(turn: int, prompt: Prompt) -> Completion:
                completion = await endpoint.complete(prompt)
                recording.add(turn, prompt, completion)
                return completion

            yield write


def _replaying(replay: Replay, note: Callable[[str], None]) -> Write:
    async def write(turn: int, prompt: Prompt) -> Completion:
        await trio.lowlevel.checkpoint()
        completion, drift = replay.take(turn, prompt)
        if drift:
            note(f"persona: {drift}; the recorded line was said")
        return completion

    return write


class Talk:
    """One conversation of one persona."""

    __slots__ = ("_answered", "_budget", "_context", "_ended", "_news", "_settings", "_write")

    def __init__(self, settings: Settings, context: ActionContext, write: Write) -> None:
        self._settings = settings
        self._context = context
        self._write = write
        self._budget = Budget(settings=settings)
        self._news = Wakeup()
        self._ended = False
        # How many lines of others the customer has answered, or passed over.
        self._answered = 0

    async def hold(self) -> Stop:
        """Talk, and note why it stopped."""
        with ungrouped():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._listen)
                turns, stop = await self._talk()
                nursery.cancel_scope.cancel()
        budget = self._budget
        cost = f", cost {budget.cost:.6g}" if self._settings.price_in is not None else ""
        self._context.journey.note(
            f"persona: stopped ({stop.value}) after {turns} turns, {budget.tokens} tokens{cost}"
        )
        return stop

    async def _listen(self) -> None:
        """Hear of what comes; what was said is read from the transcript."""
        async for event in self._context.session.events():
            self._ended = self._ended or isinstance(event, SessionEnded)
            if self._ended or (isinstance(event, Message) and not event.own):
                self._news.wake()

    async def _talk(self) -> tuple[int, Stop]:
        self._answered = heard_before(await self._rows())
        for turn in range(1, self._settings.turns + 1):
            begins = turn == 1 and self._settings.begins == "customer"
            stop = None if begins else await self._await_others()
            stop = stop or self._budget.spent
            if stop is None:
                stop = await self._speak(turn)
            if stop is not None:
                return turn if stop is Stop.DONE else turn - 1, stop
        return self._settings.turns, Stop.TURNS

    async def _speak(self, turn: int) -> Stop | None:
        """Have a line written and say it."""
        rows = await self._rows()
        prompt = prompt_for(self._settings, rows, self._context.journey.mask)
        self._answered = heard_in(rows)
        completion = await self._written(turn, prompt)
        self._budget.spend(completion.usage)
        line = line_in(completion.text, self._settings.characters)
        if line.cut:
            most = self._settings.characters
            self._context.journey.note(f"persona: turn {turn} was cut to {most} characters")
        try:
            if line.text:
                await self._context.session.send_message(line.text)
        except SessionClosed:
            return Stop.ENDED
        return Stop.DONE if line.ends else None

    async def _written(self, turn: int, prompt: Prompt) -> Completion:
        """Wait for the model, but not until the journey is cut off: the chat would be blamed."""
        with trio.move_on_at(self._context.journey.deadline - MARGIN):
            return await self._write(turn, prompt)
        raise ModelError(
            "the model had not answered when the time of the whole chat was up: raise"
            " limits.whole_chat, or use a faster model"
        )

    async def _await_others(self) -> Stop | None:
        """Wait until somebody has said something new, and then nothing for a while."""
        with trio.move_on_after(self._settings.reply_within) as patience:
            # Whether the chat is over is asked last: nothing may happen before the wait.
            while heard_in(await self._rows()) <= self._answered and not self._ended:
                await self._news.wait()
        if patience.cancelled_caught:
            return Stop.NO_REPLY
        settled = False
        while not self._ended and not settled:
            with trio.move_on_after(self._settings.settle) as quiet:
                await self._news.wait()
            settled = quiet.cancelled_caught
        return Stop.ENDED if self._ended else None

    async def _rows(self) -> tuple[Row, ...]:
        rows = await self._context.session.get_transcript()
        return tuple(row for row in rows if row.kind == "message")


def heard_before(rows: tuple[Row, ...]) -> int:
    """Count what others had said when the customer spoke last."""
    count = len(rows)
    while count and heard_in(rows[count - 1 : count]):
        count -= 1
    return heard_in(rows[:count])
