"""Alerts to a room of Slack, or of what takes the same: Mattermost, Rocket.Chat and others.

Source: Slack, "Sending messages using incoming webhooks", "Formatting text in messages" (escaping),
"Reference: Secondary message attachments", "Attaching content and links to messages" (at most 20
attachments are well, more than 100 are refused with 400) and "Truncating really long messages"
(40,000 characters of ``text``); api.slack.com, today docs.slack.dev. How much the text of an
attachment may have is in no document. Mattermost, "Use message attachments" (the same fields, and
``@name`` calls people in them); developers.mattermost.com. Rocket.Chat is not checked.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from botkit.monitor.alerts.sinks.posting import Post
from botkit.monitor.alerts.sinks.words import headline, severity
from botkit.results import Alert

LONGEST = 3_000
"""Characters of one alert; nobody reads more on a phone."""
MOST = 20
"""Alerts that are shown whole."""
RED, AMBER, GREEN = "#d0021b", "#f5a623", "#2eb67d"


class Slack:
    """Posts to an incoming webhook.

    Args:
        url: of the webhook, which is a secret.
        channel: another than that of the webhook, where the server allows it.

    Raises:
        ConfigError: that is no URL.
    """

    def __init__(self, *, url: str, channel: str | None = None) -> None:
        self._post = Post(url)
        self._channel = channel

    async def deliver(self, alert: Alert) -> None:
        """Post one alert."""
        await self.deliver_group([alert])

    async def deliver_group(self, alerts: Sequence[Alert]) -> None:
        """Post several alerts as one message."""
        body = message(alerts)
        if self._channel is not None:
            body["channel"] = self._channel
        await self._post.send(json.dumps(body).encode(), {"Content-Type": "application/json"})


def message(alerts: Sequence[Alert]) -> dict[str, Any]:
    """Write alerts, all of which begin or all of which end, as one message."""
    sign = ":rotating_light:" if alerts[0].firing else ":white_check_mark:"
    shown = [_attachment(alert) for alert in alerts[:MOST]]
    return {"text": f"{sign} {harmless(headline(alerts))}", "attachments": shown}


def harmless(text: str) -> str:
    """Take out of a text from anywhere what calls people or makes links."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    # Mattermost and others call people without angle brackets.
    return escaped.replace("@", "@\u200b")


def _attachment(alert: Alert) -> dict[str, Any]:
    bad = AMBER if severity(alert) == "warning" else RED
    # Within a block of code nothing means anything but its end.
    text = harmless(alert.text[:LONGEST]).replace("```", "'''")
    attachment = {
        "fallback": harmless(alert.title),
        "color": bad if alert.firing else GREEN,
        "title": harmless(alert.title),
        "text": f"```\n{text}\n```",
        "mrkdwn_in": ["text"],
        "ts": int(alert.since_utc),
    }
    return attachment | ({"title_link": alert.link} if alert.link else {})
