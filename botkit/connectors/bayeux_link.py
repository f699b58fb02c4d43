"""One Bayeux session over the two HTTP connections of a chat.

Theory of operation. ``bayeux.client.Client`` knows the rules and does no I/O; this runs it. The
connect loop (:meth:`BayeuxLink.run`) holds one connection for polls; :meth:`BayeuxLink.call` sends
everything else over the other, so that nothing waits behind a poll. Replies of both go through the
same machine, and what it makes of them is handed on at once, to a function that never waits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

import trio

from botkit.bayeux import client as bayeux
from botkit.bayeux.messages import Codec, Message, decode, encode
from botkit.connectors.http import Http, HttpReply, Lane
from botkit.errors import BotkitError, ConnectorError, RemoteProtocolError

OnEvent = Callable[[bayeux.Event], None]

PROXY_REFUSES = 407
"""A status that only proxies give."""
SHOWN = 80
"""Characters of a reply that an error shows."""


class BayeuxLink:
    """Runs a Bayeux client over HTTP long polling.

    Args:
        http: the chat's connections; closing it stays with the caller.
        client: the state machine.
        codec: reads and writes JSON.
        on_event: called for every event of the machine, in order; must not wait.
        on_failure: called when an exchange of the connect loop has failed; must not wait.
        max_network_delay: how long a reply that is not held may take, seconds.

    Attributes:
        last_error: the latest failure of an exchange; None after a success.
        failures: failed exchanges of the connect loop in a row.
    """

    __slots__ = (
        "_acks",
        "_codec",
        "_doing",
        "_http",
        "_max_network_delay",
        "_on_event",
        "_on_failure",
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
    ) -> None:
        self.client = client
        self.last_error: BotkitError | None = None
        self.failures = 0
        self._http = http
        self._codec = codec
        self._on_event = on_event
        self._on_failure = on_failure
        self._max_network_delay = max_network_delay
        self._doing: trio.CancelScope | None = None
        self._acks: dict[str, bayeux.Acknowledged] = {}

    async def run(self) -> None:
        """Be the connect loop, until the server forbids to go on or the session is ended."""
        while True:
            action = self.client.next_action(trio.current_time())
            match action:
                case bayeux.Wait():
                    with trio.CancelScope(deadline=action.until) as self._doing:
                        await trio.sleep_forever()
                case bayeux.Handshake() | bayeux.Connect():
                    await self._ask(action)
                case bayeux.Stop():
                    return
                case _:
                    assert_never(action)

    async def call(self, *messages: Message) -> dict[str, bayeux.Acknowledged]:
        """Send messages beside the connect loop, once, in one request.

        Returns:
            The acknowledgements by the id of their message; a server may leave some out.

        Raises:
            ConnectorError: no sensible reply came; ``sent`` tells whether the server may have it.
            RemoteProtocolError: the reply is not Bayeux.
        """
        try:
            with trio.move_on_after(self._max_network_delay) as limit:
                reply = await self._http.post("", encode(messages, self._codec), lane=Lane.CALL)
            if limit.cancelled_caught:
                raise self._too_late(self._max_network_delay)
            received = self._read(reply)
        except BaseException:
            for message in messages:
                self.client.forget(message)
            raise
        self._take(received)
        return {
            message.id: ack
            for message in messages
            if message.id is not None and (ack := self._acks.pop(message.id, None)) is not None
        }

    async def disconnect(self) -> None:
        """End the Bayeux session.

        Raises:
            ConnectorError, RemoteProtocolError: as :meth:`call`; the session then expires.
        """
        message = self.client.disconnect()
        if self._doing is not None:
            self._doing.cancel()
        if message is not None:
            await self.call(message)

    async def _ask(self, action: bayeux.Handshake | bayeux.Connect) -> None:
        """Send what the connect loop has to send, and take the answer or the lack of one."""
        error: BotkitError | None = None
        started = trio.current_time()
        scope = self._doing = trio.CancelScope(deadline=action.deadline)
        try:
            with scope:
                body = encode(action.messages, self._codec)
                reply = await self._http.post("", body, lane=Lane.POLL)
                received = self._read(reply)
        except BotkitError as caught:
            error = caught
        now = trio.current_time()
        if scope.cancelled_caught:
            error = self._too_late(now - started)
        self._doing = None
        if error is None:
            self._take(received)
            if self.client.is_asking:
                error = RemoteProtocolError(
                    f"{self._http.url} did not answer the {type(action).__name__.lower()}:"
                    f" {_shown(reply.body)}"
                )
            else:
                self.failures = 0
        if error is not None and self.client.is_asking:
            # Otherwise it was cancelled on purpose: the session is over.
            self._fail(error, now)

    def _fail(self, error: BotkitError, now: float) -> None:
        self.last_error = error
        self.failures += 1
        for event in self.client.request_failed(now, str(error)):
            self._on_event(event)
        self._on_failure()

    def _take(self, received: list[Message]) -> None:
        self.last_error = None
        for event in self.client.receive(received, trio.current_time()):
            if type(event) is bayeux.Acknowledged:
                self._acks[event.id] = event
            elif type(event) is bayeux.SessionUnknown and self._doing is not None:
                # A held connect, or a pause before one, belongs to a session that is gone.
                self._doing.cancel()
            self._on_event(event)

    def _read(self, reply: HttpReply) -> list[Message]:
        """Read a reply; whatever is not 200 with Bayeux in it is a failure of the transport.

        Source: CometD clients treat HTTP errors and invalid JSON as transport failures.
        """
        if reply.status != 200:
            raise ConnectorError(
                f"{self._http.url} answered with HTTP {reply.status}: {_shown(reply.body)}",
                kind="proxy" if reply.status == PROXY_REFUSES else "http",
            )
        try:
            return decode(reply.body, self._codec)
        except RemoteProtocolError as error:
            raise RemoteProtocolError(
                f"{self._http.url} answered with something that is not Bayeux ({error}):"
                f" {_shown(reply.body)}"
            ) from error

    def _too_late(self, waited: float) -> ConnectorError:
        return ConnectorError(
            f"{self._http.url} did not answer within {waited:.0f} s", kind="timeout"
        )


def _shown(body: bytes) -> str:
    """Show the beginning of a body in an error."""
    text = " ".join(body[: SHOWN * 4].decode("utf-8", "replace").split())
    return repr(text[:SHOWN] + ("..." if len(text) > SHOWN else ""))
