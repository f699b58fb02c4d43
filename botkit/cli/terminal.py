"""Where a person talks: a terminal whose prompt stays usable while lines arrive, or a pipe."""

from __future__ import annotations

import asyncio  # noqa: TID251 - prompt_toolkit runs on it, in a thread of its own
import math
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from typing import Any, Protocol, TextIO

import click
import trio


class Place(Protocol):
    """Where lines come from, and where they are shown."""

    patient: bool
    """Nobody reads along: a line is said when the one before was answered."""

    def open(self) -> AbstractAsyncContextManager[None]:
        """Have the lines read, and give everything back in the end."""

    async def read(self) -> str | None:
        """Give the next line; None when there are no more."""

    def show(self, line: str) -> None:
        """Show a line that is fit for a terminal."""

    def show_typing(self, who: str) -> None:
        """Show who types; empty if nobody does (any more)."""


class Pipe:
    """Standard input that is no terminal: a file, or another program.

    A line that is waited for when a reading is cancelled is given to the next.
    """

    patient = True

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        # Set when the thread that reads has a line; None while there is no such thread.
        self._arrived: trio.Event | None = None
        # Gives that line, or raises what broke.
        self._line: Callable[[], str]

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Need nothing."""
        yield

    async def read(self) -> str | None:
        """Give the next line."""
        if self._arrived is None:
            self._arrived, token = trio.Event(), trio.lowlevel.current_trio_token()
            arrive = partial(self._arrive, token, self._arrived)
            trio.lowlevel.start_thread_soon(self._stream.readline, arrive, name="standard input")
        await self._arrived.wait()
        self._arrived = None
        line = self._line()
        return line.rstrip("\r\n") if line else None

    def _arrive(self, token: trio.lowlevel.TrioToken, arrived: trio.Event, line: Any) -> None:
        """Take the outcome of a reading, in its thread; nobody may wait for it any more."""
        self._line = line.unwrap
        with suppress(trio.RunFinishedError):
            token.run_sync_soon(arrived.set)

    def show(self, line: str) -> None:
        """Write a line at once, for whoever reads along."""
        click.echo(line)

    def show_typing(self, who: str) -> None:
        """Write it as a line."""
        if who:
            click.echo(f"[{who} is typing]")


class Terminal:
    """A terminal with a person before it.

    The prompt is prompt_toolkit's, and runs in a thread with one event loop for the whole chat: a
    line that arrives between two prompts must find one. What is shown goes above the prompt, and
    that somebody types goes below.

    Args:
        hint: stands below the prompt while nobody types.
    """

    patient = False

    def __init__(self, hint: str) -> None:
        from prompt_toolkit import PromptSession

        self._typing = ""
        self._hint = hint
        self._prompt: PromptSession[str] = PromptSession("> ", bottom_toolbar=self._below)
        self._lines, self._typed = trio.open_memory_channel[str](math.inf)
        self._asking: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        # Set when the prompt has the terminal, or has given it back.
        self._there = trio.Event()

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Run the prompt; the terminal is as it was when this is left."""
        async with trio.open_nursery() as nursery:
            try:
                nursery.start_soon(self._run, name="prompt")
                # A key that is pressed before would go to a terminal that waits for whole lines.
                await self._there.wait()
                yield
            finally:
                self._closed = True
                if self._asking is not None:
                    self._in_prompt(self._asking.cancel)

    async def _run(self) -> None:
        with trio.CancelScope(shield=True), self._lines:
            try:
                await trio.to_thread.run_sync(asyncio.run, self._ask_on())
            finally:
                self._there.set()

    async def _ask_on(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._prompt.app.after_render += self._tell_there
        self._asking = asyncio.ensure_future(self._ask())
        if self._closed:  # Whoever closed it has seen no task to cancel, maybe.
            self._asking.cancel()
        await asyncio.wait([self._asking])
        if not self._asking.cancelled():
            self._asking.result()

    def _tell_there(self, app: object) -> None:
        self._prompt.app.after_render -= self._tell_there
        trio.from_thread.run_sync(self._there.set)

    async def _ask(self) -> None:
        while True:
            try:
                line = await self._prompt.prompt_async(handle_sigint=False)
            except (EOFError, KeyboardInterrupt):
                return
            trio.from_thread.run_sync(self._lines.send_nowait, line)

    def _below(self) -> str:
        return self._typing or self._hint

    async def read(self) -> str | None:
        """Give the next line; Ctrl-D and Ctrl-C end them."""
        try:
            return await self._typed.receive()
        except trio.EndOfChannel:
            return None

    def show(self, line: str) -> None:
        """Write a line above the prompt."""
        if not self._in_prompt(self._write, line):
            click.echo(line)

    def _in_prompt(self, do: Callable[..., object], *arguments: object) -> bool:
        """Have something done in the prompt's thread; False if that runs no more, or not yet."""
        if self._loop is None:
            return False
        try:
            self._loop.call_soon_threadsafe(do, *arguments)
        except RuntimeError:  # The loop was closed, maybe in this very moment.
            return False
        return True

    def _write(self, line: str) -> None:
        # Not prompt_toolkit's own way, which leaves the raw mode for it: a key that is pressed in
        # that moment would be lost, Ctrl-D among them.
        app = self._prompt.app
        if app.is_running:
            app.renderer.erase()
        app.output.write(f"{line}\r\n")
        app.output.flush()
        if app.is_running:
            app.renderer.request_absolute_cursor_position()
            app.invalidate()

    def show_typing(self, who: str) -> None:
        """Tell below the prompt who types."""
        self._typing = f"{who} is typing..." if who else ""
        self._prompt.app.invalidate()


def terminal_or_pipe(
    stream: TextIO, *, hint: str = "/help tells what there is; Ctrl-D leaves the chat"
) -> Place:
    """Choose by what standard input is."""
    return Terminal(hint) if stream.isatty() and sys.stdout.isatty() else Pipe(stream)
