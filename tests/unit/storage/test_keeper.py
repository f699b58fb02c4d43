from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import pytest
import trio
import trio.testing

from botkit.errors import ConfigError, PluginError, StateError
from botkit.storage import FileStorage, MemoryStorage, StateKeeper, keeper

ONE, TWO, THREE = ({"session_id": "1", "position": number} for number in (1, 2, 3))
KEY = "0123456789abcdef"


class Slow:
    """An async storage whose writes last until the test lets them."""

    def __init__(self) -> None:
        self.written: list[Mapping[str, Any]] = []
        self.under_way = 0
        self.most_under_way = 0
        self.go = trio.Event()

    async def write(self, state: Mapping[str, Any]) -> None:
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self.go.wait()
            self.written.append(state)
        finally:
            self.under_way -= 1

    async def read(self) -> Mapping[str, Any] | None:
        await trio.lowlevel.checkpoint()
        return self.written[-1] if self.written else None


class Stubborn:
    """A storage that does as it is told to: raises, or returns something."""

    blocks = False

    def __init__(self, outcome: object) -> None:
        self._outcome = outcome

    def write(self, state: Mapping[str, Any]) -> None:
        self._do()

    def read(self) -> Any:
        return self._do()

    def _do(self) -> object:
        if isinstance(self._outcome, BaseException):
            raise self._outcome
        return self._outcome


async def test_changes_during_a_write_become_one(nursery: trio.Nursery) -> None:
    storage = Slow()
    keeper = StateKeeper(storage)
    await nursery.start(keeper.run)
    for state in (ONE, TWO, THREE):
        keeper.changed(state)
        await trio.testing.wait_all_tasks_blocked()
    storage.go.set()
    await keeper.flush()
    assert storage.written == [ONE, THREE]
    assert storage.most_under_way == 1


async def test_flushing_needs_nobody_who_runs() -> None:
    storage = MemoryStorage()
    keeper = StateKeeper(storage)
    await keeper.flush()
    assert storage.read() is None
    keeper.changed(ONE)
    await keeper.flush()
    assert storage.read() == ONE
    assert await keeper.load() == ONE


async def test_a_write_that_lasts_outlives_the_cancellation(
    autojump_clock: trio.abc.Clock,
) -> None:
    storage = Slow()
    keeper = StateKeeper(storage)
    keeper.changed(ONE)

    async def let_go() -> None:
        await trio.sleep(1)
        storage.go.set()

    async with trio.open_nursery() as helpers:
        helpers.start_soon(let_go)
        with trio.move_on_after(0.5):
            await keeper.run()
    assert storage.written == [ONE]


async def test_clearing_stores_that_the_chat_is_over() -> None:
    storage = Slow()
    storage.go.set()
    keeper = StateKeeper(storage)
    keeper.changed(ONE)
    await keeper.clear()
    assert storage.written == [{}]
    keeper.changed(TWO)
    await keeper.flush()
    await keeper.clear()
    await keeper.clear()
    assert storage.written == [{}, TWO, {}]


async def test_clearing_leaves_alone_what_is_not_known() -> None:
    storage = MemoryStorage()
    storage.write(ONE)
    await StateKeeper(storage).clear()
    assert storage.read() == ONE
    keeper = StateKeeper(storage)
    assert await keeper.load() == ONE
    await keeper.clear()
    assert storage.read() is None


async def test_clearing_during_a_write_comes_after_it(nursery: trio.Nursery) -> None:
    storage = Slow()
    keeper = StateKeeper(storage)
    await nursery.start(keeper.run)
    keeper.changed(ONE)
    await trio.testing.wait_all_tasks_blocked()
    nursery.start_soon(keeper.clear)
    await trio.testing.wait_all_tasks_blocked()
    storage.go.set()
    await keeper.flush()
    assert storage.written == [ONE, {}]


