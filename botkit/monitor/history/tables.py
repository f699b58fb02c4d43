"""The tables of the history, as the newest version has them.

Journeys are many and are asked for one by one, by monitor and time; their evidence is large and
mostly not asked for, so it has a table of its own. Bars are drawn of counts that are kept as
journeys come in, by hour and by day, so that no question about 90 days ever reads journeys.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
)

METADATA = MetaData()

HOUR = 3600
DAY = 24 * HOUR
GRAINS = (HOUR, DAY)
"""Seconds that one row of counts stands for."""

SCHEMA_VERSION = Table(
    "botkit_history", METADATA, Column("version", Integer, primary_key=True, autoincrement=False)
)

JOURNEYS = Table(
    "journeys",
    METADATA,
    Column("journey_id", String, primary_key=True),
    Column("run_id", String, nullable=False),
    Column("monitor", String, nullable=False),
    Column("location", String, nullable=False),
    Column("bot", String, nullable=False),
    Column("name", String, nullable=False),
    Column("started_utc", Double, nullable=False),
    Column("duration", Double, nullable=False),
    Column("verdict", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("message", String, nullable=False),
    Column("step", String, nullable=False),
    Column("connector", String, nullable=False),
    Column("server", String, nullable=False),
    Column("on_simulator", Boolean, nullable=False),
    Column("measurements", String, nullable=False),
    # 1: it passed; 0: it did not; NULL: it tells nothing (skipped, cancelled).
    Column("passed", SmallInteger),
    # Bytes of its evidence as stored.
    Column("size", Integer, nullable=False),
)
Index("journeys_latest", JOURNEYS.c.monitor, JOURNEYS.c.started_utc)
# A probe that stopped long ago is asked for like the others, and not searched for among them.
Index("journeys_latest_there", JOURNEYS.c.monitor, JOURNEYS.c.location, JOURNEYS.c.started_utc)
# Incidents are found by jumping from one change of `passed` to the next.
Index(
    "journeys_incidents",
    JOURNEYS.c.monitor,
    JOURNEYS.c.location,
    JOURNEYS.c.passed,
    JOURNEYS.c.started_utc,
    JOURNEYS.c.verdict,
)
# Retention asks what is old, and how much the newer ones take.
Index("journeys_age", JOURNEYS.c.started_utc, JOURNEYS.c.size)

EVIDENCE = Table(
    "evidence",
    METADATA,
    Column("journey_id", String, primary_key=True),
    Column("packed", LargeBinary, nullable=False),
)

STREAMS = Table(
    "streams",
    METADATA,
    Column("monitor", String, primary_key=True),
    Column("location", String, primary_key=True),
    sqlite_with_rowid=False,
)

VERDICTS = Table(
    "verdict_counts",
    METADATA,
    Column("grain", Integer, primary_key=True, autoincrement=False),
    Column("monitor", String, primary_key=True),
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("location", String, primary_key=True),
    Column("verdict", String, primary_key=True),
    Column("count", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

DURATIONS = Table(
    "duration_counts",
    METADATA,
    Column("grain", Integer, primary_key=True, autoincrement=False),
    Column("monitor", String, primary_key=True),
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("location", String, primary_key=True),
    # A number of botkit.monitor.history.histogram.
    Column("bin", Integer, primary_key=True, autoincrement=False),
    Column("count", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
