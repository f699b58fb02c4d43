"""Cookies as a state storage keeps them: a load balancer leads who comes back to the same node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

from botkit.connectors.http.contract import StoredCookie
from botkit.errors import StateError

__all__ = ["KEY", "read_cookies", "write_cookies"]

KEY = "cookies"
"""Where they are in a state."""


def write_cookies(cookies: Iterable[StoredCookie]) -> dict[str, Any]:
    """Write cookies as a part of a state."""
    return {KEY: [asdict(cookie) for cookie in cookies]}


def read_cookies(state: Mapping[str, Any]) -> tuple[StoredCookie, ...]:
    """Read what :func:`write_cookies` wrote.

    Raises:
        StateError: it is something else.
    """
    try:
        return tuple(StoredCookie(**cookie) for cookie in state.get(KEY, ()))
    except TypeError as error:
        raise StateError(f"the cookies of the stored chat cannot be read: {error}") from error
