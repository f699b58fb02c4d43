"""Journeys that wait on disk for the store, one file each, in the order in which they finished.

A file is a line of JSON (the entry, and a checksum of the evidence) and the evidence as the store
takes it. It goes to a temporary name, to the disk, and takes its place: a file is whole or not
there, wherever the process is killed and whenever the power goes.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import threading
import zlib
from collections import deque
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from botkit.errors import HistoryError
from botkit.monitor.history.records import Finished, from_row, to_row

SUFFIX = ".journey"
PART = ".part"
DAMAGED = "set-aside"
"""The folder within, of files that nobody can read or the store does not take."""
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A journey in the spool, and its file."""

    name: str
    journey: Finished


class Spool:
    """A bounded queue on disk, of one process; what an earlier process left there comes first.

    Calls block for as long as the disk needs, and come from any thread.

    Args:
        folder: its own; it is made if need be.
        max_journeys: how many may wait.
        max_bytes: how much they may take.

    Raises:
        HistoryError: the folder cannot be used.
    """

    def __init__(
        self, folder: Path, *, max_journeys: int = 50_000, max_bytes: int = 2 * 1024**3
    ) -> None:
        self._folder = Path(os.path.abspath(folder))
        self._max_journeys, self._max_bytes = max_journeys, max_bytes
        self._lock = threading.Lock()
        self._sizes: dict[str, int] = {}
        self._names: deque[str] = deque()
        self._bytes = 0
        self.aside = 0
        """Files that were set aside by this object."""
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._find()
        except OSError as error:
            raise self._wrong(error) from error
        self._number = int(self._names[-1].partition("-")[0]) + 1 if self._names else 0

    def __len__(self) -> int:
        return len(self._names)

    def put(self, journey: Finished) -> None:
        """Add a journey; when this returns it is on the disk.

        Raises:
            HistoryError: no more may wait, or the disk does not take it.
        """
        data = _encode(journey)
        with self._lock:
            self._check_room(len(data))
            name = f"{self._number:012}-{_digest(journey.entry.journey_id)}{SUFFIX}"
            try:
                self._write(name, data)
            except OSError as error:
                raise self._wrong(error) from error
            self._number += 1
            self._note(name, len(data))

    def oldest(self, *, journeys: int = 100, size: int = 8 * 1024**2) -> list[Waiting]:
        """Read the journeys that have waited longest, in order; at least one, if one waits.

        What cannot be read is set aside, with a warning.

        Args:
            journeys: as many at most.
            size: bytes of their files, about.

        Raises:
            HistoryError: the disk cannot be read.
        """
        found: list[Waiting] = []
        for name in self._first(journeys, size):
            try:
                found.append(
                    Waiting(name=name, journey=_decode((self._folder / name).read_bytes()))
                )
            except FileNotFoundError:
                self.remove(name)
            except OSError as error:
                raise self._wrong(error) from error
            except ValueError as error:
                self.set_aside(name, str(error))
        return found

    def remove(self, name: str) -> None:
        """Remove a journey that the store has.

        Raises:
            HistoryError: the disk does not let go of it.
        """
        try:
            (self._folder / name).unlink(missing_ok=True)
        except OSError as error:
            raise self._wrong(error) from error
        self._forget(name)

    def set_aside(self, name: str, why: str) -> None:
        """Take a file out of the queue that would hold up all others, and keep it.

        Raises:
            HistoryError: the disk does not do it.
        """
        aside = self._folder / DAMAGED
        logger.warning("%s is set aside in %s: %s", name, aside, why)
        try:
            aside.mkdir(exist_ok=True, mode=0o700)
            (self._folder / name).replace(aside / name)
        except OSError as error:
            raise self._wrong(error) from error
        self.aside += 1
        self._forget(name)

    # --- the queue ---

    def _first(self, journeys: int, size: int) -> list[str]:
        with self._lock:
            names: list[str] = []
            for name in islice(self._names, journeys):
                size -= self._sizes[name]
                if names and size < 0:
                    break
                names.append(name)
            return names

    def _note(self, name: str, size: int) -> None:
        self._names.append(name)
        self._sizes[name] = size
        self._bytes += size

    def _forget(self, name: str) -> None:
        with self._lock:
            # The oldest go first: it is found at once.
            self._names.remove(name)
            self._bytes -= self._sizes.pop(name)

    def _check_room(self, size: int) -> None:
        if len(self._names) >= self._max_journeys or self._bytes + size > self._max_bytes:
            waiting = f"{len(self._names):,} journeys ({self._bytes / 1024**2:,.0f} MB) wait"
            raise HistoryError(f"the spool {self._folder} is full: {waiting} for the history")

    # --- the folder ---

    def _find(self) -> None:
        for path in self._folder.glob(f".*{PART}"):
            # Begun by a process that was killed; nobody was told that it is stored.
            path.unlink(missing_ok=True)
        for path in sorted(self._folder.glob(f"*-*{SUFFIX}")):
            if path.name.partition("-")[0].isdecimal():
                self._note(path.name, path.stat().st_size)

    def _write(self, name: str, data: bytes) -> None:
        begun = self._folder / f".{name}{PART}"
        try:
            with open(begun, "wb", opener=_for_the_owner) as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            begun.replace(self._folder / name)
        except OSError:
            begun.unlink(missing_ok=True)
            raise
        self._sync_folder()

    def _sync_folder(self) -> None:
        # The name of a file is part of its folder. Systems without this write names by themselves.
        if hasattr(os, "O_DIRECTORY"):
            opened = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(opened)
            finally:
                os.close(opened)

    def _wrong(self, error: OSError) -> HistoryError:
        return HistoryError(f"the spool {self._folder} cannot be used: {error.strerror}")


def _for_the_owner(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _digest(journey_id: str) -> str:
    return hashlib.sha256(journey_id.encode("utf-8", "replace")).hexdigest()[:16]


def _encode(journey: Finished) -> bytes:
    head = {"crc": zlib.crc32(journey.packed), "entry": to_row(journey.entry)}
    return json.dumps(head).encode() + b"\n" + journey.packed


def _decode(data: bytes) -> Finished:
    """Read a file of the spool.

    Raises:
        ValueError: it is damaged.
    """
    head, _, packed = data.partition(b"\n")
    try:
        members = json.loads(head)
        entry, crc = from_row(members["entry"]), members["crc"]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError("its first line is damaged") from error
    if crc != zlib.crc32(packed):
        raise ValueError("its evidence is damaged")
    return Finished(entry=entry, packed=packed)
