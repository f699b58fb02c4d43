"""Makes the tables of a new history, and brings an old one up to date.

A new store gets the newest tables at once; an old one goes through the steps from its version on.
Several probes may start at the same time: one does it, the others wait. Whoever changes `tables`
raises VERSION and adds the step from the version before. Probes are not updated all at once: after
a step those of the version before must still be able to write, so new columns have a default.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy import Connection, insert, inspect, select, text, update

from botkit.errors import HistoryError
from botkit.monitor.history.tables import METADATA, SCHEMA_VERSION

VERSION = 1
Step = Callable[[Connection], None]
STEPS: Mapping[int, Step] = {}
"""By the version that a step starts from: what makes the next one of it."""

APPLICATION_ID = 0x626B6968
"""``bkih``: what tells a history from other databases, ``file`` of Unix included."""
LOCK = APPLICATION_ID
"""The advisory lock of PostgreSQL under which the tables change."""


def bring_up_to_date(
    connection: Connection, *, steps: Mapping[int, Step] = STEPS, newest: int = VERSION
) -> None:
    """Make or change the tables, in a transaction that writes.

    Raises:
        HistoryError: the database is of another program or of a later botkit, and left as it is.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    version = _version(connection)
    if version is None:
        _make(connection, newest)
        return
    if version > newest:
        message = f"the history is of a later botkit: version {version}, this one knows {newest}"
        raise HistoryError(message)
    for start in range(version, newest):
        steps[start](connection)
    if version < newest:
        connection.execute(update(SCHEMA_VERSION).values(version=newest))


def _version(connection: Connection) -> int | None:
    """Find the version; None of a database with nothing in it."""
    tables = inspect(connection).get_table_names()
    if SCHEMA_VERSION.name in tables:
        return int(connection.execute(select(SCHEMA_VERSION.c.version)).scalar_one())
    if connection.dialect.name == "sqlite" and (tables or _application(connection)):
        raise HistoryError("the file of the history is the database of another program")
    strangers = sorted(set(tables) & set(METADATA.tables))
    if strangers:
        message = f"the database has a table {strangers[0]!r} already, which is not botkit's"
        raise HistoryError(message)
    return None


def _application(connection: Connection) -> int:
    return int(connection.execute(text("PRAGMA application_id")).scalar_one())


def _make(connection: Connection, version: int) -> None:
    METADATA.create_all(connection, checkfirst=False)
    connection.execute(insert(SCHEMA_VERSION).values(version=version))
    if connection.dialect.name == "sqlite":
        connection.execute(text(f"PRAGMA application_id = {APPLICATION_ID}"))
