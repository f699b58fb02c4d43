"""Signs of life on virtual time: when they come, and when they must not."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from botkit.errors import BotkitError, ConfigError, ConnectorError
from botkit.monitor import heartbeat as heartbeat_module
from botkit.monitor.caps import Caps, Limits
from botkit.monitor.contract import Check, Health, Maintenance
from botkit.monitor.decided import Monitor, Retest
from botkit.monitor.heartbeat import BROKE, STOPPED, Heartbeat
from botkit.monitor.hours import Hours, parse_span
from botkit.monitor.watch import Watch
from botkit.results import JourneyResult, Verdict

Make = Callable[..., Monitor]
URL = "https://hc.example.com/s3cret?create=1"
LATE = 900.0


class Switch:
    """What takes the pings.

    Attributes:
        heard: when each signal came, and what it was.
        queued: what becomes of the next attempts; None if they arrive.
        attempts: when they were made.
    """

    def __init__(self) -> None:
        self.heard: list[tuple[float, str, str]] = []
        self.queued: list[BotkitError | None] = []
        self.attempts: list[float] = []

    @property
    def times(self) -> list[float]:
        """When a sign of life came."""
        return [at for at, signal, _ in self.heard if not signal]

    @property
    def signals(self) -> list[tuple[str, str]]:
        return [(signal, text) for _, signal, text in self.heard if signal]


@pytest.fixture
def switch(monkeypatch: pytest.MonkeyPatch) -> Switch:
    found = Switch()

    class Post:
        def __init__(self, url: str, *, secrets: Sequence[str] = ()) -> None:
            base, _, query = url.partition("?")
            assert query == "create=1"
            self._signal = base.removeprefix("https://hc.example.com/s3cret").strip("/")

        async def send(self, body: bytes = b"", *, method: str = "POST") -> None:
            assert method == ("POST" if body else "GET")
            found.attempts.append(trio.current_time())
            await trio.sleep(0.5)
            queued = found.queued.pop(0) if found.queued else None
            if queued is not None:
                raise queued
            found.heard.append((trio.current_time() - 0.5, self._signal, body.decode()))

    monkeypatch.setattr(heartbeat_module, "Post", Post)
    return found


@asynccontextmanager
async def beating(stuck: Callable[[float], str]) -> AsyncIterator[trio.Event]:
    """Ping each minute; gives what says that the end is wanted."""
    stopped = trio.Event()
    async with trio.open_nursery() as nursery:
        heart = Heartbeat(url=URL, every=60, stuck_after=LATE)
        nursery.start_soon(heart.run, stuck, stopped)
        yield stopped
        nursery.cancel_scope.cancel()


async def test_it_beats_evenly_and_says_that_it_was_stopped(
    switch: Switch, autojump_clock: MockClock
) -> None:
    async with beating(lambda _: "") as stopped:
        await trio.sleep(190)
        stopped.set()
    assert switch.times == [0, 60, 120, 180]
    assert switch.signals == [("log", STOPPED)]


async def test_what_ends_it_unasked_is_a_failure(switch: Switch, autojump_clock: MockClock) -> None:
    async with beating(lambda _: ""):
        await trio.sleep(1)
    assert switch.signals == [("fail", BROKE)]


async def test_a_switch_that_does_not_answer_is_asked_again_and_holds_up_no_end(
    switch: Switch, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    busy = ConnectorError("https://hc.example.com could not be asked")
    switch.queued = [busy, busy, None, *[busy] * 100]
    async with beating(lambda _: "") as stopped:
        await trio.sleep(300)
        assert switch.attempts[:3] == [0, 1.5, 4]
        assert switch.times == [4]
        assert all(at >= 60 for at in switch.attempts[3:])
        assert len(switch.attempts) < 40
        stopped.set()
    assert caplog.text.count("no sign of life arrives") == 2, "once, until it was heard"
    assert "signs of life arrive again" in caplog.text


async def test_a_switch_that_wants_no_pings_is_asked_once_each_time(
    switch: Switch, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    switch.queued = [ConfigError("https://hc.example.com answers with status 404")] * 3
    async with beating(lambda _: ""):
        await trio.sleep(170)
        assert switch.attempts == [0, 60, 120]
    assert "status 404" in caplog.text


async def test_what_is_stuck_is_told_once_and_beats_no_more_until_it_goes_on(
    switch: Switch, autojump_clock: MockClock
) -> None:
    async with beating(lambda _: "chat is stuck" if 100 < trio.current_time() < 300 else ""):
        await trio.sleep(370)
        assert switch.times == [0, 60, 300, 360]
        assert switch.signals == [("fail", "chat is stuck")]


async def test_monitors_that_do_what_is_due_are_not_stuck(
    probe: Any, make_monitor: Make, switch: Switch, autojump_clock: MockClock
) -> None:
    """Whatever keeps them: slowness, caps, hours, a maintenance, a retest."""
    probe.centre.lasts = 250
    probe.centre.verdict = lambda bot, at: Verdict.FAILED if bot == "bad" else Verdict.PASSED
    monitors = [
        *(make_monitor(f"m{number}", 60) for number in range(4)),
        make_monitor("hourly", 3600, jitter=600),
        make_monitor("office", 300, hours=Hours(spans=(parse_span("08:00-09:00"),))),
        make_monitor("bad", 300, retest=Retest(after=30, times=1)),
    ]
    async with probe.at_work(*monitors, limits=Limits(chats=3)) as monitoring:
        until = probe.now() + 3 * 3600
        monitoring.begin_maintenance(Maintenance(monitor="m1", until_utc=until))
        async with beating(monitoring.stuck) as stopped:
            await trio.sleep(12 * 3600)
            stopped.set()
    assert switch.signals == [("log", STOPPED)]
    assert len(switch.times) == 12 * 60


@pytest.mark.parametrize("period", [60.0, 86400.0])
async def test_a_journey_that_never_ends_is_told(
    period: float, probe: Any, make_monitor: Make, switch: Switch, autojump_clock: MockClock
) -> None:
    probe.centre.lasts = 1e9
    monitor = make_monitor("chat", period)
    async with probe.at_work(monitor) as monitoring, beating(monitoring.stuck):
        await trio.sleep(2 * 3600)
        assert LATE - 60 <= switch.times[-1] <= LATE + 60
        [(signal, text)] = switch.signals
    assert (signal, text.partition(":")[0]) == ("fail", "chat is stuck")


async def never(_: object) -> None:
    await trio.sleep_forever()


async def test_a_history_that_never_answers_is_told(
    probe: Any, make_monitor: Make, switch: Switch, autojump_clock: MockClock
) -> None:
    async with probe.at_work(make_monitor("chat", 60)) as monitoring, beating(monitoring.stuck):
        probe.monitoring._parts.keeper.store = never
        await trio.sleep(2 * 3600)
        assert LATE <= switch.times[-1] <= LATE + 180
        assert len(switch.signals) == 1


class Alone:
    """Others that a watch needs: a clock that can be set, and nobody to tell."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def now(self) -> float:
        return 1e9 + trio.current_time() + self.ahead

    def why_quiet(self, monitor: Monitor, *, asked: bool) -> str:
        return "maintenance"

    async def note(self, monitor: Monitor, result: JourneyResult, *, retest: bool) -> Check:
        raise AssertionError("nothing is played")

    def decide(self, check: Check, spending: object) -> Health:
        raise AssertionError("nothing is played")


@pytest.mark.parametrize("ahead", [7200.0, -7200.0])
async def test_a_clock_that_is_set_makes_nothing_stuck(
    ahead: float,
    probe: Any,
    make_monitor: Make,
    nursery: trio.Nursery,
    autojump_clock: MockClock,
) -> None:
    around = Alone()
    watch = Watch(
        make_monitor("chat", 60),
        around=around,
        play=probe.centre.play,
        caps=Caps(Limits()),
        rng=random.Random(1),
    )
    await nursery.start(watch.run)
    await trio.sleep(90)
    around.ahead = ahead
    late = []
    for _ in range(600):
        late.append(watch.late())
        await trio.sleep(1)
    assert max(late) <= 60
    nursery.cancel_scope.cancel()


@pytest.mark.parametrize("signal", ["start", "fail", "log", "fail/"])
def test_the_url_of_a_signal_is_none_of_a_check(signal: str) -> None:
    with pytest.raises(ConfigError, match=f"without /{signal.strip('/')}$") as caught:
        Heartbeat(url=f"https://hc.example.com/uuid/{signal}", every=60, stuck_after=LATE)
    assert caught.value.key == "url"
