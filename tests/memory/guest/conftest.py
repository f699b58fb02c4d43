"""A web messaging service in the hands of a test: no bytes, any clock."""

from __future__ import annotations

import json
import math
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest
import trio

from botkit.chat import Event
from botkit.connectors import chat_network
from botkit.connectors.genesys_cloud import GenesysCloud
from botkit.errors import ConnectorError, ungrouped
from botkit.genesys.web_content import (
    Attachment,
    Content,
    attachment_content,
    attachments_in,
)
from botkit.genesys.web_messaging import decode_request, encode_frame, encode_history
from botkit.genesys.web_records import (
    AttachmentDeleted,
    Body,
    ConnectionClosed,
    Frame,
    GuestMessage,
    History,
    Jwt,
    MessageEvent,
    Opaque,
    PresignedUrl,
    Request,
    Sender,
    SessionInfo,
    TooManyRequests,
    Uploaded,
)
from botkit.interfaces import Opening
from botkit.session import ChatSession

URL = "wss://webmessaging.example.com/v1?deploymentId=d-1"
EPOCH = 1_700_000_000.0
PAGE = 25
CLOSED = SessionInfo(connected=False, read_only=True)


@dataclass(kw_only=True)
class GuestSession:
    """What the service knows of one token."""

    said: list[GuestMessage] = field(default_factory=list)
    attributes: dict[str, str] = field(default_factory=dict)
    is_open: bool = True
    read_only: bool = False


class PeerSocket:
    """One WebSocket, the client's end of it."""

    close_code: int | None = None
    close_reason = ""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.token = ""
        self.is_open = True
        self._to_client, self._from_service = trio.open_memory_channel[str](math.inf)

    async def send(self, text: str) -> None:
        await trio.lowlevel.checkpoint()
        if not self.is_open:
            raise ConnectorError("the connection was cut", kind="lost")
        self.peer.take(self, decode_request(json.loads(text)))

    async def receive(self) -> str:
        try:
            return await self._from_service.receive()
        except trio.EndOfChannel:
            raise ConnectorError("the connection was cut", kind="lost") from None

    async def aclose(self) -> None:
        self.cut()
        await trio.lowlevel.checkpoint()

    def cut(self) -> None:
        self.is_open = False
        self._to_client.close()

    def push(self, name: str, body: Body, **members: Any) -> None:
        frame = Frame(name=name, body=body, **members)
        self.push_text(json.dumps(encode_frame(frame)))

    def push_text(self, text: str) -> None:
        if self.is_open:
            self._to_client.send_nowait(text)

    def answer(self, request: Request, name: str, body: Body, code: int = 200) -> None:
        self.push(name, body, code=code, type="response", tracing_id=request.tracing_id)


Rule = Callable[[PeerSocket, Request], bool | None]


