"""The plugins of ``plugins/``, loaded as every user loads them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import trio
from trio.testing import MockClock

import botkit
from botkit.chat import AgentConnected, Event, Message, Party, PartyKind
from botkit.errors import PluginError
from botkit.hookspecs import EVENT_HOOKS
from botkit.interfaces import StateStorage
from botkit.plugins import Dispatcher, load_plugins, make_storage
from botkit.results import JourneyResult, Reason, StepResult, Verdict
from botkit.storage import StateKeeper
from botkit.testing import simulator_in

FOLDER = Path(__file__).parents[2] / "plugins"
AGENT = Party(name="Grace", kind=PartyKind.AGENT)
MACHINE = Party(name="Menu", kind=PartyKind.EXTERNAL)
CUSTOMER = Party(name="Ada", kind=PartyKind.CUSTOMER)


@dataclass(kw_only=True)
class FakeJourney:
    """As much of a journey as the examples use."""

    journey_id: str
    name: str = "smoke"
    began: float = 100.0
    measurements: dict[str, float] = field(default_factory=dict)

    def measure(self, name: str, seconds: float) -> None:
        self.measurements[name] = seconds


def result_of(journey: FakeJourney) -> JourneyResult:
    return JourneyResult(
        run_id="r",
        journey_id=journey.journey_id,
        bot="smoke",
        name=journey.name,
        verdict=Verdict.PASSED,
        reason=Reason.OK,
        started_utc=0.0,
        began=journey.began,
        duration=9.0,
    )


Load = Callable[[str], Dispatcher]


@pytest.fixture
def load() -> Iterator[Load]:
    """Load one plugin of the folder and make the dispatcher of a journey."""
    loaded = []

    def load(name: str) -> Dispatcher:
        plugins = load_plugins(
            folders=[FOLDER], environ={"BOTKIT_LOAD_PLUGINS": name}, built_in=None
        )
        loaded.append(plugins)
        assert [listing.name for listing in plugins.listing()] == [name]
        return plugins.dispatcher(None, "smoke")

    yield load
    for plugins in loaded:
        plugins.close()


async def happen(dispatcher: Dispatcher, journey: FakeJourney, *events: Event) -> None:
    for event in events:
        hook = EVENT_HOOKS[type(event)]
        await dispatcher.dispatch(hook, journey=journey, session=None, event=event)


def said(at: float, party: Party, **more: Any) -> Message:
    own = party is CUSTOMER
    return Message(at=at, seq=1, party=party, text="hello", own=own, **more)


# --- time_to_first_reply -------------------------------------------------------------------------


async def test_time_to_first_reply(load: Load) -> None:
    dispatcher = load("time_to_first_reply")
    journey = FakeJourney(journey_id="j1")
    await happen(
        dispatcher,
        journey,
        said(101.0, MACHINE),
        said(102.0, AGENT, history=True),
        AgentConnected(at=103.0, seq=2, party=AGENT),
        said(104.5, AGENT),
        said(106.0, CUSTOMER),
        said(106.5, MACHINE),
        said(107.0, CUSTOMER),
        said(110.0, AGENT),
        said(120.0, AGENT),
        AgentConnected(at=121.0, seq=9, party=AGENT),
        said(125.0, AGENT),
    )
    assert journey.measurements == {
        "first_reply_after_agent_connected": pytest.approx(1.5),
        "first_reply_after_customer_line": pytest.approx(4.0),
    }


async def test_no_reply_no_figure(load: Load) -> None:
    dispatcher = load("time_to_first_reply")
    journey = FakeJourney(journey_id="j1")
    connected = AgentConnected(at=103.0, seq=2, party=AGENT)
    await happen(dispatcher, journey, connected, said(104.0, CUSTOMER))
    assert journey.measurements == {}


async def test_journeys_are_kept_apart_and_forgotten(load: Load) -> None:
    dispatcher = load("time_to_first_reply")
    one, two = FakeJourney(journey_id="j1"), FakeJourney(journey_id="j2")
    await happen(dispatcher, one, said(101.0, CUSTOMER))
    await happen(dispatcher, two, said(103.0, CUSTOMER))
    await happen(dispatcher, one, said(104.0, AGENT))
    assert one.measurements == {"first_reply_after_customer_line": pytest.approx(3.0)}
    assert two.measurements == {}
    await dispatcher.dispatch("on_journey_finished", journey=two, result=result_of(two))
    await happen(dispatcher, two, said(105.0, AGENT))
    assert two.measurements == {}


# --- event_log -----------------------------------------------------------------------------------


async def test_the_event_log(load: Load, caplog: pytest.LogCaptureFixture) -> None:
    dispatcher = load("event_log")
    journey = FakeJourney(journey_id="j1")
    step = StepResult(
        number=1,
        path="steps[0]",
        verb="say",
        text="say: hello",
        verdict=Verdict.PASSED,
        reason=Reason.OK,
        started=1.0,
        duration=0.5,
    )
    with caplog.at_level(logging.DEBUG, logger="botkit.plugins.event_log"):
        await dispatcher.dispatch("on_journey_started", journey=journey, session=None)
        await happen(dispatcher, journey, said(101.25, AGENT))
        await dispatcher.dispatch("on_step_finished", journey=journey, session=None, step=step)
        result = result_of(journey)
        await dispatcher.dispatch("on_journey_finished", journey=journey, result=result)
    assert caplog.messages == [
        "j1 begins smoke",
        "j1    1.250 s Message",
        "j1    1.500 s steps[0] passed",
        "j1    9.000 s passed",
    ]


async def test_the_event_log_hears_every_event(
    load: Load, caplog: pytest.LogCaptureFixture
) -> None:
    dispatcher = load("event_log")
    journey = FakeJourney(journey_id="j1")
    event = said(101.0, AGENT)
    with caplog.at_level(logging.DEBUG, logger="botkit.plugins.event_log"):
        for hook in EVENT_HOOKS.values():
            await dispatcher.dispatch(hook, journey=journey, session=None, event=event)
    assert len(caplog.messages) == len(EVENT_HOOKS)
    assert "hello" not in caplog.text


# --- http_storage --------------------------------------------------------------------------------


class Shelf:
    """A server that keeps what is put at its URLs."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.tokens: set[str | None] = set()

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.tokens.add(request.headers.get("Authorization"))
        path = request.url.path
        match request.method:
            case "PUT":
                self.kept[path] = request.content
                return httpx.Response(204)
            case "DELETE":
                return httpx.Response(204 if self.kept.pop(path, None) else 404)
            case _ if path in self.kept:
                return httpx.Response(200, content=self.kept[path])
        return httpx.Response(404)


