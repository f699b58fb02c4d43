"""A person's chat: shows what comes, does what is typed, and has it written down."""

from __future__ import annotations

import mimetypes
from collections.abc import Awaitable, Callable
from pathlib import Path

import trio

from botkit.chat import (
    AgentTyping,
    Button,
    Event,
    Message,
    Other,
    SessionEnded,
    SessionStarted,
    Userdata,
)
from botkit.chat.events import is_own
from botkit.chat.transcript import row_of
from botkit.cli.terminal import Place
from botkit.errors import ChatError, ConfigError, SessionClosed
from botkit.recording import Recorder
from botkit.report.text import one_line
from botkit.session import ChatSession

MAX_LINE = 4_000
AGENT_WITHIN = 30.0
"""Seconds that a pipe waits for somebody to come."""
REPLY_WITHIN = 10.0
"""Seconds that a pipe waits for an answer to a line."""
QUIET = 0.4
"""Seconds without a word, after which an answer is taken to be whole."""
MAX_FILE = 10 * 1024 * 1024

HELP = """\
TEXT                says a line; //TEXT says one that begins with a stroke
/1, /2, ...         presses a button of the latest that were offered; /button TEXT by its text
/userdata K=V       attaches user data; /userdata alone shows what there is
/delete K           takes a key of user data away
/file PATH          sends a file
/url URL            pushes a page to the agent
/notice TEXT        sends a machine-readable note
/typing             shows that you type
/note TEXT          writes something down in the bot
/expect TEXT        of the line with this text, the recorded bot expects no more than that
/leave, Ctrl-D      leaves the chat"""


