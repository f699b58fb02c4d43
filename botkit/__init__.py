"""botkit plays the customer in contact-centre chats, unattended.

Importing this imports next to nothing: a public name is fetched when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from botkit.version import __version__

if TYPE_CHECKING:
    from botkit.api import make_storage, restore_session, start_session
    from botkit.bot.matchers import (
        all_of,
        any_of,
        contains,
        equals,
        like,
        matches,
        matches_json,
        none_of,
        starts_with,
    )
    from botkit.bot.python_bots import bot
    from botkit.chat import (
        AgentConnected,
        AgentDisconnected,
        AgentTyping,
        Continued,
        EndedBy,
        Error,
        Event,
        File,
        Interrupted,
        Message,
        Nickname,
        Notice,
        Party,
        PartyKind,
        PushedUrl,
        Restoration,
        RestoreOutcome,
        SessionEnded,
        SessionRestored,
        SessionStarted,
        Userdata,
    )
    from botkit.errors import (
        BotkitError,
        ChatError,
        ChatRefused,
        ConfigError,
        ConnectorError,
        ExpectationFailed,
        LocalProtocolError,
        NoStoredSession,
        PluginError,
        RemoteProtocolError,
        RestoreFailed,
        SessionClosed,
        StateError,
        StepTimeout,
    )
    from botkit.hookspecs import hookimpl
    from botkit.interfaces import (
        JourneyInfo,
        NetworkSettings,
        Session,
    )
    from botkit.results import (
        Alert,
        JourneyResult,
        Reason,
        RunResult,
        StepResult,
        Verdict,
    )
    from botkit.storage import FileStorage, MemoryStorage, SQLiteStorage

__all__ = [
    "AgentConnected",
    "AgentDisconnected",
    "AgentTyping",
    "Alert",
    "BotkitError",
    "ChatError",
    "ChatRefused",
    "ConfigError",
    "ConnectorError",
    "Continued",
    "EndedBy",
    "Error",
    "Event",
    "ExpectationFailed",
    "File",
    "FileStorage",
    "Interrupted",
    "JourneyInfo",
    "JourneyResult",
    "LocalProtocolError",
    "MemoryStorage",
    "Message",
    "NetworkSettings",
    "Nickname",
    "NoStoredSession",
    "Notice",
    "Party",
    "PartyKind",
    "PluginError",
    "PushedUrl",
    "Reason",
    "RemoteProtocolError",
    "Restoration",
    "RestoreFailed",
    "RestoreOutcome",
    "RunResult",
    "SQLiteStorage",
    "Session",
    "SessionClosed",
    "SessionEnded",
    "SessionRestored",
    "SessionStarted",
    "StateError",
    "StepResult",
    "StepTimeout",
    "Userdata",
    "Verdict",
    "__version__",
    "all_of",
    "any_of",
    "bot",
    "contains",
    "equals",
    "hookimpl",
    "like",
    "make_storage",
    "matches",
    "matches_json",
    "none_of",
    "restore_session",
    "start_session",
    "starts_with",
]

HOMES = {
    "botkit.api": ("make_storage", "restore_session", "start_session"),
    "botkit.bot.matchers": (
        "all_of",
        "any_of",
        "contains",
        "equals",
        "like",
        "matches",
        "matches_json",
        "none_of",
        "starts_with",
    ),
    "botkit.chat": (
        "AgentConnected",
        "AgentDisconnected",
        "AgentTyping",
        "Continued",
        "EndedBy",
        "Error",
        "Event",
        "File",
        "Interrupted",
        "Message",
        "Nickname",
        "Notice",
        "Party",
        "PartyKind",
        "PushedUrl",
        "Restoration",
        "RestoreOutcome",
        "SessionEnded",
        "SessionRestored",
        "SessionStarted",
        "Userdata",
    ),
    "botkit.errors": (
        "BotkitError",
        "ChatError",
        "ChatRefused",
        "ConfigError",
        "ConnectorError",
        "ExpectationFailed",
        "LocalProtocolError",
        "NoStoredSession",
        "PluginError",
        "RemoteProtocolError",
        "RestoreFailed",
        "SessionClosed",
        "StateError",
        "StepTimeout",
    ),
    "botkit.hookspecs": ("hookimpl",),
    "botkit.interfaces": ("JourneyInfo", "NetworkSettings", "Session"),
    "botkit.results": ("Alert", "JourneyResult", "Reason", "RunResult", "StepResult", "Verdict"),
    "botkit.storage": ("FileStorage", "MemoryStorage", "SQLiteStorage"),
}
"""Where the public names live. ``bot`` is missing: it is the package of that name, which can be
called."""

HOME_OF = {name: home for home, names in HOMES.items() for name in names}


if not TYPE_CHECKING:  # A type checker would believe in any name.

    def __getattr__(name: str) -> object:
        if name == "bot":
            return import_module("botkit.bot")
        home = HOME_OF.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(home), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
