"""Botkit's Bayeux client against the extensions of foreign servers, message by message."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest
import trio

from botkit.bayeux.client import Client, Connect, Delivered, Event, Handshake, Lost, Wait
from botkit.bayeux.messages import Message, decode, encode

CHANNEL = "/service/chatV2/support"
LIMIT = 20
EXTENSIONS = {"EXTENSIONS": "ack timesync", "POLL_TIMEOUT_MS": "1000"}
JAVA = ["cometd-8", "cometd-3.1"]

Spoil = Callable[[list[Message]], list[Message] | None]


def texts_in(pushes: Sequence[Any]) -> list[str]:
    """What the agent said, push by push."""
    messages = [message for push in pushes for message in push["messages"]]
    return [m["text"] for m in messages if m["type"] == "Message" and m["from"]["type"] == "Agent"]


class Conversation:
    """A client in the hands of a test, which may spoil what comes back for its connects.

    Attributes:
        client: botkit's.
        arrived: what was pushed with the last connect, whatever the client made of it.
        heard: what the client has told of in all.
    """

    def __init__(self, url: str, http: httpx.AsyncClient) -> None:
        self.client = Client(jitter=lambda: 0.0)
        self.arrived: list[str] = []
        self.heard: list[str] = []
        self._url = url
        self._http = http

    async def post(self, *messages: Message) -> list[Message]:
        headers = {"Content-Type": "application/json"}
        body = encode(messages, orjson)
        reply = await self._http.post(self._url, content=body, headers=headers)
        return decode(reply.raise_for_status().content, orjson)

    async def publish(self, operation: str, **data: Any) -> None:
        message = self.client.publish(CHANNEL, {"operation": operation, **data})
        self._note(self.client.receive(await self.post(message), trio.current_time()))

    async def turn(self, spoil: Spoil = lambda messages: messages) -> list[Event]:
        """Do what the connect loop has to do next, and wait as it has to."""
        action = self.client.next_action(trio.current_time())
        if isinstance(action, Wait):
            await trio.sleep_until(action.until)
            action = self.client.next_action(trio.current_time())
        assert isinstance(action, Handshake | Connect)
        messages = await self.post(*action.messages)
        self.arrived = texts_in([m.data for m in messages if m.channel == CHANNEL])
        kept = spoil(messages)
        now = trio.current_time()
        if kept is None:
            events = self.client.request_failed(now, "lost")
        else:
            events = self.client.receive(kept, now, ends_request=True)
        self._note(events)
        return events

    async def hear(self, text: str) -> None:
        """Connect until the agent has said this."""
        with trio.fail_after(LIMIT):
            while text not in self.heard:
                await self.turn()

    def _note(self, events: list[Event]) -> None:
        pushes = [event.data for event in events if isinstance(event, Delivered)]
        self.heard += texts_in(pushes)


@asynccontextmanager
async def conversation(url: str) -> AsyncIterator[Conversation]:
    """Shake hands, and be greeted."""
    async with httpx.AsyncClient(trust_env=False, timeout=LIMIT) as http:
        one = Conversation(url, http)
        await one.turn()
        await one.publish("requestChat", nickname="Grace")
        await one.hear("Hello, how can I help?")
        yield one


def unnumbered(messages: list[Message]) -> list[Message]:
    return [replace(message, ext=None) for message in messages]


def lost(messages: list[Message]) -> None:
    """The network has swallowed it."""


@pytest.mark.parametrize("name", ["cometd-node", *JAVA])
async def test_what_was_not_acknowledged_comes_again_and_is_told_once(name, start_server) -> None:
    server = start_server(name, **EXTENSIONS)
    async with conversation(server.url) as one:
        assert one.client.batch is not None
        assert server.say("one") == 1
        await one.turn(unnumbered)
        assert server.say("two") == 1
        # The first is sent again, for it was read without its number.
        await one.turn()
        assert one.arrived == ["one", "two"]
        assert server.say("three") == 1
        events = await one.turn(lost)
        assert [type(event) for event in events] == [Lost]
        assert server.say("four") == 1
        await one.turn()
        assert one.arrived == ["three", "four"]
        assert server.say("five") == 1
        await one.turn()
        assert one.arrived == ["five"]
        assert one.heard[1:] == ["one", "two", "three", "four", "five"]


@pytest.mark.parametrize("name", JAVA)
async def test_the_clock_of_the_server_is_found(name, start_server) -> None:
    server = start_server(name, **EXTENSIONS)
    async with conversation(server.url) as one:
        # One that is held takes no lag for its length.
        await one.turn()
        offset, lag = one.client.clock_offset, one.client.lag
        assert offset is not None
        assert lag is not None
        assert trio.current_time() + offset == pytest.approx(time.time(), abs=0.5)
        assert 0 <= lag < 0.5


@pytest.mark.parametrize("name", ["cometd-node", "faye", *JAVA])
async def test_a_server_without_extensions_is_not_asked_for_any(name, start_server) -> None:
    server = start_server(name)
    async with conversation(server.url) as one:
        assert (one.client.batch, one.client.lag) == (None, None)
        action = one.client.next_action(trio.current_time())
        assert isinstance(action, Connect)
        assert action.messages[0].ext is None
