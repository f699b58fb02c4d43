"""Connections to the store, SQLite or PostgreSQL, and its errors in botkit's words.

A journey is stored when its transaction is committed. With SQLite that is a line in the write-ahead
log (WAL), which the operating system has: killing the process at any point costs nothing. It is
also on the disk (``synchronous=FULL``), so a power cut costs nothing either, as far as the disk
tells the truth about what it has written. WAL does not work on network drives.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DataError,
    DBAPIError,
    IntegrityError,
    NoSuchModuleError,
    SQLAlchemyError,
)

from botkit.errors import ConfigError, HistoryDown, HistoryError, HistoryRefused

BUSY = 5.0
"""Seconds of waiting for another process that writes, or for a server to take a connection."""
STATEMENT_MS = 30_000
"""What one statement may take of PostgreSQL, and what a silent network may."""
POSTGRES = "postgresql+psycopg"
WAL_LIMIT = 64 * 1024 * 1024

WRITES = "botkit_writes"
"""The option of a connection that is going to write, so that it waits for its turn at the start."""


def parse_url(text: str) -> URL:
    """Read where the history is kept: a path, ``sqlite:///path`` or ``postgresql://...``.

    Raises:
        ConfigError: it is none of these.
    """
    if "://" not in text:
        return URL.create("sqlite", database=os.path.abspath(text))
    try:
        url = make_url(text)
    except (ArgumentError, ValueError) as error:
        # Not the text itself, which may hold a password.
        raise ConfigError("the URL of the history cannot be read", key="history") from error
    match url.get_backend_name():
        case "sqlite" if url.database and url.database != ":memory:":
            return url.set(drivername="sqlite", database=os.path.abspath(url.database))
        case "postgresql" | "postgres":
            return url.set(drivername=POSTGRES)
        case _:
            message = "a history is kept in a file (a path or sqlite:///path) or in PostgreSQL"
            raise ConfigError(f"{message} (postgresql://...)", key="history")


def open_engine(url: URL) -> Engine:
    """Make the pool of connections; nothing is connected yet.

    Raises:
        ConfigError: the driver is not installed.
    """
    try:
        engine = create_engine(
            url, connect_args=_arguments(url), pool_pre_ping=is_postgres(url), hide_parameters=True
        )
    except (ImportError, NoSuchModuleError) as error:
        message = "a history in PostgreSQL needs the extra 'postgres': pip install botkit[postgres]"
        raise ConfigError(message, key="history") from error
    if not is_postgres(url):
        event.listen(engine, "connect", _set_up)
        event.listen(engine, "begin", _begin)
    return engine


def is_postgres(url: URL) -> bool:
    return url.drivername == POSTGRES


def _arguments(url: URL) -> dict[str, Any]:
    if not is_postgres(url):
        return {"timeout": BUSY}
    return {
        "connect_timeout": int(BUSY),
        "options": f"-c statement_timeout={STATEMENT_MS}",
        "tcp_user_timeout": STATEMENT_MS,
        "keepalives_idle": 10,
    }


def _set_up(connection: sqlite3.Connection, _record: object) -> None:
    # Transactions begin where the code says so, not where the driver thinks that it must.
    connection.isolation_level = None
    with closing(connection.cursor()) as cursor:
        # Before anything is in it; a database that has tables stays as it is.
        cursor.execute("PRAGMA auto_vacuum = INCREMENTAL")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT}")


def _begin(connection: Connection) -> None:
    # A transaction that reads first and writes then would fail instead of waiting.
    writes = connection.get_execution_options().get(WRITES)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def transaction(engine: Engine, *, writes: bool = False) -> Iterator[Connection]:
    """Hold a transaction; committed when the block is left without an error."""
    with translated(engine.url), engine.connect() as connection:
        connection = connection.execution_options(**{WRITES: writes})
        with connection.begin():
            yield connection


def execute_alone(engine: Engine, statement: str, *values: str) -> None:
    """Run a statement of SQLite that stands in no transaction."""
    with (
        translated(engine.url),
        closing(engine.raw_connection()) as connection,
        closing(connection.cursor()) as cursor,
    ):
        cursor.execute(statement, values)
        cursor.fetchall()


@contextmanager
def translated(url: URL) -> Iterator[None]:
    """Give the store's errors in botkit's words, without the values that it was told.

    Raises:
        HistoryRefused: the store is well, and does not take what it was given.
        HistoryDown: it cannot be used now; later it may.
    """
    try:
        yield
    except (DataError, IntegrityError) as error:
        raise HistoryRefused(f"{place(url)} refuses it: {_words(error)}") from error
    except (SQLAlchemyError, sqlite3.Error) as error:
        raise HistoryDown(f"{place(url)} cannot be used: {_words(error)}") from error


def place(url: URL) -> str:
    """Name the store to people, without its password, which may also stand in the query."""
    if is_postgres(url):
        return f"the history in {url.set(drivername='postgresql', query={}).render_as_string()}"
    return f"the history in {url.database}"


def _words(error: SQLAlchemyError | sqlite3.Error) -> str:
    original = error.orig if isinstance(error, DBAPIError) else error
    return " ".join(str(original).split())


def make_file(url: URL) -> None:
    """Make the empty file of a new SQLite history, for its owner alone (mode 0600).

    Raises:
        HistoryError: it cannot be there.
    """
    path = Path(url.database or "")
    try:
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except OSError as error:
        raise HistoryDown(f"{place(url)} cannot be made: {error.strerror}") from error
    if not path.is_file():
        raise HistoryError(f"{place(url)} cannot be made: it is no ordinary file")
