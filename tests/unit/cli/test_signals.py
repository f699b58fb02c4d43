from __future__ import annotations

import signal

import pytest
import trio

from botkit.cli.signals import run_until_signalled


def unexpected(name: str) -> None:
    raise AssertionError(name)


async def test_without_a_signal_the_result_comes_back() -> None:
    async def play() -> str:
        await trio.lowlevel.checkpoint()
        return "done"

    assert await run_until_signalled(play, first=unexpected, second=unexpected) == "done"


async def test_the_first_signal_asks_and_later_ones_do_not() -> None:
    told: list[tuple[str, str]] = []
    asked, insisted = trio.Event(), trio.Event()

    def first(name: str) -> None:
        told.append(("first", name))
        asked.set()

    def second(name: str) -> None:
        told.append(("second", name))
        insisted.set()

    async def play() -> int:
        signal.raise_signal(signal.SIGINT)
        await asked.wait()
        signal.raise_signal(signal.SIGTERM)
        await insisted.wait()
        return len(told)

    with trio.fail_after(5):
        assert await run_until_signalled(play, first=first, second=second) == 2
    assert told == [("first", "SIGINT"), ("second", "SIGTERM")]


async def test_what_goes_wrong_comes_out_as_itself() -> None:
    async def play() -> None:
        await trio.lowlevel.checkpoint()
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        await run_until_signalled(play, first=unexpected, second=unexpected)
