"""Names whoever holds the event loop.

Theory of operation. While a hook holds the loop nothing else runs, so a thread has to notice. The
loop writes down which hook it enters and when, and clears that when the hook returns or suspends;
the thread looks a few times per limit, and tells at once who has been in for too long and at
which line. What a hook held in all is measured by the loop itself when it gets control back:
that does not depend on the thread being scheduled in time.

This is the one place where real time counts: a held loop stands still on a virtual clock as well.
"""

from __future__ import annotations

import linecache
import logging
import sys
import threading
import types
import weakref
from collections.abc import Awaitable, Callable, Coroutine, Generator
from inspect import iscoroutine
from time import monotonic  # noqa: TID251 - the loop's clock cannot measure a loop that is held
from typing import Any

from botkit.plugins.implementations import Implementation

LOOKS_PER_LIMIT = 4

logger = logging.getLogger("botkit.plugins")


class Slot:
    """What one thread's loop is in right now: a hook and since when; None if in none."""

    __slots__ = ("holding", "thread")

    def __init__(self, thread: int) -> None:
        self.thread = thread
        self.holding: tuple[Implementation, float] | None = None


class Watchdog:
    """Measures how long hooks hold the loop, and tells while one does.

    The thread starts with the first slot that is asked for. It ends with :meth:`stop`, and when
    the watchdog is no longer referenced.

    Args:
        limit: seconds of real time a hook may hold the loop.
    """

    def __init__(self, *, limit: float = 1.0) -> None:
        self.limit = limit
        self._slots: dict[int, Slot] = {}
        self._starting = threading.Lock()
        self._watching: tuple[threading.Thread, weakref.finalize[..., Watchdog]] | None = None

    def slot(self) -> Slot:
        """Give the slot of the calling thread, and see that it is watched."""
        if self._watching is None:
            self._start()
        ident = threading.get_ident()
        slot = self._slots.get(ident)
        if slot is None:
            slot = self._slots[ident] = Slot(ident)
        return slot

    def stop(self) -> None:
        """End the thread and wait for its end; it starts again when it is needed again."""
        with self._starting:
            if self._watching is None:
                return
            thread, end = self._watching
            end()
            thread.join()
            self._watching = None

    def _start(self) -> None:
        with self._starting:
            if self._watching is not None:
                return
            stopping = threading.Event()
            # The thread must not keep the watchdog alive, so it is given the parts it needs.
            thread = threading.Thread(
                target=look_around,
                args=(self._slots, self.limit, stopping),
                name="botkit-watchdog",
                daemon=True,
            )
            self._watching = thread, weakref.finalize(self, stopping.set)
            thread.start()


def call(
    slot: Slot, implementation: Implementation, arguments: dict[str, object]
) -> tuple[object, float]:
    """Call an implementation.

    Returns:
        What it returned, and how long it held the loop, in seconds.
    """
    outer = slot.holding
    began = monotonic()
    slot.holding = (implementation, began)
    try:
        returned = implementation.call(arguments)
    finally:
        slot.holding = outer
    return returned, monotonic() - began


def finish(
    slot: Slot, implementation: Implementation, awaitable: Awaitable[object]
) -> Awaitable[float]:
    """Await what an implementation returned.

    Returns:
        The longest time for which it held the loop without suspending, in seconds; to be awaited.
    """
    coroutine = awaitable if iscoroutine(awaitable) else awaited(awaitable)
    return drive(slot, implementation, coroutine)


async def awaited(awaitable: Awaitable[object]) -> object:
    """Make a coroutine of any awaitable."""
    return await awaitable


@types.coroutine
def drive(
    slot: Slot, implementation: Implementation, coroutine: Coroutine[Any, Any, object]
) -> Generator[Any, Any, float]:
    """Await a coroutine as ``await`` does (PEP 380), measuring each stretch between suspensions."""
    longest = 0.0
    resume: Callable[[Any], Any] = coroutine.send
    value: Any = None
    while True:
        outer = slot.holding
        began = monotonic()
        slot.holding = (implementation, began)
        try:
            trap = resume(value)
        except StopIteration:
            held = monotonic() - began
            return held if held > longest else longest
        finally:
            slot.holding = outer
        longest = max(longest, monotonic() - began)
        try:
            value = yield trap
            resume = coroutine.send
        except GeneratorExit:
            coroutine.close()
            raise
        except BaseException as error:
            # Whatever it is, cancellation too, it belongs to the coroutine: handed on, not caught.
            value = error
            resume = coroutine.throw


def look_around(slots: dict[int, Slot], limit: float, stopping: threading.Event) -> None:
    """Tell of each hook that holds its loop for longer than the limit, once; the thread's body."""
    told: dict[int, tuple[Implementation, float]] = {}
    while not stopping.wait(limit / LOOKS_PER_LIMIT):
        for slot in tuple(slots.values()):
            holding = slot.holding
            if holding is None or told.get(slot.thread) is holding:
                continue
            implementation, began = holding
            held = monotonic() - began
            if held > limit:
                told[slot.thread] = holding
                tell(implementation, held, where(slot.thread, implementation.file))


def tell(implementation: Implementation, held: float, place: str) -> None:
    """Log who holds the loop, and where."""
    logger.warning(
        "%s %r has held the event loop in %s for %.1f s, at %s; a hook must not block:"
        " make it async, or move the work to a thread",
        implementation.culprit,
        implementation.plugin,
        implementation.hook,
        held,
        place,
    )


def where(thread: int, file: str) -> str:
    """Say at which line of its own file a plugin stands; the innermost line if in none of it."""
    frame = sys._current_frames().get(thread)
    if frame is None:
        return "an unknown line"
    place = (frame.f_code.co_filename, frame.f_lineno)
    while frame is not None:
        if frame.f_code.co_filename == file:
            place = (file, frame.f_lineno)
            break
        frame = frame.f_back
    line = linecache.getline(*place).strip()
    return f"{place[0]}:{place[1]}" + (f": {line}" if line else "")
