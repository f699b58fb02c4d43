"""Customers in processes of their own, which may be killed at any moment. No test; a program.

Everything is imported once. Each line of standard input then asks, in JSON, for one customer, who
is forked off, calls back at ``control`` and tells there, a line of JSON each, what happens to them.
What was told is known even if the next instruction was the last one.

An order has: ``number`` of the customer, ``control`` port, ``mode`` (``start`` or ``restore``),
``url``, ``connector``, ``options``, ``storage`` (``file`` or ``sqlite``), ``path``, ``lines`` to
say, ``open_within``, and ``gate``, where to wait for a word from the control: ``storing`` or
``stored`` (before or after the first state is stored) or ``idle`` (after the last line).
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import trio

import botkit
from botkit.connectors.genesys_cloud import GenesysCloud
from botkit.connectors.gms_cometd import GmsCometd
from botkit.connectors.gms_rest import GmsRest
from botkit.interfaces import Connector, Deliver, Opening, Outcome, Request, State
from botkit.session import ChatSession

PATIENCE = 20.0
"""Seconds in which a customer has done what is to be done; then something is wrong."""
STORAGES: Mapping[str, Any] = {"file": botkit.FileStorage, "sqlite": botkit.SQLiteStorage}
CONNECTORS: Mapping[str, Callable[[], Connector]] = {
    "gms-cometd": GmsCometd,
    "gms-rest": GmsRest,
    "genesys-cloud": GenesysCloud,
}


class Control:
    """The line to the test; what is told is on its way when :meth:`tell` returns."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))

    def tell(self, **what: object) -> None:
        self._socket.sendall(json.dumps(what).encode() + b"\n")

    async def wait(self) -> None:
        """Wait until the test says go on."""
        await trio.lowlevel.wait_readable(self._socket)
        self._socket.recv(1)


class Overheard:
    """A connector that tells of every event the moment it is read, before anybody else hears it."""

    def __init__(self, connector: Connector, control: Control) -> None:
        self._connector = connector
        self._control = control

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connector, name)

    async def connect(
        self,
        opening: Opening,
        requests: AsyncIterator[Request],
        deliver: Deliver,
        *,
        task_status: trio.TaskStatus[None],
    ) -> None:
        def overhear(item: botkit.Event | Outcome | State) -> None:
            if isinstance(item, botkit.Event):
                self._control.tell(read=type(item).__name__, **said(item))
            deliver(item)

        await self._connector.connect(opening, requests, overhear, task_status=task_status)


class GatedStorage:
    """Stops at the first write, before or after it is done, until the test says go on."""

    def __init__(self, storage: botkit.FileStorage, control: Control, gate: str) -> None:
        self._storage = storage
        self._control = control
        self._gate: str | None = gate

    async def read(self) -> Mapping[str, Any] | None:
        return await trio.to_thread.run_sync(self._storage.read)

    async def write(self, state: Mapping[str, Any]) -> None:
        await self._pass("storing")
        await trio.to_thread.run_sync(self._storage.write, state)
        await self._pass("stored")

    async def _pass(self, gate: str) -> None:
        if self._gate == gate:
            self._gate = None
            self._control.tell(at=gate)
            await self._control.wait()


async def chat(order: Mapping[str, Any], control: Control) -> None:
    """Have one chat, and tell what became of it."""
    try:
        with trio.fail_after(PATIENCE), botkit.errors.ungrouped():
            async with trio.open_nursery() as nursery, open_session(order, control) as session:
                well = Well()
                nursery.start_soon(record, session, control, well)
                await converse(session, order, control, well)
                rows = await session.get_transcript()
                control.tell(transcript=[[row.index, row.kind, row.text] for row in rows])
    except botkit.BotkitError as error:
        code = getattr(error, "code", None)
        control.tell(error=type(error).__name__, code=code, text=str(error))
    else:
        control.tell(at="end")


def open_session(
    order: Mapping[str, Any], control: Control
) -> AbstractAsyncContextManager[ChatSession]:
    storage = STORAGES[order["storage"]](order["path"])
    if order["gate"] in ("storing", "stored"):
        storage = GatedStorage(storage, control, order["gate"])
    settings = {
        "service": "demo",
        "storage": storage,
        "connector": Overheard(CONNECTORS[order["connector"]](), control),
        "options": order["options"],
        "open_within": order["open_within"],
    }
    if order["mode"] == "restore":
        return botkit.restore_session(order["url"], **settings)
    return botkit.start_session(order["url"], nickname="Ada", **settings)


class Well:
    """Whether all losses of the connection were made good."""

    def __init__(self) -> None:
        self._event = trio.Event()
        self._event.set()

    def look(self, event: botkit.Event) -> None:
        if isinstance(event, botkit.Interrupted):
            self._event = trio.Event()
        elif isinstance(event, botkit.Continued):
            self._event.set()

    async def wait(self) -> None:
        await self._event.wait()


async def record(session: ChatSession, control: Control, well: Well) -> None:
    async for event in session.events():
        well.look(event)
        control.tell(
            event=type(event).__name__,
            **said(event),
            history=event.history,
            session_id=getattr(event, "session_id", None),
            by=getattr(getattr(event, "by", None), "value", None),
        )


def said(event: botkit.Event) -> dict[str, Any]:
    return {"index": event.index, "text": getattr(event, "text", "")}


async def converse(
    session: ChatSession,
    order: Mapping[str, Any],
    control: Control,
    well: Well,
) -> None:
    await session.wait_for(botkit.AgentConnected, within=PATIENCE)
    for line in order["lines"]:
        try:
            await session.send_message(line)
        except botkit.ConnectorError:
            # Nobody knows whether it was heard, so it is not said again, nor awaited.
            control.tell(unknown=line)
            continue
        await session.expect(botkit.contains(f"You said: {line}"), within=PATIENCE)
        control.tell(answered=line)
    if order["gate"] == "idle":
        control.tell(at="idle")
        await control.wait()
    # Who leaves a moment after a loss is not told any more that it was made good.
    await well.wait()


def main() -> None:
    # Nobody waits for them: that a customer is gone shows at the other end of the control.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for line in sys.stdin:
        order = json.loads(line)
        if os.fork() == 0:
            control = Control(order["control"])
            control.tell(number=order["number"], pid=os.getpid())
            trio.run(chat, order, control)
            os._exit(0)


if __name__ == "__main__":
    main()
