"""Which commands the steps of a script give, known before it is played."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from botkit import chat
from botkit.bot import script as ast
from botkit.bot.script import BotScript, Step, all_steps
from botkit.chat import Command

GIVES: Mapping[type[Step], tuple[type[Command], ...]] = MappingProxyType(
    {
        ast.Say: (chat.SendMessage,),
        ast.Press: (chat.PressButton,),
        ast.Offer: (chat.OfferButtons,),
        ast.ShowTyping: (chat.SendTyping,),
        ast.SendNotice: (chat.SendNotice,),
        ast.PushUrl: (chat.PushUrl,),
        ast.SendFile: (chat.SendFile,),
        ast.SetUserdata: (chat.SetUserdata,),
        ast.DeleteUserdata: (chat.DeleteUserdata,),
        ast.Leave: (chat.Leave,),
        # A session lets go of its connection for it, which is what reaches the wire.
        ast.Reload: (chat.Reload, chat.Detach),
    }
)
"""What each step gives; the others give nothing."""


def commands_of(script: BotScript) -> Iterator[tuple[Step, type[Command]]]:
    """Give all commands of a script, each with its step, those of reactions included."""
    for step in all_steps(script.steps):
        yield from _given_by(step)
    for reaction in script.whenever:
        for step in reaction.do:
            yield from _given_by(step)


def _given_by(step: Step) -> Iterator[tuple[Step, type[Command]]]:
    if getattr(step, "typing", None) is not None:
        yield step, chat.SendTyping
    for command in GIVES.get(type(step), ()):
        yield step, command
