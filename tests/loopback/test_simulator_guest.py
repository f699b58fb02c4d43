"""The guest API on a socket, spoken to by the client of another project."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
import trio
from websockets.exceptions import ConnectionClosed
from websockets.frames import Frame as WireFrame
from websockets.frames import Opcode
from websockets.trio.client import ClientConnection, connect

from botkit.simulator import Simulator, SimulatorAddress, SimulatorSettings
from botkit.simulator.faults import make_fault
from botkit.simulator.guest_settings import GuestSettings

GREETING = "Hello, how can I help you?"


class Guest:
    """A guest whose frames are written here and carried by the package ``websockets``."""

    def __init__(self, socket: ClientConnection, token: str) -> None:
        self.socket = socket
        self.token = token

    async def ask(self, action: str, **members: Any) -> dict[str, Any]:
        """Send a request; returns its answer, and passes over what comes before."""
        frame = {"action": action, "token": self.token, "tracingId": action, **members}
        await self.socket.send(json.dumps(frame))
        while (answer := await self.receive()).get("tracingId") != action:
            pass
        return answer

    async def receive(self) -> dict[str, Any]:
        frame: dict[str, Any] = json.loads(await self.socket.recv())
        return frame

    async def hear(self, text: str) -> None:
        """Wait until an agent has said something."""
        while True:
            body = (await self.receive())["body"]
            if body.get("direction") == "Outbound" and body.get("text") == text:
                return


@asynccontextmanager
async def guest_of(address: SimulatorAddress, token: str = "g-1") -> AsyncIterator[Guest]:
    async with connect(address.guest_url, proxy=None) as socket:
        guest = Guest(socket, token)
        answer = await guest.ask("configureSession", deploymentId="demo", startNew=False)
        assert answer["code"] == 200
        yield guest


def join() -> dict[str, Any]:
    events = [{"eventType": "Presence", "presence": {"type": "Join"}}]
    return {"type": "Event", "events": events}


async def status_of(address: SimulatorAddress) -> dict[str, Any]:
    async with httpx.AsyncClient(trust_env=False) as web:
        status: dict[str, Any] = (await web.get(address.status_url)).json()
        return status


async def test_a_whole_chat(nursery: trio.Nursery) -> None:
    with trio.fail_after(20):
        address = await nursery.start(Simulator().serve)
        async with guest_of(address) as guest:
            await guest.ask("onMessage", message=join())
            await guest.hear(GREETING)
            copy = await guest.ask("onMessage", message={"type": "Text", "text": "order A17"})
            assert copy["body"]["direction"] == "Inbound"
            await guest.hear("You said: order A17")
            assert (await status_of(address))["open"] == 1
            jwt = (await guest.ask("getJwt"))["body"]["jwt"]
            async with httpx.AsyncClient(trust_env=False) as web:
                url = f"{address.root}/api/v2/webmessaging/messages?pageNumber=1&pageSize=2"
                page = (await web.get(url, headers={"Authorization": f"bearer {jwt}"})).json()
            texts = [entity["text"] for entity in page["entities"]]
            assert texts == ["You said: order A17", "order A17"]
            answer = await guest.ask("closeSession", closeAllConnections=True)
            assert answer["body"]["readOnly"] is True
        status = await status_of(address)
        assert (status["open"], status["total"], status["guests"]) == (0, 1, 0)
        nursery.cancel_scope.cancel()


async def test_a_file_goes_to_the_address_that_the_guest_came_by(nursery: trio.Nursery) -> None:
    with trio.fail_after(20):
        address = await nursery.start(Simulator().serve)
        async with guest_of(address) as guest, httpx.AsyncClient(trust_env=False) as web:
            named = {"attachmentId": "a-1", "fileName": "a.txt", "fileType": "text/plain"}
            place = (await guest.ask("onAttachment", **named))["body"]
            assert place["url"].startswith(f"{address.root}/")
            reply = await web.put(place["url"], content=b"hello", headers=place["headers"])
            assert reply.status_code == 200
            told = await guest.receive()
            assert told["class"] == "UploadSuccessEvent"
            assert (await web.get(told["body"]["downloadUrl"])).content == b"hello"
        nursery.cancel_scope.cancel()


async def test_many_guests_at_once(nursery: trio.Nursery) -> None:
    with trio.fail_after(20):
        address = await nursery.start(Simulator().serve)

        async def chat(number: int) -> None:
            async with guest_of(address, f"g-{number}") as guest:
                await guest.ask("onMessage", message={"type": "Text", "text": str(number)})
                await guest.hear(f"You said: {number}")
                await guest.ask("closeSession", closeAllConnections=True)

        async with trio.open_nursery() as guests:
            for number in range(20):
                guests.start_soon(chat, number)
        status = await status_of(address)
        assert (status["open"], status["total"]) == (0, 20)
        nursery.cancel_scope.cancel()


async def test_a_guest_who_is_cut_off_and_comes_back(nursery: trio.Nursery) -> None:
    faults = (make_fault("kill_connection", on="sendMessage", seconds=0.01, times=1),)
    with trio.fail_after(20):
        address = await nursery.start(Simulator(SimulatorSettings(faults=faults)).serve)
        async with guest_of(address) as guest:
            with pytest.raises(ConnectionClosed):
                await guest.ask("onMessage", message={"type": "Text", "text": "hello"})
            assert guest.socket.close_code == 1006
        async with guest_of(address) as guest:
            jwt = (await guest.ask("getJwt"))["body"]["jwt"]
            async with httpx.AsyncClient(trust_env=False) as web:
                url = f"{address.root}/api/v2/webmessaging/messages"
                page = (await web.get(url, headers={"Authorization": f"bearer {jwt}"})).json()
            assert page["entities"][-1]["text"] == "hello"
        nursery.cancel_scope.cancel()


async def test_the_service_closes_with_a_code(nursery: trio.Nursery) -> None:
    with trio.fail_after(20):
        address = await nursery.start(Simulator().serve)
        async with guest_of(address) as older, guest_of(address) as newer:
            await newer.ask("closeSession", closeAllConnections=True)
            assert (await older.receive())["class"] == "ConnectionClosedEvent"
            with pytest.raises(ConnectionClosed):
                await older.receive()
            assert older.socket.close_code == 1000
        nursery.cancel_scope.cancel()


async def deaf_stream(address: SimulatorAddress) -> trio.SocketStream:
    """Become a WebSocket by hand, for no library would stop reading altogether."""
    stream = await trio.open_tcp_stream(address.host, address.port)
    head = (
        "GET /v1?deploymentId=demo HTTP/1.1",
        f"Host: {address.host}",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
    )
    await stream.send_all("\r\n".join([*head, "", ""]).encode())
    assert (await stream.receive_some(12)) == b"HTTP/1.1 101"
    return stream


def masked(**members: Any) -> bytes:
    """Write a frame of the WebSocket protocol around a frame of a guest."""
    payload = json.dumps({"token": "deaf", **members}).encode()
    return WireFrame(Opcode.TEXT, payload).serialize(mask=True)


async def ask_for_ever(stream: trio.SocketStream) -> None:
    message = {"type": "Text", "text": "x" * 4000}
    while True:
        await stream.send_all(masked(action="echo", message=message))


async def test_a_guest_who_reads_nothing_is_cut_off(nursery: trio.Nursery) -> None:
    settings = SimulatorSettings(guests=GuestSettings(max_waiting=100))
    with trio.fail_after(20):
        address = await nursery.start(Simulator(settings).serve)
        stream = await deaf_stream(address)
        await stream.send_all(masked(action="configureSession", deploymentId="demo"))
        with pytest.raises(trio.BrokenResourceError):
            await ask_for_ever(stream)
        await stream.aclose()
        async with guest_of(address) as other:
            await other.ask("onMessage", message={"type": "Text", "text": "hello"})
            await other.hear("You said: hello")
            assert (await status_of(address))["guests"] == 1
        nursery.cancel_scope.cancel()
