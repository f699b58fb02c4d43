"""Members of the JSON objects of web messaging: each read as what it must be, or refused. Pure.

Absent members and null are the same thing to this API; they become empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from botkit.bayeux.messages import JSON
from botkit.errors import RemoteProtocolError

__all__ = [
    "as_object",
    "kind_of",
    "read_bool",
    "read_int",
    "read_list",
    "read_object",
    "read_seconds",
    "read_stamp",
    "read_text",
    "read_texts",
    "write_stamp",
]

MAX_ELEMENTS = 10_000
"""More in one array is an attack or a fault."""
MAX_SECONDS = 1e11
"""No stamp and no duration is larger; a calendar could not say it."""

Object = Mapping[str, JSON]


def as_object(value: JSON, name: str) -> dict[str, JSON]:
    """Take an object for what it is."""
    if isinstance(value, dict):
        return value
    raise RemoteProtocolError(f"{name} must be an object, not {kind_of(value)}")


def read_object(raw: Object, name: str) -> dict[str, JSON]:
    """Read an object; an absent one is empty."""
    value = raw.get(name)
    return {} if value is None else as_object(value, name)


def read_list(raw: Object, name: str) -> list[JSON]:
    """Read an array; an absent one is empty."""
    value = raw.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise RemoteProtocolError(f"{name} must be an array, not {kind_of(value)}")
    if len(value) > MAX_ELEMENTS:
        raise RemoteProtocolError(f"{name} has more than {MAX_ELEMENTS} elements")
    return value


def read_text(raw: Object, name: str) -> str:
    """Read a text; numbers and booleans are taken as JSON writes them, for values are strings."""
    value = raw.get(name)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    raise RemoteProtocolError(f"{name} must be a text, not {kind_of(value)}")


def read_texts(raw: Object, name: str) -> dict[str, str]:
    """Read an object of texts."""
    members = read_object(raw, name)
    return {key: read_text(members, key) for key in members}


def read_bool(raw: Object, name: str) -> bool | None:
    """Read a boolean; the texts of metadata are taken, too."""
    value = raw.get(name)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise RemoteProtocolError(f"{name} must be true or false, not {kind_of(value)}")


def read_int(raw: Object, name: str) -> int | None:
    """Read an integer; a text of digits is taken, too."""
    value = raw.get(name)
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    raise RemoteProtocolError(f"{name} must be an integer, not {kind_of(value)}")


def read_seconds(raw: Object, name: str) -> float | None:
    """Read a duration or a stamp in seconds."""
    value = raw.get(name)
    if value is None:
        return None
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < MAX_SECONDS:
        return float(value)
    raise RemoteProtocolError(f"{name} must be a number of seconds, not {kind_of(value)}")


def read_stamp(raw: Object, name: str) -> float | None:
    """Read an ISO time as epoch seconds; None if it is none: it orders messages, no more."""
    value = raw.get(name)
    if not isinstance(value, str):
        return None
    try:
        stamp = datetime.fromisoformat(value)
        return (stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None


def write_stamp(utc: float) -> str:
    """Write epoch seconds as the platform writes them: ``2026-01-01T10:00:00.000Z``."""
    text = datetime.fromtimestamp(round(utc * 1000) / 1000, UTC).isoformat(timespec="milliseconds")
    return text.replace("+00:00", "Z")


def kind_of(value: JSON) -> str:
    """Name the kind of a value, for people."""
    names = {dict: "an object", list: "an array", str: "a text", bool: "a boolean"}
    return "null" if value is None else names.get(type(value), "a number")
