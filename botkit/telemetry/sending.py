"""Sends the spans of journeys while others go on, and knows how many were lost.

Theory of operation. Whoever takes spans may be down, slow or unwilling, and that is no business of
the journeys: they leave what is to be sent and go on. One task sends it, in a thread, for making
and writing spans is work and sending them may block. What does not fit into the queue, and what
was not taken, is counted; at the end so much time is given, and no more.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from typing import Protocol

import trio

from botkit.errors import FOREIGN
from botkit.telemetry.spans import FinishedJourney

__all__ = ["ExportFailed", "SpanSender"]

log = logging.getLogger(__name__)

MAX_WAITING = 50_000
"""Spans that wait to be sent."""
MAX_BATCH = 2_000
"""Spans that are sent at once; a journey is never divided."""
SEND_LIMIT = 15.0
"""Seconds for one batch, of which the exporter itself uses 10 unless it is told otherwise."""
LAST_LIMIT = 3.0
"""Seconds for all that is left when the journeys are over."""


class ExportFailed(Exception):
    """Spans were not taken; says why.

    Attributes:
        lost: how many of them; None for all.
    """

    def __init__(self, why: str, *, lost: int | None = None) -> None:
        super().__init__(why)
        self.lost = lost


class Exporter(Protocol):
    """Takes spans to where they are kept."""

    @property
    def heard(self) -> str:
        """Why it does not get on with what it was told to send; empty if it does not know."""

    def send(self, journeys: Sequence[FinishedJourney]) -> None:
        """Make and send the spans of some journeys; called in a thread, so it may block.

        Raises:
            ExportFailed: they were not taken.
        """

    def close(self) -> None:
        """Send no more; does not wait for what is under way."""


class SpanSender:
    """A queue of journeys whose spans are to be sent.

    Args:
        exporter: sends them; closed at the end.
        told: is told why, when spans are lost for the first time.

    Attributes:
        why: the reason of the latest loss; empty if there was none.
    """

    def __init__(
        self,
        exporter: Exporter,
        told: Callable[[str], None] = lambda why: None,
    ) -> None:
        self._exporter = exporter
        self._told = told
        # A thread that was given up may go on for a while; the next one waits for it.
        self._limiter = trio.CapacityLimiter(1)
        self._queue, self._waiting = trio.open_memory_channel[FinishedJourney](math.inf)
        self._done = trio.Event()
        self._pending = 0
        self._lost = 0
        self.why = ""

    @property
    def lost(self) -> int:
        """How many spans were not taken, as far as is known: those under way count, too."""
        return self._lost + self._pending

    def put(self, journey: FinishedJourney) -> None:
        """Leave a journey to be sent; neither waits nor raises."""
        if self._pending + journey.size > MAX_WAITING:
            self._lose(journey.size, "too many wait to be sent")
            return
        self._pending += journey.size
        self._queue.send_nowait(journey)

    async def run(self) -> None:
        """Send what there is, until :meth:`finish`; one task does this."""
        async for journey in self._waiting:
            await self._send(self._batch(journey))
        self._done.set()

    async def finish(self) -> None:
        """Send what is left, as far as there is time; :meth:`run` must be at work."""
        self._queue.close()
        with trio.move_on_after(LAST_LIMIT):
            await self._done.wait()
        if not self._done.is_set():
            self.why = self._too_slow(LAST_LIMIT)
        self._exporter.close()

    def _too_slow(self, limit: float) -> str:
        return self._exporter.heard or f"they were not taken within {limit:g} s"

    def _batch(self, first: FinishedJourney) -> list[FinishedJourney]:
        batch, size = [first], first.size
        while size < MAX_BATCH:
            try:
                batch.append(self._waiting.receive_nowait())
            except (trio.WouldBlock, trio.EndOfChannel):
                break
            size += batch[-1].size
        return batch

    async def _send(self, batch: Sequence[FinishedJourney]) -> None:
        lost = size = sum(journey.size for journey in batch)
        why = ""
        with trio.move_on_after(SEND_LIMIT) as scope:
            try:
                await trio.to_thread.run_sync(
                    self._exporter.send, batch, abandon_on_cancel=True, limiter=self._limiter
                )
            except ExportFailed as error:
                why = str(error)
                lost = size if error.lost is None else error.lost
            except FOREIGN as error:  # The boundary to the exporter's library.
                log.debug("spans could not be sent", exc_info=error)
                why = f"{type(error).__name__}: {error}"
        if scope.cancelled_caught:
            why = self._too_slow(SEND_LIMIT)
        self._pending -= size
        if why:
            self._lose(lost, why)

    def _lose(self, count: int, why: str) -> None:
        is_first = not self._lost
        self._lost += count
        self.why = why
        if is_first:
            self._told(why)
