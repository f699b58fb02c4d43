"""What a customer asks for in an open chat over CometD: sent once, and its outcome found out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

from botkit.bayeux.messages import JSON
from botkit.chat import Command, Event
from botkit.connectors.chat_binding import PAUSE, Binding
from botkit.connectors.chat_channel import ChatChannel
from botkit.connectors.echo import Echo
from botkit.connectors.gms_outlet import Outlet
from botkit.connectors.waiting import Waiting
from botkit.errors import (
    BotkitError,
    ChatError,
    ConnectorError,
    LocalProtocolError,
    RemoteProtocolError,
)
from botkit.genesys.gms_files import FileCommand
from botkit.interfaces import Outcome, Request
from botkit.masking import without_password

__all__ = ["ATTEMPTS", "Requests", "forgetful"]

DOUBT_LIMIT = 15.0
"""Seconds of waiting for the connection to come back, where only an echo can tell what arrived."""
ECHO_LIMIT = 1.0
"""Seconds of waiting for such an echo once it is back."""
ATTEMPTS = 5
"""How often a request is sent that surely was not accepted before. A session that is lost may cost
two: the answer to its last connect can be on its way by then, and contradicts the refusal."""


class Requests:
    """Performs the commands of one chat, one after another.

    Args:
        channel: the service.
        binding: commands wait while the service does not push to the present session.
        outlet: takes the outcomes, and knows of errors that the service pushed.
        waiting: woken whenever anything has changed.
        encode: writes a command for the wire; raises LocalProtocolError if it cannot be.
        send_file: does what is about files, which goes another way; gives what was asked for.
        url: the server, for messages.
    """

    __slots__ = (
        "_binding",
        "_channel",
        "_echo",
        "_encode",
        "_outlet",
        "_send_file",
        "_url",
        "_waiting",
    )

    def __init__(
        self,
        channel: ChatChannel,
        binding: Binding,
        outlet: Outlet,
        waiting: Waiting,
        *,
        encode: Callable[[Command], dict[str, JSON]],
        send_file: Callable[[FileCommand], Awaitable[object]],
        url: str,
    ) -> None:
        self._channel = channel
        self._binding = binding
        self._outlet = outlet
        self._waiting = waiting
        self._encode = encode
        self._send_file = send_file
        self._url = url
        # Of the command that is being performed.
        self._echo: Echo | None = None

    def look(self, events: list[Event]) -> None:
        """See whether events settle what became of a command."""
        if self._echo is not None:
            for event in events:
                self._echo.look(event)

    async def perform(self, request: Request) -> bool:
        """Do a command and tell its outcome; False if it failed."""
        error: BotkitError | None = None
        value: object = None
        try:
            if isinstance(request.command, FileCommand):
                value = await self._send_file(request.command)
            else:
                await self._send(request.command)
        except (ChatError, ConnectorError, RemoteProtocolError, LocalProtocolError) as caught:
            error = caught
        now = trio.current_time()
        self._outlet.hand_on(Outcome(number=request.number, at=now, error=error, value=value))
        return error is None

    async def _send(self, command: Command) -> None:
        """Publish a command; again only if it surely was not accepted."""
        echo = self._echo = Echo(command)
        for attempt in range(1, ATTEMPTS + 1):
            await self._waiting.until(self._binding.is_made)
            self._outlet.failure = None
            try:
                accepted = await self._channel.publish(self._encode(command))
            except (ConnectorError, RemoteProtocolError) as error:
                if isinstance(error, RemoteProtocolError) or error.sent:
                    if await self._has_come(echo):
                        return
                    raise
                if attempt == ATTEMPTS:
                    raise
                await trio.sleep(PAUSE)
                await self._waiting.until(lambda: not self._outlet.is_interrupted)
                continue
            if accepted:
                if self._outlet.failure is not None:
                    raise self._outlet.failure
                return
        raise forgetful(self._url)

    async def _has_come(self, echo: Echo) -> bool:
        """Find out whether a command arrived whose acknowledgement was lost."""
        if not echo.is_expected:
            return False
        with trio.move_on_after(DOUBT_LIMIT):
            await self._waiting.until(lambda: echo.came or self._binding.is_bound)
            with trio.move_on_after(ECHO_LIMIT):
                await self._waiting.until(lambda: echo.came)
        return echo.came


def forgetful(url: str) -> ConnectorError:
    """Say that a server loses its sessions faster than they can be used."""
    return ConnectorError(f"{without_password(url)} forgets the session again and again")
