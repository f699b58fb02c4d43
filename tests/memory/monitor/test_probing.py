"""Probes on virtual time: who gets a chat, how long it may take, and what becomes of the others."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import trio
from starlette.exceptions import HTTPException
from trio.testing import MockClock, wait_all_tasks_blocked

from botkit.errors import ConfigError
from botkit.interfaces import ConnectOptions, JourneyPlan
from botkit.monitor.caps import Caps, Limits
from botkit.monitor.decided import Monitor, MonitorsFile, Probing
from botkit.monitor.probe.prober import MOST, Asked, Probed, Prober
from botkit.monitor.targets import parse_pattern
from botkit.results import JourneyResult, Reason, Verdict


@dataclass
class Watched:
    """Monitors that are not played by themselves."""

    file: MonitorsFile
    caps: Caps
    quiet: str = ""

    def now(self) -> float:
        return 1.8e9 + trio.current_time()

    def why_quiet(self, monitor: Monitor, *, asked: bool) -> str:
        return self.quiet


@dataclass
class Asking:
    """What was asked, and what came of it.

    Attributes:
        limits: seconds that each journey had.
        answers: samples or refusals, with when they came.
    """

    prober: Prober
    watched: Watched
    limits: list[float]
    answers: list[tuple[float, Probed | int]] = field(default_factory=list)

    async def ask(self, module: str = "chat", **more: Any) -> None:
        try:
            found: Probed | int = await self.prober.probe(Asked(module=module, **more))
        except HTTPException as refused:
            found = refused.status_code
        self.answers.append((trio.current_time(), found))


Open = Callable[..., Any]


@pytest.fixture
def opened(probe: Any, make_monitor: Callable[..., Monitor]) -> Open:
    """Open a prober for a block."""

    @asynccontextmanager
    async def opened(limits: Limits | None = None, **more: Any) -> AsyncIterator[Asking]:
        probing = Probing(targets=(parse_pattern("http://b/*"),), within=120.0)
        file = probe.file(make_monitor("chat"), make_monitor("other"), probe=probing, **more)
        watched = Watched(file, Caps(limits or Limits()))
        had: list[float] = []

        async def play(plan: JourneyPlan, override: ConnectOptions) -> JourneyResult:
            had.append(plan.limits.whole_chat)
            if override.server == "http://b/broken":
                raise ConfigError("this cannot be")
            result: JourneyResult = await probe.centre.play(plan, override)
            return replace(result, server=override.server or "")

        prober = Prober(watched, play)
        async with trio.open_nursery() as nursery:
            await nursery.start(prober.run)
            yield Asking(prober, watched, had)
            nursery.cancel_scope.cancel()

    return opened


async def test_a_probe_has_what_is_left_of_its_time(
    opened: Open, probe: Any, autojump_clock: MockClock
) -> None:
    probe.centre.lasts = 4.0
    async with opened(Limits(chats=1)) as asking, trio.open_nursery() as nursery:
        nursery.start_soon(asking.ask)
        await wait_all_tasks_blocked()
        nursery.start_soon(lambda: asking.ask(offered=10.0))
    (first, one), (second, other) = asking.answers
    assert (first, second) == (4.0, 8.0)
    assert isinstance(one, Probed)
    assert isinstance(other, Probed)
    assert asking.limits == [120.0, 4.5]
    assert (one.duration, other.duration) == (4.0, 8.0)


async def test_a_probe_that_gets_its_chat_too_late_is_not_begun(
    opened: Open, probe: Any, autojump_clock: MockClock
) -> None:
    probe.centre.lasts = 5.0
    async with opened(Limits(chats=1)) as asking, trio.open_nursery() as nursery:
        nursery.start_soon(asking.ask)
        await wait_all_tasks_blocked()
        nursery.start_soon(lambda: asking.ask(offered=10.0))
    assert asking.answers[0] == (4.25, 503)
    assert len(probe.centre.chats) == 1


async def test_the_answer_does_not_wait_for_what_takes_too_long(
    opened: Open, probe: Any, autojump_clock: MockClock
) -> None:
    probe.centre.lasts = 12.0
    async with opened() as asking:
        await asking.ask(offered=10.0)
        ((at, found),) = asking.answers
        assert (at, found) == (9.5, Probed(result=None, duration=9.5))
        await trio.sleep(10)
        assert len(probe.centre.chats) == 1, "it is left in peace"


async def test_the_caps_count_all_probes(
    opened: Open, probe: Any, autojump_clock: MockClock
) -> None:
    async with opened(Limits(chats=3)) as asking, trio.open_nursery() as nursery:
        for _ in range(MOST):
            nursery.start_soon(asking.ask)
    assert probe.centre.most == 3
    assert len(probe.centre.chats) == MOST


async def test_there_is_an_end_where_there_are_no_caps(
    opened: Open, probe: Any, autojump_clock: MockClock
) -> None:
    async with opened() as asking:
        async with trio.open_nursery() as nursery:
            for _ in range(MOST + 5):
                nursery.start_soon(asking.ask)
        assert [found for _, found in asking.answers].count(503) == 5
        assert probe.centre.most == MOST
        await asking.ask()
        assert isinstance(asking.answers[-1][1], Probed), "there is room again"


async def test_a_switch_that_is_pulled_while_a_probe_waits_counts(
    opened: Open, probe: Any, autojump_clock: MockClock
) -> None:
    async with opened(Limits(chats=1)) as asking, trio.open_nursery() as nursery:
        nursery.start_soon(asking.ask)
        await wait_all_tasks_blocked()
        nursery.start_soon(asking.ask)
        await wait_all_tasks_blocked()
        asking.watched.quiet = "the kill switch is there"
    assert [found for _, found in asking.answers][1] == 503
    assert len(probe.centre.chats) == 1


async def test_who_goes_breaks_the_chat_off(
    opened: Open, probe: Any, autojump_clock: MockClock
) -> None:
    async with opened(Limits(chats=1)) as asking:
        with trio.move_on_after(1):
            await asking.ask()
        await asking.ask()
        assert probe.centre.cancelled == 1
        assert trio.current_time() == 6.0, "its seat was free at once"


async def test_what_cannot_be_played_is_an_error_of_the_set_up(
    opened: Open, autojump_clock: MockClock
) -> None:
    async with opened() as asking:
        await asking.ask(target="http://b/broken")
    ((_, found),) = asking.answers
    assert isinstance(found, Probed)
    assert found.result is not None
    assert (found.result.verdict, found.result.reason) == (Verdict.ERROR, Reason.SETUP)


async def test_only_allowed_servers_are_asked(opened: Open, autojump_clock: MockClock) -> None:
    async with opened() as asking:
        await asking.ask(target="http://b/well")
        await asking.ask(target="http://c/well")
        await asking.ask("nobody")
    (_, found), *refused = asking.answers
    assert isinstance(found, Probed)
    assert found.result is not None
    assert found.result.server == "http://b/well"
    assert [status for _, status in refused] == [400, 400]


async def test_a_refusal_tells_no_secret_of_the_file(
    opened: Open, monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    def plans(self: Monitor) -> list[JourneyPlan]:
        raise ConfigError("no server at http://ada:w0nderland@b/chat")

    async with opened() as asking:
        for monitor in asking.watched.file.monitors:
            monitor.masker.hide("w0nderland")
        monkeypatch.setattr(Monitor, "plans", plans)
        with pytest.raises(HTTPException) as refused:
            await asking.prober.probe(Asked(module="chat", target="http://b/chat"))
    assert refused.value.detail == "chat cannot be played: no server at http://ada:***@b/chat"