class Peer(httpx.AsyncBaseTransport):
    """A service that does what a test tells it to, and otherwise what the reference says.

    Attributes:
        rules: asked first about each request; one that returns true has dealt with it.
        refusals: raised for connections to come, one after another.
        config: the deployment's configuration.
        web: answers HTTP requests to other places, by method and path.
        info: what a session response says besides.
        confirms: own lines are confirmed.
    """

    def __init__(self) -> None:
        self.sockets: list[PeerSocket] = []
        self.sessions: dict[str, GuestSession] = {}
        self.requests: list[tuple[float, Request]] = []
        self.fetched: list[httpx.Request] = []
        self.headers: list[Mapping[str, str]] = []
        self.rules: list[Rule] = []
        self.refusals: list[Exception] = []
        self.config: Any = {"messenger": {"apps": {"conversations": {}}}}
        self.web: dict[tuple[str, str], Callable[[httpx.Request], httpx.Response]] = {}
        self.info = SessionInfo(
            new_session=True,
            max_custom_data_bytes=2048,
            file_types=("image/png",),
            blocked_extensions=(".exe",),
            max_file_kb=10,
        )
        self.files: dict[str, bytes] = {}
        self.confirms = True
        self.is_down = False
        self._ids = 0

    # --- what tests ask ---

    @property
    def open_sockets(self) -> int:
        return sum(socket.is_open for socket in self.sockets)

    @property
    def open_sessions(self) -> int:
        return sum(session.is_open for session in self.sessions.values())

    @property
    def session(self) -> GuestSession:
        (session,) = self.sessions.values()
        return session

    def asked(self, action: str) -> list[Request]:
        return [request for _, request in self.requests if request.action == action]

    @property
    def lines(self) -> list[GuestMessage]:
        """What guests said, typing and presence included."""
        return [request.message for request in self.asked("onMessage") if request.message]

    # --- what the agent does ---

    def say(self, text: str, *content: Content, late: float = 0.0, **members: Any) -> GuestMessage:
        """Let the agent say something; ``late`` is how long ago."""
        members = {"entity": "Human", "sender": Sender(nickname="Ada"), **members}
        kind = "Structured" if content else "Text"
        members = {"type": kind, "text": text, "content": content, **members}
        message = self.stamped(direction="Outbound", **members)
        message = replace(message, utc=(message.utc or 0.0) - late)
        for session in self.sessions.values():
            session.said.append(message)
        self.broadcast(message)
        return message

    def event(self, type: str, value: str, **members: Any) -> None:
        event = MessageEvent(type=type, value=value)
        message = self.stamped(type="Event", direction="Outbound", events=(event,), **members)
        self.broadcast(message)

    def broadcast(self, message: GuestMessage, tracing_id: str = "") -> None:
        for socket in self.sockets:
            if socket.is_open and socket.token:
                socket.push("StructuredMessage", message, tracing_id=tracing_id)

    def push(self, name: str, body: Body, **members: Any) -> None:
        for socket in self.sockets:
            socket.push(name, body, **members)

    def cut(self) -> None:
        for socket in self.sockets:
            socket.cut()

    def stamped(self, **members: Any) -> GuestMessage:
        self._ids += 1
        utc = round(EPOCH + trio.current_time() + self._ids / 1000, 3)
        return GuestMessage(id=f"m{self._ids}", utc=utc, **members)

    # --- the service ---

    async def open(self, url: str, network: Any, **members: Any) -> PeerSocket:
        await trio.lowlevel.checkpoint()
        self.headers.append(members.get("headers", {}))
        if self.refusals:
            raise self.refusals.pop(0)
        if self.is_down:
            raise ConnectorError("nobody listens", kind="refused", sent=False)
        socket = PeerSocket(self)
        self.sockets.append(socket)
        return socket

    def take(self, socket: PeerSocket, request: Request) -> None:
        self.requests.append((trio.current_time(), request))
        if any(rule(socket, request) for rule in self.rules):
            return
        getattr(self, f"on_{request.action}")(socket, request)

    def on_configureSession(self, socket: PeerSocket, request: Request) -> None:
        socket.token = request.token
        session = self.sessions.get(request.token)
        is_new = session is None or bool(request.start_new) or not session.is_open
        if session is None or is_new:
            session = self.sessions[request.token] = GuestSession()
        info = replace(self.info, new_session=is_new, read_only=session.read_only)
        socket.answer(request, "SessionResponse", info)

    on_configureAuthenticatedSession = on_configureSession

    def on_onMessage(self, socket: PeerSocket, request: Request) -> None:
        message = request.message
        assert message is not None
        session = self.sessions[request.token]
        session.attributes.update(message.attributes)
        if any(event.value == "Clear" for event in message.events):
            session.is_open = False
            socket.push("SessionClearedEvent", Opaque(value={}))
            socket.push("ConnectionClosedEvent", ConnectionClosed())
            return
        if message.type == "Event":
            return
        content = tuple(self._known(one) for one in message.content)
        copy = self.stamped(
            direction="Inbound", type=message.type, text=message.text, content=content
        )
        session.said.append(copy)
        if self.confirms:
            socket.push("StructuredMessage", copy, tracing_id=request.tracing_id)

    def _known(self, content: Content) -> Content:
        for file in attachments_in([content]):
            return attachment_content(Attachment(id=file.id, name="a.png"))
        return content

    def on_echo(self, socket: PeerSocket, request: Request) -> None:
        pong = GuestMessage(id="echo", text="ping", direction="Inbound")
        socket.answer(request, "StructuredMessage", pong)

    def on_getJwt(self, socket: PeerSocket, request: Request) -> None:
        socket.answer(request, "JwtResponse", Jwt(jwt=f"jwt-{request.token}", expires=1e9))

    def on_closeSession(self, socket: PeerSocket, request: Request) -> None:
        session = self.sessions.get(request.token)
        if session is None:
            socket.answer(request, "string", "session not found", code=4007)
            return
        session.is_open = False
        socket.answer(request, "SessionResponse", CLOSED)

    def on_onAttachment(self, socket: PeerSocket, request: Request) -> None:
        url = f"https://files.example.com/{request.attachment_id}?signed=1"
        body = PresignedUrl(
            attachment_id=request.attachment_id, url=url, headers={"x-amz-tagging": "abc"}
        )
        socket.answer(request, "PresignedUrlResponse", body)

    def on_getAttachment(self, socket: PeerSocket, request: Request) -> None:
        url = f"https://files.example.com/{request.attachment_id}?fresh=1"
        body = PresignedUrl(attachment_id=request.attachment_id, url=url)
        socket.answer(request, "PresignedUrlResponse", body)

    def on_deleteAttachment(self, socket: PeerSocket, request: Request) -> None:
        body = AttachmentDeleted(attachment_id=request.attachment_id)
        socket.push("AttachmentDeletedResponse", body)

    # --- over HTTP ---

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await trio.lowlevel.checkpoint()
        self.fetched.append(request)
        if self.is_down:
            raise httpx.ConnectError("down") from ConnectionRefusedError()
        rule = self.web.get((request.method, request.url.path))
        if rule is not None:
            return rule(request)
        if request.url.path.endswith("config.json"):
            return httpx.Response(200, json=self.config)
        if request.url.path == "/api/v2/webmessaging/messages":
            return self.history_page(request)
        if request.url.host == "files.example.com":
            return self.file(request)
        return httpx.Response(404, text="nothing here")

    def history_page(self, request: httpx.Request) -> httpx.Response:
        token = request.headers["authorization"].removeprefix("bearer jwt-")
        said = self.sessions[token].said[::-1]
        page = int(request.url.params["pageNumber"])
        history = History(
            messages=tuple(said[(page - 1) * PAGE : page * PAGE]),
            page=page,
            pages=math.ceil(len(said) / PAGE),
            total=len(said),
        )
        return httpx.Response(200, json=encode_history(history))

    def file(self, request: httpx.Request) -> httpx.Response:
        file_id = request.url.path[1:]
        if request.method == "GET":
            return httpx.Response(200, content=self.files[file_id])
        self.files[file_id] = request.content
        self.push("UploadSuccessEvent", Uploaded(attachment_id=file_id))
        return httpx.Response(200)


