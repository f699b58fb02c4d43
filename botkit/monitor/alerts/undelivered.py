"""Alerts that wait for their sinks, kept on the disk: a stop, or a crash, must not silence them.

The file is there only while something waits. It is written a moment after that has changed, so what
was delivered in this moment before a crash may be delivered once more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from botkit.monitor.alerts.told import Overdue, alert_from_json, alert_to_json
from botkit.monitor.memory import Memory

log = logging.getLogger(__name__)

MOST = 100
"""Alerts of one sink that are kept, the newest."""
OLDEST = 86400.0
"""Seconds; what is older is of no use to anybody."""


class Undelivered:
    """The file. Its calls block, and are short.

    Args:
        path: of the file.
        now: tells the time, epoch seconds.
    """

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        self._memory, self._now = Memory(path), now

    def load(self) -> dict[str, list[Overdue]]:
        """Give what waited for each sink when it was saved last, oldest first."""
        waiting = self._memory.load().get("waiting")
        if not isinstance(waiting, Mapping):
            return {}
        return {str(sink): self._read(sink, items) for sink, items in waiting.items()}

    def save(self, waiting: Mapping[str, Sequence[Overdue]]) -> None:
        """Keep what waits in place of what waited before.

        Raises:
            OSError: it cannot be written.
        """
        if not any(waiting.values()):
            self._memory.path.unlink(missing_ok=True)
            return
        now = self._now()
        self._memory.save(
            {
                "waiting": {
                    sink: [
                        {"told_utc": now - one.age, "alert": alert_to_json(one.alert)}
                        for one in items[-MOST:]
                    ]
                    for sink, items in waiting.items()
                }
            }
        )

    def _read(self, sink: str, items: Any) -> list[Overdue]:
        found = []
        for item in items if isinstance(items, list) else ():
            try:
                alert = alert_from_json(item["alert"])
                age = max(0.0, self._now() - float(item["told_utc"]))
            except (KeyError, TypeError, ValueError) as error:
                log.error("an alert for %s that waited is lost: %r", sink, error)
                continue
            if age > OLDEST:
                log.error("an alert for %s is too old to be delivered: %s", sink, alert.title)
            else:
                found.append(Overdue(alert=alert, age=age))
        return found
