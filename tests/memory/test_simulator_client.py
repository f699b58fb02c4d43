"""The client of ``gms-cometd`` against each fault of the simulator: bytes over memory streams.

What can be survived is survived without loss or repetition; what cannot is told for what it is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from botkit.chat import (
    AgentDisconnected,
    Continued,
    EndedBy,
    Event,
    Interrupted,
    Message,
    SendMessage,
    SessionEnded,
)
from botkit.connectors import chat_network
from botkit.connectors.gms_cometd import GmsCometd
from botkit.connectors.http import LeanHttp
from botkit.errors import (
    BotkitError,
    ChatRefused,
    ConnectorError,
    RemoteProtocolError,
    ungrouped,
)
from botkit.interfaces import NetworkSettings, Opening, Outcome, Request
from botkit.simulator import Simulator
from botkit.simulator.faults import Fault, make_fault
from botkit.simulator.server import serve_stream

Start = Callable[..., Awaitable[Simulator]]
URL = "http://127.0.0.1/genesys/cometd"


class Customer:
    """One chat of the real client, in the hands of a test."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.errors: list[BotkitError] = []
        self._lot = trio.lowlevel.ParkingLot()
        self._send, self._receive = trio.open_memory_channel[Request](10)

    async def open(self, nursery: trio.Nursery, **opening: Any) -> None:
        await nursery.start(
            GmsCometd().connect, Opening(url=URL, **opening), self._receive, self._deliver
        )

    def _deliver(self, item: Event | Outcome) -> None:
        if isinstance(item, Event):
            self.events.append(item)
        elif item.error is not None:
            self.errors.append(item.error)
        self._lot.unpark_all()

    async def until(self, holds: Callable[[], object]) -> None:
        with trio.fail_after(200):
            while not holds():
                await self._lot.park()

    async def say(self, text: str) -> None:
        await self._send.send(Request(number=1, command=SendMessage(text=text)))

    async def leave(self) -> None:
        await self._send.aclose()
        await self.until(lambda: isinstance(self.events[-1], SessionEnded))

    @property
    def heard(self) -> list[str]:
        return [e.text for e in self.events if isinstance(e, Message) and not e.own]

    @property
    def ended_by(self) -> EndedBy | None:
        last = self.events[-1]
        return last.by if isinstance(last, SessionEnded) else None


@pytest.fixture
def connected(
    nursery: trio.Nursery, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Simulator], None]:
    """Puts memory streams to a simulator in place of the client's sockets."""

    def connect(simulator: Simulator) -> None:
        async def open_stream(host: str, port: int) -> trio.abc.Stream:
            await trio.lowlevel.checkpoint()
            ours, theirs = trio.testing.memory_stream_pair()
            nursery.start_soon(serve_stream, simulator.handle, theirs)
            return ours

        def open_http(url: str, settings: NetworkSettings, **_: object) -> LeanHttp:
            return LeanHttp(url, settings, content_type="application/json", open_stream=open_stream)

        monkeypatch.setattr(chat_network, "open_http", open_http)

    return connect


Connected = Callable[[Simulator], None]
EVERYTHING = ["Hello, how can I help you?", "You said: one", "You said: two", "You said: three"]


async def hold_a_chat(customer: Customer) -> None:
    async with trio.open_nursery() as nursery:
        await talk(customer, nursery)
        await customer.leave()


async def talk(customer: Customer, nursery: trio.Nursery) -> None:
    """Open a chat, and say all that is to be said."""
    await customer.open(nursery)
    for text in ("one", "two", "three"):
        await customer.say(text)
        await customer.until(lambda text=text: f"You said: {text}" in customer.heard)
    await customer.until(lambda: len(customer.heard) >= len(EVERYTHING))


SURVIVED = [
    make_fault("unknown_session", after=1, times=2),
    make_fault("unknown_session", after=2, times=1, option="402::Unknown client"),
    make_fault("unknown_session", on="sendMessage", times=2),
    make_fault("session_expiry", after=2, times=2),
    make_fault("refused_handshake", times=1, option="handshake"),
    make_fault("duplicate_connect", after=1, times=2),
    make_fault("kill_connection", after=1, times=3),
    make_fault("http_500", on="connect", after=1, times=3),
    make_fault("html", on="connect", after=1, times=2),
    make_fault("http_500", on="handshake", times=2),
    make_fault("slow_drip", after=3, times=2, seconds=0.002),
    make_fault("stall", on="connect", after=2, times=1, seconds=5.0),
    make_fault("stall", on="sendMessage", times=1, seconds=5.0),
    make_fault("duplicate_message", times=3),
    make_fault("delay_message", on="any", after=1, times=3, seconds=2.0),
    make_fault("lost_message", on="own", after=2),
    make_fault("agent_leaves", service="another"),
]


@pytest.mark.parametrize("fault", SURVIVED, ids=lambda f: f"{f.name}-{f.on}-{f.option}")
async def test_a_chat_survives(
    fault: Fault, start_simulator: Start, connected: Connected, autojump_clock: MockClock
) -> None:
    simulator = await start_simulator(faults=(fault,))
    connected(simulator)
    customer = Customer()
    await hold_a_chat(customer)
    assert sorted(customer.heard) == sorted(EVERYTHING)
    assert customer.errors == []
    assert customer.ended_by is EndedBy.CUSTOMER
    assert simulator.centre.open_chats == 0
    indexes = [e.index for e in customer.events if e.index is not None]
    assert len(indexes) == len(set(indexes))


