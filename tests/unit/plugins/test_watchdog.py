"""Hooks that hold the loop. Real time counts here, also under a clock that jumps.

A hook that blocks does so until the watchdog has named it, so nothing depends on how fast this
machine is.
"""

from __future__ import annotations

import gc
import logging
import threading
import time
import weakref
from collections.abc import Iterator

import pytest
import trio
from trio.testing import MockClock

from botkit.errors import PluginError
from botkit.hookspecs import hookimpl
from botkit.plugins import Plugins
from botkit.plugins.watchdog import Watchdog

LIMIT = 0.05
PATIENCE = 10.0


class Named(logging.Handler):
    """Tells when the watchdog has named somebody."""

    def __init__(self) -> None:
        super().__init__()
        self.event = threading.Event()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())
        self.event.set()


@pytest.fixture
def named() -> Iterator[Named]:
    handler = Named()
    logger = logging.getLogger("botkit.plugins")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


@pytest.fixture
def plugins() -> Iterator[Plugins]:
    plugins = Plugins(hold_limit=LIMIT)
    yield plugins
    plugins.close()


def watchers() -> int:
    return sum(1 for thread in threading.enumerate() if thread.name == "botkit-watchdog")


class Holds:
    """Holds the loop until it was named."""

    def __init__(self, named: Named) -> None:
        self.named = named

    @hookimpl
    def on_message(self) -> None:
        assert self.named.event.wait(PATIENCE), "nobody noticed"


class HoldsBetweenAwaits(Holds):
    @hookimpl
    async def on_message(self) -> None:  # type: ignore[override]
        await trio.lowlevel.checkpoint()
        assert self.named.event.wait(PATIENCE), "nobody noticed"
        await trio.lowlevel.checkpoint()


async def dispatch(plugins: Plugins, bot: object = None) -> None:
    await plugins.dispatcher(bot, "the-bot").dispatch("on_message", journey=1, session=2, event=3)


@pytest.mark.parametrize("kind", [Holds, HoldsBetweenAwaits])
async def test_it_is_named_at_once_and_blamed_when_it_returns(
    kind: type[Holds], plugins: Plugins, named: Named, autojump_clock: MockClock
) -> None:
    plugins.register(kind(named), "sleepy")
    plugins.freeze()
    began = time.monotonic()
    with pytest.raises(PluginError) as caught:
        await dispatch(plugins)
    assert time.monotonic() - began > LIMIT
    assert caught.value.reason == "hook_blocked"
    assert str(caught.value).startswith("plugin 'sleepy' in on_message: it held the event loop for")
    [text] = named.texts
    assert text.startswith("plugin 'sleepy' has held the event loop in on_message for ")
    assert f"{__file__}:" in text
    assert 'assert self.named.event.wait(PATIENCE), "nobody noticed"' in text


async def test_a_bot_is_named_as_a_bot(plugins: Plugins, named: Named) -> None:
    plugins.freeze()
    with pytest.raises(PluginError, match="bot 'the-bot' in on_message: it held") as caught:
        await dispatch(plugins, Holds(named))
    assert caught.value.reason == "hook_blocked"
    assert named.texts[0].startswith("bot 'the-bot' has held")


async def test_waiting_is_not_holding(named: Named) -> None:
    # On the real clock, for another one would jump while the thread waits.
    limit = 0.2

    class Waits:
        @hookimpl
        async def on_message(self) -> None:
            await trio.to_thread.run_sync(time.sleep, 1.5 * limit)

    plugins = Plugins(hold_limit=limit)
    plugins.register(Waits(), "waits")
    plugins.freeze()
    await dispatch(plugins)
    plugins.close()
    assert named.texts == []


async def test_a_hook_inside_a_hook_leaves_the_outer_one_watched(
    plugins: Plugins, named: Named
) -> None:
    class Outer:
        @hookimpl
        async def on_message(self) -> None:
            await plugins.dispatcher(None, "b").dispatch("on_notice")
            assert named.event.wait(PATIENCE)

        @hookimpl
        def on_notice(self) -> None:
            assert not named.texts

    plugins.register(Outer(), "outer")
    plugins.freeze()
    with pytest.raises(PluginError, match="'outer' in on_message: it held"):
        await dispatch(plugins)
    assert "in on_message" in named.texts[0]


async def test_one_thread_which_starts_when_it_is_needed_and_stops() -> None:
    plugins = Plugins()

    class Quick:
        @hookimpl
        def on_message(self) -> None: ...

    before = watchers()
    plugins.register(Quick(), "quick")
    plugins.freeze()
    assert watchers() == before
    for _ in range(3):
        await dispatch(plugins)
    assert watchers() == before + 1
    plugins.close()
    assert watchers() == before
    await dispatch(plugins)
    assert watchers() == before + 1
    plugins.close()
    plugins.close()
    assert watchers() == before


def test_the_thread_ends_with_its_watchdog() -> None:
    before = set(threading.enumerate())
    watchdog = Watchdog(limit=LIMIT)
    watchdog.slot()
    [thread] = set(threading.enumerate()) - before
    assert thread.daemon
    gone = weakref.ref(watchdog)
    del watchdog
    gc.collect()
    assert gone() is None
    thread.join(PATIENCE)
    assert not thread.is_alive()
