"""One Bayeux session over the connections of a chat.

Theory of operation. ``bayeux.client.Client`` knows the rules and does no I/O; this runs it. The
connect loop (:meth:`BayeuxLink.run`) asks what keeps the session alive; :meth:`BayeuxLink.call`
sends everything else beside it, so that nothing waits behind a poll. What either brings goes
through the same machine, and what that makes of it is handed on at once, to a function that never
waits.

The client says whether a request goes over long polling or over a WebSocket. Where both may be
used, the WebSocket is on trial until it has carried its first answer. If it cannot be opened,
breaks or stays silent before that, the handshake is sent again over long polling, and there the
chat stays; afterwards it stays on the WebSocket, whatever happens.

Source: CometD's JavaScript client, ``stickyReconnect``.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable

import trio

from botkit.bayeux import client as bayeux
from botkit.bayeux.messages import Codec, Message
from botkit.connectors.bayeux_http import HttpLine
from botkit.connectors.bayeux_line import Line
from botkit.connectors.bayeux_socket import OpenSocket, SocketLine
from botkit.connectors.http import Http, Lane
from botkit.connectors.http.patience import asked_of
from botkit.errors import BotkitError, ConnectorError, RemoteProtocolError

__all__ = ["LONG_POLLING", "WEBSOCKET", "BayeuxLink"]

log = logging.getLogger(__name__)

OnEvent = Callable[[bayeux.Event], None]

LONG_POLLING = "long-polling"
WEBSOCKET = "websocket"
TRIAL_LIMIT = 4.0
"""Seconds for a WebSocket to open and to answer the handshake, where long polling may do instead:
firewalls let such a connection hang, and a customer does not wait for ever."""


class BayeuxLink:
    """Runs a Bayeux client.

    Args:
        http: the chat's connections; closing them stays with the caller.
        client: the state machine; its ``connection_type`` decides what is used.
        codec: reads and writes JSON.
        on_event: called for every event of the machine, in order; must not wait.
        on_failure: called when an exchange of the connect loop has failed; must not wait.
        max_network_delay: how long a reply that is not held may take, seconds.
        open_socket: opens a WebSocket, if the client may use that.
        falls_back: the client may use long polling, too, if there is no WebSocket to be had.

    Attributes:
        last_error: the latest failure of an exchange; None after a success.
        failures: failed exchanges of the connect loop in a row.
    """

    __slots__ = (
        "_acks",
        "_asked_at",
        "_doing",
        "_http",
        "_is_over",
        "_max_network_delay",
        "_on_event",
        "_on_failure",
        "_on_trial",
        "_socket",
        "client",
        "failures",
        "last_error",
    )

    def __init__(
        self,
        http: Http,
        client: bayeux.Client,
        codec: Codec,
        on_event: OnEvent,
        on_failure: Callable[[], None],
        *,
        max_network_delay: float,
        open_socket: OpenSocket | None = None,
        falls_back: bool = False,
    ) -> None:
        self.client = client
        self.last_error: BotkitError | None = None
        self.failures = 0
        self._http = HttpLine(http, codec, self._take)
        self._socket: SocketLine | None = None
        if open_socket is not None:
            self._socket = SocketLine(open_socket, http.url, codec, self._take)
        self._on_trial = falls_back
        self._on_event = on_event
        self._on_failure = on_failure
        self._max_network_delay = max_network_delay
        self._doing: trio.CancelScope | None = None
        self._asked_at = 0.0
        self._acks: dict[str, bayeux.Acknowledged] = {}
        self._is_over = False

    async def run(self, *, shield: bool = False) -> None:
        """Be the connect loop, until the server forbids to go on or the session is ended.

        A WebSocket is read, and kept open, until :meth:`disconnect`.

        Args:
            shield: cancelling the task does not end it, :meth:`stop` does.
        """
        try:
            while not self._is_over:
                # Entering a scope costs more than to move its deadline, in time and in memory: one
                # is in use until it is cancelled, which is most of a chat.
                with trio.CancelScope(shield=shield) as self._doing:
                    await self._work(self._doing)
        finally:
            if self._socket is not None:
                await self._socket.aclose()

    def stop(self) -> None:
        """End :meth:`run` without a word to the server."""
        self._is_over = True
        self._stop_doing()

    async def call(self, *messages: Message) -> dict[str, bayeux.Acknowledged]:
        """Send messages beside the connect loop, once, in one request.

        Returns:
            The acknowledgements by the id of their message; a server may leave some out.

        Raises:
            ConnectorError: no sensible reply came; ``sent`` tells whether the server may have it.
            RemoteProtocolError: the reply is not Bayeux.
        """
        ids = {message.id for message in messages if message.id is not None}
        acks, line = self._acks, self._line
        try:
            with trio.move_on_after(self._max_network_delay) as limit:
                await line.exchange(messages, lambda: ids <= acks.keys(), lane=Lane.CALL)
            if limit.cancelled_caught:
                error = self._lateness(line, self._max_network_delay)
                await line.give_up(error)
                raise error
        except BaseException:
            for message in messages:
                self.client.forget(message)
            raise
        finally:
            answers = {id: acks.pop(id) for id in ids if id in acks}
        if answers and self.failures:
            # The way is open again: the connect loop need not wait any longer to find out.
            self.hurry()
        return answers

    async def disconnect(self) -> None:
        """End the Bayeux session.

        Raises:
            ConnectorError, RemoteProtocolError: as :meth:`call`; the session then expires.
        """
        message = self.client.disconnect()
        self._stop_doing()
        try:
            if message is not None:
                await self.call(message)
        finally:
            self.stop()

    def hurry(self) -> None:
        """End a pause of the connect loop that is our own, see ``bayeux.client.Client.hurry``."""
        if not self.client.is_asking:
            self.client.hurry()
            self._stop_doing()

    @property
    def _line(self) -> Line:
        """What the next request goes over."""
        if self._socket is not None and self.client.connection_type == WEBSOCKET:
            return self._socket
        return self._http

    def _next_action(self) -> bayeux.Action:
        return self.client.next_action(trio.current_time())

    def _is_answered(self) -> bool:
        return not self.client.is_asking

    def _stop_doing(self) -> None:
        """End what the connect loop does now; it then asks the client what is next."""
        if self._doing is not None:
            self._doing.cancel()

    async def _work(self, scope: trio.CancelScope) -> None:
        """Do what the client says is next, until the scope is cancelled."""
        if self.client.is_asking:
            # What cancelled the scope before this one was the deadline of the request.
            await self._overdue()
        while not scope.cancel_called:
            match self._next_action():
                case bayeux.Stop():
                    self._is_over = self._line is not self._socket
                    if self._is_over:
                        return
                    scope.deadline = math.inf
                    await self._line.listen()
                case bayeux.Wait(until=until):
                    scope.deadline = until
                    await self._line.listen()
                case action:
                    scope.deadline = action.deadline
                    await self._ask(action)

    async def _overdue(self) -> None:
        line = self._line
        error = self._lateness(line, trio.current_time() - self._asked_at)
        await line.give_up(error)
        self._fail(error)

    async def _ask(self, action: bayeux.Handshake | bayeux.Connect) -> None:
        """Send what the connect loop has to send, and take the answer or the failure."""
        self._asked_at = trio.current_time()
        try:
            if not (self._on_trial and await self._try_socket(action)):
                await self._line.exchange(action.messages, self._is_answered, lane=Lane.POLL)
            self.failures = 0
        except BotkitError as error:
            self._fail(error)

    async def _try_socket(self, action: bayeux.Handshake | bayeux.Connect) -> bool:
        """Find out whether there is a WebSocket to be had; if not, the client uses it no more.

        Returns:
            Whether the request was answered there.
        """
        self._on_trial = False
        socket = self._socket
        if socket is None:
            return False
        try:
            with trio.move_on_after(TRIAL_LIMIT) as trial:
                await socket.exchange(action.messages, self._is_answered, lane=Lane.POLL)
            error: BotkitError | None = None
            if trial.cancelled_caught:
                error = self._lateness(socket, TRIAL_LIMIT)
        except (ConnectorError, RemoteProtocolError) as caught:
            error = caught
        if error is not None:
            log.info("long polling is used, since there is no WebSocket: %s", error)
            self.client.use(LONG_POLLING)
        if self._line is not socket:
            # It may also have answered that it serves other types alone.
            await socket.give_up(error or ConnectorError(f"{socket.url} serves no WebSocket"))
        return error is None

    def _fail(self, error: BotkitError) -> None:
        if not self.client.is_asking:
            # It was cancelled on purpose: the session is over.
            return
        self.last_error = error
        self.failures += 1
        for event in self.client.request_failed(
            trio.current_time(), str(error), retry_after=asked_of(error)
        ):
            self._on_event(event)
        self._on_failure()

    def _take(self, received: list[Message]) -> None:
        self.last_error = None
        for event in self.client.receive(received, trio.current_time()):
            if type(event) is bayeux.Acknowledged:
                self._acks[event.id] = event
            elif type(event) is bayeux.SessionUnknown:
                # A held connect, or a pause before one, belongs to a session that is gone.
                self._stop_doing()
            self._on_event(event)

    def _lateness(self, line: Line, waited: float) -> ConnectorError:
        text = f"{line.url} did not answer within {waited:.0f} s"
        return ConnectorError(text, kind="timeout", sent=line.is_open)
