"""The wire ``genesys-cloud``: the guest API of Genesys Cloud web messaging, over a WebSocket.

What the wire's own is here: its options, and the parts of a chat. How a chat goes is in
``guest_session``.

User data, nickname and subject travel as *custom attributes*: they are written with the next
message and never read back, so ``get_userdata`` answers from what this session set.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import partial

import trio

from botkit import chat
from botkit.connectors.guest_deployments import Deployments
from botkit.connectors.guest_options import read_endpoints, read_options
from botkit.connectors.guest_session import GuestSession
from botkit.connectors.guest_speech import LACKS
from botkit.errors import ungrouped
from botkit.genesys.guest_state import GuestState, read_state
from botkit.interfaces import Deliver, Opening, Request, State

__all__ = ["GenesysCloud"]

NAME = "genesys-cloud"
"""What a stored chat names as its connector."""


class GenesysCloud:
    """Opens chats with a deployment of Genesys Cloud.

    Args:
        rng: spreads the retries of many chats.
    """

    on_simulator = False
    lacks: Mapping[type[chat.Command], str] = LACKS

    def __init__(self, *, rng: random.Random | None = None) -> None:
        self._rng = rng or random.Random()
        self._deployments = Deployments()

    def check(self, opening: Opening) -> None:
        """Refuse what this wire cannot do.

        Raises:
            ConfigError: the URL is unusable, or an option.
        """
        read_endpoints(opening.url, read_options(opening.options))

    def running(self) -> AbstractAsyncContextManager[None]:
        """Nothing is shared between chats that would have to be held."""
        return nullcontext()

    def server_of(self, opening: Opening) -> str:
        """The URL as it was given."""
        return opening.url

    async def connect(
        self,
        opening: Opening,
        requests: AsyncIterator[Request],
        deliver: Deliver,
        *,
        task_status: trio.TaskStatus[None],
    ) -> None:
        """Carry one chat; see ``interfaces.Connector``."""
        options = read_options(opening.options)
        endpoints = read_endpoints(opening.url, options)
        restored = None
        if opening.restore is not None:
            restored = read_state(
                opening.restore, connector=NAME, server=opening.url, service=opening.service
            )
        session = GuestSession(
            opening,
            options,
            endpoints,
            deliver,
            keep=partial(state_of, opening),
            deployments=self._deployments,
            rng=self._rng,
            restored=restored,
        )
        with ungrouped():
            await session.carry(requests, task_status)


def state_of(opening: Opening, state: GuestState) -> State:
    """Write a state down, with where it belongs."""
    return State(state=state.as_json(connector=NAME, server=opening.url, service=opening.service))
