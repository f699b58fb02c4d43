"""Stopping: the first signal asks nicely, the second does not ask."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import trio

from botkit.errors import ungrouped

T = TypeVar("T")
STOPPING = (signal.SIGINT, signal.SIGTERM)


async def run_until_signalled(
    play: Callable[[], Awaitable[T]],
    *,
    first: Callable[[str], object],
    second: Callable[[str], object],
) -> T:
    """Do something that may be told to stop.

    Args:
        play: what to do; it is not cancelled.
        first: called with the name of the first SIGINT or SIGTERM; it makes ``play`` come to
            an end in good order.
        second: called with the name of each later one.

    Returns:
        What ``play`` returns.
    """
    with trio.open_signal_receiver(*STOPPING) as signals, ungrouped():
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_listen, signals, first, second)
            result = await play()
            nursery.cancel_scope.cancel()
    return result


async def _listen(
    signals: AsyncIterator[int],
    first: Callable[[str], object],
    second: Callable[[str], object],
) -> None:
    tell = first
    async for number in signals:
        tell(signal.Signals(number).name)
        tell = second
