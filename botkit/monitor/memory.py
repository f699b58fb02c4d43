"""What a monitor remembers over restarts, beside its history: one small file of JSON.

Whatever is missing in it, or wrong, is as if it had never been known: the next checks tell it anew.
"""

from __future__ import annotations

import json
import logging
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from botkit.monitor.contract import Health, Maintenance
from botkit.monitor.slo import Counted
from botkit.monitor.watch import Known

log = logging.getLogger(__name__)

VERSION = 1
MAX_BYTES = 16 * 1024 * 1024


class Memory:
    """The file. Its calls block, and are short.

    Args:
        path: of the file; beside it another one is written and put in its place.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> dict[str, Any]:
        """Give what was saved last; nothing if there is nothing, or nothing that can be read."""
        try:
            with self.path.open("rb") as stream:
                content = json.loads(stream.read(MAX_BYTES))
            if isinstance(content, dict) and content.get("botkit_monitor") == VERSION:
                return content
            why = "it is of another botkit, or of another program"
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as error:
            why = str(error)
        log.warning("%s cannot be read, and is put aside: %s", self.path, why)
        with suppress(OSError):
            os.replace(self.path, self.path.with_name(f"{self.path.name}.unreadable"))
        return {}

    def save(self, content: Mapping[str, Any]) -> None:
        """Put something in place of what was saved before, whole or not at all.

        Raises:
            OSError: it cannot be written.
        """
        self.path.parent.mkdir(parents=True, exist_ok=True)
        number, begun = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        try:
            with open(number, "w", encoding="utf-8") as stream:
                json.dump({"botkit_monitor": VERSION, **content}, stream)
                stream.flush()
                os.fsync(stream.fileno())
            os.replace(begun, self.path)
        except BaseException:
            with suppress(FileNotFoundError):
                os.unlink(begun)
            raise


def known_to_json(known: Known) -> dict[str, Any]:
    """Write down what is known of a monitor."""
    return {
        "last_due": known.last_due,
        "health": known.health.value,
        "since_utc": known.since_utc,
        "turn": known.turn,
        "dropped": known.dropped,
    }


def known_from_json(content: Any) -> Known:
    """Read what :func:`known_to_json` has written; what is wrong is not known."""
    try:
        return Known(
            last_due=_time(content["last_due"]),
            health=Health(content["health"]),
            since_utc=_time(content["since_utc"]),
            turn=int(content["turn"]),
            dropped=int(content["dropped"]),
        )
    except (KeyError, TypeError, ValueError):
        return Known()


def recent_from_json(content: Any) -> list[Counted]:
    """Read the counts of checks as JSON has them; of what is wrong nothing is known."""
    try:
        return [Counted(float(at), int(good), int(bad)) for at, good, bad in content]
    except (TypeError, ValueError, OverflowError):
        return []


def maintenance_to_json(maintenance: Maintenance) -> dict[str, Any]:
    """Write down a maintenance that was begun by hand."""
    return {
        "monitor": maintenance.monitor,
        "until_utc": maintenance.until_utc,
        "because": maintenance.because,
    }


def maintenances_from_json(content: Any) -> list[Maintenance]:
    """Read what :func:`maintenance_to_json` has written; what is wrong is left out."""
    found = []
    for item in content if isinstance(content, list) else ():
        with suppress(KeyError, TypeError, ValueError):
            name = item["monitor"]
            found.append(
                Maintenance(
                    monitor=None if name is None else str(name),
                    until_utc=float(item["until_utc"]),
                    because=str(item["because"]),
                )
            )
    return found


def _time(value: Any) -> float | None:
    return None if value is None else float(value)
