"""One WebSocket of web messaging: requests go out, and their answers are found among the frames.

Theory of operation. An answer carries the ``tracingId`` of its request, as a rule. Where it carries
none, as errors do, the oldest request that it may belong to is taken: the service answers one
session in order. Whoever waits for news that nobody asked for by a tracing id (an upload that is
done, say) *expects* it.

A request that may have been accepted when the connection broke is in *doubt*. Most are given up
then; a line of the customer waits for the history, which shows whether it arrived.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TypeVar

import trio

from botkit.bayeux.messages import JSON
from botkit.connectors import codec
from botkit.connectors.websocket import WebSocket
from botkit.errors import BotkitError, ConnectorError, RemoteProtocolError
from botkit.genesys.guest_failures import failure_of
from botkit.genesys.web_messaging import decode_frame, encode_request
from botkit.genesys.web_records import AttachmentFailed, Frame, Request, SessionInfo
from botkit.masking import shortened

__all__ = ["Call", "GuestLink", "answer_of", "is_closed_session", "is_session", "new_id"]

REPLY_LIMIT = 30.0
"""Seconds that an answer may take."""

ARRIVED = Frame(name="", body="")
"""Stands for the answer of a line that only the history knows."""

T = TypeVar("T")
Answers = Callable[[Frame], bool]


def new_id() -> str:
    """Make an id that nobody else has: a token, or the number of a request."""
    return str(uuid.uuid4())


class Call:
    """Something that waits for a frame.

    Args:
        tracing_id: of the request; empty if none was sent.
        answers: tells what answers it, where the frame does not say.
        line: what the history would show of it; None if nothing.

    Attributes:
        in_doubt: the connection broke before it was answered.
    """

    __slots__ = ("_done", "_error", "_frame", "answers", "in_doubt", "line", "tracing_id")

    def __init__(self, tracing_id: str, answers: Answers, line: str | None) -> None:
        self.tracing_id = tracing_id
        self.answers = answers
        self.line = line
        self.in_doubt = False
        self._frame: Frame | None = None
        self._error: BotkitError | None = None
        self._done = trio.Event()

    @property
    def is_settled(self) -> bool:
        """It has its answer."""
        return self._done.is_set()

    def settle(self, outcome: Frame | BotkitError | None) -> None:
        """Give it an answer, an error, or None for the history's word that it arrived."""
        if isinstance(outcome, BotkitError):
            self._error = outcome
        else:
            self._frame = outcome
        self._done.set()

    async def outcome(self) -> Frame | None:
        """Wait for the answer.

        Raises:
            ConnectorError: there was none.
        """
        with trio.move_on_after(REPLY_LIMIT):
            await self._done.wait()
        if not self._done.is_set() and self.in_doubt:
            await self._done.wait()
        if not self._done.is_set():
            raise ConnectorError("the service did not answer in time", kind="timeout")
        if self._error is not None:
            raise self._error
        return self._frame


