"""What a customer can do in a chat, as methods: each gives one command and awaits its outcome."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, cast

import trio

from botkit import chat
from botkit.chat import Button, Command, FileLimits, Restoration
from botkit.errors import BotkitError, LocalProtocolError
from botkit.masking import shortened_repr
from botkit.results import blame
from botkit.session.expectations import Recorder
from botkit.session.outcomes import utc_now

__all__ = ["Commands"]


class Commands(ABC):
    """The commands of a session, all made of :meth:`perform`."""

    __slots__ = ()

    _recorder: Recorder

    @abstractmethod
    async def perform(self, command: Command) -> Any:
        """Do a command; see ``ChatSession``."""

    async def send_message(self, text: str, *, content_type: str = "text") -> None:
        """Say a line; returns when the service has accepted it. See :meth:`perform`."""
        await self._do(chat.SendMessage(text=text, content_type=content_type), text)

    async def send_typing(self, is_typing: bool = True, *, preview: str = "") -> None:
        """Show that the customer started (or stopped) typing. See :meth:`perform`."""
        await self._do(chat.SendTyping(is_typing=is_typing, preview=preview))

    async def send_notice(self, text: str) -> None:
        """Send a machine-readable note. See :meth:`perform`."""
        await self._do(chat.SendNotice(text=text), text)

    async def push_url(self, url: str) -> None:
        """Push a page to the agent. See :meth:`perform`."""
        await self._do(chat.PushUrl(url=url), url)

    async def update_nickname(self, nickname: str) -> None:
        """Go by another name. See :meth:`perform`."""
        await self._do(chat.UpdateNickname(nickname=nickname), nickname)

    async def read_receipt(self, index: int) -> None:
        """Tell that everything up to this transcript index was read. See :meth:`perform`."""
        await self._do(chat.ReadReceipt(index=index), str(index))

    async def press_button(self, button: Button, *, message_id: str = "") -> None:
        """Answer a message with one of its buttons. See :meth:`perform`."""
        command = chat.PressButton(text=button.text, payload=button.payload, message_id=message_id)
        await self._do(command, button.text)

    # --- user data ---

    async def set_userdata(self, userdata: Mapping[str, str]) -> None:
        """Attach user data. See :meth:`perform`.

        On GMS that the service accepted it is taken as its confirmation (inferred).
        """
        for key, value in cast("Mapping[str, object]", userdata).items():
            if not isinstance(value, str):
                raise LocalProtocolError(
                    f"user data are texts; {key}={shortened_repr(value, 40)} is not"
                )
        await self._do(chat.SetUserdata(userdata=dict(userdata)), ", ".join(userdata))

    async def delete_userdata(self, key: str) -> float:
        """Take one key of user data away. See :meth:`perform`.

        On GMS this sets an empty value, since there is no delete (inferred).

        Returns:
            When it was confirmed, epoch seconds.
        """
        await self._do(chat.DeleteUserdata(key=key), key)
        return utc_now()

    # --- files ---

    async def send_file(
        self, name: str, content: bytes, *, media_type: str = "application/octet-stream"
    ) -> str:
        """Put a file into the chat. See :meth:`perform`.

        Returns:
            The service's name of the file.
        """
        command = chat.SendFile(name=name, content=content, media_type=media_type)
        return cast("str", await self._do(command, f"{name} ({len(content)} bytes)"))

    async def get_file_limits(self) -> FileLimits:
        """Ask what files may be sent. See :meth:`perform`."""
        return cast("FileLimits", await self._do(chat.GetFileLimits()))

    async def download_file(self, file_id: str) -> bytes:
        """Fetch a file of the chat, whole. See :meth:`perform`."""
        return cast("bytes", await self._do(chat.DownloadFile(file_id=file_id), file_id))

    async def delete_file(self, file_id: str) -> None:
        """Take a file out of the chat. See :meth:`perform`."""
        await self._do(chat.DeleteFile(file_id=file_id), file_id)

    # --- the connection ---

    async def reload(self, away_for: float = 0.0) -> Restoration:
        """Let go of the connection, stay away, and come back, as a browser that reloads does.

        What was seen before comes again as history; commands given meanwhile wait. If the chat is
        not given back the session has ended, and the outcome says why.

        Args:
            away_for: seconds between letting go and coming back.
        """
        command = chat.Reload(away_for=away_for)
        return cast("Restoration", await self._do(command, f"away for {away_for:g} s"))

    async def detach(self) -> None:
        """Let go of the connection and leave the chat open, to be restored later.

        The session has ended then, by ``EndedBy.DETACHED``.
        """
        await self._do(chat.Detach())

    async def _do(self, command: Command, text: str = "") -> Any:
        """Do a command and write it down as a step."""
        started = trio.current_time()
        verb = chat.events.snake_case(type(command).__name__)
        shown = f"{verb}: {text}" if text else verb
        try:
            value = await self.perform(command)
        except BotkitError as error:
            failed, reason = blame(error)
            self._recorder.record(
                verb=verb, text=shown, started=started, verdict=failed, reason=reason,
                message=str(error),
            )  # fmt: skip
            raise
        self._recorder.record(verb=verb, text=shown, started=started)
        return value
