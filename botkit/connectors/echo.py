"""Whether something that the customer did has arrived, where its acknowledgement was lost.

A service repeats what its customers say, and repeats it once more after a loss. That settles what
became of a line whose reply never came: it is never sent again, and not called lost if it arrived.
"""

from __future__ import annotations

from botkit import chat
from botkit.chat import Command, Event

__all__ = ["Echo"]


class Echo:
    """Watches for the echo of one command.

    Attributes:
        came: it was seen.
    """

    __slots__ = ("_kind", "_text", "came")

    def __init__(self, command: Command) -> None:
        self.came = False
        self._kind, self._text = _echo_of(command)

    @property
    def is_expected(self) -> bool:
        """The service repeats such a command at all."""
        return self._kind is not None

    def look(self, event: Event) -> None:
        """See whether an event is the echo."""
        if type(event) is self._kind and _text_of(event) == self._text:
            self.came = True


def _echo_of(command: Command) -> tuple[type[Event] | None, str]:
    match command:
        case chat.SendMessage():
            return chat.Message, command.text
        case chat.SendNotice():
            return chat.Notice, command.text
        case chat.PushUrl():
            return chat.PushedUrl, command.url
        case chat.UpdateNickname():
            return chat.Nickname, command.nickname
        case _:
            return None, ""


def _text_of(event: Event) -> str | None:
    """Give what the customer said in an event; None if it was somebody else, or is history."""
    if not chat.events.is_own(event) or event.history:
        return None
    match event:
        case chat.Message() | chat.Notice():
            return event.text
        case chat.PushedUrl():
            return event.url
        case chat.Nickname():
            return event.nickname
        case _:
            return None
