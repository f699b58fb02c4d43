"""What the configuration of a web messaging deployment says; fetched once for many chats.

Source: official Kotlin SDK, ``DeploymentConfig``.
"""

from __future__ import annotations

import trio

from botkit.bayeux.messages import JSON
from botkit.connectors.guest_options import Endpoints, GuestOptions
from botkit.connectors.guest_web import GuestWeb
from botkit.errors import ChatError, ConnectorError
from botkit.genesys.web_members import as_object, read_bool, read_object

__all__ = ["Deployments"]

PROXY_REFUSES = 407
NOT_ITS_WORD = (PROXY_REFUSES, 408, 429)
"""Statuses of the 400s that say nothing of the deployment."""
FRESH = 300.0
"""Seconds that a configuration is believed without being fetched again."""


class Deployments:
    """Remembers the configurations of all deployments that a process talks to."""

    def __init__(self) -> None:
        self._joins: dict[str, tuple[bool, float]] = {}
        self._fetching = trio.Lock()

    async def wants_join(self, web: GuestWeb, endpoints: Endpoints, options: GuestOptions) -> bool:
        """Tell whether a chat is to begin with a Join.

        Raises:
            ChatError: there is no such configuration, or it is refused.
            ConnectorError, RemoteProtocolError: it could not be fetched, or is nonsense.
        """
        if options.join != "auto" or not options.fetch_config:
            await trio.lowlevel.checkpoint()
            return options.join == "on"
        async with self._fetching:
            joins, since = self._joins.get(endpoints.config, (False, -FRESH))
            if trio.current_time() - since >= FRESH:
                joins = is_autostarting(await fetch(web, endpoints.config))
                self._joins[endpoints.config] = joins, trio.current_time()
            return joins


async def fetch(web: GuestWeb, url: str) -> JSON:
    """Fetch a configuration; that a server or a proxy is in trouble is no word of the service."""
    try:
        return await web.get_json(url)
    except ChatError as error:
        status = error.code or 0
        if 400 <= status < 500 and status not in NOT_ITS_WORD:
            raise
        kind = "proxy" if status == PROXY_REFUSES else "http"
        raise ConnectorError(error.description, kind=kind) from error


def is_autostarting(config: JSON) -> bool:
    """Read ``conversations.autoStart.enabled`` out of a configuration."""
    messenger = read_object(as_object(config, "the configuration"), "messenger")
    conversations = read_object(read_object(messenger, "apps"), "conversations")
    return bool(read_bool(read_object(conversations, "autoStart"), "enabled"))
