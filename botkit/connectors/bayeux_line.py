"""What carries the messages of a Bayeux session: HTTP long polling or a WebSocket."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from botkit.bayeux.messages import Message
from botkit.connectors.http import Lane
from botkit.errors import BotkitError

__all__ = ["Line", "Take"]

Take = Callable[[list[Message]], None]
"""Takes what the server sent, at once and in order; must not wait."""


class Line(Protocol):
    """One way to the server. All that comes goes to the ``Take`` that it was made with.

    The connect loop uses the lane ``POLL``, one request after another; everybody else ``CALL``.
    """

    @property
    def url(self) -> str:
        """Where it leads to, for messages."""
        ...

    @property
    def is_open(self) -> bool:
        """Whether a request that is under way may have reached the server."""
        ...

    async def exchange(
        self, messages: Sequence[Message], answered: Callable[[], bool], *, lane: Lane
    ) -> None:
        """Send messages and wait for what comes back for them.

        The caller's cancel scope is the limit.

        Args:
            answered: tells, after something was taken, whether the wait is over. The reply to a
                long-polling request ends it in any case.

        Raises:
            ConnectorError: no sensible reply came; ``sent`` tells whether the server may have it.
            RemoteProtocolError: the reply is not Bayeux.
        """
        ...

    async def listen(self) -> None:
        """Take what comes unasked, until cancelled; for the connect loop while it has nothing to
        ask."""
        ...

    async def give_up(self, error: BotkitError) -> None:
        """Trust this way no longer, since an answer is overdue.

        Args:
            error: what others are told who wait for answers too.
        """
        ...