async def test_a_storage_that_may_wait_is_called_in_a_thread() -> None:
    here = threading.get_ident()
    threads: list[int] = []

    class Waits(Stubborn):
        blocks = True

        def _do(self) -> object:
            threads.append(threading.get_ident())
            return None

    for storage in (Waits(None), Waits(None)):
        storage.blocks = len(threads) == 0
        await StateKeeper(storage).load()
    assert threads[0] != here == threads[1]


async def test_an_async_method_may_be_wrapped_in_a_plain_one() -> None:
    storage = Slow()
    storage.written.append(ONE)

    class Wraps:
        def write(self, state: Mapping[str, Any]) -> Any:
            return storage.write(state)

        def read(self) -> Any:
            return storage.read()

    assert await StateKeeper(Wraps()).load() == ONE


async def test_an_empty_mapping_is_nothing() -> None:
    assert await StateKeeper(Stubborn({})).load() is None


# --- what goes wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize("error", [ValueError(f"no {KEY}"), SystemExit(f"no {KEY}")], ids=repr)
async def test_a_storage_that_raises_is_named_and_keeps_its_secret(error: BaseException) -> None:
    keeper = StateKeeper(Stubborn(error))
    keeper.changed({"secure_key": KEY})
    with pytest.raises(PluginError) as caught:
        await keeper.flush()
    kind = type(error).__name__
    assert str(caught.value) == (
        f"plugin 'Stubborn': the write of this state storage raised {kind}: no ***"
    )
    with pytest.raises(PluginError, match=f"plugin 'redis': the read .* raised {kind}"):
        await StateKeeper(Stubborn(error), name="redis").load()


@pytest.mark.parametrize("spelled", ["k3y%2Fof-chat", "k3y\\/of-chat", "azN5L29mLWNoYXQ="])
async def test_an_error_tells_the_key_of_a_chat_in_no_spelling(spelled: str) -> None:
    keeper = StateKeeper(Stubborn(OSError(f"no {spelled}; http://ada:pw@host")))
    keeper.changed({"session_id": "C", "inner": {"keys": ["k3y/of-chat"]}})
    with pytest.raises(PluginError) as caught:
        await keeper.flush()
    assert str(caught.value).endswith("raised OSError: no ***; http://host")
    # Nor does what a traceback shows of where it came from.
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


async def test_a_storage_that_reads_nonsense_is_named() -> None:
    with pytest.raises(PluginError, match=r"'Stubborn': the read .* returned list instead"):
        await StateKeeper(Stubborn([1])).load()


@pytest.mark.parametrize("error", [StateError("kept"), ConfigError("wrong")], ids=repr)
async def test_errors_of_botkit_stay_what_they_are(error: Exception) -> None:
    keeper = StateKeeper(Stubborn(error))
    with pytest.raises(type(error)):
        await keeper.load()
    keeper.changed(ONE)
    with pytest.raises(type(error)):
        await keeper.run()


async def test_a_storage_that_hangs_is_given_up(autojump_clock: trio.abc.Clock) -> None:
    began = trio.current_time()
    keeper_ = StateKeeper(Slow())
    keeper_.changed(ONE)
    with pytest.raises(PluginError, match=r"'Slow': the write .* took longer than 5 s"):
        await keeper_.run()
    assert trio.current_time() - began == pytest.approx(keeper.LIMIT)


async def test_a_thread_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "LIMIT", 0.01)
    stuck = threading.Event()

    class Hangs(Stubborn):
        blocks = True

        def _do(self) -> object:
            return stuck.wait(10)

    try:
        with pytest.raises(PluginError, match=r"the read .* took longer than"):
            await StateKeeper(Hangs(None)).load()
    finally:
        stuck.set()


async def test_what_must_not_be_lost_is_not_cleared(tmp_path: Any) -> None:
    path = tmp_path / "ada.json"
    path.write_text("Dear diary")
    keeper = StateKeeper(FileStorage(path))
    with pytest.raises(StateError):
        await keeper.load()
    keeper.changed(ONE)
    with pytest.raises(StateError):
        await keeper.flush()
    await keeper.clear()
    assert path.read_text() == "Dear diary"
