"""The simulator as one function from request to reply: Bayeux, status, faults."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import trio

from botkit.bayeux.messages import JSON
from botkit.errors import ConfigError
from botkit.simulator import status
from botkit.simulator.centre import Centre
from botkit.simulator.door import BayeuxDoor
from botkit.simulator.fault_file import parse_faults
from botkit.simulator.faults import Faults
from botkit.simulator.guest_web import SOCKET_PATH, GuestWeb
from botkit.simulator.http import Reply, Request
from botkit.simulator.rest_door import RestDoor
from botkit.simulator.side_door import SideDoor
from botkit.simulator.socket_door import SocketDoor
from botkit.simulator.upgrade import is_upgrade

__all__ = ["BAYEUX_PATH", "REST_PATH", "STATUS_PATH", "App"]

BAYEUX_PATH = "/genesys/cometd"
REST_PATH = "/genesys/2/chat"
FILES_PATH = "/genesys/2/chat-ntf"
STATUS_PATH = "/simulator/status"
CHATS_PATH = "/simulator/chats/"
FAULTS_PATH = "/simulator/faults"

HELP = f"""There is nothing here. This is the botkit simulator, a test double of a contact centre:

POST BASE{BAYEUX_PATH}      Bayeux, with GMS Chat API v2 on /service/chatV2/SERVICE
GET  BASE{BAYEUX_PATH}      a WebSocket: the same
POST BASE{FILES_PATH}    files of chats over Bayeux
POST BASE{REST_PATH}/SERVICE   GMS Chat API v2 over REST
GET  {SOCKET_PATH}?deploymentId=ID     a WebSocket: the guest API of Genesys Cloud web messaging
GET  {STATUS_PATH}         what goes on, as JSON
GET  {CHATS_PATH}ID       one chat, as JSON
GET  {FAULTS_PATH}         the faults, as JSON
POST {FAULTS_PATH}         other faults, as YAML or JSON, such as [{{name: http_500, on: connect}}]
"""


class App:
    """Answers the requests of one simulator.

    Args:
        door: for everything below the Bayeux path.
        sockets: for WebSockets there.
        side: for the files of chats over Bayeux.
        rest: for everything below the path of the chat API over REST.
        guests: for the guest API of Genesys Cloud, wherever its paths are.
        centre: for the status.
        faults: for the status, and to be changed.
        status: sums everything up.
        base: path before ``/genesys``, as behind a proxy.
    """

    def __init__(
        self,
        *,
        door: BayeuxDoor,
        sockets: SocketDoor,
        side: SideDoor,
        rest: RestDoor,
        guests: GuestWeb,
        centre: Centre,
        faults: Faults,
        status: Callable[[], dict[str, JSON]],
        base: str = "",
    ) -> None:
        self._door = door
        self._sockets = sockets
        self._side = side
        self._rest = rest
        self._guests = guests
        self._centre = centre
        self._faults = faults
        self._status = status
        self._bayeux = base.rstrip("/") + BAYEUX_PATH
        self._files_path = base.rstrip("/") + FILES_PATH
        self._rest_path = base.rstrip("/") + REST_PATH + "/"

    async def handle(self, request: Request) -> Reply:
        """Answer a request; a held connect is answered when it is due."""
        path = request.path
        if path.startswith(self._bayeux) and path[len(self._bayeux) :][:1] in ("", "/"):
            if request.method == "POST":
                return await self._door.handle(request)
            if self._sockets.is_served and is_upgrade(request):
                return await self._sockets.handle(request)
            return _text(405, "Bayeux is spoken by POST here, or over a WebSocket.\n")
        if path.startswith(self._rest_path):
            return await self._rest.handle(request, path.removeprefix(self._rest_path))
        if path.rstrip("/") == self._files_path:
            return await self._side.handle(request)
        if (found := self._guests.find(path)) is not None:
            return await self._guests.handle(request, *found)
        await trio.lowlevel.checkpoint()
        return self._handle_nowait(request, path.rstrip("/") or "/")

    def _handle_nowait(self, request: Request, path: str) -> Reply:
        match request.method, path:
            case "GET" | "HEAD", p if p == STATUS_PATH:
                return _json(self._status())
            case "GET" | "HEAD", p if p == FAULTS_PATH:
                return _json(status.faults_of(self._faults))
            case "POST", p if p == FAULTS_PATH:
                return self._change_faults(request.body)
            case "GET" | "HEAD", p if p.startswith(CHATS_PATH):
                return self._show_chat(p.removeprefix(CHATS_PATH))
            case _, p if p in (STATUS_PATH, FAULTS_PATH) or p.startswith(CHATS_PATH):
                return _text(405, HELP)
            case _:
                return _text(404, HELP)

    def _show_chat(self, chat_id: str) -> Reply:
        chat = self._centre.by_id(chat_id)
        if chat is None:
            return _text(404, f"There is no chat {chat_id!r:.60}, or it is long over.\n")
        return _json(status.detail_of(chat, now=trio.current_time()))

    def _change_faults(self, body: bytes) -> Reply:
        """Put other faults in place of the present ones; with a seed, chance begins again."""
        try:
            read = parse_faults(body.decode(), file="faults")
        except UnicodeDecodeError as error:
            return _text(400, f"faults: this is no UTF-8: {error}\n")
        except ConfigError as error:
            return _text(400, f"{error}\n")
        self._faults.change(read.faults, seed=read.seed)
        return _json(status.faults_of(self._faults))


def _json(value: JSON) -> Reply:
    headers = (("Content-Type", "application/json"), ("Cache-Control", "no-store"))
    return Reply(headers=headers, body=orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n")


def _text(code: int, text: str) -> Reply:
    headers = (("Content-Type", "text/plain;charset=UTF-8"),)
    # What a client sent may hold what UTF-8 cannot write.
    return Reply(status=code, headers=headers, body=text.encode("utf-8", "replace"))
