"""Signs of life for a dead-man switch, which pages people when they stop: who watches the monitor?

Theory of operation: a ping says that every monitor begins what is due, and ends what it has begun,
within a limit. It is sent from the loop that the monitors run in, so that a loop that is held, a
process that was killed and a machine that is off send none. A monitor that is stuck is told at once
besides, for the switch alone would only notice after its grace time. Whatever becomes of a ping
keeps no monitor waiting.

Source: Healthchecks, "Pinging API": a success is a request for the URL itself, ``/fail`` below it
signals a failure, ``/log`` only takes a note, with up to 100 kB of text in the body of a POST;
templates/docs/http_api.md of github.com/healthchecks/healthchecks, as of August 2026. ``/start`` is
for jobs that end, and is not used. No Healthchecks server takes part in the tests; version 3.9 took
all of this as it is meant, by UUID and by slug, when it was tried by hand.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from urllib.parse import urlsplit, urlunsplit

import trio

from botkit.errors import ConfigError, ConnectorError
from botkit.monitor.alerts.sinks.posting import Post

log = logging.getLogger(__name__)

FAIL, LOG = "fail", "log"
SIGNALS = frozenset({"start", FAIL, LOG})
"""What may stand at the end of the URL of a signal, and not of that of a check."""
PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds between two attempts, at first and at most."""
LAST_WORD = 5.0
"""Seconds for what is to be said at the end."""
STOPPED = "botkit monitor was stopped; nobody watches until it is started again"
BROKE = "botkit monitor broke; nobody watches"


class Heartbeat:
    """Pings a switch.

    Args:
        url: of the check, which is a secret.
        every: seconds from one ping to the next; also how long one is tried again.
        stuck_after: so many seconds late, a monitor is stuck.

    Raises:
        ConfigError: that is no URL of a check.
    """

    def __init__(self, *, url: str, every: float, stuck_after: float) -> None:
        self._ping = Post(url)
        parts = urlsplit(url)
        path = parts.path.rstrip("/")
        ending = path.rpartition("/")[2]
        if ending in SIGNALS:
            message = f"this needs the URL of the check itself, without /{ending}"
            raise ConfigError(message, key="url")
        self._signals = {
            signal: Post(urlunsplit(parts._replace(path=f"{path}/{signal}")), secrets=[path])
            for signal in (FAIL, LOG)
        }
        self.every, self.stuck_after = every, stuck_after
        self._stuck = ""
        self._unheard = False

    async def run(self, stuck: Callable[[float], str], stopped: trio.Event) -> None:
        """Ping until cancelled, and then say why that is.

        Args:
            stuck: says what is late by more than so many seconds; empty if nothing is.
            stopped: is set if somebody wants it.
        """
        try:
            while True:
                next_one = trio.current_time() + self.every
                with trio.move_on_at(next_one):
                    await self._beat(stuck(self.stuck_after))
                await trio.sleep_until(next_one)
        finally:
            with trio.move_on_after(LAST_WORD, shield=True):
                signal, text = (LOG, STOPPED) if stopped.is_set() else (FAIL, BROKE)
                await self._attempt(self._signals[signal], text)

    async def _beat(self, stuck: str) -> None:
        """Ping, or say once that something is stuck; until it has arrived."""
        if not stuck:
            await self._send(self._ping)
        elif not self._stuck:
            log.error("no sign of life is sent: %s", stuck)
            await self._send(self._signals[FAIL], stuck)
        self._stuck = stuck

    async def _send(self, post: Post, text: str = "") -> None:
        pause = PAUSE
        while await self._attempt(post, text):
            await trio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)

    async def _attempt(self, post: Post, text: str = "") -> bool:
        """Send a signal once; tells whether to try again."""
        try:
            await post.send(text.encode(), method="POST" if text else "GET")
        except (ConfigError, ConnectorError) as error:
            # Once, until it is heard again: it may be for hours.
            log.log(
                logging.DEBUG if self._unheard else logging.WARNING,
                "no sign of life arrives: %s",
                error,
            )
            self._unheard = True
            return isinstance(error, ConnectorError)
        if self._unheard:
            log.warning("signs of life arrive again")
        self._unheard = False
        return False
