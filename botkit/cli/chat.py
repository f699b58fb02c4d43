"""``botkit chat``: a person chats as the customer, and gets a bot that does the same."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from botkit.cli.options import takes
from botkit.results import ExitCode

if TYPE_CHECKING:
    from botkit.interfaces import Connector, Opening
    from botkit.journey.openings import Resolved
    from botkit.plugins import Plugins
    from botkit.recording import Recorder


@click.command()
@takes(
    "server",
    "connector",
    "service",
    "nickname",
    "userdata",
    "option",
    "agents",
    "faults",
    "seed",
    "record",
    "force",
    "insecure",
    "ca-file",
    "client-cert",
    "proxy",
    "header",
    "auth",
    "plugins",
)
@click.pass_context
def chat(ctx: click.Context, /, **given: Any) -> ExitCode:
    """Chat as the customer; without a server, with the simulator.

    Lines are said; /help tells what else can be done. Ctrl-D leaves the chat. With --record what
    happened becomes a bot. If standard input is no terminal, its lines are said one after another,
    each when the one before was answered.

    \b
    Exit codes:
      0  the chat was held and left
      1  the chat could not be opened, or was lost
      2  a signal ended it
      4  wrong usage; nothing was started
    """
    import trio

    from botkit.cli.loading import plugins_of
    from botkit.cli.run import refuse_empty_variables
    from botkit.cli.writing import refuse_existing

    refuse_empty_variables(os.environ)
    if given["record"] is not None:
        refuse_existing(given["record"], key="record", force=given["force"])
    with plugins_of(given["plugins"]) as plugins:
        resolved = resolved_of(ctx, given, plugins)
        wire = plugins.connectors[resolved.connector]()
        wire.check(resolved.opening)
        chatting = Chatting(wire, resolved, given["record"], force=given["force"])
        return trio.run(chatting.hold, restrict_keyboard_interrupt_to_checkpoints=True)


def resolved_of(ctx: click.Context, given: dict[str, Any], plugins: Plugins) -> Resolved:
    """Decide how the chat is opened.

    Raises:
        ConfigError: what was said does not work.
    """
    import secrets

    from botkit.cli.connecting import connect_of
    from botkit.interfaces import JourneyPlan
    from botkit.journey.openings import resolve

    wanting = connect_of(ctx, given, plugins)
    return resolve(
        JourneyPlan(bot="chat", name="chat", new_script=object),
        override=replace(wanting.now, userdata=dict(given["userdata"])),
        fallback=wanting.usually,
        run_id=secrets.token_hex(6),
        connectors=plugins.connectors,
    )


class Chatting:
    """A chat from its opening to its recording.

    Args:
        wire: speaks to the service.
        resolved: how it is opened.
        record: the file of the bot; None for no bot.
        force: overwrite that file.
    """

    def __init__(
        self, wire: Connector, resolved: Resolved, record: Path | None, *, force: bool
    ) -> None:
        self._wire = wire
        self._resolved = resolved
        self._record = record
        self._force = force

    async def hold(self) -> ExitCode:
        """Hold the chat; the bot is written whatever ends it, once it was opened.

        Raises:
            ConfigError: the bot cannot be written.
        """
        import trio

        from botkit.cli.signals import run_until_signalled
        from botkit.log_masking import keep_out_of_logs
        from botkit.recording import Recorder

        keep_out_of_logs(self._resolved.masker)
        opening = self._resolved.opening
        recorder = Recorder(opening.userdata, self._resolved.masker)
        began = trio.current_time()
        talking = trio.CancelScope()
        signalled: list[str] = []

        def stop(name: str) -> None:
            signalled.append(name)
            talking.cancel()

        code = await run_until_signalled(
            lambda: self._talk(recorder, talking), first=stop, second=stop
        )
        if self._record is not None and recorder.beats:
            self._write(self._record, recorder, began, trio.current_time())
        return ExitCode.SIGNAL if signalled else code

    async def _talk(self, recorder: Recorder, talking: Any) -> ExitCode:
        import trio

        from botkit.chat import EndedBy
        from botkit.cli.entry import complain
        from botkit.cli.talk import Talk
        from botkit.cli.terminal import terminal_or_pipe
        from botkit.errors import ChatError, ConnectorError, RemoteProtocolError, ungrouped
        from botkit.recording import place_of
        from botkit.session import ChatSession

        url = self._resolved.opening.url
        where = place_of(url) if url else "the simulator"
        click.echo(f"Calling {where} by {self._resolved.connector} ...", err=True)
        try:
            with ungrouped():
                async with self._wire.running(), trio.open_nursery() as nursery:
                    session = ChatSession(nursery, self._resolved.opening)
                    with talking:
                        await session.open(self._wire)
                        place = terminal_or_pipe(sys.stdin)
                        async with place.open():
                            await Talk(session, place, recorder).hold()
                    await session.leave()
                    nursery.cancel_scope.cancel()
        except (ChatError, ConnectorError, RemoteProtocolError) as error:
            complain(f"the chat could not be held: {self._resolved.masker(str(error))}")
            return ExitCode.FAILED
        ended = session.ended
        if ended is not None:
            click.echo(f"The chat is over ({ended.by.value}).", err=True)
        lost = ended is not None and ended.by in (EndedBy.LOST, EndedBy.UNCONFIRMED)
        return ExitCode.FAILED if lost else ExitCode.PASSED

    def _write(self, file: Path, recorder: Recorder, began: float, ended: float) -> None:
        from botkit.cli.writing import write_new
        from botkit.journey.openings import MARK
        from botkit.recording import Recording, bot_text

        opening = self._resolved.opening
        recording = Recording(
            name=file.name.partition(".")[0],
            beats=tuple(beat_beside(file, beat) for beat in recorder.beats),
            began=began,
            ended=ended,
            about=(about(self._resolved.connector, opening),),
            connector=self._resolved.connector,
            service=opening.service,
            nickname=opening.nickname,
            userdata={k: v for k, v in opening.userdata.items() if k != MARK},
            agents=frozenset(recorder.agents),
            script=beside(file, opening.agents) if opening.agents else "",
        )
        write_new(file, bot_text(recording), key="record", force=self._force)
        click.echo(f"{file}: written; 'botkit run {file}' plays it", err=True)


def about(connector: str, opening: Opening) -> str:
    """Say when and against what a chat was recorded, without what a URL may hide."""
    from datetime import UTC, datetime

    from botkit.recording import place_of
    from botkit.session import utc_now

    stamp = datetime.fromtimestamp(utc_now(), UTC).strftime("%Y-%m-%d %H:%M UTC")
    where = place_of(opening.url) if opening.url else "the simulator"
    return f"Recorded on {stamp} by {connector} against {where}."


def beside(file: Path, other: Path) -> str:
    """Name a file as a bot names it: relative to itself."""
    return Path(os.path.relpath(other.resolve(), file.parent.resolve())).as_posix()


def beat_beside(file: Path, beat: Any) -> Any:
    """Let a bot find the file that was sent."""
    return replace(beat, value=beside(file, Path(beat.value))) if beat.verb == "send_file" else beat
