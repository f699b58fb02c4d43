"""A wire: chats with an assistant behind the REST channel of Rasa (connector ``rasa-rest``).

The customer's lines are posted to the channel's webhook, and each answer holds what the assistant
says to it. Theory of operation: a line counts as said when it is on its way, so that ``within``
measures the assistant; one task posts the lines in order. A post that fails has lost the line, and
ends the chat (``lost``), for nothing better can be known of it; it is never repeated.

What the channel knows and does not know:

- A chat is opened by its first line. At its beginning the channel is asked whether it is there.
- Nobody joins: the assistant is in the chat from the beginning (``wait_for: agent`` holds at once).
- User data goes with each line as ``metadata``; the assistant cannot set any.
- A chat has no end. What forgets it is a line that the assistant understands: the option
  ``goodbye``, such as ``/restart``, is posted on leaving.

Source: Rasa documentation, "Your Own Website", RestInput, sections on the format of requests and
responses and on metadata (https://rasa.com/docs/reference/channels/your-own-website/); the members
of a response besides ``text`` and ``image``, and the answer to a GET, are in no document: they are
taken from the published source of Rasa 3 (rasa/core/channels/rest.py and channel.py).
"""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import trio

from botkit import (
    AgentConnected,
    BotkitError,
    ConfigError,
    ConnectorError,
    EndedBy,
    Event,
    Message,
    Party,
    PartyKind,
    RemoteProtocolError,
    SessionEnded,
    SessionRestored,
    SessionStarted,
    StateError,
    Userdata,
    __version__,
    hookimpl,
)
from botkit.chat import (
    Button,
    Command,
    DeleteFile,
    DeleteUserdata,
    Detach,
    DownloadFile,
    GetFileLimits,
    Leave,
    PressButton,
    PushUrl,
    ReadReceipt,
    SendFile,
    SendMessage,
    SendNotice,
    SendTyping,
    SetUserdata,
    UpdateNickname,
)
from botkit.hookspecs import Register
from botkit.interfaces import Connector, Deliver, NetworkSettings, Opening, Outcome, Request, State

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

NAME = "rasa-rest"
OPTIONS = {
    "hello": "a line that is posted first, such as /session_start; nobody is seen to say it",
    "goodbye": "a line that is posted on leaving, such as /restart",
    "assistant": "the name of the assistant, in evidence",
    "probe": "no, where the channel may not be asked whether it is there",
}
"""What ``connect: {options: ...}`` may hold."""

GOODBYE_LIMIT = 2.0
"""Seconds for the goodbye."""
NO_SUCH_THING = "the REST channel of Rasa takes lines and nothing else"


