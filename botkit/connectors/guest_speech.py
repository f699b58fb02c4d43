"""What the customer does in a web messaging chat: lines, answers, typing, files.

A line waits for its turn, as the service takes so many messages a second, and for its copy, which
confirms it. One that came too soon is sent again, for then it surely was not taken; one whose fate
nobody knows never is.

Source: official Kotlin SDK; the reference's sections 4, 6 and 9.
"""

from __future__ import annotations

from collections.abc import Callable

import trio

from botkit import chat
from botkit.chat import Command
from botkit.connectors.guest_connection import GuestConnection
from botkit.connectors.guest_files import GuestFiles, limits_of
from botkit.connectors.guest_link import GuestLink, new_id
from botkit.connectors.waiting import Waiting
from botkit.errors import ConnectorError, LocalProtocolError
from botkit.genesys.guest_chat import GuestChat
from botkit.genesys.guest_failures import FailureKind, GuestRefusal, failure_of
from botkit.genesys.pacing import Pace
from botkit.genesys.web_content import attachments_in, pressed_in
from botkit.genesys.web_records import Frame, GuestMessage, Request

__all__ = ["LACKS", "GuestSpeech"]

ATTEMPTS = 5
"""How often a line is sent that the service surely did not take before."""
TYPING_EVERY = 5.0
"""Seconds; official clients show typing no more often."""
GRACE = 0.5
"""Seconds in which the service may refuse what it need not confirm."""

LACKS = {
    chat.SendNotice: "the guest API of web messaging has no machine-readable notes",
    chat.PushUrl: "guests of web messaging push no pages; send the address as text",
    chat.UpdateNickname: "a guest of web messaging has no nickname that could change",
    chat.DeleteUserdata: "custom attributes of web messaging can be set, but not taken back",
    chat.ReadReceipt: "the guest API of web messaging has no read receipts",
}
"""What the wire has no way to do, each with the reason."""


class GuestSpeech:
    """Performs the commands of one chat.

    Args:
        files: carries files beside the chat.
        pace: how often messages may be sent.
    """

    __slots__ = ("_chat", "_connection", "_files", "_link", "_pace", "_typed_at", "_waiting")

    def __init__(
        self,
        guest_chat: GuestChat,
        connection: GuestConnection,
        link: GuestLink,
        waiting: Waiting,
        *,
        files: GuestFiles,
        pace: Pace,
    ) -> None:
        self._chat = guest_chat
        self._connection = connection
        self._link = link
        self._waiting = waiting
        self._files = files
        self._pace = pace
        self._typed_at: float | None = None

    async def perform(self, command: Command) -> object:
        """Do what the customer wants.

        Returns:
            What the command asks for.

        Raises:
            ChatError: the service refused.
            ConnectorError: the connection broke, and what became of the command is unknown.
            RemoteProtocolError: the service answers nonsense.
            LocalProtocolError: the wire has no such thing.
        """
        lines = self._chat.lines
        match command:
            case chat.SendMessage(text=text):
                await self._say(lambda: lines.text(command), text)
            case chat.PressButton():
                await self._say(lambda: lines.answer(command), shown_of(lines.answer(command)))
            case chat.SendTyping(is_typing=is_typing):
                # There is no word for having stopped: it ends by itself.
                await trio.lowlevel.checkpoint()
                if is_typing:
                    await self._show_typing()
            case chat.SendFile():
                file_id = await self._files.upload(command)
                await self._say(lambda: lines.file(file_id), file_id)
                return file_id
            case chat.DownloadFile(file_id=file_id):
                return await self._files.download(file_id)
            case chat.DeleteFile(file_id=file_id):
                await self._files.delete(file_id)
            case chat.GetFileLimits():
                await trio.lowlevel.checkpoint()
                return limits_of(self._chat.info)
            case _:
                raise LocalProtocolError(LACKS.get(type(command), f"no way to do {command}"))
        return None

    async def join(self) -> None:
        """Tell the service that the customer is there, before anything is said.

        Raises:
            ChatError: the service refused.
            ConnectorError: the connection broke.
        """
        for attempt in range(1, ATTEMPTS + 1):
            await trio.sleep_until(max(self._pace.next_at(), trio.current_time()))
            message = self._chat.lines.join()
            failure = await self._announce(message)
            if failure is None:
                self._chat.attributes.arrived(message.attributes)
                return
            self._conclude(failure, is_last=attempt == ATTEMPTS)

    # --- lines ---

    async def _say(self, write: Callable[[], GuestMessage], line: str) -> None:
        """Send a message and wait until the service has taken it.

        Args:
            write: makes the message, with what has to travel with it at that time.
            line: what the history shows of it.
        """
        for attempt in range(1, ATTEMPTS + 1):
            await self._turn()
            message = write()
            try:
                frame = await self._send(message, line)
            except ConnectorError as error:
                if error.sent or attempt == ATTEMPTS:
                    raise
                continue
            failure = failure_of(frame)
            if failure is None:
                self._chat.attributes.arrived(message.attributes)
                self._typed_at = None
                return
            self._conclude(failure, is_last=attempt == ATTEMPTS)

    def _conclude(self, failure: GuestRefusal, *, is_last: bool) -> None:
        """Let the next attempt wait, if there is one to be made."""
        if failure.kind is FailureKind.WAIT and not is_last:
            self._pace.hold_until(trio.current_time() + failure.retry_after)
            return
        if failure.kind is FailureKind.ATTRIBUTES:
            self._chat.attributes.refused()
        raise failure

    async def _turn(self) -> None:
        """Wait for the connection, and until another message may be sent."""
        await trio.lowlevel.checkpoint()
        while True:
            await self._waiting.until(lambda: self._connection.is_online)
            if self._pace.next_at() <= trio.current_time():
                return
            await trio.sleep_until(self._pace.next_at())

    async def _send(self, message: GuestMessage, line: str | None) -> Frame:
        self._pace.sent(trio.current_time())
        request = Request(
            action="onMessage", token=self._chat.token, tracing_id=new_id(), message=message
        )

        def is_copy(frame: Frame) -> bool:
            copy = frame.body
            return (
                isinstance(copy, GuestMessage)
                and copy.direction == "Inbound"
                and not frame.tracing_id
                and copy.type == message.type
                and shown_of(copy) == line
            )

        return await self._link.call(request, is_copy, line=line)

    async def _announce(self, message: GuestMessage) -> GuestRefusal | None:
        """Send what is not confirmed for sure, and give the service a moment to refuse it."""
        with trio.move_on_after(GRACE):
            return failure_of(await self._send(message, None))
        return None

    async def _show_typing(self) -> None:
        now = trio.current_time()
        if self._typed_at is not None and now - self._typed_at < TYPING_EVERY:
            await trio.lowlevel.checkpoint()
            return
        await self._turn()
        self._typed_at = trio.current_time()
        try:
            failure = await self._announce(self._chat.lines.typing())
        except ConnectorError:
            # That the connection is lost is told by itself; typing is gone with it.
            return
        if failure is None:
            return
        if failure.kind is not FailureKind.WAIT:
            raise failure
        # It is for the moment: a line is worth waiting for, typing is not.
        self._pace.hold_until(trio.current_time() + failure.retry_after)


def shown_of(message: GuestMessage) -> str:
    """Say what the history shows of a line: its text, that of the button, or the file's id."""
    if message.text:
        return message.text
    pressed = pressed_in(message.content)
    if pressed is not None:
        return pressed.text
    return next((file.id for file in attachments_in(message.content)), "")
