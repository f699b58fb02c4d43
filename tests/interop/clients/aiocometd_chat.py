"""Holds one whole chat with aiocometd-ng and prints one JSON line about it.

usage: aiocometd_chat.py URL SERVICE MESSAGES [--subscribe] [--expect-rehandshake]

The options and the printed line are those of cometd_chat.mjs.
"""

import argparse
import asyncio
import itertools
import json
import logging
import sys
from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any

from aiocometd_ng import Client, ConnectionType, Extension
from aiocometd_ng.exceptions import ServerError

LIMIT = 20

JsonObject = dict[str, Any]


class MetaWatch(Extension):
    """Sees every reply: tells new handshakes, and records what the server refused."""

    def __init__(self) -> None:
        self.handshakes = 0
        self.told = 1
        self.again = asyncio.Event()
        self.refusals: list[JsonObject] = []

    async def outgoing(self, payload: list[JsonObject], headers: JsonObject) -> None:
        # The first connect of a new session, not its reply: a server may hold that one.
        if self.handshakes > self.told and payload[0]["channel"] == "/meta/connect":
            self.told = self.handshakes
            self.again.set()

    async def incoming(self, payload: list[JsonObject], headers: JsonObject | None = None) -> None:
        for message in payload:
            channel = message["channel"]
            if message.get("successful") is False:
                refusal = {"meta": channel.removeprefix("/meta/"), "http": None}
                refusal |= {key: message.get(key) for key in ("error", "advice")}
                self.refusals.append(refusal)
            elif channel == "/meta/handshake":
                self.handshakes += 1


class CookieForAddress(Extension):
    """Sends cookies back to a server that is named by its IP address.

    aiohttp's cookie jar keeps none of those, and aiocometd has no option for another jar; without
    its cookie a CometD server answers the first connect with 402.
    """

    def __init__(self) -> None:
        self.cookies = SimpleCookie()

    async def outgoing(self, payload: list[JsonObject], headers: JsonObject) -> None:
        if self.cookies:
            headers["Cookie"] = self.cookies.output(attrs=[], header="", sep=";").strip()

    async def incoming(self, payload: list[JsonObject], headers: JsonObject | None = None) -> None:
        if headers and "Set-Cookie" in headers:
            self.cookies.load(headers["Set-Cookie"])


class Chat:
    """One chat: publishes operations, takes pushes, waits for events in order."""

    def __init__(self, client: Client, watch: MetaWatch, service: str) -> None:
        self.client = client
        self.watch = watch
        self.channel = f"/service/chatV2/{service}"
        self.events: dict[int, JsonObject] = {}
        self.errors: list[JsonObject] = []
        self.replayed = 0
        self.subscribed: bool | str | None = None
        self.key: str | None = None
        self.ended = False
        self.awaited = 0
        self.late = 0
        self.rebound = asyncio.Event()

    async def hold(self, messages: int, *, subscribe: bool, expect_rehandshake: bool) -> None:
        if subscribe:
            await self.subscribe()
        userdata = {"Segment": "gold"}
        await self.publish("requestChat", nickname="Grace", subject="interop", userData=userdata)
        await self.wait_event(lambda e: e["type"] == "ParticipantJoined" and e["from"] == "Agent")
        for n in range(1, messages + 1):
            await self.publish("sendMessage", message=f"message {n}")
            answer = f"You said: message {n}"
            await self.wait_event(lambda e, a=answer: e["from"] == "Agent" and e["text"] == a)
            if n == 1 and expect_rehandshake:
                await self.be_forgotten()
        await self.publish("disconnect")
        while not self.ended:
            await self.receive()

    async def subscribe(self) -> None:
        try:
            await self.client.subscribe(self.channel)
            self.subscribed = True
        except ServerError as refused:
            self.subscribed = refused.error

    async def be_forgotten(self) -> None:
        print("forget me", file=sys.stderr, flush=True)
        await self.rebound.wait()

    async def rebind(self) -> None:
        """Resume the chat after each further handshake."""
        while True:
            await self.watch.again.wait()
            self.watch.again.clear()
            await self.publish("requestNotifications", transcriptPosition=self.first_missing())
            self.rebound.set()

    async def publish(self, operation: str, **details: object) -> None:
        key = {"secureKey": self.key} if self.key else {}
        await self.client.publish(self.channel, {"operation": operation, **key, **details})

    def first_missing(self) -> int:
        """Give the index to resume from: not the highest, for an event may be late."""
        return next(index for index in itertools.count(1) if index not in self.events)

    async def wait_event(self, fits: Callable[[JsonObject], bool]) -> None:
        """Wait for an event that fits, after the last awaited one."""
        while True:
            for index, event in sorted(self.events.items()):
                if index > self.awaited and fits(event):
                    self.awaited = index
                    return
            await self.receive()

    async def receive(self) -> None:
        data = (await self.client.receive())["data"]
        if data["statusCode"] != 0:
            self.errors += data["errors"]
        self.key = data.get("secureKey") or self.key
        self.ended = self.ended or data["chatEnded"]
        for event in data.get("messages", []):
            index = event["index"]
            if index in self.events:
                self.replayed += 1
                continue
            self.late += index < max(self.events, default=0)
            plain = {key: event.get(key) for key in ("index", "type", "text", "userData")}
            self.events[index] = plain | {"from": event["from"]["type"]}


async def run(options: argparse.Namespace) -> JsonObject:
    watch = MetaWatch()
    client = Client(
        options.url, ConnectionType.LONG_POLLING, extensions=[watch, CookieForAddress()]
    )
    chat = Chat(client, watch, options.service)
    try:
        async with asyncio.timeout(LIMIT), client:
            rebinding = asyncio.create_task(chat.rebind())
            await chat.hold(
                options.messages,
                subscribe=options.subscribe,
                expect_rehandshake=options.expect_rehandshake,
            )
            rebinding.cancel()
    except Exception as problem:  # whatever ended the chat belongs into the line, not into a trace
        chat.errors.append({"message": repr(problem)})
    return {
        "ok": not chat.errors,
        "events": [event for _, event in sorted(chat.events.items())],
        "late": chat.late,
        "replayed": chat.replayed,
        "rehandshakes": max(watch.handshakes - 1, 0),
        "subscribed": chat.subscribed,
        "metaErrors": watch.refusals,
        "errors": chat.errors,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("service")
    parser.add_argument("messages", type=int)
    parser.add_argument("--subscribe", action="store_true")
    parser.add_argument("--expect-rehandshake", action="store_true")
    logging.disable(logging.CRITICAL)  # it logs a traceback for each close
    report = asyncio.run(run(parser.parse_args()))
    print(json.dumps(report))
    raise SystemExit(0 if report["ok"] else 1)


if __name__ == "__main__":
    main()
