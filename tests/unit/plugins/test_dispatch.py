"""Order, arguments, deadlines and blame, on a clock that jumps."""

from __future__ import annotations

import gc
import inspect
import time
from collections.abc import Awaitable, Callable, Generator, Iterator
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from botkit.chat import Message
from botkit.errors import PluginError
from botkit.hookspecs import hookimpl
from botkit.plugins import Dispatcher, Plugins

JOURNEY, SESSION = object(), object()
EVENT = Message(at=1.0, seq=1, text="hello")

Hook = Callable[..., Any]


class Hooks:
    """An object with one hook, as a plugin or a bot."""

    def __init__(self, function: Callable[[], object]) -> None:
        self.function = function

    @hookimpl
    def on_message(self) -> object:
        return self.function()


class Log(list[str]):
    def plugin(self, name: str, *, tryfirst: bool = False, trylast: bool = False) -> object:
        """Make a plugin that writes its name down."""
        log = self

        class Plugin:
            @hookimpl(tryfirst=tryfirst, trylast=trylast)
            def on_message(self) -> None:
                log.append(name)

        return Plugin()

    def slow_plugin(self, name: str) -> object:
        """Make one that does so before and after waiting."""
        log = self

        class Plugin:
            @hookimpl
            async def on_message(self) -> None:
                log.append(f"{name} begins")
                await trio.sleep(1)
                log.append(f"{name} ends")

        return Plugin()


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def make() -> Iterator[Callable[..., Dispatcher]]:
    """Make the dispatcher of a journey whose plugins are called p0, p1, ..."""
    made: list[Plugins] = []

    def dispatcher(*plugins: object, bot: object = None, **settings: Any) -> Dispatcher:
        loaded = Plugins(**settings)
        made.append(loaded)
        for number, plugin in enumerate(plugins):
            loaded.register(plugin, f"p{number}")
        loaded.freeze()
        return loaded.dispatcher(bot, "the-bot")

    yield dispatcher
    for plugins in made:
        plugins.close()


async def dispatch(dispatcher: Dispatcher) -> None:
    await dispatcher.dispatch("on_message", journey=JOURNEY, session=SESSION, event=EVENT)


# --- order ---------------------------------------------------------------------------------------


async def test_plugins_run_in_pluggys_order_and_the_bot_last(
    make: Callable[..., Dispatcher], log: Log
) -> None:
    dispatcher = make(
        log.plugin("last", trylast=True),
        log.plugin("registered first"),
        log.plugin("registered second"),
        log.plugin("first", tryfirst=True),
        bot=log.plugin("bot", tryfirst=True),
    )
    await dispatch(dispatcher)
    assert log == ["first", "registered second", "registered first", "last", "bot"]


async def test_each_is_awaited_before_the_next(
    make: Callable[..., Dispatcher], log: Log, autojump_clock: MockClock
) -> None:
    dispatcher = make(
        log.plugin("sync"), log.slow_plugin("b"), log.slow_plugin("a"), bot=log.plugin("bot")
    )
    await dispatch(dispatcher)
    assert log == ["a begins", "a ends", "b begins", "b ends", "sync", "bot"]


async def test_a_hook_that_nobody_implements_costs_nothing(
    make: Callable[..., Dispatcher], log: Log
) -> None:
    dispatcher = make(log.plugin("one"))
    assert dispatcher.has("on_message")
    assert not dispatcher.has("on_notice")
    await dispatcher.dispatch("on_notice", journey=JOURNEY, session=SESSION, event=EVENT)
    assert log == []


async def test_a_bot_hears_of_its_own_journey_only(log: Log) -> None:
    plugins = Plugins()
    plugins.freeze()
    ada = plugins.dispatcher(log.plugin("ada"), "ada")
    bob = plugins.dispatcher(log.plugin("bob"), "bob")
    await dispatch(ada)
    assert log == ["ada"]
    await dispatch(bob)
    assert log == ["ada", "bob"]
    assert not plugins.dispatcher(object(), "hookless").has("on_message")
    plugins.close()


# --- arguments -----------------------------------------------------------------------------------


async def test_any_subset_of_the_arguments_is_given_by_name(
    make: Callable[..., Dispatcher],
) -> None:
    got: list[object] = []

    class All:
        @hookimpl
        def on_message(self, event: object, journey: object, session: object) -> None:
            got.append((journey, session, event))

    class One:
        @hookimpl
        async def on_message(self, session: object) -> None:
            got.append(session)

    class Extra:
        @hookimpl
        def on_message(self, *, event: object, seen: int = 3) -> None:
            got.append((event, seen))

    class Bot:
        @hookimpl
        def on_message(self, journey: object) -> None:
            got.append(journey)

    await dispatch(make(All(), One(), Extra(), bot=Bot()))
    assert got == [(EVENT, 3), SESSION, (JOURNEY, SESSION, EVENT), JOURNEY]