@pytest.mark.parametrize("seed", range(10))
async def test_many_chats_survive_everything_at_once(
    seed: int, start_simulator: Start, connected: Connected, autojump_clock: MockClock
) -> None:
    # A customer loses the session only twice: that may cost four of the five attempts of a line.
    once: dict[str, Any] = {"times": 1, "each_session": True, "probability": 0.3}
    faults = (
        make_fault("unknown_session", **once, after=2),
        make_fault("session_expiry", **once, after=2),
        make_fault("kill_connection", **once),
        make_fault("duplicate_connect", **once),
        make_fault("html", on="connect", **once),
        make_fault("duplicate_message", on="any", probability=0.2),
        make_fault("delay_message", on="joined", probability=0.3),
    )
    simulator = await start_simulator(faults=faults, seed=seed)
    connected(simulator)
    customers = [Customer() for _ in range(10)]
    async with trio.open_nursery() as chats:
        async with trio.open_nursery() as talks:
            for customer in customers:
                talks.start_soon(talk, customer, chats)
        # A goodbye has four seconds, which is too short for everything at once.
        simulator.faults.change(())
        for customer in customers:
            await customer.leave()
    for customer in customers:
        assert customer.heard == EVERYTHING
        assert customer.errors == []
        assert customer.ended_by is EndedBy.CUSTOMER
    assert (simulator.centre.total, simulator.centre.open_chats) == (10, 0)
    assert sum(simulator.faults.struck.values()) > 20


async def test_a_lost_session_is_told_of(
    start_simulator: Start, connected: Connected, autojump_clock: MockClock
) -> None:
    fault = make_fault("unknown_session", after=2, times=1)
    connected(await start_simulator(faults=(fault,)))
    customer = Customer()
    await hold_a_chat(customer)
    kinds = [type(event) for event in customer.events]
    assert kinds.index(Interrupted) < kinds.index(Continued)


@pytest.mark.parametrize("name", ["http_500", "html", "stall"])
async def test_an_unknown_outcome_is_an_error_and_is_not_tried_again(
    name: str, start_simulator: Start, connected: Connected, autojump_clock: MockClock
) -> None:
    settings: dict[str, Any] = {"seconds": 60.0} if name == "stall" else {}
    fault = make_fault(name, on="sendMessage", times=1, **settings)
    simulator = await start_simulator(faults=(fault,))
    connected(simulator)
    customer = Customer()
    async with trio.open_nursery() as nursery:
        await customer.open(nursery)
        await customer.until(lambda: customer.heard)
        await customer.say("once")
        await customer.until(lambda: customer.errors)
        await customer.leave()
    assert isinstance(customer.errors[0], ConnectorError | RemoteProtocolError)
    (chat,) = simulator.centre.chats()
    assert [entry.text for entry in chat.log].count("once") <= 1
    assert customer.ended_by is EndedBy.CUSTOMER


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (make_fault("refuse_chat"), ChatRefused),
        (make_fault("refused_handshake"), ChatRefused),
        (make_fault("refused_handshake", option="handshake"), ChatRefused),
        (make_fault("advice_none"), ChatRefused),
        (make_fault("html"), RemoteProtocolError),
        (make_fault("truncated_json", on="handshake"), (ConnectorError, RemoteProtocolError)),
        (make_fault("http_500"), ConnectorError),
        (make_fault("kill_connection", on="handshake"), ConnectorError),
        (make_fault("stall"), ConnectorError),
    ],
    ids=lambda value: value.name if isinstance(value, Fault) else "",
)
async def test_a_chat_that_cannot_be_opened_says_why(
    fault: Fault,
    error: type[Exception],
    start_simulator: Start,
    connected: Connected,
    autojump_clock: MockClock,
) -> None:
    simulator = await start_simulator(faults=(fault,))
    connected(simulator)
    with trio.fail_after(30), pytest.raises(error), ungrouped():
        async with trio.open_nursery() as nursery:
            await Customer().open(nursery)
    assert simulator.centre.open_chats == 0


async def test_a_goodbye_that_is_not_confirmed_is_told(
    start_simulator: Start, connected: Connected, autojump_clock: MockClock
) -> None:
    simulator = await start_simulator(faults=(make_fault("no_chat_end"),))
    connected(simulator)
    customer = Customer()
    async with trio.open_nursery() as nursery:
        await customer.open(nursery)
        began = trio.current_time()
        await customer.leave()
    assert customer.ended_by is EndedBy.UNCONFIRMED
    assert trio.current_time() - began < 5
    assert simulator.centre.open_chats == 1


async def test_advice_to_stop_in_the_middle_is_a_loss(
    start_simulator: Start, connected: Connected, autojump_clock: MockClock
) -> None:
    connected(await start_simulator(faults=(make_fault("advice_none", after=2),)))
    customer = Customer()
    async with trio.open_nursery() as nursery:
        await customer.open(nursery)
        await customer.until(lambda: customer.ended_by)
    assert customer.ended_by is EndedBy.LOST


async def test_a_transfer_is_seen_as_a_change_of_agents(
    start_simulator: Start, connected: Connected, autojump_clock: MockClock
) -> None:
    connected(await start_simulator(faults=(make_fault("transfer"),)))
    customer = Customer()
    async with trio.open_nursery() as nursery:
        await customer.open(nursery)
        await customer.until(lambda: len(customer.heard) == 2)
        await customer.say("hi")
        await customer.until(lambda: customer.heard[-1] == "You said: hi")
        await customer.leave()
    assert AgentDisconnected in [type(event) for event in customer.events]


async def test_a_cancelled_chat_is_left(
    start_simulator: Start, connected: Connected, autojump_clock: MockClock
) -> None:
    simulator = await start_simulator()
    connected(simulator)
    customer = Customer()
    with trio.move_on_after(1):
        async with trio.open_nursery() as nursery:
            await customer.open(nursery)
            await trio.sleep_forever()
    assert customer.ended_by is EndedBy.CUSTOMER
    assert (simulator.centre.open_chats, simulator.bayeux.sessions) == (0, ())