class RasaRest:
    """Opens chats with a Rasa server; the URL is that of the webhook, whatever it is called."""

    on_simulator = False
    lacks: Mapping[type[Command], str] = dict.fromkeys(
        (
            DeleteFile,
            DownloadFile,
            GetFileLimits,
            PushUrl,
            ReadReceipt,
            SendFile,
            SendNotice,
            UpdateNickname,
        ),
        NO_SUCH_THING,
    )

    def check(self, opening: Opening) -> None:
        """Refuse a URL that is none, and options that there are not."""
        url = urlsplit(opening.url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise ConfigError(
                f"{NAME} needs the http or https URL of a webhook, such as"
                f" http://127.0.0.1:5005/webhooks/rest/webhook; got {opening.url!r}",
                key="server",
            )
        for name in opening.options:
            if name not in OPTIONS:
                known = ", ".join(OPTIONS)
                raise ConfigError(
                    f"{NAME} has no option {name!r}; it has {known}", key=f"options.{name}"
                )

    def running(self) -> AbstractAsyncContextManager[None]:
        """Nothing is shared between chats."""
        return nullcontext()

    def server_of(self, opening: Opening) -> str:
        """The URL of the webhook, without a token in its query."""
        return shown(opening.url)

    async def connect(
        self,
        opening: Opening,
        requests: AsyncIterator[Request],
        deliver: Deliver,
        *,
        task_status: trio.TaskStatus[None],
    ) -> None:
        """Carry one chat; see ``interfaces.Connector``."""
        self.check(opening)
        client = open_client(opening)
        try:
            await RasaChat(opening, client, deliver).carry(requests, task_status)
        finally:
            if opening.transport is None:
                with trio.CancelScope(shield=True, deadline=trio.current_time() + 0.1):
                    await client.aclose()


class RasaChat:
    """One chat, from the question whether anybody is there to the goodbye."""

    def __init__(self, opening: Opening, client: httpx.AsyncClient, deliver: Deliver) -> None:
        self._opening = opening
        self._client = client
        self._url = opening.url
        self._deliver = deliver
        self._options = opening.options
        self._userdata = dict(opening.userdata)
        self._sender = sender_of(opening) or str(uuid.uuid4())
        self._assistant = Party(
            name=opening.options.get("assistant", "Rasa"), kind=PartyKind.EXTERNAL
        )
        self._customer = Party(name=opening.nickname, kind=PartyKind.CUSTOMER)
        self._seq = 0
        self._over = trio.CancelScope()
        self._crash: BotkitError | None = None
        self._ended = self._detached = False

    async def carry(
        self, requests: AsyncIterator[Request], task_status: trio.TaskStatus[None]
    ) -> None:
        """Open the chat, perform requests, leave."""
        await self._open()
        try:
            task_status.started()
            lines, unsaid = trio.open_memory_channel[str](math.inf)
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._post_lines, unsaid)
                with self._over:
                    await self._serve(requests, lines)
                nursery.cancel_scope.cancel()
        finally:
            await self._leave()
        if self._crash is not None:
            raise self._crash

    async def _open(self) -> None:
        """Find out whether anybody is there, in the time for it."""
        told: list[Any] = []
        with trio.move_on_after(self._opening.open_within) as limit:
            if self._options.get("probe") != "no":
                await self._exchange("GET", folder_of(self._url))
            if "hello" in self._options and self._opening.restore is None:
                told = await self._post(self._options["hello"])
        if limit.cancelled_caught:
            raise ConnectorError(
                f"{shown(self._url)} did not answer within {self._opening.open_within:g} s",
                kind="timeout",
            )
        kind = SessionStarted if self._opening.restore is None else SessionRestored
        self._tell(kind, session_id=self._sender)
        self._tell(AgentConnected, party=self._assistant)
        if self._opening.keep_state:
            self._hand_on(State(state=self._state()))
        self._tell_all(told)

    async def _serve(
        self, requests: AsyncIterator[Request], lines: trio.MemorySendChannel[str]
    ) -> None:
        async for request in requests:
            if isinstance(request.command, Leave):
                return
            self._detached = isinstance(request.command, Detach)
            value = self._state() if self._detached else None
            error = self._perform(request.command, lines)
            now = trio.current_time()
            self._hand_on(Outcome(number=request.number, at=now, value=value, error=error))
            if self._detached:
                return

    def _perform(self, command: Command, lines: trio.MemorySendChannel[str]) -> BotkitError | None:
        """Do a command at once; give what is wrong with it."""
        match command:
            case SendMessage(text=text):
                self._say(text, text, lines)
            case PressButton(text=text, payload=payload):
                self._say(text, payload or text, lines)
            case SetUserdata(userdata=userdata):
                self._userdata.update(userdata)
                self._tell(Userdata, changes=dict(userdata))
            case DeleteUserdata(key=key):
                self._userdata.pop(key, None)
                self._tell(Userdata, changes={key: None})
            case SendTyping() | Detach():
                pass  # Typing takes its time, and an assistant does not look.
            case _:
                return ConfigError(NO_SUCH_THING)
        return None

    def _say(self, text: str, posted: str, lines: trio.MemorySendChannel[str]) -> None:
        lines.send_nowait(posted)
        self._tell(Message, text=text, party=self._customer, own=True)

    async def _post_lines(self, lines: trio.MemoryReceiveChannel[str]) -> None:
        """Post what is said, in order, and tell what is answered."""
        async for line in lines:
            try:
                self._tell_all(await self._post(line))
            except (ConnectorError, RemoteProtocolError) as error:
                self._end(EndedBy.LOST, str(error))
                self._over.cancel()
                return

    async def _leave(self) -> None:
        """Say goodbye if there is a word for it; bounded and not to be cancelled."""
        if self._ended or self._detached:
            return
        by, why = EndedBy.CUSTOMER, ""
        if "goodbye" in self._options:
            by, why = EndedBy.UNCONFIRMED, f"no answer to {self._options['goodbye']!r}"
            with trio.CancelScope(shield=True, deadline=trio.current_time() + GOODBYE_LIMIT):
                try:
                    await self._post(self._options["goodbye"])
                    by, why = EndedBy.CUSTOMER, ""
                except (ConnectorError, RemoteProtocolError) as error:
                    why = str(error)
        self._end(by, why)

    # --- what is told ---

    def _tell_all(self, answer: list[Any]) -> None:
        for item in answer:
            self._tell(Message, party=self._assistant, **read_item(item))

    def _end(self, by: EndedBy, why: str) -> None:
        self._tell(SessionEnded, by=by, description=why)
        self._ended = True

    def _tell(self, kind: type[Event], **members: Any) -> None:
        self._seq += 1
        self._hand_on(kind(at=trio.current_time(), seq=self._seq, **members))

    def _hand_on(self, item: Event | Outcome | State) -> None:
        """Deliver, and keep what breaks there until the goodbye is said."""
        try:
            self._deliver(item)
        except BotkitError as error:
            self._crash = self._crash or error
            self._over.cancel()

    def _state(self) -> dict[str, str]:
        return {
            "connector": NAME,
            "server": self._url,
            "service": self._opening.service,
            "session_id": self._sender,
        }

    # --- the wire ---

    async def _post(self, line: str) -> list[Any]:
        """Post a line; give what the assistant says to it.

        Raises:
            ConnectorError: it was not answered, or with an error.
            RemoteProtocolError: it was answered with nonsense.
        """
        body = {"sender": self._sender, "message": line, "metadata": self._userdata}
        answer = await self._exchange("POST", self._url, json=body)
        if not isinstance(answer, list) or not all(isinstance(item, dict) for item in answer):
            raise RemoteProtocolError(
                f"{shown(self._url)} answered with JSON that is no list of messages: {answer!r:.80}"
            )
        return answer

    async def _exchange(self, method: str, url: str, **content: Any) -> Any:
        import httpx

        where = shown(url)
        try:
            async with self._client.stream(method, url, **content) as answer:
                body = await read_bounded(answer, self._opening.network.max_reply_bytes)
        except httpx.ConnectError as error:
            raise ConnectorError(f"{where}: {error}", sent=False) from error
        except httpx.RemoteProtocolError as error:
            raise RemoteProtocolError(f"{where}: {error}") from error
        except httpx.TransportError as error:
            text = f"{where}: {error}" if str(error) else f"{where}: {type(error).__name__}"
            kind = "proxy" if isinstance(error, httpx.ProxyError) else "lost"
            raise ConnectorError(text, kind=kind) from error
        if not answer.is_success:
            raise ConnectorError(
                f"{where} answered {answer.status_code}: {body!r:.80}", kind="http"
            )
        try:
            return json.loads(body)
        except ValueError:
            raise RemoteProtocolError(
                f"{where} answered with something that is not JSON: {body!r:.80}"
            ) from None