async def test_bots_may_have_static_and_class_methods(make: Callable[..., Dispatcher]) -> None:
    got: list[object] = []

    class Bot:
        @staticmethod
        @hookimpl
        def on_message(event: object) -> None:
            got.append(event)

        @classmethod
        @hookimpl
        def on_notice(cls, session: object) -> None:
            got.append((cls, session))

    dispatcher = make(bot=Bot())
    await dispatch(dispatcher)
    await dispatcher.dispatch("on_notice", journey=JOURNEY, session=SESSION, event=EVENT)
    assert got == [EVENT, (Bot, SESSION)]


# --- awaitables ----------------------------------------------------------------------------------


async def test_whatever_awaitable_comes_back_is_awaited(
    make: Callable[..., Dispatcher], log: Log
) -> None:
    async def coroutine() -> None:
        await trio.lowlevel.checkpoint()
        log.append("coroutine")

    class Own:
        def __await__(self) -> Generator[Any, Any, None]:
            yield from coroutine().__await__()
            log.append("object")

    await dispatch(make(Hooks(coroutine), Hooks(lambda: Own()), Hooks(lambda: 42)))
    assert log == ["coroutine", "object", "coroutine"]


async def test_no_coroutine_is_left_unawaited(make: Callable[..., Dispatcher]) -> None:
    made: list[Any] = []

    async def coroutine() -> None:
        raise AssertionError("it must not run")

    def blocks_and_returns_one() -> Awaitable[None]:
        spin(0.05)
        made.append(coroutine())
        return made[0]  # type: ignore[no-any-return]

    with pytest.raises(PluginError) as caught:
        await dispatch(make(Hooks(blocks_and_returns_one), hold_limit=0.02))
    assert caught.value.reason == "hook_blocked"
    assert inspect.getcoroutinestate(made[0]) == inspect.CORO_CLOSED
    # A warning "was never awaited" would come now, and fail the test.
    made.clear()
    gc.collect()