def http_storage(
    answer: Callable[[httpx.Request], httpx.Response], **options: object
) -> StateStorage:
    plugins = load_plugins(folders=[FOLDER], environ={"BOTKIT_LOAD_PLUGINS": "http_storage"})
    try:
        return make_storage(
            plugins,
            "http",
            url="https://state.example/ada",
            transport=httpx.MockTransport(answer),
            **options,
        )
    finally:
        plugins.close()


async def test_a_chat_is_taken_over_by_way_of_an_http_server(
    nursery: trio.Nursery, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_TOKEN", "t0ken")
    shelf = Shelf()
    connector = await simulator_in(nursery)
    storage = http_storage(shelf.answer, token_env="STATE_TOKEN")
    async with botkit.start_session(connector=connector, storage=storage) as session:
        await session.wait_for(AgentConnected)
        await session.detach()
    assert list(shelf.kept) == ["/ada"]
    storage = http_storage(shelf.answer, token_env="STATE_TOKEN")
    async with botkit.restore_session(connector=connector, storage=storage) as restored:
        assert restored.id == session.id
    assert shelf.kept == {}
    assert shelf.tokens == {"Bearer t0ken"}


async def test_a_server_that_fails_is_not_taken_for_an_empty_one() -> None:
    keeper = StateKeeper(http_storage(lambda _: httpx.Response(503)))
    with pytest.raises(PluginError, match=r"plugin 'HttpStorage': the read .* HTTPStatusError"):
        await keeper.load()
    keeper.changed({"session_id": "1"})
    with pytest.raises(PluginError, match=r"the write .* HTTPStatusError"):
        await keeper.flush()


async def test_what_was_not_there_need_not_be_taken_away() -> None:
    shelf = Shelf()
    keeper = StateKeeper(http_storage(shelf.answer))
    keeper.changed({})
    await keeper.flush()
    assert await keeper.load() is None
    assert shelf.tokens == {None}
