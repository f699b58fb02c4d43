from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from botkit.telemetry import sending
from botkit.telemetry.sending import ExportFailed, SpanSender
from botkit.telemetry.spans import FinishedJourney

MakeJourney = Callable[..., FinishedJourney]
LIMIT = 10


class Receiver:
    """Takes spans as it is told to."""

    def __init__(self, act: Callable[[], None] = lambda: None) -> None:
        self.batches: list[int] = []
        self.heard = ""
        self.is_closed = False
        self._act = act

    def send(self, journeys: Sequence[FinishedJourney]) -> None:
        self.batches.append(sum(journey.size for journey in journeys))
        self._act()

    def close(self) -> None:
        self.is_closed = True


def failing(error: Exception) -> Callable[[], None]:
    def act() -> None:
        raise error

    return act


async def test_all_is_sent_before_the_end(nursery: trio.Nursery, journey: MakeJourney) -> None:
    receiver = Receiver()
    sender = SpanSender(receiver)
    for _ in range(3):
        sender.put(journey())
    assert sender.lost == 6
    with trio.fail_after(LIMIT):
        nursery.start_soon(sender.run)
        await sender.finish()
    assert (receiver.batches, receiver.is_closed) == ([6], True)
    assert (sender.lost, sender.why) == (0, "")


async def test_a_batch_is_bounded(
    nursery: trio.Nursery, journey: MakeJourney, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "MAX_BATCH", 4)
    receiver = Receiver()
    sender = SpanSender(receiver)
    for _ in range(3):
        sender.put(journey())
    with trio.fail_after(LIMIT):
        nursery.start_soon(sender.run)
        await sender.finish()
    assert receiver.batches == [4, 2]


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (ExportFailed("Bad Request"), "Bad Request"),
        (OSError("no file"), "OSError: no file"),
    ],
)
async def test_what_is_not_taken_is_counted_and_told_once(
    nursery: trio.Nursery, journey: MakeJourney, error: Exception, why: str
) -> None:
    told: list[str] = []
    sender = SpanSender(Receiver(failing(error)), told.append)
    with trio.fail_after(LIMIT):
        nursery.start_soon(sender.run)
        sender.put(journey())
        await wait_all_tasks_blocked()
        sender.put(journey())
        await sender.finish()
    assert (sender.lost, sender.why) == (4, why)
    assert told == [why]


async def test_what_is_taken_in_part_is_lost_in_part(
    nursery: trio.Nursery, journey: MakeJourney
) -> None:
    sender = SpanSender(Receiver(failing(ExportFailed("too long", lost=1))))
    sender.put(journey())
    with trio.fail_after(LIMIT):
        nursery.start_soon(sender.run)
        await sender.finish()
    assert (sender.lost, sender.why) == (1, "too long")


async def test_a_queue_that_is_full_loses_what_comes(
    journey: MakeJourney, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "MAX_WAITING", 3)
    sender = SpanSender(Receiver())
    sender.put(journey())
    sender.put(journey())
    assert (sender.lost, sender.why) == (4, "too many wait to be sent")


@pytest.mark.parametrize("heard", ["", "Connection refused"])
async def test_the_end_waits_for_nobody_for_long(
    nursery: trio.Nursery, journey: MakeJourney, monkeypatch: pytest.MonkeyPatch, heard: str
) -> None:
    monkeypatch.setattr(sending, "LAST_LIMIT", 0.05)
    over = threading.Event()
    receiver = Receiver(lambda: bool(over.wait(LIMIT)) or None)
    receiver.heard = heard
    sender = SpanSender(receiver)
    nursery.start_soon(sender.run)
    sender.put(journey())
    sender.put(journey())
    try:
        with trio.fail_after(LIMIT):
            await sender.finish()
    finally:
        over.set()
    nursery.cancel_scope.cancel()
    assert sender.lost == 4
    assert sender.why == (heard or "they were not taken within 0.05 s")
    assert receiver.is_closed


async def test_one_that_is_too_slow_is_given_up_and_the_next_waits_for_it(
    nursery: trio.Nursery, journey: MakeJourney, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SEND_LIMIT", 0.05)
    over, at_work, most = threading.Event(), 0, 0

    def act() -> None:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        over.wait(LIMIT)
        at_work -= 1

    told = trio.Event()
    sender = SpanSender(Receiver(act), lambda _: told.set())
    nursery.start_soon(sender.run)
    try:
        with trio.fail_after(LIMIT):
            sender.put(journey())
            await told.wait()
            assert (sender.lost, sender.why) == (2, "they were not taken within 0.05 s")
            monkeypatch.setattr(sending, "SEND_LIMIT", LIMIT)
            sender.put(journey())
            await wait_all_tasks_blocked()
            over.set()
            await sender.finish()
    finally:
        over.set()
    assert most == 1
    assert sender.lost == 2
