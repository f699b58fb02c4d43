"""The one tree of exceptions.

::

    BotkitError
    ├── ConfigError             what the user wrote is wrong: file, line, column, key
    ├── LocalProtocolError      we asked for what the protocol forbids: a bug of the caller
    ├── RemoteProtocolError     the peer broke the rules of its protocol
    ├── ConnectorError          the network or the server could not be reached or was lost
    ├── ChatError               the chat service answered with an error: code, description
    │   ├── ChatRefused         ... to the request for a chat
    │   └── RestoreFailed       ... to the request to restore one
    ├── NoStoredSession         there is nothing to restore
    ├── StateError              what is stored of a session cannot be used, and is kept as it is
    ├── HistoryError            journeys cannot be stored or found in a monitor's history
    │   ├── HistoryDown         ... now; later they may
    │   └── HistoryRefused      ... for what this one journey holds
    ├── SessionClosed           a command was given to a session that has ended
    ├── InboxOverflow           more arrived than anybody read
    ├── ExpectationFailed       what was promised did not come (also an AssertionError)
    │   └── StepTimeout         ... in time
    └── PluginError             a plugin or a bot raised, overran or was registered wrongly

Bytes that come from the wire raise :class:`RemoteProtocolError` and nothing else.
"""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType

__all__ = [
    "FOREIGN",
    "BotkitError",
    "ChatError",
    "ChatRefused",
    "ConfigError",
    "ConnectorError",
    "ExpectationFailed",
    "HistoryDown",
    "HistoryError",
    "HistoryRefused",
    "InboxOverflow",
    "LocalProtocolError",
    "NoStoredSession",
    "PluginError",
    "RemoteProtocolError",
    "RestoreFailed",
    "SessionClosed",
    "StateError",
    "StepTimeout",
    "ungrouped",
]


FOREIGN = (Exception, SystemExit)
"""What is caught at a boundary to the code of plugins and bots.

``sys.exit()`` there would end botkit in the middle of chats; with 0, as if all had passed.
"""


class BotkitError(Exception):
    """The root of everything that botkit raises on purpose."""


class ConfigError(BotkitError):
    """What the user wrote is wrong.

    Args:
        message: what is wrong and what to do, one sentence without the place.
        file: where it stands, as the user named it; None if it was no file.
        line: counted from 1; None if unknown.
        column: counted from 1; None if unknown.
        key: the setting or option concerned.
    """

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        column: int | None = None,
        key: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.file = file
        self.line = line
        self.column = column
        self.key = key

    def __str__(self) -> str:
        parts = (self.file, self.line, self.column)
        place = ":".join(str(part) for part in parts if part is not None)
        return f"{place}: {self.message}" if place else self.message


class LocalProtocolError(BotkitError):
    """The caller asked for what the protocol forbids in this state."""


class RemoteProtocolError(BotkitError):
    """The peer sent what its protocol does not allow."""


class ConnectorError(BotkitError):
    """The server could not be reached, or was lost and did not come back in time.

    Args:
        message: what happened, with the address it happened to.
        kind: ``refused`` (nobody listens), ``unknown_host``, ``timeout``, ``tls``, ``proxy``,
            ``lost`` (an open connection broke) or ``network`` (anything else).
        sent: False if surely no byte of the request reached the peer, so that it may be repeated.
        retry_after: seconds that the server asked to be left alone for; 0 if it did not.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: str = "network",
        sent: bool = True,
        retry_after: float = 0.0,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.kind = kind
        self.sent = sent
        self.retry_after = retry_after


class ChatError(BotkitError):
    """The chat service answered with an error.

    Args:
        code: the number the server gave; None if it gave none.
        description: the text the server gave, unchanged.
    """

    def __init__(self, code: int | None, description: str) -> None:
        super().__init__(code, description)
        self.code = code
        self.description = description

    def __str__(self) -> str:
        return self.description if self.code is None else f"{self.description} (code {self.code})"


class ChatRefused(ChatError):
    """The service did not open the chat."""


class RestoreFailed(ChatError):
    """An earlier session was stored and could not be recovered."""


class NoStoredSession(BotkitError):
    """Nothing was stored, so there is nothing to restore."""


class StateError(BotkitError):
    """What is stored of a session cannot be used, or must not be replaced; it is kept as it is."""


class HistoryError(BotkitError):
    """Journeys cannot be stored in a monitor's history, or not be found there."""


class HistoryDown(HistoryError):
    """The store of the history cannot be used now: locked, full, stopped or out of reach."""


class HistoryRefused(HistoryError):
    """The store is well, and does not take what one journey holds."""


class SessionClosed(BotkitError):
    """The session has ended; it takes no more commands."""


class InboxOverflow(BotkitError):
    """More events arrived unread than the inbox may hold."""


class ExpectationFailed(BotkitError, AssertionError):
    """What was promised did not come.

    Args:
        expected: what was awaited, in words.
        received: what came instead, a line each, oldest first.
        transcript: the chat so far, a line each.
        reason: one of the reasons of ``botkit.results``.
    """

    def __init__(
        self,
        expected: str,
        *,
        received: Sequence[str] = (),
        transcript: Sequence[str] = (),
        reason: str = "expectation",
    ) -> None:
        super().__init__(expected)
        self.expected = expected
        self.received = tuple(received)
        self.transcript = tuple(transcript)
        self.reason = reason

    def __str__(self) -> str:
        came = "; ".join(self.received) if self.received else "nothing"
        return f"expected {self.expected}; received {came}"


class StepTimeout(ExpectationFailed):
    """What was promised did not come in time."""


class PluginError(BotkitError):
    """A plugin or a bot raised, overran its deadline or was registered wrongly.

    Args:
        message: what happened.
        plugin: the name it is registered under, or the bot's name.
        hook: the hook that was running; None outside hooks.
        reason: one of the reasons of ``botkit.results``: ``plugin`` or ``bot`` (it raised, or does
            not fit), ``hook_timeout``, ``hook_blocked``.
        culprit: what ``plugin`` is the name of: ``plugin`` or ``bot``.
    """

    def __init__(
        self,
        message: str,
        *,
        plugin: str,
        hook: str | None = None,
        reason: str = "plugin",
        culprit: str = "plugin",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.plugin = plugin
        self.hook = hook
        self.reason = reason
        self.culprit = culprit

    def __str__(self) -> str:
        where = f" in {self.hook}" if self.hook else ""
        return f"{self.culprit} {self.plugin!r}{where}: {self.message}"


class ungrouped:
    """Let the one exception of an exception group out as itself.

    A nursery wraps whatever its tasks raise; who asked for one thing wants one error. Groups of
    several stay groups. (Every chat holds a few of these, so it is no generator.)
    """

    __slots__ = ()

    def __enter__(self) -> None:
        return None

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        leaf = error
        while isinstance(leaf, BaseExceptionGroup) and len(leaf.exceptions) == 1:
            leaf = leaf.exceptions[0]
        if leaf is not None and leaf is not error:
            raise leaf from leaf.__cause__