def read_item(item: Mapping[str, Any]) -> dict[str, Any]:
    """Read one message of an answer into the members of a ``Message``."""
    rest = {key: value for key, value in item.items() if key not in ("recipient_id", "text")}
    buttons = [button for button in rest.get("buttons") or () if isinstance(button, dict)]
    shown_first = (item.get(key) for key in ("text", "image", "attachment"))
    return {
        "text": next((text for text in shown_first if isinstance(text, str)), ""),
        "content": json.dumps(rest, ensure_ascii=False) if rest else "",
        "buttons": tuple(
            Button(text=str(button.get("title", "")), payload=str(button.get("payload", "")))
            for button in buttons
        ),
    }


async def read_bounded(answer: httpx.Response, limit: int) -> bytes:
    """Read a body that may not be larger than that."""
    import httpx

    body = bytearray()
    try:
        async for piece in answer.aiter_bytes():
            body += piece
            if len(body) > limit:
                # Breaking out of the loop would leave the iterators within this one unfinished:
                # closing the connection makes them end by themselves.
                await answer.aclose()
    except httpx.TransportError:
        if len(body) <= limit:
            raise
    if len(body) > limit:
        raise RemoteProtocolError(f"{shown(str(answer.url))} answered more than {limit} bytes")
    return bytes(body)


def sender_of(opening: Opening) -> str | None:
    """Give the name of the chat to win back; None if a new one is to be opened."""
    state = opening.restore
    if state is None:
        return None
    if (state.get("connector"), state.get("server")) != (NAME, opening.url):
        raise StateError("the stored chat is one of another connector or server")
    if not isinstance(state.get("session_id"), str):
        raise StateError("the stored chat cannot be read: it has no name")
    return str(state["session_id"])


def open_client(opening: Opening) -> httpx.AsyncClient:
    """Make the HTTP of one chat, with cookies of its own."""
    # Imported when it is used: every command loads this plugin.
    import httpx

    network = opening.network
    agent = network.user_agent or f"botkit/{__version__} (+synthetic)"
    return httpx.AsyncClient(
        verify=tls(network),
        proxy=network.proxy,
        trust_env=network.trust_env,
        headers={"User-Agent": agent, **network.headers},
        auth=network.auth,
        transport=opening.transport,
        timeout=None,
    )


def tls(network: NetworkSettings) -> Any:
    """Decide whom to trust, as httpx takes it.

    Raises:
        ConfigError: a file of certificates cannot be used.
    """
    if network.verify and network.ca_file is None and network.client_cert is None:
        return True
    import ssl

    try:
        context = ssl.create_default_context(cafile=network.ca_file)
        if not network.verify:
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        if network.client_cert is not None:
            context.load_cert_chain(network.client_cert)
    except OSError as error:
        raise ConfigError(f"the certificates cannot be used: {error}", key="network") from error
    return context


def folder_of(url: str) -> str:
    """Give the URL above a webhook's, with its query: a token may stand there."""
    parts = urlsplit(url)
    return parts._replace(path=f"{parts.path.rstrip('/').rpartition('/')[0]}/").geturl()


def shown(url: str) -> str:
    """Write a URL without what may be secret in it: user, password and query."""
    parts = urlsplit(url)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="").geturl()


@hookimpl
def register_connectors(register: Register[Callable[[], Connector]]) -> None:
    register(NAME, RasaRest)
