"""What the customer does in a chat, as orders to a connector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """The root of all commands; never sent itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendMessage(Command):
    """Say a line."""

    text: str
    content_type: str = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendTyping(Command):
    """Show that the customer started (or stopped) typing."""

    is_typing: bool = True
    preview: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SendNotice(Command):
    """Send a machine-readable note."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PushUrl(Command):
    """Push a page to the agent."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateNickname(Command):
    """Go by another name."""

    nickname: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SetUserdata(Command):
    """Attach user data; existing keys are replaced."""

    userdata: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteUserdata(Command):
    """Take one key of user data away."""

    key: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadReceipt(Command):
    """Tell that everything up to this transcript index was read."""

    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SendFile(Command):
    """Put a file into the chat."""

    name: str
    content: bytes
    media_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True, kw_only=True)
class Leave(Command):
    """End the chat."""
