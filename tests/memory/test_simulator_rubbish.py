"""Whatever arrives, the simulator answers, and goes on: bytes, JSON, messages, operations."""

from __future__ import annotations

from typing import Any

import orjson
import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from trio.testing import MockClock

from botkit.simulator import Simulator, SimulatorSettings
from botkit.simulator.faults import KINDS, make_fault
from botkit.simulator.http import Reply, Request

CHANNELS = ["/meta/handshake", "/meta/connect", "/meta/subscribe", "/meta/disconnect"]
OPERATIONS = ["requestChat", "sendMessage", "requestNotifications", "updateData", "disconnect"]

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=10
)
operations = st.fixed_dictionaries(
    {"operation": st.sampled_from(OPERATIONS) | values},
    optional=dict.fromkeys(("nickname", "message", "userData", "transcriptPosition"), values),
)
messages = st.fixed_dictionaries(
    {"channel": st.sampled_from([*CHANNELS, "/service/chatV2/demo", "/open"]) | values},
    optional={
        "id": values,
        "clientId": values,
        "version": st.just("1.0") | values,
        "supportedConnectionTypes": st.just(["long-polling"]) | values,
        "connectionType": st.just("long-polling") | values,
        "advice": st.just({"timeout": 0}) | values,
        "subscription": values,
        "data": operations | values,
    },
)


def ask(body: bytes, **request: Any) -> Reply:
    """Send one request to a new simulator; a held connect is waited for."""

    async def main() -> Reply:
        simulator = Simulator(SimulatorSettings(seed=1))
        async with trio.open_nursery() as nursery:
            await nursery.start(simulator.run)
            reply = await simulator.handle(
                Request(path="/genesys/cometd", body=body, headers=request.get("headers", {}))
            )
            nursery.cancel_scope.cancel()
        return reply

    return trio.run(main, clock=MockClock(autojump_threshold=0))


def encoded(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # an integer that JSON's readers need not know
        return b"[]"


@given(st.binary(max_size=200), st.sampled_from(["", "application/json", "text/plain"]))
@settings(max_examples=60, deadline=None)
def test_bytes(body: bytes, kind: str) -> None:
    assert ask(body, headers={"content-type": kind}).status in (200, 400)


@given(st.binary(max_size=100))
@settings(max_examples=40, deadline=None)
def test_forms(body: bytes) -> None:
    kind = "application/x-www-form-urlencoded"
    assert ask(b"message=" + body, headers={"content-type": kind}).status in (200, 400)


@given(st.lists(messages | values, max_size=4))
@settings(max_examples=150, deadline=None)
def test_messages(sent: list[Any]) -> None:
    assert ask(encoded(sent)).status in (200, 400, 500)


@given(
    st.lists(operations | values, min_size=1, max_size=6),
    st.lists(st.sampled_from(list(KINDS)), max_size=3),
)
@settings(max_examples=100, deadline=None)
def test_operations_in_an_open_chat(sent: list[Any], faults: list[str]) -> None:
    async def main() -> None:
        simulator = Simulator(SimulatorSettings(seed=1))
        async with trio.open_nursery() as nursery:
            await nursery.start(simulator.run)
            cookie = ""

            async def post(message: dict[str, Any]) -> Any:
                nonlocal cookie
                request = Request(
                    path="/genesys/cometd", body=encoded([message]), headers={"cookie": cookie}
                )
                reply = await simulator.handle(request)
                cookie = dict(reply.headers).get("Set-Cookie", cookie).partition(";")[0]
                assert reply.status in (200, 400, 500)
                return reply

            types = ["long-polling"]
            hello = {"channel": "/meta/handshake", "version": "1.0"}
            reply = await post({**hello, "supportedConnectionTypes": types})
            client = orjson.loads(reply.body)[0]["clientId"]
            simulator.faults.change([make_fault(name) for name in faults])
            channel = {"channel": "/service/chatV2/demo", "clientId": client}
            await post({**channel, "data": {"operation": "requestChat", "nickname": "Ada"}})
            key = next((chat.secure_key for chat in simulator.centre.chats()), "")
            for data in sent:
                if isinstance(data, dict):
                    data.setdefault("secureKey", key)
                await post({**channel, "data": data})
                await trio.sleep(0.1)
            assert orjson.dumps(simulator.status())
            nursery.cancel_scope.cancel()

    trio.run(main, clock=MockClock(autojump_threshold=0))
