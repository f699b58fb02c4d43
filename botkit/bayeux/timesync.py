"""The time synchronisation extension, both halves: how far away a server is, and its clock.

The client says when it asks; the server says when that came and how long it took to answer. What
is left of the round trip is twice the *lag*, and the difference of the clocks is the *offset*.
Requests that are held do as well as others, for the server takes its own time off.

The client's clock may be any, such as one that begins with the process: only it is compared with
itself. The wire says milliseconds; they are read and written here.

Nothing is decided by these figures. They tell, in evidence, how far away a server was and how its
stamps (``utcTime`` of a chat event, say) compare with ours.

Source: CometD, "Timesync Extension"; its ``TimeSyncExtension.js`` and ``TimesyncExtension.java``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from botkit.bayeux.advice import JSON

__all__ = ["TIMESYNC", "ClockAnswer", "ClockSamples"]

TIMESYNC = "timesync"
"""The member of ``ext``."""

SAMPLES = 10
ACCURATE = 0.025
"""Seconds; a client that is wrong by less gets no answer."""
LONGEST_MS = 10**15
"""Thirty thousand years; who says more tells no time."""

Ext = Mapping[str, JSON] | None


def times_in(ext: Ext, *names: str) -> tuple[float, ...] | None:
    """Read times of the extension, in seconds; None if it or one of them is missing or rubbish."""
    raw = ext.get(TIMESYNC) if ext is not None else None
    if type(raw) is not dict:
        return None
    times = tuple(seconds(raw.get(name)) for name in names)
    return None if any(math.isnan(time) for time in times) else times


def seconds(value: JSON) -> float:
    """Turn milliseconds into seconds; NaN for what is none."""
    is_time = type(value) in (int, float) and -LONGEST_MS <= value <= LONGEST_MS  # type: ignore[operator]
    return value / 1000 if is_time else math.nan  # type: ignore[operator]


class ClockSamples:
    """The client's view of one server's clock.

    Attributes:
        lag: seconds from here to the server; None until it was measured.
        offset: what to add to the client's time to get the server's; None until it was measured.
    """

    __slots__ = ("_samples", "lag", "offset")

    def __init__(self) -> None:
        self._samples: tuple[tuple[float, float], ...] = ()
        self.lag: float | None = None
        self.offset: float | None = None

    def ask(self, now: float) -> dict[str, JSON]:
        """Return what a request says in its ``ext``."""
        lag, offset = self.lag or 0.0, self.offset or 0.0
        return {
            TIMESYNC: {"tc": round(now * 1000), "l": round(lag * 1000), "o": round(offset * 1000)}
        }

    def take(self, ext: Ext, now: float) -> bool:
        """Take the server's answer; False if there is none that can be used."""
        times = times_in(ext, "tc", "ts", "p")
        if times is None:
            return False
        asked, arrived, spent = times
        lag = (now - asked - spent) / 2
        self._samples = (*self._samples[1 - SAMPLES :], (lag, arrived - asked - lag))
        count = len(self._samples)
        self.lag = sum(lag for lag, _ in self._samples) / count
        self.offset = sum(offset for _, offset in self._samples) / count
        return True


class ClockAnswer:
    """The server's answer to one request, which is only complete when it is sent.

    Args:
        asked: the client's time.
        arrived: the server's.
        error: by how much the client would have guessed it wrong.
    """

    __slots__ = ("_arrived", "_asked", "_error")

    def __init__(self, asked: float, arrived: float, error: float) -> None:
        self._asked = asked
        self._arrived = arrived
        self._error = error

    @classmethod
    def due(cls, ext: Ext, now: float) -> ClockAnswer | None:
        """Read whether a request wants to know the time; None if it does not, or knows it."""
        times = times_in(ext, "tc", "l", "o")
        if times is None:
            return None
        asked, lag, offset = times
        error = asked + offset + lag - now
        return cls(asked, now, error) if lag == 0 or abs(error) >= ACCURATE else None

    def write(self, now: float) -> dict[str, JSON]:
        """Return what the reply says in its ``ext`` if it leaves now."""
        times = {
            "tc": self._asked,
            "ts": self._arrived,
            "p": now - self._arrived,
            "a": self._error,
        }
        return {TIMESYNC: {name: round(time * 1000) for name, time in times.items()}}
