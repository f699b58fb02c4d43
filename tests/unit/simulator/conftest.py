"""A contact centre for guests whose time is made up, and sockets that keep what they get."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from botkit.chat import PartyKind
from botkit.simulator.centre import Centre, CentreSettings
from botkit.simulator.chats import Chat, EntryKind
from botkit.simulator.faults import Faults, make_fault
from botkit.simulator.guest_settings import GuestSettings
from botkit.simulator.guest_wire import Frame, GuestError, parse_request, refusal
from botkit.simulator.guests import Guests
from botkit.simulator.reception import Reception
from botkit.simulator.routing import Assignment, Routing

EPOCH = 1_700_000_000.0
DEPLOYMENT = "11111111-2222-3333-4444-555555555555"


class Socket:
    """One connection of a guest.

    Attributes:
        frames: all that was sent to it.
        closed: the code that it was closed with; None while it is open.
    """

    deployment = DEPLOYMENT
    root = "http://simulator"

    def __init__(self, world: World, token: str) -> None:
        self.frames: list[Any] = []
        self.closed: int | None = None
        self.token = token
        self._world = world

    def send(self, frame: Frame) -> None:
        assert self.closed is None
        self.frames.append(orjson.loads(orjson.dumps(frame)))

    def close(self, code: int = 1000, reason: str = "") -> None:
        self.closed = code

    def ask(self, action: str, **members: Any) -> list[Any]:
        """Ask for something; returns what it brought at once."""
        before = len(self.frames)
        raw = {"action": action, "token": self.token, "tracingId": "t-1", **members}
        try:
            request = parse_request(orjson.dumps(raw).decode())
        except GuestError as error:
            return [refusal(error, None)]
        self._world.desk.receive(self, request)
        return self.frames[before:]

    def configure(self, **members: Any) -> Any:
        """Configure a session; returns the answer to it."""
        members = {"deploymentId": DEPLOYMENT, "startNew": False, **members}
        return self.ask("configureSession", **members)[-1]

    def message(self, **members: Any) -> list[Any]:
        return self.ask("onMessage", message=members)

    def say(self, text: str, **members: Any) -> list[Any]:
        return self.message(type="Text", text=text, **members)

    def presence(self, kind: str, **members: Any) -> list[Any]:
        events = [{"eventType": "Presence", "presence": {"type": kind}}]
        return self.message(type="Event", events=events, **members)

    def typing(self, kind: str = "On") -> list[Any]:
        events = [{"eventType": "Typing", "typing": {"type": kind}}]
        return self.message(type="Event", events=events)

    @property
    def classes(self) -> list[str]:
        return [frame["class"] for frame in self.frames]

    @property
    def texts(self) -> list[str]:
        """What was said, by anybody."""
        return [frame["body"]["text"] for frame in self.frames if "text" in frame["body"]]


class World:
    """The guest API without a network; ``now`` is what the clock says."""

    def __init__(
        self,
        *faults: tuple[str, dict[str, object]],
        centre: CentreSettings | None = None,
        **settings: Any,
    ) -> None:
        self.now = 100.0
        self.assigned: list[tuple[Chat, Assignment]] = []
        self.later: list[tuple[float, Callable[[], None]]] = []
        rng = random.Random(1)
        self.faults = Faults([make_fault(name, **more) for name, more in faults], rng=rng)
        self.centre = Centre(settings=centre, rng=rng, epoch=EPOCH)
        reception = Reception(
            centre=self.centre,
            routing=Routing(None, new_values=pytest.fail),
            faults=self.faults,
            assign=lambda chat, assignment: self.assigned.append((chat, assignment)),
            clock=lambda: self.now,
        )
        self.guests = Guests(
            settings=GuestSettings(**{"rate": 1000, **settings}),
            centre=self.centre,
            reception=reception,
            faults=self.faults,
            rng=rng,
            clock=lambda: self.now,
            epoch=EPOCH,
            later=lambda seconds, do: self.later.append((seconds, do)),
            on_change=lambda: None,
        )
        self.desk = self.guests.desk

    def socket(self, token: str = "guest-1") -> Socket:
        return Socket(self, token)

    def configured(self, token: str = "guest-1", **members: Any) -> Socket:
        socket = self.socket(token)
        assert socket.configure(**members)["code"] == 200
        return socket

    @property
    def chat(self) -> Chat:
        """The only open chat."""
        [chat] = self.centre.open_chat_list()
        return chat

    def agent_says(self, text: str, kind: PartyKind = PartyKind.AGENT, **members: Any) -> None:
        """Let an agent say a line, who joins for it if nobody has."""
        chat = self.chat
        if not chat.agents:
            self.centre.join(chat, "Grace", now=self.now, kind=kind)
        [party] = chat.agents.values()
        self.centre.write(chat, EntryKind.MESSAGE, party, now=self.now, text=text, **members)


@pytest.fixture
def new_world() -> type[World]:
    """Makes guest APIs."""
    return World
