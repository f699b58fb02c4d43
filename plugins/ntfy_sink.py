"""Alerts to phones: an alert sink that publishes to a topic of ntfy.

Source: ntfy, "Publish as JSON" (a POST to the server's root with ``topic``, ``title``, ``message``,
``priority`` from 1 to 5 and ``tags``) and "Access tokens"; docs.ntfy.sh/publish.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import trio

from botkit import Alert, ConfigError, ConnectorError, hookimpl
from botkit.hookspecs import Register
from botkit.interfaces import AlertSink

ATTEMPTS = 3
PAUSE = 1.0
"""Seconds before the second attempt; twice as long before the third."""
WITHIN = 10.0
"""Seconds for an attempt."""
URGENT, USUAL = 5, 3
LONGEST = 4_000
"""Characters of a message: ntfy takes 4,096 bytes, and makes an attachment of more."""


class NtfySink:
    """Publishes alerts.

    Args:
        topic: who knows it may read along, so it is a secret like the token.
        server: its root.
        token: an access token, for topics that not everybody may publish to.

    Raises:
        ConfigError: that is no server.
    """

    def __init__(
        self, *, topic: str, server: str = "https://ntfy.sh", token: str | None = None
    ) -> None:
        if not server.startswith(("https://", "http://")):
            raise ConfigError(f"ntfy needs the URL of a server, not {server!r}", key="server")
        self._topic = topic
        self._server = server
        self._headers = {} if token is None else {"Authorization": f"Bearer {token}"}

    async def deliver(self, alert: Alert) -> None:
        """Publish an alert.

        Raises:
            ConnectorError: the server did not take it, after several attempts.
        """
        import httpx  # It takes longer to import than all the rest of a plugin.

        body = self._body(alert)
        async with httpx.AsyncClient(headers=self._headers, timeout=WITHIN) as client:
            for attempt in range(ATTEMPTS):
                try:
                    reply = await client.post(self._server, json=body)
                    failure, may_pass = f"status {reply.status_code}", reply.status_code in RETRIED
                    if reply.is_success:
                        return
                except httpx.TransportError as error:
                    failure, may_pass = str(error) or type(error).__name__, True
                if not may_pass:
                    break
                if attempt + 1 < ATTEMPTS:
                    await trio.sleep(PAUSE * 2**attempt)
        raise ConnectorError(f"{self._server} did not take the alert {alert.title!r}: {failure}")

    def _body(self, alert: Alert) -> dict[str, Any]:
        return {
            "topic": self._topic,
            "title": alert.title,
            "message": alert.text[:LONGEST] or alert.title,
            "priority": URGENT if alert.firing else USUAL,
            "tags": ["rotating_light" if alert.firing else "white_check_mark"],
        }


RETRIED = frozenset({429, 500, 502, 503, 504})


@hookimpl
def register_alert_sinks(register: Register[Callable[..., AlertSink]]) -> None:
    register("ntfy", NtfySink)
