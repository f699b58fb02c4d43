"""How the guest API of the simulator behaves: limits, what a deployment allows, what is unknown.

What the public sources do not tell is a setting here, and its description says that it is the
simulator's own choice.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
NO_DEPLOYMENTS: Mapping[str, str] = MappingProxyType({})


class AtChatEnd(enum.Enum):
    """What a guest may do when the agent has ended the conversation."""

    READ_ONLY = "ReadOnly"
    """Nothing: a new chat needs ``startNew``."""
    SEND = "Send"
    """Write on, which opens another conversation."""
    UNTOLD = "off"
    """Write on; the end of the conversation is not even told."""


class SameToken(enum.Enum):
    """What becomes of a socket when another one configures the same token; not public."""

    BOTH = "both"
    """Both live, and both get what is sent."""
    CLOSE_OLDER = "close_older"
    """The older one gets a ``ConnectionClosedEvent`` and is closed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuestSettings:
    """What the guest API allows; times in seconds.

    Attributes:
        deployments: the service that each deployment id leads to; when there are none, every
            deployment id is served.
        service: what deployments lead to that ``deployments`` does not name; but a deployment id
            that is no UUID, as real ones are, is itself the name of its service.
        origins: what the ``Origin`` header of an upgrade may say; empty for anything.
        autostart: clients are told to begin a conversation by ``Join``.
        user_typing: guests may show that they type.
        clear: guests may erase their conversation.
        at_chat_end: what follows when the agent ends the conversation.
        auth: sessions of customers who have signed in.
        session_upgrade: signing in keeps the guest's session, instead of replacing it.
        same_token: a second socket with the token of a first one.
        duration: the idle lifetime of a session.
        max_custom_data_bytes: of the keys and values of the custom attributes of one message.
        max_token: characters.
        max_message: characters of a text; the real limit is not public.
        rate: messages in ``rate_window``.
        rate_window: the length of the window.
        file_types: media types that guests may send; ``*/*`` is all.
        blocked_extensions: of file names, whatever their type.
        max_file_kb: of one file.
        max_file_name: characters; the real limit is not public.
        max_kept_bytes: of all uploads together, after which the oldest are forgotten.
        keep_files: files that are remembered, with or without their bytes.
        upload_lifetime: how long a file may wait to be uploaded and sent; not public.
        jwt_lifetime: of the tokens of guests, for the history.
        auth_lifetime: of the tokens of customers who have signed in; not public.
        refused_codes: what an identity provider may give and is not taken; all else is.
        nickname_attributes: custom attributes that name the guest, the first that is there.
        subject_attribute: the custom attribute that says what the chat is about.
        nickname: of a guest who gives no name.
        keep_sessions: idle sessions that are remembered.
        max_waiting: frames that a slow socket lets wait before it is cut.
    """

    deployments: Mapping[str, str] = field(default_factory=lambda: NO_DEPLOYMENTS)
    service: str = "demo"
    origins: tuple[str, ...] = ()
    autostart: bool = True
    user_typing: bool = True
    clear: bool = True
    at_chat_end: AtChatEnd = AtChatEnd.READ_ONLY
    auth: bool = True
    session_upgrade: bool = False
    same_token: SameToken = SameToken.BOTH
    duration: float = 259_200.0
    max_custom_data_bytes: int = 2048
    max_token: int = 2048
    max_message: int = 4096
    rate: int = 2
    rate_window: float = 1.0
    file_types: tuple[str, ...] = ("image/png", "image/jpeg", "text/plain", "application/pdf")
    blocked_extensions: tuple[str, ...] = (".exe", ".bat", ".js")
    max_file_kb: int = 10_240
    max_file_name: int = 255
    max_kept_bytes: int = 64 * 1024 * 1024
    keep_files: int = 10_000
    upload_lifetime: float = 600.0
    jwt_lifetime: float = 3600.0
    auth_lifetime: float = 900.0
    refused_codes: tuple[str, ...] = ()
    nickname_attributes: tuple[str, ...] = ("nickname", "username", "name")
    subject_attribute: str = "subject"
    nickname: str = "Guest"
    keep_sessions: int = 1000
    max_waiting: int = 1000

    def serves(self, deployment: str) -> bool:
        """Tell whether there is such a deployment."""
        return bool(deployment) and (not self.deployments or deployment in self.deployments)

    def service_of(self, deployment: str) -> str:
        """Give the service that routing knows a deployment by."""
        named = self.deployments.get(deployment)
        if named is None:
            return self.service if UUID.fullmatch(deployment) else deployment
        return named
