"""What a customer asks for in an open chat over REST: done once, and its outcome found out.

A command that was answered with ``statusCode`` 1 has failed, as the service says, and may be
repeated, as it says too; that is done up to :data:`ATTEMPTS` times. But a line said twice is worse
than a line said late: before a message is repeated the transcript is asked for, watched for
:data:`ECHO_LIMIT` seconds, and asked for once more, and if the line is in it, it was said. Of
notices and pages it is not documented that they come back in the transcript: they count as done if
they do, and are not repeated if they do not. Files are never repeated.

Where the answer itself is lost nothing is repeated, whatever the transcript says; but what is in
the transcript has arrived.
"""

from __future__ import annotations

import trio

from botkit import chat
from botkit.chat import Command
from botkit.connectors.echo import Echo
from botkit.connectors.gms_outlet import Outlet
from botkit.connectors.rest_answers import moves_on, temporary, value_of
from botkit.connectors.rest_link import Answer, RestLink
from botkit.connectors.rest_stream import RestStream
from botkit.connectors.waiting import Waiting
from botkit.errors import (
    BotkitError,
    ChatError,
    ConnectorError,
    LocalProtocolError,
    RemoteProtocolError,
)
from botkit.genesys import gms_rest
from botkit.genesys.gms_files import FileCommand
from botkit.genesys.gms_rest import RestNames
from botkit.genesys.gms_v2 import RETRY
from botkit.interfaces import Outcome, Request

__all__ = ["RestRequests"]

ATTEMPTS = 5
"""How often a command is sent that was not done before."""
ECHO_LIMIT = 2.0
"""Seconds of waiting for the echo of a line that the service says it did not take."""
DOUBT_LIMIT = 15.0
"""Seconds of waiting for the transcript, where only an echo can tell what arrived."""


class RestRequests:
    """Performs the commands of one chat, one after another.

    Args:
        link: makes the calls that carry files.
        stream: makes all others, and takes their answers.
        outlet: takes the outcomes, and knows of errors that the service told.
        waiting: woken whenever anything has changed.
        names: what the wire calls things.
        max_file: bytes that a file may have that is fetched.
    """

    __slots__ = ("_link", "_max_file", "_names", "_outlet", "_stream", "_waiting")

    def __init__(
        self,
        link: RestLink,
        stream: RestStream,
        outlet: Outlet,
        waiting: Waiting,
        *,
        names: RestNames,
        max_file: int,
    ) -> None:
        self._link = link
        self._stream = stream
        self._outlet = outlet
        self._waiting = waiting
        self._names = names
        self._max_file = max_file

    async def perform(self, request: Request) -> bool:
        """Do a command and tell its outcome; False if it failed."""
        error: BotkitError | None = None
        value: object = None
        try:
            value = await self._send(request.command)
        except (ChatError, ConnectorError, RemoteProtocolError, LocalProtocolError) as caught:
            error = caught
        finally:
            self._stream.echo = None
        now = trio.current_time()
        self._outlet.hand_on(Outcome(number=request.number, at=now, error=error, value=value))
        return error is None

    async def _send(self, command: Command) -> object:
        """Do a command; again only if it surely was not done.

        Returns:
            What it asked for.
        """
        echo = self._stream.echo = Echo(command)
        answer: Answer | None = None
        for attempt in range(1, ATTEMPTS + 1):
            await self._waiting.until(lambda: not self._outlet.is_interrupted)
            try:
                answer = await self._send_once(command)
            except (ConnectorError, RemoteProtocolError) as error:
                if isinstance(error, RemoteProtocolError) or error.sent:
                    if echo.is_expected and await self._is_in_transcript(echo):
                        return None
                    raise
                if attempt == ATTEMPTS:
                    raise
                # Whether the service can be reached at all, the next poll will tell.
                self._stream.poll_soon()
            else:
                if answer.push.status_code != RETRY:
                    return value_of(command, answer)
                if await self._was_done(command, echo):
                    return None
            asked = 0.0 if answer is None else answer.retry_after
            await trio.sleep(self._stream.backoff(attempt, asked))
        assert answer is not None
        raise temporary(answer.push)

    async def _send_once(self, command: Command) -> Answer:
        """Do a command.

        Returns:
            The answer: done, or to be repeated.

        Raises:
            ChatError: the service refused it.
            ConnectorError, RemoteProtocolError, LocalProtocolError: as :class:`RestLink`.
        """
        if isinstance(command, FileCommand):
            answer = await self._send_about_file(command)
        else:
            answer = await self._stream.call(
                lambda identity: gms_rest.call_for(command, identity, self._names)
            )
        if answer.push.status_code == RETRY:
            return answer
        self._stream.enliven()
        self._outlet.failure = None
        self._stream.take(answer.push, moves_on=moves_on(command))
        if self._outlet.failure is not None:
            raise self._outlet.failure
        return answer

    async def _send_about_file(self, command: FileCommand) -> Answer:
        call = gms_rest.call_for(command, self._stream.identity(), self._names)
        if isinstance(command, chat.DownloadFile):
            return await self._link.fetch_file(call, size=self._max_file)
        return await self._link.send_file(call)

    async def _was_done(self, command: Command, echo: Echo) -> bool:
        """Find out whether a command was done though the service says that it failed.

        Raises:
            ChatError: that cannot be found out, and doing it twice would be seen.
        """
        if isinstance(command, chat.SendFile):
            raise ChatError(None, "the service failed, and may have taken the file all the same")
        if not echo.is_expected:
            return False
        if await self._is_in_transcript(echo):
            return True
        with trio.move_on_after(ECHO_LIMIT):
            await self._waiting.until(lambda: echo.came)
        polls = self._stream.polls
        if echo.came or await self._is_in_transcript(echo):
            return True
        if polls == self._stream.polls:
            raise ChatError(None, "the service failed, and does not tell what came of the command")
        if isinstance(command, chat.SendNotice | chat.PushUrl):
            raise ChatError(None, "the service failed, and may have done the command all the same")
        return False

    async def _is_in_transcript(self, echo: Echo) -> bool:
        """Ask for the transcript, and tell whether an echo is in it."""
        polls = self._stream.polls
        self._stream.poll_soon()
        with trio.move_on_after(DOUBT_LIMIT):
            await self._waiting.until(lambda: echo.came or self._stream.polls > polls)
        return echo.came
