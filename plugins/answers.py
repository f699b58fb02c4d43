"""Does anybody answer? A bot without a file, and a command that needs none.

``botkit run answers`` plays the bot: an agent has to join. ``botkit answers URL`` says for a server
how long it takes until a chat is open and somebody is there.
"""

from __future__ import annotations

from collections.abc import Sequence

import click
import trio

from botkit import AgentConnected, BotkitError, ConfigError, Session, hookimpl, start_session
from botkit.hookspecs import Register
from botkit.interfaces import Bot, JourneyPlan

WITHIN = 60.0
"""Seconds in which somebody has to join."""


class Answers:
    """One journey: somebody joins."""

    async def run(self, session: Session) -> None:
        await session.wait_for(AgentConnected, within=WITHIN)


class AnswersBot:
    """The bot, as files of bots make them."""

    name = "answers"
    tags = ("quick",)

    def plans(self) -> Sequence[JourneyPlan]:
        title = "Somebody joins within a minute"
        return (JourneyPlan(bot=self.name, name=self.name, title=title, new_script=Answers),)


@click.command()
@click.argument("url")
@click.option("--service", default="default", show_default=True, help="The service's name.")
def answers(url: str, service: str) -> int:
    """Open a chat at URL, wait for an agent, leave, and tell how long that took."""
    return trio.run(measure, url, service)


async def measure(url: str, service: str) -> int:
    """Measure one chat; gives the exit code."""
    began = trio.current_time()
    try:
        async with start_session(url, service=service) as session:
            click.echo(f"open after {trio.current_time() - began:.2f} s")
            await session.wait_for(AgentConnected, within=WITHIN)
            click.echo(f"answered after {trio.current_time() - began:.2f} s")
    except ConfigError:
        raise  # the user's mistake, not the server's: botkit tells it
    except BotkitError as error:
        click.echo(f"no answer: {error}", err=True)
        return 1
    return 0


@hookimpl
def register_bots(register: Register[Bot]) -> None:
    register("answers", AnswersBot())


@hookimpl
def register_commands(register: Register[click.Command]) -> None:
    register("answers", answers)
