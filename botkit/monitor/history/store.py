"""The history itself: every call is one transaction, or a few."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

from botkit.errors import HistoryError
from botkit.monitor.history import retention as retaining
from botkit.monitor.history.database import (
    execute_alone,
    is_postgres,
    make_file,
    open_engine,
    parse_url,
    place,
    transaction,
)
from botkit.monitor.history.inserting import insert_journeys
from botkit.monitor.history.records import Finished
from botkit.monitor.history.retention import Retention
from botkit.monitor.history.schema import bring_up_to_date

P = ParamSpec("P")
T = TypeVar("T")


class History:
    """Journeys in SQLite or PostgreSQL, which many probes may share.

    Nothing is connected or made before the first call, so that a store that is down keeps nobody
    from starting. Calls block, and come from any thread.

    Args:
        url: a path, ``sqlite:///path`` or ``postgresql://user@host/database``.

    Raises:
        ConfigError: nothing can be kept there.
    """

    def __init__(self, url: str) -> None:
        self._url = parse_url(url)
        self._engine = open_engine(self._url)
        self._opening = threading.Lock()
        self._ready = False

    def __str__(self) -> str:
        return place(self._url)

    def open(self) -> None:
        """See that it can be used, which every other call does by itself, and make it if need be.

        Raises:
            HistoryDown: the store cannot be used now.
            HistoryError: what is there is no history of this botkit.
        """
        with self._opening:
            if self._ready:
                return
            if not is_postgres(self._url):
                make_file(self._url)
            with transaction(self._engine, writes=True) as connection:
                bring_up_to_date(connection)
            self._ready = True

    def write(self, journeys: Iterable[Finished]) -> int:
        """Store journeys, all or none; those that are there already are left as they are.

        Returns:
            How many of them are new.

        Raises:
            HistoryRefused: the store is well, and does not take one of them.
            HistoryDown: the store cannot be used now.
            HistoryError: what is there is no history of this botkit.
        """
        with self._transaction(writes=True) as connection:
            return insert_journeys(connection, journeys)

    def ask(
        self,
        question: Callable[Concatenate[Connection, P], T],
        *arguments: P.args,
        **options: P.kwargs,
    ) -> T:
        """Answer a question of ``questions`` or ``incidents``: ``ask(latest, "smoke", limit=5)``.

        Raises:
            HistoryDown: the store cannot be used now.
            HistoryError: what is there is no history of this botkit, or is damaged.
        """
        with self._transaction() as connection:
            return question(connection, *arguments, **options)

    def forget(self, retention: Retention, *, now: float) -> int:
        """Remove what is too old or too much, in short transactions; tells how many journeys.

        Args:
            now: epoch seconds.

        Raises:
            HistoryDown: the store cannot be used now.
        """
        with self._transaction(writes=True) as connection:
            retaining.forget_old_counts(connection, retention, now)
        until = self.ask(retaining.cutoff, retention, now)
        forgotten = 0
        while some := self._forget_some(until):
            forgotten += some
        return forgotten

    def _forget_some(self, until: float) -> int:
        with self._transaction(writes=True) as connection:
            some = retaining.forget_some(connection, until)
        if some and not is_postgres(self._url):
            # What became free goes back to the disk.
            execute_alone(self._engine, "PRAGMA incremental_vacuum")
        return some

    def back_up(self, target: Path) -> None:
        """Copy a SQLite history as it is now, in one file, while others read and write.

        Journeys that wait in the spool are not in it.

        Args:
            target: a file that is not there yet; whole, or not there.

        Raises:
            HistoryError: it cannot be made, or PostgreSQL keeps the history, which has pg_dump.
        """
        if is_postgres(self._url):
            raise HistoryError(f"{self} is copied with pg_dump")
        if target.exists():
            raise HistoryError(f"{target} is there already")
        self.open()
        begun = target.with_name(f".{target.name}.part")
        try:
            os.close(os.open(begun, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600))
            execute_alone(self._engine, "VACUUM INTO ?", str(begun))
            _to_the_disk(begun)
            begun.replace(target)
            _to_the_disk(target.parent)
        except OSError as error:
            raise HistoryError(f"{target} cannot be made: {error.strerror}") from error
        finally:
            with suppress(FileNotFoundError):
                begun.unlink()

    def close(self) -> None:
        """Close the connections; the next call opens them again."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self, *, writes: bool = False) -> Iterator[Connection]:
        self.open()
        with transaction(self._engine, writes=writes) as connection:
            yield connection


def _to_the_disk(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
