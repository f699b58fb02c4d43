"""Conversations of real servers and of the specification, played against both halves.

Each JSON file beside this one names its ``source`` and holds ``steps``: a request, the reply to
it, and the events that the client must make of that reply, or of its loss, where it is ``lost``.
The client half has to build the same request, except for its ids, and to draw these events. The
server half has to grant or refuse alike and, where the file is ``exact``, to answer with the same
JSON.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import orjson
import pytest

from botkit.bayeux.advice import Advice, Reconnect
from botkit.bayeux.client import Client, Connect, Handshake, Wait
from botkit.bayeux.messages import CONNECT, DISCONNECT, HANDSHAKE, SUBSCRIBE, UNSUBSCRIBE, Message
from botkit.bayeux.messages import decode as read
from botkit.bayeux.messages import encode as write
from botkit.bayeux.personality import (
    COMETD,
    COMETD_NODE,
    FAYE,
    OLD_UNKNOWN_CLIENT,
    ErrorTexts,
    Personality,
)
from botkit.bayeux.server import Denial, Server
from botkit.bayeux.states import missing, rule_of

FILES = sorted(Path(__file__).parent.glob("*.json"))
SERVERS: dict[str, Personality] = {
    "cometd": COMETD,
    "cometd-4": replace(COMETD, errors=ErrorTexts(unknown_session=OLD_UNKNOWN_CLIENT)),
    "cometd-8-ack": replace(COMETD, ack=True, connection_types=("long-polling", "websocket")),
    "cometd-nodejs": COMETD_NODE,
    "faye": FAYE,
}
conversations = pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)


def load(file: Path) -> dict[str, Any]:
    conversation = orjson.loads(file.read_bytes())
    assert isinstance(conversation, dict)
    return conversation


def build(client: Client, golden: Message) -> Message:
    """Have the client build what the conversation has at this point."""
    match golden.channel:
        case "/meta/handshake" | "/meta/connect":
            action = client.next_action(0.0)
            if isinstance(action, Wait):
                action = client.next_action(action.until)
            assert isinstance(action, Handshake | Connect)
            (message,) = action.messages
            return message
        case "/meta/subscribe":
            return client.subscribe(*(golden.subscription or ()))
        case "/meta/unsubscribe":
            return client.unsubscribe(*(golden.subscription or ()))
        case "/meta/disconnect":
            goodbye = client.disconnect()
            assert goodbye is not None
            return goodbye
        case channel:
            return client.publish(channel, golden.data)


def test_there_are_conversations() -> None:
    assert {file.stem for file in FILES} >= {"specification", "cometd-nodejs", "faye"}
    assert all(load(file)["source"] for file in FILES)


@conversations
def test_client_holds_the_conversation(file: Path) -> None:
    client = Client(jitter=lambda: 0.0)
    for step in load(file)["steps"]:
        (golden,) = read(orjson.dumps(step["request"]), orjson)
        built = build(client, golden)
        assert built.channel == golden.channel
        for name in ("client_id", "connection_type", "subscription", "data", "version"):
            assert getattr(built, name) == getattr(golden, name), name
        if golden.ext is not None and "ack" in golden.ext:
            assert built.ext is not None
            assert built.ext["ack"] == golden.ext["ack"]
        if step.get("lost"):
            events = client.request_failed(0.0)
            assert [type(event).__name__ for event in events] == step["events"]
            continue
        # The reply comes back with the id that this client gave.
        replies = [
            {**reply, "id": built.id} if "successful" in reply and "id" in reply else reply
            for reply in step["reply"]
        ]
        events = client.receive(
            read(orjson.dumps(replies), orjson),
            0.0,
            ends_request=golden.channel in (HANDSHAKE, CONNECT),
        )
        assert [type(event).__name__ for event in events] == step["events"]
        assert not client.is_asking


@conversations
def test_server_holds_the_conversation(file: Path) -> None:
    conversation = load(file)
    denials: list[str] = []
    ids = count(1)
    server = Server(
        SERVERS[conversation["server"]],
        new_id=lambda: f"id{next(ids)}",
        authorize=lambda message: (
            Denial(error=denials[-1], advice=Advice(reconnect=Reconnect.NONE)) if denials else None
        ),
    )
    browser: str | None = None
    # The names that the conversation and this server have for the same session.
    theirs, ours = "", ""
    for step in conversation["steps"]:
        denials[:] = [step["denied"]] if "denied" in step else []
        if step.get("forget"):
            server.forget(ours)
        request = [
            replace(message, client_id=ours) if message.client_id == theirs else message
            for message in read(orjson.dumps(step["request"]), orjson)
        ]
        assert all(missing(message, rule_of(message.channel).request) == [] for message in request)
        exchange = server.receive(request, now=0.0, browser=browser)
        for push in step.get("deliver", []):
            assert server.deliver(ours, push["channel"], push["data"])
        reply = server.respond(exchange, exchange.deadline or 0.0)
        browser = reply.set_cookie or browser
        (answer,) = [message for message in reply.messages if message.successful is not None]
        if answer.channel == HANDSHAKE and answer.successful:
            theirs, ours = step["reply"][0]["clientId"], answer.client_id or ""
            assert missing(answer, rule_of(HANDSHAKE).reply) == []
        written = write(reply.messages, orjson).replace(ours.encode() or b"\0", theirs.encode())
        compare(conversation, orjson.loads(written), step["reply"])


def compare(conversation: dict[str, Any], ours: list[Any], theirs: list[Any]) -> None:
    if conversation["exact"]:
        assert ours == theirs
    else:
        assert [(m["channel"], m["successful"]) for m in ours] == [
            (m["channel"], m["successful"]) for m in theirs
        ]


def test_every_meta_channel_is_in_some_conversation() -> None:
    seen = {
        message["channel"]
        for file in FILES
        for step in load(file)["steps"]
        for message in step["request"]
    }
    assert seen >= {HANDSHAKE, CONNECT, SUBSCRIBE, UNSUBSCRIBE, DISCONNECT}
