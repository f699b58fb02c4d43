"""Alerts to whoever is on call, by PagerDuty's Events API.

Source: PagerDuty, "Events API v2 Overview" (an event has up to 512 KB; 429 and 5xx are to be tried
again) and "Send an Alert Event" (a ``dedup_key`` has up to 255 characters, a ``summary`` up to
1,024; severities are critical, error, warning and info); docs/events-API-v2 of
github.com/PagerDuty/developer-docs, as of August 2026. That the EU region has a host of its own is
not checked against a document.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from botkit.monitor.alerts.sinks.posting import Post
from botkit.monitor.alerts.sinks.words import severity, stamp
from botkit.results import Alert

URL = "https://events.pagerduty.com/v2/enqueue"
"""In the EU service region it is ``https://events.eu.pagerduty.com/v2/enqueue``."""
LONGEST_KEY = 255
LONGEST_SUMMARY = 1_024
LONGEST_TEXT = 20_000
"""Characters, of up to 12 bytes each in JSON."""


class PagerDuty:
    """Triggers and resolves.

    Args:
        routing_key: of an integration with the Events API v2; a secret.
        url: of the API.
        page: where people reach the status page; may be empty.

    Raises:
        ConfigError: that is no URL.
    """

    def __init__(self, *, routing_key: str, url: str = URL, page: str = "") -> None:
        self._post = Post(url, secrets=[routing_key])
        self._routing_key, self._page = routing_key, page

    async def deliver(self, alert: Alert) -> None:
        """Trigger, or resolve."""
        body = event(alert, routing_key=self._routing_key, page=self._page)
        await self._post.send(json.dumps(body).encode(), {"Content-Type": "application/json"})


def event(alert: Alert, *, routing_key: str, page: str = "") -> dict[str, Any]:
    """Write an alert as an event."""
    begun: dict[str, Any] = {
        "routing_key": routing_key,
        "event_action": "trigger" if alert.firing else "resolve",
        "dedup_key": dedup_key(alert.key),
    }
    if not alert.firing:
        return begun
    begun |= {"client": "botkit", "payload": _payload(alert)}
    if page:
        begun["client_url"] = page
    if alert.link:
        begun["links"] = [{"href": alert.link, "text": "Evidence"}]
    return begun


def dedup_key(key: str) -> str:
    """Name a trouble; what is too long is told apart by a digest."""
    named = f"botkit/{key}"
    if len(named) <= LONGEST_KEY:
        return named
    digest = hashlib.sha256(key.encode()).hexdigest()
    return f"{named[: LONGEST_KEY - len(digest) - 1]}-{digest}"


def _payload(alert: Alert) -> dict[str, Any]:
    server = "" if alert.journey is None else alert.journey.server
    payload: dict[str, Any] = {
        "summary": alert.title[:LONGEST_SUMMARY],
        "source": server or alert.monitor or "botkit",
        "severity": severity(alert),
        "timestamp": stamp(alert.since_utc),
        "component": alert.monitor,
        "group": alert.location,
        "class": alert.kind,
        "custom_details": {"text": alert.text[:LONGEST_TEXT], "reminder": alert.reminder},
    }
    return {name: value for name, value in payload.items() if value != ""}
