"""Alerts to a program of the user's own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Sequence

import trio

from botkit.errors import ConfigError, ConnectorError
from botkit.monitor.alerts.sinks.webhook import alert_data
from botkit.report.text import one_line
from botkit.results import Alert

LONGEST = 30_000
"""Characters of one variable of the environment: Linux takes 128 KiB."""
PREFIX = "BOTKIT_ALERT_"


class Command:
    """Runs a program for each alert: JSON on its standard input, the same in ``BOTKIT_ALERT_*``.

    It has to end with 0, or it is run again. A program that goes on in the background must let go
    of its standard error.

    Args:
        run: the program and its arguments; no shell reads them.
        within: seconds it may take; then it is killed with all that it has started.

    Raises:
        ConfigError: no program is named.
    """

    def __init__(self, *, run: Sequence[str], within: float = 20.0) -> None:
        if not run:
            raise ConfigError("no program is named", key="run")
        self._run = list(run)
        self._within = within

    async def deliver(self, alert: Alert) -> None:
        """Run it.

        Raises:
            ConfigError: there is no such program, or it may not be run.
            ConnectorError: it failed, or took too long.
        """
        done = None
        with trio.move_on_after(self._within):
            done = await self._done(alert)
        name = self._run[0]
        if done is None:
            raise ConnectorError(f"{name} took longer than {self._within:g} s, and was killed")
        if done.returncode:
            said = one_line(done.stderr.decode(errors="replace"), 200)
            why = f"{name} ended with {done.returncode}"
            raise ConnectorError(f"{why}: {said}" if said else why)

    async def _done(self, alert: Alert) -> subprocess.CompletedProcess[bytes]:
        data = alert_data(alert)
        try:
            return await trio.run_process(
                self._run,
                stdin=json.dumps(data).encode(),
                stdout=subprocess.DEVNULL,
                capture_stderr=True,
                check=False,
                env={**os.environ, **_environment(data)},
                # A group of its own, so that it can be killed as one.
                start_new_session=True,
                deliver_cancel=_kill,
            )
        except BrokenPipeError as error:
            raise ConnectorError(f"{self._run[0]} did not read the alert") from error
        except OSError as error:
            raise ConfigError(f"{self._run[0]}: {error.strerror}", key="run") from error


def _environment(data: dict[str, object]) -> dict[str, str]:
    return {
        f"{PREFIX}{name.upper()}": "" if value is None else str(value).replace("\0", "")[:LONGEST]
        for name, value in data.items()
    }


async def _kill(process: trio.Process) -> None:
    """Kill a program with all that it has started."""
    os.killpg(process.pid, signal.SIGKILL)
    await process.wait()