def spin(seconds: float) -> None:
    """Hold the loop on the real clock, as a hook that computes does."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


# --- deadlines -----------------------------------------------------------------------------------


async def test_one_that_overruns_is_cancelled_and_blamed(
    make: Callable[..., Dispatcher], log: Log, autojump_clock: MockClock
) -> None:
    began = trio.current_time()
    with pytest.raises(PluginError) as caught:
        await dispatch(make(log.plugin("never reached"), Hooks(trio.sleep_forever)))
    assert trio.current_time() - began == pytest.approx(30)
    assert str(caught.value) == "plugin 'p1' in on_message: it did not finish within 30 s"
    assert caught.value.reason == "hook_timeout"
    assert log == []


async def test_each_has_a_deadline_of_its_own(
    make: Callable[..., Dispatcher], autojump_clock: MockClock
) -> None:
    ended: list[float] = []

    async def nearly() -> None:
        await trio.sleep(29)
        ended.append(trio.current_time())

    began = trio.current_time()
    await dispatch(make(*(Hooks(nearly) for _ in range(3)), bot=Hooks(nearly)))
    assert [at - began for at in ended] == pytest.approx([29, 58, 87, 116])


async def test_the_second_to_overrun_is_the_one_that_is_blamed(
    make: Callable[..., Dispatcher], autojump_clock: MockClock
) -> None:
    async def nearly() -> None:
        await trio.sleep(9)

    dispatcher = make(Hooks(nearly), bot=Hooks(trio.sleep_forever), hook_deadline=10)
    began = trio.current_time()
    with pytest.raises(PluginError, match=r"bot 'the-bot' in on_message: .* within 10 s") as caught:
        await dispatch(dispatcher)
    assert trio.current_time() - began == pytest.approx(19)
    assert caught.value.reason == "hook_timeout"


async def test_one_that_carries_on_after_its_deadline_overran(
    make: Callable[..., Dispatcher], log: Log, autojump_clock: MockClock
) -> None:
    async def stubborn() -> None:
        with trio.CancelScope(shield=True):
            await trio.sleep(31)

    with pytest.raises(PluginError) as caught:
        await dispatch(make(log.plugin("never reached"), Hooks(stubborn)))
    assert caught.value.reason == "hook_timeout"
    assert log == []


async def test_a_time_limit_of_the_hook_itself_is_its_own_affair(
    make: Callable[..., Dispatcher], autojump_clock: MockClock
) -> None:
    async def impatient() -> None:
        with trio.fail_after(1):
            await trio.sleep_forever()

    with pytest.raises(PluginError, match="it raised TooSlowError") as caught:
        await dispatch(make(Hooks(impatient)))
    assert caught.value.reason == "plugin"


# --- blame ---------------------------------------------------------------------------------------


def raising(error: BaseException) -> Callable[[], None]:
    def function() -> None:
        raise error

    return function


def raising_later(error: BaseException) -> Callable[[], Awaitable[None]]:
    async def function() -> None:
        await trio.lowlevel.checkpoint()
        raise error

    return function


@pytest.mark.parametrize("kind", [raising, raising_later])
async def test_a_raise_is_blamed_on_the_plugin(
    make: Callable[..., Dispatcher], log: Log, kind: Callable[[BaseException], Hook]
) -> None:
    error = KeyError("x")
    with pytest.raises(PluginError) as caught:
        await dispatch(make(Hooks(kind(error)), bot=log.plugin("never reached")))
    assert str(caught.value) == "plugin 'p0' in on_message: it raised KeyError: 'x'"
    assert (caught.value.plugin, caught.value.hook) == ("p0", "on_message")
    assert caught.value.reason == "plugin"
    assert caught.value.__cause__ is error
    assert log == []


@pytest.mark.parametrize("kind", [raising, raising_later])
async def test_an_assertion_of_the_bot_stays_one(
    make: Callable[..., Dispatcher], kind: Callable[[BaseException], Hook]
) -> None:
    error = AssertionError("no greeting")
    with pytest.raises(AssertionError) as caught:
        await dispatch(make(bot=Hooks(kind(error))))
    assert caught.value is error


async def test_an_assertion_of_a_plugin_is_a_defect(make: Callable[..., Dispatcher]) -> None:
    with pytest.raises(PluginError, match="it raised AssertionError: oops"):
        await dispatch(make(Hooks(raising(AssertionError("oops")))))


async def test_any_other_error_of_the_bot_is_blamed_on_it(
    make: Callable[..., Dispatcher],
) -> None:
    with pytest.raises(PluginError) as caught:
        await dispatch(make(bot=Hooks(raising(ValueError("bad")))))
    assert str(caught.value) == "bot 'the-bot' in on_message: it raised ValueError: bad"
    assert caught.value.reason == "bot"


@pytest.mark.parametrize("kind", [raising, raising_later])
async def test_an_interrupt_passes(
    make: Callable[..., Dispatcher], kind: Callable[[BaseException], Hook]
) -> None:
    hook = Hooks(kind(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        await dispatch(make(hook, bot=Hooks(raising(ValueError("never reached")))))


@pytest.mark.parametrize("kind", [raising, raising_later])
async def test_a_hook_cannot_end_the_process(
    make: Callable[..., Dispatcher], kind: Callable[[BaseException], Hook]
) -> None:
    with pytest.raises(PluginError, match="it raised SystemExit: 0"):
        await dispatch(make(Hooks(kind(SystemExit(0)))))


# --- cancellation --------------------------------------------------------------------------------


async def test_cancelling_reaches_the_hook_and_is_no_error(
    make: Callable[..., Dispatcher], log: Log
) -> None:
    async def waits() -> None:
        try:
            await trio.sleep_forever()
        finally:
            log.append("cleaned up")

    dispatcher = make(Hooks(waits), bot=log.plugin("never reached"))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(dispatch, dispatcher)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    assert nursery.cancel_scope.cancelled_caught
    assert log == ["cleaned up"]


async def test_a_cancelled_journey_is_no_overrun(
    make: Callable[..., Dispatcher], autojump_clock: MockClock
) -> None:
    with trio.move_on_after(5) as scope:
        await dispatch(make(Hooks(trio.sleep_forever)))
    assert scope.cancelled_caught


async def test_journeys_do_not_wait_for_each_others_hooks(
    make: Callable[..., Dispatcher], log: Log, autojump_clock: MockClock
) -> None:
    dispatcher = make(log.slow_plugin("slow"))
    began = trio.current_time()
    async with trio.open_nursery() as nursery:
        for _ in range(3):
            nursery.start_soon(dispatch, dispatcher)
    assert trio.current_time() - began == pytest.approx(1)
    assert log == ["slow begins"] * 3 + ["slow ends"] * 3
