"""Keeps states in a SQLite database."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from botkit.errors import BotkitError, StateError
from botkit.storage.envelope import Claim, decode, encode, kept
from botkit.storage.places import check_folder, check_kind, translated, wrong_path

APPLICATION_ID = 0x626B6974
"""``bkit``: what tells botkit's databases from others, ``file`` of Unix included."""
VERSION = 1
BUSY = 3.0
"""Seconds of waiting for another process that writes."""
SCHEMA = f"""
CREATE TABLE states (name TEXT PRIMARY KEY, envelope BLOB NOT NULL) WITHOUT ROWID;
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
"""


class SQLiteStorage:
    """Keeps the state of one chat in a database that many chats share, each under its name.

    A write is one transaction with the default journal (no WAL: its two more files would have to
    be kept together with the database, and it does not work on network drives), so that it is
    there as a whole or not at all, wherever the process is killed. The database is for its owner
    alone (mode 0600) from its creation on, and so is its journal. It is opened for each call: what
    a killed process leaves behind is a journal, which the next one rolls back.

    The methods block for as long as the disk needs; a session calls them in a thread.

    Args:
        path: of the database, or of no file yet; its folder exists.
        name: of the chat within it.
    """

    def __init__(self, path: str | os.PathLike[str], name: str = "default") -> None:
        # It stays the same file when the process goes to another folder.
        self.path = Path(os.path.abspath(path))
        self.name = name
        self._place = f"{self.path} ({name})"
        self._claim = Claim(self._place)

    def write(self, state: Mapping[str, Any]) -> None:
        """Keep a state; an empty one stands for a chat that is over.

        Raises:
            StateError: what stands there is not to be lost, or the disk does not take it.
            ConfigError: nothing can be stored at this path.
            LocalProtocolError: JSON cannot hold the state.
        """
        data = encode(state)
        if not self._exists():
            self._create()
        with self._database() as database:
            self._claim.check(self._stored(database), state)
            database.execute(
                "INSERT INTO states VALUES (?, ?)"
                " ON CONFLICT (name) DO UPDATE SET envelope = excluded.envelope",
                (self.name, data),
            )
        self._claim.note(state)

    def read(self) -> Mapping[str, Any] | None:
        """Give what was written last under this name; None if nothing is stored.

        Raises:
            StateError: it is broken, of another program or of a later botkit.
            ConfigError: nothing can be stored at this path.
        """
        check_folder(self.path)
        state = None
        if self._exists():
            with self._database() as database:
                state = self._stored(database)
        self._claim.note(state)
        return state

    def _stored(self, database: sqlite3.Connection) -> Mapping[str, Any] | None:
        row = database.execute(
            "SELECT envelope FROM states WHERE name = ?", (self.name,)
        ).fetchone()
        if row is None:
            return None
        if not isinstance(row[0], bytes):
            raise kept(self._place, "is no state of botkit")
        return decode(row[0], self._place)

    # --- the file ---

    def _exists(self) -> bool:
        try:
            found = self.path.lstat()
            check_kind(self.path, found.st_mode)
            if found.st_mode & 0o077:
                self.path.chmod(0o600)
        except FileNotFoundError:
            check_folder(self.path)
            return False
        except OSError as error:
            raise translated(error, self.path) from error
        return True

    def _create(self) -> None:
        """Make the empty file here: SQLite would let others read it."""
        try:
            with suppress(FileExistsError):
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except OSError as error:
            raise translated(error, self.path) from error

    # --- the database ---

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """Open it for one transaction, which nobody else's comes between."""
        try:
            with closing(self._connect()) as database:
                database.execute("BEGIN IMMEDIATE")
                self._check_format(database)
                yield database
                database.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._translated(error) from error

    def _connect(self) -> sqlite3.Connection:
        uri = f"{self.path.as_uri()}?mode=rw"
        return sqlite3.connect(uri, uri=True, timeout=BUSY, isolation_level=None)

    def _check_format(self, database: sqlite3.Connection) -> None:
        """See that it is ours; a database without anything in it becomes ours."""
        [application], [version], [tables] = (
            database.execute(question).fetchone()
            for question in (
                "PRAGMA application_id",
                "PRAGMA user_version",
                "SELECT count(*) FROM sqlite_master",
            )
        )
        if (application, version, tables) == (0, 0, 0):
            for statement in SCHEMA.strip().splitlines():
                database.execute(statement)
        elif application != APPLICATION_ID:
            raise kept(str(self.path), "is the database of another program")
        elif version > VERSION:
            message = f"is of a later botkit: format {version}, this one knows {VERSION}"
            raise kept(str(self.path), message)

    def _translated(self, error: sqlite3.Error) -> BotkitError:
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        match code:
            case sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_ERROR:
                # The last: a table that is missing, or is another one.
                return kept(str(self.path), f"is broken or no database of botkit: {error}")
            case sqlite3.SQLITE_CANTOPEN | sqlite3.SQLITE_READONLY | sqlite3.SQLITE_PERM:
                return wrong_path(self.path, str(error))
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                what = f"somebody else has been writing there for {BUSY:g} s"
                return StateError(f"the session could not be stored in {self._place}: {what}")
            case _:
                return StateError(f"the session could not be stored in {self._place}: {error}")
