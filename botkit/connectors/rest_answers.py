"""What the answers of GMS over REST say about the chat and about a command. Pure."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

from botkit import chat
from botkit.chat import Command
from botkit.connectors.rest_link import Answer
from botkit.errors import ChatError
from botkit.genesys import gms_files
from botkit.genesys.gms_chat import failure_of
from botkit.genesys.gms_v2 import GmsEvent, Push

__all__ = [
    "in_order",
    "is_awaited_gap",
    "moves_on",
    "position_after",
    "temporary",
    "value_of",
]


def in_order(push: Push) -> Push:
    """Sort the events of an answer as the transcript has them; those without an index come last."""
    if all(before <= after for before, after in pairwise(map(_place, push.events))):
        return push
    return replace(push, events=tuple(sorted(push.events, key=_place)))


def position_after(push: Push) -> int:
    """Tell from where to ask on; 0 if the answer does not tell."""
    if push.next_position is not None:
        return push.next_position
    return max((event.index + 1 for event in push.events if event.index is not None), default=0)


def is_awaited_gap(push: Push) -> bool:
    """Tell whether the service itself says that something before these events is still to come."""
    first = next((event.index for event in push.events if event.index is not None), None)
    return push.next_position is not None and first is not None and push.next_position <= first


def moves_on(command: Command) -> bool:
    """Tell whether the answer to a command surely shows all up to its next position.

    A read receipt says with the position what was read; that the calls about files answer with
    events is not documented. What they show is taken, and asked for again.
    """
    return not isinstance(command, chat.ReadReceipt | gms_files.FileCommand)


def value_of(command: Command, answer: Answer) -> object:
    """Read what a command asked for.

    Raises:
        RemoteProtocolError: it is not there.
    """
    match command:
        case chat.SendFile():
            return gms_files.decode_file_id(answer.data)
        case chat.GetFileLimits():
            return gms_files.decode_limits(answer.data)
        case chat.DownloadFile():
            return answer.body
        case _:
            return None


def temporary(push: Push) -> ChatError:
    """Put into words that the service asks to come again."""
    code, description = failure_of(push)
    return ChatError(code, f"the service asks to come again: {description}")


def _place(event: GmsEvent) -> float:
    return math.inf if event.index is None else event.index
