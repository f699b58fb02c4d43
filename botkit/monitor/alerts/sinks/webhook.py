"""Alerts to any server: as Alertmanager posts them, or as CloudEvents; signed if one wants.

Source: Alertmanager, ``Message`` in notify/webhook/webhook.go and ``Data`` and ``Alert`` in
template/template.go (the body of version 4), github.com/prometheus/alertmanager 0.34; its newer
``routeLabels`` and ``notification_reason`` are left out. CloudEvents 1.0.2, with its JSON event
format and HTTP protocol binding, structured content mode; github.com/cloudevents/spec. Standard
Webhooks 1.0, ``webhook-id``, ``webhook-timestamp`` and ``webhook-signature`` (``v1,`` and the
base64 of the HMAC-SHA256 of ``id.timestamp.body``);
github.com/standard-webhooks/standard-webhooks.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botkit.errors import ConfigError
from botkit.monitor.alerts.sinks.posting import Post
from botkit.monitor.alerts.sinks.words import name_of, severity, stamp, status
from botkit.results import Alert

NEVER = "0001-01-01T00:00:00Z"
"""The time that Go has for none: what goes on has not ended."""
NAMES = {"broken": "BotkitWatch", "burning": "BotkitBudget", "draining": "BotkitBudget"}
"""Of alerts that are not of the chat itself."""
SECRET_BEGINS = "whsec_"
EVENT_TYPE = "io.botkit.alert"
SOURCE = "/botkit/monitor"


class AlertmanagerWebhook:
    """Posts what Alertmanager would post.

    Every delivery belongs to the same group and holds what has changed, so receivers go by the
    ``fingerprint`` of each alert: that of the trouble, which stays when the trouble grows worse.

    Args:
        url: of the receiver.
        now: tells the time, epoch seconds.
        secret: what requests are signed with: ``whsec_`` and base64, or any text; None for none.
        headers: more of them, such as ``Authorization``.
        page: where people reach the status page; may be empty.

    Raises:
        ConfigError: one of these is none.
    """

    def __init__(
        self,
        *,
        url: str,
        now: Callable[[], float],
        secret: str | None = None,
        headers: Mapping[str, str] | None = None,
        page: str = "",
    ) -> None:
        self._signed = _Signed(url=url, now=now, secret=secret, headers=headers or {})
        self._page = page

    async def deliver(self, alert: Alert) -> None:
        """Post one alert."""
        await self.deliver_group([alert])

    async def deliver_group(self, alerts: Sequence[Alert]) -> None:
        """Post several alerts at once."""
        body = alertmanager_body(alerts, page=self._page)
        await self._signed.send(body, name=name_of(alerts), kind="application/json")


class CloudEventsWebhook:
    """Posts each alert as a CloudEvent; the arguments are those of :class:`AlertmanagerWebhook`."""

    def __init__(
        self,
        *,
        url: str,
        now: Callable[[], float],
        secret: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self._signed = _Signed(url=url, now=now, secret=secret, headers=headers or {})
        self._now = now

    async def deliver(self, alert: Alert) -> None:
        """Post one alert."""
        body = cloud_event(alert, at=self._now())
        kind = "application/cloudevents+json; charset=UTF-8"
        await self._signed.send(body, name=name_of([alert]), kind=kind)


def alertmanager_body(alerts: Sequence[Alert], *, page: str = "") -> dict[str, Any]:
    """Write alerts, all of which begin or all of which end, as Alertmanager does."""
    written = [_alertmanager_alert(alert) for alert in alerts]
    return {
        "version": "4",
        "groupKey": '{}:{job="botkit"}',
        "truncatedAlerts": 0,
        "status": status(alerts[0]),
        "receiver": "botkit",
        "groupLabels": {"job": "botkit"},
        "commonLabels": _common([alert["labels"] for alert in written]),
        "commonAnnotations": _common([alert["annotations"] for alert in written]),
        "externalURL": page,
        "alerts": written,
    }


def cloud_event(alert: Alert, *, at: float) -> dict[str, Any]:
    """Write an alert as a CloudEvent in structured mode.

    Args:
        alert: whatever it tells.
        at: when it is told, epoch seconds.
    """
    return {
        "specversion": "1.0",
        "id": name_of([alert]),
        "source": SOURCE,
        "type": f"{EVENT_TYPE}.{status(alert)}",
        "subject": alert.key,
        "time": stamp(at if alert.ended_utc is None else alert.ended_utc),
        "datacontenttype": "application/json",
        "data": alert_data(alert),
    }


def alert_data(alert: Alert) -> dict[str, Any]:
    """Write an alert as plain JSON, for programs."""
    return {
        "key": alert.key,
        "status": status(alert),
        "kind": alert.kind,
        "severity": severity(alert),
        "title": alert.title,
        "text": alert.text,
        "monitor": alert.monitor,
        "location": alert.location,
        "link": alert.link,
        "since": stamp(alert.since_utc),
        "ended": None if alert.ended_utc is None else stamp(alert.ended_utc),
        "reminder": alert.reminder,
        "journey": None if alert.journey is None else alert.journey.journey_id,
    }


class _Signed:
    """Posts JSON to a URL, signed."""

    def __init__(
        self,
        *,
        url: str,
        now: Callable[[], float],
        secret: str | None,
        headers: Mapping[str, str],
    ) -> None:
        self._post = Post(url, secrets=[secret or "", *headers.values()])
        self._now, self._headers = now, headers
        self._key = None if secret is None else key_of(secret)

    async def send(self, content: Mapping[str, Any], *, name: str, kind: str) -> None:
        body = json.dumps(content, ensure_ascii=False).encode()
        seconds = str(int(self._now()))
        headers = {**self._headers, "Content-Type": kind}
        headers |= {"webhook-id": name, "webhook-timestamp": seconds}
        if self._key is not None:
            headers["webhook-signature"] = signature(self._key, name, seconds, body)
        await self._post.send(body, headers)


def key_of(secret: str) -> bytes:
    """Read a secret.

    Raises:
        ConfigError: it begins like one of Standard Webhooks, and is no base64; or it is empty.
    """
    try:
        coded = secret.startswith(SECRET_BEGINS)
        inside = secret.removeprefix(SECRET_BEGINS)
        key = base64.b64decode(inside, validate=True) if coded else secret.encode()
    except binascii.Error:
        message = f"a secret that begins with {SECRET_BEGINS} goes on in base64"
        raise ConfigError(message, key="secret") from None
    if not key:
        raise ConfigError("the secret is empty", key="secret")
    return key


def signature(key: bytes, name: str, seconds: str, body: bytes) -> str:
    """Sign a body with its name and its time, as Standard Webhooks does."""
    signed = hmac.digest(key, f"{name}.{seconds}.".encode() + body, hashlib.sha256)
    return f"v1,{base64.b64encode(signed).decode()}"


def _alertmanager_alert(alert: Alert) -> dict[str, Any]:
    labels = {
        "alertname": NAMES.get(alert.kind, "BotkitChat"),
        "job": "botkit",
        "monitor": alert.monitor,
        "location": alert.location,
        "severity": severity(alert),
        "kind": alert.kind,
    }
    annotations = {"summary": alert.title, "description": alert.text, "link": alert.link}
    return {
        "status": status(alert),
        # To Prometheus, a label without a value is one that is not there.
        "labels": {name: value for name, value in labels.items() if value},
        "annotations": {name: value for name, value in annotations.items() if value},
        "startsAt": stamp(alert.since_utc),
        "endsAt": NEVER if alert.ended_utc is None else stamp(alert.ended_utc),
        "generatorURL": alert.link,
        "fingerprint": hashlib.sha256(alert.key.encode()).hexdigest()[:16],
    }


def _common(mappings: Sequence[Mapping[str, str]]) -> dict[str, str]:
    first, *others = mappings
    return {
        name: value
        for name, value in first.items()
        if all(other.get(name) == value for other in others)
    }