class Client:
    """Opens sessions with a peer."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.connector = GenesysCloud()

    def opening(self, **members: Any) -> Opening:
        return Opening(**{"url": URL, "nickname": "Bob", "transport": self.peer, **members})

    def session(self, **members: Any) -> AbstractAsyncContextManager[ChatSession]:
        """Open a session and leave it at the end of the block."""

        @asynccontextmanager
        async def opened() -> Any:
            with ungrouped():
                async with trio.open_nursery() as nursery:
                    session = ChatSession(nursery, self.opening(**members))
                    await session.open(self.connector)
                    yield session
                    await session.leave()

        return opened()


Until = Callable[[Callable[[], object]], Awaitable[None]]


async def until(holds: Callable[[], object]) -> None:
    """Wait until something holds; for at most ten minutes."""
    with trio.fail_after(600):
        while not holds():  # noqa: ASYNC110 - on virtual time
            await trio.sleep(0.01)


def rejecting(
    action: str, code: int, text: str, *, times: int = 1, traced: bool = True
) -> tuple[Rule, list[Request]]:
    """Make a rule that refuses a request so many times; gives what it refused, too."""
    refused: list[Request] = []

    def rule(socket: PeerSocket, request: Request) -> bool:
        if request.action != action or len(refused) >= times:
            return False
        refused.append(request)
        body: Body = TooManyRequests(retry_after=3.0, code=4029, message=text)
        name, body = ("TooManyRequestsErrorMessage", body) if code == 429 else ("string", text)
        tracing_id = request.tracing_id if traced else ""
        socket.push(name, body, code=code, type="response", tracing_id=tracing_id)
        return True

    return rule, refused


@dataclass(frozen=True)
class Kit:
    """What the tests of this folder use."""

    peer: Peer
    client: Client
    until: Until
    rejecting: Callable[..., tuple[Rule, list[Request]]]
    url: str = URL

    @staticmethod
    def of(session: ChatSession, kind: type[Event]) -> list[Any]:
        return [event for event in session.transcript.recorded() if isinstance(event, kind)]


@pytest.fixture
def kit(monkeypatch: pytest.MonkeyPatch) -> Kit:
    peer = Peer()
    monkeypatch.setattr(chat_network, "open_websocket", peer.open)
    return Kit(peer=peer, client=Client(peer), until=until, rejecting=rejecting)