class Talk:
    """One chat of a person.

    Args:
        session: the chat, which is open.
        place: where the person sits.
        recorder: writes down what happens.
    """

    def __init__(self, session: ChatSession, place: Place, recorder: Recorder) -> None:
        self._session = session
        self._place = place
        self._recorder = recorder
        self._offered: Message | None = None
        self._heard = 0
        self._last = trio.current_time()
        self._typing = False
        self._lot = trio.lowlevel.ParkingLot()

    async def hold(self) -> None:
        """Talk until the person leaves or the chat is over."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._listen, nursery.cancel_scope)
            await self._speak()
            nursery.cancel_scope.cancel()

    # --- what comes ---

    async def _listen(self, talking: trio.CancelScope) -> None:
        async for event in self._session.events():
            self.came(event)
            if isinstance(event, SessionEnded):
                talking.cancel()

    def came(self, event: Event) -> None:
        """Show an event, and write it down."""
        self._recorder.came(event)
        # What the model has no word for is noise to a person, and so is one's own echo.
        if isinstance(event, Other) or is_own(event):
            return
        if isinstance(event, AgentTyping):
            self._typing = event.is_typing
            who = event.party.name if event.party else "somebody"
            self._place.show_typing(one_line(who, 60) if event.is_typing else "")
            return
        if isinstance(event, Message):
            self._heard += 1
            self._typing = False
            self._place.show_typing("")
            self._offered = event if event.buttons else self._offered
        self._last = trio.current_time()
        for line in words_of(event):
            self._place.show(line)
        self._lot.unpark_all()

    # --- what is typed ---

    async def _speak(self) -> None:
        if self._place.patient:
            await self._await_reply(lambda: bool(self._session.agents), AGENT_WITHIN)
        while (line := await self._place.read()) is not None:
            if line.strip() in ("/leave", "/quit"):
                return
            heard = self._heard
            try:
                speaks = await self._obey(line)
            except (ChatError, ConfigError) as error:
                self._place.show(f"! {one_line(str(error))}")
                continue
            except SessionClosed:
                return
            if self._place.patient:
                within = REPLY_WITHIN if speaks else 0.0
                await self._await_reply(lambda heard=heard: self._heard > heard, within)  # type: ignore[misc]

    async def _await_reply(self, came: Callable[[], bool], within: float) -> None:
        """Wait until an answer has come, and its speaker has finished."""
        with trio.move_on_after(within):
            while not came():
                await self._lot.park()
        while self._typing or trio.current_time() < self._last + QUIET:
            with trio.move_on_after(QUIET) as quiet:
                await self._lot.park()
            if quiet.cancelled_caught and self._typing:
                # Typing that never ends is no reason to wait for ever.
                with trio.move_on_after(within):
                    await self._lot.park()
                self._typing = False

    async def _obey(self, line: str) -> bool:
        """Do what a line says.

        Returns:
            Whether an answer is to be expected.

        Raises:
            ConfigError: the line makes no sense.
            ChatError: the service refuses it.
        """
        if not line.strip():
            return False
        if not line.startswith("/") or line.startswith("//"):
            await self._say(line.removeprefix("/"))
            return True
        word, _, rest = line[1:].strip().partition(" ")
        rest = rest.strip()
        if word.isdecimal():
            await self._press(word)
            return True
        command = self._commands().get(word)
        if command is None:
            raise ConfigError(f"there is no /{word}; /help tells what there is")
        needs, do = command
        if needs and not rest:
            raise ConfigError(f"/{word} needs {needs}")
        await do(rest)
        return word == "button"

    def _commands(self) -> dict[str, tuple[str, Callable[[str], Awaitable[None]]]]:
        return {
            "help": ("", self._help),
            "userdata": ("", self._userdata),
            "delete": ("a key", self._delete),
            "file": ("a path", self._file),
            "url": ("a URL", self._url),
            "notice": ("a text", self._notice),
            "typing": ("", self._show_typing),
            "note": ("a text", self._note),
            "expect": ("a text", self._expect),
            "button": ("its text", self._press),
        }

    def _did(self, verb: str, value: object) -> None:
        self._recorder.did(trio.current_time(), verb, value)

    async def _say(self, text: str) -> None:
        self._did("say", text)
        await self._session.send_message(text)

    async def _press(self, wanted: str) -> None:
        buttons = self._offered.buttons if self._offered else ()
        by_number = wanted.isdecimal() and 0 < int(wanted) <= len(buttons)
        fitting = [b for b in buttons if b.text.casefold() == wanted.casefold()]
        button: Button | None = buttons[int(wanted) - 1] if by_number else None
        button = button or next(iter(fitting), None)
        if button is None or self._offered is None:
            raise ConfigError(f"no button {wanted!r} was offered")
        self._did("say", {"button": button.text})
        await self._session.press_button(button, message_id=self._offered.message_id)

    async def _userdata(self, text: str) -> None:
        key, found, value = text.partition("=")
        if not text:
            for name, known in sorted(self._session.userdata.items()):
                self._place.show(one_line(f"  {name}={known}"))
            return
        if not found or not key.strip() or not value.strip():
            raise ConfigError("/userdata needs K=V")
        self._did("set_userdata", {key.strip(): value.strip()})
        await self._session.set_userdata({key.strip(): value.strip()})

    async def _delete(self, key: str) -> None:
        self._did("delete_userdata", key)
        await self._session.delete_userdata(key)

    async def _file(self, path: str) -> None:
        file, content = await trio.to_thread.run_sync(read_file, path)
        media_type = mimetypes.guess_type(path)[0] or "application/octet-stream"
        self._did("send_file", str(file))
        await self._session.send_file(file.name, content, media_type=media_type)

    async def _url(self, url: str) -> None:
        self._did("push_url", url)
        await self._session.push_url(url)

    async def _notice(self, text: str) -> None:
        self._did("send_notice", text)
        await self._session.send_notice(text)

    async def _show_typing(self, _: str) -> None:
        self._did("show_typing", "1s")
        await self._session.send_typing()

    async def _note(self, text: str) -> None:
        self._did("note", text)
        await trio.lowlevel.checkpoint()

    async def _expect(self, text: str) -> None:
        if not self._recorder.mark(text):
            self._place.show("! nobody has said so yet: the next line with this text is meant")
        await trio.lowlevel.checkpoint()

    async def _help(self, _: str) -> None:
        for line in HELP.splitlines():
            self._place.show(line)
        await trio.lowlevel.checkpoint()


def words_of(event: Event) -> list[str]:
    """Say an event in lines that are fit for a terminal."""
    if isinstance(event, SessionStarted):
        return [f"[the chat is open: {one_line(event.session_id)}]"]
    if isinstance(event, Userdata):
        pairs = (f"{k} is deleted" if v is None else f"{k}={v}" for k, v in event.changes.items())
        return [one_line(f"[user data] {pair}", MAX_LINE) for pair in pairs]
    if not isinstance(event, Message):
        return [one_line(str(row_of(event)), MAX_LINE)]
    who = one_line(event.party.name if event.party else "somebody", 100)
    lines = [one_line(line, MAX_LINE) for line in event.text.splitlines()] or [""]
    shown = [f"{who}: {lines[0]}", *(f"  {line}" for line in lines[1:])]
    numbered = enumerate(event.buttons, 1)
    return [*shown, *(f"  /{number}  {one_line(b.text, 200)}" for number, b in numbered)]


def read_file(named: str) -> tuple[Path, bytes]:
    """Read a file that is to be sent; gives where it is, too.

    Raises:
        ConfigError: there is none, or it is too large.
    """
    path = Path(named).expanduser().resolve()
    try:
        if not path.is_file():
            raise ConfigError(f"{path} is no file")
        with path.open("rb") as stream:
            content = stream.read(MAX_FILE + 1)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    if len(content) > MAX_FILE:
        raise ConfigError(f"{path} is larger than 10 MB")
    return path, content