class GuestLink:
    """The latest of the WebSockets of one chat, and what waits for answers.

    Args:
        on_frame: takes every frame, and whether it answers something; must not wait.
        on_rubbish: takes what is no frame; raises it to give the connection up.

    Attributes:
        heard_at: when something came last, on the loop's clock.
    """

    __slots__ = ("_calls", "_on_frame", "_on_rubbish", "_socket", "heard_at")

    def __init__(
        self,
        on_frame: Callable[[Frame, bool], None],
        on_rubbish: Callable[[RemoteProtocolError], None],
    ) -> None:
        self.heard_at = 0.0
        self._on_frame = on_frame
        self._on_rubbish = on_rubbish
        self._socket: WebSocket | None = None
        self._calls: list[Call] = []

    @property
    def is_open(self) -> bool:
        """There is a WebSocket."""
        return self._socket is not None

    def attach(self, socket: WebSocket) -> None:
        """Speak through this one from now on."""
        self._socket = socket
        self.heard_at = trio.current_time()

    def detach(self, lost: BotkitError) -> None:
        """Speak no more; what waits for an answer has lost it."""
        self._socket = None
        for call in list(self._calls):
            if call.line is None:
                call.settle(lost)
            else:
                call.in_doubt = True

    def lines(self) -> list[Call]:
        """The lines of which nobody knows yet whether they arrived."""
        return [call for call in self._calls if call.line is not None and not call.is_settled]

    async def read(self) -> None:
        """Hand on what comes, until the connection is lost.

        Raises:
            ConnectorError: it is lost, or was closed.
            RemoteProtocolError: it speaks nonsense, as a WebSocket.
        """
        socket = self._open_socket()
        while True:
            text = await socket.receive()
            self.heard_at = trio.current_time()
            try:
                frame = decode_frame(read_json(text))
            except RemoteProtocolError as error:
                self._on_rubbish(error)
            else:
                self._take(frame)

    async def call(self, request: Request, answers: Answers, *, line: str | None = None) -> Frame:
        """Send a request and wait for its answer.

        Args:
            answers: tells its answer, where that carries no tracing id.
            line: what the history would show of it; see ``Call``.

        Returns:
            The answer, a failure included; see :data:`ARRIVED`, too.

        Raises:
            ConnectorError: there is no connection, or it broke, or no answer came.
        """
        socket = self._open_socket()
        text = codec.dumps(encode_request(request)).decode()
        with self.expecting(answers, tracing_id=request.tracing_id, line=line) as call:
            try:
                await socket.send(text)
            except ConnectorError as error:
                # A line may have left all the same; what becomes of it is known later.
                if line is None or not error.sent:
                    raise
                call.in_doubt = True
            frame = await call.outcome()
        return ARRIVED if frame is None else frame

    async def post(self, request: Request) -> None:
        """Send a request that nothing waits for.

        Raises:
            ConnectorError: there is no connection, or it broke.
        """
        await self._open_socket().send(codec.dumps(encode_request(request)).decode())

    def expecting(
        self, answers: Answers, *, tracing_id: str = "", line: str | None = None
    ) -> Expecting:
        """Catch an answer for as long as a block lasts."""
        return Expecting(self._calls, Call(tracing_id, answers, line))

    def _open_socket(self) -> WebSocket:
        if self._socket is None:
            raise ConnectorError("the connection is lost", kind="lost", sent=False)
        return self._socket

    def _take(self, frame: Frame) -> None:
        call = self._answered_by(frame)
        if call is not None:
            call.settle(frame)
        self._on_frame(frame, call is not None)

    def _answered_by(self, frame: Frame) -> Call | None:
        waiting = [call for call in self._calls if not call.is_settled]
        requests = [call for call in waiting if call.tracing_id]
        news = [call for call in waiting if not call.tracing_id]
        if frame.tracing_id:
            fitting = [call for call in requests if call.tracing_id == frame.tracing_id]
            # An upload that is done may be told under the id of the request for it.
            fitting += [call for call in news if call.answers(frame)]
        else:
            fitting = [call for call in requests + news if call.answers(frame)]
            if failure_of(frame) and not isinstance(frame.body, AttachmentFailed):
                fitting += requests
        return fitting[0] if fitting else None


class Expecting:
    """Keeps a call among those that wait, for as long as a block lasts."""

    __slots__ = ("_call", "_calls")

    def __init__(self, calls: list[Call], call: Call) -> None:
        self._calls = calls
        self._call = call

    def __enter__(self) -> Call:
        self._calls.append(self._call)
        return self._call

    def __exit__(self, *_: object) -> None:
        self._calls.remove(self._call)


def answer_of(frame: Frame, kind: type[T]) -> T:
    """Take an answer for what it must be.

    Raises:
        GuestRefusal: the service refused.
        RemoteProtocolError: it answers something else.
    """
    failure = failure_of(frame)
    if failure is not None:
        raise failure
    if not isinstance(frame.body, kind):
        raise RemoteProtocolError(f"{frame.name} is no answer to what was asked")
    return frame.body


def read_json(text: str) -> JSON:
    """Read what a text message holds.

    Raises:
        RemoteProtocolError: it is no JSON.
    """
    try:
        value: JSON = codec.loads(text)
    except ValueError as error:
        raise RemoteProtocolError(f"{shortened(text, 60)} is no JSON") from error
    return value


def is_session(frame: Frame) -> bool:
    """Tell whether a frame answers a request to configure a session."""
    return isinstance(frame.body, SessionInfo)


def is_closed_session(frame: Frame) -> bool:
    """Tell whether a frame confirms that a session was closed."""
    return isinstance(frame.body, SessionInfo) and not frame.body.connected
