import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from botkit.wakeup import Wakeup


async def test_wakes_the_task_that_sleeps(nursery: trio.Nursery) -> None:
    wakeup, woken = Wakeup(), []

    async def sleep() -> None:
        await wakeup.wait()
        woken.append(True)

    nursery.start_soon(sleep)
    await wait_all_tasks_blocked()
    assert not woken
    wakeup.wake()
    # Twice before the sleeper has had its turn is once.
    wakeup.wake()
    await wait_all_tasks_blocked()
    assert woken == [True]


async def test_waking_nobody_is_not_remembered(autojump_clock: trio.testing.MockClock) -> None:
    wakeup = Wakeup()
    wakeup.wake()
    with trio.move_on_after(1) as limit:
        await wakeup.wait()
    assert limit.cancelled_caught


async def test_who_was_cancelled_is_not_woken(autojump_clock: trio.testing.MockClock) -> None:
    wakeup = Wakeup()
    with trio.move_on_after(1):
        await wakeup.wait()
    wakeup.wake()
    await trio.lowlevel.checkpoint()


async def test_a_second_sleeper_is_refused(nursery: trio.Nursery) -> None:
    wakeup = Wakeup()
    nursery.start_soon(wakeup.wait)
    await wait_all_tasks_blocked()
    with pytest.raises(RuntimeError, match="another task sleeps here already"):
        await wakeup.wait()
    wakeup.wake()
