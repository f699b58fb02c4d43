"""Whether the service pushes a chat to the present Bayeux session, and what is done if not.

A handshake in the middle of a chat is an event: the subscription and the binding of the chat are
gone with the old session and are made again (``requestNotifications`` from the last index). The
same is done when only the connection was lost: a push that was written into it counts as delivered
for the server.

Source: GMS Chat API v2, restore and reconnect; Bayeux notes, section 6.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import trio

from botkit.bayeux import client as bayeux
from botkit.connectors.chat_channel import ChatChannel
from botkit.connectors.gms_outlet import Outlet
from botkit.connectors.polling import Backoff
from botkit.connectors.waiting import Waiting
from botkit.errors import ChatError, ConnectorError, RemoteProtocolError
from botkit.genesys import gms_v2
from botkit.genesys.gms_chat import GmsChat

__all__ = ["BACKOFF", "PAUSE", "Binding"]

log = logging.getLogger(__name__)

RESULT_LIMIT = 1.0
"""Seconds of waiting for what binding a chat brings. That the request is accepted says nothing of
the chat: its result is a push. Whether one comes where nothing was missed is not public, so the
waiting has an end."""
PAUSE = 0.2
"""Seconds before the next attempt at what is tried beside the connect loop."""
BACKOFF = Backoff(first=PAUSE)
"""Between attempts at binding a chat. That many chats do not come in step is seen to by the connect
loop, which leaves part of its waits to chance."""


class Binding:
    """Keeps one chat bound to whichever Bayeux session it has.

    Args:
        chat: the chat.
        client: its Bayeux sessions.
        channel: the service.
        waiting: woken whenever anything has changed.
        outlet: is told when all is well again.
        give_up: called with the reason when the service does not take the chat up again.

    Attributes:
        is_bound: the service pushes to the present session.
        losses: how often that ceased to be certain.
    """

    __slots__ = (
        "_channel",
        "_chat",
        "_client",
        "_give_up",
        "_is_lost",
        "_outlet",
        "_pushes",
        "_rebinding",
        "_waiting",
        "is_bound",
        "losses",
    )

    def __init__(
        self,
        chat: GmsChat,
        client: bayeux.Client,
        channel: ChatChannel,
        waiting: Waiting,
        *,
        outlet: Outlet,
        give_up: Callable[[str], None],
    ) -> None:
        self.is_bound = False
        self.losses = 0
        self._chat = chat
        self._client = client
        self._channel = channel
        self._waiting = waiting
        self._outlet = outlet
        self._give_up = give_up
        self._rebinding: trio.CancelScope | None = None
        # The connection was lost, and what was missed has not been asked for yet.
        self._is_lost = False
        self._pushes = 0

    def is_made(self) -> bool:
        """Ask for ``is_bound`` as a condition."""
        return self.is_bound

    def is_settled(self) -> bool:
        """Ask whether nothing is under way, or to come, that would bring what was missed."""
        return self._rebinding is None and not self._is_lost

    def make(self) -> None:
        """Take note that the service gave the chat to this session."""
        self.is_bound = True

    def unmake(self) -> None:
        """Take note that it is no longer certain where the service pushes to."""
        self.is_bound = False
        self.losses += 1

    def lose(self) -> None:
        """Take note that the connection is lost: there will be another attempt at the binding.

        On a WebSocket the service may push again before that, with a gap before what it pushes.
        """
        self._is_lost = self._chat.started

    def heard(self) -> None:
        """Take note of a push."""
        self._pushes += 1

    def tell_if_made(self) -> None:
        """Tell that the connection is back, once the chat is bound and its pushes are fetched."""
        if self.is_bound and self.is_settled() and self._client.is_connected:
            self._outlet.resume()

    def make_again(self, nursery: trio.Nursery) -> None:
        """Bind the chat to the present session, if there is a chat; never waits."""
        if self._chat.started and self._rebinding is None:
            # The goodbye needs the binding as well, so it ends no sooner than that.
            self._rebinding = trio.CancelScope(shield=True)
            nursery.start_soon(self._run, self._rebinding, name="rebind")

    def cancel(self) -> None:
        """Stop trying."""
        self._is_lost = False
        if self._rebinding is not None:
            self._rebinding.cancel()

    async def _run(self, scope: trio.CancelScope) -> None:
        """Bind the chat, and take up where the old session ended."""
        try:
            with scope:
                failures = 0
                while not self.is_bound and not self._chat.ended:
                    await self._waiting.until(lambda: self._client.client_id is not None)
                    before = self._pushes
                    if await self._bind_once():
                        await self._await_result(before)
                    else:
                        failures += 1
                        await self._pause(BACKOFF.wait(failures, 1.0))
        finally:
            self._rebinding = None
            self._is_lost = False
            self._waiting.wake()
        self.tell_if_made()

    async def _await_result(self, before: int) -> None:
        """Wait for a push that came since, with nothing missing before it."""
        with trio.move_on_after(RESULT_LIMIT):
            await self._waiting.until(
                lambda: (
                    not self.is_bound
                    or self._chat.ended
                    or (self._pushes > before and not self._chat.is_holding)
                )
            )

    async def _pause(self, seconds: float) -> None:
        """Wait before the next attempt, at most until something speaks for it."""
        session, losses = self._client.client_id, self.losses
        with trio.move_on_after(seconds):
            await self._waiting.until(
                lambda: (self._client.client_id, self.losses) != (session, losses)
            )

    async def _bind_once(self) -> bool:
        """Ask for the pushes; False if that was in vain."""
        losses = self.losses
        request = gms_v2.encode_request_notifications(self._chat.secure_key, self._chat.resume_from)
        try:
            accepted = await self._channel.publish(request, subscribing=True)
        except (ConnectorError, RemoteProtocolError) as error:
            log.debug("binding the chat again failed: %s", error)
            return False
        except ChatError as error:
            self.cancel()
            self._give_up(f"the chat could not be taken up again: {error}")
            return False
        # What was lost meanwhile has to be asked for once more.
        self.is_bound = accepted and losses == self.losses
        return accepted
