"""What the customer does in a chat, as orders to a connector."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from botkit.chat.events import Button
from botkit.records import quickly_made


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """The root of all commands; never sent itself."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class SendMessage(Command):
    """Say a line."""

    text: str
    content_type: str = "text"


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class SendTyping(Command):
    """Show that the customer started (or stopped) typing."""

    is_typing: bool = True
    preview: str = ""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class SendNotice(Command):
    """Send a machine-readable note."""

    text: str


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class PushUrl(Command):
    """Push a page to the agent."""

    url: str


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateNickname(Command):
    """Go by another name."""

    nickname: str


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class SetUserdata(Command):
    """Attach user data; existing keys are replaced."""

    userdata: Mapping[str, str]


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteUserdata(Command):
    """Take one key of user data away."""

    key: str


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class ReadReceipt(Command):
    """Tell that everything up to this transcript index was read."""

    index: int


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class SendFile(Command):
    """Put a file into the chat; the outcome's value is the service's name of it."""

    name: str
    content: bytes
    media_type: str = "application/octet-stream"


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class DeleteFile(Command):
    """Take a file out of the chat."""

    file_id: str


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class DownloadFile(Command):
    """Fetch a file of the chat; the outcome's value is its bytes."""

    file_id: str


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class GetFileLimits(Command):
    """Ask what files may be sent; the outcome's value is a ``FileLimits``."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class PressButton(Command):
    """Answer a message with one of the buttons that it offers."""

    text: str
    payload: str = ""
    message_id: str = ""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class OfferButtons(Command):
    """Say a line and offer answers with it; only agents of the simulator do that.

    A wire without structured content shows the answers in brackets behind the line.
    """

    text: str
    buttons: tuple[Button, ...]


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Detach(Command):
    """Let go of the connection and leave the chat open, as a browser that is closed does."""


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Reload(Command):
    """Let go of the connection, stay away, and come back, as a browser that reloads its page does.

    A session does this itself, with two connections; no connector sees it. Its value is a
    ``Restoration``.

    Attributes:
        away_for: seconds between letting go and coming back.
    """

    away_for: float = 0.0


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Leave(Command):
    """End the chat."""
