"""What a server advises about reconnecting, in seconds.

The wire says milliseconds. They are read and written here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from botkit.errors import RemoteProtocolError
from botkit.records import quickly_made

__all__ = ["DEFAULT_ADVICE", "JSON", "Advice", "Reconnect", "format_advice", "parse_advice"]

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"
"""Any JSON value."""

LONGEST_MS = 10**12
"""Thirty years; a server that says more is not telling a time."""


class Reconnect(Enum):
    """What to do when a connect has ended."""

    RETRY = "retry"
    HANDSHAKE = "handshake"
    NONE = "none"


RECONNECTS: Mapping[JSON, Reconnect] = {member.value: member for member in Reconnect}


@quickly_made
@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """The advice of one message; a member that was absent is None.

    Args:
        interval: wait so long before the next connect; negative forbids it.
        timeout: the server holds a connect for so long.
        max_interval: the server keeps a session without a connect for so long.
        multiple_clients: several sessions share one browser cookie, so that polls are not held.
        transports: advice for one connection type, which wins over the general one.
    """

    reconnect: Reconnect | None = None
    interval: float | None = None
    timeout: float | None = None
    max_interval: float | None = None
    multiple_clients: bool | None = None
    transports: tuple[tuple[str, Advice], ...] = ()

    def over(self, defaults: Advice) -> Advice:
        """Fill what this advice leaves open from ``defaults``."""
        return Advice(
            reconnect=defaults.reconnect if self.reconnect is None else self.reconnect,
            interval=defaults.interval if self.interval is None else self.interval,
            timeout=defaults.timeout if self.timeout is None else self.timeout,
            max_interval=defaults.max_interval if self.max_interval is None else self.max_interval,
            multiple_clients=(
                defaults.multiple_clients
                if self.multiple_clients is None
                else self.multiple_clients
            ),
            transports=self.transports or defaults.transports,
        )

    def on(self, transport: str) -> Advice:
        """Return the advice that holds for one connection type."""
        for name, override in self.transports:
            if name == transport:
                return override.over(self)
        return self


DEFAULT_ADVICE = Advice(reconnect=Reconnect.RETRY, interval=0.0, timeout=60.0)
"""What holds until a server advises otherwise.

Source: CometD JavaScript client, default ``advice`` of its configuration.
"""


def parse_advice(raw: JSON) -> Advice:
    """Read the advice object of a message.

    Args:
        raw: optional members "reconnect" (retry, handshake or none), "interval", "timeout" and
            "maxInterval" (milliseconds), "multiple-clients", and one object per connection type.
            Unknown members, and unknown words for "reconnect", are ignored.

    Raises:
        RemoteProtocolError: a member has the wrong type.

    Source: Bayeux specification, advice field.
    """
    if type(raw) is not dict:
        raise RemoteProtocolError("advice is not an object")
    general = parse_members(raw)
    nested = tuple(
        (name, parse_members(value))
        for name, value in raw.items()
        if type(value) is dict and name != "ext"
    )
    return Advice(transports=nested).over(general) if nested else general


def parse_members(raw: dict[str, JSON]) -> Advice:
    """Read the members of one level, without the connection types below it."""
    reconnect = raw.get("reconnect")
    if reconnect is not None and type(reconnect) is not str:
        raise RemoteProtocolError("advice.reconnect is not a string")
    multiple = raw.get("multiple-clients")
    if multiple is not None and type(multiple) is not bool:
        raise RemoteProtocolError("advice.multiple-clients is not a boolean")
    return Advice(
        reconnect=RECONNECTS.get(reconnect),
        interval=parse_time(raw, "interval"),
        timeout=parse_time(raw, "timeout"),
        max_interval=parse_time(raw, "maxInterval"),
        multiple_clients=multiple,
    )


def parse_time(raw: dict[str, JSON], name: str) -> float | None:
    """Read milliseconds and return seconds."""
    value = raw.get(name)
    if value is None:
        return None
    if type(value) is not int and type(value) is not float:
        raise RemoteProtocolError(f"advice.{name} is not a number")
    # Written so that NaN, which compares with nothing, is out of range too.
    if not -LONGEST_MS <= value <= LONGEST_MS:
        raise RemoteProtocolError(f"advice.{name} is out of range")
    return value / 1000


def format_advice(advice: Advice) -> dict[str, JSON]:
    """Return the advice as it stands on the wire, in milliseconds."""
    raw: dict[str, JSON] = {}
    if advice.reconnect is not None:
        raw["reconnect"] = advice.reconnect.value
    if advice.interval is not None:
        raw["interval"] = round(advice.interval * 1000)
    if advice.timeout is not None:
        raw["timeout"] = round(advice.timeout * 1000)
    if advice.max_interval is not None:
        raw["maxInterval"] = round(advice.max_interval * 1000)
    if advice.multiple_clients is not None:
        raw["multiple-clients"] = advice.multiple_clients
    for name, override in advice.transports:
        raw[name] = format_advice(override)
    return raw
