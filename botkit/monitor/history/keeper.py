"""Keeps the history of a monitor on trio: no journey is lost, and the loop waits for no disk.

Theory of operation: a finished journey goes into the spool, and is stored from then on: whatever
is killed or down, it will be in the history once. One thread at a time moves what waits there into
the store, oldest first, and takes it from the spool when the store has it; if it is killed in
between, the next one finds that the store has it already. While the store is down this is tried
again at growing distances.

A thread that blocks cannot be cancelled. Writing to the spool is short and is waited for. Moving
may hang for as long as the store's time limits allow, and is abandoned at the end: what it had not
finished waits in the spool for the next process.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeVar

import trio

from botkit.errors import HistoryError, HistoryRefused
from botkit.monitor.history.records import Finished
from botkit.monitor.history.retention import Retention
from botkit.monitor.history.spool import Spool, Waiting
from botkit.monitor.history.store import History

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
GOODBYE = 5.0
"""Seconds that the last journeys have at the end to get from the spool into the store."""
READERS = 4

T = TypeVar("T")
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How the history does.

    Attributes:
        waiting: journeys in the spool.
        down: why the store cannot be used; None while it can.
        set_aside: journeys that cannot be read or that the store does not take, since the start;
            their files are kept.
        lost: journeys that neither the spool nor the store took.
    """

    waiting: int
    down: str | None
    set_aside: int
    lost: int


class HistoryKeeper:
    """Takes journeys and answers questions, and keeps the loop free.

    Args:
        history: closed by whoever made it, once :meth:`run` is over.
        spool: of this history alone.
    """

    def __init__(self, history: History, spool: Spool) -> None:
        self._history, self._spool = history, spool
        self._news = trio.Event()
        self._settled = trio.Event()
        self._down: str | None = None
        self._lost = 0
        self._spooling = trio.CapacityLimiter(1)
        self._moving = trio.CapacityLimiter(1)
        self._reading = trio.CapacityLimiter(READERS)

    @property
    def standing(self) -> Standing:
        """How the history does at this moment."""
        return Standing(
            waiting=len(self._spool), down=self._down, set_aside=self._spool.aside, lost=self._lost
        )

    async def store(self, journey: Finished) -> None:
        """Store a journey; when this returns, it is on disk. A cancelled caller still stores it.

        Where the spool does not take it, it goes straight into the store, which may be elsewhere.

        Raises:
            HistoryError: neither takes it: the journey is lost.
        """
        with trio.CancelScope(shield=True):
            try:
                await trio.to_thread.run_sync(self._spool.put, journey, limiter=self._spooling)
            except HistoryError as error:
                await self._store_at_once(journey, error)
        self._settled = trio.Event()
        self._news.set()

    async def ask(self, question: Callable[[History], T]) -> T:
        """Answer a question in a thread: ``ask(lambda history: history.ask(latest, "smoke"))``.

        Raises:
            HistoryDown: the store cannot be used now.
            HistoryError: what is there is no history of this botkit, or is damaged.
        """
        return await trio.to_thread.run_sync(
            question, self._history, abandon_on_cancel=True, limiter=self._reading
        )

    async def forget(self, retention: Retention, *, now: float) -> int:
        """Remove what is too old or too much; tells how many journeys.

        Raises:
            HistoryDown: the store cannot be used now.
        """
        return await trio.to_thread.run_sync(
            lambda: self._history.forget(retention, now=now),
            abandon_on_cancel=True,
            limiter=self._reading,
        )

    async def wait_settled(self) -> None:
        """Wait until all that was stored so far is in the history itself, and not in the spool."""
        await self._settled.wait()

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Move journeys from the spool into the store, until cancelled; then the last of them."""
        task_status.started()
        try:
            while True:
                await self._move_all()
                await self._news.wait()
        finally:
            with trio.CancelScope(deadline=trio.current_time() + GOODBYE, shield=True):
                await self._move_once()

    async def _store_at_once(self, journey: Finished, no_spool: HistoryError) -> None:
        stored = False
        if self._down is None:
            # Why the store does not take it is told by `run`, which meets the same.
            with suppress(HistoryError), trio.move_on_after(GOODBYE):
                await self._in_thread(lambda: self._history.write([journey]))
                stored = True
        if not stored:
            self._lost += 1
            raise no_spool
        logger.warning("%s; this journey went straight into the history", no_spool)

    async def _move_all(self) -> None:
        """Move all that waits, however long the store is down."""
        pause = FIRST_PAUSE
        while not await self._move_once():
            await trio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _move_once(self) -> bool:
        """Move all that waits; False if the store does not take it now."""
        self._news = trio.Event()
        settled = self._settled
        try:
            while await self._in_thread(self._move_some):
                self._note_up()
        except HistoryError as error:
            self._note_down(str(error))
            return False
        self._note_up()
        settled.set()
        return True

    async def _in_thread(self, job: Callable[[], T]) -> T:
        return await trio.to_thread.run_sync(job, abandon_on_cancel=True, limiter=self._moving)

    def _note_down(self, why: str) -> None:
        if self._down is None:
            logger.warning("%s; %d journeys wait on disk and follow later", why, len(self._spool))
        self._down = why

    def _note_up(self) -> None:
        if self._down is not None:
            logger.warning("%s can be used again", self._history)
        self._down = None

    # --- in the thread ---

    def _move_some(self) -> bool:
        """Move the oldest journeys; False if none waits."""
        oldest = self._spool.oldest()
        try:
            self._move(oldest)
        except HistoryRefused:
            # One of them; the others are well.
            for waiting in oldest:
                self._move_or_set_aside(waiting)
        return bool(len(self._spool))

    def _move(self, journeys: list[Waiting]) -> None:
        self._history.write(waiting.journey for waiting in journeys)
        for waiting in journeys:
            self._spool.remove(waiting.name)

    def _move_or_set_aside(self, waiting: Waiting) -> None:
        try:
            self._move([waiting])
        except HistoryRefused as error:
            self._spool.set_aside(waiting.name, str(error))
