"""Whatever guests send, the simulator answers and goes on, and keeps no more than it may."""

from __future__ import annotations

import gc
import tracemalloc
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from botkit.connectors.websocket import open_websocket
from botkit.interfaces import NetworkSettings
from botkit.simulator import Simulator, SimulatorSettings
from botkit.simulator.centre import CentreSettings
from botkit.simulator.faults import ACTIONS
from botkit.simulator.guest_settings import GuestSettings
from botkit.simulator.http import Request
from botkit.testing import MemoryNetwork

DEPLOYMENT = "11111111-2222-3333-4444-555555555555"
URL = f"ws://simulator/v1?deploymentId={DEPLOYMENT}"

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10
)
events = st.lists(
    st.fixed_dictionaries(
        {"eventType": st.sampled_from(["Typing", "Presence"]) | values},
        optional={
            "typing": st.fixed_dictionaries({"type": st.sampled_from(["On", "Off"]) | values}),
            "presence": st.fixed_dictionaries(
                {"type": st.sampled_from(["Join", "Clear"]) | values}
            ),
        },
    )
)
content = st.lists(
    st.fixed_dictionaries(
        {"contentType": st.sampled_from(["ButtonResponse", "Attachment"]) | values},
        optional={
            "buttonResponse": st.fixed_dictionaries(
                {"type": st.just("QuickReply") | values},
                optional={"text": values, "payload": values},
            )
            | values,
            "attachment": st.fixed_dictionaries({"id": st.just("a") | values}) | values,
        },
    )
)
channel = st.fixed_dictionaries(
    {"metadata": st.fixed_dictionaries({"customAttributes": values}) | values}
)
message = st.fixed_dictionaries(
    {"type": st.sampled_from(["Text", "Structured", "Event"]) | values},
    optional={
        "text": values,
        "events": events | values,
        "content": content | values,
        "channel": channel | values,
    },
)
frames = st.fixed_dictionaries(
    {"action": st.sampled_from(ACTIONS) | values, "token": st.sampled_from("ab") | values},
    optional={
        "tracingId": st.just("t") | values,
        "deploymentId": st.just(DEPLOYMENT) | values,
        "startNew": st.booleans() | values,
        "message": message | values,
        "channel": channel | values,
        "data": st.fixed_dictionaries({"code": values}) | values,
        "closeAllConnections": st.booleans() | values,
        "attachmentId": st.just("a") | values,
        "fileName": st.just("a.png") | values,
        "fileType": st.just("image/png") | values,
        "fileSize": st.integers() | values,
        "errorsAsJson": st.booleans() | values,
    },
)


def encoded(value: Any) -> str:
    try:
        return orjson.dumps(value).decode()
    except (TypeError, ValueError):  # more than JSON can say
        return "null"


def answers(texts: list[str], **members: Any) -> list[Any]:
    """Send frames to a new simulator, in which a session is configured; returns all answers."""

    async def main() -> list[Any]:
        simulator = Simulator(SimulatorSettings(seed=1, **members))
        got: list[Any] = []
        async with trio.open_nursery() as nursery:
            await nursery.start(simulator.run)
            network = MemoryNetwork(simulator.handle)
            socket = await open_websocket(URL, NetworkSettings(), transport=network)
            configure = {"action": "configureSession", "token": "a", "deploymentId": DEPLOYMENT}
            for text in (encoded(configure), *texts):
                await socket.send(text)
            with trio.move_on_after(1.0):
                while True:
                    got.append(orjson.loads(await socket.receive()))
            assert simulator.status()["guests"] == 1
            nursery.cancel_scope.cancel()
        return got

    return trio.run(main, clock=MockClock(autojump_threshold=0))


KEPT_OPEN = GuestSettings(clear=False, rate=1000)


def is_sound(frame: Any) -> bool:
    return (
        {"type", "class", "code", "body"}
        <= set(frame)
        <= {
            "type",
            "class",
            "code",
            "body",
            "tracingId",
        }
    )


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(codec="utf-8")))
def test_any_text_is_answered(text: str) -> None:
    first, second, *_ = answers([text], guests=KEPT_OPEN)
    assert first["code"] == 200
    assert second["code"] in (400, 4020)


@settings(max_examples=80, deadline=None)
@given(st.lists(frames | values, min_size=1, max_size=8))
def test_any_json_is_answered(said: list[Any]) -> None:
    got = answers(
        [text for text in map(encoded, said) if '"closeSession"' not in text], guests=KEPT_OPEN
    )
    assert all(map(is_sound, got))


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from(["GET", "PUT", "POST", "DELETE"]),
    st.sampled_from(
        [
            "/v1",
            "/webdeployments/v1/deployments/d/config.json",
            "/webdeployments/v1/deployments//config.json",
            "/api/v2/webmessaging/messages",
            "/api/v2/webdeployments/token/refresh",
            "/api/v2/webdeployments/token/revoke",
            "/api/v2/webdeployments/token/oauthcodegrantjwtexchange",
            "/simulator/guest/uploads/x",
            "/simulator/guest/downloads/x-y-z",
        ]
    ),
    st.text(st.characters(codec="latin-1"), max_size=40),
    st.dictionaries(st.sampled_from(["authorization", "host", "upgrade"]), st.text(max_size=20)),
    st.binary(max_size=50) | values.map(encoded).map(str.encode),
)
def test_any_request_is_answered(
    method: str, path: str, query: str, headers: dict[str, str], body: bytes
) -> None:
    async def main() -> int:
        simulator = Simulator(SimulatorSettings(seed=1))
        reply = await simulator.handle(
            Request(method=method, path=path, query=query, headers=headers, body=body)
        )
        return reply.status

    assert 200 <= trio.run(main) < 500


async def test_memory_is_bounded(
    start_simulator: Callable[..., Awaitable[Simulator]],
    new_guest: Any,
    autojump_clock: MockClock,
) -> None:
    guests = GuestSettings(keep_sessions=20, max_kept_bytes=50_000, keep_files=20)
    simulator = await start_simulator(guests=guests, centre=CentreSettings(keep_finished=20))
    named = {"fileName": "a.png", "fileType": "image/png"}

    async def chats(first: int, count: int) -> None:
        for number in range(first, first + count):
            guest = new_guest(simulator, f"guest-{number}")
            await guest.configure()
            place = await guest.ask("onAttachment", attachmentId=f"a-{number}", **named)
            place = place["body"]
            await guest.web.put(place["url"], content=b"x" * 5000, headers=place["headers"])
            await guest.say("hello")
            await guest.hear("You said: hello")
            await guest.ask("closeSession", closeAllConnections=True)
            await guest.socket.aclose()
            await guest.web.aclose()

    await chats(0, 60)
    tracemalloc.start()
    await chats(60, 40)
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    await chats(100, 200)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert after - before < 200 * 1000
    assert len(simulator.guests.sessions) <= 20
